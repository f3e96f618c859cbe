//===- SharedLayouts.cpp - Swizzled shared memory -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::Expected;
using llvm::SmallVector;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// vec, perPhase, maxPhase
//===----------------------------------------------------------------------===//

static llvm::Error checkSwizzled(Shape shape,
                                 const SwizzledSharedParams &params) {
  if (auto error = checkShape(shape, 1))
    return error;
  if (auto error = checkPowerOfTwo("vec", params.vec))
    return error;
  if (auto error = checkPowerOfTwo("per_phase", params.perPhase))
    return error;
  if (auto error = checkPowerOfTwo("max_phase", params.maxPhase))
    return error;
  if (auto error = checkOrder("order", params.order, shape.size()))
    return error;
  return checkCluster(params.cluster, shape.size());
}

Expected<LinearLayout>
layout::makeSwizzledShared(Shape shape, const SwizzledSharedParams &params) {
  if (auto error = checkSwizzled(shape, params))
    return std::move(error);
  Sizes size = shapePerBlock(shape, params.cluster);
  SmallVector<unsigned> order(params.order.begin(), params.order.end());
  TileBuilder tile(shape.size());
  unsigned col = order[0];
  tile.identity(size[col], Register, col);
  if (order.size() > 1) {
    unsigned row = order[1];
    for (uint64_t r = 1; r < size[row]; r *= 2) {
      std::vector<uint64_t> numbers(shape.size(), 0);
      numbers[row] = r;
      uint64_t phase = (r / params.perPhase) % params.maxPhase;
      // phase * vec, modulo the row; both are powers of two.
      if (phase != 0 && params.vec < size[col] / phase)
        numbers[col] = phase * params.vec;
      tile.column(Register, std::move(numbers));
    }
    tile.cover(row, llvm::countr_zero(size[row]));
    for (unsigned dim : llvm::ArrayRef(order).drop_front(2))
      tile.identity(size[dim], Register, dim);
  }
  return tile.finishShared(shape, params.cluster, order);
}

//===----------------------------------------------------------------------===//
// TMA and wgmma
//===----------------------------------------------------------------------===//

static llvm::Error checkNvmma(Shape shape, const NvmmaSharedParams &params) {
  if (auto error = checkShape(shape, 1))
    return error;
  unsigned swizzle = params.swizzleBytes;
  if (swizzle != 0 && swizzle != 32 && swizzle != 64 && swizzle != 128)
    return failure("'swizzle_bytes' is " + Twine(swizzle) +
                   ", expected 0, 32, 64 or 128");
  if (params.elemBits != 8 && params.elemBits != 16 && params.elemBits != 32 &&
      params.elemBits != 64)
    return failure("'elem_bits' is " + Twine(params.elemBits) +
                   ", expected 8, 16, 32 or 64");
  if (swizzle != 0 && shape.size() < 2)
    return failure("'shape' has rank 1, expected at least 2 for a swizzle");
  return checkCluster(params.cluster, shape.size());
}

/// Boxes of at most 256 along each dim, one after the other, dim0 first.
static Expected<LinearLayout>
makeUnswizzled(Shape shape, const NvmmaSharedParams &params,
               llvm::ArrayRef<unsigned> minorFirst,
               llvm::ArrayRef<unsigned> growth) {
  Sizes size = shapePerBlock(shape, params.cluster);
  TileBuilder tile(shape.size());
  for (unsigned dim : minorFirst)
    tile.identity(std::min<uint64_t>(size[dim], 256), Register, dim);
  return tile.finishShared(shape, params.cluster, growth);
}

namespace {
/// One box of a swizzled tensor: `cols` elements of the contiguous dim by rows
/// that run over all other dims.
struct SwizzledBox {
  unsigned swizzleBytes, elemBits;
  uint64_t cols;
  SmallVector<std::pair<unsigned, uint64_t>, 4> rowDims; ///< minor first.

  uint64_t rows() const {
    uint64_t product = 1;
    for (auto [dim, size] : rowDims)
      product *= size;
    return product;
  }
  /// What row 2^bit xors into the column.
  uint64_t columnOfRowBit(unsigned bit) const {
    uint64_t row = uint64_t{1} << bit;
    uint64_t perPhase = 128 / swizzleBytes, maxPhase = swizzleBytes / 16;
    return (row / perPhase) % maxPhase * (128 / elemBits);
  }
};
} // namespace

static void addBox(TileBuilder &tile, const SwizzledBox &box, unsigned col,
                   size_t rank) {
  tile.identity(box.cols, Register, col);
  unsigned bit = 0;
  for (auto [dim, size] : box.rowDims) {
    for (uint64_t r = 1; r < size; r *= 2, ++bit) {
      std::vector<uint64_t> numbers(rank, 0);
      numbers[dim] = r;
      numbers[col] = box.columnOfRowBit(bit);
      tile.column(Register, std::move(numbers));
    }
    tile.cover(dim, llvm::countr_zero(size));
  }
}

Expected<LinearLayout>
layout::makeNvmmaShared(Shape shape, const NvmmaSharedParams &params) {
  if (auto error = checkNvmma(shape, params))
    return std::move(error);
  size_t rank = shape.size();
  // Minor first. Transposed: dim0 is contiguous, the others keep their order.
  SmallVector<unsigned> minorFirst, growth;
  for (unsigned dim = rank; dim > 0; --dim)
    minorFirst.push_back(dim - 1);
  if (params.transposed)
    std::rotate(minorFirst.begin(), minorFirst.end() - 1, minorFirst.end());
  for (unsigned dim = 0; dim < rank; ++dim)
    growth.push_back(dim);
  if (params.swizzleBytes == 0)
    return makeUnswizzled(shape, params, minorFirst, growth);

  Sizes size = shapePerBlock(shape, params.cluster);
  unsigned col = minorFirst.front();
  SwizzledBox box{params.swizzleBytes,
                  params.elemBits,
                  params.swizzleBytes * 8 / params.elemBits,
                  {}};
  for (unsigned dim : llvm::ArrayRef(minorFirst).drop_front())
    box.rowDims.push_back({dim, std::min<uint64_t>(size[dim], 256)});
  if (size[col] < box.cols)
    return failure("'shape' has " + Twine(size[col]) + " elements along dim " +
                   Twine(col) + ", expected at least " + Twine(box.cols) +
                   " for a swizzle of " + Twine(params.swizzleBytes) +
                   " bytes");
  if (box.rows() < 8)
    return failure("'shape' has " + Twine(box.rows()) +
                   " rows, expected at least 8 for a swizzle");
  TileBuilder tile(rank);
  addBox(tile, box, col, rank);
  return tile.finishShared(shape, params.cluster, growth);
}
