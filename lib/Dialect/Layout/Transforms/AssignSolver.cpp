//===- AssignSolver.cpp - The descent of layout assignment ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AssignProblem.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static unsigned elementBits(Value tile) {
  return cast<RankedTensorType>(tile.getType()).getElementTypeBitWidth();
}

//===----------------------------------------------------------------------===//
// Cost
//===----------------------------------------------------------------------===//

double AssignProblem::ownCost(unsigned number, LinearLayoutAttr choice) {
  auto [entry, isNew] = ownCosts.try_emplace({number, choice}, 0);
  if (isNew)
    entry->second = list[number].weight * priceOf(list[number], choice);
  return entry->second;
}

double AssignProblem::priceOf(const Node &node, LinearLayoutAttr choice) {
  if (node.iterationArgument)
    return 0;
  if (auto load = dyn_cast<LoadOp>(node.op))
    return costs.memoryAccess(
        memoryShapeOf(cast<RankedTensorType>(load.getResult().getType()),
                      cast<MemRefType>(load.getSource().getType())),
        choice, /*isStore=*/false);
  if (auto store = dyn_cast<StoreOp>(node.op))
    return costs.memoryAccess(
        memoryShapeOf(cast<RankedTensorType>(store.getValue().getType()),
                      cast<MemRefType>(store.getDest().getType())),
        choice, /*isStore=*/true);
  if (auto reduce = dyn_cast<ReduceOp>(node.op))
    return costs.reduction(choice, reduce.getAxis());
  if (auto dot = dyn_cast<DotOp>(node.op))
    return costs.dot(node.fragments.lookup(choice),
                     getElementTypeOrSelf(dot.getA().getType()));
  if (isa<BroadcastOp, TransposeOp, ReshapeOp>(node.op))
    return 0;
  return costs.elementwise(node.op, choice);
}

double AssignProblem::cost(const Choices &choices) {
  double total = 0;
  llvm::DenseMap<std::pair<Value, Attribute>, double> converted;
  for (auto [number, node] : llvm::enumerate(list)) {
    total += ownCost(number, choices[number]);
    for (auto [operand, value] : llvm::enumerate(node.operands)) {
      std::optional<unsigned> producer = producerOf(value);
      if (!producer)
        continue;
      LinearLayoutAttr have = resultLayout(*producer, choices[*producer]);
      LinearLayoutAttr want = wantedLayout(number, operand, choices[number]);
      if (have == want || !converted.try_emplace({value, want}, 0).second)
        continue;
      // The conversion stands where the value is defined; a block argument is
      // defined in each iteration.
      double weight = isa<BlockArgument>(value)
                          ? std::max(node.weight, list[*producer].weight)
                          : list[*producer].weight;
      total += weight * costs.conversion(have, want, elementBits(value));
    }
  }
  return total;
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

bool AssignProblem::mayFollow(unsigned number, Scope scope) const {
  const Node &node = list[number];
  bool isMemory = isa<LoadOp, StoreOp>(node.op);
  bool isView =
      isa<BroadcastOp, TransposeOp, ReshapeOp, ReduceOp, DotOp>(node.op);
  switch (scope) {
  case Scope::Alone:
    return false;
  case Scope::Elementwise:
    return !isMemory && !isView;
  case Scope::Producers:
  case Scope::Users:
    return !isMemory;
  case Scope::Everything:
    return true;
  }
  llvm_unreachable("unknown scope");
}

void AssignProblem::flood(Choices &choices, unsigned seed,
                          LinearLayoutAttr choice, Scope scope) const {
  SmallVector<bool> visited(list.size(), false);
  SmallVector<unsigned> work = {seed};
  // What a broadcast has in the dims it grows does not follow from its operand,
  // nor what a reduction had along its axis from its result, but often from
  // somebody else: such steps are taken last.
  SmallVector<std::pair<unsigned, LinearLayoutAttr>> vague;
  choices[seed] = choice;
  visited[seed] = true;
  auto visit = [&](unsigned number, LinearLayoutAttr follow) {
    if (visited[number] || !follow || !mayFollow(number, scope) ||
        !list[number].candidates.contains(follow))
      return;
    visited[number] = true;
    choices[number] = follow;
    work.push_back(number);
  };
  auto step = [&](unsigned number, bool isVague, LinearLayoutAttr follow) {
    if (isVague)
      vague.push_back({number, follow});
    else
      visit(number, follow);
  };
  auto visitNeighbours = [&](unsigned number) {
    LinearLayoutAttr current = choices[number];
    if (scope != Scope::Users)
      for (auto [operand, value] : llvm::enumerate(list[number].operands))
        if (std::optional<unsigned> producer = producerOf(value))
          step(*producer, isa<ReduceOp>(list[*producer].op),
               choiceForResult(*producer,
                               wantedLayout(number, operand, current)));
    if (scope == Scope::Producers)
      return;
    LinearLayoutAttr result = resultLayout(number, current);
    for (auto [user, operand] : users[number])
      step(user, isa<BroadcastOp>(list[user].op),
           choiceForOperand(user, operand, result));
  };
  while (!work.empty() || !vague.empty()) {
    if (!work.empty()) {
      visitNeighbours(work.pop_back_val());
      continue;
    }
    auto [number, follow] = vague.pop_back_val();
    visit(number, follow);
  }
}

/// Each node its first candidate, then every load and every dot draws those
/// after it along.
AssignProblem::Choices AssignProblem::initialChoices() {
  Choices choices;
  for (const Node &node : list)
    choices.push_back(node.candidates.front());
  for (auto [number, node] : llvm::enumerate(list))
    if (isa<LoadOp, DotOp>(node.op))
      flood(choices, number, choices[number], Scope::Users);
  return choices;
}

/// Tries all moves once; true if one of them made the kernel cheaper.
bool AssignProblem::improve(Choices &choices, double &best) {
  bool improved = false;
  for (unsigned number = 0; number < list.size(); ++number) {
    for (LinearLayoutAttr candidate : list[number].candidates) {
      for (Scope scope : {Scope::Alone, Scope::Elementwise, Scope::Producers,
                          Scope::Users, Scope::Everything}) {
        Choices changed = choices;
        flood(changed, number, candidate, scope);
        if (changed == choices)
          continue;
        double total = cost(changed);
        if (total >= best * (1 - 1e-9))
          continue;
        best = total;
        choices = std::move(changed);
        improved = true;
      }
    }
  }
  return improved;
}

FailureOr<AssignProblem::Choices> AssignProblem::solve() {
  for (const Node &node : list)
    if (node.candidates.empty())
      return node.op->emitOpError("has no layout for this block of threads");
  Choices choices = initialChoices();
  double best = cost(choices);
  constexpr unsigned maxRounds = 16;
  for (unsigned round = 0; round < maxRounds; ++round)
    if (!improve(choices, best))
      break;
  return choices;
}
