//===- ShapeOps.cpp - Transpose, reshape, broadcast, slice, concat
//----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace mirage::mugraph;

static LogicalResult verifySameElementType(Operation *op) {
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = cast<RankedTensorType>(operand.get().getType());
    if (type.getElementType() != result.getElementType())
      return op->emitOpError() << "operand #" << operand.getOperandNumber()
                               << " has element type " << type.getElementType()
                               << ", expected that of the result, "
                               << result.getElementType() << " (mugraph_c2)";
  }
  return success();
}

static LogicalResult verifyResultShape(Operation *op,
                                       ArrayRef<int64_t> expected) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  if (shape == expected)
    return success();
  return op->emitOpError() << "has result shape " << shapeString(shape)
                           << ", expected " << shapeString(expected)
                           << " (mugraph_c6)";
}

/// A meaning that copies: the result has the elements of the operand at `map`.
static Meaning copyMeaning(Operation *op, AffineMap map) {
  Meaning meaning = elementwiseMeaning(op, ScalarExpr::operand(0));
  meaning.pieces[0].operandMaps[0] = map;
  return meaning;
}

template <typename OpTy>
static OpFoldResult foldIdentity(OpTy op) {
  return op.getInput().getType() == op.getType() ? OpFoldResult(op.getInput())
                                                 : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// transpose
//===----------------------------------------------------------------------===//

LogicalResult TransposeOp::verify() {
  if (failed(verifySameElementType(*this)))
    return failure();
  ArrayRef<int64_t> shape = getInput().getType().getShape(), perm = getPerm();
  SmallVector<int64_t> expected;
  SmallVector<bool> seen(shape.size());
  for (int64_t dim : perm) {
    if (dim < 0 || dim >= static_cast<int64_t>(shape.size()) || seen[dim])
      break;
    seen[dim] = true;
    expected.push_back(shape[dim]);
  }
  if (perm.size() != shape.size() || expected.size() != shape.size())
    return emitOpError() << "has perm = " << shapeString(perm)
                         << ", expected each dim of a tensor of rank "
                         << shape.size() << " once (mugraph_c5)";
  return verifyResultShape(*this, expected);
}

FailureOr<Meaning> TransposeOp::getMeaning() {
  // Result dim i runs over operand dim perm[i].
  SmallVector<unsigned> position(getPerm().size());
  for (auto [dim, source] : llvm::enumerate(getPerm()))
    position[source] = dim;
  return copyMeaning(*this,
                     AffineMap::getPermutationMap(position, getContext()));
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  if (llvm::is_sorted(getPerm()))
    return getInput();
  auto inner = getInput().getDefiningOp<TransposeOp>();
  if (!inner)
    return {};
  SmallVector<int64_t> perm;
  for (int64_t source : getPerm())
    perm.push_back(inner.getPerm()[source]);
  if (llvm::is_sorted(perm))
    return inner.getInput();
  setOperand(inner.getInput());
  setPerm(perm);
  return getResult();
}

//===----------------------------------------------------------------------===//
// reshape
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  if (failed(verifySameElementType(*this)))
    return failure();
  RankedTensorType input = getInput().getType();
  if (input.getNumElements() != getType().getNumElements())
    return emitOpError() << "turns " << shapeString(input.getShape())
                         << " into " << shapeString(getType().getShape())
                         << ", expected equal numbers of elements, got "
                         << input.getNumElements() << " and "
                         << getType().getNumElements() << " (mugraph_c6)";
  return success();
}

FailureOr<Meaning> ReshapeOp::getMeaning() {
  MLIRContext *context = getContext();
  ArrayRef<int64_t> from = getInput().getType().getShape();
  ArrayRef<int64_t> to = getType().getShape();
  AffineExpr position = getAffineConstantExpr(0, context);
  for (auto [dim, extent] : llvm::enumerate(to))
    position = position * extent + getAffineDimExpr(dim, context);
  SmallVector<AffineExpr> indices(from.size());
  int64_t stride = 1;
  for (size_t dim = from.size(); dim-- > 0; stride *= from[dim])
    indices[dim] = (position.floorDiv(stride)) % from[dim];
  AffineMap map = AffineMap::get(to.size(), 0, indices, context);
  return copyMeaning(*this, map);
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (auto inner = getInput().getDefiningOp<ReshapeOp>()) {
    setOperand(inner.getInput());
    return getResult();
  }
  return foldIdentity(*this);
}

//===----------------------------------------------------------------------===//
// broadcast
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  if (failed(verifySameElementType(*this)))
    return failure();
  ArrayRef<int64_t> from = getInput().getType().getShape();
  ArrayRef<int64_t> to = getType().getShape();
  auto joined = broadcastShapes(from, to);
  if (!joined || ArrayRef(*joined) != to)
    return emitOpError()
           << "cannot broadcast " << shapeString(from) << " to "
           << shapeString(to)
           << ", expected equal or unit trailing dims (mugraph_c6)";
  return success();
}

FailureOr<Meaning> BroadcastOp::getMeaning() {
  return elementwiseMeaning(*this, ScalarExpr::operand(0));
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) { return foldIdentity(*this); }

//===----------------------------------------------------------------------===//
// slice
//===----------------------------------------------------------------------===//

LogicalResult SliceOp::verify() {
  if (failed(verifySameElementType(*this)))
    return failure();
  ArrayRef<int64_t> shape = getInput().getType().getShape();
  if (getOffsets().size() != shape.size() || getSizes().size() != shape.size())
    return emitOpError() << "has " << getOffsets().size() << " offsets and "
                         << getSizes().size()
                         << " sizes, expected one for each dim of a tensor of "
                            "rank "
                         << shape.size() << " (mugraph_c6)";
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    int64_t offset = getOffsets()[dim], size = getSizes()[dim];
    if (offset < 0 || size < 1 || offset >= extent || size > extent - offset)
      return emitOpError() << "takes " << size << " elements from " << offset
                           << " on of dim " << dim << ", which has " << extent
                           << " (mugraph_c6)";
  }
  return verifyResultShape(*this, getSizes());
}

FailureOr<Meaning> SliceOp::getMeaning() {
  SmallVector<AffineExpr> indices;
  for (auto [dim, offset] : llvm::enumerate(getOffsets()))
    indices.push_back(getAffineDimExpr(dim, getContext()) + offset);
  return copyMeaning(*this,
                     AffineMap::get(indices.size(), 0, indices, getContext()));
}

OpFoldResult SliceOp::fold(FoldAdaptor) { return foldIdentity(*this); }

//===----------------------------------------------------------------------===//
// concat
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError()
           << "has no operand, expected at least one (mugraph_c6)";
  if (failed(verifySameElementType(*this)))
    return failure();
  auto shapeOf = [&](unsigned number) {
    return cast<RankedTensorType>(getInputs()[number].getType()).getShape();
  };
  SmallVector<int64_t> expected(shapeOf(0));
  int64_t rank = expected.size(), dim = getDim();
  if (dim < 0 || dim >= rank)
    return emitOpError() << "has dim = " << dim
                         << ", expected a dim of tensors of rank " << rank
                         << " (mugraph_c5)";
  for (unsigned number = 1; number < getInputs().size(); ++number) {
    SmallVector<int64_t> shape(shapeOf(number)), first(shapeOf(0));
    int64_t extent = shape.size() == first.size() ? shape[dim] : 0;
    if (extent != 0)
      shape[dim] = first[dim];
    if (shape != first)
      return emitOpError() << "operand #" << number << " has shape "
                           << shapeString(shapeOf(number))
                           << ", expected that of operand #0 but for dim "
                           << dim << ", " << shapeString(shapeOf(0))
                           << " (mugraph_c6)";
    expected[dim] += extent;
  }
  return verifyResultShape(*this, expected);
}

FailureOr<Meaning> ConcatOp::getMeaning() {
  MLIRContext *context = getContext();
  unsigned rank = getType().getRank(), count = getInputs().size();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(rank, context);
  Meaning meaning;
  int64_t offset = 0;
  for (auto [number, input] : llvm::enumerate(getInputs())) {
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(input.getType()).getShape();
    MeaningPiece piece;
    piece.extents.assign(shape.begin(), shape.end());
    piece.operandMaps.resize(count);
    piece.operandMaps[number] = identity;
    SmallVector<AffineExpr> target(identity.getResults());
    target[getDim()] = target[getDim()] + offset;
    piece.resultMap = AffineMap::get(rank, 0, target, context);
    piece.body = ScalarExpr::operand(number);
    offset += shape[getDim()];
    meaning.pieces.push_back(piece);
  }
  return meaning;
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getInputs().size() == 1 ? OpFoldResult(getInputs()[0])
                                 : OpFoldResult();
}
