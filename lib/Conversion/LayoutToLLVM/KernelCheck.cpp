//===- KernelCheck.cpp - What a kernel must satisfy to be lowered ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DotLayout.h"
#include "KernelPreparation.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

class KernelChecker {
public:
  KernelChecker(gpu::GPUFuncOp kernel, const TargetInstructions &instructions)
      : kernel(kernel), instructions(instructions) {}

  LogicalResult run() {
    FailureOr<BlockShape> shape = blockShapeOf(kernel, target());
    if (failed(shape))
      return kernel.emitOpError()
             << "needs known_block_size = [n, 1, 1] with n a power of two of "
                "at "
                "least "
             << target().warpSize << ", the warp size of " << target().name;
    block = *shape;
    if ((1u << block.threadBits) > target().maxThreadsPerBlock)
      return kernel.emitOpError()
             << "has blocks of " << (1u << block.threadBits) << " threads, "
             << target().name << " allows " << target().maxThreadsPerBlock;
    for (Type type : kernel.getArgumentTypes())
      if (!isa<MemRefType>(type))
        return kernel.emitOpError() << "has an argument of type " << type
                                    << ", expected only memrefs";
    WalkResult result = kernel.walk([&](Operation *op) {
      return failed(checkTiles(op)) || failed(checkOp(op))
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    return failure(result.wasInterrupted() || failed(setClusterBlocks()) ||
                   failed(checkSharedOwners(kernel)) ||
                   failed(checkCapacity()));
  }

private:
  const TargetDescription &target() const { return instructions.target; }

  /// Every tile says where it lives, and the block has these places.
  LogicalResult checkTiles(Operation *op) {
    for (TypeRange types :
         {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
      for (Type type : types) {
        auto tile = dyn_cast<RankedTensorType>(type);
        if (!tile)
          continue;
        LinearLayoutAttr layout = getLayout(tile);
        if (!layout)
          return op->emitOpError() << "has a tile without a layout, " << tile
                                   << "; run layout-assign first";
        if (failed(checkPlaces(op, layout)))
          return failure();
      }
    return success();
  }

  LogicalResult checkPlaces(Operation *op, LinearLayoutAttr layout) {
    unsigned lanes = layout.getBases(PlaceDim::Lane).size();
    unsigned warps = layout.getBases(PlaceDim::Warp).size();
    if (failed(checkCluster(op, layout)))
      return failure();
    if (lanes > block.laneBits || warps > block.threadBits - block.laneBits)
      return op->emitOpError()
             << "has a tile on " << (1 << lanes) << " lanes and "
             << (1 << warps) << " warps, but the block has "
             << (1 << block.laneBits) << " lanes and "
             << (1 << (block.threadBits - block.laneBits)) << " warps";
    if (layout.getBases(PlaceDim::Register).size() > 12)
      return op->emitOpError()
             << "has a tile with " << layout.getSize(PlaceDim::Register)
             << " registers a thread, expected at most 4096";
    return success();
  }

  LogicalResult checkCluster(Operation *op, LinearLayoutAttr layout) {
    int64_t blocks = layout.getSize(PlaceDim::Block);
    if (blocks > 1 && blocks > target().maxClusterBlocks)
      return op->emitOpError()
             << "has a tile that is spread over " << blocks
             << " blocks, but a cluster of " << target().name << " has at most "
             << std::max(1u, target().maxClusterBlocks) << ": " << layout;
    return success();
  }

  /// The kernel has clusters of as many blocks as its tiles are spread over.
  LogicalResult setClusterBlocks() {
    int64_t blocks = clusterBlocksOf(kernel);
    if (blocks == 1)
      return success();
    std::optional<ArrayRef<int32_t>> grid = kernel.getKnownGridSize();
    if (grid && (*grid)[0] % blocks)
      return kernel.emitOpError() << "has a grid of " << (*grid)[0]
                                  << " blocks along x, expected a multiple of "
                                     "the "
                                  << blocks << " blocks of its clusters";
    kernel->setAttr(clusterBlocksName,
                    Builder(kernel.getContext()).getI64IntegerAttr(blocks));
    return success();
  }

  static bool isByteFloat(Type type) {
    Type element = getElementTypeOrSelf(type);
    return isa<RankedTensorType>(type) && registerType(element) != element;
  }

  /// Conversions are from and to what a chip computes with.
  LogicalResult checkWideType(Operation *op, Type narrow, Type wide) {
    Type element = getElementTypeOrSelf(wide);
    if (!isByteFloat(narrow) || element.isF16() || element.isBF16() ||
        element.isF32())
      return success();
    return op->emitOpError()
           << "converts between " << getElementTypeOrSelf(narrow) << " and "
           << element << ", expected f16, bf16 or f32";
  }

  /// They are rounded to nearest even, as the chips do.
  LogicalResult checkTruncation(arith::TruncFOp op) {
    if (failed(checkWideType(op, op.getType(), op.getIn().getType())))
      return failure();
    auto mode =
        op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even);
    if (!isByteFloat(op.getType()) ||
        mode == arith::RoundingMode::to_nearest_even)
      return success();
    return op.emitOpError() << "rounds " << getElementTypeOrSelf(op.getType())
                            << " by '" << arith::stringifyRoundingMode(mode)
                            << "', expected to_nearest_even";
  }

  /// There is no arithmetic on 8-bit floats.
  LogicalResult checkByteFloats(Operation *op) {
    if (auto truncation = dyn_cast<arith::TruncFOp>(op))
      return checkTruncation(truncation);
    if (auto extension = dyn_cast<arith::ExtFOp>(op))
      return checkWideType(op, extension.getIn().getType(),
                           extension.getType());
    if (!op->hasTrait<OpTrait::Elementwise>())
      return success();
    for (TypeRange types :
         {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
      for (Type type : types)
        if (isByteFloat(type))
          return op->emitOpError()
                 << "computes with " << getElementTypeOrSelf(type)
                 << ", which can only be moved, multiplied by layout.dot, "
                    "extended by arith.extf and rounded to by arith.truncf";
    return success();
  }

  LogicalResult checkOp(Operation *op) {
    if (failed(checkByteFloats(op)))
      return failure();
    if (auto dot = dyn_cast<DotOp>(op))
      if (failed(checkDot(dot)))
        return failure();
    if (auto convert = dyn_cast<ConvertOp>(op))
      if (failed(checkConvert(convert)))
        return failure();
    if (auto gather = dyn_cast<GatherOp>(op))
      if (failed(checkGather(gather)))
        return failure();
    if (auto copy = dyn_cast<AsyncCopyOp>(op)) {
      if (!copy.getVia())
        return copy.emitOpError("does not say which thread copies what; set "
                                "the attribute via to a register layout");
      if (failed(checkPlaces(op, *copy.getVia())))
        return failure();
    }
    return checkScratch(op);
  }

  LogicalResult checkDot(DotOp op) {
    if (planDot(op, block, instructions))
      return success();
    Type element = getElementTypeOrSelf(op.getA().getType());
    if (instructions.matrix(element))
      return op.emitOpError()
             << "has layouts that fit neither the matrix instruction of "
             << target().name << " nor multiply-adds: a "
             << getLayout(op.getA().getType()) << ", b "
             << getLayout(op.getB().getType()) << ", c "
             << getLayout(op.getC().getType());
    return op.emitOpError() << "cannot be lowered: " << target().name
                            << " has no matrix instruction for " << element
                            << ", and the layouts do not fit multiply-adds";
  }

  LogicalResult checkConvert(ConvertOp op) {
    auto plan = planConvert(op, target());
    if (!plan)
      return op.emitOpError(llvm::toString(plan.takeError()));
    if (!plan->verified)
      return op.emitOpError("has a plan that does not move every element");
    return success();
  }

  /// Only gathers do not go on from one block to the next.
  LogicalResult checkGather(GatherOp op) {
    LinearLayoutAttr source = getLayout(op.getSource().getType());
    LinearLayoutAttr result = getLayout(op.getType());
    if (gathersWithinBlocks(source.getLinear(), result.getLinear(),
                            op.getAxis()))
      return success();
    return op.emitOpError() << "reads elements of other blocks along dim "
                            << op.getAxis() << ", from " << source << " to "
                            << result << "; convert the source first";
  }

  LogicalResult checkScratch(Operation *op) {
    int64_t bytes = scratchBytes(op, target());
    if (!bytes)
      return success();
    auto offset = op->getAttrOfType<IntegerAttr>(offsetAttrName);
    if (!offset || offset.getInt() < 0 || offset.getInt() % 16)
      return op->emitOpError()
             << "needs " << bytes << " bytes of shared memory but has no valid "
             << offsetAttrName << "; run layout-allocate-shared first";
    sharedEnd = std::max(sharedEnd, offset.getInt() + bytes);
    return success();
  }

  LogicalResult checkCapacity() {
    auto total = kernel->getAttrOfType<IntegerAttr>(sharedBytesAttrName);
    if (total && total.getInt() < sharedEnd)
      return kernel.emitOpError()
             << "has " << sharedBytesAttrName << " = " << total.getInt()
             << ", but its ops use " << sharedEnd << " bytes";
    if (!total)
      kernel->setAttr(
          sharedBytesAttrName,
          Builder(kernel.getContext()).getI64IntegerAttr(sharedEnd));
    int64_t need = total ? total.getInt() : sharedEnd;
    if (need > target().sharedBytesPerBlock)
      return kernel.emitOpError()
             << "needs " << need << " bytes of shared memory, " << target().name
             << " has " << target().sharedBytesPerBlock << " per block";
    return success();
  }

  gpu::GPUFuncOp kernel;
  const TargetInstructions &instructions;
  BlockShape block{};
  int64_t sharedEnd = 0;
};

} // namespace

int64_t mirage::clusterBlocksOf(gpu::GPUFuncOp kernel) {
  int64_t blocks = 1;
  auto add = [&](LinearLayoutAttr layout) {
    if (layout)
      blocks = std::max(blocks, layout.getSize(PlaceDim::Block));
  };
  kernel.walk([&](Operation *op) {
    for (TypeRange types :
         {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
      for (Type type : types)
        add(getLayout(type));
    if (auto copy = dyn_cast<AsyncCopyOp>(op))
      add(copy.getVia().value_or(LinearLayoutAttr()));
  });
  return blocks;
}

LogicalResult mirage::checkKernel(gpu::GPUFuncOp kernel,
                                  const TargetInstructions &instructions) {
  return KernelChecker(kernel, instructions).run();
}
