//===- LayoutValidate.cpp - Prove the code of every conversion ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/LayoutToLLVM/ConversionCode.h"
#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseSet.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTVALIDATE
#include "mirage/Conversion/LayoutToLLVM/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// The threads of the kernel around `op`, at least those of its layouts.
static ConversionSite siteOf(ConvertOp op, const TargetDescription &target) {
  ConversionSite site{target};
  if (auto offset = op->getAttrOfType<IntegerAttr>(offsetAttrName))
    site.scratchOffset = offset.getInt();
  if (auto kernel = op->getParentOfType<gpu::GPUFuncOp>())
    if (std::optional<ArrayRef<int32_t>> size = kernel.getKnownBlockSize())
      site.warps = std::max(1u, (*size)[0] / target.warpSize);
  for (Type type : {op.getValue().getType(), op.getType()}) {
    LinearLayoutAttr layout = getLayout(type);
    site.warps = std::max<unsigned>(site.warps, layout.getSize(PlaceDim::Warp));
    site.clusterBlocks =
        std::max<unsigned>(site.clusterBlocks, layout.getSize(PlaceDim::Block));
  }
  return site;
}

/// What the lowering turns elements of a tile into.
static Type registerType(Type element) {
  if (LLVM::isCompatibleType(element))
    return element;
  return IntegerType::get(element.getContext(),
                          element.getIntOrFloatBitWidth());
}

static LogicalResult validate(ConvertOp op, const TargetDescription &target) {
  LinearLayoutAttr source = getLayout(op.getValue().getType());
  LinearLayoutAttr destination = getLayout(op.getType());
  if (!source || !destination)
    return op.emitOpError("has a tile without a layout; run layout-assign "
                          "first");
  auto plan = planConvert(op, target);
  if (!plan)
    return op.emitOpError(llvm::toString(plan.takeError()));
  ConversionSite site = siteOf(op, target);
  if (plan->kind == ConversionKind::Cluster &&
      site.clusterBlocks > target.maxClusterBlocks)
    return op.emitOpError()
           << "moves data between blocks, which " << target.name << " cannot";
  Type element =
      registerType(cast<RankedTensorType>(op.getType()).getElementType());
  auto code = emitConversionCode(
      *plan, site, source.getSize(PlaceDim::Register), element, op.getLoc());
  if (failed(code))
    return failure();
  llvm::Error wrong = validateConversionCode(
      conversionCode(**code), source.getLinear(), destination.getLinear(),
      element.getIntOrFloatBitWidth(), site);
  if (wrong)
    return op.emitOpError()
           << "is lowered to code that is wrong (" << stringifyKind(plan->kind)
           << "): " << llvm::toString(std::move(wrong));
  return success();
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
    // One proof for all conversions of the same types in the same place.
    llvm::DenseSet<std::tuple<Type, Type, Attribute, Operation *>> proved;
    bool failedSome = false;
    getOperation()->walk([&](ConvertOp op) {
      auto key =
          std::make_tuple(op.getValue().getType(), Type(op.getType()),
                          op->getAttr(offsetAttrName),
                          op->getParentOfType<gpu::GPUFuncOp>().getOperation());
      if (proved.insert(key).second)
        failedSome |= failed(validate(op, *chip));
    });
    if (failedSome)
      signalPassFailure();
  }
};
} // namespace
