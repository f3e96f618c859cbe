//===- AccessAnalysis.cpp - Where tiles lie in global memory --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask is needed only where a tile may hang over the memory's end. Offsets
// are made of block ids, loop indices and constants, so their ranges follow
// from the grid and the loop bounds (MLIR's integer range analysis). A range
// does not know that an offset moves in steps of the tile; the greatest known
// divisor adds that, and also says how far accesses are aligned.
//
//===----------------------------------------------------------------------===//

#include "TileLowering.h"

#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Analysis/DataFlow/Utils.h"
#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

#include <numeric>

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// A number that divides `value` whatever the ids; 0 if `value` is always 0.
static uint64_t knownDivisor(Value value, unsigned depth = 0) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.abs().getLimitedValue();
  if (depth > 16)
    return 1;
  auto of = [&](Value operand) { return knownDivisor(operand, depth + 1); };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop =
        dyn_cast_or_null<scf::ForOp>(argument.getOwner()->getParentOp());
    if (loop && value == loop.getInductionVar())
      return std::gcd(of(loop.getLowerBound()), of(loop.getStep()));
    return 1;
  }
  Operation *op = value.getDefiningOp();
  if (isa<arith::MulIOp>(op)) {
    uint64_t x = of(op->getOperand(0)), y = of(op->getOperand(1));
    // Keep products small; what is lost is only a larger divisor.
    return std::min<uint64_t>(x, 1 << 20) * std::min<uint64_t>(y, 1 << 20);
  }
  if (isa<arith::AddIOp, arith::SubIOp, arith::RemUIOp, arith::RemSIOp>(op))
    return std::gcd(of(op->getOperand(0)), of(op->getOperand(1)));
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
    return of(op->getOperand(0));
  if (isa<arith::SelectOp>(op))
    return std::gcd(of(op->getOperand(1)), of(op->getOperand(2)));
  return 1;
}

namespace {
/// The least and the greatest value of an offset.
struct Bounds {
  int64_t lowest = -unknownOffset, highest = unknownOffset;
};

class Ranges {
public:
  explicit Ranges(DataFlowSolver &solver) : solver(solver) {}

  Bounds of(Value offset, uint64_t divisor) {
    auto *lattice =
        solver.lookupState<dataflow::IntegerValueRangeLattice>(offset);
    if (!lattice || lattice->getValue().isUninitialized())
      return {};
    const ConstantIntRanges &range = lattice->getValue().getValue();
    if (range.smin().isNegative())
      return {};
    uint64_t last = range.smax().getLimitedValue(unknownOffset);
    if (divisor > 1)
      last -= last % divisor;
    return {static_cast<int64_t>(range.smin().getLimitedValue(unknownOffset)),
            static_cast<int64_t>(last)};
  }

private:
  DataFlowSolver &solver;
};
} // namespace

static void annotate(Operation *op, Ranges &ranges, ValueRange offsets,
                     ArrayRef<int64_t> tile, ArrayRef<int64_t> extents) {
  SmallVector<int64_t> divisors, lowest, highest;
  SmallVector<bool> inside;
  for (auto [offset, size, extent] : llvm::zip_equal(offsets, tile, extents)) {
    uint64_t divisor = knownDivisor(offset);
    Bounds bounds = ranges.of(offset, divisor);
    if (bounds.lowest == bounds.highest)
      divisor = bounds.lowest;
    divisors.push_back(divisor);
    lowest.push_back(bounds.lowest);
    highest.push_back(bounds.highest);
    inside.push_back(bounds.lowest >= 0 && bounds.highest + size <= extent);
  }
  Builder b(op->getContext());
  op->setAttr(divisorsName, b.getDenseI64ArrayAttr(divisors));
  op->setAttr(lowestName, b.getDenseI64ArrayAttr(lowest));
  op->setAttr(highestName, b.getDenseI64ArrayAttr(highest));
  op->setAttr(insideName, b.getDenseBoolArrayAttr(inside));
}

LogicalResult mirage::analyzeAccesses(gpu::GPUFuncOp kernel) {
  DataFlowSolver solver;
  dataflow::loadBaselineAnalyses(solver);
  solver.load<dataflow::IntegerRangeAnalysis>();
  if (failed(solver.initializeAndRun(kernel)))
    return kernel.emitOpError("ranges of its offsets could not be analyzed");
  Ranges ranges(solver);
  kernel.walk([&](Operation *op) {
    if (auto access = dyn_cast<GlobalAccessOpInterface>(op))
      annotate(op, ranges, access.getOffsets(), access.getExisting(),
               access.getMemoryType().getShape());
    else if (auto mask = dyn_cast<MaskOp>(op))
      annotate(op, ranges, mask.getOffset(),
               cast<ShapedType>(mask.getType()).getDimSize(mask.getDim()),
               static_cast<int64_t>(mask.getExtent()));
  });
  return success();
}
