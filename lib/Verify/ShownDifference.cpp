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
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

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

//===----------------------------------------------------------------------===//
// Where programs are defined
//===----------------------------------------------------------------------===//

namespace {

/// Runs both programs in f64 on random inputs of both signs.
class DomainCheck {
public:
  DomainCheck(const TensorProgram &spec, const TensorProgram &candidate,
              llvm::ArrayRef<const llvm::fltSemantics *> types)
      : spec(spec), candidate(candidate), types(types),
        sizes(argumentSizes(spec)) {}

  std::optional<CounterExample> run(uint64_t maxSteps);

private:
  /// A sampled output that only the specification can compute; `isExhausted`
  /// says that it took too many steps to know.
  std::optional<CounterExample> findOutput(uint64_t seed, uint64_t maxSteps,
                                           bool &isExhausted);
  /// Is there an element of a value with a root or logarithm, among a few of
  /// each, that the candidate cannot compute?
  bool isSuspicious(uint64_t seed, uint64_t maxSteps) const;
  RealValue drawElement(Evaluator<RealAlgebra> &run, const KeyedHash &random,
                        unsigned number, uint64_t draw) const;

  const TensorProgram &spec;
  const TensorProgram &candidate;
  llvm::ArrayRef<const llvm::fltSemantics *> types;
  llvm::SmallVector<int64_t> sizes;
};

} // namespace

std::optional<CounterExample>
DomainCheck::findOutput(uint64_t seed, uint64_t maxSteps, bool &isExhausted) {
  constexpr unsigned samples = 8;
  RealAlgebra algebra(InputPattern::Random, seed, types);
  InputTable<RealAlgebra> inputs(algebra, sizes);
  Evaluator<RealAlgebra> specRun(spec, algebra, inputs, maxSteps);
  Evaluator<RealAlgebra> candidateRun(candidate, algebra, inputs, maxSteps);
  for (const Sample &sample :
       chooseSamples(spec, candidate, samples, KeyedHash(seed, 0, "domain"))) {
    double got = candidateRun.result(sample.result, sample.index).value;
    isExhausted = candidateRun.isExhausted();
    if (isExhausted)
      return std::nullopt;
    if (std::isfinite(got))
      continue;
    double expected = specRun.result(sample.result, sample.index).value;
    isExhausted = specRun.isExhausted();
    if (isExhausted)
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
  return std::nullopt;
}

static bool hasDomain(const ProgramValue &value) {
  return llvm::any_of(value.pieces, [](const Piece &piece) {
    return llvm::any_of(piece.body.nodes(), [](const ScalarExpr::Node &node) {
      return node.kind == ScalarExpr::Kind::Apply &&
             verify::hasDomain(node.function);
    });
  });
}

/// Element `draw` of those that are looked at of value `number`.
RealValue DomainCheck::drawElement(Evaluator<RealAlgebra> &run,
                                   const KeyedHash &random, unsigned number,
                                   uint64_t draw) const {
  const ProgramValue &value = candidate.values[number];
  uint64_t word = 0;
  auto below = [&](int64_t extent) {
    return int64_t(random({number, draw, word++})[0] % uint64_t(extent));
  };
  std::array<int64_t, 3> block = {0, 0, 0};
  int64_t iteration = 0;
  if (value.graph >= 0) {
    const BlockGraph &graph = candidate.graphs[value.graph];
    for (unsigned dim = 0; dim < 3; ++dim)
      block[dim] = below(graph.grid[dim]);
    if (value.loop >= 0)
      iteration = below(graph.loops[value.loop]);
  }
  return run.elementOf(number, block, iteration, below(value.size));
}

bool DomainCheck::isSuspicious(uint64_t seed, uint64_t maxSteps) const {
  constexpr uint64_t draws = 16;
  RealAlgebra algebra(InputPattern::Random, seed, types);
  InputTable<RealAlgebra> inputs(algebra, sizes);
  KeyedHash random(seed, 0, "domain of values");
  for (unsigned number = 0; number < candidate.values.size(); ++number) {
    if (!::hasDomain(candidate.values[number]))
      continue;
    Evaluator<RealAlgebra> run(candidate, algebra, inputs, maxSteps);
    for (uint64_t draw = 0; draw < draws; ++draw) {
      RealValue got = drawElement(run, random, number, draw);
      if (run.isExhausted())
        break;
      if (!got.has(FieldValue::Absent) && !std::isfinite(got.value))
        return true;
    }
  }
  return false;
}

std::optional<CounterExample> DomainCheck::run(uint64_t maxSteps) {
  constexpr uint64_t seeds = 2;
  constexpr uint64_t moreSteps = 64;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    bool isExhausted = false;
    if (auto place = findOutput(seed, maxSteps, isExhausted))
      return place;
    // Only where there is something to find is an expensive output computed.
    if (!isExhausted || !isSuspicious(seed, maxSteps))
      continue;
    if (auto place = findOutput(seed, moreSteps * maxSteps, isExhausted))
      return place;
  }
  return std::nullopt;
}

bool mirage::verify::hasDomain(ScalarFunction function) {
  return function == ScalarFunction::Sqrt ||
         function == ScalarFunction::Rsqrt || function == ScalarFunction::Log ||
         function == ScalarFunction::Pow;
}

std::optional<CounterExample> mirage::verify::findUndefined(
    const TensorProgram &spec, const TensorProgram &candidate,
    llvm::ArrayRef<const llvm::fltSemantics *> types, uint64_t maxSteps) {
  if (llvm::none_of(candidate.values,
                    [](const ProgramValue &v) { return ::hasDomain(v); }))
    return std::nullopt;
  return DomainCheck(spec, candidate, types).run(maxSteps);
}
