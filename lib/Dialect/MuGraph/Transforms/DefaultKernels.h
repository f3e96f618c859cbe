//===- DefaultKernels.h - A kernel for a single op --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The schedules that need no search: each builds one block graph (or two, for a
// reduction over several long dims) in place of one kernel-level op.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_MUGRAPH_TRANSFORMS_DEFAULTKERNELS_H
#define MIRAGE_LIB_DIALECT_MUGRAPH_TRANSFORMS_DEFAULTKERNELS_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Target/TargetDescription.h"

namespace mirage::mugraph {

/// Most elements of a tile outside of matrix products: 16 for each of 256
/// threads, so that a tile of f32 takes 16 registers a thread.
inline constexpr int64_t tileBudget = 4096;

/// Elementwise ops, transpose, broadcast, slice: tiles over all dims.
llvm::FailureOr<mlir::Value> buildPointwiseKernel(mlir::OpBuilder &builder,
                                                  MeaningOpInterface op);

/// Reductions, softmax, norms: rows over the grid. A row that fits the budget
/// is one tile. A longer one is cut by loops, one for each reduction that needs
/// the outcome of the one before, and one to write.
llvm::FailureOr<mlir::Value> buildRowKernel(mlir::OpBuilder &builder,
                                            mlir::Operation *op,
                                            const TargetDescription &target);

/// Matrix products: grid over batch, rows and columns, a loop over the depth.
llvm::FailureOr<mlir::Value> buildMatmulKernel(mlir::OpBuilder &builder,
                                               MatmulOp op,
                                               const TargetDescription &target);

/// The elements of `shape` in another shape; the same value if it has that.
mlir::Value reshapeTo(mlir::OpBuilder &builder, mlir::Value value,
                      llvm::ArrayRef<int64_t> shape);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_DIALECT_MUGRAPH_TRANSFORMS_DEFAULTKERNELS_H
