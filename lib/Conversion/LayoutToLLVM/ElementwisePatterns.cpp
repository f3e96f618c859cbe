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

/// For each register the first one that holds the same element: a value that is
/// replicated in a thread is computed once.
static SmallVector<unsigned> firstCopies(LinearLayoutAttr layout) {
  return canonicalRegisters(flatMap(layout, BlockShape{0, 0}));
}

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
    if (!type || !getLayout(type) || from.size() < 2 ||
        registerType(type.getElementType()) != type.getElementType())
      return rewriter.notifyMatchFailure(op, "not a tile of pairs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type pair = VectorType::get(2, type.getElementType());
    SmallVector<unsigned> copyOf = firstCopies(getLayout(type)), distinct;
    for (unsigned r = 0; r < copyOf.size(); ++r)
      if (copyOf[r] == r)
        distinct.push_back(r);
    SmallVector<Value> registers(copyOf.size());
    for (size_t i = 0; i < distinct.size(); i += 2) {
      unsigned first = distinct[i];
      unsigned second = distinct[std::min(i + 1, distinct.size() - 1)];
      Value narrow = LLVM::FPTruncOp::create(
          b, pair, packVector(b, {from[first], from[second]}));
      SmallVector<Value> parts = unpackVector(b, narrow);
      registers[second] = parts[1];
      registers[first] = parts[0];
    }
    for (unsigned r = 0; r < copyOf.size(); ++r)
      registers[r] = registers[copyOf[r]];
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
    for (auto [r, first] : llvm::enumerate(firstCopies(layout))) {
      if (first != r) {
        registers.push_back(registers[first]);
        continue;
      }
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
