//===- ConversionReasonsTest.cpp - Why plans win and lose -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/ConversionPlan.h"

#include "gmock/gmock.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

using ::testing::HasSubstr;

static ConversionPlan explained(const LinearLayout &s, const LinearLayout &d,
                                bool allowShuffle = true) {
  ConversionOptions options;
  options.explain = true;
  options.allowShuffle = allowShuffle;
  return llvm::cantFail(
      planConversion(s, d, 32, *lookupTarget("sm_90a"), options));
}

static const PlanAlternative &find(const ConversionPlan &plan,
                                   ConversionKind kind) {
  return *llvm::find_if(plan.alternatives, [&](const PlanAlternative &other) {
    return other.kind == kind;
  });
}

/// register and lane bits of a row of 2^bits elements, given by bit numbers.
static LinearLayout row(std::vector<unsigned> registers,
                        std::vector<unsigned> lanes,
                        std::vector<unsigned> warps = {}) {
  unsigned bits = registers.size() + lanes.size() + warps.size();
  std::vector<LinearLayout::InBases> ins{
      {"register", {}}, {"lane", {}}, {"warp", {}}};
  for (unsigned bit : registers)
    ins[0].bases.push_back({uint64_t{1} << bit});
  for (unsigned bit : lanes)
    ins[1].bases.push_back({uint64_t{1} << bit});
  for (unsigned bit : warps)
    ins[2].bases.push_back({uint64_t{1} << bit});
  return llvm::cantFail(
      LinearLayout::create(ins, {{"dim0", uint64_t{1} << bits}}));
}

TEST(ConversionReasons, OneEntryAKindAndTheWinnerHasNone) {
  LinearLayout s = row({0, 1}, {2, 3, 4, 5, 6}),
               d = row({6, 1}, {2, 3, 4, 5, 0});
  ConversionPlan plan = explained(s, d);
  ASSERT_EQ(plan.alternatives.size(), 5u);
  for (const PlanAlternative &other : plan.alternatives)
    EXPECT_EQ(other.reason.empty(), other.kind == plan.kind)
        << stringifyKind(other.kind).str() << ": " << other.reason;
  EXPECT_EQ(plan.kind, ConversionKind::Shuffle);
  EXPECT_EQ(find(plan, plan.kind).cost, plan.cost);
}

TEST(ConversionReasons, ImpossibleKindsNameTheBitThatCrosses) {
  ConversionPlan lanes =
      explained(row({0, 1}, {2, 3, 4, 5, 6}), row({6, 1}, {2, 3, 4, 5, 0}));
  EXPECT_EQ(find(lanes, ConversionKind::Register).reason,
            "elements cross lanes: register bit 0 of the destination is lane "
            "bit 4 of the source");
  EXPECT_EQ(find(lanes, ConversionKind::Cluster).reason,
            "no element crosses blocks");
  ConversionPlan warps =
      explained(row({0}, {1, 2, 3, 4, 5}, {6}), row({0}, {1, 2, 3, 6, 5}, {4}));
  EXPECT_EQ(warps.kind, ConversionKind::Shared);
  EXPECT_EQ(find(warps, ConversionKind::Shuffle).reason,
            "elements cross warps: lane bit 3 of the destination is warp bit 0 "
            "of the source");
}

TEST(ConversionReasons, LosersAreComparedByCost) {
  LinearLayout s = row({0, 1}, {2, 3, 4, 5, 6}),
               d = row({6, 1}, {2, 3, 4, 5, 0});
  const PlanAlternative shared = find(explained(s, d), ConversionKind::Shared);
  EXPECT_TRUE(shared.possible);
  EXPECT_THAT(shared.reason, HasSubstr(" slots against "));
  EXPECT_GT(shared.wavefronts, 0u);
  EXPECT_EQ(find(explained(s, d, false), ConversionKind::Shuffle).reason,
            "shuffles are not allowed");
}

TEST(ConversionReasons, PricedPlansAreNotVerified) {
  LinearLayout s = row({0, 1}, {2, 3, 4, 5, 6}),
               d = row({6, 1}, {2, 3, 4, 5, 0});
  ConversionOptions options;
  options.verify = false;
  auto plan = take(planConversion(s, d, 32, *lookupTarget("sm_90a"), options));
  EXPECT_FALSE(plan->verified);
  EXPECT_TRUE(plan->alternatives.empty());
  EXPECT_GT(plan->cost, 0);
}

/// No two bytes of a word are in one thread on both sides: one of them moves
/// less than a word at a time, and the plan says why.
TEST(ConversionReasons, NarrowAccessesNameTheirBound) {
  LinearLayout s = row({0, 1, 2, 3}, {4, 5, 6, 7, 8}, {9}),
               d = row({5, 6, 7, 8}, {0, 1, 2, 3, 9}, {4});
  auto plan = take(planConversion(s, d, 8, *lookupTarget("sm_90a")));
  ASSERT_EQ(plan->kind, ConversionKind::Shared);
  EXPECT_THAT(plan->shared.bound,
              HasSubstr("it moves 8 of the 32 bits of a bank: no two elements "
                        "share a thread on both sides"));
  auto wide = take(planConversion(s, row({0, 1, 2, 3}, {9, 5, 6, 7, 8}, {4}), 8,
                                  *lookupTarget("sm_90a")));
  ASSERT_EQ(wide->kind, ConversionKind::Shared);
  EXPECT_EQ(wide->shared.bound, "");
}
