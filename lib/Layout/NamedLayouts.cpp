//===- NamedLayouts.cpp - Blocked, slice and NVIDIA fragments -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/NamedLayouts.h"

#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

std::string layout::dimName(unsigned dim) {
  return "dim" + std::to_string(dim);
}

ArrayRef<StringRef> layout::registerLabels() {
  static constexpr StringRef labels[] = {"register", "lane", "warp", "block"};
  return labels;
}

/// Index of K in an operand of this rank.
static unsigned contractedDim(DotOperand operand, size_t rank) {
  return operand == DotOperand::A ? rank - 1 : rank - 2;
}

/// Blocks never split K: each needs all of it.
static ClusterSplit withoutSplit(ClusterSplit cluster, unsigned k) {
  if (!cluster.empty())
    cluster.ctaSplit[k] = 1;
  return cluster;
}

//===----------------------------------------------------------------------===//
// Blocked
//===----------------------------------------------------------------------===//

static llvm::Error checkBlocked(Shape shape, const BlockedParams &params) {
  if (auto error = checkShape(shape, 1))
    return error;
  size_t rank = shape.size();
  if (auto error = checkPerDim("size_per_thread", params.sizePerThread, rank))
    return error;
  if (auto error = checkPerDim("threads_per_warp", params.threadsPerWarp, rank))
    return error;
  if (auto error = checkPerDim("warps_per_cta", params.warpsPerCTA, rank))
    return error;
  if (auto error = checkOrder("order", params.order, rank))
    return error;
  return checkCluster(params.cluster, rank);
}

Expected<LinearLayout> layout::makeBlocked(Shape shape,
                                           const BlockedParams &params) {
  if (auto error = checkBlocked(shape, params))
    return std::move(error);
  TileBuilder tile(shape.size());
  SmallVector<unsigned> order(params.order.begin(), params.order.end());
  for (unsigned dim : order)
    tile.identity(params.sizePerThread[dim], Register, dim);
  for (unsigned dim : order)
    tile.identity(params.threadsPerWarp[dim], Lane, dim);
  for (unsigned dim : order)
    tile.identity(params.warpsPerCTA[dim], Warp, dim);
  return tile.finish(shape, params.cluster, order);
}

Expected<LinearLayout> layout::makeBlockedOperand(Shape shape,
                                                  DotOperand operand,
                                                  const BlockedParams &parent) {
  if (auto error = checkBlocked(shape, parent))
    return std::move(error);
  if (auto error = checkShape(shape, 2))
    return std::move(error);
  unsigned k = contractedDim(operand, shape.size());
  TileBuilder tile(shape.size());
  SmallVector<unsigned> order(parent.order.begin(), parent.order.end());
  for (unsigned dim : order)
    tile.identity(dim == k ? shape[k] : parent.sizePerThread[dim], Register,
                  dim);
  auto distribute = [&](Shape sizes, Label label) {
    for (unsigned dim : order) {
      if (dim == k)
        tile.zeros(sizes[dim], label);
      else
        tile.identity(sizes[dim], label, dim);
    }
  };
  distribute(parent.threadsPerWarp, Lane);
  distribute(parent.warpsPerCTA, Warp);
  return tile.finish(shape, withoutSplit(parent.cluster, k), order);
}

//===----------------------------------------------------------------------===//
// Fragments of mma.sync and wgmma
//===----------------------------------------------------------------------===//

/// The one generator of all fragments: `inner` runs over neighbours of a lane,
/// then lanes; `outer` over the eight lane groups. PTX ISA, "matrix fragments".
static void addFragment(TileBuilder &tile, unsigned inner, uint64_t innerSize,
                        unsigned outer, uint64_t outerSize,
                        uint64_t neighbours) {
  tile.identity(neighbours, Register, inner);
  tile.identity(4, Lane, inner);
  tile.identity(8, Lane, outer);
  tile.identity(outerSize / 8, Register, outer);
  tile.identity(innerSize / (4 * neighbours), Register, inner);
}

/// m and n of `instrShape` behind its batch dims.
static Expected<std::pair<uint64_t, uint64_t>> instrSize(Shape instrShape) {
  if (auto error = checkPowersOfTwo("instr_shape", instrShape))
    return std::move(error);
  while (instrShape.size() > 2 && instrShape.front() == 1)
    instrShape = instrShape.drop_front();
  if (instrShape.size() < 2 || instrShape.size() > 3)
    return failure("'instr_shape' has " + Twine(instrShape.size()) +
                   " numbers, expected m, n and optionally k");
  return std::make_pair(instrShape[0], instrShape[1]);
}

static llvm::Error checkMma(Shape shape, const MmaParams &params) {
  if (auto error = checkShape(shape, 2))
    return error;
  if (params.version != 2 && params.version != 3)
    return failure("'version' is " + Twine(params.version) +
                   ", expected 2 (mma.sync) or 3 (wgmma)");
  if (auto error =
          checkPerDim("warps_per_cta", params.warpsPerCTA, shape.size()))
    return error;
  auto size = instrSize(params.instrShape);
  if (!size)
    return size.takeError();
  auto [m, n] = *size;
  bool isSync = params.version == 2 && (m == 16 || m == 8) && n == 8;
  bool isGroup = params.version == 3 && m == 16 && n >= 8 && n <= 256;
  if (!isSync && !isGroup)
    return failure("'instr_shape' is " + Twine(m) + " x " + Twine(n) +
                   ", expected " +
                   (params.version == 2 ? "16 x 8 or 8 x 8 for mma.sync"
                                        : "16 x 8 to 16 x 256 for one of the "
                                          "four warps of a wgmma"));
  return checkCluster(params.cluster, shape.size());
}

/// `k_width` follows the narrowest type that is loaded for the product: 32 bits
/// of it, and no type is narrower than a bit.
static llvm::Error checkOperand(uint64_t kWidth, unsigned elemBits) {
  if (auto error = checkPowerOfTwo("k_width", kWidth))
    return error;
  if (kWidth > 32)
    return failure("'k_width' is " + Twine(kWidth) + ", expected at most 32");
  return checkElemBits(elemBits);
}

/// Dims from the last to the first; wgmma has rows before the last dim.
static SmallVector<unsigned> warpOrder(size_t rank, bool rowsFirst) {
  SmallVector<unsigned> order;
  for (unsigned dim = rank; dim > 0; --dim)
    order.push_back(dim - 1);
  if (rowsFirst)
    std::swap(order[0], order[1]);
  return order;
}

/// Warps along all dims but `replicated`, along which they hold the same.
static void addWarps(TileBuilder &tile, Shape warps, ArrayRef<unsigned> order,
                     std::optional<unsigned> replicated = std::nullopt) {
  for (unsigned dim : order) {
    if (dim == replicated)
      tile.zeros(warps[dim], Warp);
    else
      tile.identity(warps[dim], Warp, dim);
  }
}

/// inner, outer, then batch dims from the last.
static SmallVector<unsigned> growthOrder(unsigned inner, unsigned outer,
                                         size_t rank) {
  SmallVector<unsigned> order{inner, outer};
  for (unsigned dim = rank - 2; dim > 0; --dim)
    order.push_back(dim - 1);
  return order;
}

Expected<LinearLayout> layout::makeMmaAccumulator(Shape shape,
                                                  const MmaParams &params) {
  if (auto error = checkMma(shape, params))
    return std::move(error);
  size_t rank = shape.size();
  auto size = instrSize(params.instrShape);
  if (!size)
    return size.takeError();
  TileBuilder tile(rank);
  addFragment(tile, rank - 1, size->second, rank - 2, size->first, 2);
  addWarps(tile, params.warpsPerCTA, warpOrder(rank, params.version == 3));
  return tile.finish(shape, params.cluster,
                     growthOrder(rank - 1, rank - 2, rank));
}

Expected<LinearLayout> layout::makeMmaOperand(Shape shape, DotOperand operand,
                                              uint64_t kWidth,
                                              unsigned elemBits,
                                              const MmaParams &parent) {
  if (auto error = checkMma(shape, parent))
    return std::move(error);
  if (auto error = checkOperand(kWidth, elemBits))
    return std::move(error);
  if (parent.version == 3 && operand == DotOperand::B)
    return failure("operand b of an mma of version 3 is read from shared "
                   "memory, it has no register layout");
  size_t rank = shape.size();
  auto size = instrSize(parent.instrShape);
  if (!size)
    return size.takeError();
  unsigned k = contractedDim(operand, rank);
  unsigned other = operand == DotOperand::A ? rank - 2 : rank - 1;
  // m8n8k4 has half the rows and half of K, whatever the element.
  uint64_t outerSize = operand == DotOperand::A ? size->first : 8;
  uint64_t innerSize = (size->first == 8 ? 4 : 8) * kWidth;
  TileBuilder tile(rank);
  addFragment(tile, k, innerSize, other, outerSize, kWidth);
  // K in registers first: the warps that split K hold the same data.
  SmallVector<unsigned> growth = growthOrder(k, other, rank);
  addWarps(tile, parent.warpsPerCTA, warpOrder(rank, parent.version == 3), k);
  return tile.finish(shape, withoutSplit(parent.cluster, k), growth);
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

Expected<LinearLayout> layout::makeSlice(const LinearLayout &parent,
                                         unsigned dim) {
  if (dim >= parent.numOuts())
    return failure("'dim' is " + Twine(dim) + ", expected less than " +
                   Twine(parent.numOuts()) + ", the rank of the parent");
  SmallVector<StringRef> ins, outs;
  for (const LabelledDim &in : parent.inDims())
    ins.push_back(in.name);
  for (auto [index, out] : llvm::enumerate(parent.outDims()))
    if (index != dim)
      outs.push_back(out.name);
  LinearLayout sliced = parent.sublayout(ins, outs).removeZeroBases("register");
  LinearLayout::Dims dims(sliced.outDims());
  for (auto [index, out] : llvm::enumerate(dims))
    out.name = dimName(index);
  return sliced.reshapeOuts(dims);
}
