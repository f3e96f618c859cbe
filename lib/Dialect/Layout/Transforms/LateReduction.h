//===- LateReduction.h - Reductions that a loop can put off -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop that adds up what it reduces,
//
//   a <- a + sum(x)      or      a <- s a + sum(x),  a initially 0,
//
// may add up before it reduces: sums of sums, maxima of maxima and minima of
// minima can be taken in any order, and a factor that is the same along the
// axis goes through a sum. Of the reduction each thread's own part stays in the
// loop, so that the loop carries as many registers as before; what lanes and
// warps do together is done once, behind the loop.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LATEREDUCTION_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LATEREDUCTION_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mirage::layout {

/// A reduction of 32-bit values that its loop only accumulates.
struct LateReduction {
  ReduceOp reduce;
  ConvertOp convert;         ///< of the result, if there is one.
  mlir::Operation *combine;  ///< with what the loop carries.
  mlir::arith::MulFOp scale; ///< of what the loop carries, if it is scaled.
  mlir::scf::ForOp loop;
  unsigned number; ///< of the iteration argument.

  /// What `scale` multiplies by.
  mlir::Value factor() const;
};
std::optional<LateReduction> matchLateReduction(ReduceOp reduce);

/// Whether a thread's own part of a reduction can be told apart: its registers
/// step along `axis` by single bits of the index, and along nothing else.
bool isSeparable(LinearLayoutAttr layout, unsigned axis);

/// Reduces each thread's own part. The axis keeps one element for each place
/// that remains. The layout must be separable.
mlir::Value reduceInThread(mlir::OpBuilder &builder, ReduceOp reduce);

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LATEREDUCTION_H
