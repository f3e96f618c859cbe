//===- Stages.cpp - How far a program is lowered --------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Stages.h"

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Target/GpuObject.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

template <typename... Ops>
static bool containsAny(Operation *root) {
  return root
      ->walk([](Operation *op) {
        return isa<Ops...>(op) ? WalkResult::interrupt()
                               : WalkResult::advance();
      })
      .wasInterrupted();
}

bool mirage::runtime::isLowered(func::FuncOp entry) {
  return containsAny<layout::LaunchOp>(entry);
}

func::FuncOp mirage::runtime::specificationOf(func::FuncOp entry) {
  auto name = entry->getAttrOfType<FlatSymbolRefAttr>(
      mugraph::MuGraphDialect::getImplementsAttrName());
  if (name)
    return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(entry, name);
  return isLowered(entry) ? nullptr : entry;
}

FailureOr<const TargetDescription *>
mirage::runtime::loweredTarget(ModuleOp module) {
  const TargetDescription *target = nullptr;
  for (Operation &op : module.getOps()) {
    auto gpuModule = dyn_cast<gpu::GPUModuleOp>(op);
    bool hasTarget = gpuModule && gpuModule.getTargetsAttr();
    if (!hasTarget && !isa<gpu::BinaryOp>(op))
      continue;
    FailureOr<const TargetDescription *> next = targetOfKernels(&op);
    if (failed(next))
      return failure();
    if (target && *next != target)
      return op.emitError("lowered for ")
             << (*next)->name << ", other kernels for " << target->name;
    target = *next;
  }
  return target;
}

/// Leaves `entry`, what it implements and kernels.
static void eraseOtherFunctions(func::FuncOp entry) {
  func::FuncOp specification = specificationOf(entry);
  auto module = entry->getParentOfType<ModuleOp>();
  for (auto function :
       llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (function != entry && function != specification)
      function.erase();
}

LogicalResult mirage::runtime::lowerForDevice(func::FuncOp entry,
                                              const TargetDescription &target,
                                              bool search) {
  auto module = entry->getParentOfType<ModuleOp>();
  if (isLowered(entry) && !containsAny<gpu::GPUFuncOp>(module))
    return success();
  bool kernelLevel =
      !isLowered(entry) && !containsAny<mugraph::BlockGraphOp>(entry);
  eraseOtherFunctions(entry);
  PassManager passes(module.getContext(), module.getOperationName());
  std::string option = "{target=" + target.name.str();
  std::string pipeline;
  if (kernelLevel && search)
    pipeline += "mugraph-superoptimize" + option + "},";
  pipeline += "mirage-lower" + option + " emit=llvm}";
  return failure(failed(parsePassPipeline(pipeline, passes)) ||
                 failed(passes.run(module)));
}
