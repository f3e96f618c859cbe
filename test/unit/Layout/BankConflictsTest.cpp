//===- BankConflictsTest.cpp - The rank lemma against enumeration ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/BankConflicts.h"

#include <map>
#include <set>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

static uint64_t offsetOf(llvm::ArrayRef<uint64_t> columns, uint64_t lane) {
  uint64_t offset = 0;
  for (unsigned bit = 0; bit < columns.size(); ++bit)
    if ((lane >> bit) & 1)
      offset ^= columns[bit];
  return offset;
}

/// Serves a warp lane by lane: for each phase, the words each bank must give.
static uint64_t enumerate(llvm::ArrayRef<uint64_t> columns, unsigned vec,
                          unsigned elemBits, const TargetDescription &target,
                          uint64_t idleLanes) {
  // Phase of a lane: its coset of the span of the masks.
  std::set<uint64_t> span{0};
  for (uint32_t mask : target.phaseLaneMasks(vec * elemBits)) {
    std::set<uint64_t> more;
    for (uint64_t lane : span)
      more.insert(lane ^ mask);
    span.insert(more.begin(), more.end());
  }
  std::map<uint64_t, std::map<uint64_t, std::set<uint64_t>>> phases;
  for (uint64_t lane = 0; lane < target.warpSize; ++lane) {
    if (lane & idleLanes)
      continue;
    uint64_t coset = lane;
    for (uint64_t other : span)
      coset = std::min(coset, lane ^ other);
    for (unsigned byte = 0; byte < vec * elemBits / 8; ++byte) {
      uint64_t word = (offsetOf(columns, lane) * elemBits / 8 + byte) / 4;
      phases[coset][word % target.sharedBanks].insert(word);
    }
  }
  uint64_t wavefronts = 0;
  for (auto &[coset, banks] : phases) {
    size_t most = 0;
    for (auto &[bank, words] : banks)
      most = std::max(most, words.size());
    wavefronts += most;
  }
  return wavefronts;
}

TEST(BankConflicts, RankLemmaEqualsEnumeration) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 400; ++round) {
    auto targets = allTargets();
    const TargetDescription &target = targets[random.below(targets.size())];
    unsigned elemBits = 8u << random.below(4);
    unsigned vec = 1u << random.below(5);
    while (vec * elemBits > 128)
      vec /= 2;
    unsigned lanes = target.warpSize == 64 ? 6 : 5;
    lanes -= random.below(2);
    std::vector<uint64_t> columns;
    for (unsigned i = 0; i < lanes; ++i)
      columns.push_back(random.below(1 << 9) * vec);
    uint64_t idle = random.below(2) ? random.below(target.warpSize) : 0;
    Wavefronts got = vectorWavefronts(columns, vec, elemBits, target, idle);
    EXPECT_EQ(got.count, enumerate(columns, vec, elemBits, target, idle))
        << target.name.str() << " vec " << vec << " bits " << elemBits
        << " idle " << idle;
  }
}

TEST(BankConflicts, KnownPatterns) {
  const TargetDescription &target = *lookupTarget("sm_80");
  // A column of a 32 x 32 matrix of f32: all lanes in one bank.
  EXPECT_EQ(vectorWavefronts({32, 64, 128, 256, 512}, 1, 32, target).count,
            32u);
  // Everybody reads one word.
  EXPECT_EQ(vectorWavefronts({0, 0, 0, 0, 0}, 1, 32, target).count, 1u);
  // 128-bit rows next to each other: four phases.
  Wavefronts rows = vectorWavefronts({4, 8, 16, 32, 64}, 4, 32, target);
  EXPECT_EQ(rows.count, 4u);
  EXPECT_EQ(rows.ideal, 4u);
  // ldmatrix with a row pitch of 128 bytes, not swizzled.
  EXPECT_EQ(matrixWavefronts({64, 128, 256}, 4, 16, target).count, 32u);
  EXPECT_EQ(matrixWavefronts({64 + 8, 128 + 16, 256 + 32}, 4, 16, target).count,
            4u);
}
