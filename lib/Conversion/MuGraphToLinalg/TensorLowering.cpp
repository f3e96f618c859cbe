//===- TensorLowering.cpp - Primitive ops as linalg.generic ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorLowering.h"

#include "mirage/Dialect/MuGraph/Utils/ScalarFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <limits>

using namespace mlir;
using namespace mirage::mugraph;

LoweredTensor LoweredTensor::whole(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  LoweredTensor tensor{value, {}, SmallVector<int64_t>(type.getShape())};
  Builder builder(value.getContext());
  for (int64_t extent : type.getShape())
    tensor.sizes.push_back(builder.getIndexAttr(extent));
  return tensor;
}

Type LoweredTensor::elementType() const {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

//===----------------------------------------------------------------------===//
// Scalar bodies
//===----------------------------------------------------------------------===//

/// `value` in the float type `type`.
static Value convertFloat(OpBuilder &builder, Location loc, Value value,
                          Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  if (from > to)
    return arith::TruncFOp::create(builder, loc, type, value);
  // f16 and bf16: through f32, which holds both.
  Value wide = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  return arith::TruncFOp::create(builder, loc, type, wide);
}

/// As on GPUs, but for the reciprocal root: the correctly rounded one costs
/// the host nothing.
static Value buildFunction(OpBuilder &b, Location loc, ScalarFunction function,
                           ArrayRef<Value> x) {
  if (function != ScalarFunction::Rsqrt)
    return buildScalarFunction(b, loc, function, x);
  Value one =
      arith::ConstantOp::create(b, loc, b.getFloatAttr(x[0].getType(), 1));
  return arith::DivFOp::create(b, loc, one, math::SqrtOp::create(b, loc, x[0]));
}

Value TensorLowering::buildBody(OpBuilder &body, Location loc,
                                const ScalarExpr &expr, ValueRange operands,
                                Type compute) {
  return evaluateScalar<Value>(
      expr,
      [&](unsigned number) {
        return convertFloat(body, loc, operands[number], compute);
      },
      [&](const Rational &value) {
        return arith::ConstantOp::create(
            body, loc, body.getFloatAttr(compute, value.toDouble()));
      },
      [&](ScalarFunction function, ArrayRef<Value> arguments) {
        return buildFunction(body, loc, function, arguments);
      });
}

//===----------------------------------------------------------------------===//
// Iteration spaces
//===----------------------------------------------------------------------===//

OpFoldResult TensorLowering::smaller(OpFoldResult a, OpFoldResult b) {
  if (a == b)
    return a;
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return *x < *y ? a : b;
  Value left = getValueOrCreateConstantIndexOp(builder, loc, a);
  Value right = getValueOrCreateConstantIndexOp(builder, loc, b);
  return arith::MinSIOp::create(builder, loc, left, right).getResult();
}

/// How often each iteration dim runs: as often as all operands allow, and its
/// static extent where no operand has the dim.
SmallVector<OpFoldResult>
TensorLowering::iterationSizes(const MeaningPiece &piece,
                               ArrayRef<LoweredTensor> operands) {
  SmallVector<OpFoldResult> sizes(piece.extents.size());
  for (auto [map, operand] : llvm::zip_equal(piece.operandMaps, operands)) {
    for (auto [index, size] :
         llvm::zip_equal(map.getResults(), operand.sizes)) {
      auto dim = dyn_cast<AffineDimExpr>(index);
      if (!dim)
        continue;
      OpFoldResult &known = sizes[dim.getPosition()];
      known = known ? smaller(known, size) : size;
    }
  }
  for (auto [size, extent] : llvm::zip_equal(sizes, piece.extents))
    if (!size)
      size = builder.getIndexAttr(extent);
  return sizes;
}

/// The operands, each no larger than the iteration reads.
SmallVector<Value> TensorLowering::cutOperands(const MeaningPiece &piece,
                                               ArrayRef<LoweredTensor> operands,
                                               ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> values;
  for (auto [map, operand] : llvm::zip_equal(piece.operandMaps, operands)) {
    SmallVector<OpFoldResult> wanted(operand.sizes);
    for (auto [index, size] : llvm::zip_equal(map.getResults(), wanted))
      if (auto dim = dyn_cast<AffineDimExpr>(index))
        size = sizes[dim.getPosition()];
    values.push_back(prefix(operand, wanted).value);
  }
  return values;
}

/// The order in which the loops run, outermost first. A contraction runs over
/// the dims all operands share, then the contracted ones, then the rest: the
/// innermost loop is parallel and contiguous, LLVM vectorises it, and each sum
/// still runs in the order of its dim. Others run as the meaning says.
static SmallVector<unsigned> loopOrder(const MeaningPiece &piece) {
  SmallVector<unsigned> reduced = piece.reducedDims();
  SmallVector<unsigned> order, shared, rest;
  for (unsigned dim = 0; dim < piece.extents.size(); ++dim) {
    if (reduced.empty() || piece.operandMaps.size() < 2) {
      order.push_back(dim);
    } else if (!llvm::is_contained(reduced, dim)) {
      bool inAll = llvm::all_of(piece.operandMaps, [&](AffineMap map) {
        return map.isFunctionOfDim(dim);
      });
      (inAll ? shared : rest).push_back(dim);
    }
  }
  if (!order.empty())
    return order;
  order = shared;
  order.append(reduced);
  order.append(rest);
  return order;
}

static double neutralElement(Reduction reduction) {
  double infinity = std::numeric_limits<double>::infinity();
  switch (reduction) {
  case Reduction::None:
  case Reduction::Sum:
    return 0;
  case Reduction::Max:
    return -infinity;
  case Reduction::Min:
    return infinity;
  }
  llvm_unreachable("unknown reduction");
}

static ScalarFunction combiner(Reduction reduction) {
  switch (reduction) {
  case Reduction::Max:
    return ScalarFunction::Max;
  case Reduction::Min:
    return ScalarFunction::Min;
  default:
    return ScalarFunction::Add;
  }
}

//===----------------------------------------------------------------------===//
// Loop nests
//===----------------------------------------------------------------------===//

/// Reductions and functions work in f32, or in f64 where a tensor has it.
static Type computeType(ArrayRef<LoweredTensor> operands, Type element) {
  bool wide = element.isF64();
  for (const LoweredTensor &operand : operands)
    wide |= operand.elementType().isF64();
  return wide ? Type(Float64Type::get(element.getContext()))
              : Type(Float32Type::get(element.getContext()));
}

LoweredTensor TensorLowering::apply(const MeaningPiece &piece,
                                    ArrayRef<LoweredTensor> operands,
                                    Type element) {
  SmallVector<OpFoldResult> sizes = iterationSizes(piece, operands);
  SmallVector<Value> inputs = cutOperands(piece, operands, sizes);
  Type compute = computeType(operands, element);
  bool reduces = piece.reduction != Reduction::None;
  LoweredTensor result;
  for (AffineExpr index : piece.resultMap.getResults()) {
    unsigned dim = cast<AffineDimExpr>(index).getPosition();
    result.sizes.push_back(sizes[dim]);
    result.shape.push_back(piece.extents[dim]);
  }

  Type stored = reduces ? compute : element;
  Value init = tensor::EmptyOp::create(builder, loc, result.sizes, stored);
  if (reduces) {
    Value neutral = arith::ConstantOp::create(
        builder, loc,
        builder.getFloatAttr(compute, neutralElement(piece.reduction)));
    init = linalg::FillOp::create(builder, loc, neutral, init).getResult(0);
  }

  SmallVector<unsigned> order = loopOrder(piece);
  MLIRContext *context = builder.getContext();
  SmallVector<AffineExpr> places(order.size());
  SmallVector<utils::IteratorType> iterators;
  for (auto [place, dim] : llvm::enumerate(order)) {
    places[dim] = getAffineDimExpr(place, context);
    iterators.push_back(piece.resultMap.isFunctionOfDim(dim)
                            ? utils::IteratorType::parallel
                            : utils::IteratorType::reduction);
  }
  AffineMap reorder = AffineMap::get(order.size(), 0, places, context);
  SmallVector<AffineMap> maps;
  for (AffineMap map : piece.operandMaps)
    maps.push_back(map.compose(reorder));
  maps.push_back(piece.resultMap.compose(reorder));

  auto body = [&](OpBuilder &b, Location loc, ValueRange values) {
    Value value = buildBody(b, loc, piece.body, values.drop_back(), compute);
    if (reduces)
      value = buildFunction(b, loc, combiner(piece.reduction),
                            {values.back(), value});
    linalg::YieldOp::create(b, loc, convertFloat(b, loc, value, stored));
  };
  result.value = linalg::GenericOp::create(builder, loc, init.getType(), inputs,
                                           init, maps, iterators, body)
                     .getResult(0);
  if (stored == element)
    return result;
  return elementwise(ScalarExpr::operand(0), {result}, result.shape, element);
}

LoweredTensor TensorLowering::elementwise(const ScalarExpr &body,
                                          ArrayRef<LoweredTensor> operands,
                                          ArrayRef<int64_t> resultShape,
                                          Type element) {
  SmallVector<ArrayRef<int64_t>> shapes;
  for (const LoweredTensor &operand : operands)
    shapes.push_back(operand.shape);
  return apply(
      elementwisePiece(shapes, resultShape, body, builder.getContext()),
      operands, element);
}

//===----------------------------------------------------------------------===//
// Slices and shapes
//===----------------------------------------------------------------------===//

LoweredTensor TensorLowering::prefix(const LoweredTensor &tensor,
                                     ArrayRef<OpFoldResult> sizes) {
  if (llvm::equal(tensor.sizes, sizes))
    return tensor;
  SmallVector<OpFoldResult> zeros(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(sizes.size(), builder.getIndexAttr(1));
  Value value = tensor::ExtractSliceOp::create(builder, loc, tensor.value,
                                               zeros, sizes, ones);
  return {value, SmallVector<OpFoldResult>(sizes), tensor.shape};
}

Value TensorLowering::update(Value state, const ScalarExpr &body,
                             ArrayRef<LoweredTensor> operands,
                             ArrayRef<OpFoldResult> sizes) {
  LoweredTensor whole = LoweredTensor::whole(state);
  LoweredTensor part = prefix(whole, sizes);
  MLIRContext *context = builder.getContext();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const LoweredTensor &operand : operands) {
    inputs.push_back(operand.value);
    maps.push_back(broadcastMap(operand.shape, whole.shape, context));
  }
  maps.push_back(AffineMap::getMultiDimIdentityMap(sizes.size(), context));
  SmallVector<utils::IteratorType> iterators(sizes.size(),
                                             utils::IteratorType::parallel);
  Type element = whole.elementType();
  auto build = [&](OpBuilder &b, Location loc, ValueRange values) {
    SmallVector<Value> reordered{values.back()};
    llvm::append_range(reordered, values.drop_back());
    linalg::YieldOp::create(b, loc,
                            buildBody(b, loc, body, reordered, element));
  };
  Value next =
      linalg::GenericOp::create(builder, loc, part.value.getType(), inputs,
                                part.value, maps, iterators, build)
          .getResult(0);
  if (part.value == state)
    return next;
  SmallVector<OpFoldResult> zeros(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(sizes.size(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(builder, loc, next, state, zeros,
                                       part.sizes, ones);
}

LoweredTensor TensorLowering::filled(ArrayRef<int64_t> shape, Type element,
                                     double value) {
  Value empty = tensor::EmptyOp::create(builder, loc, shape, element);
  Value scalar = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(element, value));
  return LoweredTensor::whole(
      linalg::FillOp::create(builder, loc, scalar, empty).getResult(0));
}

LoweredTensor TensorLowering::reshape(const LoweredTensor &input,
                                      RankedTensorType type) {
  auto flat =
      RankedTensorType::get({type.getNumElements()}, type.getElementType());
  auto all = [](int64_t rank) {
    auto dims = llvm::to_vector<2>(llvm::seq<int64_t>(0, rank));
    return rank == 0 ? SmallVector<ReassociationIndices>()
                     : SmallVector<ReassociationIndices>{dims};
  };
  Value value = input.value;
  if (input.shape.empty())
    value = tensor::ExpandShapeOp::create(builder, loc, flat, value, all(0));
  else if (input.shape.size() > 1)
    value = tensor::CollapseShapeOp::create(builder, loc, flat, value,
                                            all(input.shape.size()));
  if (type.getRank() == 0)
    value = tensor::CollapseShapeOp::create(builder, loc, type, value, all(0));
  else if (type.getRank() > 1)
    value = tensor::ExpandShapeOp::create(builder, loc, type, value,
                                          all(type.getRank()));
  return LoweredTensor::whole(value);
}

LoweredTensor TensorLowering::slice(const LoweredTensor &input,
                                    const MeaningPiece &piece) {
  LoweredTensor result;
  result.shape = piece.extents;
  SmallVector<int64_t> zero(piece.extents.size());
  SmallVector<OpFoldResult> offsets;
  for (int64_t offset : piece.operandMaps[0].compose(zero))
    offsets.push_back(builder.getIndexAttr(offset));
  for (auto [dim, extent] : llvm::enumerate(piece.extents))
    result.sizes.push_back(extent == input.shape[dim]
                               ? input.sizes[dim]
                               : OpFoldResult(builder.getIndexAttr(extent)));
  SmallVector<OpFoldResult> ones(zero.size(), builder.getIndexAttr(1));
  result.value = tensor::ExtractSliceOp::create(builder, loc, input.value,
                                                offsets, result.sizes, ones);
  return result;
}

LoweredTensor TensorLowering::concat(const Meaning &meaning, unsigned dim,
                                     ArrayRef<LoweredTensor> operands,
                                     RankedTensorType type) {
  LoweredTensor result;
  result.shape.assign(type.getShape().begin(), type.getShape().end());
  result.sizes = operands[0].sizes;
  for (const LoweredTensor &operand : operands)
    for (auto [size, other] : llvm::zip_equal(result.sizes, operand.sizes))
      size = smaller(size, other);
  result.sizes[dim] = builder.getIndexAttr(type.getDimSize(dim));
  result.value = tensor::EmptyOp::create(builder, loc, result.sizes,
                                         type.getElementType());
  SmallVector<OpFoldResult> ones(type.getRank(), builder.getIndexAttr(1));
  for (const MeaningPiece &piece : meaning.pieces) {
    const LoweredTensor &operand = operands[piece.body.root().operand];
    SmallVector<OpFoldResult> offsets, sizes(result.sizes);
    sizes[dim] = operand.sizes[dim];
    SmallVector<int64_t> zero(piece.extents.size());
    for (int64_t offset : piece.resultMap.compose(zero))
      offsets.push_back(builder.getIndexAttr(offset));
    result.value = tensor::InsertSliceOp::create(
        builder, loc, prefix(operand, sizes).value, result.value, offsets,
        sizes, ones);
  }
  return result;
}

/// The dims of operand `number` that must not be cut off for `op` to be
/// defined: an average counts elements, and a reshape, slice or concat needs to
/// know where elements lie.
static bool needsWholeDim(Operation *op, unsigned number, int64_t dim) {
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == ReduceKind::Mean &&
           llvm::is_contained(reduce.getDims(), dim);
  if (auto slice = dyn_cast<SliceOp>(op))
    return slice.getSizes()[dim] != slice.getInput().getType().getDimSize(dim);
  if (auto concat = dyn_cast<ConcatOp>(op))
    return static_cast<int64_t>(concat.getDim()) == dim;
  return isa<ReshapeOp>(op);
}

FailureOr<LoweredTensor>
TensorLowering::lower(Operation *op, ArrayRef<LoweredTensor> operands) {
  FailureOr<Meaning> meaning = cast<MeaningOpInterface>(op).getMeaning();
  if (failed(meaning))
    return op->emitOpError("has no meaning to lower; decompose it first");
  for (auto [number, operand] : llvm::enumerate(operands))
    for (auto [dim, size] : llvm::enumerate(operand.sizes))
      if (!getConstantIntValue(size) && needsWholeDim(op, number, dim))
        return op->emitOpError()
               << "works along dim " << dim << " of operand #" << number
               << ", a tile that is cut off at the end of its tensor; expected "
                  "tiles that divide this dim";
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (isa<ReshapeOp>(op))
    return reshape(operands[0], type);
  if (isa<SliceOp>(op))
    return slice(operands[0], meaning->pieces[0]);
  if (auto concatOp = dyn_cast<ConcatOp>(op))
    return concat(*meaning, concatOp.getDim(), operands, type);
  return apply(meaning->pieces[0], operands, type.getElementType());
}
