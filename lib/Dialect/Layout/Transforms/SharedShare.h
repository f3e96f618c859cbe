//===- SharedShare.h - Shared memory that a block may use ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_SHAREDSHARE_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_SHAREDSHARE_H

#include "mirage/Target/TargetDescription.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mirage::layout {

/// The bytes of a block when the grid's blocks, or half of the threads that
/// fit, are resident on the multiprocessors.
int64_t sharedShare(mlir::gpu::GPUFuncOp kernel,
                    const TargetDescription &target);

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_SHAREDSHARE_H
