//===- LayoutPipelineLoads.cpp - Load the next tiles before computing these
//===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// before:  for i: x = load(i); compute(x)
// after:   x = load(0); for i carrying x: y = load(min(i+1, last)); compute(x);
//          yield y
//
// The loads of an iteration are issued before its arithmetic and used one
// iteration later. The last iteration loads its own tile once more: in bounds,
// unused, and still in cache.
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/Transforms/Passes.h"

#include "mirage/Target/TargetDescription.h"

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#include "llvm/ADT/SetVector.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTPIPELINELOADSPASS
#include "mirage/Dialect/Layout/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// 32-bit registers of a thread that a tile takes.
static int64_t registersOf(RankedTensorType type) {
  LinearLayoutAttr layout = getLayout(type);
  int64_t bits = type.getElementTypeBitWidth();
  int64_t count = layout ? layout.getSize(PlaceDim::Register) : 0;
  return std::max<int64_t>(1, count * bits / 32);
}

namespace {
/// One loop and the loads in it that can be issued an iteration early.
class LoadPipeliner {
public:
  LoadPipeliner(scf::ForOp loop, int64_t maxRegisters)
      : loop(loop), maxRegisters(maxRegisters) {}

  void run() {
    if (!hasSeveralTrips() || !collect())
      return;
    IRRewriter rewriter(loop.getContext());
    rewriter.setInsertionPoint(loop);
    SmallVector<Value> first = cloneLoads(rewriter, loop.getLowerBound());
    auto replaced = cast<scf::ForOp>(*loop.replaceWithAdditionalYields(
        rewriter, first, /*replaceInitOperandUsesInLoop=*/false,
        [&](OpBuilder &builder, Location, ArrayRef<BlockArgument>) {
          // Filled in below: the yielded values must exist already.
          return SmallVector<Value>(first);
        }));
    issueNext(replaced, first.size());
  }

private:
  bool hasSeveralTrips() {
    auto from = getConstantIntValue(loop.getLowerBound());
    auto to = getConstantIntValue(loop.getUpperBound());
    auto step = getConstantIntValue(loop.getStep());
    return from && to && step && *step > 0 && *from + *step < *to;
  }

  /// Value of the induction variable in the last iteration.
  int64_t lastIndex() {
    int64_t from = *getConstantIntValue(loop.getLowerBound());
    int64_t to = *getConstantIntValue(loop.getUpperBound());
    int64_t step = *getConstantIntValue(loop.getStep());
    return from + (to - 1 - from) / step * step;
  }

  /// Finds the loads whose place follows from the induction variable by plain
  /// arithmetic, as many as the registers hold; false if there is none.
  bool collect() {
    int64_t registers = 0;
    for (LoadOp load : loop.getBody()->getOps<LoadOp>()) {
      llvm::SetVector<Operation *> slice;
      bool plain = llvm::all_of(load.getOffsets(), [&](Value offset) {
        return addArithmetic(offset, slice);
      });
      int64_t needed = registersOf(cast<RankedTensorType>(load.getType()));
      if (!plain || registers + needed > maxRegisters)
        continue;
      registers += needed;
      loads.push_back(load);
      arithmetic.insert_range(slice);
    }
    return !loads.empty();
  }

  /// Adds the operations of the loop body that compute `value`, operands first.
  bool addArithmetic(Value value, llvm::SetVector<Operation *> &slice) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return value == loop.getInductionVar() ||
             loop.isDefinedOutsideOfLoop(value);
    if (op->getBlock() != loop.getBody())
      return loop.isDefinedOutsideOfLoop(value);
    if (!isPure(op) || op->getNumRegions() != 0)
      return false;
    for (Value operand : op->getOperands())
      if (!addArithmetic(operand, slice))
        return false;
    slice.insert(op);
    return true;
  }

  SmallVector<Value> cloneLoads(OpBuilder &builder, Value induction) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), induction);
    for (Operation *op : arithmetic)
      builder.clone(*op, mapping);
    SmallVector<Value> results;
    for (LoadOp load : loads)
      results.push_back(builder.clone(*load, mapping)->getResult(0));
    return results;
  }

  /// In the loop with the carried tiles: loads those of the next iteration and
  /// lets everybody read the carried ones.
  void issueNext(scf::ForOp carrying, unsigned count) {
    // The body moved to the new loop, and with it the loads and arithmetic.
    Location loc = carrying.getLoc();
    auto builder = OpBuilder::atBlockBegin(carrying.getBody());
    Value induction = carrying.getInductionVar();
    Value next =
        arith::AddIOp::create(builder, loc, induction, carrying.getStep());
    // The constant bound lets range analysis see that the load is in bounds.
    Value last = arith::ConstantIndexOp::create(builder, loc, lastIndex());
    next = arith::MinSIOp::create(builder, loc, next, last);
    loop = carrying;
    SmallVector<Value> nextTiles = cloneLoads(builder, next);
    auto carried = carrying.getRegionIterArgs().take_back(count);
    Operation *yield = carrying.getBody()->getTerminator();
    unsigned firstYield = yield->getNumOperands() - count;
    for (auto [number, load] : llvm::enumerate(loads)) {
      yield->setOperand(firstYield + number, nextTiles[number]);
      load.getResult().replaceAllUsesWith(carried[number]);
      load.erase();
    }
  }

  scf::ForOp loop;
  int64_t maxRegisters;
  SmallVector<LoadOp> loads;
  llvm::SetVector<Operation *> arithmetic;
};

class LayoutPipelineLoads final
    : public mirage::impl::LayoutPipelineLoadsPassBase<LayoutPipelineLoads> {
public:
  using LayoutPipelineLoadsPassBase::LayoutPipelineLoadsPassBase;

  void runOnOperation() override {
    if (!lookupTarget(target)) {
      getOperation().emitError("unknown target '")
          << target << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    if (stages < 2)
      return;
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (loop->getParentOfType<gpu::GPUFuncOp>())
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops)
      LoadPipeliner(loop, maxRegisters).run();
  }
};
} // namespace
