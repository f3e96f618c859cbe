//===- GeneratedInputs.h - Inputs made from a seed --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SUPPORT_GENERATEDINPUTS_H
#define MIRAGE_SUPPORT_GENERATEDINPUTS_H

#include <cstdint>

namespace mirage {

/// Inputs made for a run, the same for a seed on every machine.
enum class InputPattern {
  /// Uniform in [-0.5, 0.5): products over long dimensions stay in range of
  /// f16.
  Random,
  /// The integers -2 .. 2: sums of up to a few hundred products are exact in
  /// f16, so that an error in moving data cannot hide in rounding.
  Integers
};

/// The elements of one argument, before they are rounded to its element type.
class GeneratedInput {
public:
  GeneratedInput(InputPattern pattern, uint64_t seed, uint64_t argument);

  /// Depends on pattern, seed, argument and element alone.
  double operator[](uint64_t element) const;

private:
  InputPattern pattern;
  uint64_t stream;
};

} // namespace mirage

#endif // MIRAGE_SUPPORT_GENERATEDINPUTS_H
