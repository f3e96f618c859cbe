//===- LayoutCostTest.cpp - Costs against counts by hand ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutCost.h"

#include "mirage/Layout/ConversionPlan.h"

#include "gtest/gtest.h"

using namespace mirage;
using namespace mirage::layout;
using Bases = LinearLayoutAttr::Bases;

namespace {

class LayoutCostTest : public testing::Test {
protected:
  LayoutCostTest() { context.loadDialect<LayoutDialect>(); }

  /// Tile and memory of 16-bit elements.
  static MemoryShape memory(llvm::ArrayRef<int64_t> tile,
                            llvm::ArrayRef<int64_t> extents) {
    return memoryShape(tile, tile, extents, 16);
  }
  LinearLayoutAttr layout(llvm::ArrayRef<int64_t> shape, Bases registers,
                          Bases lanes, Bases warps = {}) {
    return LinearLayoutAttr::getRegisters(&context, shape, registers, lanes,
                                          warps);
  }

  mlir::MLIRContext context;
};

const Bases fragmentLanes = {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}};

/// An accumulator of m16n8: each of its two instructions writes 16 bytes of
/// each of 8 rows, half a sector each.
TEST_F(LayoutCostTest, FragmentTouchesHalfSectors) {
  MemoryShape shape = memory({16, 8}, {16, 4096});
  LinearLayoutAttr fragment = layout({16, 8}, {{0, 1}, {8, 0}}, fragmentLanes);
  ASSERT_EQ(vectorOf(shape, fragment, 128), 2);
  MemoryTraffic traffic = countTraffic(shape, fragment, 2, /*isStore=*/true);
  EXPECT_EQ(traffic.instructions, 2);
  EXPECT_EQ(traffic.sectors, 16);
  EXPECT_EQ(traffic.partSectors, 16);
}

/// The same tile, 16 bytes a lane: 16 lanes write, half a sector each; with
/// rows of 64 elements all 32 lanes write whole sectors.
TEST_F(LayoutCostTest, WideAccesses) {
  LinearLayoutAttr narrow = layout({16, 8}, {{0, 1}, {0, 2}, {0, 4}},
                                   {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {0, 0}});
  MemoryTraffic traffic =
      countTraffic(memory({16, 8}, {16, 4096}), narrow, 8, true);
  EXPECT_EQ(traffic.instructions, 1);
  EXPECT_EQ(traffic.partSectors, 16);
  LinearLayoutAttr wide = layout({4, 64}, {{0, 1}, {0, 2}, {0, 4}},
                                 {{0, 8}, {0, 16}, {0, 32}, {1, 0}, {2, 0}});
  traffic = countTraffic(memory({4, 64}, {16, 4096}), wide, 8, true);
  EXPECT_EQ(traffic.instructions, 1);
  EXPECT_EQ(traffic.sectors, 16);
  EXPECT_EQ(traffic.partSectors, 0);
}

/// Replicas read but do not write, and rows that the memory lacks are neither.
TEST_F(LayoutCostTest, ReplicasAndMissingRows) {
  LinearLayoutAttr replicated =
      layout({16, 8}, {{0, 1}, {8, 0}}, fragmentLanes, {{0, 0}, {0, 0}});
  MemoryShape all = memory({16, 8}, {16, 4096});
  EXPECT_EQ(countTraffic(all, replicated, 2, false).sectors, 16);
  EXPECT_EQ(countTraffic(all, replicated, 2, true).sectors, 4);
  MemoryShape few = memory({16, 8}, {5, 4096});
  EXPECT_EQ(countTraffic(few, replicated, 2, false).instructions, 1);
  EXPECT_EQ(countTraffic(few, replicated, 2, false).sectors, 5);
}

/// Vectors end where rows are not aligned or the memory ends.
TEST_F(LayoutCostTest, WidestVector) {
  EXPECT_EQ(memory({16, 64}, {17, 2560}).widestVector(128), 8);
  EXPECT_EQ(memory({16, 64}, {16, 100}).widestVector(128), 4);
  EXPECT_EQ(memory({32, 64}, {33, 77}).widestVector(128), 1);
  EXPECT_EQ(memory({1, 64}, {1, 100}).widestVector(128), 4);
}

/// A product's result leaves in whole sectors: half as wide and twice as many
/// accesses cost more, whatever else is equal.
TEST_F(LayoutCostTest, WiderIsCheaper) {
  LayoutCost costs(*lookupTarget("sm_90a"), /*scratchBytes=*/1 << 16);
  MemoryShape shape = memory({16, 64}, {16, 4096});
  double last = 1e9;
  for (int64_t vector : {1, 2, 4, 8}) {
    LinearLayoutAttr candidate = blockedLayout(
        &context, {16, 64}, {1, 0}, vector, {5, 1}, /*rowsToWarps=*/false);
    double cost = costs.memoryAccess(shape, candidate, /*isStore=*/true);
    EXPECT_LT(cost, last) << vector;
    last = cost;
  }
}

/// Conversions have the price of the plan that will be emitted.
TEST_F(LayoutCostTest, ConversionsCostWhatThePlanCosts) {
  auto blocked = [&](llvm::ArrayRef<unsigned> order, BlockThreads threads) {
    return blockedLayout(&context, {32, 64}, order, 4, threads,
                         /*rowsToWarps=*/false);
  };
  for (llvm::StringRef name : {"sm_90a", "gfx942"}) {
    const TargetDescription &target = *lookupTarget(name);
    LayoutCost costs(target, /*scratchBytes=*/1 << 16);
    unsigned laneBits = llvm::Log2_32(target.warpSize);
    for (unsigned warpBits : {0, 2}) {
      LinearLayoutAttr from = blocked({1, 0}, {laneBits, warpBits});
      LinearLayoutAttr to = blocked({0, 1}, {laneBits, warpBits});
      auto plan = planConversion(from.getLinear(), to.getLinear(), 32, target);
      ASSERT_TRUE(bool(plan));
      EXPECT_EQ(costs.conversion(from, to, 32), plan->cost);
    }
    EXPECT_EQ(costs.conversion(blocked({1, 0}, {laneBits, 2}),
                               blocked({1, 0}, {laneBits, 2}), 32),
              0);
  }
}

} // namespace
