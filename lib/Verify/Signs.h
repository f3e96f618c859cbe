//===- Signs.h - Values whose sign is known ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Neither fields nor normal forms know an order, so abs and max are unknown
// functions there. But |x| is x or -x, and max(x, c) is x for c <= 0, where the
// sign of x is known: x is a square, a root, an exponential, or made of such by
// sums, products, quotients, maxima and minima. So relu after a mean of squares
// is nothing.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_SIGNS_H
#define MIRAGE_LIB_VERIFY_SIGNS_H

#include "mirage/Verify/TensorProgram.h"

namespace mirage::verify {

/// Replaces abs and max that change nothing by their operand.
void simplifySigns(TensorProgram &program);

/// What functions of a program may be undefined on many inputs.
struct PartialFunctions {
  /// Of each value: it takes a root or logarithm of what is not known to be
  /// positive enough, or divides by what is not known to be positive.
  std::vector<bool> values;
  /// There are such quotients.
  bool hasQuotients = false;
};
/// That something is 0 counts only where it is made from maxima, minima or
/// magnitudes: a polynomial is 0 on few inputs, but x - max(x, y) on many.
PartialFunctions findPartialFunctions(const TensorProgram &program);

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_SIGNS_H
