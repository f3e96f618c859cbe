//===- BytePatterns.cpp - Conversions from bytes, register by register ----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

struct ExtendPattern final : TilePattern<arith::ExtFOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(arith::ExtFOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn().getType());
    if (!getLayout(op.getType()) || from.getIntOrFloatBitWidth() != 8)
      return rewriter.notifyMatchFailure(op, "not a tile of 8-bit floats");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOpWithMultiple(
        op, {ByteEmitter(b, instructions)
                 .extendFloats(adaptor.getIn(), from,
                               getElementTypeOrSelf(op.getType()))});
    return success();
  }
};

/// arith.sitofp and arith.uitofp.
struct TruncatePattern final : TilePattern<arith::TruncFOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(arith::TruncFOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type to = getElementTypeOrSelf(op.getType());
    if (!getLayout(op.getType()) || to.getIntOrFloatBitWidth() != 8)
      return rewriter.notifyMatchFailure(op, "not to a tile of 8-bit floats");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOpWithMultiple(
        op, {ByteEmitter(b, instructions).truncateFloats(adaptor.getIn(), to)});
    return success();
  }
};

template <typename Op, bool isSigned>
struct FromIntegerPattern final : TilePattern<Op> {
  using TilePattern<Op>::TilePattern;

  LogicalResult
  matchAndRewrite(Op op, typename FromIntegerPattern::OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getIn().getType());
    Type to = getElementTypeOrSelf(op.getType());
    if (!getLayout(op.getType()) || !from.isInteger(8) || to.isF64())
      return rewriter.notifyMatchFailure(op, "not a tile of bytes");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOpWithMultiple(
        op, {ByteEmitter(b, this->instructions)
                 .convertIntegers(adaptor.getIn(), isSigned, to)});
    return success();
  }
};

struct UnpackPattern final : TilePattern<UnpackOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(UnpackOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOpWithMultiple(
        op, {ByteEmitter(b, instructions)
                 .unpack(adaptor.getValue(), !op.getIsUnsigned(),
                         getElementTypeOrSelf(op.getType()))});
    return success();
  }
};

} // namespace

void mirage::populateBytePatterns(RewritePatternSet &patterns,
                                  const TypeConverter &converter,
                                  const TargetInstructions &instructions) {
  patterns.add<ExtendPattern, TruncatePattern,
               FromIntegerPattern<arith::SIToFPOp, true>,
               FromIntegerPattern<arith::UIToFPOp, false>, UnpackPattern>(
      converter, patterns.getContext(), instructions);
}
