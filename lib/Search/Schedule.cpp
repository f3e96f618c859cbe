//===- Schedule.cpp - When each value of a kernel is computed -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Extract.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace mirage;
using namespace mirage::search;

namespace {
class Scheduler {
public:
  Scheduler(const ValueGraph &graph, const ExprContext &context,
            const Roles &roles, const Choice &choice, const Ends &ends,
            unsigned maxSteps)
      : graph(graph), context(context), roles(roles), choice(choice),
        ends(ends), maxSteps(maxSteps) {}

  std::optional<KernelPlan> run();

private:
  using LoopKey = std::pair<unsigned, LabelId>;

  const Derivation &derivationOf(ValueId value) const {
    return graph.values[value].derivations[choice.at(value)];
  }
  LabelId loopLabel(ValueId value) const;
  std::optional<unsigned> level(ValueId value);
  unsigned operandLevel(const Derivation &derivation);
  uint32_t instance(ValueId value, unsigned level);
  uint32_t partialInstance(ValueId value, unsigned number);
  int loopIndex(unsigned level, LabelId label);
  bool addOutput(unsigned number);
  void numberLoops();

  const ValueGraph &graph;
  const ExprContext &context;
  const Roles &roles;
  const Choice &choice;
  const Ends &ends;
  unsigned maxSteps;

  KernelPlan plan;
  std::map<ValueId, std::optional<unsigned>> levels;
  std::map<std::pair<ValueId, unsigned>, uint32_t> instances;
  std::map<LoopKey, int> loops;
};
} // namespace

LabelId Scheduler::loopLabel(ValueId value) const {
  for (LabelId label : context.expr(graph.values[value].expr).free)
    if (roles.lookup(label) == Role::Loop)
      return label;
  return noLabel;
}

// The number of loops, one after the other, that have to end before the value
// can be computed. Nothing for a cycle.
std::optional<unsigned> Scheduler::level(ValueId value) {
  auto [it, isNew] = levels.try_emplace(value, std::nullopt);
  if (!isNew)
    return it->second;
  if (llvm::is_contained(ends.given, value))
    return it->second = 0;
  const Derivation &derivation = derivationOf(value);
  unsigned result = 0;
  for (ValueId operand : derivation.operands) {
    std::optional<unsigned> needed = level(operand);
    if (!needed)
      return std::nullopt;
    result = std::max(result, *needed);
  }
  if (endsLoop(derivation, roles))
    ++result;
  return levels[value] = result;
}

unsigned Scheduler::operandLevel(const Derivation &derivation) {
  unsigned result = 0;
  for (ValueId operand : derivation.operands)
    result = std::max(result, *level(operand));
  return result;
}

int Scheduler::loopIndex(unsigned level, LabelId label) {
  return loops.try_emplace({level, label}, loops.size()).first->second;
}

// The step that puts the parts of a given value together.
uint32_t Scheduler::partialInstance(ValueId value, unsigned number) {
  Step step;
  step.value = value;
  step.derivation = derivationOf(value);
  step.labels = step.work = context.expr(graph.values[value].expr).free;
  step.partial = number;
  plan.steps.push_back(std::move(step));
  return instances[{value, 0}] = plan.steps.size() - 1;
}

// The step that computes `value`; in the loop of `at` if it has a loop label.
uint32_t Scheduler::instance(ValueId value, unsigned at) {
  LabelId label = loopLabel(value);
  if (label == noLabel)
    at = *level(value);
  if (auto it = instances.find({value, at}); it != instances.end())
    return it->second;
  if (auto given = llvm::find(ends.given, value); given != ends.given.end())
    return partialInstance(value, given - ends.given.begin());
  Step step;
  step.value = value;
  step.derivation = derivationOf(value);
  bool isLast = endsLoop(step.derivation, roles);
  unsigned inside = isLast ? operandLevel(step.derivation) : at;
  step.labels = context.expr(graph.values[value].expr).free;
  step.work = step.labels;
  for (ValueId operand : step.derivation.operands) {
    step.operands.push_back(instance(operand, inside));
    for (LabelId other : context.expr(graph.values[operand].expr).free)
      if (!llvm::is_contained(step.work, other))
        step.work.push_back(other);
  }
  if (isLast)
    step.loop = step.accumulate = loopIndex(inside, step.derivation.label);
  else if (label != noLabel)
    step.loop = loopIndex(at, label);
  plan.steps.push_back(std::move(step));
  return instances[{value, at}] = plan.steps.size() - 1;
}

bool Scheduler::addOutput(unsigned number) {
  auto [value, scale] = graph.outputs[number];
  std::optional<unsigned> at = level(value);
  if (!at)
    return false;
  // A dim that the value is repeated along cannot be cut by a loop.
  uint32_t tensor = graph.segment.outputs[number];
  for (LabelId label : graph.segment.tensors[tensor].labels)
    if (label != noLabel && roles.lookup(label) == Role::Loop &&
        label != loopLabel(value))
      return false;
  plan.outputs.push_back({tensor, instance(value, *at), scale});
  return true;
}

// Numbers the loops in the order in which they run.
void Scheduler::numberLoops() {
  std::vector<int> renumbered(loops.size());
  for (auto &[key, index] : loops) {
    renumbered[index] = plan.loops.size();
    plan.loops.push_back({key.second, key.first});
  }
  for (Step &step : plan.steps) {
    if (step.loop >= 0)
      step.loop = renumbered[step.loop];
    if (step.accumulate >= 0)
      step.accumulate = renumbered[step.accumulate];
  }
}

std::optional<KernelPlan> Scheduler::run() {
  plan.roles = roles;
  for (ValueId value : ends.wanted) {
    std::optional<unsigned> at = level(value);
    if (!at)
      return std::nullopt;
    plan.partials.push_back(instance(value, *at));
  }
  for (unsigned number = 0; number < graph.outputs.size(); ++number)
    if (ends.wanted.empty() && !addOutput(number))
      return std::nullopt;
  if (plan.steps.size() > maxSteps)
    return std::nullopt;
  numberLoops();
  return std::move(plan);
}

std::optional<KernelPlan>
search::schedule(const ValueGraph &graph, const ExprContext &context,
                 const Roles &roles, const Choice &choice,
                 const ExtractOptions &options, const Ends &ends) {
  return Scheduler(graph, context, roles, choice, ends, options.maxOps).run();
}
