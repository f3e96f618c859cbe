//===- LowerPipeline.cpp - From block graphs to code ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Lowering/LowerPipeline.h"

#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Conversion/MuGraphToLayout/MuGraphToLayout.h"
#include "mirage/Dialect/Layout/Transforms/Passes.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
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
  passes.addPass(createLayoutDeferReductionsPass());
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
