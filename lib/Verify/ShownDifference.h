//===- ShownDifference.h - Inputs on which programs differ ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_SHOWNDIFFERENCE_H
#define MIRAGE_LIB_VERIFY_SHOWNDIFFERENCE_H

#include "mirage/Verify/RealAlgebra.h"
#include "mirage/Verify/TensorProgram.h"
#include "mirage/Verify/Verify.h"

namespace mirage::verify {

/// Looks for generated inputs on which the programs clearly differ at `place`,
/// in f64: small integers first, then random numbers. The arguments have
/// elements of `types`; at most `maxSteps` scalar operations for each program
/// and input.
std::optional<ShownDifference>
showDifference(const TensorProgram &spec, const TensorProgram &candidate,
               const CounterExample &place,
               llvm::ArrayRef<const llvm::fltSemantics *> types,
               uint64_t maxSteps);

/// As the option `--inputs` of mirage-run has it.
inline llvm::StringRef stringify(InputPattern pattern) {
  return pattern == InputPattern::Integers ? "ints" : "random";
}

/// Looks for an output element that the candidate cannot compute in f64 (the
/// root of a negative number, say) and the specification can. Equality where
/// both are defined does not speak of these: sqrt(x)^2 is x only for x >= 0,
/// and (x - m) / (x - m) is 1 only where x is not the maximum m.
/// Where an output takes more than `maxSteps` operations, elements of the
/// values with roots and quotients are looked at first, and outputs only if one
/// of those is undefined.
std::optional<CounterExample>
findUndefined(const TensorProgram &spec, const TensorProgram &candidate,
              llvm::ArrayRef<const llvm::fltSemantics *> types,
              uint64_t maxSteps);

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_SHOWNDIFFERENCE_H
