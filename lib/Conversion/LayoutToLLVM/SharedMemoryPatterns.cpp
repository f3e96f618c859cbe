//===- SharedMemoryPatterns.cpp - Tiles in shared memory
//--------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedEmitter.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

struct AllocPattern final : TilePattern<AllocSharedOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(AllocSharedOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    rewriter.replaceOp(op, sharedPointer(b, offset));
    return success();
  }
};

struct BarrierPattern final : TilePattern<BarrierOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(BarrierOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    instructions.blockBarrier(b);
    rewriter.eraseOp(op);
    return success();
  }
};

struct LocalLoadPattern final : TilePattern<LocalLoadOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(LocalLoadOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getType());
    SharedType shared = op.getSource().getType();
    auto plan = planSharedTile(getLayout(tile), shared.getLayout(),
                               tile.getElementType(), instructions.target,
                               /*isStore=*/false);
    if (!plan)
      return op.emitOpError(llvm::toString(plan.takeError()));
    ThreadEmitter threads(b, instructions);
    Value base = slotPointer(b, adaptor.getSource().front(), shared,
                             op.getSlot() ? adaptor.getSlot() : ValueRange());
    SharedEmitter emitter(b, threads, instructions, blockShape(op), base,
                          tile.getElementType());
    rewriter.replaceOpWithMultiple(op, {emitter.load(*plan)});
    return success();
  }
};

struct LocalStorePattern final : TilePattern<LocalStoreOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(LocalStoreOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getValue().getType());
    SharedType shared = op.getDest().getType();
    auto plan = planSharedTile(getLayout(tile), shared.getLayout(),
                               tile.getElementType(), instructions.target,
                               /*isStore=*/true);
    if (!plan)
      return op.emitOpError(llvm::toString(plan.takeError()));
    ThreadEmitter threads(b, instructions);
    Value base = slotPointer(b, adaptor.getDest().front(), shared,
                             op.getSlot() ? adaptor.getSlot() : ValueRange());
    SharedEmitter emitter(b, threads, instructions, blockShape(op), base,
                          tile.getElementType());
    emitter.store(*plan, adaptor.getValue());
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void mirage::populateSharedMemoryPatterns(
    RewritePatternSet &patterns, const TypeConverter &converter,
    const TargetInstructions &instructions) {
  patterns
      .add<AllocPattern, BarrierPattern, LocalLoadPattern, LocalStorePattern>(
          converter, patterns.getContext(), instructions);
}
