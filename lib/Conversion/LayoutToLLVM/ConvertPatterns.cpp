//===- ConvertPatterns.cpp - Conversions between register layouts ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The algebra plans a conversion (ConversionPlan.h); here the plan is emitted.
//
//===----------------------------------------------------------------------===//

#include "ConversionEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {
struct ConvertPattern final : TilePattern<ConvertOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ConvertOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto plan = planConvert(op, instructions.target);
    if (!plan)
      return op.emitOpError(llvm::toString(plan.takeError()));
    auto offset = op->getAttrOfType<IntegerAttr>(offsetAttrName);
    bool isRepeated = op->getParentOfType<LoopLikeOpInterface>() != nullptr;
    rewriter.replaceOpWithMultiple(
        op, {emitConversion(b, instructions, blockShape(op), *plan,
                            offset ? offset.getInt() : 0, isRepeated,
                            adaptor.getValue())});
    return success();
  }
};
} // namespace

void mirage::populateConvertPatterns(RewritePatternSet &patterns,
                                     const TypeConverter &converter,
                                     const TargetInstructions &instructions) {
  patterns.add<ConvertPattern>(converter, patterns.getContext(), instructions);
}
