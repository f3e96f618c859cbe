//===- ProgramWalker.cpp - Running the scalars of a tile program ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramWalker.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;

ProgramWalker::~ProgramWalker() = default;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

std::optional<int64_t> ProgramWalker::numberOf(Value value) const {
  auto number = dyn_cast_or_null<IntegerAttr>(numbers.lookup(value));
  if (!number)
    return std::nullopt;
  // true is 1.
  return number.getType().isInteger(1) ? number.getValue().getZExtValue()
                                       : number.getValue().getSExtValue();
}

void ProgramWalker::evaluate(Operation *op) {
  if (!llvm::all_of(op->getResultTypes(),
                    [](Type type) { return type.isIntOrIndex(); }))
    return;
  if (auto id = dyn_cast<gpu::BlockIdOp>(op)) {
    numbers[id] = IntegerAttr::get(
        id.getType(), block[static_cast<unsigned>(id.getDimension())]);
    return;
  }
  for (auto [result, number] : llvm::zip_equal(op->getResults(), fold(op)))
    numbers[result] = number;
}

/// The numbers of the results; null where they are not known.
SmallVector<Attribute> ProgramWalker::fold(Operation *op) {
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands())
    operands.push_back(numbers.lookup(operand));
  // Where operands are not known folding may change the op in place: fold a
  // copy.
  bool isKnown = !llvm::is_contained(operands, Attribute());
  Operation *folded = isKnown ? op : op->clone();
  SmallVector<OpFoldResult> results;
  SmallVector<Attribute> known(op->getNumResults());
  if (succeeded(folded->fold(operands, results)))
    for (auto [number, result] : llvm::zip(known, results))
      number = isa<Value>(result) ? numbers.lookup(cast<Value>(result))
                                  : cast<Attribute>(result);
  if (!isKnown)
    folded->destroy();
  return known;
}

void ProgramWalker::assign(ValueRange to, ValueRange from) {
  SmallVector<Attribute> values;
  for (Value value : from)
    values.push_back(numbers.lookup(value));
  for (auto [value, number] : llvm::zip_equal(to, values))
    numbers[value] = number;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

LogicalResult ProgramWalker::run(Block &code) {
  for (Operation &op : code)
    if (failed(runOp(op)))
      return failure();
  return success();
}

LogicalResult ProgramWalker::runOp(Operation &op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return runLoop(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return runBranch(branch);
  if (op.getNumRegions())
    return visitOther(&op);
  if (failed(visit(&op)))
    return failure();
  evaluate(&op);
  return success();
}

FailureOr<ProgramWalker::Trips> ProgramWalker::tripsOf(scf::ForOp loop) {
  std::optional<int64_t> first = numberOf(loop.getLowerBound()),
                         end = numberOf(loop.getUpperBound()),
                         step = numberOf(loop.getStep());
  if (!first || !end || !step || *step <= 0)
    return guessTrips(loop);
  int64_t count =
      *end > *first ? llvm::divideCeilSigned(*end - *first, *step) : 0;
  return Trips{*first, *step, count};
}

FailureOr<ProgramWalker::Trips> ProgramWalker::guessTrips(scf::ForOp) {
  return failure();
}

LogicalResult ProgramWalker::runLoop(scf::ForOp loop) {
  FailureOr<Trips> trips = tripsOf(loop);
  if (failed(trips))
    return failure();
  assign(loop.getRegionIterArgs(), loop.getInitArgs());
  Value induction = loop.getInductionVar();
  for (int64_t i = 0; i < std::min(trips->count, tripLimit); ++i) {
    numbers[induction] =
        IntegerAttr::get(induction.getType(), trips->first + i * trips->step);
    if (failed(run(*loop.getBody())))
      return failure();
    assign(loop.getRegionIterArgs(),
           loop.getBody()->getTerminator()->getOperands());
  }
  assign(loop.getResults(), loop.getRegionIterArgs());
  return success();
}

LogicalResult ProgramWalker::runRegion(scf::IfOp branch, Region &region) {
  if (region.empty())
    return success();
  if (failed(run(region.front())))
    return failure();
  assign(branch.getResults(), region.front().getTerminator()->getOperands());
  return success();
}

LogicalResult ProgramWalker::runBranch(scf::IfOp branch) {
  std::optional<int64_t> condition = numberOf(branch.getCondition());
  if (!condition)
    return visitUnknown(branch);
  return runRegion(branch, *condition ? branch.getThenRegion()
                                      : branch.getElseRegion());
}

LogicalResult ProgramWalker::visitUnknown(scf::IfOp) { return failure(); }
