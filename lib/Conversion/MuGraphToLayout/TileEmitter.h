//===- TileEmitter.h - Tensor ops on tiles ----------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_TILEEMITTER_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_TILEEMITTER_H

#include "Tile.h"

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Target/TargetDescription.h"

namespace mirage {

/// Emits the tile program of single tensor ops: what to compute. Where the
/// tiles lie and in which order things happen is the business of its user,
/// the `KernelEmitter`.
class TileEmitter {
public:
  /// Gives the position of the current tile along a clipped dim, an index.
  using PositionFn = llvm::function_ref<mlir::Value(const DimClip &)>;

  TileEmitter(mlir::OpBuilder &builder, const TargetDescription &target,
              std::function<mlir::Value(const DimClip &)> position)
      : builder(builder), target(target), position(std::move(position)) {}

  /// The tile of a primitive op with one result. Emits a diagnostic at `op` and
  /// fails if there is no tile program for it.
  llvm::FailureOr<Tile> emit(mlir::Operation *op,
                             llvm::ArrayRef<Tile> operands);

  //===--------------------------------------------------------------------===//
  // Pieces
  //===--------------------------------------------------------------------===//

  /// A tile full of one number.
  mlir::Value splat(llvm::ArrayRef<int64_t> shape, double number);
  /// `value` in f32.
  mlir::Value widen(mlir::Value value);
  mlir::Value castTo(mlir::Value value, mlir::Type elementType);
  /// Repeats `value` to `shape`, as NumPy does.
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value reduce(layout::ReduceKind kind, mlir::Value value, int64_t axis);
  /// The tile with `neutral` where elements along `dim` do not exist.
  Tile mask(Tile tile, int64_t dim, double neutral);
  mlir::Value exp(mlir::Value value);
  /// Extents of the matrix instruction of 16-bit operands.
  MatrixShape matrixShape() const { return target.matrixShape; }

  mlir::OpBuilder &builder;
  mlir::Location loc = builder.getUnknownLoc();

private:
  llvm::FailureOr<Tile> emitElementwise(mlir::Operation *op,
                                        llvm::ArrayRef<Tile> operands);
  llvm::FailureOr<Tile> emitReduce(mugraph::ReduceOp op, const Tile &operand);
  llvm::FailureOr<Tile> emitTranspose(mugraph::TransposeOp op,
                                      const Tile &operand);
  llvm::FailureOr<Tile> emitReshape(mugraph::ReshapeOp op, const Tile &operand);
  mlir::Value sideBySide(mlir::Value first, mlir::Value second, int64_t dim);
  llvm::FailureOr<Tile> emitConcat(mugraph::ConcatOp op,
                                   llvm::ArrayRef<Tile> operands);
  Tile emitBroadcast(mugraph::BroadcastOp op, const Tile &operand);
  llvm::FailureOr<Tile> emitMatmul(mlir::Operation *op, const Tile &a,
                                   const Tile &b);

  const TargetDescription &target;
  std::function<mlir::Value(const DimClip &)> position;
};

/// The value of a scalar expression over f32 tiles of one shape, emitted as
/// `arith` and `math` ops.
mlir::Value emitScalarExpr(TileEmitter &emitter,
                           const mugraph::ScalarExpr &expr,
                           llvm::ArrayRef<mlir::Value> operands,
                           llvm::ArrayRef<int64_t> shape);

/// The number that `expr` gives for these operands in f64, as far as the
/// functions in it are computable here.
double foldScalarExpr(const mugraph::ScalarExpr &expr,
                      llvm::ArrayRef<double> operands);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_TILEEMITTER_H
