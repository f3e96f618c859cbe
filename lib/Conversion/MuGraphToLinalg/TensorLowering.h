//===- TensorLowering.h - Primitive ops as linalg.generic -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLINALG_TENSORLOWERING_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLINALG_TENSORLOWERING_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/Builders.h"

namespace mirage::mugraph {

/// A tensor and its extents. An extent is an attribute where it is known, and a
/// value where a tile is cut off at the end of its tensor. `shape` is that of
/// the tile without cuts, as in the types of the block graph.
struct LoweredTensor {
  mlir::Value value;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  llvm::SmallVector<int64_t> shape;

  /// A tensor of static type.
  static LoweredTensor whole(mlir::Value value);
  mlir::Type elementType() const;
};

/// Builds linalg for single ops.
class TensorLowering {
public:
  TensorLowering(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  /// The result of `op`, a primitive op with these operands. Emits an error and
  /// fails where an op is not defined on tiles that are cut off.
  llvm::FailureOr<LoweredTensor> lower(mlir::Operation *op,
                                       llvm::ArrayRef<LoweredTensor> operands);

  /// The loop nest of one piece, rounded to `element`.
  LoweredTensor apply(const MeaningPiece &piece,
                      llvm::ArrayRef<LoweredTensor> operands,
                      mlir::Type element);

  /// Elementwise `body` on operands that broadcast to `resultShape`.
  LoweredTensor elementwise(const ScalarExpr &body,
                            llvm::ArrayRef<LoweredTensor> operands,
                            llvm::ArrayRef<int64_t> resultShape,
                            mlir::Type element);

  /// `state`, with its first elements in each dim combined with tensors of the
  /// same sizes (or that broadcast to them), in place: operand 0 of `body` is
  /// the state, the others are `operands`.
  mlir::Value update(mlir::Value state, const ScalarExpr &body,
                     llvm::ArrayRef<LoweredTensor> operands,
                     llvm::ArrayRef<mlir::OpFoldResult> sizes);

  /// The first `sizes` elements of `tensor` in each dim.
  LoweredTensor prefix(const LoweredTensor &tensor,
                       llvm::ArrayRef<mlir::OpFoldResult> sizes);

  /// A tensor of this shape with `value` everywhere.
  LoweredTensor filled(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                       double value);

  /// The smaller of two extents.
  mlir::OpFoldResult smaller(mlir::OpFoldResult a, mlir::OpFoldResult b);

private:
  LoweredTensor reshape(const LoweredTensor &input,
                        mlir::RankedTensorType type);
  LoweredTensor concat(const Meaning &meaning, unsigned dim,
                       llvm::ArrayRef<LoweredTensor> operands,
                       mlir::RankedTensorType type);
  LoweredTensor slice(const LoweredTensor &input, const MeaningPiece &piece);
  llvm::SmallVector<mlir::OpFoldResult>
  iterationSizes(const MeaningPiece &piece,
                 llvm::ArrayRef<LoweredTensor> operands);
  llvm::SmallVector<mlir::Value>
  cutOperands(const MeaningPiece &piece, llvm::ArrayRef<LoweredTensor> operands,
              llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::Value buildBody(mlir::OpBuilder &body, mlir::Location loc,
                        const ScalarExpr &expr, mlir::ValueRange operands,
                        mlir::Type compute);

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLINALG_TENSORLOWERING_H
