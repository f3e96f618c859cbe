//===- ViewPatterns.cpp - Ops that rename registers, and masks ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// Transpose and reshape rewrite the bases in place: register r stays r.
template <typename Op>
struct SameRegistersPattern final : TilePattern<Op> {
  using TilePattern<Op>::TilePattern;

  LogicalResult
  matchAndRewrite(Op op, typename SameRegistersPattern::OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithMultiple(op, {adaptor.getValue()});
    return success();
  }
};

/// Each register of the result is the register of the operand that holds the
/// same element with the grown dims at 0.
struct BroadcastPattern final : TilePattern<BroadcastOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(BroadcastOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto from = cast<RankedTensorType>(op.getValue().getType());
    auto to = cast<RankedTensorType>(op.getType());
    uint64_t grown = 0;
    for (int64_t d = 0; d < to.getRank(); ++d)
      if (from.getDimSize(d) != to.getDimSize(d))
        grown |= uint64_t{1} << d;
    BlockShape block = blockShape(op);
    auto sources = matchRegisters(flatMap(getLayout(from), block),
                                  flatMapWithout(getLayout(to), block, grown));
    if (failed(sources))
      return rewriter.notifyMatchFailure(op, "operand lives elsewhere");
    SmallVector<Value> registers;
    for (unsigned source : *sources)
      registers.push_back(adaptor.getValue()[source]);
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

/// Register 2r + i is register r of operand i.
struct JoinPattern final : TilePattern<JoinOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(JoinOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> registers;
    for (auto [first, second] :
         llvm::zip_equal(adaptor.getFirst(), adaptor.getSecond()))
      registers.append({first, second});
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

struct SplitPattern final : TilePattern<SplitOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(SplitOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinearLayoutAttr layout = getLayout(op.getValue().getType());
    unsigned bit = *layout.getSplitRegister();
    ThreadMap halves = dimMap(layout, layout.getRank() - 1, blockShape(op));
    SmallVector<Value> first, second;
    for (unsigned r = 0; r < halves.numRegisters(); ++r) {
      if ((r >> bit) & 1)
        continue;
      // Other register bits may move along the last dim too.
      unsigned flip = 1u << bit, here = halves.ofRegister(r) ? r ^ flip : r;
      first.push_back(adaptor.getValue()[here]);
      second.push_back(adaptor.getValue()[here ^ flip]);
    }
    rewriter.replaceOpWithMultiple(op, {first, second});
    return success();
  }
};

struct MaskPattern final : TilePattern<MaskOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(MaskOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto inside = op->getAttrOfType<DenseBoolArrayAttr>(insideName);
    if (inside && inside[0]) {
      rewriter.replaceOpWithMultiple(op, {adaptor.getValue()});
      return success();
    }
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getType());
    ThreadEmitter threads(b, instructions);
    MapEmitter numbers(b, threads,
                       dimMap(getLayout(tile), op.getDim(), blockShape(op)));
    Value start = arith::IndexCastOp::create(b, b.getI32Type(),
                                             adaptor.getOffset().front());
    Value neutral = LLVM::ConstantOp::create(
        b, registerType(tile.getElementType()),
        registerConstant(tile.getElementType(), op.getNeutral()));
    llvm::DenseMap<std::pair<uint64_t, uint64_t>, Value> conditions;
    SmallVector<Value> registers;
    for (auto [index, value] : llvm::enumerate(adaptor.getValue())) {
      MapEmitter::Number number = numbers.at(index);
      Value &keep = conditions[{number.constant, number.mixed}];
      if (!keep) {
        // start + dynamic < extent - constant; signed, as it may be negative.
        Value limit = constantI32(b, static_cast<int64_t>(op.getExtent()) -
                                         static_cast<int64_t>(number.constant));
        keep = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::slt,
                                    addI32(b, start, number.dynamic), limit);
      }
      registers.push_back(LLVM::SelectOp::create(b, keep, value, neutral));
    }
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

} // namespace

void mirage::populateViewPatterns(RewritePatternSet &patterns,
                                  const TypeConverter &converter,
                                  const TargetInstructions &instructions) {
  patterns
      .add<SameRegistersPattern<TransposeOp>, SameRegistersPattern<ReshapeOp>,
           BroadcastPattern, JoinPattern, SplitPattern, MaskPattern>(
          converter, patterns.getContext(), instructions);
}
