//===- ChoiceBound.cpp - What no kernel of a choice can beat --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/ChoiceBound.h"

#include "WorkCounter.h"

using namespace mirage;
using namespace mirage::search;

ChoiceBound::ChoiceBound(const Program &program, const ValueGraph &graph,
                         const ExprContext &context,
                         const TargetDescription &target)
    : program(program), graph(graph), context(context), target(target) {
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    std::vector<StepWork> &list = steps.emplace_back();
    for (const Derivation &derivation : graph.values[id].derivations)
      list.push_back(workOf(id, derivation));
    Work &value = least.emplace_back();
    if (list.empty())
      continue;
    value = list.front().work;
    for (const StepWork &step : list) {
      value.matrix = std::min(value.matrix, step.work.matrix);
      value.vector = std::min(value.vector, step.work.vector);
      value.special = std::min(value.special, step.work.special);
      value.loads = std::min(value.loads, step.work.loads);
    }
  }
  for (uint32_t output : graph.segment.outputs) {
    const SegmentTensor &tensor = graph.segment.tensors[output];
    storeBytes += program.tensors[tensor.tensor].elementBits / 8.0 *
                  double(tensor.elements());
  }
}

double ChoiceBound::elements(llvm::ArrayRef<LabelId> labels) const {
  double count = 1;
  for (LabelId label : labels)
    count *= context.size(label);
  return count;
}

// As WorkCounter counts a step, without what depends on tiles.
ChoiceBound::StepWork ChoiceBound::workOf(ValueId value,
                                          const Derivation &derivation) const {
  StepWork step;
  Work &work = step.work;
  LabelList labels = context.expr(graph.values[value].expr).free;
  for (ValueId operand : derivation.operands)
    for (LabelId label : context.expr(graph.values[operand].expr).free)
      if (!llvm::is_contained(labels, label))
        labels.push_back(label);
  double count = elements(labels);
  bool isSoftmax = derivation.rule == Rule::SoftmaxSum ||
                   derivation.rule == Rule::SoftmaxContract;
  if (isSoftmax)
    step.scores =
        elements(context.expr(graph.values[derivation.operands[0]].expr).free);
  switch (derivation.rule) {
  case Rule::Constant:
  case Rule::SoftmaxSum:
    break;
  case Rule::Input: {
    TensorId tensor = graph.segment.tensors[derivation.symbol].tensor;
    work.loads = program.tensors[tensor].elementBits / 8.0 * count;
    break;
  }
  case Rule::Multiply:
  case Rule::Add:
  case Rule::Sum:
  case Rule::Extremum:
    work.vector = 2 * count;
    break;
  case Rule::Power:
  case Rule::Function:
    work.special = count;
    work.vector = 2 * count;
    break;
  case Rule::Contract:
  case Rule::SoftmaxContract:
    (graph.segment.matrixBits > 16 ? work.vector : work.matrix) = 2 * count;
    break;
  }
  return step;
}

void ChoiceBound::add(Work &sum, const Work &part) {
  sum.matrix += part.matrix;
  sum.vector += part.vector;
  sum.special += part.special;
  sum.loads += part.loads;
}

// One block on each multiprocessor, with as much on the way as there can be.
double ChoiceBound::price(const Work &sum, double uniqueBytes) const {
  KernelWork work;
  double blocks = target.multiprocessors;
  work.blocks = blocks;
  work.threads = target.warpSize;
  work.matrixFlops = sum.matrix / blocks;
  work.vectorOps = sum.vector / blocks;
  work.specialOps = sum.special / blocks;
  // Two kernels may each have their loads in the cache.
  work.loadBytes = std::min(sum.loads, 4 * uniqueBytes) / blocks;
  work.storeBytes = storeBytes / blocks;
  work.uniqueLoadBytes = uniqueBytes;
  work.stages = std::numeric_limits<float>::max();
  auto cost = priceKernel(work, target, /*isFirst=*/true);
  return cost ? cost->seconds : 0;
}

double ChoiceBound::seconds(const Choice &choice,
                            llvm::ArrayRef<ValueId> pending) const {
  Work sum;
  double uniqueBytes = 0;
  llvm::SmallVector<uint32_t, 8> read;
  llvm::SmallVector<ValueId, 4> scores;
  for (auto [value, number] : choice) {
    const Derivation &derivation = graph.values[value].derivations[number];
    const StepWork &step = steps[value][number];
    add(sum, step.work);
    if (derivation.rule == Rule::Input) {
      const SegmentTensor &part = graph.segment.tensors[derivation.symbol];
      if (!llvm::is_contained(read, part.symbol)) {
        read.push_back(part.symbol);
        uniqueBytes +=
            part.elements() * program.tensors[part.tensor].elementBits / 8.0;
      }
    }
    if (step.scores > 0 &&
        !llvm::is_contained(scores, derivation.operands[0])) {
      scores.push_back(derivation.operands[0]);
      sum.special += step.scores;
      sum.vector += 6 * step.scores;
    }
  }
  for (ValueId value : pending)
    add(sum, least[value]);
  return price(sum, uniqueBytes);
}
