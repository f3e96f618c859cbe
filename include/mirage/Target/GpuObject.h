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
namespace gpu {
class GPUModuleOp;
} // namespace gpu
} // namespace mlir

namespace mirage {

/// Registers what `emitAssembly` needs: the translations to LLVM IR and the
/// interfaces of the target attributes.
void registerGpuObjectInterfaces(mlir::DialectRegistry &registry);

/// The chip named by the one `#nvvm.target` or `#rocdl.target` of `module`.
/// Anything else is diagnosed.
mlir::FailureOr<const TargetDescription *>
targetOfModule(mlir::gpu::GPUModuleOp module);

/// PTX or AMDGCN text of a module that holds LLVM and NVVM or ROCDL operations.
/// Needs no toolkit. `module` is left as it is.
mlir::FailureOr<std::string> emitAssembly(mlir::gpu::GPUModuleOp module);

/// A cubin or hsaco from such text; needs ptxas, or an ld.lld that knows AMD
/// objects. A missing one is diagnosed with the places that were searched.
mlir::FailureOr<std::string> assemble(mlir::Location location,
                                      const TargetDescription &target,
                                      llvm::StringRef assembly);

/// `emitAssembly`, then `assemble`.
mlir::FailureOr<std::string> emitObject(mlir::gpu::GPUModuleOp module);

} // namespace mirage

#endif // MIRAGE_TARGET_GPUOBJECT_H
