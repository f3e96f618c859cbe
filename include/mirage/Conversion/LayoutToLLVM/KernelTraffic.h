//===- KernelTraffic.h - What a kernel moves, counted -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LAYOUTTOLLVM_KERNELTRAFFIC_H
#define MIRAGE_CONVERSION_LAYOUTTOLLVM_KERNELTRAFFIC_H

#include "mirage/Cost/KernelCost.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mirage {

/// The counters that one launch of a tile program with layouts would have, to
/// the unit: what `mirage-run --device=sim` reports of it. The scalar part of
/// the program is executed, for one of all blocks that do the same; the tile
/// ops are counted by rank. `kernel` must have its block and grid size, and its
/// shared memory be handed out.
///
/// Nothing where the counts depend on data, blocks share a tile, or there are
/// too many blocks that differ.
std::optional<KernelCounts> countKernel(mlir::gpu::GPUFuncOp kernel,
                                        const TargetDescription &target);

} // namespace mirage

#endif // MIRAGE_CONVERSION_LAYOUTTOLLVM_KERNELTRAFFIC_H
