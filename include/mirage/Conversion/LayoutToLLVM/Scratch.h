//===- Scratch.h - Shared memory an op needs while it runs ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// layout-allocate-shared asks these functions how much shared memory each op
// needs and gives it a place in the attribute `layout.offset`; the lowering
// relies on the same answers.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LAYOUTTOLLVM_SCRATCH_H
#define MIRAGE_CONVERSION_LAYOUTTOLLVM_SCRATCH_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Layout/AxisPlans.h"
#include "mirage/Layout/ConversionPlan.h"
#include "mirage/Target/TargetDescription.h"

namespace mirage {

/// Bytes of shared memory that `op` needs while it runs (layout.convert,
/// reduce, scan and gather) or as long as its result lives
/// (layout.alloc_shared); 0 for other ops. Tiles must have layouts. Offsets
/// must be multiples of 128.
int64_t scratchBytes(mlir::Operation *op, const TargetDescription &target);

/// How the lowering will carry out a conversion.
llvm::Expected<layout::ConversionPlan>
planConvert(layout::ConvertOp op, const TargetDescription &target);

/// How the lowering will write a tile to a shared one.
llvm::Expected<layout::SharedAccess>
planSharedStore(const LinearLayout &registers, const LinearLayout &shared,
                unsigned elementBits, const TargetDescription &target);

/// How a gather stays within warps; nothing where it goes through shared
/// memory, because it cannot or because that is shorter.
std::optional<layout::GatherPlan> planGather(layout::GatherOp op,
                                             const TargetDescription &target);

/// Values are combined in 32 bits.
inline constexpr int64_t accumulatorBytes = 4;

/// Whether blocks of a cluster read each other's partial results.
bool crossesBlocks(layout::ReduceOp op);

/// How the lowering will carry out a scan.
layout::ScanPlan planScan(layout::ScanOp op);

/// The scratch of a reduction is one region for values, and one for indices
/// behind it if it has these.
int64_t reduceRegionBytes(const layout::ReductionPlan &plan);
int64_t reduceScratchBytes(layout::ReduceOp op);
int64_t scanScratchBytes(layout::ScanOp op);
int64_t gatherScratchBytes(layout::GatherOp op,
                           const TargetDescription &target);
int64_t convertScratchBytes(layout::ConvertOp op,
                            const TargetDescription &target);

} // namespace mirage

#endif // MIRAGE_CONVERSION_LAYOUTTOLLVM_SCRATCH_H
