//===- Verify.cpp - Do two programs compute the same? ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Verify.h"

#include "ShownDifference.h"
#include "mirage/Verify/ErrorBound.h"
#include "mirage/Verify/Evaluator.h"
#include "mirage/Verify/Numerics.h"
#include "mirage/Verify/Proof.h"
#include "mirage/Verify/Samples.h"
#include "mirage/Verify/Symmetry.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

StringRef mirage::verify::stringify(Status status) {
  switch (status) {
  case Status::Proved:
    return "proved";
  case Status::Probabilistic:
    return "probabilistic";
  case Status::Tested:
    return "tested";
  case Status::Different:
    return "different";
  case Status::Undecided:
    return "undecided";
  }
  return "undecided";
}

/// JSON has no NaN and no infinity.
static llvm::json::Value toJson(double value) {
  if (std::isfinite(value))
    return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

static StringRef stringify(InputPattern pattern) {
  return pattern == InputPattern::Integers ? "ints" : "random";
}

static void printAnySize(llvm::json::OStream &json,
                         ArrayRef<llvm::SmallVector<ArgumentDim>> classes) {
  for (ArrayRef<ArgumentDim> dims : classes)
    json.array([&] {
      for (const ArgumentDim &dim : dims)
        json.object([&] {
          json.attribute("argument", dim.argument);
          json.attribute("dim", dim.dim);
        });
    });
}

void Report::print(llvm::json::OStream &json) const {
  json.object([&] {
    json.attribute("status", stringify(status));
    if (errorLog2)
      json.attribute("error_log2", *errorLog2);
    else
      json.attribute("error_log2", nullptr);
    json.attribute("tests", tests);
    json.attribute("samples", samples);
    json.attribute("prime", std::to_string(prime));
    json.attribute("seed", static_cast<int64_t>(seed));
    if (!reason.empty())
      json.attribute("reason", reason);
    if (!noProof.empty())
      json.attribute("no_proof", noProof);
    if (!numerics.empty())
      json.attributeArray("numerics", [&] {
        for (const std::string &risk : numerics)
          json.value(risk);
      });
    if (!anySize.empty())
      json.attributeArray("any_size", [&] { printAnySize(json, anySize); });
    if (!counterExample)
      return;
    json.attributeObject("counter_example", [&] {
      json.attribute("result", counterExample->result);
      json.attributeArray("index", [&] {
        for (int64_t i : counterExample->index)
          json.value(i);
      });
      json.attribute("expected", counterExample->expected);
      json.attribute("got", counterExample->got);
      const std::optional<ShownDifference> &shown = counterExample->shown;
      if (!shown)
        return;
      json.attribute("inputs", ::stringify(shown->pattern));
      json.attribute("input_seed", static_cast<int64_t>(shown->seed));
      json.attribute("expected_f64", toJson(shown->expected));
      json.attribute("got_f64", toJson(shown->got));
    });
  });
}

//===----------------------------------------------------------------------===//
// Tests
//===----------------------------------------------------------------------===//

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

namespace {

/// Compares two programs; each test adds to the report.
class Checker {
public:
  Checker(const TensorProgram &spec, const TensorProgram &candidate,
          const Options &options)
      : spec(spec), candidate(candidate), options(options) {
    report.seed = options.seed;
    selectSamples();
  }

  Report run();
  /// A test took too many steps.
  bool isTooLarge() const { return tooLarge; }

private:
  enum class Outcome { Passed, Failed, Stopped };
  void selectSamples();
  void selectBound(Rule rule);
  /// Runs tests under one rule until enough of them passed.
  Outcome runTests(Rule rule, uint64_t prime);
  Outcome runTest(Rule rule, uint64_t prime, uint64_t test, size_t limit);
  Outcome probeRoots(uint64_t prime);
  void forget();
  Outcome compareAt(size_t number, const Sample &sample, FieldAlgebra &algebra,
                    Evaluator<FieldAlgebra> &specRun,
                    Evaluator<FieldAlgebra> &candidateRun);
  Outcome compareTraced(size_t number, FieldAlgebra &algebra,
                        InputTable<FieldAlgebra> &inputs);
  std::optional<double> boundOfTest(uint64_t prime, double evaluations) const;
  Outcome different(unsigned result, ArrayRef<int64_t> index,
                    const FieldValue &expected, const FieldValue &got);
  Outcome firstDifference(const Sample &sample, FieldAlgebra &algebra,
                          Evaluator<FieldAlgebra> &specRun,
                          Evaluator<FieldAlgebra> &candidateRun);
  Sample cheaper(const Sample &sample, size_t number) const;

  const TensorProgram &spec;
  const TensorProgram &candidate;
  const Options &options;
  Report report;
  std::vector<Sample> samples;
  /// Numbers of the samples that some test under the present rule took without
  /// a verdict, and of those for which some test had one.
  llvm::BitVector open, decided;
  SmallVector<unsigned> verdicts; ///< Tests with a verdict, by sample.
  /// The first samples are one of each orbit of outputs, if this is not 0.
  size_t numRepresentatives = 0;
  SmallVector<Degree> specDegrees, candidateDegrees;
  /// A bound can be had if the exponents of each representative are multiples
  /// of one.
  bool needsTrace = false;
  bool hasBound = false;
  bool tooLarge = false;
  uint64_t lastRoots = 0; ///< Roots taken in the last test.
};

} // namespace

/// Samples taken besides one of each orbit.
static constexpr unsigned samplesBesideOrbits = 8;
static constexpr unsigned maxOrbits = 64;

void Checker::selectSamples() {
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
void Checker::selectBound(Rule rule) {
  hasBound = needsTrace = false;
  if (rule == Rule::RootLaws)
    return;
  specDegrees = resultDegrees(spec, rule);
  candidateDegrees = resultDegrees(candidate, rule);
  hasBound = numRepresentatives > 0 &&
             boundOfTest(mainPrime, /*evaluations=*/1).has_value();
  for (auto [a, b] : llvm::zip_equal(specDegrees, candidateDegrees))
    needsTrace |= hasBound && a.exponentials + b.exponentials > 0;
}

std::optional<double> Checker::boundOfTest(uint64_t prime,
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

Checker::Outcome Checker::different(unsigned result, ArrayRef<int64_t> index,
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
Checker::Outcome
Checker::firstDifference(const Sample &sample, FieldAlgebra &algebra,
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

Checker::Outcome Checker::compareAt(size_t number, const Sample &sample,
                                    FieldAlgebra &algebra,
                                    Evaluator<FieldAlgebra> &specRun,
                                    Evaluator<FieldAlgebra> &candidateRun) {
  FieldValue expected = specRun.result(sample.result, sample.index);
  FieldValue got = candidateRun.result(sample.result, sample.index);
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
Sample Checker::cheaper(const Sample &sample, size_t number) const {
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
Checker::Outcome Checker::compareTraced(size_t number, FieldAlgebra &algebra,
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
Checker::Outcome Checker::runTest(Rule rule, uint64_t prime, uint64_t test,
                                  size_t limit) {
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
  report.samples = 0;
  for (auto [number, sample] :
       llvm::enumerate(ArrayRef(samples).take_front(limit))) {
    bool expensive = steps() > options.softSteps && !sample.isEssential;
    if (expensive && steps() > 4 * options.softSteps)
      continue;
    if (rule == Rule::RootLaws && verdicts[number] >= options.minTests)
      continue;
    if (needsTrace && hasBound && number < numRepresentatives)
      outcome = compareTraced(number, algebra, inputs);
    else
      outcome = compareAt(number, expensive ? cheaper(sample, number) : sample,
                          algebra, specRun, candidateRun);
    if (outcome != Outcome::Passed)
      break;
    ++report.samples;
  }
  lastRoots = algebra.roots();
  report.steps += steps();
  if (std::optional<double> bound = boundOfTest(prime, algebra.evaluations()))
    report.errorLog2 = report.errorLog2.value_or(0) + *bound;
  return outcome;
}

void Checker::forget() {
  report.tests = 0;
  report.errorLog2.reset();
  open = decided = llvm::BitVector(samples.size());
  verdicts.assign(samples.size(), 0);
}

static constexpr const char *rootsDecide =
    "every difference may come from the sign of a root";

/// Under RootLaws a sample has a verdict in one test of 2^k, for k roots.
/// Passes if one of a few cheap tests has one.
Checker::Outcome Checker::probeRoots(uint64_t prime) {
  constexpr unsigned tests = 8;
  constexpr size_t firstSamples = 2;
  constexpr uint64_t manyRoots = 64;
  for (uint64_t test = 1; test <= tests; ++test) {
    Outcome outcome = runTest(Rule::RootLaws, prime, test, firstSamples);
    if (outcome != Outcome::Passed || decided.any())
      return outcome;
    if (lastRoots > manyRoots * firstSamples)
      break;
  }
  report.status = Status::Undecided;
  report.reason = rootsDecide;
  return Outcome::Stopped;
}

Checker::Outcome Checker::runTests(Rule rule, uint64_t prime) {
  report.prime = prime;
  forget();
  selectBound(rule);
  if (rule == Rule::RootLaws) {
    Outcome outcome = probeRoots(prime);
    if (outcome != Outcome::Passed)
      return outcome;
    forget();
  }
  // More tests where not every one has a verdict.
  bool roots = rule == Rule::RootLaws;
  unsigned maxTests = roots ? 4 * options.maxTests : options.maxTests;
  for (uint64_t test = 1; test <= maxTests; ++test) {
    Outcome outcome = runTest(rule, prime, test, samples.size());
    if (outcome != Outcome::Passed)
      return outcome;
    ++report.tests;
    hasBound &= open.none();
    bool enough = (report.tests >= options.minTests ||
                   report.steps > options.heavySteps) &&
                  (!hasBound || *report.errorLog2 <= options.errorLog2);
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

/// Tries the rules in turn; a later one may accept what an earlier one does
/// not.
Report Checker::run() {
  auto useful = [&](llvm::ArrayRef<ScalarFunction> functions) {
    return uses(spec, functions) || uses(candidate, functions);
  };
  Outcome outcome = runTests(Rule::Opaque, mainPrime);
  if (outcome == Outcome::Failed && useful(ScalarFunction::Exp))
    outcome = runTests(Rule::ExpLaws, mainPrime);
  Report beforeRoots = report;
  if (outcome == Outcome::Failed &&
      useful({ScalarFunction::Sqrt, ScalarFunction::Rsqrt})) {
    outcome = runTests(Rule::RootLaws, rootPrime);
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

//===----------------------------------------------------------------------===//
// Entry
//===----------------------------------------------------------------------===//

static Report stopped(const Options &options, Status status,
                      const Twine &reason) {
  Report report;
  report.status = status;
  report.prime = mainPrime;
  report.seed = options.seed;
  report.reason = reason.str();
  return report;
}

static std::string typeString(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

static SmallVector<const llvm::fltSemantics *>
argumentTypes(func::FuncOp function) {
  SmallVector<const llvm::fltSemantics *> types;
  for (Type type : function.getArgumentTypes())
    types.push_back(
        &cast<FloatType>(getElementTypeOrSelf(type)).getFloatSemantics());
  return types;
}

/// Says in `reason` on which inputs the counter-example can be seen.
static void describeShown(Report &report) {
  const ShownDifference &shown = *report.counterExample->shown;
  llvm::raw_string_ostream(report.reason)
      << "; in f64 on --inputs=" << ::stringify(shown.pattern)
      << " --seed=" << shown.seed << ": expected "
      << llvm::format("%.6g, got %.6g", shown.expected, shown.got);
}

/// Adds to the counter-example inputs on which it can be seen.
static void showInputs(func::FuncOp spec, const TensorProgram &specProgram,
                       const TensorProgram &candidate, const Options &options,
                       Report &report) {
  std::optional<ShownDifference> &shown = report.counterExample->shown;
  shown = showDifference(specProgram, candidate, *report.counterExample,
                         argumentTypes(spec), options.hardSteps);
  if (shown)
    describeShown(report);
}

/// Rejects a candidate that is undefined where its specification is not.
static void checkDomain(func::FuncOp spec, const TensorProgram &specProgram,
                        const TensorProgram &candidate, const Options &options,
                        Report &report) {
  std::optional<CounterExample> place = findUndefined(
      specProgram, candidate, argumentTypes(spec), options.softSteps / 4);
  if (!place)
    return;
  report.status = Status::Different;
  report.errorLog2.reset();
  report.reason = "result #" + std::to_string(place->result) +
                  " is undefined where the specification is not";
  report.counterExample = std::move(*place);
  describeShown(report);
}

static bool findProof(const TensorProgram &spec, const TensorProgram &candidate,
                      const Options &options, Report &report) {
  llvm::json::Object certificate;
  if (!options.proof || !prove(spec, candidate, report.noProof,
                               options.certificate ? &certificate : nullptr))
    return false;
  report.status = Status::Proved;
  report.anySize = findDimsOfAnySize(spec, candidate);
  if (options.certificate)
    report.certificate = std::move(certificate);
  return true;
}

/// Programs too large to be tested may be proved all the same.
static Report testAndProve(const TensorProgram &spec,
                           const TensorProgram &candidate,
                           const Options &options) {
  Options quick = options;
  if (options.proof)
    quick.hardSteps = std::min(options.hardSteps, options.heavySteps);
  Checker checker(spec, candidate, quick);
  Report report = checker.run();
  if (report.isAccepted()) {
    findProof(spec, candidate, options, report);
    return report;
  }
  if (!checker.isTooLarge() || !options.proof)
    return report;
  Report proved = stopped(options, Status::Undecided, "");
  proved.samples = report.samples; // compared before it took too long
  if (findProof(spec, candidate, options, proved))
    return proved;
  report = Checker(spec, candidate, options).run();
  report.noProof = proved.noProof;
  return report;
}

Report mirage::verify::checkEquivalent(func::FuncOp spec,
                                       func::FuncOp candidate,
                                       const Options &options) {
  if (spec.getFunctionType() != candidate.getFunctionType())
    return stopped(options, Status::Different,
                   "its type is " + typeString(candidate.getFunctionType()) +
                       ", expected " + typeString(spec.getFunctionType()));
  std::string reason;
  FailureOr<TensorProgram> specProgram = TensorProgram::read(spec, reason);
  if (failed(specProgram))
    return stopped(options, Status::Undecided,
                   "the specification cannot be read: " + reason);
  FailureOr<TensorProgram> program = TensorProgram::read(candidate, reason);
  if (failed(program))
    return stopped(options, Status::Undecided,
                   "the candidate cannot be read: " + reason);
  std::string mistake = specProgram->findWriteMistake();
  if (!mistake.empty())
    return stopped(options, Status::Undecided,
                   "the specification is not a function: " + mistake);
  mistake = program->findWriteMistake();
  if (!mistake.empty())
    return stopped(options, Status::Different, mistake);
  Report report = testAndProve(*specProgram, *program, options);
  if (report.counterExample && options.showInputs)
    showInputs(spec, *specProgram, *program, options, report);
  if (report.isAccepted())
    checkDomain(spec, *specProgram, *program, options, report);
  if (report.isAccepted())
    report.numerics = findRisks(spec, candidate);
  return report;
}
