//===- Compare.h - How far a result is from the reference -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three runs of one program are compared:
//   reference  every operation in f64, nothing rounded in between;
//   baseline   the program as a plain f32-accumulating implementation computes
//              it: sums in f32, every tensor rounded to its own type;
//   result     what the device computed.
//
// By default a result is right if its largest error is at most twice that of
// the baseline: no tolerance has to be chosen, since the program's own types,
// sizes and inputs set it. The baseline may be exact by luck (a cast, a copy,
// small integers), and kernels use the hardware's approximate exp2 and rsqrt,
// so the bound never falls below the unit roundoff of the result's type - for
// f32, below `f32Floor` unit roundoffs - times the largest magnitude in the
// reference. Where the reference is an integer that the type holds, and so is
// the baseline, everywhere, the result has to be equal.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_COMPARE_H
#define MIRAGE_RUNTIME_COMPARE_H

#include "mirage/Runtime/HostTensor.h"

#include <optional>

namespace mirage::runtime {

/// |result - reference| <= absolute + relative * |reference|, per element.
struct Tolerance {
  double relative = 0.0;
  double absolute = 0.0;
};

struct Comparison {
  bool ok = true;
  /// Largest |result - reference|; infinite if one of them is NaN or an
  /// overflow that the other is not.
  double maxAbsError = 0.0;
  /// Largest |result - reference| / max(|reference|, rms of the reference), so
  /// that elements which cancel to nearly 0 do not drown the number.
  double maxRelError = 0.0;
  /// The largest error allowed; unset with an explicit tolerance.
  std::optional<double> bound;
  /// Where the error is largest: the number of the result, the element
  /// (row-major), and the two values there.
  size_t result = 0;
  int64_t worstIndex = 0;
  double worstResult = 0.0, worstReference = 0.0;
};

/// Compares by the default rule. The reference is f64, of the same shape.
Comparison compareWithBaseline(const HostTensor &result,
                               const HostTensor &reference,
                               const HostTensor &baseline);

/// Compares by an explicit tolerance.
Comparison compareWithin(const HostTensor &result, const HostTensor &reference,
                         Tolerance tolerance);

/// Parses "RTOL,ATOL" or "RTOL"; nothing if it is neither.
std::optional<Tolerance> parseTolerance(llvm::StringRef text);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_COMPARE_H
