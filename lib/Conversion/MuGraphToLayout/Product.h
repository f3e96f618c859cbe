//===- Product.h - Matrix products of tiles ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The matrix instruction has fixed extents m, n and k. A tile with fewer rows
// or columns repeats them, one that is less deep is filled up with zeros, and
// the transposed product is computed where that wastes less: one row times a
// tile of 64 columns is, with m = 16 and n = 8,
//
//   b^T [64, k]  times  a^T [k, 8], the row eight times  =  c^T [64, 8]
//
// Several products with one right operand are computed in one orientation.
//
// The accumulator has the extents of the instruction, too. Its copies stay
// equal whatever is added to them in this form, so a loop carries it as it is:
// what one row costs in an iteration is then the instructions alone. It gets
// its own shape back once, when the sum is complete.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_PRODUCT_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_PRODUCT_H

#include "TileEmitter.h"

namespace mirage {

/// The product of two tiles, or of two stacks of tiles.
class Product {
public:
  /// Emits the operands of `op` in the form in which they are multiplied. Emits
  /// a diagnostic at `op` and fails if there is no tile program for it.
  static llvm::FailureOr<Product> prepare(TileEmitter &emitter,
                                          mlir::Operation *op, Tile a, Tile b,
                                          llvm::ArrayRef<int64_t> resultShape);

  /// A sum of no products.
  mlir::Value zero(TileEmitter &emitter) const;
  /// The f32 tile `value`, of the shape of the result, as an accumulator.
  mlir::Value asAccumulator(TileEmitter &emitter, mlir::Value value) const;
  /// `accumulator` plus this product; both as `zero` is.
  mlir::Value addTo(TileEmitter &emitter, mlir::Value accumulator) const;
  /// The result if nothing else is added.
  Tile alone(TileEmitter &emitter) const;
  /// The result from an accumulator. Its clips are those of its rows and
  /// columns.
  Tile finish(TileEmitter &emitter, mlir::Value accumulator) const;

private:
  /// How a product of matrices is fitted to the instruction.
  struct Fit {
    int64_t rowCopies = 1, columnCopies = 1, depthCopies = 1;
    bool exchanged = false; ///< the transposed product is computed.
  };
  void fit(mlir::Operation *op, MatrixShape edge);
  static mlir::LogicalResult checkSize(mlir::Operation *op, int64_t products);
  void prepareMatrices(TileEmitter &emitter);
  mlir::Value multiplyOut(TileEmitter &emitter) const;

  mlir::Value a, b;
  bool isBatched = false; ///< b is a stack, too: multiplied out.
  Fit how;
  llvm::SmallVector<int64_t> shape;  ///< of the result.
  llvm::SmallVector<int64_t> matrix; ///< of the accumulator.
  mlir::Type declared;
  llvm::SmallVector<std::optional<DimClip>> clips;
};

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_PRODUCT_H
