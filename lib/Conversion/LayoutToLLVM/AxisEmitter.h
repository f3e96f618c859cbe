//===- AxisEmitter.h - What work along an axis is made of -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reductions, scans and gathers are planned by the algebra (AxisPlans.h); this
// is what the emission of all three uses. A *class* is a set of registers that
// hold, in any one thread, parts of the same value; it is named by a number
// that is linear in the register.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_AXISEMITTER_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_AXISEMITTER_H

#include "TileLowering.h"

#include "mirage/Layout/AxisPlans.h"

#include "llvm/ADT/MapVector.h"

namespace mirage {

/// One value for each class of registers.
using ClassValues = llvm::MapVector<uint64_t, mlir::Value>;

/// Joins `values` as a balanced tree: short chains and small errors. Where the
/// values of two replicas differ by an xor of their positions, and `combine`
/// commutes, the results are equal to the bit.
template <typename T, typename Combine>
T combineBalanced(llvm::SmallVector<T> values, Combine combine) {
  while (values.size() > 1) {
    llvm::SmallVector<T> next;
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      next.push_back(combine(values[i], values[i + 1]));
    if (values.size() % 2)
      next.push_back(values.back());
    values = std::move(next);
  }
  return values.front();
}

/// The type that values of a tile of `element` are combined in.
mlir::Type accumulatorType(mlir::Type element);

/// The arithmetic of a reduction or scan, in f32 or i32.
class Combiner {
public:
  Combiner(mlir::ImplicitLocOpBuilder &b, layout::ReduceKind kind,
           mlir::Type element)
      : b(b), kind(kind), element(element) {}

  mlir::Type type() const { return accumulatorType(element); }
  mlir::Value widen(mlir::Value value);
  mlir::Value narrow(mlir::Value value);
  /// The value that changes nothing, and that narrow values have too.
  mlir::Value neutral();
  mlir::Value combine(mlir::Value x, mlir::Value y);
  mlir::Value combineAll(llvm::SmallVector<mlir::Value> values);
  /// i1: whether `max` or `min` takes y at index `yIndex` rather than x at
  /// `xIndex`. NaN comes before all numbers, and among equals the first.
  mlir::Value prefersSecond(mlir::Value x, mlir::Value xIndex, mlir::Value y,
                            mlir::Value yIndex);

private:
  mlir::Value combineFloats(mlir::Value x, mlir::Value y);
  mlir::Value combineIntegers(mlir::Value x, mlir::Value y);

  mlir::ImplicitLocOpBuilder &b;
  layout::ReduceKind kind;
  mlir::Type element;
};

/// Whether one instruction does all butterflies of a reduction: lanes alone
/// move along the axis, all of them do, and the target has it. `slots` are
/// those of the plan.
bool reducesByInstruction(layout::ReduceOp op,
                          const layout::ReductionPlan &plan,
                          const ThreadMap &slots, BlockShape block,
                          const TargetInstructions &instructions);

/// Mask of the bits of the thread's number in its block that must be 0 so that,
/// of all places of a block with one number, one thread is left.
uint64_t redundantThreads(const ThreadMap &map, BlockShape block);

/// The slots of a step of a scan, which goes through shared memory, from the
/// numbers of the elements (ScanPlan::elements).
ThreadMap scanSlots(const ThreadMap &elements,
                    const layout::ScanPlan::Step &step);

/// Shared memory of a block as slots for values of one 32-bit type; every slot
/// is written by one thread.
class SlotEmitter {
public:
  /// `slots` says which slot each place writes; `base` is the first slot.
  SlotEmitter(mlir::ImplicitLocOpBuilder &b, ThreadEmitter &threads,
              BlockShape block, mlir::Value base, ThreadMap slots)
      : b(b), threads(threads), block(block), base(base),
        slots(std::move(slots)) {}

  /// Writes the values of the classes, which are named by their slots.
  void store(const ClassValues &values);
  /// The `count` values from slot `first` xor the thread's part of `slots` on,
  /// which starts at a multiple of `count`; from the shared memory whose first
  /// slot is at `from`, if that is another block's.
  llvm::SmallVector<mlir::Value> load(MapEmitter &numbers, uint64_t first,
                                      unsigned count, mlir::Type type,
                                      mlir::Value from = {});
  /// The thread's part of `slots` in bytes, without the low `clearedBits`.
  MapEmitter numbers(unsigned clearedBits = 0);

private:
  mlir::ImplicitLocOpBuilder &b;
  ThreadEmitter &threads;
  BlockShape block;
  mlir::Value base;
  ThreadMap slots;
};

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_AXISEMITTER_H
