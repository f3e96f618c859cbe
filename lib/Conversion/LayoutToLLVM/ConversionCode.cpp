//===- ConversionCode.cpp - The instructions of one conversion ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/LayoutToLLVM/ConversionCode.h"

#include "ConversionEmitter.h"
#include "GlobalTile.h"
#include "KernelPreparation.h"
#include "SharedEmitter.h"

#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static BlockShape blockShape(const ConversionSite &site) {
  unsigned lanes = llvm::Log2_32(site.target.warpSize);
  return {lanes, lanes + llvm::Log2_32(site.warps),
          llvm::Log2_32(site.clusterBlocks)};
}

gpu::GPUFuncOp mirage::makeConversionFunction(ModuleOp module,
                                              FunctionType type,
                                              const ConversionSite &site) {
  OpBuilder b(module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  Location loc = module.getLoc();
  auto device = gpu::GPUModuleOp::create(b, loc, "code");
  auto instructions = TargetInstructions::create(site.target);
  device.setTargetsAttr(
      b.getArrayAttr(instructions->moduleTarget(module.getContext())));
  addSharedMemory(device);
  b.setInsertionPointToEnd(device.getBody());
  auto function = gpu::GPUFuncOp::create(b, loc, "conversion", type);
  int32_t threads = site.warps * site.target.warpSize;
  function.setKnownBlockSizeAttr(b.getDenseI32ArrayAttr({threads, 1, 1}));
  if (site.clusterBlocks > 1)
    function->setAttr(clusterBlocksName,
                      b.getI64IntegerAttr(site.clusterBlocks));
  return function;
}

SmallVector<Value> mirage::emitConversion(ImplicitLocOpBuilder &b,
                                          const ConversionPlan &plan,
                                          const ConversionSite &site,
                                          ValueRange registers) {
  auto instructions = TargetInstructions::create(site.target);
  return emitConversion(b, *instructions, blockShape(site), plan,
                        site.scratchOffset, site.isRepeated, registers);
}

static unsigned resultCount(const ConversionPlan &plan) {
  bool throughMemory = plan.kind == ConversionKind::Shared ||
                       plan.kind == ConversionKind::Cluster;
  return throughMemory ? plan.shared.load.copyOf.size()
                       : plan.exchange.results.size();
}

/// A module with a function from `arguments` to registers, made by `emit`.
static FailureOr<OwningOpRef<ModuleOp>> emitCode(
    const ConversionSite &site, TypeRange arguments, Type element,
    unsigned results, Location location,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> emit) {
  MLIRContext *context = element.getContext();
  OwningOpRef<ModuleOp> module = ModuleOp::create(location);
  auto type = FunctionType::get(context, arguments,
                                SmallVector<Type>(results, element));
  gpu::GPUFuncOp function = makeConversionFunction(*module, type, site);
  Block &body = function.getBody().front();
  auto b = ImplicitLocOpBuilder::atBlockBegin(location, &body);
  gpu::ReturnOp::create(b, emit(b, body.getArguments()));
  PassManager passes(context);
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createSCFToControlFlowPass());
  if (failed(passes.run(*module)))
    return failure();
  return module;
}

FailureOr<OwningOpRef<ModuleOp>>
mirage::emitConversionCode(const ConversionPlan &plan,
                           const ConversionSite &site, unsigned registers,
                           Type element, Location location) {
  return emitCode(site, SmallVector<Type>(registers, element), element,
                  resultCount(plan), location,
                  [&](ImplicitLocOpBuilder &b, ValueRange values) {
                    return emitConversion(b, plan, site, values);
                  });
}

FailureOr<OwningOpRef<ModuleOp>>
mirage::emitSharedTileCode(const SharedAccess &store, const SharedAccess &load,
                           const ConversionSite &site, unsigned registers,
                           Type element, Location location) {
  auto instructions = TargetInstructions::create(site.target);
  return emitCode(
      site, SmallVector<Type>(registers, element), element, load.copyOf.size(),
      location, [&](ImplicitLocOpBuilder &b, ValueRange values) {
        ThreadEmitter threads(b, *instructions);
        SharedEmitter emitter(b, threads, *instructions, blockShape(site),
                              sharedPointer(b, site.scratchOffset), element);
        emitter.store(store, values);
        instructions->blockBarrier(b);
        return emitter.load(load);
      });
}

FailureOr<OwningOpRef<ModuleOp>>
mirage::emitCopiedTileCode(AsyncCopyOp copy, ArrayRef<int64_t> starts,
                           const SharedAccess &load,
                           const ConversionSite &site) {
  auto instructions = TargetInstructions::create(site.target);
  auto shape = planAsyncCopy(copy, blockShape(site), site.target);
  if (failed(shape))
    return failure();
  Type element = registerType(copy.getDest().getType().getElementType());
  Type pointer = LLVM::LLVMPointerType::get(copy.getContext(), 1);
  return emitCode(
      site, pointer, element, load.copyOf.size(), copy.getLoc(),
      [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
        SmallVector<Value> indices;
        for (int64_t start : starts)
          indices.push_back(arith::ConstantIndexOp::create(b, start));
        Value base = sharedPointer(b, site.scratchOffset);
        emitAsyncCopy(b, *instructions, *shape, arguments[0], indices, base);
        instructions->asyncCommit(b);
        instructions->asyncWait(b, 0);
        instructions->blockBarrier(b);
        ThreadEmitter threads(b, *instructions);
        return SharedEmitter(b, threads, *instructions, blockShape(site), base,
                             element)
            .load(load);
      });
}

Region &mirage::conversionCode(ModuleOp module) {
  auto device = *module.getOps<gpu::GPUModuleOp>().begin();
  return (*device.getOps<gpu::GPUFuncOp>().begin()).getBody();
}
