//===- ScanPatterns.cpp - Scans along a dim -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits a ScanPlan. After the step for axis bit i each register has the scan
// within its aligned group of 2^(i+1) neighbours, and each class of registers
// (those whose elements differ in the bits up to i only) the total of the
// group.
//
//===----------------------------------------------------------------------===//

#include "AxisEmitter.h"
#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// A class of registers is named by its elements without the axis bits that
/// are done.
class ScanEmitter {
public:
  ScanEmitter(ImplicitLocOpBuilder &b, ScanOp op,
              const TargetInstructions &instructions, BlockShape block)
      : b(b), op(op), instructions(instructions), block(block),
        threads(b, instructions),
        combiner(b, op.getKind(), getElementTypeOrSelf(op.getType())),
        plan(planScan(op)),
        elements(componentMap(plan.elements, "element", block)) {}

  SmallVector<Value> run(ValueRange registers) {
    SmallVector<unsigned> canonical = canonicalRegisters(elements);
    for (unsigned r = 0; r < registers.size(); ++r) {
      if (canonical[r] != r)
        continue;
      Value value = combiner.widen(registers[r]);
      totals[classOf(r, 0)] = value;
      sums[r] = op.getExclusive() ? Value() : value;
    }
    for (const ScanPlan::Step &step : plan.steps)
      emitStep(step);
    SmallVector<Value> results;
    for (unsigned r : canonical) {
      Value &sum = sums[r];
      results.push_back(combiner.narrow(sum ? sum : combiner.neutral()));
    }
    return results;
  }

private:
  /// `element` without its low bits.
  static uint64_t clear(uint64_t element, unsigned bits) {
    return element >> bits << bits;
  }
  uint64_t classOf(unsigned r, unsigned doneBits) const {
    return clear(elements.ofRegister(r), doneBits);
  }

  //===--------------------------------------------------------------------===//
  // Position along the axis
  //===--------------------------------------------------------------------===//

  /// Picks `set` where bit `bit` of the element of class or register `element`
  /// is set in the running thread.
  Value select(unsigned bit, uint64_t element, Value set, Value unset) {
    if ((element >> bit) & 1)
      std::swap(set, unset);
    uint64_t mask = 0;
    for (auto [index, basis] : llvm::enumerate(elements.threads))
      mask |= ((basis >> bit) & 1) << index;
    if (!mask)
      return unset;
    Value &condition = conditions[mask];
    if (!condition)
      condition = threads.isOdd(mask);
    return LLVM::SelectOp::create(b, condition, set, unset);
  }
  /// The same where null stands for the neutral element.
  Value selectOrNeutral(unsigned bit, uint64_t element, Value set,
                        Value unset) {
    if (!set && !unset)
      return {};
    auto orNeutral = [&](Value value) {
      return value ? value : combiner.neutral();
    };
    return select(bit, element, orNeutral(set), orNeutral(unset));
  }

  /// `before`, a total of the other half, joined to the sum of register r where
  /// that half comes first.
  void precede(unsigned r, unsigned bit, Value before) {
    Value &sum = sums[r];
    Value joined = sum ? combiner.combine(before, sum) : before;
    bool reverse = op.getReverse();
    sum = selectOrNeutral(bit, elements.ofRegister(r), reverse ? sum : joined,
                          reverse ? joined : sum);
  }

  //===--------------------------------------------------------------------===//
  // Steps
  //===--------------------------------------------------------------------===//

  void emitStep(const ScanPlan::Step &step) {
    switch (step.reach) {
    case ScanPlan::Reach::Warp:
      return withinWarp(step);
    case ScanPlan::Reach::Block:
      return acrossWarps(step);
    case ScanPlan::Reach::Cluster:
      return acrossBlocks(step);
    }
  }

  void withinWarp(const ScanPlan::Step &step) {
    unsigned bit = step.firstBit;
    uint64_t moved = classOf(step.move.registers, bit);
    ClassValues others, next;
    for (auto &[name, total] : totals) {
      Value other = totals.lookup(name ^ moved);
      if (step.move.lanes)
        other = instructions.shuffleXor(b, other, step.move.lanes);
      others[name] = other;
      next.try_emplace(clear(name, bit + 1), combiner.combine(total, other));
    }
    for (auto &[r, sum] : sums)
      precede(r, bit, others.lookup(classOf(r, bit)));
    totals = std::move(next);
  }

  /// The step's part of the scratch.
  Value scratch(const ScanPlan::Step &step) {
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    return sharedPointer(b, offset + step.firstSlot * accumulatorBytes);
  }
  /// The slots of the step, which places write.
  SlotEmitter slots(const ScanPlan::Step &step, Value base) {
    return SlotEmitter(b, threads, block, base, scanSlots(elements, step));
  }
  uint64_t slotOf(const ScanPlan::Step &step, uint64_t name) const {
    return step.slots.applyFlat(name >> step.firstBit);
  }
  void storeTotals(const ScanPlan::Step &step, SlotEmitter &shared) {
    ClassValues stored;
    for (auto &[name, total] : totals)
      stored[slotOf(step, name)] = total;
    shared.store(stored);
  }

  /// All neighbours' totals are read; each thread finds its own place among
  /// them.
  void acrossWarps(const ScanPlan::Step &step) {
    unsigned bit = step.firstBit, count = 1u << step.bits;
    SlotEmitter shared = slots(step, scratch(step));
    storeTotals(step, shared);
    instructions.blockBarrier(b);
    MapEmitter numbers = shared.numbers(step.bits);
    llvm::DenseMap<uint64_t, SmallVector<Value>> neighbours;
    ClassValues next, before;
    for (auto &[name, total] : totals) {
      uint64_t first = clear(name, bit + step.bits);
      Value &all = next[first];
      if (!all) {
        neighbours[first] =
            shared.load(numbers, slotOf(step, first), count, combiner.type());
        all = combiner.combineAll(neighbours[first]);
      }
      before[name] = totalBefore(step, name, neighbours[first]);
    }
    for (auto &[r, sum] : sums) {
      Value first = before.lookup(classOf(r, bit));
      if (first)
        sum = sum ? combiner.combine(first, sum) : first;
    }
    totals = std::move(next);
  }

  /// What comes before the class `name` among the parts of its group; null for
  /// the neutral element.
  Value totalBefore(const ScanPlan::Step &step, uint64_t name,
                    ArrayRef<Value> parts) {
    SmallVector<Value> prefixes(parts.size());
    Value sum;
    for (size_t i = 0; i < parts.size(); ++i) {
      size_t at = op.getReverse() ? parts.size() - 1 - i : i;
      prefixes[at] = sum;
      sum = sum ? combiner.combine(sum, parts[at]) : parts[at];
    }
    for (unsigned bit = step.firstBit; prefixes.size() > 1; ++bit) {
      SmallVector<Value> half;
      for (size_t i = 0; i < prefixes.size(); i += 2)
        half.push_back(
            selectOrNeutral(bit, name, prefixes[i + 1], prefixes[i]));
      prefixes = std::move(half);
    }
    return prefixes.front();
  }

  //===--------------------------------------------------------------------===//
  // Between blocks
  //===--------------------------------------------------------------------===//

  /// A thread reads the totals of the other blocks by their distance along the
  /// axis, and joins them bit by bit as within a warp. Nobody stores to this
  /// part of the scratch again, or leaves, before all have read.
  void acrossBlocks(const ScanPlan::Step &step) {
    Value own = scratch(step);
    SlotEmitter shared = slots(step, own);
    storeTotals(step, shared);
    instructions.clusterBarrier(b);
    ClassParts parts = readBlocks(step, shared, own);
    instructions.clusterBarrier(b);
    for (unsigned i = 0; i < step.bits; ++i) {
      for (auto &[r, sum] : sums)
        precede(r, step.firstBit + i,
                parts.find(classOf(r, step.firstBit))->second[1]);
      for (auto &[name, distances] : parts)
        distances = joinPairs(distances);
    }
    totals.clear();
    for (auto &[name, distances] : parts)
      totals[clear(name, step.firstBit + step.bits)] = distances.front();
  }

  /// For each class the totals of its neighbours: the one at i differs in the
  /// bits of i, which count from the first bit of a step.
  using ClassParts = llvm::MapVector<uint64_t, SmallVector<Value>>;

  ClassParts readBlocks(const ScanPlan::Step &step, SlotEmitter &shared,
                        Value own) {
    MapEmitter numbers = shared.numbers();
    ClassParts parts;
    for (auto &[name, total] : totals)
      parts[name].push_back(total);
    for (uint64_t distance = 1; distance < uint64_t{1} << step.bits;
         ++distance) {
      Value rank = LLVM::XOrOp::create(b, instructions.blockInCluster(b),
                                       constantI32(b, blockAt(step, distance)));
      Value from = instructions.mapToBlock(b, own, rank);
      uint64_t away = step.slots.applyFlat(distance);
      for (auto &[name, values] : parts)
        llvm::append_range(values,
                           shared.load(numbers, slotOf(step, name) ^ away, 1,
                                       combiner.type(), from));
    }
    return parts;
  }

  static uint64_t blockAt(const ScanPlan::Step &step, uint64_t distance) {
    uint64_t block = 0;
    for (auto [bit, blocks] : llvm::enumerate(step.blockSteps))
      block ^= (distance >> bit) & 1 ? blocks : 0;
    return block;
  }

  /// The totals of twice as large groups.
  SmallVector<Value> joinPairs(ArrayRef<Value> values) {
    SmallVector<Value> joined;
    for (size_t i = 0; i < values.size(); i += 2)
      joined.push_back(combiner.combine(values[i], values[i + 1]));
    return joined;
  }

  ImplicitLocOpBuilder &b;
  ScanOp op;
  const TargetInstructions &instructions;
  BlockShape block;
  ThreadEmitter threads;
  Combiner combiner;
  ScanPlan plan;
  ThreadMap elements;
  llvm::DenseMap<uint64_t, Value> conditions; ///< by mask of the thread.
  ClassValues totals;
  llvm::MapVector<unsigned, Value> sums; ///< by register; null is neutral.
};

struct ScanPattern final : TilePattern<ScanOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ScanOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    ScanEmitter emitter(b, op, instructions, blockShape(op));
    rewriter.replaceOpWithMultiple(op, {emitter.run(adaptor.getValue())});
    return success();
  }
};

} // namespace

void mirage::populateScanPatterns(RewritePatternSet &patterns,
                                  const TypeConverter &converter,
                                  const TargetInstructions &instructions) {
  patterns.add<ScanPattern>(converter, patterns.getContext(), instructions);
}
