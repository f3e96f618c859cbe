//===- KernelPreparation.h - Before and around the lowering -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_KERNELPREPARATION_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_KERNELPREPARATION_H

#include "TileLowering.h"

namespace mirage {

/// Checks all that the lowering relies on, so that it cannot fail half-way: a
/// diagnostic at the first op that it could not lower for this target.
mlir::LogicalResult checkKernel(mlir::gpu::GPUFuncOp kernel,
                                const TargetInstructions &instructions);

/// How many blocks the tiles of a kernel are spread over: those of its
/// clusters.
int64_t clusterBlocksOf(mlir::gpu::GPUFuncOp kernel);

/// Checks that each block of a cluster reads from its shared memory only what
/// it has written there itself: a diagnostic at the first load that does not.
mlir::LogicalResult checkSharedOwners(mlir::gpu::GPUFuncOp kernel);

/// Checks that reads of shared memory come after the copies and barriers that
/// they need: a diagnostic at the first one that does not.
mlir::LogicalResult checkCopyOrder(mlir::gpu::GPUFuncOp kernel,
                                   const TargetDescription &target);

/// Inserts layout.barrier where shared memory is reused.
void insertBarriers(mlir::gpu::GPUFuncOp kernel,
                    const TargetDescription &target);

/// A remark for each conversion that costs something.
void remarkConversions(mlir::gpu::GPUFuncOp kernel,
                       const TargetDescription &target);

/// The global that stands for the block's dynamic shared memory.
void addSharedMemory(mlir::gpu::GPUModuleOp module);

/// After the first step: loops carry 16-bit values in pairs.
void packLoopValues(mlir::Operation *root);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_KERNELPREPARATION_H
