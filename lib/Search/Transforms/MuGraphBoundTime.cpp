//===- MuGraphBoundTime.cpp - What a program takes at least ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockGraphBound.h"
#include "CostReport.h"
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

/// One kernel of a function.
struct KernelBound {
  std::optional<KernelCounts> counts; ///< nothing if it cannot be lowered.
  std::optional<KernelCost> cost;     ///< nothing if it cannot run.
};
} // namespace

static double bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return double(tensor.getNumElements()) * tensor.getElementTypeBitWidth() / 8;
}

// An op that is a kernel of its own: its bytes, each once.
static std::optional<KernelCost>
boundOfBytes(Operation &op, const TargetDescription &target, bool isFirst) {
  KernelWork work;
  work.blocks = target.multiprocessors;
  llvm::SmallPtrSet<Value, 4> seen;
  for (Value operand : op.getOperands())
    if (seen.insert(operand).second)
      work.uniqueLoadBytes += bytesOf(operand.getType());
  work.loadBytes = work.uniqueLoadBytes / work.blocks;
  for (Type type : op.getResultTypes())
    work.storeBytes += bytesOf(type) / work.blocks;
  return priceKernel(work, target, isFirst);
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

static std::vector<KernelBound> boundsOf(func::FuncOp function,
                                         const TargetDescription &target) {
  std::vector<KernelBound> bounds;
  SmallVector<Operation *> kernels = kernelsOf(function);
  auto counts = countKernels(function, kernels, target);
  for (auto [kernel, count] : llvm::zip(kernels, counts)) {
    bool isFirst = bounds.empty();
    auto graph = dyn_cast<BlockGraphOp>(kernel);
    bounds.push_back({count, graph ? boundGraph(graph, target, isFirst, count)
                                   : boundOfBytes(*kernel, target, isFirst)});
  }
  return bounds;
}

static void printKernel(llvm::json::OStream &json, const KernelBound &bound) {
  json.object([&] {
    if (bound.counts)
      printCounts(json, *bound.counts);
    if (bound.cost)
      printTerms(json, *bound.cost);
  });
}

/// One line.
static void printReport(llvm::raw_ostream &os, StringRef function,
                        const TargetDescription &target,
                        ArrayRef<KernelBound> bounds) {
  std::optional<double> microseconds = 0;
  for (const KernelBound &bound : bounds)
    microseconds =
        microseconds && bound.cost
            ? std::optional(*microseconds + bound.cost->seconds * 1e6)
            : std::nullopt;
  llvm::json::OStream json(os);
  json.object([&] {
    json.attribute("function", function);
    json.attribute("target", target.name);
    json.attribute("kernels", int64_t(bounds.size()));
    json.attribute("counted", llvm::count_if(bounds, [](const KernelBound &b) {
                     return b.counts.has_value();
                   }));
    json.attribute("least_us", microseconds ? llvm::json::Value(*microseconds)
                                            : llvm::json::Value(nullptr));
    json.attributeArray("blocks", [&] {
      for (const KernelBound &bound : bounds)
        printKernel(json, bound);
    });
  });
  os << "\n";
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
    printReport(file->os(), function.getSymName(), *chip,
                boundsOf(function, *chip));
  }
  file->keep();
}
