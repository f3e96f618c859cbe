//===- GpuObject.h - From a lowered gpu.module to files ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TARGET_GPUOBJECT_H
#define MIRAGE_TARGET_GPUOBJECT_H

#include "mirage/Target/TargetDescription.h"

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"

#include <string>

namespace mlir {
class DialectRegistry;
class Operation;
} // namespace mlir

namespace mirage {

/// Registers what `emitAssembly` needs: the translations to LLVM IR and the
/// interfaces of the target attributes.
void registerGpuObjectInterfaces(mlir::DialectRegistry &registry);

/// Kernels, below, are a `gpu.module` that holds LLVM and NVVM or ROCDL
/// operations, or the `gpu.binary` that was made of one.

/// The chip named by the one `#nvvm.target` or `#rocdl.target` of `kernels`.
/// Anything else is diagnosed.
mlir::FailureOr<const TargetDescription *>
targetOfKernels(mlir::Operation *kernels);

/// PTX or AMDGCN text of `kernels`; needs no toolkit. A gpu.binary without text
/// is diagnosed. `kernels` is left as it is.
mlir::FailureOr<std::string> emitAssembly(mlir::Operation *kernels);

/// A cubin or hsaco from such text; needs ptxas, or an ld.lld that knows AMD
/// objects. A missing one is diagnosed with the places that were searched.
mlir::FailureOr<std::string> assemble(mlir::Location location,
                                      const TargetDescription &target,
                                      llvm::StringRef assembly);

/// A cubin or hsaco of `kernels`: `emitAssembly`, then `assemble`, or what a
/// gpu.binary holds.
mlir::FailureOr<std::string> emitObject(mlir::Operation *kernels);

} // namespace mirage

#endif // MIRAGE_TARGET_GPUOBJECT_H
