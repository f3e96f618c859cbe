//===- LayoutPipelineLoads.cpp - Load the next tiles before computing these
//===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/Transforms/Passes.h"

#include "LoopLoads.h"
#include "SharedShare.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTPIPELINELOADSPASS
#include "mirage/Dialect/Layout/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// Shared memory that the tiles in flight of a block may use: its share, less
/// what conversions and reductions need.
static int64_t sharedBudget(gpu::GPUFuncOp kernel,
                            const TargetDescription &target) {
  int64_t scratch = 0;
  kernel.walk([&](Operation *op) {
    if (isa<ConvertOp, ReduceOp, ScanOp, GatherOp>(op))
      scratch = std::max(scratch, scratchBytes(op, target));
  });
  return sharedShare(kernel, target) - scratch;
}

namespace {
class LayoutPipelineLoads final
    : public mirage::impl::LayoutPipelineLoadsPassBase<LayoutPipelineLoads> {
public:
  using LayoutPipelineLoadsPassBase::LayoutPipelineLoadsPassBase;

  void runOnOperation() override {
    const TargetDescription *chip = lookupTarget(target);
    if (!chip) {
      getOperation().emitError("unknown target '")
          << target << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    if (stages < 2)
      return;
    SmallVector<std::pair<gpu::GPUFuncOp, scf::ForOp>> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (auto kernel = loop->getParentOfType<gpu::GPUFuncOp>())
        loops.push_back({kernel, loop});
    });
    for (auto [kernel, loop] : loops) {
      LoopLoads all(loop);
      pipelineThroughShared(all, *chip, stages, sharedBudget(kernel, *chip));
      LoopLoads rest(all.loop);
      pipelineThroughRegisters(rest, maxRegisters);
    }
  }
};
} // namespace
