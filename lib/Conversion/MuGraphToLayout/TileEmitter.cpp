//===- TileEmitter.cpp - Tensor ops on tiles ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"

#include "Product.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

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

/// Two tiles of one shape along a dim: of the position the highest bit says
/// which of them it lies in.
Value TileEmitter::sideBySide(Value first, Value second, int64_t dim) {
  auto type = cast<RankedTensorType>(first.getType());
  SmallVector<int64_t> shape(type.getShape());
  auto ofShape = [&](ArrayRef<int64_t> extents) {
    return RankedTensorType::get(extents, type.getElementType());
  };
  SmallVector<int64_t> joined(shape), moved(shape), perm;
  joined.push_back(2);
  moved.insert(moved.begin() + dim, 2);
  perm.append(llvm::to_vector(llvm::seq<int64_t>(0, shape.size())));
  perm.insert(perm.begin() + dim, shape.size());
  shape[dim] *= 2;
  Value both =
      layout::JoinOp::create(builder, loc, ofShape(joined), first, second);
  return reshape(
      layout::TransposeOp::create(builder, loc, ofShape(moved), both, perm),
      shape);
}

FailureOr<Tile> TileEmitter::emitConcat(ConcatOp op, ArrayRef<Tile> operands) {
  int64_t dim = op.getDim();
  Tile result = operands.front();
  SmallVector<Value> values;
  bool mayJoin = llvm::isPowerOf2_64(operands.size());
  for (const Tile &operand : operands) {
    mayJoin &= operand.shape() == result.shape() && !operand.clips[dim];
    values.push_back(widen(operand.value));
    for (auto [clip, other] : llvm::zip(result.clips, operand.clips)) {
      bool isAlike = clip && other && clip->filler == other->filler;
      if (!clip)
        clip = other;
      if (clip && !isAlike)
        clip->filler.reset();
    }
  }
  if (!mayJoin)
    return op.emitOpError("inside a block graph joins inputs, or a power of "
                          "two of parts whose extent is one, too");
  for (; values.size() > 1; values.resize(values.size() / 2))
    for (size_t i = 0; 2 * i < values.size(); ++i)
      values[i] = sideBySide(values[2 * i], values[2 * i + 1], dim);
  result.value = values.front();
  return result;
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
// Reductions
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

//===----------------------------------------------------------------------===//
// Any op
//===----------------------------------------------------------------------===//

FailureOr<Tile> TileEmitter::emitMatmul(Operation *op, const Tile &a,
                                        const Tile &b) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  FailureOr<Product> product =
      Product::prepare(*this, op, a, b, coverShape(type.getShape()));
  if (failed(product))
    return failure();
  return product->alone(*this);
}

FailureOr<Tile> TileEmitter::emit(Operation *op, ArrayRef<Tile> operands) {
  loc = op->getLoc();
  if (isa<MatmulOp>(op))
    return emitMatmul(op, operands[0], operands[1]);
  if (auto reduce = dyn_cast<mugraph::ReduceOp>(op))
    return emitReduce(reduce, operands[0]);
  if (auto transpose = dyn_cast<mugraph::TransposeOp>(op))
    return emitTranspose(transpose, operands[0]);
  if (auto reshape = dyn_cast<mugraph::ReshapeOp>(op))
    return emitReshape(reshape, operands[0]);
  if (auto concat = dyn_cast<mugraph::ConcatOp>(op))
    return emitConcat(concat, operands);
  if (auto broadcast = dyn_cast<mugraph::BroadcastOp>(op))
    return emitBroadcast(broadcast, operands[0]);
  if (op->hasTrait<mugraph::Elementwise>())
    return emitElementwise(op, operands);
  return op->emitOpError("has no lowering to tiles inside a block graph");
}
