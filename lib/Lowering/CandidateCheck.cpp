//===- CandidateCheck.cpp - Layouts of a candidate, proved ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Lowering/CandidateCheck.h"

#include "mirage/Conversion/LayoutToLLVM/KernelTraffic.h"
#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Lowering/LowerPipeline.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mirage;

static void buildTilePipeline(OpPassManager &passes, StringRef target) {
  LowerOptions options;
  options.target = target.str();
  options.emit = EmitKind::Layout;
  buildLowerPipeline(passes, options);
}

static void buildProofPipeline(OpPassManager &passes, StringRef target) {
  passes.addPass(createLayoutValidate({target.str()}));
  passes.addPass(createConvertLayoutToLLVM({target.str()}));
}

void mirage::getLoweringDialects(DialectRegistry &registry) {
  OpPassManager passes(ModuleOp::getOperationName());
  buildTilePipeline(passes, defaultTargetName);
  buildProofPipeline(passes, defaultTargetName);
  passes.getDependentDialects(registry);
}

static SmallVector<std::optional<KernelCounts>>
countLaunches(ModuleOp module, const TargetDescription &target) {
  SmallVector<std::optional<KernelCounts>> counts;
  module.walk([&](layout::LaunchOp launch) {
    auto kernel = SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(
        launch, launch.getKernelAttr());
    counts.push_back(kernel ? countKernel(kernel, target) : std::nullopt);
  });
  return counts;
}

llvm::Expected<SmallVector<std::optional<KernelCounts>>>
mirage::checkLowering(func::FuncOp function, const TargetDescription &target) {
  MLIRContext *context = function.getContext();
  OwningOpRef<ModuleOp> module = ModuleOp::create(function.getLoc());
  module->push_back(function.clone());
  // The first error is the reason; the rest follows from it.
  std::string reason;
  ScopedDiagnosticHandler keep(context, [&](Diagnostic &diagnostic) {
    if (reason.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
      reason = diagnostic.str();
    return success();
  });
  PassManager tiles(context), proofs(context);
  buildTilePipeline(tiles, target.name);
  buildProofPipeline(proofs, target.name);
  SmallVector<std::optional<KernelCounts>> counts;
  bool isRight = succeeded(tiles.run(*module));
  if (isRight) {
    counts = countLaunches(*module, target);
    isRight = succeeded(proofs.run(*module));
  }
  if (isRight)
    return counts;
  return llvm::createStringError(
      "its lowering for " + target.name.str() +
      " is wrong: " + (reason.empty() ? "no reason was given" : reason));
}
