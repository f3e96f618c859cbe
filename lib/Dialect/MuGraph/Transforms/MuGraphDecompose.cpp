//===- MuGraphDecompose.cpp - Softmax and norms in primitive ops ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHDECOMPOSE
#include "mirage/Dialect/MuGraph/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage::mugraph;

LogicalResult mirage::mugraph::decomposeComposites(Operation *root) {
  SmallVector<MeaningOpInterface> composites;
  root->walk([&](MeaningOpInterface op) {
    if (failed(op.getMeaning()))
      composites.push_back(op);
  });
  OpBuilder builder(root->getContext());
  for (MeaningOpInterface op : composites) {
    builder.setInsertionPoint(op);
    FailureOr<Value> value = op.decompose(builder);
    if (failed(value))
      return op.emitError("has neither a meaning nor a decomposition");
    op->getResult(0).replaceAllUsesWith(*value);
    op.erase();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Activations and means
//===----------------------------------------------------------------------===//

namespace {
/// A scalar expression as ops on tensors: a tensor or a number.
struct Part {
  Value tensor;
  std::optional<Rational> number;
};

class ExpressionBuilder {
public:
  ExpressionBuilder(OpBuilder &builder, Location loc)
      : builder(builder), loc(loc) {}

  /// The value of `expr` on operand `x`; null where a function has no op.
  Value build(const ScalarExpr &expr, Value x) {
    SmallVector<Part> parts;
    for (const ScalarExpr::Node &node : expr.nodes()) {
      if (node.kind == ScalarExpr::Kind::Operand)
        parts.push_back({x, std::nullopt});
      else if (node.kind == ScalarExpr::Kind::Constant)
        parts.push_back({{}, node.constant});
      else if (Value value = apply(node, parts))
        parts.push_back({value, std::nullopt});
      else
        return {};
    }
    return parts.back().tensor;
  }

private:
  template <typename OpTy>
  Value scalar(Value x, double number) {
    return OpTy::create(builder, loc, x, builder.getF64FloatAttr(number));
  }

  Value apply(const ScalarExpr::Node &node, ArrayRef<Part> parts) {
    Part a = parts[node.arguments[0]];
    if (node.arguments.size() == 1)
      return a.tensor ? applyUnary(node.function, a.tensor) : Value();
    return applyBinary(node.function, a, parts[node.arguments[1]]);
  }

  Value applyUnary(ScalarFunction function, Value x) {
    switch (function) {
    case ScalarFunction::Neg:
      return NegOp::create(builder, loc, x);
    case ScalarFunction::Exp:
      return ExpOp::create(builder, loc, x);
    case ScalarFunction::Erf:
      return ErfOp::create(builder, loc, x);
    default:
      return {};
    }
  }

  Value applyBinary(ScalarFunction function, Part a, Part b) {
    bool commutes =
        function == ScalarFunction::Add || function == ScalarFunction::Mul;
    if (commutes && a.number)
      std::swap(a, b);
    bool plain = a.tensor && b.tensor;
    switch (function) {
    case ScalarFunction::Add:
      return plain ? Value(AddOp::create(builder, loc, a.tensor, b.tensor))
                   : scalar<AddScalarOp>(a.tensor, b.number->toDouble());
    case ScalarFunction::Sub:
      if (b.number && a.tensor)
        return scalar<AddScalarOp>(a.tensor, -b.number->toDouble());
      return plain ? Value(SubOp::create(builder, loc, a.tensor, b.tensor))
                   : Value();
    case ScalarFunction::Mul:
      return plain ? Value(MulOp::create(builder, loc, a.tensor, b.tensor))
                   : scalar<MulScalarOp>(a.tensor, b.number->toDouble());
    case ScalarFunction::Div: {
      if (plain)
        return DivOp::create(builder, loc, a.tensor, b.tensor);
      if (!a.number)
        return {};
      Value inverse = ReciprocalOp::create(builder, loc, b.tensor);
      return *a.number == Rational::get(1)
                 ? inverse
                 : scalar<MulScalarOp>(inverse, a.number->toDouble());
    }
    default:
      return {};
    }
  }

  OpBuilder &builder;
  Location loc;
};
} // namespace

/// A mean as a sum, in f32 or wider, times one over the number of elements.
static Value decomposeMean(OpBuilder &builder, ReduceOp op) {
  RankedTensorType type = op.getType();
  Type element = type.getElementType();
  if (element.getIntOrFloatBitWidth() < 32)
    element = builder.getF32Type();
  Location loc = op.getLoc();
  Value sum = ReduceOp::create(builder, loc, type.clone(element), op.getInput(),
                               ReduceKind::Sum, op.getDims());
  double count = 1;
  for (int64_t dim : op.getDims())
    count *= op.getInput().getType().getDimSize(dim);
  return MulScalarOp::create(builder, loc, sum,
                             builder.getF64FloatAttr(1 / count));
}

static Value decomposeActivation(OpBuilder &builder, MeaningOpInterface op) {
  Value x = op->getOperand(0);
  auto type = cast<RankedTensorType>(x.getType());
  if (type.getElementTypeBitWidth() < 32)
    x = CastOp::create(builder, op.getLoc(), type.clone(builder.getF32Type()),
                       x);
  return ExpressionBuilder(builder, op.getLoc())
      .build(op.getMeaning()->pieces[0].body, x);
}

void mirage::mugraph::decomposeActivations(Operation *root) {
  SmallVector<MeaningOpInterface> ops;
  root->walk([&](MeaningOpInterface op) {
    auto reduce = dyn_cast<ReduceOp>(op.getOperation());
    bool inThreadGraph = op->getParentOfType<ThreadGraphOp>() != nullptr;
    if (isa<SiluOp, SigmoidOp, TanhOp, GeluOp>(op.getOperation()) ||
        (reduce && reduce.getKind() == ReduceKind::Mean && !inThreadGraph))
      ops.push_back(op);
  });
  OpBuilder builder(root->getContext());
  for (MeaningOpInterface op : ops) {
    builder.setInsertionPoint(op);
    auto reduce = dyn_cast<ReduceOp>(op.getOperation());
    Value value = reduce ? decomposeMean(builder, reduce)
                         : decomposeActivation(builder, op);
    if (!value)
      continue;
    Type type = op->getResult(0).getType();
    if (value.getType() != type)
      value = CastOp::create(builder, op.getLoc(), type, value);
    op->getResult(0).replaceAllUsesWith(value);
    op.erase();
  }
}

namespace {
struct MuGraphDecompose final
    : mirage::impl::MuGraphDecomposeBase<MuGraphDecompose> {
  using MuGraphDecomposeBase::MuGraphDecomposeBase;

  void runOnOperation() override {
    if (failed(decomposeComposites(getOperation())))
      return signalPassFailure();
    if (all)
      decomposeActivations(getOperation());
  }
};
} // namespace
