//===- ScanPatterns.cpp - Scans along a dim -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits a ScanPlan. After the step for axis bit i each register has the scan
// within its block of 2^(i+1) neighbours, and each class of registers (those
// whose elements differ in the bits up to i only) the total of that block.
//
//===----------------------------------------------------------------------===//

#include "AxisEmitter.h"
#include "SharedEmitter.h"

#include "mirage/Layout/AxisPlans.h"

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
        // The checks before the lowering have made sure that there is one.
        plan(*planScan(getLayout(op.getType()).getLinear(), op.getAxis())),
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
      step.isShared ? acrossWarps(step) : withinWarp(step);
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

  /// All neighbours' totals are read; each thread finds its own place among
  /// them.
  void acrossWarps(const ScanPlan::Step &step) {
    unsigned bit = step.firstBit, count = 1u << step.bits;
    ThreadMap slots = elements;
    for (MutableArrayRef<uint64_t> bases :
         {MutableArrayRef<uint64_t>(slots.registers),
          MutableArrayRef<uint64_t>(slots.threads)})
      for (uint64_t &basis : bases)
        basis >>= bit;
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    SlotEmitter shared(b, threads, block,
                       sharedPointer(b, offset + step.firstSlot * 4), slots);
    ClassValues named, next, before;
    for (auto &[name, total] : totals)
      named[name >> bit] = total;
    shared.store(named);
    instructions.blockBarrier(b);
    MapEmitter numbers = shared.numbers(step.bits);
    for (auto &[name, total] : totals) {
      uint64_t first = clear(name, bit + step.bits);
      Value &all = next[first];
      if (!all) {
        neighbours[first] =
            shared.load(numbers, first >> bit, count, combiner.type());
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
    neighbours.clear();
  }

  /// What comes before the class `name` among the parts of its block; null for
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

  ImplicitLocOpBuilder &b;
  ScanOp op;
  const TargetInstructions &instructions;
  BlockShape block;
  ThreadEmitter threads;
  Combiner combiner;
  ScanPlan plan;
  ThreadMap elements;
  llvm::DenseMap<uint64_t, Value> conditions; ///< by mask of the thread.
  llvm::DenseMap<uint64_t, SmallVector<Value>> neighbours;
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
