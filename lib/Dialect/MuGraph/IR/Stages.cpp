//===- Stages.cpp - When the values of a block graph are computed
//-----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/Stages.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mirage::mugraph;

std::optional<unsigned> mirage::mugraph::getAccumulatorLoop(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<unsigned>>(op)
      .Case<AccumulateOp, AccumulateSoftmaxOp>(
          [](auto accumulator) { return accumulator.getLoop(); })
      .Default([](Operation *) { return std::nullopt; });
}

/// The stage at which all operands of `op` are known.
FailureOr<Stage> StageAnalysis::operandStage(Operation &op) const {
  Stage stage;
  for (Value operand : op.getOperands()) {
    Stage other = lookup(operand);
    stage.after = std::max(stage.after, other.after);
    if (stage.loop && other.loop && *stage.loop != *other.loop)
      return op.emitOpError()
             << "depends on loops l" << *stage.loop << " and l" << *other.loop
             << ", expected one at most (mugraph_c17)";
    if (!stage.loop)
      stage.loop = other.loop;
  }
  if (stage.loop && stage.after >= static_cast<int>(*stage.loop))
    return op.emitOpError()
           << "is computed in loop l" << *stage.loop
           << " but needs the outcome of loop l" << stage.after
           << ", expected only loops before its own (mugraph_c17)";
  return stage;
}

LogicalResult StageAnalysis::visit(Operation &op) {
  FailureOr<Stage> stage = operandStage(op);
  if (failed(stage))
    return failure();
  if (std::optional<unsigned> loop = getAccumulatorLoop(&op)) {
    if (stage->loop != loop)
      return op.emitOpError()
             << "accumulates over l" << *loop
             << ", but its operands do not depend on that loop "
                "(mugraph_c18)";
    stage->loop = std::nullopt;
    stage->after = *loop;
  }
  for (Value result : op.getResults())
    stages[result] = *stage;
  return success();
}

FailureOr<StageAnalysis> StageAnalysis::compute(BlockGraphOp graph) {
  StageAnalysis analysis;
  for (BlockArgument argument : graph.getBodyBlock()->getArguments()) {
    unsigned number = argument.getArgNumber();
    SmallVector<unsigned> loops = graph.getInputMap(number).getLoops();
    if (loops.size() > 1)
      return graph.emitOpError()
             << "input #" << number << " is cut by loops l" << loops[0]
             << " and l" << loops[1] << ", expected one at most (mugraph_c17)";
    if (!loops.empty())
      analysis.stages[argument].loop = loops.front();
  }
  for (Operation &op : graph.getBodyBlock()->without_terminator())
    if (failed(analysis.visit(op)))
      return failure();
  return analysis;
}
