//===- MuGraphToLayout.cpp - Block graphs to tile programs ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/MuGraphToLayout/MuGraphToLayout.h"

#include "KernelEmitter.h"
#include "ThreadCount.h"

#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace mirage {
#define GEN_PASS_DEF_CONVERTMUGRAPHTOLAYOUTPASS
#include "mirage/Conversion/MuGraphToLayout/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

static LogicalResult verifyElementTypes(BlockGraphOp graph) {
  WalkResult result = graph.getBody().walk([&](Block *block) {
    auto check = [&](Value value) {
      Type element = getElementTypeOrSelf(value.getType());
      if (element.isF16() || element.isBF16() || element.isF32())
        return true;
      emitError(value.getLoc())
          << "tiles of " << element
          << " cannot be lowered, expected f16, bf16 or f32";
      return false;
    };
    if (!llvm::all_of(block->getArguments(), check))
      return WalkResult::interrupt();
    for (Operation &op : *block)
      if (!llvm::all_of(op.getResults(), check))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

static MemRefType memoryOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

namespace {
class ConvertMuGraphToLayout final
    : public mirage::impl::ConvertMuGraphToLayoutPassBase<
          ConvertMuGraphToLayout> {
public:
  using ConvertMuGraphToLayoutPassBase::ConvertMuGraphToLayoutPassBase;

  void runOnOperation() override {
    const TargetDescription *chip = lookupTarget(target);
    if (!chip) {
      getOperation().emitError("unknown target '")
          << target << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (failed(convertFunction(function, *chip)))
        return signalPassFailure();
  }

private:
  LogicalResult convertFunction(func::FuncOp function,
                                const TargetDescription &chip) {
    SmallVector<BlockGraphOp> graphs;
    function.walk([&](BlockGraphOp graph) { graphs.push_back(graph); });
    if (graphs.empty())
      return success();
    OpBuilder builder(&getContext());
    auto module = gpu::GPUModuleOp::create(
        builder, function.getLoc(), (function.getName() + "_kernels").str());
    SymbolTable(getOperation())
        .insert(module, std::next(Block::iterator(function)));
    getOperation()->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                            builder.getUnitAttr());
    for (auto [number, graph] : llvm::enumerate(graphs)) {
      std::string name = (function.getName() + "_" + Twine(number)).str();
      if (failed(convertGraph(graph, module, name, chip)))
        return failure();
    }
    return success();
  }

  LogicalResult convertGraph(BlockGraphOp graph, gpu::GPUModuleOp module,
                             StringRef name, const TargetDescription &chip) {
    if (failed(decomposeComposites(graph)) || failed(verifyElementTypes(graph)))
      return failure();
    int32_t threads = chooseThreadCount(graph, chip);
    SmallVector<int64_t> grid(graph.getGrid());
    grid.resize(3, 1);
    gpu::GPUFuncOp kernel = createKernel(graph, module, name, threads, grid);
    if (failed(KernelEmitter(graph, kernel, chip).run()))
      return failure();

    OpBuilder builder(graph);
    auto symbol =
        SymbolRefAttr::get(module.getSymNameAttr(),
                           {FlatSymbolRefAttr::get(kernel.getNameAttr())});
    auto launch = layout::LaunchOp::create(
        builder, graph.getLoc(), graph.getResultTypes(), symbol, grid, threads,
        /*shared=*/0, graph.getInputs());
    graph.replaceAllUsesWith(launch.getResults());
    graph.erase();
    return success();
  }

  gpu::GPUFuncOp createKernel(BlockGraphOp graph, gpu::GPUModuleOp module,
                              StringRef name, int32_t threads,
                              ArrayRef<int64_t> grid) {
    auto builder = OpBuilder::atBlockEnd(module.getBody());
    SmallVector<Type> arguments;
    for (Value value : graph.getInputs())
      arguments.push_back(memoryOf(value.getType()));
    for (Value value : graph.getOutputs())
      arguments.push_back(memoryOf(value.getType()));
    auto kernel = gpu::GPUFuncOp::create(
        builder, graph.getLoc(), name, builder.getFunctionType(arguments, {}));
    kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                    builder.getUnitAttr());
    SmallVector<int32_t> gridSize(grid);
    kernel.setKnownBlockSizeAttr(builder.getDenseI32ArrayAttr({threads, 1, 1}));
    kernel.setKnownGridSizeAttr(builder.getDenseI32ArrayAttr(gridSize));
    return kernel;
  }
};
} // namespace
