//===- ThreadCount.cpp - How many threads a kernel gets -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadCount.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {
/// What the values of a block graph ask of a thread block.
struct TileSizes {
  int64_t largest = 0;        ///< elements of the largest tile.
  int64_t largestProduct = 0; ///< elements of the largest matrix product.
};
} // namespace

static int64_t elementsOf(Value value) {
  int64_t elements = 1;
  for (int64_t extent : cast<RankedTensorType>(value.getType()).getShape())
    elements *= llvm::PowerOf2Ceil(extent);
  return elements;
}

static TileSizes measure(BlockGraphOp graph) {
  TileSizes sizes;
  for (BlockArgument argument : graph.getBodyBlock()->getArguments())
    sizes.largest = std::max(sizes.largest, elementsOf(argument));
  graph.getBody().walk([&](Operation *op) {
    bool isProduct = isa<MatmulOp, AccumulateSoftmaxOp>(op);
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
  TileSizes sizes = measure(graph);
  uint64_t threads;
  if (std::optional<int64_t> given = graph.getThreads()) {
    threads = *given;
  } else if (sizes.largestProduct) {
    // Four warps, and more where accumulators would not fit the registers.
    threads = 4 * target.warpSize;
    while (threads < target.maxThreadsPerBlock &&
           (sizes.largestProduct / int64_t(threads) > 64 ||
            sizes.largest / int64_t(threads) > 128))
      threads *= 2;
  } else {
    // 16 elements of the largest tile: two wide loads in flight a thread.
    threads = std::max<uint64_t>(sizes.largest / 16, 2 * target.warpSize);
  }
  threads = llvm::PowerOf2Ceil(threads);
  return std::clamp<uint64_t>(threads, target.warpSize,
                              target.maxThreadsPerBlock);
}
