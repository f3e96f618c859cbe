//===- Extract.cpp - From values to a kernel ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/ChoiceBound.h"

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
// The dim of parts that are put side by side is neither cut nor looped over.
static std::vector<LabelChoices> roleChoices(const Program &program,
                                             const ValueGraph &graph,
                                             const ExprContext &context) {
  LabelList all, reduced, whole;
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
  for (uint32_t output : graph.segment.outputs) {
    const SegmentTensor &tensor = graph.segment.tensors[output];
    if (auto dim = tensor.cutDim(program))
      insert(whole, tensor.labels[*dim]);
  }
  std::vector<LabelChoices> result;
  for (LabelId label : all) {
    if (graph.segment.leaders.count(label))
      continue;
    bool isCommon = graph.segment.areOutputsCutBy(label);
    LabelChoices &choices = result.emplace_back();
    choices.label = label;
    bool isReduced = llvm::is_contained(reduced, label);
    if (llvm::is_contained(whole, graph.segment.gridLabel(label))) {
      choices.roles.push_back(Role::Whole);
      continue;
    }
    if (isCommon)
      choices.roles.push_back(Role::Grid);
    if (isReduced)
      choices.roles.push_back(Role::Loop);
    if (isReduced || !isCommon)
      choices.roles.push_back(Role::Whole);
  }
  return result;
}

static size_t countRoles(llvm::ArrayRef<LabelChoices> choices) {
  size_t count = 1;
  for (const LabelChoices &choice : choices)
    count = std::min(count * choice.roles.size(), maxRoleChoices + 1);
  return count;
}

// The digits of `number` are the roles of the labels, the first one's lowest.
static Roles rolesOf(llvm::ArrayRef<LabelChoices> choices, size_t number,
                     const Segment &segment) {
  Roles roles;
  for (const LabelChoices &choice : choices) {
    roles[choice.label] = choice.roles[number % choice.roles.size()];
    number /= choice.roles.size();
  }
  for (auto [label, leader] : segment.leaders)
    roles[label] = Role::Whole;
  followLeaders(roles, segment);
  return roles;
}

double KernelPlan::rank() const {
  constexpr double perStep = 0.0005, perDifference = 0.02, perSplit = 0.03;
  double factor =
      combine ? combine->rank() / combine->cost.seconds + perSplit : 1;
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
class Extractor {
public:
  Extractor(const Program &program, const ValueGraph &graph,
            const ExprContext &context, const ExtractOptions &options,
            Extraction &extraction, llvm::function_ref<void()> onChoice)
      : program(program), graph(graph), context(context), options(options),
        extraction(extraction), onChoice(onChoice),
        bound(program, graph, context, *options.target),
        labels(roleChoices(program, graph, context)) {}

  std::vector<KernelPlan> run();

private:
  bool restore();
  std::optional<KernelPlan> build(PlanOrigin origin);
  bool tryRoles();
  void finishRoles();
  void tryChoice(const Roles &roles, const Choice &choice);
  void tryPlan(KernelPlan plan, size_t form);
  bool mayGainFromSplit(const KernelPlan &plan) const;
  void keepAll();
  void leaveOut(const Choice &choice) {
    statistics.leastLeftOut =
        std::min(statistics.leastLeftOut, bound.seconds(choice));
  }

  const Program &program;
  const ValueGraph &graph;
  const ExprContext &context;
  ExtractOptions options;
  Extraction &extraction;
  llvm::function_ref<void()> onChoice;
  ChoiceBound bound;
  std::vector<LabelChoices> labels;
  ExtractStatistics statistics; ///< in advance of those of `extraction`.
  std::vector<KernelPlan> plans;
};
} // namespace

void Extractor::tryPlan(KernelPlan plan, size_t form) {
  if (!chooseTiles(plan, program, graph, context, options, statistics))
    return;
  ++statistics.candidates;
  statistics.leastSeconds = std::min(statistics.leastSeconds, plan.seconds());
  plan.origin = {extraction.roles, extraction.choice, form};
  keepBest(plans, std::move(plan), options.topK);
}

// Two kernels cost at least their launches and the bytes that any kernel needs.
bool Extractor::mayGainFromSplit(const KernelPlan &plan) const {
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

void Extractor::tryChoice(const Roles &roles, const Choice &choice) {
  auto plan = schedule(graph, context, roles, choice, options);
  if (!plan) {
    ++statistics.unstaged;
    return;
  }
  tryPlan(*plan, 0);
  if (!options.allowSplits)
    return;
  if (!mayGainFromSplit(*plan)) {
    ++statistics.bySplitBound;
    return;
  }
  size_t form = 0;
  for (KernelPlan &split : splitLoops(*plan, graph, context, choice, options))
    tryPlan(std::move(split), ++form);
}

// What is known now is what another run starts from.
void Extractor::keepAll() {
  extraction.statistics = statistics;
  extraction.kept.clear();
  for (const KernelPlan &plan : plans)
    extraction.kept.push_back({plan.origin, plan.seconds()});
}

// All choices for one assignment of roles; false if there is no time for them.
bool Extractor::tryRoles() {
  if (options.isOutOfTime())
    return false;
  Roles roles = rolesOf(labels, extraction.roles, graph.segment);
  ExtractStatistics known = statistics;
  std::vector<Choice> choices =
      chooseDerivations(graph, context, bound, roles, options, statistics);
  if (extraction.choice != 0)
    statistics = known; // counted before the extraction was stopped
  while (extraction.choice < choices.size()) {
    if (options.isOutOfTime())
      return false;
    const Choice &choice = choices[extraction.choice];
    size_t thinned = statistics.thinned;
    tryChoice(roles, choice);
    if (statistics.thinned != thinned)
      leaveOut(choice);
    ++extraction.choice;
    keepAll();
    onChoice();
  }
  // A list that is cut short by time is not gone through.
  if (options.isOutOfTime() && choices.empty())
    return false;
  finishRoles();
  return true;
}

// On to the next roles. Behind the last ones it is over, unless nothing was
// found: then once more, with what is not safe.
void Extractor::finishRoles() {
  size_t count = countRoles(labels);
  extraction.choice = 0;
  if (++extraction.roles == std::min(count, maxRoleChoices)) {
    if (count > maxRoleChoices) {
      statistics.isExhaustive = false;
      leaveOut({});
    }
    extraction.isDone = !plans.empty() || extraction.allowUnsafe;
    if (!extraction.isDone)
      extraction.allowUnsafe = options.allowUnsafe = true;
    extraction.roles = 0;
  }
  keepAll();
  onChoice();
}

std::optional<KernelPlan> Extractor::build(PlanOrigin origin) {
  ExtractStatistics ignored;
  ExtractOptions patient = options;
  patient.isOutOfTime = [] { return false; };
  if (origin.roles >= std::min(countRoles(labels), maxRoleChoices))
    return std::nullopt;
  Roles roles = rolesOf(labels, origin.roles, graph.segment);
  std::vector<Choice> choices =
      chooseDerivations(graph, context, bound, roles, patient, ignored);
  if (origin.choice >= choices.size())
    return std::nullopt;
  const Choice &choice = choices[origin.choice];
  auto plan = schedule(graph, context, roles, choice, patient);
  if (plan && origin.form > 0) {
    auto forms = splitLoops(*plan, graph, context, choice, patient);
    if (origin.form > forms.size())
      return std::nullopt;
    plan = std::move(forms[origin.form - 1]);
  }
  if (!plan || !chooseTiles(*plan, program, graph, context, patient, ignored))
    return std::nullopt;
  plan->origin = origin;
  return plan;
}

// Builds the plans that were kept; false if they are not what they were.
bool Extractor::restore() {
  options.allowUnsafe = extraction.allowUnsafe;
  statistics = extraction.statistics;
  for (const Extraction::Kept &kept : extraction.kept) {
    std::optional<KernelPlan> plan = build(kept.origin);
    if (!plan || plan->seconds() != kept.seconds)
      return false;
    plans.push_back(std::move(*plan));
  }
  return true;
}

std::vector<KernelPlan> Extractor::run() {
  if (!restore()) {
    plans.clear();
    extraction = {};
    restore();
  }
  while (!extraction.isDone && tryRoles()) {
  }
  return std::move(plans);
}

std::vector<KernelPlan>
search::extract(const Program &program, const ValueGraph &graph,
                const ExprContext &context, const ExtractOptions &options,
                Extraction &extraction, llvm::function_ref<void()> onChoice) {
  return Extractor(program, graph, context, options, extraction, onChoice)
      .run();
}
