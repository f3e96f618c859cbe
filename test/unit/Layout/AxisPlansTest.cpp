//===- AxisPlansTest.cpp - Plans along an axis, executed on sets ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plan is executed as its header says, on values that are the list of the
// elements that went into them: an element that is counted twice, or not at
// all, shows.
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/AxisPlans.h"
#include "mirage/Layout/NamedLayouts.h"

#include <map>

using namespace mirage;
using namespace mirage::layout;
using mirage::testing::Random;

namespace {

/// The elements in a value, sorted; one that was counted twice is there twice.
using Value = std::vector<uint64_t>;

Value operator+(const Value &lhs, const Value &rhs) {
  Value sum(lhs);
  sum.insert(sum.end(), rhs.begin(), rhs.end());
  std::sort(sum.begin(), sum.end());
  return sum;
}

/// A tile of 2 or 3 dims in some layout, and an axis.
struct Case {
  LinearLayout layout;
  unsigned axis = 0, axisBits = 0, dims = 0;
  uint64_t registers = 0, lanes = 0, warps = 0;

  uint64_t places() const { return registers * lanes * warps; }
  uint64_t place(uint64_t r, uint64_t l, uint64_t w) const {
    return r + registers * (l + lanes * w);
  }
  llvm::SmallVector<uint64_t, 4> elementAt(uint64_t p) const {
    return layout.apply(
        {p % registers, p / registers % lanes, p / registers / lanes});
  }
  /// The element at a place as one number, row-major, and the same at another
  /// index along the axis.
  uint64_t number(uint64_t p) const { return number(p, elementAt(p)[axis]); }
  uint64_t number(uint64_t p, uint64_t index) const {
    llvm::SmallVector<uint64_t, 4> element = elementAt(p);
    element[axis] = index;
    uint64_t result = 0;
    for (unsigned d = 0; d < dims; ++d)
      result = result * layout.outSize(dimName(d)) + element[d];
    return result;
  }
};

Case describe(LinearLayout layout, unsigned axis) {
  Case result;
  result.axis = axis;
  result.axisBits = layout.outBits(dimName(axis));
  result.dims = layout.numOuts();
  result.registers = layout.inSize("register");
  result.lanes = layout.inSize("lane");
  result.warps = layout.inSize("warp");
  result.layout = std::move(layout);
  return result;
}

/// Any surjective map, or a distributed one.
LinearLayout randomLayout(Random &random, const LinearLayout::Dims &outs) {
  unsigned bits = 0;
  llvm::SmallVector<unsigned> outBits;
  for (const LabelledDim &dim : outs) {
    bits += dim.bits;
    outBits.push_back(dim.bits);
  }
  unsigned lanes = random.below(4), warps = random.below(3);
  if (random.coin())
    return random.distributed(outBits, lanes, warps, 0, random.below(2))
        .sublayout({"register", "lane", "warp"}, {"dim0", "dim1", "dim2"});
  unsigned registers = std::max<int>(random.below(4), bits - lanes - warps);
  while (true) {
    LinearLayout layout = random.layout(
        {{"register", registers}, {"lane", lanes}, {"warp", warps}}, outs);
    if (layout.isSurjective())
      return layout;
    registers = std::min(registers + 1, bits + 2);
  }
}

LinearLayout::Dims randomShape(Random &random) {
  LinearLayout::Dims outs;
  for (unsigned d = 0, e = 1 + random.below(3); d < e; ++d)
    outs.push_back({dimName(d), unsigned(random.below(d == 2 ? 2 : 4))});
  return outs;
}

Case randomCase(Random &random) {
  LinearLayout::Dims outs = randomShape(random);
  unsigned axis = random.below(outs.size());
  return describe(randomLayout(random, outs), axis);
}

uint64_t slotOf(const ReductionPlan &plan, const Case &c, uint64_t p) {
  return plan.slots.apply({p % c.registers, p / c.registers % c.lanes,
                           p / c.registers / c.lanes})[0];
}

void checkReduction(const Case &c) {
  ReductionPlan plan = planReduction(c.layout, c.axis);
  std::vector<Value> values;
  for (uint64_t p = 0; p < c.places(); ++p)
    values.push_back({c.number(p)});
  auto step = [&](PlaceMove move) {
    std::vector<Value> next;
    uint64_t flip = c.place(move.registers, move.lanes, 0);
    for (uint64_t p = 0; p < c.places(); ++p)
      next.push_back(values[p] + values[p ^ flip]);
    values = std::move(next);
  };
  for (uint64_t registers : plan.registerSteps)
    step({registers, 0, 0});
  for (const PlaceMove &move : plan.laneSteps)
    step(move);
  std::map<uint64_t, Value> slots;
  for (uint64_t p = 0; p < c.places(); ++p) {
    auto [it, isNew] = slots.try_emplace(slotOf(plan, c, p), values[p]);
    ASSERT_EQ(it->second, values[p]) << "two partial results in one slot";
  }
  for (uint64_t p = 0; p < c.places(); ++p) {
    uint64_t first = slotOf(plan, c, p) >> plan.partialBits << plan.partialBits;
    Value sum, expected;
    for (uint64_t i = 0; i < 1u << plan.partialBits; ++i)
      sum = sum + slots.at(first + i);
    for (uint64_t i = 0; i < 1u << c.axisBits; ++i)
      expected.push_back(c.number(p, i));
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(sum, expected);
  }
}

/// Inclusive scan: each value ends with the elements up to its own.
void checkScan(const Case &c) {
  ScanPlan plan = planScan(c.layout, c.axis);
  LinearLayout flat = withAxisLowest(c.layout, c.axis);
  auto element = [&](uint64_t p) {
    return flat.apply({p % c.registers, p / c.registers % c.lanes,
                       p / c.registers / c.lanes})[0];
  };
  std::vector<Value> sums, totals;
  for (uint64_t p = 0; p < c.places(); ++p) {
    sums.push_back({c.number(p)});
    totals.push_back({c.number(p)});
  }
  unsigned next = 0;
  uint64_t nextSlot = 0;
  for (const ScanPlan::Step &step : plan.steps) {
    ASSERT_EQ(step.firstBit, next);
    next += step.bits;
    std::map<uint64_t, Value> slots;
    if (step.isShared) {
      ASSERT_EQ(step.firstSlot, nextSlot);
      for (uint64_t p = 0; p < c.places(); ++p)
        slots[element(p) >> step.firstBit] = totals[p];
      nextSlot += slots.size();
    }
    std::vector<Value> newSums(sums), newTotals;
    for (uint64_t p = 0; p < c.places(); ++p) {
      uint64_t block = element(p) >> step.firstBit;
      uint64_t own = block & ((1u << step.bits) - 1);
      Value total;
      for (uint64_t i = 0; i < 1u << step.bits; ++i) {
        uint64_t flip = c.place(step.move.registers, step.move.lanes, 0);
        const Value &part = step.isShared ? slots.at(block - own + i)
                                          : totals[i == own ? p : p ^ flip];
        total = total + part;
        if (i < own)
          newSums[p] = newSums[p] + part;
      }
      newTotals.push_back(total);
    }
    sums = std::move(newSums);
    totals = std::move(newTotals);
  }
  EXPECT_EQ(next, c.axisBits);
  EXPECT_EQ(nextSlot, plan.numSlots);
  for (uint64_t p = 0; p < c.places(); ++p) {
    Value expected;
    for (uint64_t i = 0; i <= c.elementAt(p)[c.axis]; ++i)
      expected.push_back(c.number(p, i));
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(sums[p], expected);
  }
}

/// Whether (k, index) of the reader at `p` is somewhere in its warp.
bool isInWarp(const Case &source, const Case &result, uint64_t p,
              uint64_t index) {
  uint64_t warp = p / result.registers / result.lanes % source.warps;
  auto wanted = result.elementAt(p);
  wanted[result.axis] = index;
  for (uint64_t r = 0; r < source.registers; ++r)
    for (uint64_t l = 0; l < source.lanes; ++l)
      if (source.elementAt(source.place(r, l, warp)) == wanted)
        return true;
  return false;
}

bool isSumOfChoices(const GatherPlan &plan, uint64_t registers) {
  for (auto [choice, bit] : llvm::zip_equal(plan.choices, plan.leadingBits))
    if ((registers >> bit) & 1)
      registers ^= choice;
  return registers == 0;
}

void checkGather(const Case &source, const Case &result) {
  auto plan = planWarpGather(source.layout, result.layout, source.axis);
  bool isPossible = true;
  for (uint64_t p = 0; p < result.places(); ++p)
    for (uint64_t index = 0; index < 1u << source.axisBits; ++index) {
      isPossible &= isInWarp(source, result, p, index);
      if (!plan)
        continue;
      uint64_t r = p % result.registers,
               l = p / result.registers % result.lanes,
               w = p / result.registers / result.lanes;
      auto reader = plan->ofPlace.apply({r, l, w});
      auto moved = plan->ofIndex.apply({index});
      uint64_t lane = reader[1] ^ moved[1];
      auto found = source.elementAt(source.place(
          reader[0] ^ moved[0], lane % source.lanes, w % source.warps));
      auto wanted = result.elementAt(p);
      wanted[result.axis] = index;
      ASSERT_EQ(found, wanted);
      ASSERT_TRUE(plan->crossesLanes || lane == l);
      ASSERT_TRUE(isSumOfChoices(*plan, reader[0] ^ moved[0] ^
                                            plan->ofPlace.apply({r, 0, 0})[0]));
    }
  ASSERT_EQ(plan.has_value(), isPossible);
}

TEST(AxisPlans, WorkedExample) {
  LinearLayout layout = llvm::cantFail(LinearLayout::create(
      {{"register", {{0, 1}}}, {"lane", {{0, 1}, {1, 2}, {1, 0}}}},
      {{"dim0", 2}, {"dim1", 4}}));
  ReductionPlan plan = planReduction(layout, 1);
  ASSERT_EQ(plan.registerSteps.size(), 1u);
  EXPECT_EQ(plan.registerSteps[0], 1u);
  ASSERT_EQ(plan.laneSteps.size(), 1u);
  EXPECT_EQ(plan.laneSteps[0].lanes, 6u);
  EXPECT_EQ(plan.laneSteps[0].registers, 0u);
  EXPECT_EQ(plan.partialBits, 0u);
}

TEST(AxisPlans, ReductionsCountEachElementOnce) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    Case c = randomCase(random);
    SCOPED_TRACE(c.layout.toString() + ", axis " + std::to_string(c.axis) +
                 ", MIRAGE_SEED=" + std::to_string(random.seed));
    checkReduction(c);
    if (HasFatalFailure())
      return;
  }
}

TEST(AxisPlans, ScansEndAtTheirElement) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    Case c = randomCase(random);
    SCOPED_TRACE(c.layout.toString() + ", axis " + std::to_string(c.axis) +
                 ", MIRAGE_SEED=" + std::to_string(random.seed));
    checkScan(c);
    if (HasFatalFailure())
      return;
  }
}

TEST(AxisPlans, GathersStayInTheWarpIfPossible) {
  Random random;
  unsigned planned = 0;
  for (int i = 0; i < 4000; ++i) {
    Case source = randomCase(random);
    LinearLayout::Dims outs(source.layout.outDims());
    outs[source.axis].bits = random.below(4);
    Case result =
        describe(random.below(4) ? randomLayout(random, outs) : source.layout,
                 source.axis);
    SCOPED_TRACE(source.layout.toString() + " to " + result.layout.toString() +
                 ", axis " + std::to_string(source.axis) +
                 ", MIRAGE_SEED=" + std::to_string(random.seed));
    checkGather(source, result);
    if (HasFatalFailure())
      return;
    planned +=
        planWarpGather(source.layout, result.layout, source.axis).has_value();
  }
  EXPECT_GT(planned, 100u);
}

} // namespace
