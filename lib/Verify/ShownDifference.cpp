//===- ShownDifference.cpp - Inputs on which programs differ --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShownDifference.h"

#include "mirage/Verify/Evaluator.h"

#include <cmath>

using namespace mirage;
using namespace mirage::verify;

/// Seeds tried with each pattern.
static constexpr uint64_t numSeeds = 4;
/// Differences below this share of the larger value may be rounding.
static constexpr double clearDifference = 1e-3;

static bool isClear(const RealValue &expected, const RealValue &got) {
  if (!std::isfinite(expected.value))
    return false;
  double size = std::max(std::fabs(expected.value), std::fabs(got.value));
  return !std::isfinite(got.value) || got.has(FieldValue::Unwritten) ||
         std::fabs(expected.value - got.value) > clearDifference * size;
}

std::optional<ShownDifference> mirage::verify::showDifference(
    const TensorProgram &spec, const TensorProgram &candidate,
    const CounterExample &place,
    llvm::ArrayRef<const llvm::fltSemantics *> types, uint64_t maxSteps) {
  llvm::SmallVector<int64_t> sizes;
  for (unsigned argument : spec.arguments)
    sizes.push_back(spec.values[argument].size);
  for (InputPattern pattern : {InputPattern::Integers, InputPattern::Random})
    for (uint64_t seed = 0; seed < numSeeds; ++seed) {
      RealAlgebra algebra(pattern, seed, types);
      InputTable<RealAlgebra> inputs(algebra, sizes);
      Evaluator<RealAlgebra> specRun(spec, algebra, inputs, maxSteps);
      Evaluator<RealAlgebra> candidateRun(candidate, algebra, inputs, maxSteps);
      RealValue expected = specRun.result(place.result, place.index);
      RealValue got = candidateRun.result(place.result, place.index);
      if (specRun.isExhausted() || candidateRun.isExhausted())
        return std::nullopt;
      if (isClear(expected, got))
        return ShownDifference{pattern, seed, expected.value, got.value};
    }
  return std::nullopt;
}
