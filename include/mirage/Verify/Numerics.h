//===- Numerics.h - What equality over the reals leaves out -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program may equal another over the real numbers and still overflow where
// that one does not. Three kinds of ops are looked for:
//
//   exp        of something that is not known to be at most 0. Known to be are
//              s - m with m a maximum of what is computed as s is, and products
//              of squares, magnitudes and exponentials with negative numbers.
//              exp(-x) inside sigmoid, silu, tanh and gelu is not meant: there
//              infinity gives the right limit.
//   squares    and sums of squares that are held in f16, which ends at 65504:
//              256 squared is beyond it.
//   casts      to f16, where the specification has no value of that type.
//
// What a candidate has of a kind that its specification has none of is a risk.
// This is a lint and no proof: ops are compared without their tile maps, and
// products of large values overflow too.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_NUMERICS_H
#define MIRAGE_VERIFY_NUMERICS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>
#include <vector>

namespace mirage::verify {

/// One sentence for each way in which `candidate` may overflow where `spec`
/// does not.
std::vector<std::string> findRisks(mlir::func::FuncOp spec,
                                   mlir::func::FuncOp candidate);

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_NUMERICS_H
