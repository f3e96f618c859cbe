//===- Pipelines.cpp - The ways through the compiler ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Pipelines/Pipelines.h"

#include "mirage/Search/Transforms/Passes.h"
#include "mirage/Verify/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace mirage;

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
