//===- MuGraphVerify.cpp - Check what functions claim to implement --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Transforms/Passes.h"
#include "mirage/Verify/Verify.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHVERIFYPASS
#include "mirage/Verify/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;

static constexpr llvm::StringLiteral implementsName = "mugraph.implements";

namespace {

class MuGraphVerifyPass final
    : public mirage::impl::MuGraphVerifyPassBase<MuGraphVerifyPass> {
public:
  using Base::Base;

  void runOnOperation() override;

private:
  /// Checks one function that has the attribute.
  LogicalResult check(func::FuncOp function, raw_ostream &lines);
  LogicalResult diagnose(func::FuncOp function, func::FuncOp spec,
                         const verify::Report &result);
  LogicalResult writeReport(StringRef lines);
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
                                       raw_ostream &lines) {
  Attribute attribute = function->getAttr(implementsName);
  auto name = dyn_cast<FlatSymbolRefAttr>(attribute);
  if (!name)
    return function.emitError()
           << "attribute '" << implementsName << "' is " << attribute
           << ", expected the symbol of a function such as @f.spec";
  auto spec =
      SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(function, name);
  if (!spec)
    return function.emitError()
           << "attribute '" << implementsName << "' names " << name
           << ", but there is no function of that name";

  verify::Options options;
  options.errorLog2 = errorLog2;
  options.seed = seed;
  options.proof = proof != verify::ProofMode::Off;
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
  return diagnose(function, spec, result);
}

LogicalResult MuGraphVerifyPass::writeReport(StringRef lines) {
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(report, &message);
  if (!file)
    return getOperation().emitError()
           << "the report cannot be written: " << message;
  file->os() << lines;
  file->keep();
  return success();
}

void MuGraphVerifyPass::runOnOperation() {
  SmallVector<func::FuncOp> functions;
  getOperation().walk([&](func::FuncOp function) {
    if (function->hasAttr(implementsName))
      functions.push_back(function);
  });
  std::string lines;
  llvm::raw_string_ostream os(lines);
  bool allEqual = true;
  for (func::FuncOp function : functions)
    allEqual &= succeeded(check(function, os));
  if (!report.empty())
    allEqual &= succeeded(writeReport(lines));
  if (!allEqual)
    return signalPassFailure();
  markAllAnalysesPreserved();
}
