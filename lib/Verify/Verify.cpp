//===- Verify.cpp - Do two programs compute the same? --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Verify.h"

#include "RandomTests.h"
#include "ShownDifference.h"
#include "mirage/Verify/Numerics.h"
#include "mirage/Verify/Proof.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;

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
  // As many digits as it takes to tell them apart.
  bool isSmall =
      std::fabs(shown.expected - shown.got) < 1e-4 * std::fabs(shown.expected);
  llvm::raw_string_ostream(report.reason)
      << "; in f64 on --inputs=" << stringify(shown.pattern)
      << " --seed=" << shown.seed << ": expected "
      << llvm::format(isSmall ? "%.12g, got %.12g" : "%.6g, got %.6g",
                      shown.expected, shown.got);
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

/// A proof is looked for after tests that may not take long, and without one
/// where even the first element would. What has no proof is tested in full.
static Report testAndProve(const TensorProgram &spec,
                           const TensorProgram &candidate,
                           const Options &options) {
  if (!options.proof)
    return RandomTests(spec, candidate, options).run();
  Options quick = options;
  quick.hardSteps = std::min(options.hardSteps, 2 * options.heavySteps);
  quick.isBoundNeeded = false;
  bool isTestable = estimateSteps(spec) <= options.heavySteps;
  Report report = stopped(options, Status::Undecided, "");
  if (isTestable) {
    RandomTests tests(spec, candidate, quick);
    report = tests.run();
    if (!report.isAccepted() && !tests.isTooLarge())
      return report;
  }
  if (!report.isAccepted()) {
    unsigned samples = report.samples; // compared before it took too long
    report = stopped(options, Status::Undecided, "");
    report.samples = samples;
  }
  if (findProof(spec, candidate, options, report))
    return report;
  bool isEnough = report.isAccepted() && report.tests >= options.minTests &&
                  (!report.errorLog2 || *report.errorLog2 <= options.errorLog2);
  if (isEnough)
    return report;
  std::string noProof = std::move(report.noProof);
  report = RandomTests(spec, candidate, options).run();
  if (report.isAccepted())
    report.noProof = std::move(noProof);
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
