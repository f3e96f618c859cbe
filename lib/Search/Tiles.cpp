//===- Tiles.cpp - Choose the sizes of a kernel ---------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Tiles of labels and the number of threads, by trying all and pricing each.

#include "mirage/Search/Extract.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <set>

using namespace mirage;
using namespace mirage::search;

// f32 values a thread may hold, beside addresses and fragments in flight.
static constexpr double maxLiveRegisters = 168;
// Registers that a thread needs for itself.
static constexpr double baseRegisters = 40;
static constexpr int64_t minMatrixTile = 16;

// An elementwise op of tiles that both have dims which the other one has not
// spreads them over the threads anew.
static constexpr double outerFactor = 16;

namespace {
class TileChooser {
public:
  TileChooser(KernelPlan &plan, const Program &program, const ValueGraph &graph,
              const ExprContext &context, const ExtractOptions &options,
              ExtractStatistics &statistics)
      : plan(plan), program(program), graph(graph), context(context),
        target(*options.target), statistics(statistics) {}

  bool run();

private:
  struct Usage {
    bool isMatrix = false, isBatch = false;
  };
  void findUsage();
  std::vector<int64_t> candidates(LabelId label) const;
  void enumerate(unsigned position);
  void tryThreads();

  double elements(llvm::ArrayRef<LabelId> labels) const {
    double count = 1;
    for (LabelId label : labels)
      count *= plan.tiles.lookup(label);
    return count;
  }
  double iterations(LabelId label) const {
    return std::ceil(double(context.size(label)) / plan.tiles.lookup(label));
  }
  double executions(const Step &step) const {
    return step.loop < 0 ? 1 : iterations(plan.loops[step.loop].label);
  }
  double wasteOfShortRows(const SegmentTensor &tensor) const;
  void countInput(const Step &step, KernelWork &work) const;
  void countContraction(const Step &step, KernelWork &work) const;
  void countSoftmax(const Step &step, KernelWork &work) const;
  void countStep(const Step &step, KernelWork &work) const;
  bool isOuter(const Step &step) const {
    return step.operands.size() == 2 &&
           plan.steps[step.operands[0]].labels.size() < step.labels.size() &&
           plan.steps[step.operands[1]].labels.size() < step.labels.size();
  }
  double liveRegisters(unsigned threads) const;
  double stepRegisters(const Step &step) const;
  double fragmentRegisters(unsigned threads) const;
  std::optional<KernelWork> measure(unsigned threads) const;

  KernelPlan &plan;
  const Program &program;
  const ValueGraph &graph;
  const ExprContext &context;
  const TargetDescription &target;
  ExtractStatistics &statistics;

  llvm::DenseMap<LabelId, Usage> usage;
  bool hasMatrix = false, hasMatrix32 = false;
  LabelList order;
  std::vector<std::vector<int64_t>> choices;
  std::optional<KernelPlan> best;
};
} // namespace

static bool isContraction(const Step &step) {
  return step.derivation.rule == Rule::Contract ||
         step.derivation.rule == Rule::SoftmaxContract;
}

static bool isSoftmax(const Step &step) {
  return step.derivation.rule == Rule::SoftmaxSum ||
         step.derivation.rule == Rule::SoftmaxContract;
}

void TileChooser::findUsage() {
  hasMatrix32 = graph.segment.matrixBits > 16;
  for (const Step &step : plan.steps) {
    if (step.derivation.rule == Rule::SoftmaxContract)
      for (LabelId label : plan.steps[step.operands[0]].labels)
        usage[label].isMatrix = true;
    if (!isContraction(step))
      continue;
    hasMatrix = true;
    auto shape = contractShape(plan.steps[step.operands[0]].labels,
                               plan.steps[step.operands[1]].labels,
                               step.derivation.label);
    for (LabelId label : {shape->rows, shape->columns, shape->depth})
      if (label != noLabel)
        usage[label].isMatrix = true;
    for (LabelId label : shape->batch)
      usage[label].isBatch = true;
  }
}

std::vector<int64_t> TileChooser::candidates(LabelId label) const {
  int64_t size = context.size(label);
  int64_t cover = llvm::PowerOf2Ceil(size);
  Usage use = usage.lookup(label);
  Role role = plan.roles.lookup(label);
  if (use.isBatch)
    return role == Role::Grid ? std::vector<int64_t>{1}
                              : std::vector<int64_t>{};
  int64_t least = use.isMatrix ? minMatrixTile : 1;
  if (role == Role::Whole)
    return {std::max(cover, least)};
  int64_t most = 4096;
  if (use.isMatrix)
    most = hasMatrix32 ? 64 : 256;
  if (role == Role::Loop) {
    most = std::min(most, cover / 2);
    least = use.isMatrix ? minMatrixTile : std::min<int64_t>(64, most);
  } else {
    most = std::min(most, std::max(cover, least));
  }
  std::vector<int64_t> result;
  for (int64_t tile = least; tile <= most; tile *= 2)
    result.push_back(tile);
  return result;
}

// Memory moves in sectors of 32 bytes, and better in lines of 128.
double TileChooser::wasteOfShortRows(const SegmentTensor &tensor) const {
  double bytes = program.tensors[tensor.tensor].elementBits / 8.0;
  for (LabelId label : llvm::reverse(tensor.labels)) {
    if (label == noLabel)
      continue;
    int64_t tile = plan.tiles.lookup(label);
    bytes *= std::min(tile, context.size(label));
    if (tile < context.size(label))
      break;
  }
  double lines = 1 + 0.15 * std::max(0.0, std::log2(128 / bytes));
  return std::max(1.0, 32 / bytes) * lines;
}

void TileChooser::countInput(const Step &step, KernelWork &work) const {
  const SegmentTensor &tensor = graph.segment.tensors[step.derivation.symbol];
  double bytes = program.tensors[tensor.tensor].elementBits / 8.0;
  for (LabelId label : step.labels)
    bytes *= std::min(plan.tiles.lookup(label), context.size(label));
  work.loadBytes += bytes * executions(step) * wasteOfShortRows(tensor);
}

void TileChooser::countContraction(const Step &step, KernelWork &work) const {
  double flops = 2 * elements(step.work) * executions(step);
  auto shape =
      contractShape(plan.steps[step.operands[0]].labels,
                    plan.steps[step.operands[1]].labels, step.derivation.label);
  for (LabelId side : {shape->rows, shape->columns})
    if (side == noLabel)
      flops *= minMatrixTile;
  bool isWide = graph.segment.matrixBits > 16;
  (isWide ? work.vectorOps : work.matrixFlops) += flops;
  unsigned first = isSoftmax(step) ? 1 : 0;
  for (unsigned i = first; i < step.operands.size(); ++i) {
    const Step &operand = plan.steps[step.operands[i]];
    double stages = operand.loop >= 0 && operand.derivation.rule == Rule::Input
                        ? work.stages
                        : 1;
    work.sharedBytes +=
        elements(operand.labels) * graph.segment.matrixBits / 8 * stages;
  }
  work.barriers += executions(step);
}

void TileChooser::countSoftmax(const Step &step, KernelWork &work) const {
  const Step &scores = plan.steps[step.operands[0]];
  // One op serves all sums with these scores; the first pays for them.
  for (const Step &other : plan.steps) {
    if (&other == &step)
      break;
    if (isSoftmax(other) && other.operands[0] == step.operands[0])
      return;
  }
  double count = elements(scores.labels) * executions(step);
  work.specialOps += count;
  work.vectorOps += 6 * count;
  work.barriers += 2 * executions(step);
  if (step.derivation.rule == Rule::SoftmaxContract)
    work.sharedBytes += elements(scores.labels) * graph.segment.matrixBits / 8;
}

void TileChooser::countStep(const Step &step, KernelWork &work) const {
  // A step keeps all threads busy, however small its tile is.
  double count =
      std::max<double>(elements(step.work), work.threads) * executions(step);
  switch (step.derivation.rule) {
  case Rule::Constant:
    return;
  case Rule::Input:
    return countInput(step, work);
  case Rule::Multiply:
  case Rule::Add:
    work.vectorOps += 2 * count * (isOuter(step) ? outerFactor : 1);
    return;
  case Rule::Power:
  case Rule::Function:
    work.specialOps += count;
    work.vectorOps += 2 * count;
    return;
  case Rule::Sum:
  case Rule::Extremum:
    work.vectorOps += 2 * count + 32 * elements(step.labels);
    work.barriers += 2 * executions(step);
    work.sharedBytes += 4 * 4 * elements(step.labels);
    return;
  case Rule::Contract:
    return countContraction(step, work);
  case Rule::SoftmaxSum:
    return countSoftmax(step, work);
  case Rule::SoftmaxContract:
    countSoftmax(step, work);
    return countContraction(step, work);
  }
}

// 32-bit registers of all threads together that the step's result takes.
double TileChooser::stepRegisters(const Step &step) const {
  double bits = 32;
  if (step.derivation.rule == Rule::Input)
    bits = program.tensors[graph.segment.tensors[step.derivation.symbol].tensor]
               .elementBits;
  return elements(step.labels) * bits / 32;
}

// When a step runs: 2 i + 1 in loop i, 2 i between the loops.
static std::vector<unsigned> findPhases(const KernelPlan &plan) {
  std::vector<unsigned> phases(plan.steps.size(), 0);
  for (auto [number, step] : llvm::enumerate(plan.steps)) {
    if (step.loop >= 0) {
      phases[number] = 2 * step.loop + 1;
      continue;
    }
    for (uint32_t operand : step.operands) {
      const Step &other = plan.steps[operand];
      unsigned known =
          other.accumulate >= 0 ? 2 * other.accumulate + 2 : phases[operand];
      phases[number] = std::max(phases[number], known);
    }
  }
  return phases;
}

// The most that lives at a time. In a phase its own values live up to their
// last use, an elementwise op takes the place of an operand that ends there;
// what a later phase uses lives to its end, and accumulators from the start of
// theirs.
double TileChooser::liveRegisters(unsigned threads) const {
  size_t count = plan.steps.size();
  std::vector<unsigned> phases = findPhases(plan), lastPhase(phases);
  std::vector<size_t> lastStep(count, 0);
  for (auto [number, step] : llvm::enumerate(plan.steps))
    for (uint32_t operand : step.operands)
      lastPhase[operand] = std::max(lastPhase[operand], phases[number]);
  for (auto [number, step] : llvm::enumerate(plan.steps))
    for (uint32_t operand : step.operands)
      if (phases[number] == lastPhase[operand])
        lastStep[operand] = number;
  double most = 0;
  for (unsigned phase = 0; phase <= 2 * plan.loops.size(); ++phase) {
    // What passes through, or is accumulated here.
    double live = 0;
    auto isLocal = [&](size_t i) {
      return phases[i] == phase && lastPhase[i] == phase &&
             plan.steps[i].accumulate < 0;
    };
    for (size_t i = 0; i < count; ++i) {
      bool passes = phases[i] < phase && lastPhase[i] >= phase;
      bool starts = phases[i] == phase && !isLocal(i);
      if (passes || starts)
        live += stepRegisters(plan.steps[i]);
    }
    most = std::max(most, live);
    for (size_t i = 0; i < count; ++i) {
      if (phases[i] != phase)
        continue;
      const Step &step = plan.steps[i];
      bool inPlace = step.derivation.label == noLabel;
      double ending = 0;
      // What a loop gets from outside is needed in its next iteration.
      for (size_t j = 0; j < i; ++j)
        if (lastPhase[j] == phase && lastStep[j] == i &&
            (isLocal(j) || phase % 2 == 0))
          ending += stepRegisters(plan.steps[j]);
      if (inPlace)
        live -= ending;
      if (isLocal(i))
        live += stepRegisters(step);
      most = std::max(most, live);
      if (!inPlace)
        live -= ending;
    }
  }
  return most / threads;
}

// Operands of the widest contraction, as fragments: warps that share rows or
// columns hold copies.
double TileChooser::fragmentRegisters(unsigned threads) const {
  double most = 0;
  for (const Step &step : plan.steps) {
    if (!isContraction(step))
      continue;
    auto shape = contractShape(plan.steps[step.operands[0]].labels,
                               plan.steps[step.operands[1]].labels,
                               step.derivation.label);
    auto tile = [&](LabelId label) {
      return label == noLabel ? double(minMatrixTile)
                              : double(plan.tiles.lookup(label));
    };
    double rows = tile(shape->rows), columns = tile(shape->columns),
           depth = tile(shape->depth);
    double fragments;
    if (graph.segment.matrixBits > 16) {
      double side = std::sqrt(std::max(1.0, rows * columns / threads));
      fragments = 2 * side * depth;
    } else {
      double warps = std::max(1.0, threads / double(target.warpSize));
      double alongRows =
          std::min(warps, std::max(1.0, rows / (2 * minMatrixTile)));
      double alongColumns = std::max(1.0, warps / alongRows);
      fragments = (rows / alongRows + columns / alongColumns) * depth /
                  target.warpSize / 2;
    }
    most = std::max(most, fragments);
  }
  return most;
}

std::optional<KernelWork> TileChooser::measure(unsigned threads) const {
  KernelWork work;
  work.threads = threads;
  for (auto [label, role] : plan.roles)
    if (role == Role::Grid)
      work.blocks *= iterations(label);
  // Operands of contractions are loaded ahead, through shared memory.
  work.stages = !hasMatrix ? 1 : target.hasAsyncCopy ? 3 : 2;
  double live = liveRegisters(threads) + fragmentRegisters(threads);
  if (live > maxLiveRegisters)
    return std::nullopt;
  work.registersPerThread = baseRegisters + live;
  std::set<TensorId> seen;
  for (const Step &step : plan.steps) {
    countStep(step, work);
    if (step.derivation.rule != Rule::Input)
      continue;
    TensorId tensor = graph.segment.tensors[step.derivation.symbol].tensor;
    if (seen.insert(tensor).second)
      work.uniqueLoadBytes += program.tensors[tensor].bytes();
  }
  work.rounds = 1;
  for (const PlanLoop &loop : plan.loops)
    work.rounds += iterations(loop.label);
  for (const PlanOutput &output : plan.outputs) {
    const SegmentTensor &tensor = graph.segment.tensors[output.tensor];
    work.storeBytes += program.tensors[tensor.tensor].bytes() / work.blocks *
                       wasteOfShortRows(tensor);
  }
  return work;
}

void TileChooser::tryThreads() {
  unsigned gridDims = 0;
  for (auto [label, role] : plan.roles)
    gridDims += role == Role::Grid && iterations(label) > 1;
  if (gridDims > 3)
    return;
  for (unsigned threads : {64u, 128u, 256u, 512u, 1024u}) {
    threads = std::max(threads, target.warpSize);
    if ((hasMatrix && (threads < 128 || threads > 256)))
      continue;
    ++statistics.tilings;
    std::optional<KernelWork> work = measure(threads);
    if (!work)
      continue;
    std::optional<KernelCost> cost = priceKernel(*work, target, true);
    if (!cost || (best && cost->seconds >= best->cost.seconds * (1 - 1e-9)))
      continue;
    plan.threads = threads;
    plan.work = *work;
    plan.cost = *cost;
    best = plan;
  }
}

void TileChooser::enumerate(unsigned position) {
  if (position == order.size())
    return tryThreads();
  for (int64_t tile : choices[position]) {
    plan.tiles[order[position]] = tile;
    enumerate(position + 1);
  }
}

bool TileChooser::run() {
  findUsage();
  size_t combinations = 1;
  for (auto [label, role] : plan.roles)
    order.push_back(label);
  llvm::sort(order);
  for (LabelId label : order) {
    choices.push_back(candidates(label));
    combinations *= choices.back().size();
  }
  // Very many labels: every other size.
  for (unsigned i = 0; combinations > 20000 && i < choices.size(); ++i) {
    std::vector<int64_t> thinned;
    for (unsigned k = 0; k < choices[i].size(); k += 2)
      thinned.push_back(choices[i][k]);
    combinations = combinations / choices[i].size() * thinned.size();
    choices[i] = std::move(thinned);
  }
  if (combinations == 0)
    return false;
  enumerate(0);
  if (!best)
    return false;
  plan = std::move(*best);
  for (LabelId label : order)
    if (plan.roles.lookup(label) == Role::Grid && iterations(label) > 1)
      plan.grid.push_back(label);
  // The largest extent along x; y and z are limited to 65535.
  llvm::sort(plan.grid, [&](LabelId a, LabelId b) {
    double x = iterations(a), y = iterations(b);
    return x != y ? x > y : a < b;
  });
  return true;
}

bool search::chooseTiles(KernelPlan &plan, const Program &program,
                         const ValueGraph &graph, const ExprContext &context,
                         const ExtractOptions &options,
                         ExtractStatistics &statistics) {
  return TileChooser(plan, program, graph, context, options, statistics).run();
}
