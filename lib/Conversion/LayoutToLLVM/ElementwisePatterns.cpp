//===- ElementwisePatterns.cpp - Elementwise ops, register by register ----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// A splat constant is the same scalar in every register.
struct ConstantPattern final : OpConversionPattern<arith::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinearLayoutAttr layout = getLayout(op.getType());
    auto value = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!layout || !value)
      return rewriter.notifyMatchFailure(op, "not a splat tile");
    auto element = value.getSplatValue<TypedAttr>();
    if (registerType(element.getType()) != element.getType())
      element = registerConstant(element.getType(),
                                 cast<FloatAttr>(element).getValue());
    Value scalar = arith::ConstantOp::create(rewriter, op.getLoc(), element);
    SmallVector<Value> registers(layout.getSize(PlaceDim::Register), scalar);
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

/// f32 to f16 or bf16, two at a time: targets convert pairs in one go.
struct TruncatePattern final : OpConversionPattern<arith::TruncFOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(arith::TruncFOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ValueRange from = adaptor.getIn();
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type || from.size() < 2)
      return rewriter.notifyMatchFailure(op, "not a tile of pairs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type pair = VectorType::get(2, type.getElementType());
    SmallVector<Value> registers;
    for (size_t i = 0; i < from.size(); i += 2) {
      Value narrow =
          LLVM::FPTruncOp::create(b, pair, packVector(b, from.slice(i, 2)));
      llvm::append_range(registers, unpackVector(b, narrow));
    }
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

/// Any elementwise op of arith or math: the same op on each register.
struct ElementwisePattern final : ConversionPattern {
  ElementwisePattern(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/1,
                          context) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<ValueRange> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "not elementwise");
    LinearLayoutAttr layout = getLayout(op->getResult(0).getType());
    if (!layout)
      return rewriter.notifyMatchFailure(op, "not on tiles with a layout");
    Type element = getElementTypeOrSelf(op->getResult(0).getType());
    SmallVector<Value> registers;
    for (int64_t r = 0, e = layout.getSize(PlaceDim::Register); r < e; ++r) {
      OperationState state(op->getLoc(), op->getName());
      for (auto [operand, values] :
           llvm::zip_equal(op->getOperands(), operands))
        state.operands.push_back(
            isa<RankedTensorType>(operand.getType()) ? values[r] : values[0]);
      state.addTypes(element);
      state.addAttributes(op->getAttrs());
      registers.push_back(rewriter.create(state)->getResult(0));
    }
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

} // namespace

void mirage::populateElementwisePatterns(RewritePatternSet &patterns,
                                         const TypeConverter &converter) {
  patterns.add<ConstantPattern, TruncatePattern>(
      converter, patterns.getContext(), /*benefit=*/2);
  patterns.add<ElementwisePattern>(converter, patterns.getContext());
}
