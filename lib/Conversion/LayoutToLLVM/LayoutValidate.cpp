//===- LayoutValidate.cpp - Prove the code of every conversion ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GlobalTile.h"
#include "KernelPreparation.h"
#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/ConversionCode.h"
#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/DenseSet.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTVALIDATE
#include "mirage/Conversion/LayoutToLLVM/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static LogicalResult checkSite(Operation *op, const ConversionSite &site) {
  const TargetDescription &target = site.target;
  uint64_t threads = uint64_t{site.warps} * target.warpSize;
  if (!llvm::isPowerOf2_64(threads) || threads > target.maxThreadsPerBlock)
    return op->emitOpError()
           << "is in a block of " << threads
           << " threads, expected a power of two of at most "
           << target.maxThreadsPerBlock << " for " << target.name;
  unsigned most = std::max(1u, target.maxClusterBlocks);
  if (site.clusterBlocks > most)
    return op->emitOpError()
           << "has a tile that is spread over " << site.clusterBlocks
           << " blocks, but a cluster of " << target.name << " has at most "
           << most;
  return success();
}

/// The threads of the kernel around `op`, at least those of the layouts.
static FailureOr<ConversionSite> siteOf(Operation *op,
                                        ArrayRef<LinearLayoutAttr> layouts,
                                        const TargetDescription &target) {
  ConversionSite site{target};
  if (auto offset = op->getAttrOfType<IntegerAttr>(offsetAttrName))
    site.scratchOffset = offset.getInt();
  site.isRepeated = op->getParentOfType<LoopLikeOpInterface>() != nullptr;
  if (auto kernel = op->getParentOfType<gpu::GPUFuncOp>()) {
    site.clusterBlocks = clusterBlocksOf(kernel);
    if (std::optional<ArrayRef<int32_t>> size = kernel.getKnownBlockSize())
      site.warps =
          std::max(1, (*size)[0] / static_cast<int32_t>(target.warpSize));
  }
  for (LinearLayoutAttr layout : layouts) {
    site.warps = std::max<unsigned>(site.warps, layout.getSize(PlaceDim::Warp));
    site.clusterBlocks =
        std::max<unsigned>(site.clusterBlocks, layout.getSize(PlaceDim::Block));
  }
  if (failed(checkSite(op, site)))
    return failure();
  return site;
}

/// Executes `code`; what is wrong is an error at `op`, after `what`.
static LogicalResult prove(Operation *op, ModuleOp code,
                           LinearLayoutAttr source,
                           LinearLayoutAttr destination, Type element,
                           const ConversionSite &site, const Twine &what) {
  llvm::Error wrong = validateConversionCode(
      conversionCode(code), source.getLinear(), destination.getLinear(),
      element.getIntOrFloatBitWidth(), site);
  if (wrong)
    return op->emitOpError() << what << llvm::toString(std::move(wrong));
  return success();
}

static LogicalResult validate(ConvertOp op, const TargetDescription &target) {
  LinearLayoutAttr source = getLayout(op.getValue().getType());
  LinearLayoutAttr destination = getLayout(op.getType());
  if (!source || !destination)
    return op.emitOpError("has a tile without a layout; run layout-assign "
                          "first");
  auto site = siteOf(op, {source, destination}, target);
  if (failed(site))
    return failure();
  auto plan = planConvert(op, target);
  if (!plan)
    return op.emitOpError(llvm::toString(plan.takeError()));
  Type element =
      registerType(cast<RankedTensorType>(op.getType()).getElementType());
  auto code = emitConversionCode(
      *plan, *site, source.getSize(PlaceDim::Register), element, op.getLoc());
  if (failed(code))
    return failure();
  return prove(op, **code, source, destination, element, *site,
               "is lowered to code that is wrong (" +
                   stringifyKind(plan->kind) + "): ");
}

/// A tile that `store` writes and `load` reads after a barrier.
static LogicalResult validate(LocalStoreOp store, LocalLoadOp load,
                              const TargetDescription &target) {
  auto tile = cast<RankedTensorType>(load.getType());
  LinearLayoutAttr source = getLayout(store.getValue().getType());
  LinearLayoutAttr destination = getLayout(tile);
  if (!source || !destination)
    return load.emitOpError("has a tile without a layout; run layout-assign "
                            "first");
  LinearLayoutAttr shared = load.getSource().getType().getLayout();
  Type element = tile.getElementType();
  auto write = planSharedTile(source, shared, element, target, true);
  if (!write)
    return store.emitOpError(llvm::toString(write.takeError()));
  auto read = planSharedTile(destination, shared, element, target, false);
  if (!read)
    return load.emitOpError(llvm::toString(read.takeError()));
  auto site = siteOf(load, {source, destination}, target);
  if (failed(site))
    return failure();
  Type type = registerType(element);
  auto code = emitSharedTileCode(*write, *read, *site,
                                 source.getSize(PlaceDim::Register), type,
                                 load.getLoc());
  if (failed(code))
    return failure();
  return prove(load, **code, source, destination, type, *site,
               "does not read what was stored: ");
}

//===----------------------------------------------------------------------===//
// Copied tiles
//===----------------------------------------------------------------------===//

/// Where the tile of a copy may start, as far as that makes a difference: at
/// the lowest offsets (or before the memory, where nothing is known of them),
/// at the first in the memory, and at the last.
static SmallVector<SmallVector<int64_t>> startsOf(AsyncCopyOp copy) {
  auto numbers = [&](StringRef name) {
    return copy->getAttrOfType<DenseI64ArrayAttr>(name).asArrayRef();
  };
  SmallVector<SmallVector<int64_t>> starts(3);
  for (auto [extent, divisor, lowest, highest] : llvm::zip_equal(
           cast<MemRefType>(copy.getSource().getType()).getShape(),
           numbers(divisorsName), numbers(lowestName), numbers(highestName))) {
    int64_t step = std::max<int64_t>(divisor, 1);
    int64_t least = lowest < 0 ? -step : lowest;
    int64_t inside = std::max<int64_t>(least, 0);
    int64_t last = std::min(highest, extent - 1);
    starts[0].push_back(least);
    starts[1].push_back(inside);
    starts[2].push_back(std::max(inside, last - last % step));
  }
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

/// A tile that `copy` brings and `load` reads after a wait and a barrier.
static LogicalResult validate(AsyncCopyOp copy, LocalLoadOp load,
                              const TargetDescription &target) {
  LinearLayoutAttr destination = getLayout(load.getType());
  if (!copy.getVia())
    return copy.emitOpError("does not say which thread copies what; set the "
                            "attribute via to a register layout");
  if (!destination)
    return load.emitOpError("has a tile without a layout; run layout-assign "
                            "first");
  auto site = siteOf(load, {*copy.getVia(), destination}, target);
  if (failed(site))
    return failure();
  if (auto buffer = load.getSource().getDefiningOp<AllocSharedOp>())
    if (auto offset = buffer->getAttrOfType<IntegerAttr>(offsetAttrName))
      site->scratchOffset = offset.getInt();
  SharedType shared = load.getSource().getType();
  auto read = planSharedTile(destination, shared.getLayout(),
                             shared.getElementType(), target, false);
  if (!read)
    return load.emitOpError(llvm::toString(read.takeError()));
  for (ArrayRef<int64_t> starts : startsOf(copy)) {
    auto code = emitCopiedTileCode(copy, starts, *read, *site);
    if (failed(code))
      return failure();
    llvm::Error wrong = validateCopiedTileCode(
        conversionCode(**code), copy.getMemoryType(), starts,
        copy.getExisting(), destination.getLinear(), *site);
    if (wrong)
      return load.emitOpError() << "does not read what was copied: "
                                << llvm::toString(std::move(wrong));
  }
  return success();
}

/// The code of a copy depends on what is known of its offsets: a copy of the
/// kernel is analyzed, as the lowering does.
static LogicalResult validateCopies(gpu::GPUFuncOp kernel,
                                    const TargetDescription &target) {
  OwningOpRef<gpu::GPUFuncOp> analyzed(kernel.clone());
  if (failed(analyzeAccesses(*analyzed)))
    return failure();
  llvm::DenseSet<std::tuple<Type, Attribute, Type, Value>> proved;
  bool failedSome = false;
  analyzed->walk([&](LocalLoadOp load) {
    for (Operation *user : load.getSource().getUsers())
      if (auto copy = dyn_cast<AsyncCopyOp>(user))
        if (proved
                .insert({copy.getSource().getType(), copy->getAttrDictionary(),
                         load.getType(), load.getSource()})
                .second)
          failedSome |= failed(validate(copy, load, target));
  });
  return failure(failedSome);
}

namespace {
struct LayoutValidatePass final
    : mirage::impl::LayoutValidateBase<LayoutValidatePass> {
  using LayoutValidateBase::LayoutValidateBase;

  void runOnOperation() override {
    const TargetDescription *chip = lookupTarget(target);
    if (!chip) {
      getOperation()->emitError()
          << "unknown target '" << target << "', expected one of "
          << knownTargetNames();
      return signalPassFailure();
    }
    bool failedSome = false;
    getOperation()->walk([&](ConvertOp op) {
      if (isNew(op, op.getValue().getType(), op.getType()))
        failedSome |= failed(validate(op, *chip));
    });
    getOperation()->walk([&](LocalLoadOp load) {
      for (Operation *user : load.getSource().getUsers())
        if (auto store = dyn_cast<LocalStoreOp>(user))
          if (isNew(load, store.getValue().getType(), load.getType(),
                    load.getSource().getType()))
            failedSome |= failed(validate(store, load, *chip));
    });
    getOperation()->walk([&](gpu::GPUFuncOp kernel) {
      failedSome |= failed(validateCopies(kernel, *chip)) ||
                    failed(checkCopyOrder(kernel, *chip));
    });
    proved.clear();
    if (failedSome)
      signalPassFailure();
  }

private:
  /// One proof for all ops of the same types in the same place of a kernel.
  bool isNew(Operation *op, Type from, Type to, Type through = {}) {
    // Around loops there is a barrier more.
    unsigned isRepeated = op->getParentOfType<LoopLikeOpInterface>() != nullptr;
    auto kernel = op->getParentOfType<gpu::GPUFuncOp>();
    return proved
        .insert({from, to, through, op->getAttr(offsetAttrName),
                 kernel.getOperation(), isRepeated})
        .second;
  }

  llvm::DenseSet<std::tuple<Type, Type, Type, Attribute, Operation *, unsigned>>
      proved;
};
} // namespace
