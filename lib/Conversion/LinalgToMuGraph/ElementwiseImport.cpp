//===- ElementwiseImport.cpp - Scalar ops as ops on tensors
//-----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mirage::mugraph;

std::optional<double> mirage::mugraph::constantNumber(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  if (auto elements = dyn_cast<SplatElementsAttr>(attribute))
    attribute = elements.getSplatValue<Attribute>();
  auto number = dyn_cast<FloatAttr>(attribute);
  if (!number)
    return std::nullopt;
  return number.getValueAsDouble();
}

namespace {
/// Builds mugraph ops on tensors and numbers; a null tensor where a number is
/// in a place that has no op.
class Emitter {
public:
  Emitter(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  template <typename OpTy>
  Value unary(const ImportedValue &x) {
    return x.tensor ? Value(OpTy::create(builder, loc, x.tensor)) : Value();
  }
  template <typename OpTy>
  Value binary(const ImportedValue &a, const ImportedValue &b) {
    if (!a.tensor || !b.tensor)
      return {};
    auto left = cast<RankedTensorType>(a.tensor.getType());
    auto right = cast<RankedTensorType>(b.tensor.getType());
    if (left.getElementType() != right.getElementType() ||
        !broadcastShapes(left.getShape(), right.getShape()))
      return {};
    return OpTy::create(builder, loc, a.tensor, b.tensor);
  }
  Value add(ImportedValue a, ImportedValue b) {
    if (a.number)
      std::swap(a, b);
    if (b.number && a.tensor)
      return scalar<AddScalarOp>(a.tensor, *b.number);
    return binary<AddOp>(a, b);
  }
  Value mul(ImportedValue a, ImportedValue b) {
    if (a.number)
      std::swap(a, b);
    if (b.number && a.tensor)
      return scalar<MulScalarOp>(a.tensor, *b.number);
    return a.tensor && a.tensor == b.tensor ? unary<SquareOp>(a)
                                            : binary<MulOp>(a, b);
  }
  Value sub(const ImportedValue &a, const ImportedValue &b) {
    if (b.number && a.tensor)
      return scalar<AddScalarOp>(a.tensor, -*b.number);
    if (a.number && b.tensor)
      return scalar<AddScalarOp>(unary<NegOp>(b), *a.number);
    return binary<SubOp>(a, b);
  }
  Value div(const ImportedValue &a, const ImportedValue &b) {
    if (b.number && a.tensor)
      return *b.number == 0 ? Value()
                            : scalar<MulScalarOp>(a.tensor, 1 / *b.number);
    if (a.number && b.tensor)
      return scalar<MulScalarOp>(unary<ReciprocalOp>(b), *a.number);
    return binary<DivOp>(a, b);
  }
  /// The larger of both, or the smaller.
  Value bound(ImportedValue a, ImportedValue b, bool larger) {
    if (a.number)
      std::swap(a, b);
    if (!b.number)
      return larger ? binary<MaximumOp>(a, b) : binary<MinimumOp>(a, b);
    if (!a.tensor || !std::isfinite(*b.number))
      return {};
    if (larger && *b.number == 0)
      return unary<ReluOp>(a);
    double most = std::numeric_limits<double>::max();
    return ClampOp::create(builder, loc, a.tensor.getType(), a.tensor,
                           builder.getF64FloatAttr(larger ? *b.number : -most),
                           builder.getF64FloatAttr(larger ? most : *b.number));
  }
  Value convert(const ImportedValue &x, Type type) {
    if (!x.tensor)
      return {};
    auto from = cast<RankedTensorType>(x.tensor.getType());
    return CastOp::create(builder, loc, from.clone(getElementTypeOrSelf(type)),
                          x.tensor);
  }

private:
  template <typename OpTy>
  Value scalar(Value x, double number) {
    if (!std::isfinite(number))
      return {};
    return OpTy::create(builder, loc, x, builder.getF64FloatAttr(number));
  }

  OpBuilder &builder;
  Location loc;
};
} // namespace

std::optional<ImportedValue>
mirage::mugraph::importElementwise(OpBuilder &builder, Operation *op,
                                   ArrayRef<ImportedValue> x) {
  if (op->getNumResults() != 1)
    return std::nullopt;
  if (std::optional<double> number = constantNumber(op->getResult(0)))
    return ImportedValue{{}, number};
  // Numbers change their type without a change.
  if (isa<arith::ExtFOp, arith::TruncFOp>(op) && x[0].number)
    return x[0];
  Emitter emit(builder, op->getLoc());
  Type type = op->getResult(0).getType();
  Value value =
      llvm::TypeSwitch<Operation *, Value>(op)
          .Case([&](arith::AddFOp) { return emit.add(x[0], x[1]); })
          .Case([&](arith::SubFOp) { return emit.sub(x[0], x[1]); })
          .Case([&](arith::MulFOp) { return emit.mul(x[0], x[1]); })
          .Case([&](arith::DivFOp) { return emit.div(x[0], x[1]); })
          .Case<arith::MaximumFOp, arith::MaxNumFOp>(
              [&](auto) { return emit.bound(x[0], x[1], /*larger=*/true); })
          .Case<arith::MinimumFOp, arith::MinNumFOp>(
              [&](auto) { return emit.bound(x[0], x[1], /*larger=*/false); })
          .Case([&](arith::NegFOp) { return emit.unary<NegOp>(x[0]); })
          .Case<arith::ExtFOp, arith::TruncFOp>(
              [&](auto) { return emit.convert(x[0], type); })
          .Case([&](math::PowFOp) { return emit.binary<PowOp>(x[0], x[1]); })
          .Case([&](math::ExpOp) { return emit.unary<ExpOp>(x[0]); })
          .Case([&](math::LogOp) { return emit.unary<LogOp>(x[0]); })
          .Case([&](math::SqrtOp) { return emit.unary<SqrtOp>(x[0]); })
          .Case([&](math::RsqrtOp) { return emit.unary<RsqrtOp>(x[0]); })
          .Case([&](math::AbsFOp) { return emit.unary<AbsOp>(x[0]); })
          .Case([&](math::TanhOp) { return emit.unary<TanhOp>(x[0]); })
          .Case([&](math::ErfOp) { return emit.unary<ErfOp>(x[0]); })
          .Default([](Operation *) { return Value(); });
  if (!value)
    return std::nullopt;
  return ImportedValue{value, std::nullopt};
}
