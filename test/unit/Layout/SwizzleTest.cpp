//===- SwizzleTest.cpp - Chosen swizzles against all layouts --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On a toy chip (4 lanes, 4 banks) a tile of 16 elements has 20160 shared
// layouts: all of them are priced, and the chosen one is as good as the best.
//
//===----------------------------------------------------------------------===//

#include "Catalogue.h"
#include "ConversionFuzz.h"

#include "F2/Random.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

static TargetDescription toyTarget() {
  static constexpr uint32_t lanes32[] = {1, 2}, lanes64[] = {1};
  static const SharedPhase phases[] = {{32, lanes32}, {64, lanes64}, {128, {}}};
  TargetDescription target = *lookupTarget("sm_80");
  target.warpSize = 4;
  target.sharedBanks = 4;
  target.sharedPhases = phases;
  target.hasLdmatrix = target.hasStmatrix = false;
  return target;
}

static uint64_t priceOf(const SharedAccess &access) {
  return 2 * access.wavefronts() + access.instructions();
}

/// The least price over all invertible layouts, and the least number of
/// wavefronts among those without conflicts; the latter may be nothing.
struct Best {
  uint64_t price = ~uint64_t{0};
  std::optional<uint64_t> withoutConflict;
};

static Best searchAll(const LinearLayout &store, const LinearLayout &load,
                      const TargetDescription &target) {
  Best best;
  for (uint64_t code = 0; code < 1 << 16; ++code) {
    F2Matrix columns = F2Matrix::fromColumns(
        4, {code & 15, (code >> 4) & 15, (code >> 8) & 15, code >> 12});
    if (columns.rank() < 4)
      continue;
    LinearLayout layout =
        LinearLayout::fromMatrix({{"offset", 4}}, {{"dim0", 4}}, columns);
    auto write = take(planSharedAccess(store, layout, 32, target));
    auto read = take(planSharedAccess(load, layout, 32, target));
    uint64_t wavefronts = write->wavefronts() + read->wavefronts();
    best.price = std::min(best.price, priceOf(*write) + priceOf(*read));
    if (write->perAccess.extra() + read->perAccess.extra() == 0)
      best.withoutConflict =
          std::min(best.withoutConflict.value_or(wavefronts), wavefronts);
  }
  return best;
}

TEST(Swizzle, ChosenOnesAreAsGoodAsTheBestOfAll) {
  Random random;
  SCOPED_TRACE(random.seed);
  TargetDescription target = toyTarget();
  unsigned swizzled = 0;
  for (int round = 0; round < 6; ++round) {
    auto layout = [&] {
      return LinearLayout::fromMatrix(
          {{"register", 2}, {"lane", 2}}, {{"dim0", 4}},
          round % 2 ? random.invertible(4)
                    : random.distributed({4}, 2, 0).matrix());
    };
    SharedUser store, load;
    store.registers = layout();
    store.isStore = true;
    load.registers = layout();
    if (!store.registers.isSurjective() || !load.registers.isSurjective())
      continue;
    auto choice = take(chooseSharedLayout({store, load}, 32, target));
    Best best = searchAll(store.registers, load.registers, target);
    // A vector whose registers are not neighbours costs a move beside.
    uint64_t moves =
        choice->accesses[0].instructions() + choice->accesses[1].instructions();
    EXPECT_LE(4 * (priceOf(choice->accesses[0]) + priceOf(choice->accesses[1])),
              4 * best.price + moves)
        << store.registers.toString() << "\n"
        << load.registers.toString();
    if (best.withoutConflict)
      EXPECT_EQ(choice->extraWavefronts(), 0u);
    for (const SharedAccess &access : choice->accesses)
      EXPECT_EQ(countWavefronts(access, 32, target), access.wavefronts());
    swizzled += choice->layout.matrix() != F2Matrix::identity(4);
  }
  EXPECT_GT(swizzled, 0u);
}

/// The catalogue of the benchmark: no conflicts, never fewer wavefronts than
/// the bound, and mostly as many.
TEST(Swizzle, PairsOfTheCatalogueHaveNoConflicts) {
  unsigned fewest = 0, total = 0;
  for (const auto &result : benchmarks::runCatalogue({16, 32}, {"sm_90a"})) {
    EXPECT_EQ(result.extra, 0u) << result.store << " to " << result.load;
    EXPECT_GE(result.wavefronts, result.leastWavefronts);
    if (result.searched)
      EXPECT_GE(result.wavefronts, *result.searched);
    fewest += result.isIdeal() || result.searched == result.wavefronts;
    ++total;
  }
  EXPECT_GE(fewest * 10, total * 9);
}
