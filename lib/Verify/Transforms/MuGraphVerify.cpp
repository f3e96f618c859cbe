//===- MuGraphVerify.cpp - Check what functions claim to implement --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Claims.h"

#include "mirage/Verify/Transforms/Passes.h"
#include "mirage/Verify/Verify.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHVERIFYPASS
#include "mirage/Verify/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;

namespace {

class MuGraphVerifyPass final
    : public mirage::impl::MuGraphVerifyPassBase<MuGraphVerifyPass> {
public:
  using Base::Base;

  void runOnOperation() override;

private:
  /// Checks one function that has the attribute.
  LogicalResult check(func::FuncOp function, raw_ostream &lines,
                      raw_ostream &certificates);
  LogicalResult diagnose(func::FuncOp function, func::FuncOp spec,
                         const verify::Report &result);
  LogicalResult writeFile(StringRef name, StringRef what, StringRef lines);
};

} // namespace

LogicalResult MuGraphVerifyPass::diagnose(func::FuncOp function,
                                          func::FuncOp spec,
                                          const verify::Report &result) {
  StringRef verdict;
  if (result.status == verify::Status::Different)
    verdict = "is not equivalent to @";
  else if (result.status == verify::Status::Undecided)
    verdict = "cannot be shown to be equivalent to @";
  else if (proof == verify::ProofMode::Require &&
           result.status != verify::Status::Proved)
    verdict = "has no proof of equivalence to @";
  else
    return success();
  verify::setRefused(getOperation());
  InFlightDiagnostic error = function.emitError()
                             << "@" << function.getSymName() << " " << verdict
                             << spec.getSymName();
  if (!result.reason.empty())
    error << ": " << result.reason;
  else
    error << ": " << result.tests << " random tests passed, but "
          << result.noProof;
  error.attachNote(spec.getLoc()) << "the specification is here";
  return failure();
}

LogicalResult MuGraphVerifyPass::check(func::FuncOp function,
                                       raw_ostream &lines,
                                       raw_ostream &certificates) {
  FailureOr<func::FuncOp> found = verify::findSpec(function);
  if (failed(found))
    return failure();
  func::FuncOp spec = *found;
  verify::Options options;
  options.errorLog2 = errorLog2;
  options.seed = seed;
  options.proof = proof != verify::ProofMode::Off;
  options.certificate = !certificate.empty();
  options.showInputs = true;
  verify::Report result = verify::checkEquivalent(spec, function, options);
  llvm::json::OStream json(lines);
  json.object([&] {
    json.attribute("function", function.getSymName());
    json.attribute("implements", spec.getSymName());
    json.attributeBegin("verification");
    result.print(json);
    json.attributeEnd();
  });
  lines << "\n";
  if (result.certificate) {
    result.certificate->insert({"function", function.getSymName()});
    result.certificate->insert({"implements", spec.getSymName()});
    certificates << llvm::json::Value(std::move(*result.certificate)) << "\n";
  }
  return diagnose(function, spec, result);
}

LogicalResult MuGraphVerifyPass::writeFile(StringRef name, StringRef what,
                                           StringRef lines) {
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(name, &message);
  if (!file)
    return getOperation().emitError()
           << "the " << what << " cannot be written: " << message;
  file->os() << lines;
  file->keep();
  return success();
}

void MuGraphVerifyPass::runOnOperation() {
  std::string lines, certificates;
  llvm::raw_string_ostream os(lines), certificateStream(certificates);
  bool allEqual = true;
  for (func::FuncOp function : verify::findClaims(getOperation()))
    allEqual &= succeeded(check(function, os, certificateStream));
  if (!report.empty())
    allEqual &= succeeded(writeFile(report, "report", lines));
  if (!certificate.empty())
    allEqual &= succeeded(writeFile(certificate, "certificate", certificates));
  if (!allEqual)
    return signalPassFailure();
  markAllAnalysesPreserved();
}
