//===- SharedShare.cpp - Shared memory that a block may use
//------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedShare.h"

#include "mirage/Cost/KernelCost.h"

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
  return mirage::sharedShare(product(kernel.getKnownGridSize()),
                             product(kernel.getKnownBlockSize()), target);
}
