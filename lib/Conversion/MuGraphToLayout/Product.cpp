//===- Product.cpp - Matrix products of tiles -----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Product.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mirage;

/// A batched product that no matrix instruction does is multiplied out; tiles
/// above this many products are refused.
static constexpr int64_t maxOuterProduct = int64_t{1} << 20;

static int64_t product(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= extent;
  return result;
}

static ArrayRef<int64_t> shapeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

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

/// Rounds the operands to their types, with nothing to add where an element
/// does not exist.
static void prepareOperands(TileEmitter &emitter, Tile &a, Tile &b) {
  narrowOperands(a, b);
  a.value = emitter.castTo(a.value, a.declared);
  b.value = emitter.castTo(b.value, b.declared);
  int64_t ofA = a.rank() - 1, ofB = b.rank() - 2;
  if (fillersVanish(a.clips[ofA], b.clips[ofB]))
    return;
  a = emitter.mask(a, ofA, 0.0);
  b = emitter.mask(b, ofB, 0.0);
}

static SmallVector<std::optional<DimClip>>
clipsOfProduct(const Tile &a, const Tile &b, int64_t rank) {
  SmallVector<std::optional<DimClip>> clips(rank);
  for (int64_t dim = 0; dim + 2 < rank; ++dim)
    for (const Tile *tile : {&a, &b})
      if (int64_t own = dim - (rank - tile->rank());
          own >= 0 && tile->clips[own])
        clips[dim] = tile->clips[own];
  clips[rank - 2] = a.clips[a.rank() - 2];
  clips[rank - 1] = b.clips[b.rank() - 1];
  for (std::optional<DimClip> &clip : clips)
    if (clip)
      clip->filler = std::nullopt;
  return clips;
}

//===----------------------------------------------------------------------===//
// Matrices of the instruction's extents
//===----------------------------------------------------------------------===//

static Value transposed(TileEmitter &emitter, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  auto result = RankedTensorType::get({type.getDimSize(1), type.getDimSize(0)},
                                      type.getElementType());
  return layout::TransposeOp::create(emitter.builder, emitter.loc, result,
                                     value, ArrayRef<int64_t>{1, 0});
}

/// Shape of a matrix with a dim of size `count` put behind row or column `dim`.
static SmallVector<int64_t> withCopies(Value matrix, int64_t dim,
                                       int64_t count) {
  SmallVector<int64_t> shape(shapeOf(matrix));
  shape.insert(shape.begin() + dim + 1, count);
  return shape;
}

/// Each row (`dim` 0) or column (1) `count` times, next to each other.
static Value repeat(TileEmitter &emitter, Value matrix, int64_t dim,
                    int64_t count) {
  if (count == 1)
    return matrix;
  SmallVector<int64_t> shape = withCopies(matrix, dim, count);
  Value copies = emitter.broadcast(
      emitter.reshape(matrix, withCopies(matrix, dim, 1)), shape);
  shape[dim] *= count;
  shape.erase(shape.begin() + dim + 1);
  return emitter.reshape(copies, shape);
}

/// Undoes `repeat`: the copies are equal, so their maximum is each of them.
static Value unrepeat(TileEmitter &emitter, Value matrix, int64_t dim,
                      int64_t count) {
  if (count == 1)
    return matrix;
  SmallVector<int64_t> shape = withCopies(matrix, dim, count);
  shape[dim] /= count;
  Value first = emitter.reduce(layout::ReduceKind::Max,
                               emitter.reshape(matrix, shape), dim + 1);
  shape.erase(shape.begin() + dim + 1);
  return emitter.reshape(first, shape);
}

/// `count` times as many rows or columns, all but the first ones 0.
static Value padWithZeros(TileEmitter &emitter, Value matrix, int64_t dim,
                          int64_t count) {
  if (count == 1)
    return matrix;
  SmallVector<int64_t> shape(shapeOf(matrix));
  SmallVector<int64_t> outer = shape;
  outer.insert(outer.begin() + dim, 1);
  Value copies = emitter.reshape(matrix, outer);
  outer[dim] = count;
  copies = emitter.broadcast(copies, outer);
  Value zero = arith::ConstantIndexOp::create(emitter.builder, emitter.loc, 0);
  copies = layout::MaskOp::create(emitter.builder, emitter.loc,
                                  copies.getType(), copies, dim, zero,
                                  /*extent=*/1, APFloat(0.0));
  shape[dim] *= count;
  return emitter.reshape(copies, shape);
}

/// Instructions for one step in depth.
static int64_t countTiles(int64_t rows, int64_t columns, int64_t m, int64_t n) {
  return std::max<int64_t>(1, rows / m) * std::max<int64_t>(1, columns / n);
}

/// Rows of the left operands of all products that have the right operand of
/// `op`.
static SmallVector<int64_t> rowsOfGroup(Operation *op, int64_t rows) {
  auto matmul = dyn_cast<mugraph::MatmulOp>(op);
  if (!matmul)
    return {rows};
  SmallVector<int64_t> group;
  for (Operation *user : matmul.getRhs().getUsers())
    if (auto other = dyn_cast<mugraph::MatmulOp>(user);
        other && other.getRhs() == matmul.getRhs())
      group.push_back(
          product(ArrayRef(coverShape(other.getLhs().getType().getShape()))
                      .drop_back()));
  return group;
}

/// Whether the transposed products take fewer instructions. Those with one
/// right operand are computed alike, so that threads hold it once.
static bool isExchanged(Operation *op, MatrixShape edge, int64_t rows,
                        int64_t columns) {
  int64_t plain = 0, exchanged = 0;
  for (int64_t other : rowsOfGroup(op, rows)) {
    plain += countTiles(other, columns, edge.m, edge.n);
    exchanged += countTiles(other, columns, edge.n, edge.m);
  }
  return exchanged < plain;
}

void Product::fit(Operation *op, MatrixShape edge) {
  auto copies = [](int64_t extent, int64_t edge) {
    return std::max<int64_t>(1, edge / extent);
  };
  int64_t rows = shapeOf(a)[0], columns = shapeOf(b)[1];
  how.exchanged = isExchanged(op, edge, rows, columns);
  how.rowCopies = copies(rows, how.exchanged ? edge.n : edge.m);
  how.columnCopies = copies(columns, how.exchanged ? edge.m : edge.n);
  how.depthCopies = copies(shapeOf(a)[1], edge.k);
}

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

LogicalResult Product::checkSize(Operation *op, int64_t products) {
  if (products <= maxOuterProduct)
    return success();
  return op->emitOpError("batched product of tiles with ")
         << products << " multiplications in one block, at most "
         << maxOuterProduct << " are supported; cut the batch dims by the grid";
}

FailureOr<Product> Product::prepare(TileEmitter &emitter, Operation *op, Tile a,
                                    Tile b, ArrayRef<int64_t> resultShape) {
  prepareOperands(emitter, a, b);
  Product result;
  result.declared = getElementTypeOrSelf(op->getResult(0).getType());
  result.shape.assign(resultShape.begin(), resultShape.end());
  result.clips = clipsOfProduct(a, b, resultShape.size());
  result.isBatched = product(b.shape().drop_back(2)) != 1;
  result.a = a.value;
  result.b = b.value;
  int64_t depth = a.shape().back();
  if (result.isBatched) {
    result.matrix = result.shape;
    if (failed(checkSize(op, product(resultShape) * depth)))
      return failure();
    return result;
  }
  result.a = emitter.reshape(a.value, {product(a.shape().drop_back()), depth});
  result.b = emitter.reshape(b.value, {depth, b.shape().back()});
  if (!getElementTypeOrSelf(result.a.getType()).isF32())
    result.fit(op, emitter.matrixShape());
  result.prepareMatrices(emitter);
  return result;
}

void Product::prepareMatrices(TileEmitter &emitter) {
  a = padWithZeros(emitter, a, 1, how.depthCopies);
  b = padWithZeros(emitter, b, 0, how.depthCopies);
  a = repeat(emitter, a, 0, how.rowCopies);
  b = repeat(emitter, b, 1, how.columnCopies);
  if (how.exchanged) {
    Value left = transposed(emitter, b);
    b = transposed(emitter, a);
    a = left;
  }
  matrix = {shapeOf(a)[0], shapeOf(b)[1]};
}

Value Product::zero(TileEmitter &emitter) const {
  return emitter.splat(matrix, 0.0);
}

Value Product::asAccumulator(TileEmitter &emitter, Value value) const {
  if (isBatched)
    return value;
  value = emitter.reshape(value, {product(shape) / shape.back(), shape.back()});
  value = repeat(emitter, value, 0, how.rowCopies);
  value = repeat(emitter, value, 1, how.columnCopies);
  return how.exchanged ? transposed(emitter, value) : value;
}

Value Product::addTo(TileEmitter &emitter, Value accumulator) const {
  if (isBatched)
    return arith::AddFOp::create(emitter.builder, emitter.loc,
                                 multiplyOut(emitter), accumulator);
  return layout::DotOp::create(emitter.builder, emitter.loc, a, b, accumulator);
}

Tile Product::alone(TileEmitter &emitter) const {
  if (isBatched)
    return finish(emitter, multiplyOut(emitter));
  return finish(emitter, addTo(emitter, zero(emitter)));
}

Tile Product::finish(TileEmitter &emitter, Value accumulator) const {
  if (how.exchanged)
    accumulator = transposed(emitter, accumulator);
  accumulator = unrepeat(emitter, accumulator, 1, how.columnCopies);
  accumulator = unrepeat(emitter, accumulator, 0, how.rowCopies);
  return {emitter.reshape(accumulator, shape), declared, clips};
}

Value Product::multiplyOut(TileEmitter &emitter) const {
  ArrayRef<int64_t> ofA = shapeOf(a), ofB = shapeOf(b);
  SmallVector<int64_t> outer(ArrayRef(shape).drop_back());
  outer.append({ofA.back(), shape.back()});
  SmallVector<int64_t> columnsOfA(ofA), rowsOfB(ofB.drop_back(2));
  columnsOfA.push_back(1);
  rowsOfB.append({1, ofB[ofB.size() - 2], shape.back()});
  auto expand = [&](Value value, ArrayRef<int64_t> to) {
    return emitter.broadcast(emitter.reshape(emitter.widen(value), to), outer);
  };
  Value left = expand(a, columnsOfA), right = expand(b, rowsOfB);
  Value products =
      arith::MulFOp::create(emitter.builder, emitter.loc, left, right);
  Value sum = emitter.reduce(layout::ReduceKind::Sum, products,
                             int64_t(outer.size()) - 2);
  return emitter.reshape(sum, shape);
}
