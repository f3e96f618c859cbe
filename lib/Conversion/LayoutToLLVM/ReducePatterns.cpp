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
//
//===----------------------------------------------------------------------===//

#include "AxisEmitter.h"
#include "SharedEmitter.h"

#include "mirage/Layout/AxisPlans.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

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

  /// The registers of the result.
  SmallVector<Value> run(ValueRange registers) {
    combineRegisters(registers);
    if (std::optional<ClassValues> reduced = reduceWarps())
      values = std::move(*reduced);
    else
      combineLanes();
    if (plan.partialBits())
      combineWarps();
    return results();
  }

private:
  void combineRegisters(ValueRange registers) {
    for (unsigned r = 0; r < registers.size(); ++r) {
      Value &value = values[slots.ofRegister(r)];
      if (value)
        continue;
      SmallVector<unsigned> members = {r};
      for (uint64_t step : plan.registerSteps)
        for (unsigned i = 0, e = members.size(); i < e; ++i)
          members.push_back(members[i] ^ step);
      SmallVector<Value> parts;
      for (unsigned member : members)
        parts.push_back(combiner.widen(registers[member]));
      value = combiner.combineAll(std::move(parts));
    }
  }

  /// One instruction for all butterflies, where lanes alone move along the axis
  /// and all of them do.
  std::optional<ClassValues> reduceWarps() {
    if (plan.laneSteps.size() != block.laneBits ||
        llvm::any_of(plan.laneSteps, [&](const PlaceMove &move) {
          return slots.ofRegister(move.registers) != 0;
        }))
      return std::nullopt;
    ClassValues reduced;
    for (auto &[slot, value] : values) {
      reduced[slot] = instructions.reduceWarp(b, op.getKind(), value);
      if (!reduced[slot])
        return std::nullopt;
    }
    return reduced;
  }

  void combineLanes() {
    for (const PlaceMove &move : plan.laneSteps) {
      ClassValues next;
      uint64_t otherClass = slots.ofRegister(move.registers);
      for (auto &[slot, value] : values)
        next[slot] = combiner.combine(
            value, instructions.shuffleXor(b, values.lookup(slot ^ otherClass),
                                           move.lanes));
      values = std::move(next);
    }
  }

  void combineWarps() {
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    Value base = sharedPointer(b, offset);
    LinearLayout places = llvm::cantFail(plan.slots.compose(plan.scratch));
    SlotEmitter shared(b, threads, block, base,
                       componentMap(places, "slot", block));
    ClassValues stored;
    for (auto &[slot, value] : values)
      stored[plan.scratch.applyFlat(slot)] = value;
    shared.store(stored);
    bool crossesBlocks = !plan.blockSteps.empty();
    barrier(crossesBlocks);
    SmallVector<Value> bases = basesOfBlocks(base);
    MapEmitter numbers = shared.numbers(plan.warpBits);
    for (auto &[slot, value] : values)
      value = combiner.combineAll(loadPartials(shared, numbers, bases, slot));
    // No block may leave, or use its scratch again, while others read it.
    if (crossesBlocks)
      barrier(/*ofCluster=*/true);
  }

  void barrier(bool ofCluster) {
    ofCluster ? instructions.clusterBarrier(b) : instructions.blockBarrier(b);
  }

  /// The scratch of this block and of those that it joins, in the order of the
  /// numbers of their partial results.
  SmallVector<Value> basesOfBlocks(Value own) {
    SmallVector<Value> bases = {own};
    SmallVector<uint64_t> distances = {0};
    for (uint64_t step : plan.blockSteps)
      for (unsigned i = 0, e = distances.size(); i < e; ++i) {
        distances.push_back(distances[i] ^ step);
        Value rank = LLVM::XOrOp::create(b, instructions.blockInCluster(b),
                                         constantI32(b, distances.back()));
        bases.push_back(instructions.mapToBlock(b, own, rank));
      }
    return bases;
  }

  SmallVector<Value> loadPartials(SlotEmitter &shared, MapEmitter &numbers,
                                  ArrayRef<Value> bases, uint64_t slot) {
    SmallVector<Value> parts;
    for (auto [index, base] : llvm::enumerate(bases)) {
      uint64_t first = (slot >> plan.warpBits ^ index) << plan.warpBits;
      llvm::append_range(
          parts, shared.load(numbers, plan.scratch.applyFlat(first),
                             1u << plan.warpBits, combiner.type(), base));
    }
    return parts;
  }

  SmallVector<Value> results() {
    llvm::DenseMap<uint64_t, Value> byElement;
    for (auto &[slot, value] : values)
      byElement[slot >> plan.partialBits()] = combiner.narrow(value);
    ThreadMap places = flatMap(getLayout(op.getType()), block);
    SmallVector<Value> registers;
    for (unsigned r = 0; r < places.numRegisters(); ++r)
      registers.push_back(byElement.lookup(places.ofRegister(r)));
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
  ClassValues values;
};

struct ReducePattern final : TilePattern<ReduceOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ReduceOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    ReduceEmitter emitter(b, op, instructions, blockShape(op));
    rewriter.replaceOpWithMultiple(op, {emitter.run(adaptor.getValue())});
    return success();
  }
};

} // namespace

void mirage::populateReducePatterns(RewritePatternSet &patterns,
                                    const TypeConverter &converter,
                                    const TargetInstructions &instructions) {
  patterns.add<ReducePattern>(converter, patterns.getContext(), instructions);
}
