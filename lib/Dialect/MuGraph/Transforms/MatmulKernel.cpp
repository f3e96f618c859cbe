//===- MatmulKernel.cpp - Kernels for matrix products ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DefaultKernels.h"
#include "KernelBuilder.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {
struct MatmulTiles {
  int64_t rows, columns, depth;
};
} // namespace

/// Tiles of 64 x 64 x 64 where the tensors are that large, with fewer columns
/// and then rows where blocks would be fewer than multiprocessors, and less
/// depth where two stages of both operands would not fit shared memory.
static MatmulTiles chooseTiles(MatmulOp op, const TargetDescription &target) {
  ArrayRef<int64_t> a = op.getLhs().getType().getShape();
  ArrayRef<int64_t> result = op.getType().getShape();
  int64_t rows = result[result.size() - 2], columns = result.back();
  auto cover = [](int64_t extent) {
    return std::min<int64_t>(llvm::PowerOf2Ceil(extent), 64);
  };
  MatmulTiles tiles{cover(rows), cover(columns),
                    std::min<int64_t>(a.back(), 64)};
  int64_t batch = 1;
  for (int64_t extent : result.drop_back(2))
    batch *= extent;
  auto blocks = [&] {
    return batch *
           static_cast<int64_t>(llvm::divideCeil(rows, tiles.rows) *
                                llvm::divideCeil(columns, tiles.columns));
  };
  int64_t wanted = target.multiprocessors;
  while (blocks() < wanted && tiles.columns > 32)
    tiles.columns /= 2;
  while (blocks() < wanted && tiles.rows > 32)
    tiles.rows /= 2;
  int64_t bytes = op.getLhs().getType().getElementTypeBitWidth() / 8;
  auto shared = [&] {
    return 2 * bytes * tiles.depth * (tiles.rows + tiles.columns);
  };
  while (shared() > static_cast<int64_t>(target.sharedBytesPerBlock) &&
         tiles.depth > 16)
    tiles.depth /= 2;
  return tiles;
}

/// `value` with its batch dims repeated as in `batch` and joined into one, or
/// without batch dims if it has none.
static Value joinBatch(OpBuilder &builder, Value value, ArrayRef<int64_t> batch,
                       int64_t joined) {
  auto type = cast<RankedTensorType>(value.getType());
  ArrayRef<int64_t> shape = type.getShape(), matrix = shape.take_back(2);
  int64_t own = 1;
  for (int64_t extent : shape.drop_back(2))
    own *= extent;
  if (own != 1 && own != joined) {
    SmallVector<int64_t> repeated(batch);
    llvm::append_range(repeated, matrix);
    value = BroadcastOp::create(builder, value.getLoc(), type.clone(repeated),
                                value);
    own = joined;
  }
  return reshapeTo(builder, value,
                   own == 1 ? SmallVector<int64_t>(matrix)
                            : SmallVector<int64_t>{own, matrix[0], matrix[1]});
}

/// The plan over (batch,) rows, columns, depth. The grid cuts all but the
/// depth, which is left for a loop.
static std::optional<TilePlan> planMatmul(ArrayRef<int64_t> result,
                                          const MatmulTiles &tiles) {
  SmallVector<int64_t> extents(result), tile(result.size(), 1);
  tile[tile.size() - 2] = tiles.rows;
  tile.back() = tiles.columns;
  extents.push_back(tiles.depth);
  tile.push_back(tiles.depth);
  return TilePlan::create(extents, tile);
}

/// The map and the tile of a tensor whose dims are these of the plan.
static std::pair<TileMapAttr, SmallVector<int64_t>>
tileOver(const TilePlan &plan, ArrayRef<unsigned> dims, MLIRContext *context) {
  SmallVector<TileDimAttr> entries;
  SmallVector<int64_t> tile;
  for (unsigned dim : dims) {
    entries.push_back(plan.entry(dim, 0, context));
    tile.push_back(plan.tile(dim));
  }
  return {TileMapAttr::get(context, entries), tile};
}

static Value buildKernel(OpBuilder &builder, Location loc, Value lhs, Value rhs,
                         RankedTensorType type, const MatmulTiles &tiles) {
  MLIRContext *context = builder.getContext();
  std::optional<TilePlan> plan = planMatmul(type.getShape(), tiles);
  if (!plan)
    return {};
  int64_t depth = cast<RankedTensorType>(lhs.getType()).getShape().back();
  int64_t iterations = llvm::divideCeil(depth, tiles.depth);
  unsigned depthDim = plan->rank() - 1;
  if (iterations > 1)
    plan->cutByLoop(depthDim, 0);

  KernelBuilder kernel(builder, loc, type, plan->grid());
  auto addOperand = [&](Value operand, unsigned row, unsigned column) {
    SmallVector<unsigned> dims{row, column};
    if (cast<RankedTensorType>(operand.getType()).getRank() == 3)
      dims.insert(dims.begin(), 0);
    auto [map, tile] = tileOver(*plan, dims, context);
    return kernel.addInput(operand, map, tile);
  };
  Value a = addOperand(lhs, depthDim - 2, depthDim);
  Value b = addOperand(rhs, depthDim, depthDim - 1);
  auto [outputMap, outputTile] = tileOver(
      *plan, llvm::to_vector(llvm::seq<unsigned>(0, depthDim)), context);
  Type element = type.getElementType();
  if (element.getIntOrFloatBitWidth() < 32)
    element = builder.getF32Type();
  Value value = MatmulOp::create(
      kernel.body(), loc, RankedTensorType::get(outputTile, element), a, b);
  SmallVector<int64_t, 1> loops;
  if (iterations > 1) {
    loops.push_back(iterations);
    value = AccumulateOp::create(kernel.body(), loc, value.getType(), value,
                                 AccumulateKind::Sum, 0);
  }
  value = kernel.cast(value, type.getElementType());
  return kernel.finish(loops, {outputMap}, value).getResult(0);
}

FailureOr<Value>
mirage::mugraph::buildMatmulKernel(OpBuilder &builder, MatmulOp op,
                                   const TargetDescription &target) {
  RankedTensorType type = op.getType();
  ArrayRef<int64_t> batch = type.getShape().drop_back(2);
  int64_t joined = 1;
  for (int64_t extent : batch)
    joined *= extent;
  MatmulTiles tiles = chooseTiles(op, target);
  Value lhs = joinBatch(builder, op.getLhs(), batch, joined);
  Value rhs = joinBatch(builder, op.getRhs(), batch, joined);
  SmallVector<int64_t> shape(type.getShape().take_back(2));
  if (joined != 1)
    shape.insert(shape.begin(), joined);
  Value result =
      buildKernel(builder, op.getLoc(), lhs, rhs, type.clone(shape), tiles);
  if (!result)
    return op.emitOpError() << "with result " << type
                            << " has no default kernel: its grid would be too "
                               "large";
  return reshapeTo(builder, result, type.getShape());
}
