//===- ReadSoftmax.cpp - The softmax accumulator, spelled out -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// accumulate_softmax of scores s and values v is read as what it means:
//
//   M    the maximum of s over its last dim and the loop
//   W    exp(s - M)
//   den  the sum of W over its last dim and the loop
//   num  the sum of W @ v over the loop
//
// How the sums are rescaled when a running maximum grows is a matter of the
// kernel.
//
//===----------------------------------------------------------------------===//

#include "ProgramReader.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;
using mugraph::Meaning;
using mugraph::MeaningPiece;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

/// The meaning of a matmul or of a reduction of the last dim: the dims of
/// `shape` followed by the contracted one of extent `inner`.
static MeaningPiece rowPiece(MLIRContext *context, ArrayRef<int64_t> shape,
                             int64_t inner, Reduction reduction) {
  MeaningPiece piece;
  piece.extents.assign(shape.begin(), shape.end());
  piece.extents.push_back(inner);
  piece.reduction = reduction;
  piece.resultMap = AffineMap::getMultiDimIdentityMap(shape.size(), context);
  piece.resultMap = AffineMap::get(shape.size() + 1, 0,
                                   piece.resultMap.getResults(), context);
  return piece;
}

/// A map from the dims of a `rowPiece` to a tensor whose leading dims broadcast
/// as in NumPy and whose last two indices are `last`.
static AffineMap rowMap(MLIRContext *context, unsigned numDims,
                        ArrayRef<int64_t> shape, ArrayRef<unsigned> last) {
  unsigned rank = shape.size(), leading = rank - 2;
  unsigned resultLeading = numDims - 3;
  SmallVector<AffineExpr> exprs;
  for (unsigned i = 0; i < leading; ++i)
    exprs.push_back(
        shape[i] == 1 ? getAffineConstantExpr(0, context)
                      : getAffineDimExpr(resultLeading - leading + i, context));
  for (unsigned dim : last)
    exprs.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(numDims, 0, exprs, context);
}

FailureOr<unsigned> ProgramReader::appendPiece(MeaningPiece piece,
                                               ArrayRef<unsigned> operands,
                                               ArrayRef<int64_t> shape) {
  Meaning meaning;
  meaning.pieces.push_back(std::move(piece));
  return appendPieces(meaning, operands, shape);
}

/// `reduction` of the scores (or their weights) over the last dim j and the
/// loop.
FailureOr<unsigned> ProgramReader::appendRowReduction(MLIRContext *context,
                                                      unsigned scores,
                                                      Reduction reduction,
                                                      unsigned loop) {
  SmallVector<int64_t> scoreShape(llvm::ArrayRef(shapeOf(scores)));
  SmallVector<int64_t> rowShape(scoreShape);
  int64_t inner = std::exchange(rowShape.back(), 1);
  unsigned rank = scoreShape.size();
  // Iteration dims: those of the result, then j. Scores are read at (.., q, j).
  MeaningPiece piece = rowPiece(context, rowShape, inner, reduction);
  piece.operandMaps = {rowMap(context, rank + 1, scoreShape, {rank - 2, rank})};
  FailureOr<unsigned> ofTile = appendPiece(piece, {scores}, rowShape);
  if (failed(ofTile))
    return failure();
  return appendAccumulate(*ofTile, reduction, loop);
}

/// exp(scores - maximum), with the maximum of each row.
FailureOr<unsigned> ProgramReader::appendWeights(MLIRContext *context,
                                                 unsigned scores,
                                                 unsigned maximum) {
  SmallVector<int64_t> shape(llvm::ArrayRef(shapeOf(scores)));
  unsigned rank = shape.size();
  MeaningPiece piece;
  piece.extents = shape;
  piece.resultMap = AffineMap::getMultiDimIdentityMap(rank, context);
  SmallVector<AffineExpr> rowExprs(piece.resultMap.getResults());
  rowExprs.back() = getAffineConstantExpr(0, context);
  piece.operandMaps = {piece.resultMap,
                       AffineMap::get(rank, 0, rowExprs, context)};
  piece.body = ScalarExpr::apply(
      ScalarFunction::Exp, {ScalarExpr::operand(0) - ScalarExpr::operand(1)});
  return appendPiece(piece, {scores, maximum}, shape);
}

LogicalResult ProgramReader::readSoftmax(mugraph::AccumulateSoftmaxOp op) {
  MLIRContext *context = op.getContext();
  unsigned scores = numbers.lookup(op.getScores());
  unsigned loop = op.getLoop();
  FailureOr<unsigned> maximum =
      appendRowReduction(context, scores, Reduction::Max, loop);
  if (failed(maximum))
    return failure();
  FailureOr<unsigned> weights = appendWeights(context, scores, *maximum);
  if (failed(weights))
    return failure();
  FailureOr<unsigned> sum =
      appendRowReduction(context, *weights, Reduction::Sum, loop);
  if (failed(sum))
    return failure();
  numbers[op.getDenominator()] = *sum;

  ArrayRef<int64_t> scoreShape = tensorShape(op.getScores());
  for (auto [value, result] :
       llvm::zip_equal(op.getValues(), op.getNumerators())) {
    ArrayRef<int64_t> shape = tensorShape(result);
    unsigned rank = shape.size();
    MeaningPiece piece =
        rowPiece(context, shape, scoreShape.back(), Reduction::Sum);
    piece.operandMaps = {
        rowMap(context, rank + 1, scoreShape, {rank - 2, rank}),
        rowMap(context, rank + 1, tensorShape(value), {rank, rank - 1})};
    piece.body = ScalarExpr::operand(0) * ScalarExpr::operand(1);
    FailureOr<unsigned> product =
        appendPiece(piece, {*weights, numbers.lookup(value)}, shape);
    if (failed(product))
      return failure();
    numbers[result] = appendAccumulate(*product, Reduction::Sum, loop);
  }
  return success();
}
