//===- Scratch.cpp - Shared memory an op needs while it runs --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

llvm::Expected<SharedAccess>
mirage::planSharedStore(const LinearLayout &registers,
                        const LinearLayout &shared, unsigned elementBits,
                        const TargetDescription &target) {
  SharedAccessOptions options;
  options.isStore = true;
  return planSharedAccess(registers, shared, elementBits, target, options);
}

llvm::Expected<ConversionPlan>
mirage::planConvert(ConvertOp op, const TargetDescription &target) {
  auto tile = cast<RankedTensorType>(op.getType());
  return planConversion(getLayout(op.getValue().getType()).getLinear(),
                        getLayout(tile).getLinear(),
                        tile.getElementTypeBitWidth(), target);
}

static ReductionPlan planOf(ReduceOp op) {
  return planReduction(getLayout(op.getValue().getType()).getLinear(),
                       op.getAxis());
}

bool mirage::crossesBlocks(ReduceOp op) {
  return !planOf(op).blockSteps.empty();
}

int64_t mirage::reduceRegionBytes(const ReductionPlan &plan) {
  return accumulatorBytes << plan.scratch.totalOutBits();
}

int64_t mirage::reduceScratchBytes(ReduceOp op) {
  ReductionPlan plan = planOf(op);
  if (!plan.partialBits())
    return 0;
  return reduceRegionBytes(plan) * (op.getIndex() ? 2 : 1);
}

ScanPlan mirage::planScan(ScanOp op) {
  return layout::planScan(getLayout(op.getType()).getLinear(), op.getAxis());
}

int64_t mirage::scanScratchBytes(ScanOp op) {
  return planScan(op).numSlots * accumulatorBytes;
}

std::optional<GatherPlan> mirage::planGather(GatherOp op,
                                             const TargetDescription &target) {
  auto source = cast<RankedTensorType>(op.getSource().getType());
  unsigned bits = source.getElementTypeBitWidth();
  std::optional<GatherPlan> plan =
      planWarpGather(getLayout(source).getLinear(),
                     getLayout(op.getType()).getLinear(), op.getAxis());
  if (plan &&
      costInWarp(*plan, bits, target) > costThroughShared(*plan, bits, target))
    return std::nullopt;
  return plan;
}

int64_t mirage::gatherScratchBytes(GatherOp op,
                                   const TargetDescription &target) {
  auto source = cast<RankedTensorType>(op.getSource().getType());
  if (planGather(op, target))
    return 0;
  return source.getNumElements() * source.getElementTypeBitWidth() / 8;
}

int64_t mirage::convertScratchBytes(ConvertOp op,
                                    const TargetDescription &target) {
  auto plan = planConvert(op, target);
  if (!plan) {
    llvm::consumeError(plan.takeError());
    return 0;
  }
  bool usesScratch = plan->kind == ConversionKind::Shared ||
                     plan->kind == ConversionKind::Cluster;
  return usesScratch ? plan->shared.scratchBytes : 0;
}

int64_t mirage::scratchBytes(Operation *op, const TargetDescription &target) {
  if (auto alloc = dyn_cast<AllocSharedOp>(op))
    return alloc.getType().getBytes();
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduceScratchBytes(reduce);
  if (auto scan = dyn_cast<ScanOp>(op))
    return scanScratchBytes(scan);
  if (auto gather = dyn_cast<GatherOp>(op))
    return gatherScratchBytes(gather, target);
  if (auto convert = dyn_cast<ConvertOp>(op))
    return convertScratchBytes(convert, target);
  return 0;
}
