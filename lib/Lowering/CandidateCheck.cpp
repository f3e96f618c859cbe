//===- CandidateCheck.cpp - Layouts of a candidate, proved ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Lowering/CandidateCheck.h"

#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Lowering/LowerPipeline.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mirage;

static void buildCheckPipeline(OpPassManager &passes, StringRef target) {
  LowerOptions options;
  options.target = target.str();
  options.emit = EmitKind::Layout;
  buildLowerPipeline(passes, options);
  passes.addPass(createLayoutValidate({target.str()}));
  passes.addPass(createConvertLayoutToLLVM({target.str()}));
}

void mirage::getLoweringDialects(DialectRegistry &registry) {
  OpPassManager passes(ModuleOp::getOperationName());
  buildCheckPipeline(passes, defaultTargetName);
  passes.getDependentDialects(registry);
}

llvm::Error mirage::checkLowering(func::FuncOp function,
                                  const TargetDescription &target) {
  MLIRContext *context = function.getContext();
  OwningOpRef<ModuleOp> module = ModuleOp::create(function.getLoc());
  func::FuncOp copy = function.clone();
  module->push_back(copy);
  // The first error is the reason; the rest follows from it.
  std::string reason;
  ScopedDiagnosticHandler keep(context, [&](Diagnostic &diagnostic) {
    if (reason.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
      reason = diagnostic.str();
    return success();
  });
  PassManager passes(context);
  buildCheckPipeline(passes, target.name);
  if (succeeded(passes.run(*module)))
    return llvm::Error::success();
  return llvm::createStringError(
      "its lowering for " + target.name.str() + " is wrong: " +
      (reason.empty() ? "no reason was given" : reason));
}
