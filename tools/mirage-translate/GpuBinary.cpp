//===- GpuBinary.cpp - Kernels of a module as text or object --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GpuBinary.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;

/// The kernels of one gpu.module or gpu.binary.
using KernelSource = Operation *;

static SmallVector<KernelSource> findKernels(Operation *module) {
  SmallVector<KernelSource> sources;
  module->walk([&](Operation *op) {
    if (isa<gpu::GPUModuleOp, gpu::BinaryOp>(op))
      sources.push_back(op);
  });
  return sources;
}

/// The first object of a gpu.binary.
static FailureOr<gpu::ObjectAttr> objectOf(gpu::BinaryOp binary) {
  if (binary.getObjects().empty())
    return binary.emitError("holds no object");
  return cast<gpu::ObjectAttr>(binary.getObjects()[0]);
}

static FailureOr<std::string> assemblyOf(KernelSource source) {
  if (auto module = dyn_cast<gpu::GPUModuleOp>(source))
    return emitAssembly(module);
  auto binary = cast<gpu::BinaryOp>(source);
  FailureOr<gpu::ObjectAttr> object = objectOf(binary);
  if (failed(object))
    return failure();
  if (object->getFormat() != gpu::CompilationTarget::Assembly)
    return binary.emitError("holds no assembly but a ")
           << gpu::stringifyCompilationTarget(object->getFormat())
           << "; lower with emit=asm";
  return object->getObject().getValue().str();
}

static const TargetDescription *targetOf(Attribute attribute) {
  if (auto nvvm = dyn_cast<NVVM::NVVMTargetAttr>(attribute))
    return lookupTarget(nvvm.getChip());
  if (auto rocdl = dyn_cast<ROCDL::ROCDLTargetAttr>(attribute))
    return lookupTarget(rocdl.getChip());
  return nullptr;
}

static FailureOr<std::string> objectBytesOf(KernelSource source) {
  if (auto module = dyn_cast<gpu::GPUModuleOp>(source))
    return emitObject(module);
  auto binary = cast<gpu::BinaryOp>(source);
  FailureOr<gpu::ObjectAttr> object = objectOf(binary);
  if (failed(object))
    return failure();
  if (object->getFormat() != gpu::CompilationTarget::Assembly)
    return object->getObject().getValue().str();
  const TargetDescription *target = targetOf(object->getTarget());
  if (!target)
    return binary.emitError("unknown target ")
           << object->getTarget() << "; known are " << knownTargetNames();
  return assemble(binary.getLoc(), *target, object->getObject().getValue());
}

LogicalResult mirage::writeAssembly(Operation *module,
                                    llvm::raw_ostream &output) {
  SmallVector<KernelSource> sources = findKernels(module);
  if (sources.empty())
    return module->emitError("has no gpu.module and no gpu.binary; lower it "
                             "first, with --mirage-lower");
  for (KernelSource source : sources) {
    FailureOr<std::string> assembly = assemblyOf(source);
    if (failed(assembly))
      return failure();
    // PTX kept in an attribute may end with a NUL.
    output << StringRef(*assembly).rtrim('\0');
  }
  return success();
}

LogicalResult mirage::writeObject(Operation *module,
                                  llvm::raw_ostream &output) {
  SmallVector<KernelSource> sources = findKernels(module);
  if (sources.size() != 1)
    return module->emitError("expected one gpu.module or gpu.binary, got ")
           << sources.size();
  FailureOr<std::string> object = objectBytesOf(sources.front());
  if (failed(object))
    return failure();
  output << *object;
  return success();
}
