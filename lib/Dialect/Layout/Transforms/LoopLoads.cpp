//===- LoopLoads.cpp - Loads of a loop that can be issued early -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopLoads.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

LoopLoads::LoopLoads(scf::ForOp loop) : loop(loop) {
  auto from = getConstantIntValue(loop.getLowerBound());
  auto to = getConstantIntValue(loop.getUpperBound());
  auto step = getConstantIntValue(loop.getStep());
  if (!from || !to || !step || *step <= 0 || *to <= *from)
    return;
  first = *from;
  stepSize = *step;
  tripCount = (*to - *from + *step - 1) / *step;
  for (LoadOp load : loop.getBody()->getOps<LoadOp>()) {
    llvm::SetVector<Operation *> slice;
    bool plain = llvm::all_of(load.getOffsets(), [&](Value offset) {
      return addArithmetic(offset, slice);
    });
    if (!plain)
      continue;
    list.push_back(load);
    arithmetic.insert_range(slice);
  }
}

/// Adds the operations of the loop body that compute `value`, operands first.
bool LoopLoads::addArithmetic(Value value,
                              llvm::SetVector<Operation *> &slice) {
  if (value == loop.getInductionVar() || loop.isDefinedOutsideOfLoop(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != loop.getBody() || !isPure(op) ||
      op->getNumRegions() != 0)
    return false;
  for (Value operand : op->getOperands())
    if (!addArithmetic(operand, slice))
      return false;
  slice.insert(op);
  return true;
}

SmallVector<SmallVector<Value>> LoopLoads::cloneOffsets(OpBuilder &builder,
                                                        ArrayRef<LoadOp> chosen,
                                                        Value induction) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), induction);
  for (Operation *op : arithmetic)
    builder.clone(*op, mapping);
  SmallVector<SmallVector<Value>> offsets;
  for (LoadOp load : chosen) {
    SmallVector<Value> own;
    for (Value offset : load.getOffsets())
      own.push_back(mapping.lookupOrDefault(offset));
    offsets.push_back(std::move(own));
  }
  return offsets;
}
