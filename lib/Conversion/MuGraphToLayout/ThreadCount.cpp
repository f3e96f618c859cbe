//===- ThreadCount.cpp - How many threads a kernel gets -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadCount.h"

#include "mlir/IR/TypeUtilities.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {
/// What the values of a block graph ask of a thread block.
struct TileSizes {
  int64_t largest = 0;        ///< elements of the largest tile.
  int64_t largestProduct = 0; ///< elements of the largest matrix product.
  /// Warps that can have a part of the largest product for their own.
  int64_t usefulWarps = 0;
};
} // namespace

static int64_t elementsOf(Value value) {
  int64_t elements = 1;
  for (int64_t extent : cast<RankedTensorType>(value.getType()).getShape())
    elements *= llvm::PowerOf2Ceil(extent);
  return elements;
}

/// Warps among which a product can be divided: no finer than one matrix
/// instruction each, or one element a thread where there is none.
static int64_t warpsOfProduct(Operation *product,
                              const TargetDescription &target) {
  auto bits = [](Value value) {
    return getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  };
  bool hasInstruction = llvm::any_of(
      product->getOperands(), [&](Value value) { return bits(value) <= 16; });
  int64_t warps = 0;
  for (Value result : product->getResults()) {
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(result.getType()).getShape().take_back(2);
    int64_t parts = hasInstruction && shape.size() == 2
                        ? llvm::divideCeil(shape[0], target.matrixShape.m) *
                              llvm::divideCeil(shape[1], target.matrixShape.n)
                        : llvm::divideCeil(elementsOf(result), target.warpSize);
    warps = std::max(warps, parts);
  }
  return warps;
}

static TileSizes measure(BlockGraphOp graph, const TargetDescription &target) {
  TileSizes sizes;
  for (BlockArgument argument : graph.getBodyBlock()->getArguments())
    sizes.largest = std::max(sizes.largest, elementsOf(argument));
  graph.getBody().walk([&](Operation *op) {
    bool isProduct = isa<MatmulOp, AccumulateSoftmaxOp>(op);
    if (isProduct)
      sizes.usefulWarps =
          std::max(sizes.usefulWarps, warpsOfProduct(op, target));
    for (Value result : op->getResults()) {
      int64_t elements = elementsOf(result);
      sizes.largest = std::max(sizes.largest, elements);
      if (isProduct)
        sizes.largestProduct = std::max(sizes.largestProduct, elements);
    }
  });
  return sizes;
}

unsigned mirage::chooseThreadCount(BlockGraphOp graph,
                                   const TargetDescription &target) {
  TileSizes sizes = measure(graph, target);
  auto fitsRegisters = [&](int64_t threads) {
    return sizes.largestProduct / threads <= 64 &&
           sizes.largest / threads <= 128;
  };
  uint64_t threads;
  if (std::optional<int64_t> given = graph.getThreads()) {
    threads = *given;
  } else if (sizes.largestProduct) {
    // Four warps, and more where accumulators would not fit the registers.
    threads = 4 * target.warpSize;
    while (threads < target.maxThreadsPerBlock && !fitsRegisters(threads))
      threads *= 2;
  } else {
    // 16 elements of the largest tile: two wide loads in flight a thread.
    threads = std::max<uint64_t>(sizes.largest / 16, 2 * target.warpSize);
  }
  threads = llvm::PowerOf2Ceil(threads);
  // More warps than that would repeat what others compute.
  uint64_t useful = llvm::PowerOf2Ceil(sizes.usefulWarps) * target.warpSize;
  while (sizes.usefulWarps && threads > useful && fitsRegisters(threads / 2))
    threads /= 2;
  return std::clamp<uint64_t>(threads, target.warpSize,
                              target.maxThreadsPerBlock);
}
