//===- Pipelines.cpp - The ways through the compiler ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Pipelines/Pipelines.h"

#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Conversion/MuGraphToLayout/MuGraphToLayout.h"
#include "mirage/Dialect/Layout/Transforms/Passes.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"
#include "mirage/Verify/Transforms/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mirage;

void mirage::buildLowerPipeline(OpPassManager &passes,
                                const LowerOptions &options) {
  passes.addPass(createMuGraphOutlineKernels({options.target}));
  passes.addPass(createConvertMuGraphToLayoutPass({options.target}));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createLoopInvariantCodeMotionPass());
  passes.addPass(createLayoutAssignPass({options.target}));
  passes.addPass(createLayoutFoldConversionsPass({options.target}));
  LayoutPipelineLoadsPassOptions pipelining;
  pipelining.target = options.target;
  pipelining.stages = options.stages;
  passes.addPass(createLayoutPipelineLoadsPass(pipelining));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createLayoutAllocateSharedPass({options.target}));
  if (options.emit == EmitKind::Layout)
    return;
  passes.addPass(createConvertLayoutToLLVM({options.target}));
  if (options.emit == EmitKind::LLVM)
    return;
  SerializeKernelsPassOptions serialization;
  serialization.format = options.emit == EmitKind::Assembly ? "asm" : "binary";
  passes.addPass(createSerializeKernelsPass(serialization));
}

void mirage::buildCompilePipeline(OpPassManager &passes,
                                  const CompileOptions &options) {
  MuGraphSuperoptimizeOptions search;
  search.target = options.target;
  search.timeBudget = options.timeBudget;
  search.threads = options.threads;
  search.seed = options.seed;
  search.maxBlockOps = options.maxBlockOps;
  search.maxKernels = options.maxKernels;
  search.topK = options.topK;
  search.report = options.report;
  passes.addPass(createMuGraphSuperoptimize(search));
  passes.addPass(createMuGraphVerifyPass());
  buildLowerPipeline(passes, options);
}

void mirage::registerPipelines() {
  PassPipelineRegistration<LowerOptions>(
      "mirage-lower",
      "Everything after the search: kernels as tile programs, layouts, LLVM, "
      "assembly or machine code",
      buildLowerPipeline);
  PassPipelineRegistration<CompileOptions>(
      "mirage-pipeline", "Search, verify what was found, lower it",
      buildCompilePipeline);
}
