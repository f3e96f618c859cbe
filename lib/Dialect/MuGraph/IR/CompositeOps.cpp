//===- CompositeOps.cpp - Softmax and the norms
//-----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

using namespace mlir;
using namespace mirage::mugraph;

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

namespace {
/// Builds the parts of a decomposition, all in one element type: the op's own
/// or f32 where that is wider.
class Decomposer {
public:
  Decomposer(OpBuilder &builder, Operation *op)
      : builder(builder), loc(op->getLoc()) {
    resultType = cast<RankedTensorType>(op->getResult(0).getType());
    element = resultType.getElementType();
    if (element.getIntOrFloatBitWidth() < 32)
      element = builder.getF32Type();
  }

  /// `value` in the element type of the computation.
  Value load(Value value) { return convert(value, element); }
  /// `value` in the element type of the result.
  Value finish(Value value) {
    return convert(value, resultType.getElementType());
  }

  template <typename OpTy>
  Value unary(Value x) {
    return OpTy::create(builder, loc, x);
  }
  template <typename OpTy>
  Value binary(Value a, Value b) {
    return OpTy::create(builder, loc, a, b);
  }
  Value addScalar(Value x, double scalar) {
    if (scalar == 0)
      return x;
    return AddScalarOp::create(builder, loc, x,
                               builder.getF64FloatAttr(scalar));
  }
  Value reduce(ReduceKind kind, Value x, int64_t dim) {
    auto type = llvm::cast<RankedTensorType>(x.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[dim] = 1;
    return ReduceOp::create(builder, loc, type.clone(shape), x, kind,
                            ArrayRef<int64_t>{dim});
  }

private:
  Value convert(Value value, Type to) {
    auto type = llvm::cast<RankedTensorType>(value.getType());
    if (type.getElementType() == to)
      return value;
    return CastOp::create(builder, loc, type.clone(to), value);
  }

  OpBuilder &builder;
  Location loc;
  RankedTensorType resultType;
  Type element;
};
} // namespace

/// Constraints mugraph_c7 and mugraph_c8 of the norms, and a rank of at
/// least 1.
static LogicalResult verifyNorm(Operation *op, Value input, const APFloat &eps,
                                ValueRange affine) {
  auto type = cast<RankedTensorType>(input.getType());
  if (op->getResult(0).getType() != type)
    return op->emitOpError()
           << "has result type " << op->getResult(0).getType()
           << ", expected that of the operand, " << type << " (mugraph_c6)";
  if (type.getRank() < 1)
    return op->emitOpError()
           << "normalizes a tensor of rank 0, expected at least 1 (mugraph_c5)";
  if (!eps.isFinite() || (eps.isNegative() && !eps.isZero()))
    return op->emitOpError()
           << "has eps = " << eps.convertToDouble()
           << ", expected 0 or a positive number (mugraph_c7)";
  auto expected =
      RankedTensorType::get({type.getShape().back()}, type.getElementType());
  for (Value value : affine)
    if (value.getType() != expected)
      return op->emitOpError()
             << "has a scale or shift of type " << value.getType()
             << ", expected " << expected << " (mugraph_c8)";
  return success();
}

//===----------------------------------------------------------------------===//
// softmax
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() {
  int64_t rank = getType().getRank(), dim = getDim();
  if (dim < 0 || dim >= rank)
    return emitOpError() << "has dim = " << dim
                         << ", expected a dim of a tensor of rank " << rank
                         << " (mugraph_c5)";
  return success();
}

FailureOr<Value> SoftmaxOp::decompose(OpBuilder &builder) {
  Decomposer make(builder, *this);
  int64_t dim = getDim();
  Value x = make.load(getInput());
  Value maximum = make.reduce(ReduceKind::Max, x, dim);
  Value power = make.unary<ExpOp>(make.binary<SubOp>(x, maximum));
  Value sum = make.reduce(ReduceKind::Sum, power, dim);
  return make.finish(make.binary<DivOp>(power, sum));
}

//===----------------------------------------------------------------------===//
// rms_norm, layer_norm
//===----------------------------------------------------------------------===//

LogicalResult RmsNormOp::verify() {
  return verifyNorm(*this, getInput(), getEps(),
                    getGamma() ? ValueRange(getGamma()) : ValueRange());
}

FailureOr<Value> RmsNormOp::decompose(OpBuilder &builder) {
  Decomposer make(builder, *this);
  int64_t last = getType().getRank() - 1;
  Value x = make.load(getInput());
  Value mean = make.reduce(ReduceKind::Mean, make.unary<SquareOp>(x), last);
  mean = make.addScalar(mean, getEps().convertToDouble());
  Value result = make.binary<MulOp>(x, make.unary<RsqrtOp>(mean));
  if (getGamma())
    result = make.binary<MulOp>(result, make.load(getGamma()));
  return make.finish(result);
}

LogicalResult LayerNormOp::verify() {
  if (getAffine().size() > 2)
    return emitOpError()
           << "has " << getAffine().size() + 1
           << " operands, expected an input and at most gamma and "
              "beta (mugraph_c8)";
  return verifyNorm(*this, getInput(), getEps(), getAffine());
}

FailureOr<Value> LayerNormOp::decompose(OpBuilder &builder) {
  Decomposer make(builder, *this);
  int64_t last = getType().getRank() - 1;
  Value x = make.load(getInput());
  Value mean = make.reduce(ReduceKind::Mean, x, last);
  Value centered = make.binary<SubOp>(x, mean);
  Value square = make.unary<SquareOp>(centered);
  Value variance = make.reduce(ReduceKind::Mean, square, last);
  variance = make.addScalar(variance, getEps().convertToDouble());
  Value result = make.binary<MulOp>(centered, make.unary<RsqrtOp>(variance));
  if (getGamma())
    result = make.binary<MulOp>(result, make.load(getGamma()));
  if (getBeta())
    result = make.binary<AddOp>(result, make.load(getBeta()));
  return make.finish(result);
}
