//===- Stages.h - How far a program is lowered ------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_RUNTIME_STAGES_H
#define MIRAGE_LIB_RUNTIME_STAGES_H

#include "mirage/Target/TargetDescription.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mirage::runtime {

/// True if `entry` launches kernels, so that it runs on a device only.
bool isLowered(mlir::func::FuncOp entry);

/// What a result of `entry` is compared with: the function that it implements,
/// `entry` itself if it claims nothing, or null if it is lowered then.
mlir::func::FuncOp specificationOf(mlir::func::FuncOp entry);

/// The chip that the module was lowered for, or null if it is not yet lowered.
mlir::FailureOr<const TargetDescription *> loweredTarget(mlir::ModuleOp module);

/// Brings `entry` and its kernels to LLVM and NVVM or ROCDL operations,
/// searching first if `search` is set and the program is at kernel level.
/// Other functions are erased.
mlir::LogicalResult lowerForDevice(mlir::func::FuncOp entry,
                                   const TargetDescription &target,
                                   bool search);

} // namespace mirage::runtime

#endif // MIRAGE_LIB_RUNTIME_STAGES_H
