//===- GpuBinary.cpp - Kernels of a module as text or object --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GpuBinary.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;

static SmallVector<Operation *> findKernels(Operation *module) {
  SmallVector<Operation *> kernels;
  module->walk([&](Operation *op) {
    if (isa<gpu::GPUModuleOp, gpu::BinaryOp>(op))
      kernels.push_back(op);
  });
  return kernels;
}

LogicalResult mirage::writeAssembly(Operation *module,
                                    llvm::raw_ostream &output) {
  SmallVector<Operation *> found = findKernels(module);
  if (found.empty())
    return module->emitError("has no gpu.module and no gpu.binary; lower it "
                             "first, with --mirage-lower");
  for (Operation *kernels : found) {
    FailureOr<std::string> assembly = emitAssembly(kernels);
    if (failed(assembly))
      return failure();
    output << *assembly;
  }
  return success();
}

LogicalResult mirage::writeObject(Operation *module,
                                  llvm::raw_ostream &output) {
  SmallVector<Operation *> found = findKernels(module);
  if (found.size() != 1)
    return module->emitError("expected one gpu.module or gpu.binary, got ")
           << found.size();
  FailureOr<std::string> object = emitObject(found.front());
  if (failed(object))
    return failure();
  output << *object;
  return success();
}
