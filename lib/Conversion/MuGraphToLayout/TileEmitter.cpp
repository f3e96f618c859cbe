//===- TileEmitter.cpp - Tensor ops on tiles ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

/// A batched product that no matrix instruction does is multiplied out; tiles
/// above this many products are refused.
static constexpr int64_t maxOuterProduct = int64_t{1} << 20;

static RankedTensorType withElement(RankedTensorType type, Type element) {
  return RankedTensorType::get(type.getShape(), element, type.getEncoding());
}

static int64_t product(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= extent;
  return result;
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

Value TileEmitter::splat(ArrayRef<int64_t> shape, double number) {
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  APFloat value(number);
  bool losesInfo;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, value));
}

Value TileEmitter::widen(Value value) {
  return castTo(value, builder.getF32Type());
}

Value TileEmitter::castTo(Value value, Type elementType) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == elementType)
    return value;
  unsigned from = type.getElementTypeBitWidth();
  unsigned to = elementType.getIntOrFloatBitWidth();
  if (from == to) // between f16 and bf16
    return castTo(widen(value), elementType);
  auto target = withElement(type, elementType);
  if (from < to)
    return arith::ExtFOp::create(builder, loc, target, value);
  return arith::TruncFOp::create(builder, loc, target, value);
}

Value TileEmitter::reshape(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return layout::ReshapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value);
}

Value TileEmitter::broadcast(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> padded(shape.size() - type.getRank(), 1);
  llvm::append_range(padded, type.getShape());
  value = reshape(value, padded);
  if (ArrayRef<int64_t>(padded) == shape)
    return value;
  return layout::BroadcastOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value);
}

Value TileEmitter::reduce(layout::ReduceKind kind, Value value, int64_t axis) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  if (shape[axis] == 1)
    return value;
  shape[axis] = 1;
  return layout::ReduceOp::create(
             builder, loc, RankedTensorType::get(shape, type.getElementType()),
             kind, value, axis)
      .getResult();
}

Value TileEmitter::exp(Value value) {
  return math::ExpOp::create(builder, loc, value);
}

Tile TileEmitter::mask(Tile tile, int64_t dim, double neutral) {
  std::optional<DimClip> &clip = tile.clips[dim];
  if (!clip || clip->filler == neutral)
    return tile;
  auto emit = [&](Value offset, int64_t extent) {
    tile.value =
        layout::MaskOp::create(builder, loc, tile.value.getType(), tile.value,
                               dim, offset, extent, APFloat(neutral));
  };
  if (!clip->indices.empty())
    emit(position(*clip), clip->extent);
  if (clip->within < tile.shape()[dim])
    emit(arith::ConstantIndexOp::create(builder, loc, 0), clip->within);
  for (std::optional<DimClip> &other : tile.clips)
    if (other && other->filler != neutral)
      other->filler = std::nullopt;
  clip->filler = neutral;
  return tile;
}

//===----------------------------------------------------------------------===//
// Elementwise ops and shape ops
//===----------------------------------------------------------------------===//

/// The clips of an elementwise result: a dim is clipped as the operands that
/// run along it are, and its filler is known if all of theirs are.
static SmallVector<std::optional<DimClip>>
elementwiseClips(const ScalarExpr &body, ArrayRef<Tile> operands,
                 int64_t rank) {
  SmallVector<std::optional<DimClip>> clips(rank);
  for (int64_t dim = 0; dim < rank; ++dim) {
    SmallVector<double> fillers;
    for (const Tile &operand : operands) {
      int64_t own = dim - (rank - operand.rank());
      if (own < 0 || !operand.clips[own])
        continue;
      if (!clips[dim])
        clips[dim] = operand.clips[own];
      if (operand.clips[own]->filler)
        fillers.push_back(*operand.clips[own]->filler);
    }
    if (!clips[dim])
      continue;
    clips[dim]->filler = std::nullopt;
    if (fillers.size() == operands.size())
      clips[dim]->filler = foldScalarExpr(body, fillers);
  }
  return clips;
}

FailureOr<Tile> TileEmitter::emitElementwise(Operation *op,
                                             ArrayRef<Tile> operands) {
  auto meaning = cast<MeaningOpInterface>(op).getMeaning();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (failed(meaning) || meaning->pieces.size() != 1)
    return op->emitOpError("has no scalar meaning");
  const ScalarExpr &body = meaning->pieces[0].body;
  Tile result;
  result.declared = type.getElementType();
  result.clips = elementwiseClips(body, operands, type.getRank());
  if (isa<CastOp>(op)) {
    result.value = castTo(operands[0].value, result.declared);
    return result;
  }
  SmallVector<int64_t> shape = coverShape(type.getShape());
  SmallVector<Value> values;
  for (const Tile &operand : operands)
    values.push_back(broadcast(widen(operand.value), shape));
  result.value = emitScalarExpr(*this, body, values, shape);
  return result;
}

FailureOr<Tile> TileEmitter::emitTranspose(TransposeOp op,
                                           const Tile &operand) {
  Tile result{Value(), operand.declared, {}};
  SmallVector<int64_t> shape;
  for (int64_t dim : op.getPerm()) {
    shape.push_back(operand.shape()[dim]);
    result.clips.push_back(operand.clips[dim]);
  }
  result.value = layout::TransposeOp::create(
      builder, loc,
      RankedTensorType::get(shape, operand.type().getElementType()),
      operand.value, op.getPerm());
  return result;
}

/// The clips after a reshape that only adds or removes dims of size 1; failure
/// for any other reshape of a clipped tile.
static FailureOr<SmallVector<std::optional<DimClip>>>
clipsOfReshape(const Tile &operand, ArrayRef<int64_t> shape) {
  SmallVector<std::optional<DimClip>> clips(shape.size());
  auto isUnit = [](int64_t extent) { return extent == 1; };
  bool clipped = llvm::any_of(operand.clips, [](auto &c) { return !!c; });
  if (!clipped)
    return clips;
  SmallVector<int64_t> before(operand.shape()), after(shape);
  llvm::erase_if(before, isUnit);
  llvm::erase_if(after, isUnit);
  if (before != after)
    return failure();
  unsigned from = 0;
  for (auto [number, extent] : llvm::enumerate(shape)) {
    if (isUnit(extent))
      continue;
    while (isUnit(operand.shape()[from]))
      ++from;
    clips[number] = operand.clips[from++];
  }
  return clips;
}

FailureOr<Tile> TileEmitter::emitReshape(ReshapeOp op, const Tile &operand) {
  SmallVector<int64_t> shape = coverShape(op.getResult().getType().getShape());
  auto clips = clipsOfReshape(operand, shape);
  if (failed(clips) || product(shape) != product(operand.shape()))
    return op.emitOpError("of a tile that hangs over its tensor, or whose "
                          "extents are no powers of two, is not supported "
                          "inside a block graph");
  return Tile{reshape(operand.value, shape), operand.declared, *clips};
}

Tile TileEmitter::emitBroadcast(BroadcastOp op, const Tile &operand) {
  ArrayRef<int64_t> declared = op.getResult().getType().getShape();
  SmallVector<int64_t> shape = coverShape(declared);
  Tile result{broadcast(operand.value, shape), operand.declared, {}};
  int64_t added = shape.size() - operand.rank();
  for (auto [dim, extent] : llvm::enumerate(declared)) {
    int64_t own = dim - added;
    bool grown = own < 0 || operand.shape()[own] != shape[dim];
    if (!grown) {
      result.clips.push_back(operand.clips[own]);
    } else if (extent == shape[dim]) {
      result.clips.push_back(std::nullopt);
    } else {
      DimClip clip;
      clip.tile = clip.extent = clip.within = extent;
      result.clips.push_back(clip);
    }
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Reductions and products
//===----------------------------------------------------------------------===//

static layout::ReduceKind toLayoutKind(mugraph::ReduceKind kind) {
  switch (kind) {
  case mugraph::ReduceKind::Sum:
  case mugraph::ReduceKind::Mean:
    return layout::ReduceKind::Sum;
  case mugraph::ReduceKind::Max:
    return layout::ReduceKind::Max;
  case mugraph::ReduceKind::Min:
    return layout::ReduceKind::Min;
  }
  llvm_unreachable("unknown reduction");
}

static double neutralOf(layout::ReduceKind kind) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  switch (kind) {
  case layout::ReduceKind::Sum:
    return 0.0;
  case layout::ReduceKind::Max:
    return -infinity;
  case layout::ReduceKind::Min:
    return infinity;
  default:
    llvm_unreachable("no reduction of a muGraph");
  }
}

FailureOr<Tile> TileEmitter::emitReduce(mugraph::ReduceOp op,
                                        const Tile &operand) {
  layout::ReduceKind kind = toLayoutKind(op.getKind());
  Tile result = operand;
  result.declared = op.getResult().getType().getElementType();
  result.value = widen(operand.value);
  int64_t count = 1;
  for (int64_t dim : op.getDims()) {
    std::optional<int64_t> existing =
        fixedCount(operand.clips[dim], operand.shape()[dim]);
    if (!existing && op.getKind() == mugraph::ReduceKind::Mean)
      return op.emitOpError("mean over a dim whose last tile is clipped: the "
                            "number of elements differs between tiles");
    count *= existing.value_or(1);
    result = mask(result, dim, neutralOf(kind));
    result.value = reduce(kind, result.value, dim);
    result.clips[dim] = std::nullopt;
  }
  if (kind == layout::ReduceKind::Sum)
    for (std::optional<DimClip> &clip : result.clips)
      if (clip && clip->filler != 0.0)
        clip->filler = std::nullopt;
  if (op.getKind() == mugraph::ReduceKind::Mean)
    result.value = arith::MulFOp::create(builder, loc, result.value,
                                         splat(result.shape(), 1.0 / count));
  return result;
}

/// What a widened tile was widened from, where that is known.
static Value narrowSource(Value value) {
  if (auto cast = value.getDefiningOp<arith::ExtFOp>())
    return cast.getIn();
  return value;
}

/// A 16-bit product in exact f32 is the same as the product of the widened
/// operands, so undo the widening where both sides have it.
static void narrowOperands(Tile &a, Tile &b) {
  Value left = narrowSource(a.value), right = narrowSource(b.value);
  if (!a.declared.isF32() || left == a.value || right == b.value)
    return;
  Type type = getElementTypeOrSelf(left);
  if (type != getElementTypeOrSelf(right))
    return;
  a.value = left;
  b.value = right;
  a.declared = b.declared = type;
}

/// A product of fillers may add nothing: both finite and one of them 0.
static bool fillersVanish(const std::optional<DimClip> &a,
                          const std::optional<DimClip> &b) {
  if (!a || !b || !a->filler || !b->filler)
    return false;
  return std::isfinite(*a->filler) && std::isfinite(*b->filler) &&
         *a->filler * *b->filler == 0.0;
}

FailureOr<Tile> TileEmitter::emitMatmul(Operation *op, const Tile &left,
                                        const Tile &right,
                                        ArrayRef<int64_t> resultShape,
                                        Value accumulator) {
  Tile a = left, b = right;
  narrowOperands(a, b);
  a.value = castTo(a.value, a.declared);
  b.value = castTo(b.value, b.declared);
  int64_t rowDim = a.rank() - 2, depthDim = a.rank() - 1;
  int64_t columnDim = b.rank() - 1;
  if (!fillersVanish(a.clips[depthDim], b.clips[b.rank() - 2])) {
    a = mask(a, depthDim, 0.0);
    b = mask(b, b.rank() - 2, 0.0);
  }

  int64_t rows = a.shape()[rowDim], depth = a.shape()[depthDim];
  int64_t columns = b.shape()[columnDim];
  int64_t batch = product(a.shape().drop_back(2));
  Tile result;
  result.declared = getElementTypeOrSelf(op->getResult(0).getType());
  if (product(b.shape().drop_back(2)) == 1) {
    Value added = accumulator ? reshape(accumulator, {batch * rows, columns})
                              : splat({batch * rows, columns}, 0.0);
    Value dot = emitDot(reshape(a.value, {batch * rows, depth}),
                        reshape(b.value, {depth, columns}), added);
    result.value = reshape(dot, resultShape);
  } else {
    int64_t size = product(resultShape) * depth;
    if (size > maxOuterProduct)
      return op->emitOpError("batched product of tiles with ")
             << size << " multiplications in one block, at most "
             << maxOuterProduct
             << " are supported; cut the batch dims by the grid";
    result.value = emitBatchedProduct(a.value, b.value, resultShape);
    if (accumulator)
      result.value =
          arith::AddFOp::create(builder, loc, result.value, accumulator);
  }
  int64_t rank = resultShape.size();
  result.clips.resize(rank);
  for (int64_t dim = 0; dim + 2 < rank; ++dim)
    for (const Tile *tile : {&a, &b})
      if (int64_t own = dim - (rank - tile->rank());
          own >= 0 && tile->clips[own])
        result.clips[dim] = tile->clips[own];
  result.clips[rank - 2] = a.clips[rowDim];
  result.clips[rank - 1] = b.clips[columnDim];
  for (std::optional<DimClip> &clip : result.clips)
    if (clip)
      clip->filler = std::nullopt;
  return result;
}

static Value transposed(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  auto result = RankedTensorType::get({type.getDimSize(1), type.getDimSize(0)},
                                      type.getElementType());
  return layout::TransposeOp::create(builder, loc, result, value,
                                     ArrayRef<int64_t>{1, 0});
}

/// Shape of a matrix with a dim of size `count` put behind row or column `dim`.
static SmallVector<int64_t> withCopies(Value matrix, int64_t dim,
                                       int64_t count) {
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(matrix.getType()).getShape());
  shape.insert(shape.begin() + dim + 1, count);
  return shape;
}

/// Each row (`dim` 0) or column (1) `count` times, next to each other.
Value TileEmitter::repeat(Value matrix, int64_t dim, int64_t count) {
  if (count == 1)
    return matrix;
  SmallVector<int64_t> shape = withCopies(matrix, dim, count);
  Value copies = broadcast(reshape(matrix, withCopies(matrix, dim, 1)), shape);
  shape[dim] *= count;
  shape.erase(shape.begin() + dim + 1);
  return reshape(copies, shape);
}

/// Undoes `repeat`: the copies are equal, so their maximum is each of them.
Value TileEmitter::unrepeat(Value matrix, int64_t dim, int64_t count) {
  if (count == 1)
    return matrix;
  SmallVector<int64_t> shape = withCopies(matrix, dim, count);
  shape[dim] /= count;
  Value first =
      reduce(layout::ReduceKind::Max, reshape(matrix, shape), dim + 1);
  shape.erase(shape.begin() + dim + 1);
  return reshape(first, shape);
}

/// `count` times as many rows or columns, all but the first ones 0.
Value TileEmitter::padWithZeros(Value matrix, int64_t dim, int64_t count) {
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(matrix.getType()).getShape());
  SmallVector<int64_t> outer = shape;
  outer.insert(outer.begin() + dim, 1);
  Value copies = reshape(matrix, outer);
  outer[dim] = count;
  copies = broadcast(copies, outer);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  copies = layout::MaskOp::create(builder, loc, copies.getType(), copies, dim,
                                  zero, /*extent=*/1, APFloat(0.0));
  shape[dim] *= count;
  return reshape(copies, shape);
}

/// A two-dimensional product. The matrix instruction has fixed extents: tiles
/// that are smaller repeat rows or columns, or add zeros in depth, and the
/// transposed product is computed where that wastes less.
Value TileEmitter::emitDot(Value a, Value b, Value accumulator) {
  auto create = [&](Value left, Value right, Value added) -> Value {
    return layout::DotOp::create(builder, loc, left, right, added);
  };
  if (getElementTypeOrSelf(a.getType()).isF32())
    return create(a, b, accumulator);

  auto copies = [](int64_t extent, int64_t edge) {
    return std::max<int64_t>(1, edge / extent);
  };
  MatrixShape edge = target.matrixShape;
  int64_t rows = cast<RankedTensorType>(a.getType()).getDimSize(0);
  int64_t depth = cast<RankedTensorType>(a.getType()).getDimSize(1);
  int64_t columns = cast<RankedTensorType>(b.getType()).getDimSize(1);
  if (int64_t count = copies(depth, edge.k); count > 1) {
    a = padWithZeros(a, 1, count);
    b = padWithZeros(b, 0, count);
  }
  int64_t plainWaste = copies(rows, edge.m) * copies(columns, edge.n);
  int64_t exchangedWaste = copies(rows, edge.n) * copies(columns, edge.m);
  bool exchanged = exchangedWaste < plainWaste;
  int64_t rowCopies = copies(rows, exchanged ? edge.n : edge.m);
  int64_t columnCopies = copies(columns, exchanged ? edge.m : edge.n);
  a = repeat(a, 0, rowCopies);
  b = repeat(b, 1, columnCopies);
  accumulator = repeat(repeat(accumulator, 0, rowCopies), 1, columnCopies);
  Value result;
  if (exchanged)
    result = transposed(builder, loc,
                        create(transposed(builder, loc, b),
                               transposed(builder, loc, a),
                               transposed(builder, loc, accumulator)));
  else
    result = create(a, b, accumulator);
  return unrepeat(unrepeat(result, 1, columnCopies), 0, rowCopies);
}

Value TileEmitter::emitBatchedProduct(Value a, Value b,
                                      ArrayRef<int64_t> shape) {
  auto typeA = cast<RankedTensorType>(a.getType());
  auto typeB = cast<RankedTensorType>(b.getType());
  SmallVector<int64_t> outer(shape.drop_back()), shapeA(typeA.getShape());
  SmallVector<int64_t> shapeB(typeB.getShape().drop_back(2));
  outer.push_back(typeA.getShape().back());
  outer.push_back(shape.back());
  shapeA.push_back(1);
  shapeB.append({1, typeB.getDimSize(typeB.getRank() - 2), shape.back()});
  Value left = broadcast(reshape(widen(a), shapeA), outer);
  Value right = broadcast(reshape(widen(b), shapeB), outer);
  Value products = arith::MulFOp::create(builder, loc, left, right);
  Value sum =
      reduce(layout::ReduceKind::Sum, products, int64_t(outer.size()) - 2);
  return reshape(sum, shape);
}

//===----------------------------------------------------------------------===//
// Any op
//===----------------------------------------------------------------------===//

FailureOr<Tile> TileEmitter::emit(Operation *op, ArrayRef<Tile> operands) {
  loc = op->getLoc();
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return emitMatmul(op, operands[0], operands[1],
                      coverShape(matmul.getResult().getType().getShape()),
                      Value());
  if (auto reduce = dyn_cast<mugraph::ReduceOp>(op))
    return emitReduce(reduce, operands[0]);
  if (auto transpose = dyn_cast<mugraph::TransposeOp>(op))
    return emitTranspose(transpose, operands[0]);
  if (auto reshape = dyn_cast<mugraph::ReshapeOp>(op))
    return emitReshape(reshape, operands[0]);
  if (auto broadcast = dyn_cast<mugraph::BroadcastOp>(op))
    return emitBroadcast(broadcast, operands[0]);
  if (op->hasTrait<mugraph::Elementwise>())
    return emitElementwise(op, operands);
  return op->emitOpError("has no lowering to tiles inside a block graph");
}
