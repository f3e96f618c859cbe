//===- LayoutDeferReductions.cpp - Reduce once, behind the loop -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/Transforms/Passes.h"

#include "LateReduction.h"

#include "mirage/Layout/AxisPlans.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Matchers.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTDEFERREDUCTIONSPASS
#include "mirage/Dialect/Layout/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static RankedTensorType tileType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether threads work together on the reduction, and each can do its own part
/// first.
static bool isWorthwhile(const LateReduction &late) {
  ReduceOp reduce = late.reduce;
  LinearLayoutAttr layout = getLayout(reduce.getValue().getType());
  unsigned axis = reduce.getAxis();
  if (!layout || !isSeparable(layout, axis))
    return false;
  ReductionPlan plan = planReduction(layout.getLinear(), axis);
  return !plan.laneSteps.empty() || plan.partialBits();
}

static arith::AtomicRMWKind combination(ReduceKind kind, bool isFloat) {
  using Kind = arith::AtomicRMWKind;
  if (kind == ReduceKind::Sum)
    return isFloat ? Kind::addf : Kind::addi;
  if (kind == ReduceKind::Max)
    return isFloat ? Kind::maximumf : Kind::maxs;
  return isFloat ? Kind::minimumf : Kind::mins;
}

/// A tile full of the value that combining with changes nothing.
static TypedAttr neutralTile(ReduceKind kind, RankedTensorType type,
                             OpBuilder &builder, Location loc) {
  Type element = type.getElementType();
  TypedAttr neutral = arith::getIdentityValueAttr(
      combination(kind, isa<FloatType>(element)), element, builder, loc);
  return DenseElementsAttr::get(type, Attribute(neutral));
}

static bool isSplatOf(Value value, TypedAttr splat) {
  SplatElementsAttr constant;
  return matchPattern(value, m_Constant(&constant)) &&
         constant.getSplatValue<Attribute>() ==
             cast<SplatElementsAttr>(splat).getSplatValue<Attribute>();
}

namespace {
/// Rewrites one reduction and its loop in place.
class Deferral {
public:
  explicit Deferral(LateReduction late)
      : late(late), loop(late.loop), builder(late.reduce),
        loc(late.reduce.getLoc()), initial(loop.getInitArgs()[late.number]),
        carriedType(tileType(initial)) {}

  void run() {
    Value part = reduceInThread(builder, late.reduce);
    partType = tileType(part);
    widenLoop();
    widenScale();
    Value reduced =
        late.convert ? late.convert.getResult() : late.reduce.getResult();
    late.combine->replaceUsesOfWith(reduced, part);
    late.combine->getResult(0).setType(partType);
    finish();
    if (late.convert)
      late.convert.erase();
    late.reduce.erase();
  }

private:
  /// The loop carries parts, from nothing on.
  void widenLoop() {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(loop);
    neutral = neutralTile(late.reduce.getKind(), partType, builder, loc);
    Value start = arith::ConstantOp::create(builder, loc, neutral);
    loop.getInitArgsMutable()[late.number].assign(start);
    loop.getRegionIterArg(late.number).setType(partType);
    loop.getResult(late.number).setType(partType);
  }

  /// The factor for all parts of a row; it is converted where the reduction
  /// was.
  void widenScale() {
    if (!late.scale)
      return;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(late.scale);
    Value factor = late.factor(), converted = factor;
    RankedTensorType wanted = withLayout(
        tileType(factor), getLayout(partType).reduceDim(late.reduce.getAxis()));
    if (factor.getType() != wanted)
      converted = ConvertOp::create(builder, loc, wanted, factor);
    Value everywhere = BroadcastOp::create(builder, loc, partType, converted);
    late.scale->replaceUsesOfWith(factor, everywhere);
    late.scale.getResult().setType(partType);
  }

  /// Behind the loop: reduces the parts, and adds what the loop started with.
  void finish() {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfter(loop);
    Value parts = loop.getResult(late.number);
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : parts.getUses())
      uses.push_back(&use);
    int64_t axis = late.reduce.getAxis();
    auto type = tileType(late.reduce.getResult());
    LinearLayoutAttr layout = getLayout(partType).reduceDim(axis);
    Value total = ReduceOp::create(builder, loc, Type(withLayout(type, layout)),
                                   late.reduce.getKind(), parts, axis)
                      .getResult();
    if (total.getType() != carriedType)
      total = ConvertOp::create(builder, loc, carriedType, total);
    if (!isSplatOf(initial, neutral)) {
      Operation *combine = builder.clone(*late.combine);
      combine->setOperands({initial, total});
      combine->getResult(0).setType(carriedType);
      total = combine->getResult(0);
    }
    for (OpOperand *use : uses)
      use->set(total);
  }

  LateReduction late;
  scf::ForOp loop;
  OpBuilder builder;
  Location loc;
  Value initial;
  RankedTensorType carriedType, partType;
  TypedAttr neutral;
};

class LayoutDeferReductions final
    : public mirage::impl::LayoutDeferReductionsPassBase<
          LayoutDeferReductions> {
public:
  using LayoutDeferReductionsPassBase::LayoutDeferReductionsPassBase;

  void runOnOperation() override {
    SmallVector<ReduceOp> reductions;
    getOperation().walk([&](ReduceOp op) { reductions.push_back(op); });
    for (ReduceOp reduce : reductions)
      if (auto late = matchLateReduction(reduce); late && isWorthwhile(*late))
        Deferral(*late).run();
  }
};
} // namespace
