//===- Tile.h - A tile and what of it exists --------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles in a tile program have power-of-two extents and may hang over the
// tensor they were cut from. The elements that hang over do not exist: no
// result may depend on them. A `DimClip` says of one dim which elements exist,
//
//   i exists  iff  i < within  and  position + i < extent
//
// and, where it is known, which number stands at those that do not (`filler`),
// so that a mask with a neutral element can be left out where the filler is
// that element already. Loads fill with 0.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_TILE_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_TILE_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/Builders.h"

namespace mirage {

/// Which elements along one dim of a tile exist; see the top of the file.
struct DimClip {
  llvm::SmallVector<mugraph::TileIndex> indices; ///< of position, outer first.
  int64_t tile = 1; ///< position = index * tile + shift.
  int64_t shift = 0;
  int64_t extent = 0; ///< of the tensor's dim.
  int64_t within = 0; ///< of the tile as the graph declares it.
  std::optional<double> filler;

  bool dependsOn(mugraph::TileIndex index) const {
    return llvm::is_contained(indices, index);
  }
};

/// A value of the block graph in the tile program.
struct Tile {
  /// A tensor whose extents are the powers of two that cover the graph's tile.
  mlir::Value value;
  /// The element type in the graph. `value` may be f32 instead, where it was
  /// computed and not rounded yet.
  mlir::Type declared;
  /// One for each dim; none where all elements exist.
  llvm::SmallVector<std::optional<DimClip>> clips;

  mlir::RankedTensorType type() const {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  llvm::ArrayRef<int64_t> shape() const { return type().getShape(); }
  int64_t rank() const { return type().getRank(); }
};

/// The shape of the tile program's tile for a tile of the graph.
llvm::SmallVector<int64_t> coverShape(llvm::ArrayRef<int64_t> shape);

/// How a tensor of `tensorShape` cut by `map` into tiles of `tileShape` clips
/// them; `fillers` of the result are 0 as loads leave them.
llvm::SmallVector<std::optional<DimClip>>
clipsOfMap(mugraph::BlockGraphOp graph, mugraph::TileMapAttr map,
           llvm::ArrayRef<int64_t> tensorShape,
           llvm::ArrayRef<int64_t> tileShape);

/// The number of elements along a dim that exist in every tile alike, or none
/// where it differs between tiles.
std::optional<int64_t> fixedCount(const std::optional<DimClip> &clip,
                                  int64_t tileExtent);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_TILE_H
