//===- RegisterPipeline.cpp - Loads into registers, one iteration ahead ---===//
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
// The last iteration loads its own tile once more: in bounds, unused, and still
// in cache.
//
//===----------------------------------------------------------------------===//

#include "LoopLoads.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"

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

static SmallVector<Value> loadAt(LoopLoads &loads, OpBuilder &builder,
                                 ArrayRef<LoadOp> chosen, Value induction) {
  SmallVector<Value> tiles;
  auto offsets = loads.cloneOffsets(builder, chosen, induction);
  for (auto [number, where] : llvm::enumerate(offsets)) {
    LoadOp load = chosen[number];
    tiles.push_back(LoadOp::create(builder, load.getLoc(), load.getType(),
                                   load.getSource(), where,
                                   load.getWithinAttr(), load.getOtherAttr()));
  }
  return tiles;
}

void mirage::layout::pipelineThroughRegisters(LoopLoads &loads,
                                              int64_t maxRegisters) {
  SmallVector<LoadOp> chosen;
  int64_t registers = 0;
  for (LoadOp load : loads.loads()) {
    int64_t needed = registersOf(cast<RankedTensorType>(load.getType()));
    if (registers + needed > maxRegisters)
      continue;
    registers += needed;
    chosen.push_back(load);
  }
  if (chosen.empty() || loads.trips() < 2)
    return;
  IRRewriter rewriter(loads.loop.getContext());
  rewriter.setInsertionPoint(loads.loop);
  SmallVector<Value> first =
      loadAt(loads, rewriter, chosen, loads.loop.getLowerBound());
  auto carrying = cast<scf::ForOp>(*loads.loop.replaceWithAdditionalYields(
      rewriter, first, /*replaceInitOperandUsesInLoop=*/false,
      [&](OpBuilder &, Location, ArrayRef<BlockArgument>) {
        return first; // replaced below
      }));
  loads.loop = carrying;

  auto builder = OpBuilder::atBlockBegin(carrying.getBody());
  Location loc = carrying.getLoc();
  Value next = arith::AddIOp::create(builder, loc, carrying.getInductionVar(),
                                     carrying.getStep());
  // The constant bound lets range analysis see that the load is in bounds.
  Value last = arith::ConstantIndexOp::create(builder, loc,
                                              loads.index(loads.trips() - 1));
  next = arith::MinSIOp::create(builder, loc, next, last);
  SmallVector<Value> nextTiles = loadAt(loads, builder, chosen, next);
  auto carried = carrying.getRegionIterArgs().take_back(chosen.size());
  Operation *yield = carrying.getBody()->getTerminator();
  unsigned firstYield = yield->getNumOperands() - chosen.size();
  for (auto [number, load] : llvm::enumerate(chosen)) {
    yield->setOperand(firstYield + number, nextTiles[number]);
    load.getResult().replaceAllUsesWith(carried[number]);
    load.erase();
  }
}
