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
#include <set>

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
  uint64_t registers = 0, lanes = 0, warps = 0, blocks = 0;

  uint64_t placesOfBlock() const { return registers * lanes * warps; }
  uint64_t places() const { return placesOfBlock() * blocks; }
  uint64_t place(uint64_t r, uint64_t l, uint64_t w = 0, uint64_t b = 0) const {
    return r + registers * (l + lanes * (w + warps * b));
  }
  uint64_t blockOf(uint64_t p) const { return p / placesOfBlock(); }
  /// register, lane, warp, block.
  llvm::SmallVector<uint64_t, 4> split(uint64_t p) const {
    return {p % registers, p / registers % lanes, p / registers / lanes % warps,
            blockOf(p)};
  }
  llvm::SmallVector<uint64_t, 4> elementAt(uint64_t p) const {
    return layout.apply(split(p));
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
  result.blocks = layout.inSize("block");
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
  unsigned lanes = random.below(4), warps = random.below(3),
           blocks = random.coin() ? 0 : random.below(3);
  if (random.coin())
    return random.distributed(outBits, lanes, warps, blocks, random.below(2))
        .sublayout({"register", "lane", "warp", "block"},
                   {"dim0", "dim1", "dim2"});
  unsigned registers =
      std::max<int>(random.below(4), bits - lanes - warps - blocks);
  while (true) {
    LinearLayout layout = random.layout({{"register", registers},
                                         {"lane", lanes},
                                         {"warp", warps},
                                         {"block", blocks}},
                                        outs);
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

/// What each block has written to its own shared memory: to one place never
/// two different values.
using Written = std::map<std::pair<uint64_t, uint64_t>, Value>;

void write(Written &memory, uint64_t block, uint64_t slot, const Value &value) {
  auto [it, isNew] = memory.try_emplace({block, slot}, value);
  ASSERT_EQ(it->second, value) << "two values in slot " << slot;
}

/// What the place `p` finds in the shared memory of its block and of those that
/// it joins.
Value joinPartials(const ReductionPlan &plan, const Case &c,
                   const Written &memory, uint64_t p) {
  uint64_t slot = plan.slots.apply(c.split(p))[0];
  uint64_t own = slot >> plan.warpBits << plan.warpBits;
  Value sum;
  for (uint64_t i = 0; i < uint64_t{1} << plan.partialBits(); ++i) {
    uint64_t block = c.blockOf(p);
    for (auto [bit, step] : llvm::enumerate(plan.blockSteps))
      block ^= (i >> (plan.warpBits + bit)) & 1 ? step : 0;
    sum = sum + memory.at({block, plan.scratch.apply({own ^ i})[0]});
  }
  return sum;
}

void checkReduction(const Case &c) {
  ReductionPlan plan = planReduction(c.layout, c.axis);
  std::vector<Value> values;
  for (uint64_t p = 0; p < c.places(); ++p)
    values.push_back({c.number(p)});
  auto step = [&](PlaceMove move) {
    std::vector<Value> next;
    uint64_t flip = c.place(move.registers, move.lanes);
    for (uint64_t p = 0; p < c.places(); ++p)
      next.push_back(values[p] + values[p ^ flip]);
    values = std::move(next);
  };
  for (uint64_t registers : plan.registerSteps)
    step({registers, 0, 0, 0});
  for (const PlaceMove &move : plan.laneSteps)
    step(move);
  Written memory;
  for (uint64_t p = 0; p < c.places(); ++p) {
    uint64_t slot = plan.slots.apply(c.split(p))[0];
    write(memory, c.blockOf(p), plan.scratch.apply({slot})[0], values[p]);
  }
  uint64_t needed = memory.size() / c.blocks;
  EXPECT_EQ(needed, plan.scratch.outSize("slot")) << "room that is not used";
  for (uint64_t p = 0; p < c.places(); ++p) {
    Value expected;
    for (uint64_t i = 0; i < 1u << c.axisBits; ++i)
      expected.push_back(c.number(p, i));
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(joinPartials(plan, c, memory, p), expected);
  }
}

/// Whether each block holds the axis of all that it holds.
bool isWithinBlocks(const Case &c) {
  std::set<std::pair<uint64_t, uint64_t>> held;
  for (uint64_t p = 0; p < c.places(); ++p)
    held.insert({c.blockOf(p), c.number(p)});
  for (uint64_t p = 0; p < c.places(); ++p)
    for (uint64_t i = 0; i < 1u << c.axisBits; ++i)
      if (!held.count({c.blockOf(p), c.number(p, i)}))
        return false;
  return true;
}

/// What every place has during a scan: all that comes up to its own element in
/// the group that is done, and the total of the group.
struct ScanState {
  std::vector<Value> sums, totals;
};

/// The totals of the neighbours of the place `p` at a step; the one at i
/// differs in the bits of i.
class Neighbours {
public:
  Neighbours(const ScanPlan &plan, const ScanPlan::Step &step, const Case &c,
             const std::vector<Value> &totals)
      : plan(plan), step(step), c(c), totals(totals) {
    if (step.isShared())
      for (uint64_t p = 0; p < c.places(); ++p)
        write(memory, c.blockOf(p), slotOf(number(p)), totals[p]);
  }

  const Value &at(uint64_t p, uint64_t distance) const {
    if (distance == 0)
      return totals[p];
    if (!step.isShared())
      return totals[p ^ c.place(step.move.registers, step.move.lanes)];
    uint64_t block = c.blockOf(p);
    for (auto [bit, blocks] : llvm::enumerate(step.blockSteps))
      block ^= (distance >> bit) & 1 ? blocks : 0;
    EXPECT_EQ(step.reach == ScanPlan::Reach::Cluster, block != c.blockOf(p));
    return memory.at({block, slotOf(number(p) ^ distance)});
  }
  /// Where the place stands among its neighbours.
  uint64_t position(uint64_t p) const {
    return number(p) & ((uint64_t{1} << step.bits) - 1);
  }
  uint64_t slotsOfBlock() const { return memory.size() / c.blocks; }
  /// Neighbours in the memory of one block are neighbours there.
  bool areContiguous() const {
    for (uint64_t i = 0; i < uint64_t{1} << step.bits; ++i)
      if (step.slots.applyFlat(i) != i)
        return false;
    return true;
  }

private:
  uint64_t number(uint64_t p) const {
    return plan.elements.apply(c.split(p))[0] >> step.firstBit;
  }
  uint64_t slotOf(uint64_t number) const {
    return step.slots.applyFlat(number);
  }

  const ScanPlan &plan;
  const ScanPlan::Step &step;
  const Case &c;
  const std::vector<Value> &totals;
  Written memory;
};

void runStep(const ScanPlan::Step &step, const Neighbours &neighbours,
             const Case &c, ScanState &state) {
  ScanState next = state;
  for (uint64_t p = 0; p < c.places(); ++p) {
    uint64_t own = neighbours.position(p);
    next.totals[p].clear();
    for (uint64_t i = 0; i < uint64_t{1} << step.bits; ++i) {
      const Value &part = neighbours.at(p, own ^ i);
      next.totals[p] = next.totals[p] + part;
      if (i < own)
        next.sums[p] = next.sums[p] + part;
    }
  }
  state = std::move(next);
}

/// Inclusive scan: each value ends with the elements up to its own.
void checkScan(const Case &c) {
  ScanPlan plan = planScan(c.layout, c.axis);
  ScanState state;
  for (uint64_t p = 0; p < c.places(); ++p)
    state.sums.push_back({c.number(p)});
  state.totals = state.sums;
  unsigned nextBit = 0;
  uint64_t nextSlot = 0;
  bool crossesBlocks = false;
  for (const ScanPlan::Step &step : plan.steps) {
    ASSERT_EQ(step.firstBit, nextBit);
    nextBit += step.bits;
    Neighbours neighbours(plan, step, c, state.totals);
    if (step.isShared()) {
      ASSERT_EQ(step.firstSlot, nextSlot);
      ASSERT_EQ(neighbours.slotsOfBlock(), step.slots.outSize("element"));
      nextSlot += neighbours.slotsOfBlock();
    }
    if (step.reach == ScanPlan::Reach::Block)
      ASSERT_TRUE(neighbours.areContiguous());
    crossesBlocks |= step.reach == ScanPlan::Reach::Cluster;
    // No more neighbours than there are memories or warps to hold them.
    ASSERT_LE(uint64_t{1} << step.bits, step.reach == ScanPlan::Reach::Cluster
                                            ? c.blocks
                                        : step.isShared() ? c.warps
                                                          : 2);
    runStep(step, neighbours, c, state);
  }
  EXPECT_EQ(nextBit, c.axisBits);
  EXPECT_EQ(nextSlot, plan.numSlots);
  ASSERT_EQ(crossesBlocks, !isWithinBlocks(c));
  for (uint64_t p = 0; p < c.places(); ++p) {
    Value expected;
    for (uint64_t i = 0; i <= c.elementAt(p)[c.axis]; ++i)
      expected.push_back(c.number(p, i));
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(state.sums[p], expected);
  }
}

/// Whether (k, index) of the reader at `p` is somewhere in its warp, or block.
bool holds(const Case &source, const Case &result, uint64_t p, uint64_t index,
           bool inBlock) {
  auto reader = result.split(p);
  auto wanted = result.elementAt(p);
  wanted[result.axis] = index;
  for (uint64_t q = 0; q < source.places(); ++q) {
    auto place = source.split(q);
    if (place[3] == reader[3] % source.blocks &&
        (inBlock || place[2] == reader[2] % source.warps) &&
        source.elementAt(q) == wanted)
      return true;
  }
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
  bool isPossible = true, isInBlock = true;
  for (uint64_t p = 0; p < result.places(); ++p)
    for (uint64_t index = 0; index < 1u << source.axisBits; ++index) {
      isPossible &= holds(source, result, p, index, /*inBlock=*/false);
      isInBlock &= holds(source, result, p, index, /*inBlock=*/true);
      if (!plan)
        continue;
      auto place = result.split(p);
      uint64_t r = place[0], l = place[1];
      auto reader = plan->ofPlace.apply(place);
      auto moved = plan->ofIndex.apply({index});
      uint64_t lane = reader[1] ^ moved[1];
      auto found = source.elementAt(
          source.place(reader[0] ^ moved[0], lane % source.lanes,
                       place[2] % source.warps, place[3] % source.blocks));
      auto wanted = result.elementAt(p);
      wanted[result.axis] = index;
      ASSERT_EQ(found, wanted);
      ASSERT_TRUE(plan->crossesLanes || lane == l);
      ASSERT_TRUE(isSumOfChoices(
          *plan, reader[0] ^ moved[0] ^ plan->ofPlace.apply({r, 0, 0, 0})[0]));
    }
  ASSERT_EQ(plan.has_value(), isPossible);
  ASSERT_EQ(gathersWithinBlocks(source.layout, result.layout, source.axis),
            isInBlock);
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
  EXPECT_EQ(plan.partialBits(), 0u);
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

/// A move may change lower bits of the axis too: here bit 1 goes with bit 0,
/// which only the other block has, and is still a shuffle.
TEST(AxisPlans, ScansMoveByLowerBitsToo) {
  LinearLayout layout = llvm::cantFail(
      LinearLayout::create({{"lane", {{3}}}, {"block", {{1}}}}, {{"dim0", 4}}));
  ScanPlan plan = planScan(layout, 0);
  ASSERT_EQ(plan.steps.size(), 2u);
  EXPECT_EQ(plan.steps[0].reach, ScanPlan::Reach::Cluster);
  EXPECT_EQ(plan.steps[1].reach, ScanPlan::Reach::Warp);
  EXPECT_EQ(plan.steps[1].move.lanes, 1u);
  EXPECT_EQ(plan.steps[1].move.blocks, 0u);
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

/// A warp gathers from rows that go through all lanes and `registers` registers
/// of each: few candidates are asked for, many go through shared memory, and
/// the more so the wider they are.
TEST(AxisPlans, GathersOfManyCandidatesGoThroughSharedMemory) {
  for (const TargetDescription &target : allTargets()) {
    auto isInWarp = [&](unsigned registerBits, unsigned elemBits) {
      LinearLayout row =
          LinearLayout::identity(1u << registerBits, "register", "dim0") *
          LinearLayout::identity(target.warpSize, "lane", "dim0");
      std::optional<GatherPlan> plan = planWarpGather(row, row, 0);
      EXPECT_EQ(plan->choices.size(), registerBits);
      return costInWarp(*plan, elemBits, target) <=
             costThroughShared(*plan, elemBits, target);
    };
    for (unsigned elemBits : {8, 16, 32}) {
      EXPECT_TRUE(isInWarp(0, elemBits)) << target.name.str();
      EXPECT_FALSE(isInWarp(5, elemBits)) << target.name.str();
      for (unsigned bits = 1; bits < 6; ++bits)
        EXPECT_LE(isInWarp(bits, elemBits), isInWarp(bits - 1, elemBits));
    }
    EXPECT_LE(isInWarp(2, 32), isInWarp(2, 16));
  }
}

} // namespace
