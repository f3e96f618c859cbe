//===- LayoutAllocateShared.cpp - Place all buffers in shared memory ------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/Transforms/Passes.h"

#include "SharedPlacement.h"
#include "SharedShare.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTALLOCATESHAREDPASS
#include "mirage/Dialect/Layout/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {
/// The buffers of one kernel and the operations they belong to.
class KernelBuffers {
public:
  KernelBuffers(gpu::GPUFuncOp kernel, const TargetDescription &target)
      : kernel(kernel), target(target) {
    int64_t time = 0;
    kernel.walk<WalkOrder::PreOrder>(
        [&](Operation *op) { begins[op] = time++; });
    number(kernel);
    kernel.walk<WalkOrder::PreOrder>([&](Operation *op) { add(op); });
  }

  /// Sets all offsets and returns the bytes in all; an error if the target has
  /// not that much.
  FailureOr<int64_t> place() {
    int64_t size = placeApart(buffers, sharedShare(kernel, target));
    if (size > target.sharedBytesPerBlock)
      return reportOverflow(size);
    Builder builder(kernel.getContext());
    for (auto [op, buffer] : llvm::zip(ops, buffers))
      op->setAttr(offsetAttrName, builder.getI64IntegerAttr(buffer.offset));
    kernel->setAttr(sharedBytesAttrName, builder.getI64IntegerAttr(size));
    return size;
  }

private:
  /// The last point in time inside each operation.
  int64_t number(Operation *op) {
    int64_t last = begins[op];
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Operation &inner : block)
          last = std::max(last, number(&inner));
    return ends[op] = last;
  }

  void add(Operation *op) {
    int64_t bytes = scratchBytes(op, target);
    if (bytes == 0)
      return;
    Buffer buffer{bytes, begins[op], begins[op]};
    if (auto alloc = dyn_cast<AllocSharedOp>(op)) {
      // A use inside a loop that the buffer outlives reaches to its end.
      for (Operation *user : alloc.getResult().getUsers())
        if (Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user))
          buffer.end = std::max(buffer.end, ends[ancestor]);
    }
    buffers.push_back(buffer);
    ops.push_back(op);
  }

  LogicalResult reportOverflow(int64_t size) {
    InFlightDiagnostic diagnostic =
        kernel.emitOpError("needs ")
        << size << " bytes of shared memory, " << target.name << " has "
        << target.sharedBytesPerBlock << " for a block";
    for (auto [op, buffer] : llvm::zip(ops, buffers))
      diagnostic.attachNote(op->getLoc())
          << op->getName() << " needs " << buffer.bytes << " bytes";
    return diagnostic;
  }

  gpu::GPUFuncOp kernel;
  const TargetDescription &target;
  DenseMap<Operation *, int64_t> begins, ends;
  SmallVector<Operation *> ops;
  SmallVector<Buffer> buffers;
};

class LayoutAllocateShared final
    : public mirage::impl::LayoutAllocateSharedPassBase<LayoutAllocateShared> {
public:
  using LayoutAllocateSharedPassBase::LayoutAllocateSharedPassBase;

  void runOnOperation() override {
    const TargetDescription *chip = lookupTarget(target);
    if (!chip) {
      getOperation().emitError("unknown target '")
          << target << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    DenseMap<Operation *, int64_t> sizes;
    bool failedAny = false;
    getOperation().walk([&](gpu::GPUFuncOp kernel) {
      if (!kernel.isKernel())
        return;
      FailureOr<int64_t> size = KernelBuffers(kernel, *chip).place();
      failedAny |= failed(size);
      if (succeeded(size))
        sizes[kernel] = *size;
    });
    if (failedAny)
      return signalPassFailure();
    SymbolTableCollection symbols;
    getOperation().walk([&](LaunchOp launch) {
      Operation *kernel =
          symbols.lookupNearestSymbolFrom(launch, launch.getKernel());
      if (auto found = sizes.find(kernel); found != sizes.end())
        launch.setShared(found->second);
    });
  }
};
} // namespace
