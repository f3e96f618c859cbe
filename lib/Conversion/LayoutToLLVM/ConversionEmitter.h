//===- ConversionEmitter.h - Code of a planned conversion -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_CONVERSIONEMITTER_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_CONVERSIONEMITTER_H

#include "TileLowering.h"

#include "mirage/Layout/ConversionPlan.h"

namespace mirage {

/// Emits `plan` at the builder, which stays behind it: the registers after the
/// conversion, from those before. Its scratch starts at byte `scratchOffset` of
/// the block's shared memory.
///
/// Barriers. A conversion through the scratch of a block relies on its users
/// before it to have arrived at a block barrier (Barriers.cpp) and leaves its
/// own reads behind; one within warps that `isRepeated` in a loop waits for the
/// lanes of its warp, since nothing else would around the loop. One through a
/// cluster ends with a barrier: other blocks must have read before this one
/// writes again or ends.
llvm::SmallVector<mlir::Value>
emitConversion(mlir::ImplicitLocOpBuilder &b,
               const TargetInstructions &instructions, BlockShape block,
               const layout::ConversionPlan &plan, int64_t scratchOffset,
               bool isRepeated, mlir::ValueRange registers);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_CONVERSIONEMITTER_H
