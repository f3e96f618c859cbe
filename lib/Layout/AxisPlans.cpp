//===- AxisPlans.cpp - Work along one dim of a tile -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/AxisPlans.h"

#include "mirage/Layout/NamedLayouts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace mirage;
using namespace mirage::layout;

/// Place labels, nearest first: data moves rather within a thread than between
/// lanes, rather between lanes than between warps, and so on.
static constexpr StringRef placeLabels[] = {"register", "lane", "warp",
                                            "block"};

static constexpr StringRef elementLabel = "element";

LinearLayout mirage::layout::withAxisLowest(const LinearLayout &layout,
                                            unsigned axis) {
  std::string axisName = dimName(axis);
  SmallVector<std::string> names = {axisName};
  for (const LabelledDim &dim : reverse(layout.outDims()))
    if (dim.name != axisName)
      names.push_back(dim.name);
  SmallVector<StringRef> order(names.begin(), names.end());
  return layout.withIns(registerLabels())
      .transposeOuts(order)
      .flattenOuts(elementLabel)
      .sublayout(placeLabels, elementLabel);
}

LinearLayout mirage::layout::withinBlocks(const LinearLayout &map) {
  assert(map.numOuts() == 1 && "expected numbers under one label");
  const LabelledDim &number = map.outDims().front();
  SmallVector<unsigned> columns;
  for (StringRef label : {"register", "lane", "warp"})
    for (unsigned bit = 0; bit < map.inBits(label); ++bit)
      columns.push_back(map.inStart(label) + bit);
  SmallVector<unsigned, 64> rows =
      map.matrix().selectColumns(columns).transposed().pivotColumns();
  F2Matrix chosen = F2Matrix::identity(number.bits).selectRows(rows);
  return LinearLayout::fromMatrix(
      {number}, {{number.name, static_cast<unsigned>(rows.size())}}, chosen);
}

static PlaceMove &operator^=(PlaceMove &lhs, const PlaceMove &rhs) {
  lhs.registers ^= rhs.registers;
  lhs.lanes ^= rhs.lanes;
  lhs.warps ^= rhs.warps;
  lhs.blocks ^= rhs.blocks;
  return lhs;
}

namespace {

/// The place bits of a layout as moves, nearest first.
class PlaceBits {
public:
  /// `flat` as withAxisLowest gives it.
  explicit PlaceBits(const LinearLayout &flat) {
    uint64_t PlaceMove::*const parts[] = {&PlaceMove::registers,
                                          &PlaceMove::lanes, &PlaceMove::warps,
                                          &PlaceMove::blocks};
    for (auto [label, part] : zip_equal(placeLabels, parts)) {
      for (unsigned bit = 0; bit < flat.inBits(label); ++bit) {
        units.emplace_back().*part = uint64_t{1} << bit;
        columns.push_back(flat.basis(label, bit, elementLabel));
      }
      ends.push_back(columns.size());
    }
  }

  unsigned size() const { return columns.size(); }
  unsigned registerEnd() const { return ends[0]; }
  unsigned laneEnd() const { return ends[1]; }
  unsigned warpEnd() const { return ends[2]; }
  uint64_t column(unsigned bit) const { return columns[bit]; }
  ArrayRef<uint64_t> all() const { return columns; }
  /// The sum of the chosen bits.
  PlaceMove move(ArrayRef<uint64_t> chosen) const {
    PlaceMove result;
    forEach(chosen, [&](unsigned bit) { result ^= units[bit]; });
    return result;
  }
  /// How it moves the element.
  uint64_t element(ArrayRef<uint64_t> chosen) const {
    uint64_t result = 0;
    forEach(chosen, [&](unsigned bit) { result ^= columns[bit]; });
    return result;
  }

private:
  void forEach(ArrayRef<uint64_t> chosen,
               function_ref<void(unsigned)> f) const {
    for (unsigned bit = 0; bit < columns.size(); ++bit)
      if ((chosen[bit / 64] >> (bit % 64)) & 1)
        f(bit);
  }

  SmallVector<PlaceMove> units;
  SmallVector<uint64_t> columns;
  SmallVector<unsigned> ends; ///< one past the last bit of each label.
};

/// Places that hold given elements, found among the first bits only. Elements
/// are without their `dropped` low bits.
class Preimages {
public:
  Preimages(const PlaceBits &bits, unsigned end, unsigned elementBits,
            unsigned dropped = 0)
      : bits(bits), span(elementBits, std::max(end, 1u)) {
    for (uint64_t column : bits.all().take_front(end))
      span.insert(column >> dropped);
  }
  std::optional<PlaceMove> of(uint64_t element) const {
    F2Vector chosen;
    if (!span.contains(element, &chosen))
      return std::nullopt;
    chosen.resize(std::max<size_t>(chosen.size(), (bits.size() + 63) / 64), 0);
    return bits.move(chosen);
  }

private:
  const PlaceBits &bits;
  F2Span span;
};

} // namespace

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Calls `use` for moves, nearest first, that are a basis of the axis.
static void
forEachAxisMove(const PlaceBits &bits, unsigned axisBits, unsigned elementBits,
                function_ref<void(const PlaceMove &, uint64_t)> use) {
  SmallVector<uint64_t> kept;
  for (uint64_t column : bits.all())
    kept.push_back(column >> axisBits);
  // Each vector of the kernel has one bit that is its last: in the order of
  // the vectors, registers come before lanes, lanes before warps, and warps
  // before blocks.
  F2Matrix kernel =
      F2Matrix::fromColumns(elementBits - axisBits, kept).kernel();
  F2Span span(axisBits, kernel.cols());
  for (unsigned i = 0; i < kernel.cols(); ++i) {
    uint64_t element = bits.element(kernel.column(i));
    if (span.insert(element))
      use(bits.move(kernel.column(i)), element);
  }
}

/// Which partial result an element belongs to: a map of the axis that is zero
/// on the first `done` of the moves (a basis of the axis) and numbers the rest.
static F2Matrix numberPartials(ArrayRef<uint64_t> moves, unsigned done) {
  unsigned axisBits = moves.size();
  std::optional<F2Matrix> inverse =
      F2Matrix::fromColumns(axisBits, moves).inverse();
  assert(inverse && "moves must be a basis of the axis");
  SmallVector<unsigned> rows;
  for (unsigned row = done; row < axisBits; ++row)
    rows.push_back(row);
  return inverse->selectRows(rows);
}

/// element -> element without the axis, and lowest the number of its partial.
static LinearLayout makeSlots(const LinearLayout &flat, unsigned axisBits,
                              const F2Matrix &partials) {
  unsigned partialBits = partials.rows();
  unsigned elementBits = flat.totalOutBits();
  SmallVector<uint64_t> columns;
  for (unsigned bit = 0; bit < axisBits; ++bit)
    columns.push_back(partialBits ? partials.column(bit)[0] : 0);
  for (unsigned bit = axisBits; bit < elementBits; ++bit)
    columns.push_back(uint64_t{1} << (bit - axisBits + partialBits));
  unsigned slotBits = elementBits - axisBits + partialBits;
  LinearLayout toSlot = LinearLayout::fromMatrix(
      {{elementLabel.str(), elementBits}}, {{"slot", slotBits}},
      F2Matrix::fromColumns(slotBits, columns));
  return cantFail(flat.compose(toSlot));
}

ReductionPlan mirage::layout::planReduction(const LinearLayout &layout,
                                            unsigned axis) {
  LinearLayout flat = withAxisLowest(layout, axis);
  unsigned axisBits = layout.outBits(dimName(axis));
  PlaceBits bits(flat);
  ReductionPlan plan;
  SmallVector<uint64_t> moves;
  auto addMove = [&](const PlaceMove &move, uint64_t element) {
    moves.push_back(element);
    if (move.blocks)
      plan.blockSteps.push_back(move.blocks);
    else if (move.warps)
      ++plan.warpBits;
    else if (move.lanes)
      plan.laneSteps.push_back(move);
    else
      plan.registerSteps.push_back(move.registers);
  };
  forEachAxisMove(bits, axisBits, flat.totalOutBits(), addMove);
  plan.slots = makeSlots(flat, axisBits,
                         numberPartials(moves, axisBits - plan.partialBits()));
  plan.scratch = withinBlocks(plan.slots);
  return plan;
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

ScanPlan::Reach ScanPlan::lastShared() const {
  for (const Step &step : reverse(steps))
    if (step.isShared())
      return step.reach;
  return Reach::Warp;
}

namespace {

class ScanPlanner {
public:
  ScanPlanner(const LinearLayout &layout, unsigned axis)
      : axisBits(layout.outBits(dimName(axis))),
        flat(withAxisLowest(layout, axis)), bits(flat) {}

  ScanPlan run() {
    plan.elements = flat;
    for (unsigned bit = 0; bit < axisBits; ++bit)
      if (!extendLast(bit))
        append(bit);
    return std::move(plan);
  }

private:
  using Reach = ScanPlan::Reach;

  /// What the bits of a place before `end` do to an element without its low
  /// bits.
  Preimages within(unsigned end, unsigned dropped) const {
    return Preimages(bits, end, flat.totalOutBits(), dropped);
  }

  /// The nearest move by `bit` and lower bits that stays in a warp.
  std::optional<PlaceMove> moveInWarp(unsigned bit) const {
    for (unsigned end : {bits.registerEnd(), bits.laneEnd()})
      if (std::optional<PlaceMove> move = within(end, bit).of(1))
        return move;
    return std::nullopt;
  }
  Reach reachOf(unsigned bit) const {
    if (moveInWarp(bit))
      return Reach::Warp;
    return within(bits.warpEnd(), bit).of(1) ? Reach::Block : Reach::Cluster;
  }
  /// By which block the neighbour is further that differs in `bit`, and in any
  /// bits below `firstBit`.
  uint64_t blockStep(unsigned bit, unsigned firstBit) const {
    // A layout is surjective: some place holds it.
    return within(bits.size(), firstBit)
        .of(uint64_t{1} << (bit - firstBit))
        ->blocks;
  }

  /// Adds `bit` to the last step, if that goes through the same memory.
  bool extendLast(unsigned bit) {
    if (plan.steps.empty() || !plan.steps.back().isShared())
      return false;
    ScanPlan::Step &last = plan.steps.back();
    if (reachOf(bit) != last.reach)
      return false;
    // What the last step reads are totals of its own first bit.
    bool inBlock = within(bits.warpEnd(), last.firstBit)
                       .of(uint64_t{1} << (bit - last.firstBit))
                       .has_value();
    if (last.reach == Reach::Block && !inBlock)
      return false;
    if (last.reach == Reach::Cluster)
      last.blockSteps.push_back(blockStep(bit, last.firstBit));
    ++last.bits;
    return true;
  }

  void append(unsigned bit) {
    ScanPlan::Step &step = plan.steps.emplace_back();
    step.firstBit = bit;
    step.reach = reachOf(bit);
    if (!step.isShared()) {
      step.move = *moveInWarp(bit);
      return;
    }
    if (step.reach == Reach::Cluster)
      step.blockSteps.push_back(blockStep(bit, bit));
    step.slots = withinBlocks(withoutLowBits(bit));
    step.firstSlot = plan.numSlots;
    plan.numSlots += uint64_t{1} << step.slots.totalOutBits();
  }

  /// The elements of places without their low bits.
  LinearLayout withoutLowBits(unsigned dropped) const {
    unsigned elementBits = flat.totalOutBits();
    SmallVector<unsigned> rows = to_vector(seq(dropped, elementBits));
    return LinearLayout::fromMatrix(
        LinearLayout::Dims(flat.inDims()),
        {{elementLabel.str(), elementBits - dropped}},
        flat.matrix().selectRows(rows));
  }

  unsigned axisBits;
  LinearLayout flat;
  PlaceBits bits;
  ScanPlan plan;
};

} // namespace

ScanPlan mirage::layout::planScan(const LinearLayout &layout, unsigned axis) {
  return ScanPlanner(layout, axis).run();
}

//===----------------------------------------------------------------------===//
// Gathers
//===----------------------------------------------------------------------===//

/// Whether each block holds all of the axis with each of its elements.
static bool isWithinBlocks(const PlaceBits &bits, unsigned axisBits,
                           unsigned elementBits) {
  Preimages inBlock(bits, bits.warpEnd(), elementBits);
  return all_of(seq(0u, axisBits), [&](unsigned bit) {
    return inBlock.of(uint64_t{1} << bit).has_value();
  });
}

namespace {

/// A linear map to (register, lane), built column by column.
class SourceMap {
public:
  SourceMap(const LinearLayout &source)
      : registerBits(source.inBits("register")),
        laneBits(source.inBits("lane")) {}

  void append(PlaceMove move) {
    columns.push_back(move.registers | move.lanes << registerBits);
  }
  LinearLayout finish(LinearLayout::Dims ins) const {
    unsigned rows = registerBits + laneBits;
    return LinearLayout::fromMatrix(
        std::move(ins), {{"register", registerBits}, {"lane", laneBits}},
        F2Matrix::fromColumns(rows, columns));
  }

private:
  unsigned registerBits, laneBits;
  SmallVector<uint64_t> columns;
};

class GatherPlanner {
public:
  GatherPlanner(const LinearLayout &source, const LinearLayout &result,
                unsigned axis)
      : source(withAxisLowest(source, axis)),
        result(withAxisLowest(result, axis)),
        sourceAxis(source.outBits(dimName(axis))),
        resultAxis(result.outBits(dimName(axis))), bits(this->source),
        inThread(bits, bits.registerEnd(), this->source.totalOutBits()),
        inWarp(bits, bits.laneEnd(), this->source.totalOutBits()) {}

  bool staysInBlocks() const {
    Preimages inBlock(bits, bits.warpEnd(), source.totalOutBits());
    for (StringRef label : placeLabels)
      for (unsigned bit = 0; bit < result.inBits(label); ++bit) {
        uint64_t own = label == "block" ? elementAt(label, bit) : 0;
        if (!inBlock.of(wantedAt(label, bit) ^ own))
          return false;
      }
    return isWithinBlocks(bits, sourceAxis, source.totalOutBits());
  }

  std::optional<GatherPlan> run() {
    // Lanes that the source does not have hold replicas of the others.
    LinearLayout padded = source.padInWithZeros(
        "lane", std::max(source.inBits("lane"), result.inBits("lane")));
    SourceMap ofPlace(padded), ofIndex(padded);
    GatherPlan plan;
    for (StringRef label : placeLabels)
      for (unsigned bit = 0; bit < result.inBits(label); ++bit) {
        std::optional<PlaceMove> move = placeFor(label, bit);
        if (!move)
          return std::nullopt;
        plan.crossesLanes |= move->lanes != ownLane(label, bit);
        ofPlace.append(*move);
      }
    for (unsigned bit = 0; bit < sourceAxis; ++bit) {
      std::optional<PlaceMove> move = nearest(uint64_t{1} << bit);
      if (!move)
        return std::nullopt;
      plan.crossesLanes |= move->lanes != 0;
      ofIndex.append(*move);
    }
    plan.ofPlace = ofPlace.finish(LinearLayout::Dims(result.inDims()));
    plan.ofIndex = ofIndex.finish({{"index", sourceAxis}});
    addChoices(plan);
    return plan;
  }

private:
  static uint64_t ownLane(StringRef label, unsigned bit) {
    return label == "lane" ? uint64_t{1} << bit : 0;
  }

  uint64_t elementAt(StringRef label, unsigned bit) const {
    return bit < source.inBits(label) ? source.basis(label, bit, elementLabel)
                                      : 0;
  }

  /// What the reader at this bit finds at index 0 of its row.
  uint64_t wantedAt(StringRef label, unsigned bit) const {
    uint64_t row = result.basis(label, bit, elementLabel) >> resultAxis;
    return row << sourceAxis;
  }

  /// The place in a warp of the source whose element is `element`.
  std::optional<PlaceMove> nearest(uint64_t element) const {
    if (std::optional<PlaceMove> move = inThread.of(element))
      return move;
    return inWarp.of(element);
  }

  /// Where the reader at this bit finds the element of its row with index 0:
  /// in its own lane if possible, surely in its own warp.
  std::optional<PlaceMove> placeFor(StringRef label, unsigned bit) const {
    uint64_t wanted = wantedAt(label, bit);
    if (label == "warp" || label == "block")
      return nearest(wanted ^ elementAt(label, bit));
    if (label == "lane")
      if (std::optional<PlaceMove> move =
              inThread.of(wanted ^ elementAt(label, bit))) {
        move->lanes ^= ownLane(label, bit);
        return move;
      }
    return nearest(wanted);
  }

  /// The registers that any thread and any index may add, in reduced echelon
  /// form.
  static void addChoices(GatherPlan &plan) {
    SmallVector<uint64_t> vectors;
    auto collect = [&](const LinearLayout &map, StringRef label) {
      for (unsigned bit = 0; bit < map.inBits(label); ++bit)
        vectors.push_back(map.basis(label, bit, "register"));
    };
    collect(plan.ofPlace, "lane");
    collect(plan.ofPlace, "warp");
    collect(plan.ofPlace, "block");
    collect(plan.ofIndex, "index");
    for (uint64_t vector : vectors) {
      for (auto [choice, bit] : zip_equal(plan.choices, plan.leadingBits))
        if ((vector >> bit) & 1)
          vector ^= choice;
      if (!vector)
        continue;
      unsigned leading = Log2_64(vector);
      for (uint64_t &choice : plan.choices)
        if ((choice >> leading) & 1)
          choice ^= vector;
      plan.choices.push_back(vector);
      plan.leadingBits.push_back(leading);
    }
  }

  LinearLayout source, result;
  unsigned sourceAxis, resultAxis;
  PlaceBits bits;
  Preimages inThread, inWarp;
};

} // namespace

std::optional<GatherPlan>
mirage::layout::planWarpGather(const LinearLayout &source,
                               const LinearLayout &result, unsigned axis) {
  return GatherPlanner(source, result, axis).run();
}

bool mirage::layout::gathersWithinBlocks(const LinearLayout &source,
                                         const LinearLayout &result,
                                         unsigned axis) {
  return GatherPlanner(source, result, axis).staysInBlocks();
}
