//===- Tile.cpp - A tile and what of it exists ----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tile.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

SmallVector<int64_t> mirage::coverShape(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> cover;
  for (int64_t extent : shape)
    cover.push_back(llvm::PowerOf2Ceil(extent));
  return cover;
}

/// The clip of one dim, or none if the tile never hangs over.
static std::optional<DimClip> clipOfDim(BlockGraphOp graph, TileDimAttr dim,
                                        int64_t extent, int64_t tile) {
  int64_t cover = llvm::PowerOf2Ceil(tile);
  int64_t end = (graph.getExtent(dim) - 1) * tile + dim.getShift() + cover;
  if (end <= extent && cover == tile)
    return std::nullopt;
  DimClip clip;
  clip.indices.assign(dim.getIndices().begin(), dim.getIndices().end());
  clip.tile = tile;
  clip.shift = dim.getShift();
  clip.extent = extent;
  clip.within = tile;
  clip.filler = 0.0;
  if (clip.indices.empty()) { // the position is known: one bound is enough
    clip.within = std::min(tile, extent - clip.shift);
    clip.shift = 0;
    clip.extent = clip.within;
  }
  return clip;
}

SmallVector<std::optional<DimClip>>
mirage::clipsOfMap(BlockGraphOp graph, TileMapAttr map,
                   ArrayRef<int64_t> tensorShape, ArrayRef<int64_t> tileShape) {
  SmallVector<std::optional<DimClip>> clips;
  for (auto [number, tile] : llvm::enumerate(tileShape))
    clips.push_back(
        clipOfDim(graph, map.getDim(number), tensorShape[number], tile));
  return clips;
}

std::optional<int64_t> mirage::fixedCount(const std::optional<DimClip> &clip,
                                          int64_t tileExtent) {
  if (!clip)
    return tileExtent;
  if (clip->indices.empty())
    return clip->within;
  return std::nullopt;
}
