//===- MuGraphBoundTime.cpp - What a program takes at least ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockGraphBound.h"
#include "mirage/Lowering/CandidateCheck.h"
#include "mirage/Search/Transforms/Passes.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHBOUNDTIME
#include "mirage/Search/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {
class MuGraphBoundTime final
    : public mirage::impl::MuGraphBoundTimeBase<MuGraphBoundTime> {
public:
  using Base::Base;
  void getDependentDialects(DialectRegistry &registry) const override {
    Base::getDependentDialects(registry);
    getLoweringDialects(registry);
  }
  void runOnOperation() override;
};

/// Of the kernels of a function, one after the other.
struct ProgramBound {
  unsigned kernels = 0, counted = 0;
  std::optional<double> seconds = 0; ///< nothing if a kernel cannot run.
};
} // namespace

static double bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return double(tensor.getNumElements()) * tensor.getElementTypeBitWidth() / 8;
}

// An op that is a kernel of its own: its bytes, each once.
static double boundOfBytes(Operation &op, const TargetDescription &target,
                           bool isFirst) {
  KernelWork work;
  work.blocks = target.multiprocessors;
  llvm::SmallPtrSet<Value, 4> seen;
  for (Value operand : op.getOperands())
    if (seen.insert(operand).second)
      work.uniqueLoadBytes += bytesOf(operand.getType());
  work.loadBytes = work.uniqueLoadBytes / work.blocks;
  for (Type type : op.getResultTypes())
    work.storeBytes += bytesOf(type) / work.blocks;
  return priceKernel(work, target, isFirst)->seconds;
}

static SmallVector<Operation *> kernelsOf(func::FuncOp function) {
  SmallVector<Operation *> kernels;
  for (Operation &op : function.getBody().getOps())
    if (isa_and_nonnull<MuGraphDialect>(op.getDialect()) &&
        !isa<TransposeOp, ReshapeOp, BroadcastOp, SliceOp>(op))
      kernels.push_back(&op);
  return kernels;
}

// What the kernels move, where all are block graphs and can be lowered.
static SmallVector<std::optional<KernelCounts>>
countKernels(func::FuncOp function, ArrayRef<Operation *> kernels,
             const TargetDescription &target) {
  SmallVector<std::optional<KernelCounts>> none(kernels.size());
  if (!llvm::all_of(kernels, llvm::IsaPred<BlockGraphOp>))
    return none;
  OwningOpRef<func::FuncOp> alone = function.clone();
  // The function that it names is not beside the copy.
  alone->getOperation()->removeAttr(MuGraphDialect::getImplementsAttrName());
  auto counts = checkLowering(*alone, target);
  if (counts && counts->size() == kernels.size())
    return *counts;
  llvm::consumeError(counts.takeError());
  return none;
}

static ProgramBound boundOf(func::FuncOp function,
                            const TargetDescription &target) {
  ProgramBound bound;
  SmallVector<Operation *> kernels = kernelsOf(function);
  auto counts = countKernels(function, kernels, target);
  for (auto [kernel, count] : llvm::zip(kernels, counts)) {
    bool isFirst = bound.kernels++ == 0;
    bound.counted += count.has_value();
    auto graph = dyn_cast<BlockGraphOp>(kernel);
    std::optional<double> seconds =
        graph ? boundSeconds(graph, target, isFirst, count)
              : boundOfBytes(*kernel, target, isFirst);
    bound.seconds = bound.seconds && seconds
                        ? std::optional(*bound.seconds + *seconds)
                        : std::nullopt;
  }
  return bound;
}

void MuGraphBoundTime::runOnOperation() {
  const TargetDescription *chip = lookupTarget(target);
  if (!chip) {
    getOperation().emitError() << "unknown target '" << target.getValue()
                               << "', expected one of " << knownTargetNames();
    return signalPassFailure();
  }
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(report, &message);
  if (!file) {
    getOperation().emitError() << "the report cannot be written: " << message;
    return signalPassFailure();
  }
  for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    ProgramBound bound = boundOf(function, *chip);
    llvm::json::Object line{{"function", function.getSymName()},
                            {"target", chip->name},
                            {"kernels", bound.kernels},
                            {"counted", bound.counted},
                            {"least_us", nullptr}};
    if (bound.seconds)
      line["least_us"] = *bound.seconds * 1e6;
    file->os() << llvm::json::Value(std::move(line)) << "\n";
  }
  file->keep();
}
