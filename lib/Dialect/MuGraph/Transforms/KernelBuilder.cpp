//===- KernelBuilder.cpp - Assemble a block graph -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mirage::mugraph;

/// Most blocks along the second and third grid dim, on every GPU.
static constexpr int64_t maxMinorGrid = 65535;
static constexpr int64_t maxMajorGrid = (int64_t{1} << 31) - 1;

std::optional<TilePlan> TilePlan::create(ArrayRef<int64_t> extents,
                                         ArrayRef<int64_t> tiles) {
  TilePlan plan;
  plan.extents.assign(extents.begin(), extents.end());
  for (auto [extent, tile] : llvm::zip_equal(extents, tiles))
    plan.tiles.push_back(std::min(extent, tile));
  plan.indices.resize(extents.size());
  SmallVector<unsigned> cut;
  for (unsigned dim = 0; dim < extents.size(); ++dim)
    if (plan.count(dim) > 1)
      cut.push_back(dim);
  llvm::sort(cut, [&](unsigned a, unsigned b) {
    return std::pair(-plan.count(a), a) < std::pair(-plan.count(b), b);
  });
  if (cut.size() > 3)
    return std::nullopt;
  for (auto [number, dim] : llvm::enumerate(cut)) {
    int64_t limit = number == 0 ? maxMajorGrid : maxMinorGrid;
    if (plan.count(dim) > limit)
      return std::nullopt;
    plan.indices[dim] = TileIndex::grid(number);
    plan.gridExtents.push_back(plan.count(dim));
  }
  if (plan.gridExtents.empty())
    plan.gridExtents.push_back(1);
  return plan;
}

int64_t TilePlan::blocks() const {
  int64_t blocks = 1;
  for (int64_t extent : gridExtents)
    blocks *= extent;
  return blocks;
}

TileDimAttr TilePlan::entry(unsigned dim, int64_t shift,
                            MLIRContext *context) const {
  SmallVector<TileIndex, 1> nest;
  if (indices[dim])
    nest.push_back(*indices[dim]);
  return TileDimAttr::get(context, nest, shift);
}

SmallVector<int64_t> TilePlan::tileOf(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> tile;
  unsigned lead = rank() - shape.size();
  for (auto [dim, extent] : llvm::enumerate(shape))
    tile.push_back(extent == 1 ? 1 : tiles[lead + dim]);
  return tile;
}

TileMapAttr TilePlan::mapOf(ArrayRef<int64_t> shape,
                            MLIRContext *context) const {
  SmallVector<TileDimAttr> dims;
  unsigned lead = rank() - shape.size();
  for (auto [dim, extent] : llvm::enumerate(shape))
    dims.push_back(extent == 1 ? TileDimAttr::get(context, {}, 0)
                               : entry(lead + dim, 0, context));
  return TileMapAttr::get(context, dims);
}

KernelBuilder::KernelBuilder(OpBuilder &builder, Location loc,
                             TypeRange resultTypes, ArrayRef<int64_t> grid)
    : graph(BlockGraphOp::create(builder, loc, resultTypes, ValueRange(), grid,
                                 ArrayRef<int64_t>(), ArrayRef<TileMapAttr>(),
                                 ArrayRef<TileMapAttr>(), TypeRange())),
      bodyBuilder(OpBuilder::atBlockEnd(graph.getBodyBlock())) {}

Value KernelBuilder::addInput(Value tensor, TileMapAttr map,
                              ArrayRef<int64_t> tile) {
  auto type = llvm::cast<RankedTensorType>(tensor.getType());
  graph.getInputsMutable().append(tensor);
  inputMaps.push_back(map);
  return graph.getBodyBlock()->addArgument(type.clone(tile), tensor.getLoc());
}

Value KernelBuilder::clone(Operation *op, ValueRange operands,
                           ArrayRef<int64_t> tile) {
  Operation *copy = bodyBuilder.clone(*op);
  copy->setOperands(operands);
  auto type = llvm::cast<RankedTensorType>(op->getResult(0).getType());
  copy->getResult(0).setType(type.clone(tile));
  return copy->getResult(0);
}

Value KernelBuilder::cast(Value value, Type element) {
  auto type = llvm::cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  return CastOp::create(bodyBuilder, value.getLoc(), type.clone(element),
                        value);
}

BlockGraphOp KernelBuilder::finish(ArrayRef<int64_t> loops,
                                   ArrayRef<TileMapAttr> outputMaps,
                                   ValueRange yielded) {
  YieldOp::create(bodyBuilder, graph.getLoc(), yielded);
  graph.setLoops(loops);
  graph.setInputMapsAttr(bodyBuilder.getArrayAttr(inputMaps));
  graph.setOutputMapsAttr(bodyBuilder.getArrayAttr(
      SmallVector<Attribute>(outputMaps.begin(), outputMaps.end())));
  return graph;
}
