//===- TileBuilder.cpp - Layouts from identity pieces ---------------------===//
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
using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

static unsigned log2Of(uint64_t size) { return llvm::countr_zero(size); }

void TileBuilder::identity(uint64_t size, Label label, unsigned dim) {
  for (unsigned i = 0; i < log2Of(size); ++i) {
    std::vector<uint64_t> numbers(dimBits.size(), 0);
    // A tile beyond 2^63 is clipped anyway: no tensor is that large.
    if (dimBits[dim] < 63)
      numbers[dim] = uint64_t{1} << dimBits[dim]++;
    bases[label].push_back(std::move(numbers));
  }
}

void TileBuilder::zeros(uint64_t size, Label label) {
  for (unsigned i = 0; i < log2Of(size); ++i)
    bases[label].emplace_back(dimBits.size(), 0);
}

void TileBuilder::column(Label label, std::vector<uint64_t> numbers) {
  bases[label].push_back(std::move(numbers));
}

void TileBuilder::cover(unsigned dim, unsigned bits) {
  dimBits[dim] = std::max(dimBits[dim], bits);
}

/// Bases that point outside become replicas.
void TileBuilder::clip(ArrayRef<unsigned> bits) {
  for (auto &list : bases)
    for (std::vector<uint64_t> &basis : list)
      for (auto [number, limit] : llvm::zip_equal(basis, bits))
        if (number >> limit)
          number = 0;
  for (auto [have, limit] : llvm::zip_equal(dimBits, bits))
    have = std::min(have, limit);
}

/// The block part of a cluster, clipped to the tensor.
static void blockPart(ArrayRef<unsigned> shapeBits, const ClusterSplit &cluster,
                      std::vector<std::vector<uint64_t>> &columns,
                      llvm::SmallVectorImpl<unsigned> &perBlock) {
  llvm::SmallVector<unsigned, 4> used(shapeBits.size(), 0);
  for (uint64_t dim : cluster.ctaOrder) {
    for (unsigned i = 0; i < log2Of(cluster.ctasPerCGA[dim]); ++i) {
      std::vector<uint64_t> numbers(shapeBits.size(), 0);
      bool splits =
          i < log2Of(cluster.ctaSplit[dim]) && used[dim] < shapeBits[dim];
      if (splits)
        numbers[dim] = uint64_t{1} << used[dim]++;
      columns.push_back(std::move(numbers));
    }
  }
  for (auto [bits, taken] : llvm::zip_equal(shapeBits, used))
    perBlock.push_back(bits - taken);
}

Sizes detail::shapePerBlock(Shape shape, const ClusterSplit &cluster) {
  Sizes result(shape);
  if (!cluster.empty())
    for (auto [size, split] : llvm::zip_equal(result, cluster.ctaSplit))
      size = std::max<uint64_t>(1, size / split);
  return result;
}

void TileBuilder::fit(Shape shape, const ClusterSplit &cluster,
                      ArrayRef<unsigned> growth) {
  llvm::SmallVector<unsigned, 4> shapeBits, perBlock;
  for (uint64_t size : shape)
    shapeBits.push_back(log2Of(size));
  std::vector<std::vector<uint64_t>> blockColumns;
  blockPart(shapeBits, cluster, blockColumns, perBlock);
  for (unsigned dim : growth)
    if (dimBits[dim] < perBlock[dim])
      identity(uint64_t{1} << (perBlock[dim] - dimBits[dim]), Register, dim);
  clip(perBlock);
  for (std::vector<uint64_t> &basis : blockColumns) {
    for (auto [number, bits] : llvm::zip_equal(basis, perBlock))
      number <<= bits;
    bases[Block].push_back(std::move(basis));
  }
}

static std::vector<LinearLayout::OutSize> outSizes(Shape shape) {
  std::vector<LinearLayout::OutSize> outs;
  for (auto [dim, size] : llvm::enumerate(shape))
    outs.push_back({dimName(dim), size});
  return outs;
}

Expected<LinearLayout> TileBuilder::finish(Shape shape,
                                           const ClusterSplit &cluster,
                                           ArrayRef<unsigned> growth) {
  fit(shape, cluster, growth);
  std::vector<LinearLayout::InBases> ins;
  for (auto [name, list] : llvm::zip_equal(registerLabels(), bases))
    ins.push_back({name.str(), list});
  return LinearLayout::create(ins, outSizes(shape));
}

Expected<LinearLayout> TileBuilder::finishShared(Shape shape,
                                                 const ClusterSplit &cluster,
                                                 ArrayRef<unsigned> growth) {
  fit(shape, cluster, growth);
  std::vector<LinearLayout::InBases> ins{{"offset", bases[Register]}};
  if (!bases[Block].empty())
    ins.push_back({"block", bases[Block]});
  return LinearLayout::create(ins, outSizes(shape));
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

llvm::Error detail::checkPowerOfTwo(StringRef field, uint64_t value) {
  if (llvm::has_single_bit(value) && value >> 62 <= 1)
    return llvm::Error::success();
  return failure("'" + field + "' is " + Twine(value) +
                 ", expected a power of two");
}

llvm::Error detail::checkPowersOfTwo(StringRef field, Shape values) {
  for (auto [index, value] : llvm::enumerate(values))
    if (!llvm::has_single_bit(value) || value >> 62 > 1)
      return failure("'" + field + "'[" + Twine(index) + "] is " +
                     Twine(value) + ", expected a power of two");
  return llvm::Error::success();
}

llvm::Error detail::checkElemBits(unsigned bits) {
  if (llvm::has_single_bit(bits) && bits <= 64)
    return llvm::Error::success();
  return failure("'elem_bits' is " + Twine(bits) +
                 ", expected 1, 2, 4, 8, 16, 32 or 64");
}

llvm::Error detail::checkShape(Shape shape, unsigned minRank) {
  if (shape.size() < minRank)
    return failure("'shape' has rank " + Twine(shape.size()) +
                   ", expected at least " + Twine(minRank));
  if (shape.size() > 16)
    return failure("'shape' has rank " + Twine(shape.size()) +
                   ", expected at most 16");
  return checkPowersOfTwo("shape", shape);
}

llvm::Error detail::checkPerDim(StringRef field, Shape values, size_t rank) {
  if (values.size() != rank)
    return failure("'" + field + "' has " + Twine(values.size()) +
                   " numbers, expected " + Twine(rank) + ", one per dim");
  return checkPowersOfTwo(field, values);
}

llvm::Error detail::checkOrder(StringRef field, Shape order, size_t rank) {
  if (order.size() != rank)
    return failure("'" + field + "' has " + Twine(order.size()) +
                   " numbers, expected " + Twine(rank) +
                   ", a permutation of the dims");
  llvm::SmallVector<bool, 8> seen(rank, false);
  for (auto [index, dim] : llvm::enumerate(order)) {
    if (dim >= rank || seen[dim])
      return failure("'" + field + "'[" + Twine(index) + "] is " + Twine(dim) +
                     (dim >= rank ? ", expected less than " + Twine(rank)
                                  : Twine(" again")) +
                     "; it must be a permutation of the dims");
    seen[dim] = true;
  }
  return llvm::Error::success();
}

llvm::Error detail::checkCluster(const ClusterSplit &cluster, size_t rank) {
  if (cluster.empty() && cluster.ctaSplit.empty() && cluster.ctaOrder.empty())
    return llvm::Error::success();
  if (auto error = checkPerDim("ctas_per_cga", cluster.ctasPerCGA, rank))
    return error;
  if (auto error = checkPerDim("cta_split", cluster.ctaSplit, rank))
    return error;
  if (auto error = checkOrder("cta_order", cluster.ctaOrder, rank))
    return error;
  for (auto [dim, pair] :
       llvm::enumerate(llvm::zip_equal(cluster.ctasPerCGA, cluster.ctaSplit)))
    if (std::get<1>(pair) > std::get<0>(pair))
      return failure("'cta_split'[" + Twine(dim) + "] is " +
                     Twine(std::get<1>(pair)) + ", expected at most " +
                     Twine(std::get<0>(pair)) + ", the 'ctas_per_cga' there");
  return llvm::Error::success();
}
