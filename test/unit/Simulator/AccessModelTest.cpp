//===- AccessModelTest.cpp - Sectors and wavefronts against brute force ---===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AccessModel.h"
#include "SharedShadow.h"

#include "gtest/gtest.h"

#include <map>
#include <random>
#include <set>

using namespace mirage;
using namespace mirage::sim;

namespace {

/// Phase of a lane, by elimination over the lane masks of the target.
unsigned phaseOf(const TargetDescription &target, unsigned lane,
                 unsigned bits) {
  auto masks = target.phaseLaneMasks(bits);
  unsigned best = lane;
  for (unsigned combination = 0; combination < 1u << masks.size();
       ++combination) {
    unsigned other = lane;
    for (unsigned i = 0; i < masks.size(); ++i)
      if (combination >> i & 1)
        other ^= masks[i];
    best = std::min(best, other);
  }
  return best;
}

unsigned naiveWavefronts(const TargetDescription &target,
                         const std::vector<uint64_t> &addresses,
                         uint64_t active, unsigned bytes) {
  std::map<unsigned, std::map<unsigned, std::set<uint64_t>>> wanted;
  for (unsigned lane = 0; lane < target.warpSize; ++lane)
    if (active >> lane & 1)
      for (unsigned byte = 0; byte < bytes; ++byte) {
        uint64_t word = (addresses[lane] + byte) / 4;
        wanted[phaseOf(target, lane, std::max(32u, bytes * 8))]
              [word % target.sharedBanks]
                  .insert(word);
      }
  unsigned total = 0;
  for (auto &[phase, banks] : wanted) {
    size_t most = 0;
    for (auto &[bank, words] : banks)
      most = std::max(most, words.size());
    total += most;
  }
  return total;
}

TEST(AccessModelTest, EqualsBruteForce) {
  const unsigned seed = 20240607;
  std::mt19937 random(seed);
  for (const TargetDescription &target : allTargets()) {
    AccessModel model(target);
    for (int round = 0; round < 300; ++round) {
      unsigned bytes = 1u << random() % 5;
      unsigned stride = (random() % 40) * bytes;
      unsigned noise = random() % 3 ? 0 : random() % 64;
      std::vector<uint64_t> addresses(maxWarpSize);
      for (unsigned lane = 0; lane < maxWarpSize; ++lane)
        addresses[lane] =
            lane * stride + (noise ? random() % noise : 0) * bytes + 4096;
      uint64_t active = ~uint64_t{0} >> (64 - target.warpSize);
      if (random() % 2)
        active &= random() | uint64_t{random()} << 32;
      EXPECT_EQ(model.wavefronts(addresses.data(), active, bytes),
                naiveWavefronts(target, addresses, active, bytes))
          << target.name.str() << " seed " << seed << " round " << round;
      std::set<uint64_t> sectors;
      for (unsigned lane = 0; lane < target.warpSize; ++lane)
        if (active >> lane & 1)
          for (unsigned byte = 0; byte < bytes; ++byte)
            sectors.insert((addresses[lane] + byte) / sectorBytes);
      EXPECT_EQ(model.sectors(addresses.data(), active, bytes), sectors.size())
          << target.name.str() << " seed " << seed << " round " << round;
    }
  }
}

using Finding = SharedShadow::Finding;

class SharedShadowTest : public testing::Test {
protected:
  /// Two blocks of 64 threads; the shadow is of the memory of block 0.
  SharedShadowTest() { shadow.startBlock(1024, 32, 64, 1); }

  static SharedShadow::Accessor thread(uint32_t number) {
    return {number, number / 32, number / 64, /*epoch=*/1, 0, 0, 0};
  }

  SharedShadow shadow;
  SharedShadow::Accessor a = thread(0), b = thread(1), c = thread(40),
                         remote = thread(70);
};

TEST_F(SharedShadowTest, BarriersOrderAccesses) {
  EXPECT_EQ(shadow.write(a, 0, 16).finding, Finding::None);
  EXPECT_EQ(shadow.read(a, 0, 16, false).finding, Finding::None);
  EXPECT_EQ(shadow.read(b, 14, 2, false).finding, Finding::ReadAfterWrite);
  // Two writers: a race if they write different values. The value is not known
  // here; bytes 0 to 3 are the first two granules.
  EXPECT_EQ(shadow.write(a, 32, 16).overwritten, 0u);
  EXPECT_EQ(shadow.write(c, 32, 4).overwritten, 3u);
  a.epoch = b.epoch = c.epoch = 2;
  EXPECT_EQ(shadow.read(b, 0, 16, false).finding, Finding::None);
  EXPECT_EQ(shadow.read(c, 0, 16, false).finding, Finding::None);
  EXPECT_EQ(shadow.write(b, 0, 16).finding, Finding::WriteAfterRead);
  a.epoch = b.epoch = c.epoch = 3;
  EXPECT_EQ(shadow.write(c, 0, 16).finding, Finding::None);
}

TEST_F(SharedShadowTest, WarpBarriersOrderWithinAWarp) {
  EXPECT_EQ(shadow.write(a, 0, 16).finding, Finding::None);
  b.warpEpoch = 1;
  EXPECT_EQ(shadow.read(b, 0, 16, false).finding, Finding::None);
  c.warpEpoch = 1; // of another warp
  EXPECT_EQ(shadow.read(c, 0, 16, false).finding, Finding::ReadAfterWrite);
  // Several readers of the warp, then a barrier, then a writer of the warp.
  a.warpEpoch = 1;
  EXPECT_EQ(shadow.read(a, 0, 16, false).finding, Finding::None);
  EXPECT_EQ(shadow.write(b, 0, 16).finding, Finding::WriteAfterRead);
  b.warpEpoch = 2;
  EXPECT_EQ(shadow.write(b, 0, 16).finding, Finding::None);
}

TEST_F(SharedShadowTest, OnlyTheClusterOrdersBlocks) {
  EXPECT_EQ(shadow.write(a, 0, 16).finding, Finding::None);
  remote.epoch = 5; // block barriers of another block say nothing
  EXPECT_EQ(shadow.read(remote, 0, 16, false).finding, Finding::ReadAfterWrite);
  remote.arrivals = remote.waits = 1;
  EXPECT_EQ(shadow.read(remote, 0, 16, false).finding, Finding::None);
  // A write between arriving and waiting is not ordered before that wait.
  a.arrivals = 1;
  a.epoch = 2;
  EXPECT_EQ(shadow.write(a, 32, 16).finding, Finding::None);
  EXPECT_EQ(shadow.read(remote, 32, 16, false).finding,
            Finding::ReadAfterWrite);
  // The read above, and those of a thread of each block, until both met again.
  a.waits = c.arrivals = c.waits = 1;
  EXPECT_EQ(shadow.read(c, 0, 16, false).finding, Finding::None);
  EXPECT_EQ(shadow.write(a, 0, 16).finding, Finding::WriteAfterRead);
  a.epoch = 3; // orders the read of c alone
  EXPECT_EQ(shadow.write(a, 0, 16).finding, Finding::WriteAfterRead);
  a.arrivals = a.waits = 2;
  EXPECT_EQ(shadow.write(a, 0, 16).finding, Finding::None);
}

TEST_F(SharedShadowTest, BlocksStartUninitialized) {
  EXPECT_EQ(shadow.read(a, 0, 4, true).finding, Finding::Uninitialized);
  EXPECT_EQ(shadow.write(a, 0, 4).finding, Finding::None);
  EXPECT_EQ(shadow.read(a, 0, 4, true).finding, Finding::None);
  shadow.startBlock(1024, 32, 64, 2);
  a.epoch = 2;
  EXPECT_EQ(shadow.read(a, 0, 4, true).finding, Finding::Uninitialized);
}

/// A sector is fetched for each line it goes to, and a wavefront takes what
/// goes from one line to one line.
TEST(AccessModel, CopiesCountPairsOfLines) {
  AccessModel model(*lookupTarget("sm_90a"));
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::set<std::pair<uint64_t, uint64_t>> sectors, lines;
    uint64_t ends[maxWarpSize] = {}, active = random() | 1;
    unsigned spread = 1 + random() % 40;
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint64_t source = (1 << 20) + 16 * (random() % (8 * spread));
      uint64_t offset = 16 * (random() % (8 * spread));
      ends[lane] = CopyEnds::pack(source, offset);
      if (~active >> lane & 1)
        continue;
      sectors.insert({source / 32, offset / 128});
      lines.insert({source / 128, offset / 128});
    }
    active &= 0xffffffff;
    EXPECT_EQ(model.copySectors(ends, active), sectors.size());
    EXPECT_EQ(model.copyWavefronts(ends, active), lines.size());
  }
}

/// Which shifts of all lanes leave both counts alone.
TEST(AccessModel, ShiftedCopies) {
  auto shift = [](uint64_t source, uint64_t offset, int64_t bySource,
                  int64_t byOffset) {
    return CopyEnds::isShift(
        CopyEnds::pack(source + bySource, offset + byOffset) -
        CopyEnds::pack(source, offset));
  };
  EXPECT_TRUE(shift(1 << 20, 4096, 1024, 0));
  EXPECT_TRUE(shift(1 << 20, 4096, 1024, 256));
  EXPECT_TRUE(shift(1 << 20, 4096, -1024, -4096));
  EXPECT_TRUE(shift(1 << 20, 4096, 1024, -128));
  EXPECT_FALSE(shift(1 << 20, 4096, 32, 0));
  EXPECT_FALSE(shift(1 << 20, 4096, 64, -128));
}

} // namespace
