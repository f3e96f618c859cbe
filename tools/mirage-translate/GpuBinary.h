//===- GpuBinary.h - Kernels of a module as text or object ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TOOLS_MIRAGETRANSLATE_GPUBINARY_H
#define MIRAGE_TOOLS_MIRAGETRANSLATE_GPUBINARY_H

#include "mirage/Target/GpuObject.h"

#include "mlir/IR/Operation.h"

namespace mirage {

/// Writes the assembly of the kernels of `module`: of each gpu.module that is
/// lowered to LLVM, and of each gpu.binary that holds assembly.
mlir::LogicalResult writeAssembly(mlir::Operation *module,
                                  llvm::raw_ostream &output);

/// Writes the one object of `module`, compiling and assembling if need be.
mlir::LogicalResult writeObject(mlir::Operation *module,
                                llvm::raw_ostream &output);

} // namespace mirage

#endif // MIRAGE_TOOLS_MIRAGETRANSLATE_GPUBINARY_H
