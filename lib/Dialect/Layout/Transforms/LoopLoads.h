//===- LoopLoads.h - Loads of a loop that can be issued early ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LOOPLOADS_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LOOPLOADS_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Target/TargetDescription.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/ADT/SetVector.h"

namespace mirage::layout {

/// A loop with constant bounds and the loads in its body whose places follow
/// from the induction variable by plain arithmetic.
class LoopLoads {
public:
  explicit LoopLoads(mlir::scf::ForOp loop);

  /// Number of iterations; 0 if it is not known.
  int64_t trips() const { return tripCount; }
  int64_t step() const { return stepSize; }
  /// Value of the induction variable in iteration `number`.
  int64_t index(int64_t number) const { return first + number * stepSize; }

  llvm::ArrayRef<LoadOp> loads() const { return list; }

  /// Clones the arithmetic that `chosen` loads need, for another value of the
  /// induction variable, and returns the offsets of each load.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>>
  cloneOffsets(mlir::OpBuilder &builder, llvm::ArrayRef<LoadOp> chosen,
               mlir::Value induction);

  mlir::scf::ForOp loop; ///< to be replaced by its successor if rewritten.

private:
  bool addArithmetic(mlir::Value value,
                     llvm::SetVector<mlir::Operation *> &slice);

  int64_t first = 0, stepSize = 1, tripCount = 0;
  llvm::SmallVector<LoadOp> list;
  llvm::SetVector<mlir::Operation *> arithmetic;
};

/// Rewrites `loads.loop` so that tiles travel to shared memory by asynchronous
/// copies, up to `stages` iterations ahead, and returns the loads that did.
/// Leaves alone what does not fit into `sharedBytes` or the copy instructions.
llvm::SmallVector<LoadOp> pipelineThroughShared(LoopLoads &loads,
                                                const TargetDescription &target,
                                                unsigned stages,
                                                int64_t sharedBytes);

/// Rewrites `loads.loop` so that the tiles of the next iteration are loaded
/// into registers before this one computes; as many as `maxRegisters` of a
/// thread hold.
void pipelineThroughRegisters(LoopLoads &loads, int64_t maxRegisters);

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LOOPLOADS_H
