//===- Choose.cpp - Choose derivations by branch and bound ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// For fixed roles of the labels: which derivation computes each needed value.
// Branch and bound over the hypergraph, from the results down; the bound adds
// to the cost so far what each value that still waits costs at least. Costs are
// estimates at nominal tile sizes; the best few choices are scheduled and
// priced exactly.

#include "mirage/Search/ChoiceBound.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>
#include <set>

using namespace mirage;
using namespace mirage::search;

static constexpr double infinite = std::numeric_limits<double>::infinity();
// What a second pass over a loop costs at least: its first loads are waited
// for.
static constexpr double secondsOfPass = 1e-6;
// Extent of a grid tile, for the number of blocks that repeat a computation.
static constexpr int64_t nominalTile = 64;

std::optional<ContractShape>
search::contractShape(const LabelList &a, const LabelList &b, LabelId depth) {
  ContractShape shape;
  shape.depth = depth;
  for (LabelId label : a)
    if (label != depth && llvm::is_contained(b, label))
      shape.batch.push_back(label);
  auto pick = [&](const LabelList &own, const LabelList &other, LabelId &side) {
    for (LabelId label : own) {
      if (llvm::is_contained(other, label))
        continue;
      // Later labels tend to be inner dims; the others become batch dims.
      if (side != noLabel)
        shape.batch.push_back(side);
      side = label;
    }
  };
  pick(a, b, shape.rows);
  pick(b, a, shape.columns);
  if (shape.rows == noLabel && shape.columns == noLabel)
    return std::nullopt;
  return shape;
}

namespace {
class Chooser {
public:
  Chooser(const ValueGraph &graph, const ExprContext &context,
          const ChoiceBound &bound, const Roles &roles,
          const ExtractOptions &options, ExtractStatistics &statistics)
      : graph(graph), context(context), bound(bound), roles(roles),
        options(options), statistics(statistics) {}

  std::vector<Choice> run();

private:
  const LabelList &labels(ValueId value) const {
    return context.expr(graph.values[value].expr).free;
  }
  unsigned countLoops(llvm::ArrayRef<LabelId> list) const {
    return llvm::count_if(
        list, [&](LabelId l) { return roles.lookup(l) == Role::Loop; });
  }
  LabelList workLabels(ValueId value, const Derivation &derivation) const;
  bool isFeasible(ValueId value, const Derivation &derivation) const;
  bool isInLoop(ValueId value) const { return countLoops(labels(value)) > 0; }
  void findEarly();
  bool needsSecondPass(ValueId value, const Derivation &derivation) const;
  double estimate(ValueId value, const Derivation &derivation) const;
  void estimateAll();
  void branch(std::set<ValueId> pending, Choice &choice, double cost);
  bool reaches(ValueId from, ValueId to, const Choice &choice) const;
  void leaveOut(const Choice &choice, const std::set<ValueId> &pending = {});

  const ValueGraph &graph;
  const ExprContext &context;
  const ChoiceBound &bound;
  const Roles &roles;
  const ExtractOptions &options;
  ExtractStatistics &statistics;

  /// Of values without a loop label: they can be known before the first loop.
  std::vector<bool> early;
  std::vector<std::vector<double>> own; ///< by value and derivation.
  std::vector<double> least;            ///< cheapest own cost of a value.
  std::vector<double> total;            ///< with all operands, as a tree.
  std::vector<std::vector<unsigned>> order;
  std::vector<std::pair<double, Choice>> best;
  size_t states = 0;
};
} // namespace

LabelList Chooser::workLabels(ValueId value,
                              const Derivation &derivation) const {
  LabelList result = labels(value);
  for (ValueId operand : derivation.operands)
    for (LabelId label : labels(operand))
      if (!llvm::is_contained(result, label))
        result.push_back(label);
  return result;
}

bool Chooser::isFeasible(ValueId value, const Derivation &derivation) const {
  if (derivation.isUnsafe && !options.allowUnsafe)
    return false;
  if (countLoops(labels(value)) > 1 ||
      countLoops(workLabels(value, derivation)) > 1)
    return false;
  bool isSoftmax = derivation.rule == Rule::SoftmaxSum ||
                   derivation.rule == Rule::SoftmaxContract;
  if (derivation.label == noLabel)
    return true;
  Role role = roles.lookup(derivation.label);
  if (role == Role::Grid || (isSoftmax && role != Role::Loop))
    return false;
  if (derivation.rule != Rule::Contract &&
      derivation.rule != Rule::SoftmaxContract)
    return true;
  auto shape = contractShape(labels(derivation.operands[0]),
                             labels(derivation.operands[1]), derivation.label);
  // Without tensor cores, a matrix times a vector is better left to the
  // threads.
  if (shape && graph.segment.matrixBits > 16 &&
      (shape->rows == noLabel || shape->columns == noLabel))
    return false;
  return shape && llvm::all_of(shape->batch, [&](LabelId label) {
           return roles.lookup(label) == Role::Grid;
         });
}

void Chooser::findEarly() {
  early.assign(graph.values.size(), false);
  auto isEarly = [&](const Derivation &derivation) {
    return !endsLoop(derivation, roles) &&
           llvm::all_of(derivation.operands,
                        [&](ValueId operand) { return early[operand]; });
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (ValueId id = 0; id < early.size(); ++id)
      if (!early[id] && !isInLoop(id) &&
          llvm::any_of(graph.values[id].derivations, isEarly))
        changed = early[id] = true;
  }
}

// Whether it is computed in a loop from what another loop has to leave first.
bool Chooser::needsSecondPass(ValueId value,
                              const Derivation &derivation) const {
  return (isInLoop(value) || endsLoop(derivation, roles)) &&
         llvm::any_of(derivation.operands, [&](ValueId operand) {
           return !isInLoop(operand) && !early[operand];
         });
}

double Chooser::estimate(ValueId value, const Derivation &derivation) const {
  const TargetDescription &target = *options.target;
  LabelList work = workLabels(value, derivation);
  double elements = 1;
  for (LabelId label : work)
    elements *= context.size(label);
  // Blocks along other grid labels repeat the work.
  for (auto [label, role] : roles)
    if (role == Role::Grid && !graph.segment.leaders.count(label) &&
        !graph.segment.isCutBy(work, label))
      elements *= (context.size(label) + nominalTile - 1) / nominalTile;
  double vectorRate =
      target.vectorFlopsPerClock * target.multiprocessors * target.clockHertz;
  double specialRate =
      target.specialOpsPerClock * target.multiprocessors * target.clockHertz;
  double matrixRate =
      target.matrixFlopsPerClock * target.multiprocessors * target.clockHertz;
  const double perOp = derivation.isWritten ? 2e-9 : 3e-9;
  switch (derivation.rule) {
  case Rule::Constant:
    return 0;
  case Rule::Input:
    return perOp + elements * 2 / target.l2BytesPerSecond;
  case Rule::Multiply:
  case Rule::Add:
    return perOp + elements / vectorRate;
  case Rule::Sum:
  case Rule::Extremum:
    return perOp + 2 * elements / vectorRate;
  case Rule::Power:
  case Rule::Function:
    return perOp + elements / specialRate;
  case Rule::Contract:
    return perOp + 2 * elements / matrixRate;
  case Rule::SoftmaxSum:
    return perOp + elements / specialRate;
  case Rule::SoftmaxContract:
    return perOp + 2 * elements / matrixRate;
  }
  return infinite;
}

void Chooser::estimateAll() {
  findEarly();
  size_t count = graph.values.size();
  own.resize(count);
  least.assign(count, infinite);
  total.assign(count, infinite);
  for (ValueId id = 0; id < count; ++id)
    for (const Derivation &derivation : graph.values[id].derivations) {
      double cost =
          isFeasible(id, derivation) ? estimate(id, derivation) : infinite;
      if (needsSecondPass(id, derivation))
        cost += secondsOfPass;
      own[id].push_back(cost);
      least[id] = std::min(least[id], cost);
    }
  auto treeCost = [&](ValueId id, unsigned number) {
    double cost = own[id][number];
    for (ValueId operand : graph.values[id].derivations[number].operands)
      cost += total[operand];
    return cost;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (ValueId id = 0; id < count; ++id)
      for (unsigned i = 0; i < own[id].size(); ++i)
        if (double cost = treeCost(id, i); cost < total[id]) {
          total[id] = cost;
          changed = true;
        }
  }
  order.resize(count);
  for (ValueId id = 0; id < count; ++id) {
    for (unsigned i = 0; i < own[id].size(); ++i)
      if (treeCost(id, i) < infinite)
        order[id].push_back(i);
    llvm::sort(order[id], [&](unsigned a, unsigned b) {
      double x = treeCost(id, a), y = treeCost(id, b);
      return x != y ? x < y : a < b;
    });
  }
}

bool Chooser::reaches(ValueId from, ValueId to, const Choice &choice) const {
  if (from == to)
    return true;
  auto it = choice.find(from);
  if (it == choice.end())
    return false;
  return llvm::any_of(
      graph.values[from].derivations[it->second].operands,
      [&](ValueId operand) { return reaches(operand, to, choice); });
}

// What is not priced is known by what it costs at least.
void Chooser::leaveOut(const Choice &choice, const std::set<ValueId> &pending) {
  llvm::SmallVector<ValueId, 16> waiting(pending.begin(), pending.end());
  statistics.leastLeftOut =
      std::min(statistics.leastLeftOut, bound.seconds(choice, waiting));
}

void Chooser::branch(std::set<ValueId> pending, Choice &choice, double cost) {
  if (states >= options.maxStates || options.isOutOfTime()) {
    statistics.isExhaustive = false;
    return leaveOut(choice, pending);
  }
  ++states;
  double estimate = cost;
  for (ValueId value : pending)
    estimate += least[value];
  bool isFull = options.useBounds && best.size() == options.keep;
  if (isFull && estimate >= best.back().first) {
    ++statistics.byEstimate;
    return leaveOut(choice, pending);
  }
  if (pending.empty()) {
    auto place = llvm::upper_bound(best, cost, [](double c, const auto &entry) {
      return c < entry.first;
    });
    best.insert(place, {cost, choice});
    if (isFull) {
      ++statistics.byEstimate;
      leaveOut(best.back().second);
      best.pop_back();
    }
    return;
  }
  // The most expensive value first: its operands are shared most.
  ValueId value = *llvm::max_element(
      pending, [&](ValueId a, ValueId b) { return total[a] < total[b]; });
  pending.erase(value);
  for (unsigned number : order[value]) {
    const Derivation &derivation = graph.values[value].derivations[number];
    if (llvm::any_of(derivation.operands, [&](ValueId operand) {
          return reaches(operand, value, choice);
        }))
      continue;
    std::set<ValueId> next = pending;
    for (ValueId operand : derivation.operands)
      if (!choice.count(operand))
        next.insert(operand);
    choice[value] = number;
    branch(std::move(next), choice, cost + own[value][number]);
    choice.erase(value);
  }
}

std::vector<Choice> Chooser::run() {
  estimateAll();
  std::set<ValueId> pending;
  for (auto [value, scale] : graph.outputs) {
    if (total[value] == infinite)
      return {};
    pending.insert(value);
  }
  Choice choice;
  branch(std::move(pending), choice, 0);
  statistics.states += states;
  std::vector<Choice> result;
  for (auto &entry : best)
    result.push_back(std::move(entry.second));
  return result;
}

std::vector<Choice> search::chooseDerivations(const ValueGraph &graph,
                                              const ExprContext &context,
                                              const ChoiceBound &bound,
                                              const Roles &roles,
                                              const ExtractOptions &options,
                                              ExtractStatistics &statistics) {
  return Chooser(graph, context, bound, roles, options, statistics).run();
}
