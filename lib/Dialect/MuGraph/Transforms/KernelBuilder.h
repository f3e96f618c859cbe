//===- KernelBuilder.h - Assemble a block graph -----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_MUGRAPH_TRANSFORMS_KERNELBUILDER_H
#define MIRAGE_LIB_DIALECT_MUGRAPH_TRANSFORMS_KERNELBUILDER_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace mirage::mugraph {

/// How the dims of an iteration space are cut into tiles: for each dim the
/// extent, the tile and the grid index that cuts it, if any.
class TilePlan {
public:
  /// Tiles of `tiles[d]` elements, or of `extents[d]` if that is less. Dims
  /// with more than one tile are cut by the grid, the one with the most tiles
  /// by g0. Fails where more than three dims are cut or a grid extent is too
  /// large for hardware.
  static std::optional<TilePlan> create(llvm::ArrayRef<int64_t> extents,
                                        llvm::ArrayRef<int64_t> tiles);

  /// Lets loop `loop` of the kernel cut dim `dim` instead of the grid.
  void cutByLoop(unsigned dim, unsigned loop) {
    indices[dim] = TileIndex::loop(loop);
  }
  void leaveWhole(unsigned dim) { indices[dim] = std::nullopt; }

  unsigned rank() const { return extents.size(); }
  int64_t tile(unsigned dim) const { return tiles[dim]; }
  int64_t count(unsigned dim) const {
    return (extents[dim] + tiles[dim] - 1) / tiles[dim];
  }
  llvm::ArrayRef<int64_t> grid() const { return gridExtents; }
  int64_t blocks() const;

  TileDimAttr entry(unsigned dim, int64_t shift,
                    mlir::MLIRContext *context) const;

  /// The tile and the map of a tensor that broadcasts to the plan's dims.
  llvm::SmallVector<int64_t> tileOf(llvm::ArrayRef<int64_t> shape) const;
  TileMapAttr mapOf(llvm::ArrayRef<int64_t> shape,
                    mlir::MLIRContext *context) const;

private:
  llvm::SmallVector<int64_t> extents, tiles, gridExtents;
  llvm::SmallVector<std::optional<TileIndex>> indices;
};

/// Assembles one block graph: inputs and body ops in any order, then `finish`.
class KernelBuilder {
public:
  /// Starts a kernel with results of `resultTypes` at the insertion point.
  KernelBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                mlir::TypeRange resultTypes, llvm::ArrayRef<int64_t> grid);

  /// A tile of `tensor`.
  mlir::Value addInput(mlir::Value tensor, TileMapAttr map,
                       llvm::ArrayRef<int64_t> tile);

  /// `op` on tiles, with a result tile of shape `tile`.
  mlir::Value clone(mlir::Operation *op, mlir::ValueRange operands,
                    llvm::ArrayRef<int64_t> tile);

  /// `value` in the element type `element`.
  mlir::Value cast(mlir::Value value, mlir::Type element);

  /// For further ops of the body.
  mlir::OpBuilder &body() { return bodyBuilder; }

  BlockGraphOp finish(llvm::ArrayRef<int64_t> loops,
                      llvm::ArrayRef<TileMapAttr> outputMaps,
                      mlir::ValueRange yielded);

private:
  BlockGraphOp graph;
  mlir::OpBuilder bodyBuilder;
  llvm::SmallVector<mlir::Attribute> inputMaps;
};

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_DIALECT_MUGRAPH_TRANSFORMS_KERNELBUILDER_H
