//===- LayoutToLLVM.cpp - From tile programs to LLVM ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two steps. First tiles become registers, with all that layouts imply
// (TileLowering.h); after it the kernel is a scalar program of arith, math, scf
// and LLVM memory accesses, which is simplified. Then that becomes LLVM.
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"

#include "KernelPreparation.h"
#include "TileLowering.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace mirage {
#define GEN_PASS_DEF_CONVERTLAYOUTTOLLVM
#include "mirage/Conversion/LayoutToLLVM/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// On a kernel: for each argument whether it is only read.
static constexpr llvm::StringLiteral readOnlyName = "layout.read_only";

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// Copies what launches say of block and grid size to kernels that do not say
/// it themselves.
static void adoptLaunchSizes(ModuleOp module) {
  SymbolTableCollection symbols;
  module.walk([&](LaunchOp launch) {
    auto kernel = dyn_cast_or_null<gpu::GPUFuncOp>(
        symbols.lookupNearestSymbolFrom(launch, launch.getKernelAttr()));
    if (!kernel)
      return;
    SmallVector<int32_t> grid(launch.getGrid());
    if (!kernel.getKnownBlockSize())
      kernel.setKnownBlockSize(SmallVector<int32_t>{
          static_cast<int32_t>(launch.getThreads()), 1, 1});
    if (!kernel.getKnownGridSize())
      kernel.setKnownGridSize(grid);
  });
}

/// Launches ask for the shared memory that their kernel needs.
static void updateLaunches(ModuleOp module) {
  SymbolTableCollection symbols;
  module.walk([&](LaunchOp launch) {
    Operation *kernel =
        symbols.lookupNearestSymbolFrom(launch, launch.getKernelAttr());
    if (!kernel)
      return;
    if (auto bytes = kernel->getAttrOfType<IntegerAttr>(sharedBytesAttrName))
      launch.setShared(bytes.getInt());
  });
}

//===----------------------------------------------------------------------===//
// First step: tiles to registers
//===----------------------------------------------------------------------===//

/// Arguments that no store reaches may be cached as constants.
static void markReadOnly(gpu::GPUFuncOp kernel) {
  SmallVector<bool> readOnly;
  for (BlockArgument argument : kernel.getArguments())
    readOnly.push_back(llvm::all_of(argument.getUsers(), [](Operation *user) {
      return isa<LoadOp, AsyncCopyOp>(user);
    }));
  kernel->setAttr(readOnlyName,
                  Builder(kernel.getContext()).getDenseBoolArrayAttr(readOnly));
}

/// A tile program runs once in each cluster: its blocks are clusters.
static void numberClusters(gpu::GPUFuncOp kernel) {
  auto blocks = kernel->getAttrOfType<IntegerAttr>(clusterBlocksName);
  if (!blocks)
    return;
  kernel.walk([&](gpu::BlockIdOp id) {
    if (id.getDimension() != gpu::Dimension::x)
      return;
    OpBuilder b(id->getContext());
    b.setInsertionPointAfter(id);
    Value size =
        arith::ConstantIndexOp::create(b, id.getLoc(), blocks.getInt());
    auto cluster = arith::DivUIOp::create(b, id.getLoc(), id, size);
    id.getResult().replaceAllUsesExcept(cluster, cluster);
  });
}

static bool usesSharedMemory(gpu::GPUModuleOp module) {
  return llvm::any_of(
      module.getOps<gpu::GPUFuncOp>(), [](gpu::GPUFuncOp kernel) {
        auto bytes = kernel->getAttrOfType<IntegerAttr>(sharedBytesAttrName);
        return bytes && bytes.getInt() > 0;
      });
}

void mirage::addSharedMemory(gpu::GPUModuleOp module) {
  if (module.lookupSymbol(sharedMemoryName))
    return;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  LLVM::GlobalOp::create(b, module.getLoc(), type, /*isConstant=*/false,
                         LLVM::Linkage::External, sharedMemoryName, Attribute(),
                         /*alignment=*/128, /*addrSpace=*/3);
}

static LogicalResult convertTiles(gpu::GPUModuleOp module,
                                  const TargetInstructions &instructions) {
  MLIRContext *context = module.getContext();
  TileTypeConverter converter;
  RewritePatternSet patterns(context);
  ConversionTarget target(*context);
  populateElementwisePatterns(patterns, converter);
  populateViewPatterns(patterns, converter, instructions);
  populateGlobalMemoryPatterns(patterns, converter, instructions);
  populateSharedMemoryPatterns(patterns, converter, instructions);
  populateAsyncCopyPatterns(patterns, converter, instructions);
  populateConvertPatterns(patterns, converter, instructions);
  populateDotPatterns(patterns, converter, instructions);
  populateReducePatterns(patterns, converter, instructions);
  populateBytePatterns(patterns, converter, instructions);
  populateScanPatterns(patterns, converter, instructions);
  populateGatherPatterns(patterns, converter, instructions);
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  populateFunctionOpInterfaceTypeConversionPattern<gpu::GPUFuncOp>(patterns,
                                                                   converter);
  target.addDynamicallyLegalOp<gpu::GPUFuncOp>([&](gpu::GPUFuncOp kernel) {
    return converter.isSignatureLegal(kernel.getFunctionType());
  });
  target.addIllegalDialect<LayoutDialect>();
  target.addLegalDialect<LLVM::LLVMDialect, NVVM::NVVMDialect,
                         ROCDL::ROCDLDialect>();
  target.markUnknownOpDynamicallyLegal(
      [&](Operation *op) { return converter.isLegal(op); });
  return applyPartialConversion(module, target, std::move(patterns));
}

//===----------------------------------------------------------------------===//
// Second step: scalars to LLVM
//===----------------------------------------------------------------------===//

namespace {
struct KernelPattern final : OpConversionPattern<gpu::GPUFuncOp> {
  KernelPattern(const TypeConverter &converter, MLIRContext *context,
                const TargetInstructions &instructions)
      : OpConversionPattern(converter, context), instructions(instructions) {}

  LogicalResult
  matchAndRewrite(gpu::GPUFuncOp kernel, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(getContext()), kernel.getArgumentTypes());
    auto function = LLVM::LLVMFuncOp::create(rewriter, kernel.getLoc(),
                                             kernel.getName(), type);
    auto cluster = kernel->getAttrOfType<IntegerAttr>(clusterBlocksName);
    instructions.markKernel(function, (*kernel.getKnownBlockSize())[0],
                            cluster ? cluster.getInt() : 1);
    if (Attribute bytes = kernel->getAttr(sharedBytesAttrName))
      function->setAttr(sharedBytesAttrName, bytes);
    markArguments(kernel, function);
    rewriter.inlineRegionBefore(kernel.getBody(), function.getBody(),
                                function.getBody().end());
    rewriter.eraseOp(kernel);
    return success();
  }

  /// Tensors are allocated apart from each other and 16-byte aligned.
  static void markArguments(gpu::GPUFuncOp kernel, LLVM::LLVMFuncOp function) {
    Builder b(kernel.getContext());
    auto readOnly = kernel->getAttrOfType<DenseBoolArrayAttr>(readOnlyName);
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                          b.getUnitAttr());
      function.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                          b.getI64IntegerAttr(16));
      if (readOnly && readOnly[i])
        function.setArgAttr(i, LLVM::LLVMDialect::getReadonlyAttrName(),
                            b.getUnitAttr());
    }
  }

  const TargetInstructions &instructions;
};

struct ReturnPattern final : OpConversionPattern<gpu::ReturnOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(gpu::ReturnOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<LLVM::ReturnOp>(op, ValueRange());
    return success();
  }
};
} // namespace

static LogicalResult convertLoops(gpu::GPUModuleOp module) {
  RewritePatternSet patterns(module.getContext());
  populateSCFToControlFlowConversionPatterns(patterns);
  ConversionTarget target(*module.getContext());
  target.addIllegalDialect<scf::SCFDialect>();
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  return applyPartialConversion(module, target, std::move(patterns));
}

static LogicalResult convertScalars(gpu::GPUModuleOp module,
                                    const TargetInstructions &instructions,
                                    unsigned indexBits) {
  MLIRContext *context = module.getContext();
  LowerToLLVMOptions options(context);
  options.overrideIndexBitwidth(indexBits);
  LLVMTypeConverter converter(context, options);
  RewritePatternSet patterns(context);
  patterns.add<KernelPattern>(converter, context, instructions);
  patterns.add<ReturnPattern>(converter, context);
  populateScalarPatterns(patterns, converter, instructions);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalDialect<NVVM::NVVMDialect, ROCDL::ROCDLDialect>();
  target.addLegalOp<gpu::GPUModuleOp>();
  target.addIllegalOp<gpu::GPUFuncOp, gpu::ReturnOp>();
  return applyFullConversion(module, target, std::move(patterns));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// 32-bit indices are cheaper and suffice unless a tensor is very large.
static unsigned indexBitsFor(gpu::GPUModuleOp module) {
  unsigned bits = 32;
  module.walk([&](gpu::GPUFuncOp kernel) {
    for (Type type : kernel.getArgumentTypes())
      if (cast<MemRefType>(type).getNumElements() >= (int64_t{1} << 30))
        bits = 64;
  });
  return bits;
}

namespace {
struct ConvertLayoutToLLVMPass final
    : mirage::impl::ConvertLayoutToLLVMBase<ConvertLayoutToLLVMPass> {
  using ConvertLayoutToLLVMBase::ConvertLayoutToLLVMBase;

  void runOnOperation() override {
    const TargetDescription *chip = lookupTarget(target);
    if (!chip) {
      getOperation().emitError() << "unknown target '" << target
                                 << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    auto instructions = TargetInstructions::create(*chip);
    adoptLaunchSizes(getOperation());
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>())
      if (!module.getOps<gpu::GPUFuncOp>().empty() &&
          failed(lower(module, *instructions)))
        return signalPassFailure();
    updateLaunches(getOperation());
  }

  LogicalResult lower(gpu::GPUModuleOp module,
                      const TargetInstructions &instructions) {
    for (auto kernel : module.getOps<gpu::GPUFuncOp>()) {
      if (failed(checkKernel(kernel, instructions)) ||
          failed(analyzeAccesses(kernel)))
        return failure();
      remarkConversions(kernel, instructions.target);
      insertBarriers(kernel, instructions.target);
      markReadOnly(kernel);
      numberClusters(kernel);
    }
    unsigned indexBits = indexBitsFor(module);
    if (usesSharedMemory(module))
      addSharedMemory(module);
    if (failed(convertTiles(module, instructions)))
      return failure();
    packLoopValues(module);
    if (failed(simplify(module)) || failed(convertLoops(module)) ||
        failed(convertScalars(module, instructions, indexBits)))
      return failure();
    module.setTargetsAttr(ArrayAttr::get(
        &getContext(), instructions.moduleTarget(&getContext())));
    return success();
  }

  /// Every op was lowered on its own: addresses repeat and stand inside loops.
  LogicalResult simplify(gpu::GPUModuleOp module) {
    OpPassManager pipeline(ModuleOp::getOperationName());
    OpPassManager &inner = pipeline.nest<gpu::GPUModuleOp>();
    inner.addPass(createCanonicalizerPass());
    inner.addPass(createCSEPass());
    inner.addPass(createLoopInvariantCodeMotionPass());
    inner.addPass(createCSEPass());
    return runPipeline(pipeline, getOperation());
  }
};
} // namespace
