//===- ReducePatterns.cpp - Reductions along a dim ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits a ReductionPlan: registers as a tree, lanes by butterflies (or by one
// instruction where the target has it), warps through shared memory, blocks
// through that of each other. All replicas of a result are equal to the bit.
// Where the greatest or least element is looked for, its index goes with it.
//
//===----------------------------------------------------------------------===//

#include "AxisEmitter.h"
#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// A partial result: a value, and where it stands if the reduction asks for
/// that.
struct Partial {
  Value value, index;
};

/// A class of registers is named by the slot of its partial result.
class ReduceEmitter {
public:
  ReduceEmitter(ImplicitLocOpBuilder &b, ReduceOp op,
                const TargetInstructions &instructions, BlockShape block)
      : b(b), op(op), instructions(instructions), block(block),
        threads(b, instructions),
        combiner(b, op.getKind(),
                 getElementTypeOrSelf(op.getValue().getType())),
        plan(planReduction(getLayout(op.getValue().getType()).getLinear(),
                           op.getAxis())),
        slots(componentMap(plan.slots, "slot", block)) {}

  /// The registers of the results.
  SmallVector<SmallVector<Value>> run(ValueRange registers) {
    combineRegisters(registers);
    if (reducesByInstruction(op, plan, slots, block, instructions))
      reduceWarps();
    else
      combineLanes();
    if (plan.partialBits())
      combineWarps();
    return results();
  }

private:
  using Partials = llvm::MapVector<uint64_t, Partial>;

  bool hasIndex() { return op.getIndex() != nullptr; }

  //===--------------------------------------------------------------------===//
  // Combining
  //===--------------------------------------------------------------------===//

  Partial combine(Partial x, Partial y) {
    if (!hasIndex())
      return {combiner.combine(x.value, y.value), {}};
    Value second = combiner.prefersSecond(x.value, x.index, y.value, y.index);
    return {arith::SelectOp::create(b, second, y.value, x.value),
            arith::SelectOp::create(b, second, y.index, x.index)};
  }
  Partial combineAll(SmallVector<Partial> parts) {
    return combineBalanced(std::move(parts),
                           [&](Partial x, Partial y) { return combine(x, y); });
  }

  //===--------------------------------------------------------------------===//
  // Within a warp
  //===--------------------------------------------------------------------===//

  void combineRegisters(ValueRange registers) {
    ThreadMap axis =
        dimMap(getLayout(op.getValue().getType()), op.getAxis(), block);
    std::optional<MapEmitter> indices;
    if (hasIndex())
      indices.emplace(b, threads, axis);
    for (unsigned r = 0; r < registers.size(); ++r) {
      Partial &partial = partials[slots.ofRegister(r)];
      if (partial.value)
        continue;
      SmallVector<unsigned> members = {r};
      for (uint64_t step : plan.registerSteps)
        for (unsigned i = 0, e = members.size(); i < e; ++i)
          members.push_back(members[i] ^ step);
      SmallVector<Partial> parts;
      for (unsigned member : members)
        parts.push_back(
            {combiner.widen(registers[member]),
             indices ? indices->valueOf(axis.ofRegister(member)) : Value()});
      partial = combineAll(std::move(parts));
    }
  }

  /// One instruction for all butterflies.
  void reduceWarps() {
    for (auto &[slot, partial] : partials)
      partial.value = instructions.reduceWarp(b, op.getKind(), partial.value);
  }

  void combineLanes() {
    for (const PlaceMove &move : plan.laneSteps) {
      Partials next;
      uint64_t otherClass = slots.ofRegister(move.registers);
      for (auto &[slot, partial] : partials)
        next[slot] = combine(
            partial, shuffle(partials.lookup(slot ^ otherClass), move.lanes));
      partials = std::move(next);
    }
  }

  Partial shuffle(Partial partial, uint64_t lanes) {
    partial.value = instructions.shuffleXor(b, partial.value, lanes);
    if (hasIndex())
      partial.index = instructions.shuffleXor(b, partial.index, lanes);
    return partial;
  }

  //===--------------------------------------------------------------------===//
  // Between warps and blocks
  //===--------------------------------------------------------------------===//

  void combineWarps() {
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    SharedPart values(*this, offset, combiner.type());
    std::optional<SharedPart> indices;
    if (hasIndex())
      indices.emplace(*this, offset + reduceRegionBytes(plan), b.getI32Type());
    values.store(partials, &Partial::value);
    if (indices)
      indices->store(partials, &Partial::index);
    bool crossesBlocks = !plan.blockSteps.empty();
    barrier(crossesBlocks);
    for (auto &[slot, partial] : partials) {
      SmallVector<Partial> parts(size_t{1} << plan.partialBits());
      values.load(slot, parts, &Partial::value);
      if (indices)
        indices->load(slot, parts, &Partial::index);
      partial = combineAll(std::move(parts));
    }
    // No block may leave, or use its scratch again, while others read it.
    if (crossesBlocks)
      barrier(/*ofCluster=*/true);
  }

  void barrier(bool ofCluster) {
    ofCluster ? instructions.clusterBarrier(b) : instructions.blockBarrier(b);
  }

  /// The values, or the indices, of the partial results in shared memory.
  class SharedPart {
  public:
    SharedPart(ReduceEmitter &parent, int64_t offset, Type type)
        : parent(parent), plan(parent.plan), type(type),
          own(sharedPointer(parent.b, offset)),
          shared(parent.b, parent.threads, parent.block, own,
                 componentMap(llvm::cantFail(plan.slots.compose(plan.scratch)),
                              "slot", parent.block)) {}

    void store(const Partials &partials, Value Partial::*part) {
      ClassValues stored;
      for (auto &[slot, partial] : partials)
        stored[plan.scratch.applyFlat(slot)] = partial.*part;
      shared.store(stored);
    }

    /// Those of the element of the result that `slot` belongs to.
    void load(uint64_t slot, MutableArrayRef<Partial> parts,
              Value Partial::*part) {
      if (bases.empty())
        findBases();
      size_t next = 0;
      for (auto [index, base] : llvm::enumerate(bases)) {
        uint64_t first = (slot >> plan.warpBits ^ index) << plan.warpBits;
        for (Value value : shared.load(*numbers, plan.scratch.applyFlat(first),
                                       1u << plan.warpBits, type, base))
          parts[next++].*part = value;
      }
    }

  private:
    /// The region in this block and in those that it joins, in the order of
    /// the numbers of their partial results.
    void findBases() {
      ImplicitLocOpBuilder &b = parent.b;
      numbers.emplace(shared.numbers(plan.warpBits));
      bases = {own};
      SmallVector<uint64_t> distances = {0};
      for (uint64_t step : plan.blockSteps)
        for (unsigned i = 0, e = distances.size(); i < e; ++i) {
          distances.push_back(distances[i] ^ step);
          Value rank =
              LLVM::XOrOp::create(b, parent.instructions.blockInCluster(b),
                                  constantI32(b, distances.back()));
          bases.push_back(parent.instructions.mapToBlock(b, own, rank));
        }
    }

    ReduceEmitter &parent;
    const ReductionPlan &plan;
    Type type;
    Value own;
    SlotEmitter shared;
    std::optional<MapEmitter> numbers;
    SmallVector<Value> bases;
  };

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  SmallVector<SmallVector<Value>> results() {
    llvm::DenseMap<uint64_t, Partial> byElement;
    for (auto &[slot, partial] : partials)
      byElement[slot >> plan.partialBits()] = {combiner.narrow(partial.value),
                                               partial.index};
    ThreadMap places = flatMap(getLayout(op.getResult().getType()), block);
    SmallVector<SmallVector<Value>> registers(hasIndex() ? 2 : 1);
    for (unsigned r = 0; r < places.numRegisters(); ++r) {
      Partial partial = byElement.lookup(places.ofRegister(r));
      registers[0].push_back(partial.value);
      if (hasIndex())
        registers[1].push_back(partial.index);
    }
    return registers;
  }

  ImplicitLocOpBuilder &b;
  ReduceOp op;
  const TargetInstructions &instructions;
  BlockShape block;
  ThreadEmitter threads;
  Combiner combiner;
  ReductionPlan plan;
  ThreadMap slots;
  Partials partials;
};

struct ReducePattern final : TilePattern<ReduceOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ReduceOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    ReduceEmitter emitter(b, op, instructions, blockShape(op));
    rewriter.replaceOpWithMultiple(op, emitter.run(adaptor.getValue()));
    return success();
  }
};

} // namespace

void mirage::populateReducePatterns(RewritePatternSet &patterns,
                                    const TypeConverter &converter,
                                    const TargetInstructions &instructions) {
  patterns.add<ReducePattern>(converter, patterns.getContext(), instructions);
}
