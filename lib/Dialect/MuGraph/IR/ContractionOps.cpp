//===- ContractionOps.cpp - Matrix products and reductions
//------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

using namespace mlir;
using namespace mirage::mugraph;

/// Constraint mugraph_c2 for ops whose result may be wider than the operand.
static LogicalResult verifyNotNarrower(Operation *op, Type operand,
                                       Type result) {
  unsigned operandBits = operand.getIntOrFloatBitWidth();
  if (operand == result || result.getIntOrFloatBitWidth() > operandBits)
    return success();
  return op->emitOpError() << "has result element type " << result
                           << ", expected that of the operands, " << operand
                           << ", or a wider one (mugraph_c2)";
}

//===----------------------------------------------------------------------===//
// matmul
//===----------------------------------------------------------------------===//

LogicalResult MatmulOp::verify() {
  RankedTensorType lhs = getLhs().getType(), rhs = getRhs().getType();
  if (lhs.getElementType() != rhs.getElementType())
    return emitOpError() << "multiplies " << lhs.getElementType() << " by "
                         << rhs.getElementType()
                         << ", expected equal element types (mugraph_c2)";
  if (failed(verifyNotNarrower(*this, lhs.getElementType(),
                               getType().getElementType())))
    return failure();
  ArrayRef<int64_t> a = lhs.getShape(), b = rhs.getShape();
  if (a.size() < 2 || b.size() < 2)
    return emitOpError() << "has operands of rank " << a.size() << " and "
                         << b.size() << ", expected at least 2 (mugraph_c4)";
  if (a.back() != b[b.size() - 2])
    return emitOpError() << "contracts extent " << a.back() << " of "
                         << shapeString(a) << " with extent " << b[b.size() - 2]
                         << " of " << shapeString(b)
                         << ", expected equal extents (mugraph_c4)";
  auto shape = broadcastShapes(a.drop_back(2), b.drop_back(2));
  if (!shape)
    return emitOpError() << "has batch dims " << shapeString(a.drop_back(2))
                         << " and " << shapeString(b.drop_back(2))
                         << ", which do not broadcast (mugraph_c4)";
  shape->append({a[a.size() - 2], b.back()});
  if (getType().getShape() != ArrayRef(*shape))
    return emitOpError() << "has result shape "
                         << shapeString(getType().getShape()) << ", expected "
                         << shapeString(*shape) << " (mugraph_c4)";
  return success();
}

MeaningPiece mirage::mugraph::matmulPiece(ArrayRef<int64_t> lhs,
                                          ArrayRef<int64_t> rhs,
                                          ArrayRef<int64_t> resultShape,
                                          MLIRContext *context) {
  unsigned batch = resultShape.size() - 2;
  MeaningPiece piece;
  piece.extents.assign(resultShape.begin(), resultShape.end());
  piece.extents.push_back(lhs.back());
  AffineExpr m = getAffineDimExpr(batch, context);
  AffineExpr n = getAffineDimExpr(batch + 1, context);
  AffineExpr k = getAffineDimExpr(batch + 2, context);
  auto map = [&](ArrayRef<int64_t> shape, AffineExpr row, AffineExpr column) {
    AffineMap lead =
        broadcastMap(shape.drop_back(2), resultShape.drop_back(2), context);
    SmallVector<AffineExpr> indices(lead.getResults());
    indices.append({row, column});
    return AffineMap::get(batch + 3, 0, indices, context);
  };
  piece.operandMaps = {map(lhs, m, k), map(rhs, k, n)};
  piece.resultMap = map(resultShape, m, n);
  piece.reduction = Reduction::Sum;
  piece.body = ScalarExpr::operand(0) * ScalarExpr::operand(1);
  return piece;
}

FailureOr<Meaning> MatmulOp::getMeaning() {
  return Meaning{
      {matmulPiece(getLhs().getType().getShape(), getRhs().getType().getShape(),
                   getType().getShape(), getContext())}};
}

//===----------------------------------------------------------------------===//
// reduce
//===----------------------------------------------------------------------===//

LogicalResult ReduceOp::verify() {
  RankedTensorType input = getInput().getType();
  if (failed(verifyNotNarrower(*this, input.getElementType(),
                               getType().getElementType())))
    return failure();
  SmallVector<int64_t> shape(input.getShape());
  SmallVector<bool> seen(shape.size());
  for (int64_t dim : getDims()) {
    if (dim < 0 || dim >= input.getRank())
      return emitOpError() << "reduces dim " << dim
                           << ", expected one of a tensor of rank "
                           << input.getRank() << " (mugraph_c5)";
    if (seen[dim])
      return emitOpError() << "reduces dim " << dim << " twice (mugraph_c5)";
    seen[dim] = true;
    shape[dim] = 1;
  }
  if (getType().getShape() != ArrayRef(shape))
    return emitOpError() << "has result shape "
                         << shapeString(getType().getShape()) << ", expected "
                         << shapeString(shape) << " (mugraph_c6)";
  return success();
}

MeaningPiece mirage::mugraph::reducePiece(ArrayRef<int64_t> shape,
                                          ArrayRef<int64_t> dims,
                                          Reduction reduction,
                                          MLIRContext *context) {
  MeaningPiece piece;
  piece.extents.assign(shape.begin(), shape.end());
  SmallVector<AffineExpr> indices;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    indices.push_back(getAffineDimExpr(dim, context));
  for (int64_t dim : dims) {
    indices[dim] = getAffineDimExpr(piece.extents.size(), context);
    piece.extents.push_back(shape[dim]);
    piece.extents[dim] = 1;
  }
  unsigned count = piece.extents.size();
  piece.operandMaps = {AffineMap::get(count, 0, indices, context)};
  piece.resultMap = AffineMap::getMultiDimIdentityMap(count, context)
                        .getMajorSubMap(shape.size());
  piece.reduction = reduction;
  return piece;
}

FailureOr<Meaning> ReduceOp::getMeaning() {
  ArrayRef<int64_t> shape = getInput().getType().getShape();
  Reduction reduction = Reduction::Sum;
  if (getKind() == ReduceKind::Max)
    reduction = Reduction::Max;
  else if (getKind() == ReduceKind::Min)
    reduction = Reduction::Min;
  MeaningPiece piece = reducePiece(shape, getDims(), reduction, getContext());
  if (getKind() == ReduceKind::Mean) {
    int64_t count = 1;
    for (int64_t dim : getDims())
      count *= shape[dim];
    piece.body = piece.body * ScalarExpr::constant(1, count);
  }
  return Meaning{{piece}};
}

/// Reducing only dims of extent 1 changes nothing.
OpFoldResult ReduceOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? OpFoldResult(getInput())
                                           : OpFoldResult();
}
