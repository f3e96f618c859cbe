//===- MatmulKernel.cpp - Kernels for matrix products
//-----------------------===//
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

static Value buildKernel(OpBuilder &builder, Location loc, Value lhs, Value rhs,
                         RankedTensorType type, const MatmulTiles &tiles) {
  MLIRContext *context = builder.getContext();
  ArrayRef<int64_t> result = type.getShape();
  auto lhsType = cast<RankedTensorType>(lhs.getType());
  int64_t depth = lhsType.getShape().back();
  SmallVector<int64_t> extents(result), tile(result.size(), 1);
  // The plan's dims: (batch,) rows, columns, depth; a loop cuts the depth.
  tile[tile.size() - 2] = tiles.rows;
  tile.back() = tiles.columns;
  extents.push_back(tiles.depth);
  tile.push_back(tiles.depth);
  std::optional<TilePlan> plan = TilePlan::create(extents, tile);
  if (!plan)
    return {};
  for (unsigned dim = 0; dim < tile.size(); ++dim)
    tile[dim] = plan->tile(dim);
  int64_t iterations = llvm::divideCeil(depth, tiles.depth);
  unsigned depthDim = tile.size() - 1;
  if (iterations > 1)
    plan->cutByLoop(depthDim, 0);

  auto map = [&](ArrayRef<unsigned> dims) {
    SmallVector<TileDimAttr> entries;
    for (unsigned dim : dims)
      entries.push_back(plan->entry(dim, 0, context));
    return TileMapAttr::get(context, entries);
  };
  auto addOperand = [&](KernelBuilder &kernel, Value operand, unsigned row,
                        unsigned column) {
    SmallVector<unsigned> dims{row, column};
    if (cast<RankedTensorType>(operand.getType()).getRank() == 3)
      dims.insert(dims.begin(), 0);
    SmallVector<int64_t> shape;
    for (unsigned dim : dims)
      shape.push_back(tile[dim]);
    return kernel.addInput(operand, map(dims), shape);
  };
  KernelBuilder kernel(builder, loc, type, plan->grid());
  unsigned row = depthDim - 2, column = depthDim - 1;
  Value a = addOperand(kernel, lhs, row, depthDim);
  Value b = addOperand(kernel, rhs, depthDim, column);
  SmallVector<int64_t> shape(ArrayRef<int64_t>(tile).drop_back());
  Type element = type.getElementType();
  if (element.getIntOrFloatBitWidth() < 32)
    element = builder.getF32Type();
  // Operands without batch dims give a product without.
  bool batched = llvm::any_of(ValueRange{a, b}, [](Value operand) {
    return cast<RankedTensorType>(operand.getType()).getRank() == 3;
  });
  SmallVector<int64_t> product(shape);
  if (!batched && product.size() == 3)
    product.erase(product.begin());
  Value value = MatmulOp::create(kernel.body(), loc,
                                 RankedTensorType::get(product, element), a, b);
  if (iterations > 1)
    value = AccumulateOp::create(kernel.body(), loc, value.getType(), value,
                                 AccumulateKind::Sum, 0);
  value = kernel.cast(value, type.getElementType());
  SmallVector<unsigned> resultDims;
  for (unsigned dim = 0; dim < depthDim; ++dim)
    resultDims.push_back(dim);
  return kernel
      .finish(iterations > 1 ? ArrayRef<int64_t>(iterations)
                             : ArrayRef<int64_t>(),
              {map(resultDims)}, value)
      .getResult(0);
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
