//===- SharedShare.cpp - Shared memory that a block may use
//------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedShare.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;

static int64_t product(std::optional<ArrayRef<int32_t>> extents) {
  int64_t result = 1;
  for (int32_t extent : extents.value_or(ArrayRef<int32_t>()))
    result *= extent;
  return result;
}

int64_t mirage::layout::sharedShare(gpu::GPUFuncOp kernel,
                                    const TargetDescription &target) {
  constexpr int64_t reservedBytes = 1024; // of each block, by the system
  int64_t threads = product(kernel.getKnownBlockSize());
  int64_t blocks = product(kernel.getKnownGridSize());
  int64_t resident = std::clamp<int64_t>(
      llvm::divideCeil(blocks, target.multiprocessors), 1,
      std::max<int64_t>(1, target.maxThreadsPerMultiprocessor / threads / 2));
  int64_t share =
      target.sharedBytesPerMultiprocessor / resident - reservedBytes;
  return std::min<int64_t>(share, target.sharedBytesPerBlock);
}
