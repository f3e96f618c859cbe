//===- HostProgram.h - The host side of a lowered program -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After lowering, a program's function is straight-line code over tensors:
// `layout.launch` runs a kernel, `mugraph.reshape` gives the same memory
// another shape, and the function returns. That is little enough to be walked
// directly; nothing is compiled for the host.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_HOSTPROGRAM_H
#define MIRAGE_RUNTIME_HOSTPROGRAM_H

#include "mirage/Runtime/Device.h"
#include "mirage/Runtime/Inputs.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mirage::runtime {

/// The function called `name`; with an empty name, the only public one that has
/// a body. Anything else is diagnosed with the names there are.
mlir::FailureOr<mlir::func::FuncOp> findEntry(mlir::ModuleOp module,
                                              llvm::StringRef name);

/// Element types and shapes of a function's tensors.
struct Signature {
  llvm::SmallVector<TensorSpec> arguments;
  llvm::SmallVector<TensorSpec> results;
};

/// Diagnosed at the function: a type that is no tensor, a dynamic extent or an
/// element type without a host representation.
mlir::FailureOr<Signature> signatureOf(mlir::func::FuncOp function);

struct ProgramRun {
  std::vector<HostTensor> results;
  std::vector<KernelReport> kernels; ///< one for each launch.
  /// Of all kernels one behind the other, as `Device::time` says; what the host
  /// copies between them is left out.
  std::optional<double> microseconds;
};

/// Runs the lowered `function` on `device`, which has loaded its kernels, and
/// times each kernel and all together.
mlir::FailureOr<ProgramRun> runHostProgram(mlir::func::FuncOp function,
                                           Device &device,
                                           llvm::ArrayRef<HostTensor> inputs);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_HOSTPROGRAM_H
