//===- Split.cpp - Blocks that share a loop -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// From one kernel with a loop to two: the first ends where the accumulators of
// the loop end, the second begins there. Nothing else changes, so every choice
// of derivations with a loop has its split form.

#include "mirage/Search/Extract.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::search;

// The values that the first loops leave, in the order of their steps. Nothing
// if not all first loops run over one label.
static std::vector<ValueId> firstSums(const KernelPlan &plan) {
  std::vector<ValueId> values;
  LabelId label = noLabel;
  for (const Step &step : plan.steps) {
    if (step.accumulate < 0 || plan.loops[step.accumulate].level != 0)
      continue;
    if (label == noLabel)
      label = step.derivation.label;
    if (step.derivation.label != label)
      return {};
    values.push_back(step.value);
  }
  return values;
}

namespace {
class LoopSplitter {
public:
  LoopSplitter(const KernelPlan &plan, const ValueGraph &graph,
               const ExprContext &context, const Choice &choice,
               const ExtractOptions &options)
      : plan(plan), graph(graph), context(context), choice(choice),
        options(options) {}

  std::vector<KernelPlan> run();

private:
  bool isCutBy(ValueId value, LabelId label) const {
    return graph.segment.isCutBy(context.expr(graph.values[value].expr).free,
                                 label);
  }
  void dropUnused(KernelPlan &part) const;
  void cutWhatIsFree(KernelPlan &part) const;
  std::optional<KernelPlan> planSecond(const Roles &roles,
                                       std::vector<ValueId> &sums) const;
  std::optional<KernelPlan> planFirst(const std::vector<ValueId> &sums) const;
  void split(std::vector<ValueId> sums, Role role,
             std::vector<KernelPlan> &result) const;

  const KernelPlan &plan;
  const ValueGraph &graph;
  const ExprContext &context;
  const Choice &choice;
  const ExtractOptions &options;
};
} // namespace

// Roles of labels that only the other kernel has.
void LoopSplitter::dropUnused(KernelPlan &part) const {
  llvm::SmallVector<LabelId> unused;
  for (auto [label, role] : part.roles) {
    bool isUsed = llvm::any_of(part.steps, [&, wanted = label](const Step &s) {
      return graph.segment.isCutBy(s.work, wanted);
    });
    for (const PlanOutput &output : part.outputs)
      isUsed |= graph.segment.isCutBy(
          graph.segment.tensors[output.tensor].labels, label);
    if (!isUsed)
      unused.push_back(label);
  }
  for (LabelId label : unused)
    part.roles.erase(label);
}

// What only the first kernel reduces may cut the blocks of the second.
void LoopSplitter::cutWhatIsFree(KernelPlan &part) const {
  for (auto &[label, role] : part.roles) {
    bool isReduced = llvm::any_of(part.steps, [&, l = label](const Step &step) {
      return step.partial < 0 &&
             graph.segment.isCutBy({step.derivation.label}, l);
    });
    if (role == Role::Whole && !isReduced &&
        graph.segment.areOutputsCutBy(label))
      role = Role::Grid;
  }
  followLeaders(part.roles, graph.segment);
}

// The kernel behind the sums. It keeps of them those that it reads.
std::optional<KernelPlan>
LoopSplitter::planSecond(const Roles &roles, std::vector<ValueId> &sums) const {
  auto part = schedule(graph, context, roles, choice, options, {sums, {}});
  if (!part)
    return std::nullopt;
  std::vector<ValueId> used;
  for (Step &step : part->steps) {
    if (step.partial >= 0) {
      used.push_back(step.value);
      step.partial = used.size() - 1;
    } else if (step.derivation.label != noLabel &&
               roles.lookup(step.derivation.label) == Role::Grid) {
      return std::nullopt; // a sum over a grid label: only a part of it
    }
  }
  sums = std::move(used);
  dropUnused(*part);
  cutWhatIsFree(*part);
  return part;
}

// The kernel up to the sums. What cuts its blocks has to cut all results.
std::optional<KernelPlan>
LoopSplitter::planFirst(const std::vector<ValueId> &sums) const {
  Roles roles = plan.roles;
  for (auto &[label, role] : roles)
    if (role == Role::Grid && !llvm::all_of(sums, [&, l = label](ValueId sum) {
          return isCutBy(sum, l);
        }))
      role = Role::Whole;
  auto part = schedule(graph, context, roles, choice, options, {{}, sums});
  if (!part || part->loops.size() != 1)
    return std::nullopt;
  dropUnused(*part);
  return part;
}

void LoopSplitter::split(std::vector<ValueId> sums, Role role,
                         std::vector<KernelPlan> &result) const {
  Roles roles = plan.roles;
  roles[plan.loops.front().label] = role;
  followLeaders(roles, graph.segment);
  auto second = planSecond(roles, sums);
  if (!second || sums.empty())
    return;
  auto first = planFirst(sums);
  if (!first)
    return;
  auto owners = maximumOwners(*first);
  for (Step &step : second->steps)
    if (step.partial >= 0 && owners[step.partial] == step.partial)
      step.maximum =
          maximumLabels(*first, first->steps[first->partials[step.partial]]);
  first->combine = std::make_shared<const KernelPlan>(std::move(*second));
  result.push_back(std::move(*first));
}

std::vector<KernelPlan> LoopSplitter::run() {
  std::vector<KernelPlan> result;
  std::vector<ValueId> all = firstSums(plan);
  if (all.empty())
    return result;
  // Sums that all blocks along a grid dim compute alike may also be left to the
  // second kernel.
  std::vector<ValueId> full;
  llvm::copy_if(all, std::back_inserter(full), [&](ValueId sum) {
    return llvm::all_of(plan.roles, [&](auto entry) {
      return entry.second != Role::Grid || isCutBy(sum, entry.first);
    });
  });
  for (Role role : {Role::Loop, Role::Grid}) {
    if (role == Role::Grid &&
        !graph.segment.areOutputsCutBy(plan.loops.front().label))
      continue;
    split(all, role, result);
    if (full.size() < all.size())
      split(full, role, result);
  }
  return result;
}

std::vector<KernelPlan> search::splitLoops(const KernelPlan &plan,
                                           const ValueGraph &graph,
                                           const ExprContext &context,
                                           const Choice &choice,
                                           const ExtractOptions &options) {
  return LoopSplitter(plan, graph, context, choice, options).run();
}

LabelList search::maximumLabels(const KernelPlan &plan, const Step &step) {
  LabelList labels;
  for (LabelId label : plan.steps[step.operands[0]].labels)
    if (label != step.derivation.label)
      labels.push_back(label);
  return labels;
}

unsigned search::partialBits(const Step &step, const ValueGraph &graph) {
  return step.derivation.rule == Rule::SoftmaxContract
             ? std::min(32u, graph.segment.matrixBits)
             : 32;
}

std::vector<std::optional<unsigned>>
search::maximumOwners(const KernelPlan &plan) {
  std::vector<std::optional<unsigned>> owners;
  for (unsigned i = 0; i < plan.partials.size(); ++i) {
    const Step &step = plan.steps[plan.partials[i]];
    std::optional<unsigned> &owner = owners.emplace_back();
    if (!isSoftmax(step))
      continue;
    owner = i;
    for (unsigned j = 0; j < i && *owner == i; ++j) {
      const Step &other = plan.steps[plan.partials[j]];
      if (isSoftmax(other) && other.operands[0] == step.operands[0] &&
          other.derivation.scales[0] == step.derivation.scales[0])
        owner = j;
    }
  }
  return owners;
}
