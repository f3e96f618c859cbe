//===- LayoutFoldConversions.cpp - Remove, merge and move conversions -----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/Transforms/Passes.h"

#include "AssignProblem.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTFOLDCONVERSIONSPASS
#include "mirage/Dialect/Layout/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static RankedTensorType tileType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// convert(full of c) is full of c.
struct FoldConstant final : OpRewritePattern<ConvertOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvertOp op,
                                PatternRewriter &rewriter) const override {
    auto constant = op.getValue().getDefiningOp<arith::ConstantOp>();
    auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue())
                          : SplatElementsAttr();
    if (!splat)
      return rewriter.notifyMatchFailure(op, "operand is not a splat");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, cast<TypedAttr>(DenseElementsAttr::get(
                tileType(op.getResult()), splat.getSplatValue<Attribute>())));
    return success();
  }
};

/// convert(extf(x)) = extf(convert(x)): the narrow values travel.
struct ConvertBeforeWidening final : OpRewritePattern<ConvertOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvertOp op,
                                PatternRewriter &rewriter) const override {
    auto extension = op.getValue().getDefiningOp<arith::ExtFOp>();
    if (!extension)
      return rewriter.notifyMatchFailure(op, "operand is not widened");
    Value narrow = extension.getIn();
    auto type = tileType(op.getResult());
    auto converted = ConvertOp::create(
        rewriter, op.getLoc(),
        RankedTensorType::get(type.getShape(),
                              tileType(narrow).getElementType(),
                              type.getEncoding()),
        narrow);
    rewriter.replaceOpWithNewOp<arith::ExtFOp>(op, type, converted.getResult());
    return success();
  }
};

/// truncf(convert(x)) = convert(truncf(x)) if nobody else wants convert(x).
struct ConvertAfterNarrowing final : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    auto convert = op.getIn().getDefiningOp<ConvertOp>();
    if (!convert || !convert->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no conversion of its own");
    Value wide = convert.getValue();
    auto narrow = RankedTensorType::get(
        tileType(wide).getShape(), tileType(op.getResult()).getElementType(),
        tileType(wide).getEncoding());
    auto truncated =
        arith::TruncFOp::create(rewriter, op.getLoc(), narrow, wide);
    rewriter.replaceOpWithNewOp<ConvertOp>(op, op.getType(),
                                           truncated.getResult());
    return success();
  }
};

/// convert(view(x)) = view(convert(x)): the conversion stands at what it reads,
/// where it may meet another one or a load.
struct ConvertThroughView final : OpRewritePattern<ConvertOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvertOp op,
                                PatternRewriter &rewriter) const override {
    Operation *view = op.getValue().getDefiningOp();
    if (!view || !isa<TransposeOp, ReshapeOp>(view))
      return rewriter.notifyMatchFailure(op, "operand is no view");
    LinearLayoutAttr wanted =
        operandOfResult(view, getLayout(op.getResult().getType()));
    Value operand = view->getOperand(0);
    auto converted = ConvertOp::create(
        rewriter, op.getLoc(), withLayout(tileType(operand), wanted), operand);
    Operation *moved = rewriter.clone(*view);
    moved->setOperand(0, converted);
    moved->getResult(0).setType(op.getResult().getType());
    rewriter.replaceOp(op, moved);
    return success();
  }
};

class LayoutFoldConversions final
    : public mirage::impl::LayoutFoldConversionsPassBase<
          LayoutFoldConversions> {
public:
  using LayoutFoldConversionsPassBase::LayoutFoldConversionsPassBase;

  void runOnOperation() override {
    if (!lookupTarget(target)) {
      getOperation().emitError("unknown target '")
          << target << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldConstant, ConvertBeforeWidening, ConvertAfterNarrowing,
                 ConvertThroughView>(&getContext());
    FrozenRewritePatternSet frozen(std::move(patterns));
    SmallVector<gpu::GPUFuncOp> kernels;
    getOperation().walk(
        [&](gpu::GPUFuncOp kernel) { kernels.push_back(kernel); });
    for (gpu::GPUFuncOp kernel : kernels) {
      if (failed(applyPatternsGreedily(kernel, frozen)))
        return signalPassFailure();
      hoist(kernel);
      mergeEqual(kernel);
    }
  }

private:
  /// Moves conversions of values that a loop does not change out of the loop.
  static void hoist(gpu::GPUFuncOp kernel) {
    kernel.walk<WalkOrder::PostOrder>([](scf::ForOp loop) {
      SmallVector<ConvertOp> conversions(loop.getBody()->getOps<ConvertOp>());
      for (ConvertOp convert : conversions)
        if (loop.isDefinedOutsideOfLoop(convert.getValue()))
          convert->moveBefore(loop);
    });
  }

  /// One conversion of a value to a layout is enough: the first in a block.
  static void mergeEqual(gpu::GPUFuncOp kernel) {
    kernel.walk([](Block *block) {
      DenseMap<std::pair<Value, Type>, ConvertOp> first;
      for (ConvertOp convert :
           llvm::make_early_inc_range(block->getOps<ConvertOp>())) {
        auto [entry, isNew] =
            first.try_emplace({convert.getValue(), convert.getType()}, convert);
        if (isNew)
          continue;
        convert.replaceAllUsesWith(entry->second.getResult());
        convert.erase();
      }
    });
  }
};
} // namespace
