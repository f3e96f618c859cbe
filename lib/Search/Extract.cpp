//===- Extract.cpp - From values to a kernel ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Extract.h"

#include "llvm/ADT/STLExtras.h"

#include <set>

using namespace mirage;
using namespace mirage::search;

// Assignments of roles that are tried.
static constexpr size_t maxRoleChoices = 128;

namespace {
struct LabelChoices {
  LabelId label;
  llvm::SmallVector<Role, 3> roles;
};
} // namespace

// Blocks along a grid dim must write different parts of every result, so only
// labels of all results may be Grid. Only what is reduced needs a loop.
static std::vector<LabelChoices> roleChoices(const ValueGraph &graph,
                                             const ExprContext &context) {
  LabelList all, reduced;
  auto insert = [](LabelList &list, LabelId label) {
    if (label != noLabel && !llvm::is_contained(list, label))
      list.push_back(label);
  };
  for (const SegmentTensor &tensor : graph.segment.tensors)
    for (LabelId label : tensor.labels)
      insert(all, label);
  for (const Value &value : graph.values) {
    for (LabelId label : context.expr(value.expr).free)
      insert(all, label);
    for (const Derivation &derivation : value.derivations)
      insert(reduced, derivation.label);
  }
  llvm::sort(all);
  std::vector<LabelChoices> result;
  for (LabelId label : all) {
    bool isCommon = llvm::all_of(graph.segment.outputs, [&](uint32_t output) {
      return llvm::is_contained(graph.segment.tensors[output].labels, label);
    });
    LabelChoices &choices = result.emplace_back();
    choices.label = label;
    bool isReduced = llvm::is_contained(reduced, label);
    if (isCommon)
      choices.roles.push_back(Role::Grid);
    if (isReduced)
      choices.roles.push_back(Role::Loop);
    if (isReduced || !isCommon)
      choices.roles.push_back(Role::Whole);
  }
  return result;
}

static bool nextCombination(std::vector<unsigned> &digits,
                            const std::vector<LabelChoices> &choices) {
  for (size_t i = 0; i < digits.size(); ++i) {
    if (++digits[i] < choices[i].roles.size())
      return true;
    digits[i] = 0;
  }
  return false;
}

double KernelPlan::rank() const {
  constexpr double perStep = 0.0005, perDifference = 0.02;
  double factor = combine ? combine->rank() / combine->cost.seconds : 1;
  for (const Step &step : steps) {
    const Derivation &derivation = step.derivation;
    if (step.partial >= 0 || derivation.isWritten ||
        derivation.rule == Rule::Input || derivation.rule == Rule::Constant)
      continue;
    bool isDifference =
        derivation.rule == Rule::Add &&
        derivation.scales[0].isNegative() != derivation.scales[1].isNegative();
    factor += isDifference ? perDifference : perStep;
  }
  return seconds() * factor;
}

static void keepBest(std::vector<KernelPlan> &plans, KernelPlan plan,
                     unsigned count) {
  auto place = llvm::upper_bound(
      plans, plan.rank(),
      [](double rank, const KernelPlan &p) { return rank < p.rank(); });
  plans.insert(place, std::move(plan));
  if (plans.size() > count)
    plans.pop_back();
}

namespace {
/// Prices plans and keeps the best.
class Extraction {
public:
  Extraction(const Program &program, const ValueGraph &graph,
             const ExprContext &context, const ExtractOptions &options,
             ExtractStatistics &statistics)
      : program(program), graph(graph), context(context), options(options),
        statistics(statistics) {}

  std::vector<KernelPlan> run();

private:
  void tryChoice(const Roles &roles, const Choice &choice);
  void tryPlan(KernelPlan plan);
  bool mayGainFromSplit(const KernelPlan &plan) const;

  const Program &program;
  const ValueGraph &graph;
  const ExprContext &context;
  const ExtractOptions &options;
  ExtractStatistics &statistics;
  std::vector<KernelPlan> plans;
};
} // namespace

void Extraction::tryPlan(KernelPlan plan) {
  if (!chooseTiles(plan, program, graph, context, options, statistics))
    return;
  ++statistics.candidates;
  statistics.leastSeconds = std::min(statistics.leastSeconds, plan.seconds());
  keepBest(plans, std::move(plan), options.topK);
}

// Two kernels cost at least their launches and the bytes that any kernel needs.
bool Extraction::mayGainFromSplit(const KernelPlan &plan) const {
  if (plans.size() < options.topK || !options.useBounds)
    return true;
  const TargetDescription &target = *options.target;
  double bytes = 0;
  std::set<uint32_t> read;
  for (const Step &step : plan.steps) {
    if (step.derivation.rule != Rule::Input)
      continue;
    const SegmentTensor &part = graph.segment.tensors[step.derivation.symbol];
    if (read.insert(part.symbol).second)
      bytes += part.elements() * program.tensors[part.tensor].elementBits / 8;
  }
  double least = lowerBound(bytes, 0, target) + target.nextLaunchSeconds +
                 target.memoryLatencySeconds;
  return least < plans.back().rank();
}

void Extraction::tryChoice(const Roles &roles, const Choice &choice) {
  auto plan = schedule(graph, context, roles, choice, options);
  if (!plan) {
    ++statistics.unstaged;
    return;
  }
  KernelPlan whole = *plan;
  tryPlan(std::move(whole));
  if (!options.allowSplits)
    return;
  if (!mayGainFromSplit(*plan)) {
    ++statistics.bySplitBound;
    return;
  }
  for (KernelPlan &split : splitLoops(*plan, graph, context, choice, options))
    tryPlan(std::move(split));
}

std::vector<KernelPlan> Extraction::run() {
  std::vector<LabelChoices> choices = roleChoices(graph, context);
  std::vector<unsigned> digits(choices.size(), 0);
  size_t tried = 0;
  do {
    if (options.isOutOfTime() || ++tried > maxRoleChoices) {
      statistics.isExhaustive = false;
      break;
    }
    Roles roles;
    for (auto [choice, digit] : llvm::zip(choices, digits))
      roles[choice.label] = choice.roles[digit];
    for (const Choice &choice :
         chooseDerivations(graph, context, roles, options, statistics))
      tryChoice(roles, choice);
  } while (nextCombination(digits, choices));
  return std::move(plans);
}

std::vector<KernelPlan> search::extract(const Program &program,
                                        const ValueGraph &graph,
                                        const ExprContext &context,
                                        const ExtractOptions &options,
                                        ExtractStatistics &statistics) {
  return Extraction(program, graph, context, options, statistics).run();
}
