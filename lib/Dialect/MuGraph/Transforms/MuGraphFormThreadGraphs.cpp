//===- MuGraphFormThreadGraphs.cpp - Group elementwise ops ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rule: two elementwise ops that are computed at the same stage of a block
// graph belong to one thread graph if the second uses a value of the first. A
// group may hold values of several shapes (a row statistic and the tile that it
// scales). Groups are built in program order and never wait for each other in a
// circle: an op joins the group of an operand only if nothing else that it
// needs depends on that group.
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Dialect/MuGraph/IR/Stages.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHFORMTHREADGRAPHS
#include "mirage/Dialect/MuGraph/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage::mugraph;

namespace {
using GroupSet = llvm::SmallSetVector<unsigned, 4>;

/// The groups of one block graph.
class Grouping {
public:
  explicit Grouping(const StageAnalysis &stages) : stages(stages) {}

  void add(Operation *op);
  SmallVector<SmallVector<Operation *>> groups;

private:
  bool sameStage(Operation *a, Operation *b) const;
  /// The groups whose values `op` needs, but for `except`.
  GroupSet neededBy(Operation *op, std::optional<unsigned> except) const;
  /// True if some group of `from` needs a value of `to`.
  bool reaches(const GroupSet &from, unsigned to) const;

  const StageAnalysis &stages;
  DenseMap<Operation *, unsigned> groupOf;
  /// For ops outside of groups and for groups: the groups that they need.
  DenseMap<Operation *, GroupSet> neededOutside;
  SmallVector<GroupSet> needed;
};
} // namespace

bool Grouping::sameStage(Operation *a, Operation *b) const {
  Stage x = stages.lookup(a->getResult(0)), y = stages.lookup(b->getResult(0));
  return x.loop == y.loop && x.after == y.after;
}

GroupSet Grouping::neededBy(Operation *op,
                            std::optional<unsigned> except) const {
  GroupSet result;
  for (Value operand : op->getOperands()) {
    Operation *producer = operand.getDefiningOp();
    if (!producer)
      continue;
    auto group = groupOf.find(producer);
    if (group == groupOf.end())
      result.set_union(neededOutside.lookup(producer));
    else if (group->second != except)
      result.insert(group->second);
  }
  return result;
}

bool Grouping::reaches(const GroupSet &from, unsigned to) const {
  GroupSet seen = from;
  for (size_t i = 0; i < seen.size(); ++i)
    seen.set_union(GroupSet(needed[seen[i]]));
  return seen.contains(to);
}

void Grouping::add(Operation *op) {
  if (!op->hasTrait<Elementwise>()) {
    neededOutside[op] = neededBy(op, std::nullopt);
    return;
  }
  std::optional<unsigned> own;
  for (Value operand : op->getOperands()) {
    Operation *producer = operand.getDefiningOp();
    auto group = producer ? groupOf.find(producer) : groupOf.end();
    if (group == groupOf.end() || !sameStage(producer, op))
      continue;
    if (reaches(neededBy(op, group->second), group->second))
      continue;
    own = group->second;
    break;
  }
  if (!own) {
    own = groups.size();
    groups.emplace_back();
    needed.emplace_back();
  }
  needed[*own].set_union(neededBy(op, own));
  groups[*own].push_back(op);
  groupOf[op] = *own;
}

/// Moves `ops`, which are in program order, into a thread graph at the last of
/// them. What they use must be defined before that, and it is.
static void formThreadGraph(ArrayRef<Operation *> ops) {
  llvm::SmallPtrSet<Operation *, 8> inside(ops.begin(), ops.end());
  llvm::SetVector<Value> inputs, outputs;
  for (Operation *op : ops) {
    for (Value operand : op->getOperands())
      if (!inside.contains(operand.getDefiningOp()))
        inputs.insert(operand);
    for (Operation *user : op->getUsers())
      if (!inside.contains(user))
        outputs.insert(op->getResult(0));
  }
  if (outputs.empty())
    return;
  OpBuilder builder(ops.back());
  Location loc = ops.back()->getLoc();
  auto graph = ThreadGraphOp::create(
      builder, loc, ValueRange(outputs.getArrayRef()).getTypes(),
      inputs.getArrayRef());
  Block &body = graph.getBody().emplaceBlock();
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body.addArgument(input.getType(), input.getLoc()));
  builder.setInsertionPointToEnd(&body);
  for (Operation *op : ops)
    builder.clone(*op, mapping);
  SmallVector<Value> yielded;
  for (Value output : outputs)
    yielded.push_back(mapping.lookup(output));
  YieldOp::create(builder, loc, yielded);
  for (auto [number, result] : llvm::enumerate(graph.getResults())) {
    Value output = outputs[number];
    output.replaceAllUsesWith(result);
  }
  for (Operation *op : llvm::reverse(ops))
    op->erase();
}

/// Restores an order in which every value comes before its uses: a group stands
/// where its last op stood, and a user of an earlier op may come before that.
static void sortBody(Block *body) {
  SmallVector<Operation *> order;
  llvm::SmallPtrSet<Operation *, 32> placed;
  auto place = [&](auto &self, Operation *op) -> void {
    if (!placed.insert(op).second)
      return;
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        self(self, producer);
    order.push_back(op);
  };
  for (Operation &op : body->without_terminator())
    place(place, &op);
  for (Operation *op : order)
    op->moveBefore(body->getTerminator());
}

LogicalResult mirage::mugraph::formThreadGraphs(BlockGraphOp graph) {
  FailureOr<StageAnalysis> stages = StageAnalysis::compute(graph);
  if (failed(stages))
    return failure();
  Grouping grouping(*stages);
  for (Operation &op : graph.getBodyBlock()->without_terminator())
    grouping.add(&op);
  for (ArrayRef<Operation *> group : grouping.groups)
    if (group.size() > 1)
      formThreadGraph(group);
  sortBody(graph.getBodyBlock());
  return success();
}

namespace {
struct MuGraphFormThreadGraphs final
    : mirage::impl::MuGraphFormThreadGraphsBase<MuGraphFormThreadGraphs> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](BlockGraphOp graph) {
      return failed(formThreadGraphs(graph)) ? WalkResult::interrupt()
                                             : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
