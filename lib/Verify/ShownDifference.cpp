//===- ShownDifference.cpp - Inputs on which programs differ --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShownDifference.h"

#include "mirage/Verify/Evaluator.h"
#include "mirage/Verify/Samples.h"

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

static llvm::SmallVector<int64_t> argumentSizes(const TensorProgram &program) {
  llvm::SmallVector<int64_t> sizes;
  for (unsigned argument : program.arguments)
    sizes.push_back(program.values[argument].size);
  return sizes;
}

std::optional<ShownDifference> mirage::verify::showDifference(
    const TensorProgram &spec, const TensorProgram &candidate,
    const CounterExample &place,
    llvm::ArrayRef<const llvm::fltSemantics *> types, uint64_t maxSteps) {
  llvm::SmallVector<int64_t> sizes = argumentSizes(spec);
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

std::optional<CounterExample> mirage::verify::findUndefined(
    const TensorProgram &spec, const TensorProgram &candidate,
    llvm::ArrayRef<const llvm::fltSemantics *> types, uint64_t maxSteps) {
  constexpr unsigned samples = 8;
  constexpr uint64_t seeds = 2;
  llvm::SmallVector<int64_t> sizes = argumentSizes(spec);
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    RealAlgebra algebra(InputPattern::Random, seed, types);
    InputTable<RealAlgebra> inputs(algebra, sizes);
    Evaluator<RealAlgebra> specRun(spec, algebra, inputs, maxSteps);
    Evaluator<RealAlgebra> candidateRun(candidate, algebra, inputs, maxSteps);
    for (const Sample &sample : chooseSamples(spec, candidate, samples,
                                              KeyedHash(seed, 0, "domain"))) {
      double got = candidateRun.result(sample.result, sample.index).value;
      if (candidateRun.isExhausted())
        return std::nullopt;
      if (std::isfinite(got))
        continue;
      double expected = specRun.result(sample.result, sample.index).value;
      if (specRun.isExhausted())
        return std::nullopt;
      if (!std::isfinite(expected))
        continue;
      CounterExample place;
      place.result = sample.result;
      place.index.assign(sample.index.begin(), sample.index.end());
      place.expected = std::to_string(expected);
      place.got = std::to_string(got);
      place.shown = ShownDifference{InputPattern::Random, seed, expected, got};
      return place;
    }
  }
  return std::nullopt;
}
