//===- ReferencePipeline.cpp - From mugraph to LLVM on the host
//-------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/MuGraphToLinalg/MuGraphToLinalg.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mirage::mugraph;

namespace {
/// Makes each function callable through C, with its results as parameters:
/// after bufferization, each returned memref is copied into a memref that the
/// caller passes. (`buffer-results-to-out-params` does not accept a function
/// that returns an argument, or a value twice.)
struct ResultsToParameters final
    : PassWrapper<ResultsToParameters, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ResultsToParameters)

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<linalg::LinalgDialect, LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                      UnitAttr::get(&getContext()));
    FunctionType type = function.getFunctionType();
    SmallVector<Type> inputs(type.getInputs());
    llvm::append_range(inputs, type.getResults());
    function.setType(FunctionType::get(&getContext(), inputs, {}));
    function.setResAttrsAttr(nullptr);
    if (function.isExternal())
      return;
    Block &entry = function.front();
    SmallVector<Value> parameters;
    for (Type result : type.getResults())
      parameters.push_back(entry.addArgument(result, function.getLoc()));
    for (auto ret :
         llvm::make_early_inc_range(function.getOps<func::ReturnOp>())) {
      OpBuilder builder(ret);
      for (auto [value, parameter] :
           llvm::zip_equal(ret.getOperands(), parameters))
        linalg::makeMemRefCopyOp(builder, ret.getLoc(), value, parameter);
      ret->setOperands({});
    }
  }
};

/// Copies as loops: `memref.copy` of a slice is a call into a library that the
/// caller would have to load.
struct CopiesToLoops final
    : PassWrapper<CopiesToLoops, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CopiesToLoops)

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<linalg::LinalgDialect>();
  }

  void runOnOperation() override {
    getOperation().walk([](memref::CopyOp copy) {
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      copy.erase();
    });
  }
};
} // namespace

static void addBufferization(OpPassManager &manager) {
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  manager.addPass(bufferization::createOneShotBufferizePass(bufferize));
  manager.addNestedPass<func::FuncOp>(std::make_unique<ResultsToParameters>());
  bufferization::buildBufferDeallocationPipeline(
      manager, bufferization::BufferDeallocationPipelineOptions());
}

void mirage::mugraph::buildReferencePipeline(
    OpPassManager &manager, const ReferencePipelineOptions &options) {
  ConvertMuGraphToLinalgOptions convert;
  convert.promote = options.promote;
  manager.addPass(createConvertMuGraphToLinalg(convert));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  addBufferization(manager);
  manager.addNestedPass<func::FuncOp>(std::make_unique<CopiesToLoops>());
  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createLowerAffinePass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createConvertMathToLibmPass());
  manager.addPass(createConvertToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

LogicalResult mirage::mugraph::lowerToReference(ModuleOp module, bool promote) {
  PassManager manager(module.getContext());
  ReferencePipelineOptions options;
  options.promote = promote;
  buildReferencePipeline(manager, options);
  return manager.run(module);
}

void mirage::mugraph::registerReferencePipeline() {
  PassPipelineRegistration<ReferencePipelineOptions>(
      "mugraph-reference-pipeline",
      "Lower mugraph programs to the LLVM dialect of the host, in f64",
      buildReferencePipeline);
}
