//===- BlockStages.cpp - When a block graph computes what -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockStages.h"

#include "mirage/Dialect/MuGraph/IR/Stages.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

static llvm::DenseSet<Operation *> findNeeded(Block &body) {
  llvm::DenseSet<Operation *> needed;
  for (Operation &op : llvm::reverse(body)) {
    bool isNeeded = op.hasTrait<OpTrait::IsTerminator>() ||
                    llvm::any_of(op.getUsers(), [&](Operation *user) {
                      return needed.contains(user);
                    });
    if (isNeeded)
      needed.insert(&op);
  }
  return needed;
}

static unsigned stageNumber(const Stage &stage) {
  return stage.loop ? 2 * *stage.loop + 1 : 2 * (stage.after + 1);
}

FailureOr<BlockStages> mirage::computeStages(BlockGraphOp graph) {
  FailureOr<StageAnalysis> analysis = StageAnalysis::compute(graph);
  if (failed(analysis))
    return failure();
  BlockStages result;
  result.stages.resize(2 * graph.getLoops().size() + 1);
  Block &body = *graph.getBodyBlock();
  llvm::DenseSet<Operation *> needed = findNeeded(body);
  for (Operation &op : body.without_terminator()) {
    if (!needed.contains(&op))
      continue;
    unsigned stage = stageNumber(analysis->lookup(op.getResult(0)));
    if (std::optional<unsigned> loop = getAccumulatorLoop(&op))
      stage = 2 * *loop + 1;
    result.stages[stage].ops.push_back(&op);
  }
  for (auto [number, value] : llvm::enumerate(graph.getYield().getValues()))
    result.stages[stageNumber(analysis->lookup(value))].stores.push_back(
        number);
  return result;
}
