//===- AssignSolver.cpp - The descent of layout assignment ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AssignProblem.h"

#include "LateReduction.h"

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
  if (node.carried)
    return 0;
  if (auto access = dyn_cast<GlobalAccessOpInterface>(node.op))
    return costs.memoryAccess(memoryShapeOf(access), choice,
                              /*isStore=*/isa<StoreOp>(node.op));
  if (auto reduce = dyn_cast<ReduceOp>(node.op))
    return priceOfReduction(reduce, choice);
  if (auto dot = dyn_cast<DotOp>(node.op))
    return costs.dot(node.fragments.lookup(choice),
                     getElementTypeOrSelf(dot.getA().getType()));
  if (isa<BroadcastOp, TransposeOp, ReshapeOp, JoinOp, SplitOp>(node.op))
    return 0;
  return costs.elementwise(node.op, choice);
}

double AssignProblem::priceOfReduction(ReduceOp op, LinearLayoutAttr choice) {
  unsigned axis = op.getAxis();
  double together = costs.reductionAcrossThreads(choice, axis);
  if (std::optional<LateReduction> late = matchLateReduction(op))
    if (isSeparable(choice, axis))
      together /= tripsOf(late->loop);
  return costs.reductionInThread(choice) + together;
}

/// One conversion for each layout that is wanted and is not there.
double AssignProblem::exchangeCost(const Exchange &exchange,
                                   LinearLayoutAttr have,
                                   ArrayRef<LinearLayoutAttr> wanted) {
  double total = 0;
  for (auto [number, want] : llvm::enumerate(wanted))
    if (want != have && !llvm::is_contained(wanted.take_front(number), want))
      total += costs.conversion(have, want, elementBits(exchange.value));
  return exchange.weight * total;
}

double AssignProblem::cost(const Choices &choices) {
  double total = 0;
  for (unsigned number = 0; number < list.size(); ++number)
    total += ownCost(number, choices[number]);
  SmallVector<LinearLayoutAttr> wanted;
  for (const Exchange &exchange : exchanges) {
    wanted.clear();
    for (auto [user, operand] : exchange.users)
      wanted.push_back(wantedLayout(user, operand, choices[user]));
    total += exchangeCost(
        exchange, resultLayout(exchange.producer, choices[exchange.producer]),
        wanted);
  }
  return total;
}

//===----------------------------------------------------------------------===//
// All choices at once
//===----------------------------------------------------------------------===//

/// The cost of an exchange as a function of the choices of its nodes.
void AssignProblem::addExchange(CostNetwork &network,
                                const Exchange &exchange) {
  SmallVector<unsigned> scope = {exchange.producer};
  std::vector<SmallVector<LinearLayoutAttr>> wanted;
  SmallVector<unsigned> positions; // in the scope, of each user
  for (auto [user, operand] : exchange.users) {
    if (!llvm::is_contained(scope, user))
      scope.push_back(user);
    positions.push_back(llvm::find(scope, user) - scope.begin());
    SmallVector<LinearLayoutAttr> &forms = wanted.emplace_back();
    for (LinearLayoutAttr candidate : list[user].candidates)
      forms.push_back(wantedLayout(user, operand, candidate));
  }
  SmallVector<LinearLayoutAttr> have;
  for (LinearLayoutAttr candidate : list[exchange.producer].candidates)
    have.push_back(resultLayout(exchange.producer, candidate));
  network.addFunction(scope, [=, &exchange](ArrayRef<unsigned> values) {
    SmallVector<LinearLayoutAttr> wants;
    for (auto [forms, position] : llvm::zip_equal(wanted, positions))
      wants.push_back(forms[values[position]]);
    return exchangeCost(exchange, have[values[0]], wants);
  });
}

CostNetwork AssignProblem::makeNetwork() {
  CostNetwork network;
  for (unsigned number = 0; number < list.size(); ++number) {
    network.addVariable(list[number].candidates.size());
    network.addFunction({number}, [=](ArrayRef<unsigned> values) {
      return ownCost(number, list[number].candidates[values[0]]);
    });
  }
  for (const Exchange &exchange : exchanges)
    if (!exchange.users.empty())
      addExchange(network, exchange);
  return network;
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

FailureOr<AssignProblem::Solution> AssignProblem::solve() {
  for (const Node &node : list)
    if (node.candidates.empty())
      return node.op->emitOpError("has no layout for this block of threads");
  Choices choices = initialChoices();
  double best = cost(choices);
  constexpr unsigned maxRounds = 16;
  for (unsigned round = 0; round < maxRounds; ++round)
    if (!improve(choices, best))
      break;
  SmallVector<unsigned> start;
  for (auto [node, choice] : llvm::zip_equal(list, choices))
    start.push_back(llvm::find(node.candidates, choice) -
                    node.candidates.begin());
  CostNetwork::Result result = makeNetwork().minimise(start);
  Solution solution{{}, result.cost, result.bound};
  for (auto [node, value] : llvm::zip_equal(list, result.values))
    solution.choices.push_back(node.candidates[value]);
  return solution;
}
