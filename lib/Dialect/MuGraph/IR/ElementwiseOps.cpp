//===- ElementwiseOps.cpp - Unary, binary and scalar ops
//--------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mirage::mugraph;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

bool mirage::mugraph::isProgramTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getEncoding())
    return false;
  Type element = tensor.getElementType();
  if (!element.isF16() && !element.isBF16() && !element.isF32() &&
      !element.isF64())
    return false;
  int64_t elements = 1;
  for (int64_t extent : tensor.getShape()) {
    if (extent < 1 || extent > maxTensorElements / elements)
      return false;
    elements *= extent;
  }
  return true;
}

std::string mirage::mugraph::shapeString(ArrayRef<int64_t> shape) {
  std::string text = "[";
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(shape, stream);
  return text + "]";
}

std::optional<SmallVector<int64_t>>
mirage::mugraph::broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SmallVector<int64_t> shape(a);
  size_t lead = a.size() - b.size();
  for (auto [dim, extent] : llvm::enumerate(b)) {
    int64_t &result = shape[lead + dim];
    if (result == 1)
      result = extent;
    else if (extent != 1 && extent != result)
      return std::nullopt;
  }
  return shape;
}

RankedTensorType mirage::mugraph::broadcastTypes(Type a, Type b) {
  auto left = cast<RankedTensorType>(a), right = cast<RankedTensorType>(b);
  std::optional<SmallVector<int64_t>> shape =
      broadcastShapes(left.getShape(), right.getShape());
  assert(shape && "operands must broadcast");
  return RankedTensorType::get(*shape, left.getElementType());
}

AffineMap mirage::mugraph::broadcastMap(ArrayRef<int64_t> shape,
                                        ArrayRef<int64_t> resultShape,
                                        MLIRContext *context) {
  SmallVector<AffineExpr> indices;
  size_t lead = resultShape.size() - shape.size();
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    bool repeated = extent == 1 && resultShape[lead + dim] != 1;
    indices.push_back(repeated ? getAffineConstantExpr(0, context)
                               : getAffineDimExpr(lead + dim, context));
  }
  return AffineMap::get(resultShape.size(), 0, indices, context);
}

//===----------------------------------------------------------------------===//
// Families
//===----------------------------------------------------------------------===//

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

MeaningPiece mirage::mugraph::elementwisePiece(
    ArrayRef<ArrayRef<int64_t>> operands, ArrayRef<int64_t> resultShape,
    const ScalarExpr &body, MLIRContext *context) {
  MeaningPiece piece;
  piece.extents.assign(resultShape.begin(), resultShape.end());
  for (ArrayRef<int64_t> operand : operands)
    piece.operandMaps.push_back(broadcastMap(operand, resultShape, context));
  piece.resultMap =
      AffineMap::getMultiDimIdentityMap(resultShape.size(), context);
  piece.body = body;
  return piece;
}

Meaning mirage::mugraph::elementwiseMeaning(Operation *op,
                                            const ScalarExpr &body) {
  SmallVector<ArrayRef<int64_t>> operands;
  for (Value operand : op->getOperands())
    operands.push_back(shapeOf(operand));
  return Meaning{{elementwisePiece(operands, shapeOf(op->getResult(0)), body,
                                   op->getContext())}};
}

LogicalResult mirage::mugraph::verifyElementwise(Operation *op) {
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> shape;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = cast<RankedTensorType>(operand.get().getType());
    if (type.getElementType() != result.getElementType())
      return op->emitOpError() << "operand #" << operand.getOperandNumber()
                               << " has element type " << type.getElementType()
                               << ", expected that of the result, "
                               << result.getElementType() << " (mugraph_c2)";
    auto joined = broadcastShapes(shape, type.getShape());
    if (!joined)
      return op->emitOpError() << "operand shapes " << shapeString(shape)
                               << " and " << shapeString(type.getShape())
                               << " do not broadcast (mugraph_c3)";
    shape = *joined;
  }
  if (result.getShape() != ArrayRef(shape))
    return op->emitOpError()
           << "has result shape " << shapeString(result.getShape())
           << ", expected the broadcast of the operand shapes, "
           << shapeString(shape) << " (mugraph_c3)";
  return success();
}

ScalarExpr mirage::mugraph::scalarExpr(const llvm::APFloat &value) {
  return ScalarExpr::constant(Rational::fromDouble(value.convertToDouble()));
}

/// 2 / (1 + exp(-2 x)) - 1: finite for every x, unlike a quotient of two exps.
ScalarExpr mirage::mugraph::tanhExpr(const ScalarExpr &x) {
  ScalarExpr one = ScalarExpr::constant(1);
  ScalarExpr power = ScalarExpr::constant(-2) * x;
  return ScalarExpr::constant(2) /
             (one + ScalarExpr::apply(ScalarFunction::Exp, {power})) -
         one;
}

ScalarExpr mirage::mugraph::geluExpr(const ScalarExpr &x, bool tanhForm) {
  ScalarExpr one = ScalarExpr::constant(1);
  auto number = [](double value) {
    return ScalarExpr::constant(Rational::fromDouble(value));
  };
  if (tanhForm) {
    ScalarExpr inner = x + number(0.044715) * (x * x * x);
    ScalarExpr power = number(-2 * 0.7978845608028654) * inner; // 2 sqrt(2/pi)
    return x / (one + ScalarExpr::apply(ScalarFunction::Exp, {power}));
  }
  ScalarExpr scaled = x * number(0.7071067811865476); // 1/sqrt(2)
  ScalarExpr erf = ScalarExpr::apply(ScalarFunction::Erf, {scaled});
  return ScalarExpr::constant(1, 2) * x * (one + erf);
}

//===----------------------------------------------------------------------===//
// Single ops
//===----------------------------------------------------------------------===//

OpFoldResult NegOp::fold(FoldAdaptor) {
  if (auto inner = getInput().getDefiningOp<NegOp>())
    return inner.getInput();
  return {};
}

LogicalResult GeluOp::verify() {
  StringRef form = getApproximate().value_or("none");
  if (form != "none" && form != "tanh")
    return emitOpError() << "has approximate = \"" << form
                         << "\", expected \"none\" or \"tanh\" (mugraph_c9)";
  return success();
}

/// Constraint mugraph_c7 for one number.
static LogicalResult verifyFinite(Operation *op, StringRef name,
                                  const APFloat &value) {
  if (value.isFinite())
    return success();
  SmallString<16> text;
  value.toString(text);
  return op->emitOpError() << name << " is " << text
                           << ", expected a finite number (mugraph_c7)";
}

LogicalResult ClampOp::verify() {
  if (failed(verifyFinite(*this, "min", getMin())) ||
      failed(verifyFinite(*this, "max", getMax())))
    return failure();
  if (getMin() > getMax())
    return emitOpError() << "has min = " << getMin().convertToDouble()
                         << " above max = " << getMax().convertToDouble()
                         << " (mugraph_c7)";
  return success();
}

LogicalResult MulScalarOp::verify() {
  return verifyFinite(*this, "the factor", getScalar());
}

LogicalResult AddScalarOp::verify() {
  return verifyFinite(*this, "the summand", getScalar());
}

OpFoldResult MulScalarOp::fold(FoldAdaptor) {
  return getScalar().isExactlyValue(1.0) ? OpFoldResult(getInput())
                                         : OpFoldResult();
}

OpFoldResult AddScalarOp::fold(FoldAdaptor) {
  return getScalar().isZero() ? OpFoldResult(getInput()) : OpFoldResult();
}

LogicalResult CastOp::verify() {
  ArrayRef<int64_t> shape = shapeOf(getInput());
  if (shapeOf(getResult()) != shape)
    return emitOpError() << "has result shape "
                         << shapeString(shapeOf(getResult()))
                         << ", expected that of the operand, "
                         << shapeString(shape) << " (mugraph_c3)";
  return success();
}

FailureOr<Meaning> CastOp::getMeaning() {
  return elementwiseMeaning(getOperation(), ScalarExpr::operand(0));
}

/// True if every number of type `narrow` is also one of type `wide`.
static bool holdsAllOf(Type wide, Type narrow) {
  auto wideFloat = cast<FloatType>(wide), narrowFloat = cast<FloatType>(narrow);
  return wide == narrow || wideFloat.getWidth() >= 2 * narrowFloat.getWidth();
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  // There and back through a type that holds all numbers of the first.
  auto inner = getInput().getDefiningOp<CastOp>();
  if (inner && inner.getInput().getType() == getType() &&
      holdsAllOf(inner.getType().getElementType(), getType().getElementType()))
    return inner.getInput();
  return {};
}
