//===- RandomTests.cpp - Programs on random inputs -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomTests.h"

#include "mirage/Verify/Symmetry.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

static std::string describe(const FieldValue &value) {
  if (value.has(FieldValue::Unwritten))
    return "an element that nobody wrote";
  if (value.has(FieldValue::Poison))
    return "a division by zero";
  std::string text = std::to_string(value.p) + " mod p";
  if (!value.has(FieldValue::NoExponent))
    text += ", " + std::to_string(value.q) + " mod q";
  return text;
}

/// Samples taken besides one of each orbit.
static constexpr unsigned samplesBesideOrbits = 8;
static constexpr unsigned maxOrbits = 64;

void RandomTests::selectSamples() {
  std::optional<std::vector<Sample>> orbits =
      orbitRepresentatives(spec, candidate, maxOrbits);
  unsigned count = options.samples;
  if (orbits) {
    samples = std::move(*orbits);
    numRepresentatives = samples.size();
    count = std::min(count, samplesBesideOrbits);
  }
  std::vector<Sample> more = chooseSamples(
      spec, candidate, count, KeyedHash(options.seed, 0, "samples"));
  for (Sample &sample : more)
    sample.isEssential &= !orbits;
  llvm::append_range(samples, more);
}

/// Is there a bound to be had, given that no difference is found?
void RandomTests::selectBound(Rule rule) {
  hasBound = needsTrace = false;
  if (hasRootLaws(rule))
    return;
  specDegrees = resultDegrees(spec, rule);
  candidateDegrees = resultDegrees(candidate, rule);
  hasBound = numRepresentatives > 0 &&
             boundOfTest(mainPrime, /*evaluations=*/1).has_value();
  for (auto [a, b] : llvm::zip_equal(specDegrees, candidateDegrees))
    needsTrace |= hasBound && a.exponentials + b.exponentials > 0;
}

std::optional<double> RandomTests::boundOfTest(uint64_t prime,
                                               double evaluations) const {
  double worst = -std::numeric_limits<double>::infinity();
  for (auto [a, b] : llvm::zip_equal(specDegrees, candidateDegrees)) {
    std::optional<double> bound = verify::errorLog2(a, b, prime, evaluations);
    if (!bound)
      return std::nullopt;
    worst = std::max(worst, *bound);
  }
  return worst;
}

RandomTests::Outcome RandomTests::different(unsigned result,
                                            ArrayRef<int64_t> index,
                                            const FieldValue &expected,
                                            const FieldValue &got) {
  report.status = Status::Different;
  report.counterExample =
      CounterExample{result, SmallVector<int64_t>(index), describe(expected),
                     describe(got), std::nullopt};
  report.reason.clear();
  llvm::raw_string_ostream os(report.reason);
  os << "result #" << result << " differs at [";
  llvm::interleaveComma(index, os);
  os << "]: expected " << report.counterExample->expected << ", got "
     << report.counterExample->got;
  return Outcome::Failed;
}

/// A candidate that leaves elements out or divides by zero where the
/// specification does not is wrong; fields make zeros with probability 1/p.
static bool isBroken(const FieldValue &expected, const FieldValue &got) {
  constexpr uint8_t broken = FieldValue::Unwritten | FieldValue::Poison;
  return (got.flags & broken) && !(expected.flags & broken);
}

/// Elements before a sample that are looked at for an earlier difference.
static constexpr int64_t maxEarlierElements = 256;

/// The programs differ at `sample`: reports the first element, in row-major
/// order, at which they are seen to.
RandomTests::Outcome
RandomTests::firstDifference(const Sample &sample, FieldAlgebra &algebra,
                             Evaluator<FieldAlgebra> &specRun,
                             Evaluator<FieldAlgebra> &candidateRun) {
  const ProgramValue &value = spec.values[spec.results[sample.result]];
  uint64_t limit = specRun.steps() + candidateRun.steps() + options.softSteps;
  for (int64_t element = 0; element < maxEarlierElements; ++element) {
    SmallVector<int64_t> index;
    int64_t rest = element;
    for (int64_t stride : value.strides) {
      index.push_back(rest / stride);
      rest %= stride;
    }
    if (ArrayRef<int64_t>(index) == ArrayRef<int64_t>(sample.index) ||
        element >= value.size || specRun.steps() + candidateRun.steps() > limit)
      break;
    FieldValue expected = specRun.result(sample.result, index);
    FieldValue got = candidateRun.result(sample.result, index);
    if (specRun.isExhausted() || candidateRun.isExhausted())
      break;
    if (isBroken(expected, got) ||
        algebra.compare(expected, got) == Comparison::Different)
      return different(sample.result, index, expected, got);
  }
  return different(sample.result, sample.index,
                   specRun.result(sample.result, sample.index),
                   candidateRun.result(sample.result, sample.index));
}

RandomTests::Outcome
RandomTests::compareAt(size_t number, const Sample &sample,
                       FieldAlgebra &algebra, Evaluator<FieldAlgebra> &specRun,
                       Evaluator<FieldAlgebra> &candidateRun) {
  FieldValue expected = specRun.result(sample.result, sample.index), got;
  if (!specRun.isExhausted())
    got = candidateRun.result(sample.result, sample.index);
  if (specRun.isExhausted() || candidateRun.isExhausted()) {
    tooLarge = true;
    report.status = Status::Undecided;
    report.reason = "one test takes more than " +
                    std::to_string(options.hardSteps) + " steps";
    return Outcome::Stopped;
  }
  if (isBroken(expected, got))
    return firstDifference(sample, algebra, specRun, candidateRun);
  switch (algebra.compare(expected, got)) {
  case Comparison::Different:
    return firstDifference(sample, algebra, specRun, candidateRun);
  case Comparison::Equal:
    decided.set(number);
    ++verdicts[number];
    break;
  case Comparison::Undecided:
    open.set(number);
    break;
  }
  return Outcome::Passed;
}

/// The same column (last index) in the row of an earlier sample, most of which
/// is computed already.
Sample RandomTests::cheaper(const Sample &sample, size_t number) const {
  Sample result = sample;
  for (const Sample &earlier : samples) {
    if (earlier.result != sample.result)
      continue;
    result.index = earlier.index;
    if (number-- % 4 == 0)
      break;
  }
  if (!result.index.empty())
    result.index.back() = sample.index.back();
  return result;
}

/// Compares a representative with evaluators of its own, so that every exponent
/// that it depends on is seen.
RandomTests::Outcome
RandomTests::compareTraced(size_t number, FieldAlgebra &algebra,
                           InputTable<FieldAlgebra> &inputs) {
  std::vector<uint64_t> exponents;
  algebra.traceExponents(&exponents);
  Evaluator<FieldAlgebra> specRun(spec, algebra, inputs, options.hardSteps);
  Evaluator<FieldAlgebra> candidateRun(candidate, algebra, inputs,
                                       options.hardSteps);
  Outcome outcome =
      compareAt(number, samples[number], algebra, specRun, candidateRun);
  algebra.traceExponents(nullptr);
  report.steps += specRun.steps() + candidateRun.steps();
  hasBound &= areMultiplesOfOne(exponents, algebra.exponentField().prime());
  return outcome;
}

/// Runs a test at the first `limit` samples.
RandomTests::Outcome RandomTests::runTest(Rule rule, uint64_t prime,
                                          uint64_t test, size_t limit) {
  FieldAlgebra algebra(prime, rule, options.seed, test);
  SmallVector<int64_t> sizes;
  for (unsigned argument : spec.arguments)
    sizes.push_back(spec.values[argument].size);
  InputTable<FieldAlgebra> inputs(algebra, sizes);
  Evaluator<FieldAlgebra> specRun(spec, algebra, inputs, options.hardSteps);
  Evaluator<FieldAlgebra> candidateRun(candidate, algebra, inputs,
                                       options.hardSteps);
  auto steps = [&] { return specRun.steps() + candidateRun.steps(); };

  Outcome outcome = Outcome::Passed;
  bool isComplete = true;
  uint64_t dearest = 0; // steps of a sample, at most
  report.samples = 0;
  for (auto [number, sample] :
       llvm::enumerate(ArrayRef(samples).take_front(limit))) {
    bool expensive = steps() > options.softSteps && !sample.isEssential;
    if (expensive && steps() > 4 * options.softSteps)
      continue;
    // Another one like those before would take too long.
    uint64_t most = options.heavySteps + options.heavySteps / 2;
    if (!options.isBoundNeeded && steps() + dearest > most) {
      isComplete = false;
      continue;
    }
    uint64_t before = steps();
    if (hasRootLaws(rule) && verdicts[number] >= options.minTests)
      continue;
    if (needsTrace && hasBound && number < numRepresentatives)
      outcome = compareTraced(number, algebra, inputs);
    else
      outcome = compareAt(number, expensive ? cheaper(sample, number) : sample,
                          algebra, specRun, candidateRun);
    dearest = std::max(dearest, steps() - before);
    if (outcome != Outcome::Passed)
      break;
    ++report.samples;
  }
  hasBound &= isComplete;
  lastRoots = algebra.roots();
  hasNested |= algebra.nestedExponentials() > 0;
  report.steps += steps();
  if (std::optional<double> bound = boundOfTest(prime, algebra.evaluations()))
    report.errorLog2 = report.errorLog2.value_or(0) + *bound;
  return outcome;
}

void RandomTests::forget() {
  report.tests = 0;
  report.errorLog2.reset();
  open = decided = llvm::BitVector(samples.size());
  verdicts.assign(samples.size(), 0);
}

static constexpr const char *rootsDecide =
    "every difference may come from the sign of a root";

/// Under the laws of roots a sample has a verdict in one test of 2^k, for k
/// roots. Passes if one of a few cheap tests has one.
RandomTests::Outcome RandomTests::probeRoots(Rule rule, uint64_t prime) {
  constexpr unsigned tests = 8;
  constexpr size_t firstSamples = 2;
  constexpr uint64_t manyRoots = 64;
  for (uint64_t test = 1; test <= tests; ++test) {
    Outcome outcome = runTest(rule, prime, test, firstSamples);
    if (outcome != Outcome::Passed || decided.any())
      return outcome;
    if (lastRoots > manyRoots * firstSamples)
      break;
  }
  report.status = Status::Undecided;
  report.reason = rootsDecide;
  return Outcome::Stopped;
}

RandomTests::Outcome RandomTests::runTests(Rule rule, uint64_t prime) {
  report.prime = prime;
  forget();
  selectBound(rule);
  bool roots = hasRootLaws(rule);
  if (roots) {
    Outcome outcome = probeRoots(rule, prime);
    if (outcome != Outcome::Passed)
      return outcome;
    forget();
  }
  // More tests where not every one has a verdict.
  unsigned maxTests = roots ? 4 * options.maxTests : options.maxTests;
  for (uint64_t test = 1; test <= maxTests; ++test) {
    Outcome outcome = runTest(rule, prime, test, samples.size());
    if (outcome != Outcome::Passed)
      return outcome;
    ++report.tests;
    hasBound &= open.none();
    bool isLong = report.steps > options.heavySteps;
    bool enough = (report.tests >= options.minTests || isLong) &&
                  (!hasBound || *report.errorLog2 <= options.errorLog2 ||
                   (isLong && !options.isBoundNeeded));
    if (enough && !open.test(decided))
      return Outcome::Passed;
    if (roots && report.steps > options.hardSteps)
      break;
  }
  if (!open.test(decided))
    return Outcome::Passed;
  report.status = Status::Undecided;
  report.reason = roots ? rootsDecide : "the specification divides by zero";
  return Outcome::Stopped;
}

static bool uses(const TensorProgram &program,
                 llvm::ArrayRef<ScalarFunction> functions) {
  for (const ProgramValue &value : program.values)
    for (const Piece &piece : value.pieces)
      for (const ScalarExpr::Node &node : piece.body.nodes())
        if (node.kind == ScalarExpr::Kind::Apply &&
            llvm::is_contained(functions, node.function))
          return true;
  return false;
}

/// Scalar operations of an element from which on a rule that accepts little is
/// not tried before one that accepts more.
static constexpr uint64_t stepsForOneRule = 2'000'000;

/// Tries the rules in turn; a later one may accept what an earlier one does
/// not.
Report RandomTests::run() {
  auto useful = [&](llvm::ArrayRef<ScalarFunction> functions) {
    return uses(spec, functions) || uses(candidate, functions);
  };
  bool isShort = !useful(ScalarFunction::Exp) || options.isBoundNeeded ||
                 estimateSteps(spec) <= stepsForOneRule;
  Outcome outcome = Outcome::Failed;
  if (isShort)
    outcome = runTests(Rule::Opaque, mainPrime);
  if (outcome == Outcome::Failed && useful(ScalarFunction::Exp))
    outcome = runTests(Rule::ExpLaws, mainPrime);
  if (outcome == Outcome::Failed && hasNested)
    outcome = runTests(Rule::NestedExp, mainPrime);
  Report beforeRoots = report;
  if (outcome == Outcome::Failed &&
      useful({ScalarFunction::Sqrt, ScalarFunction::Rsqrt})) {
    outcome = runTests(Rule::RootLaws, rootPrime);
    if (outcome == Outcome::Failed && hasNested)
      outcome = runTests(Rule::NestedRoots, rootPrime);
    if (outcome == Outcome::Stopped) {
      report = std::move(beforeRoots);
      report.reason += " (with square roots as unknown functions)";
    }
  }
  if (!hasBound || outcome != Outcome::Passed)
    report.errorLog2.reset();
  if (outcome != Outcome::Passed)
    return std::move(report);
  report.reason.clear();
  report.counterExample.reset();
  report.status = hasBound ? Status::Probabilistic : Status::Tested;
  return std::move(report);
}
