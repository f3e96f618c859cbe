//===- WorkCounter.cpp - What a plan with sizes does ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WorkCounter.h"

#include "llvm/Support/MathExtras.h"

#include <set>

using namespace mirage;
using namespace mirage::search;

// An elementwise op of tiles that both have dims which the other one has not
// spreads them over the threads anew.
static constexpr double outerFactor = 16;

// Tiles are computed as wide as the power of two that covers them.
double WorkCounter::cover(LabelId label) const {
  return double(llvm::PowerOf2Ceil(plan.tiles.lookup(label)));
}

double WorkCounter::elements(llvm::ArrayRef<LabelId> labels) const {
  double count = 1;
  for (LabelId label : labels)
    count *= cover(label);
  return count;
}

// The part of a tile that lies in its tensor.
double WorkCounter::clippedElements(llvm::ArrayRef<LabelId> labels) const {
  double count = 1;
  for (LabelId label : labels)
    count *= std::min(plan.tiles.lookup(label), context.size(label));
  return count;
}

double WorkCounter::wholeElements(llvm::ArrayRef<LabelId> labels) const {
  double count = 1;
  for (LabelId label : labels)
    count *= context.size(label);
  return count;
}

bool WorkCounter::isOuter(const Step &step) const {
  return step.operands.size() == 2 &&
         plan.steps[step.operands[0]].labels.size() < step.labels.size() &&
         plan.steps[step.operands[1]].labels.size() < step.labels.size();
}

// Bytes of a tile that are consecutive in memory.
double WorkCounter::runBytes(const LabelList &labels,
                             unsigned elementBits) const {
  double bytes = elementBits / 8.0;
  for (LabelId label : llvm::reverse(labels)) {
    if (label == noLabel)
      continue;
    int64_t tile = plan.tiles.lookup(label);
    bytes *= std::min(tile, context.size(label));
    if (tile < context.size(label))
      break;
  }
  return bytes;
}

void WorkCounter::countInput(const Step &step, KernelWork &work) const {
  const SegmentTensor &tensor = graph.segment.tensors[step.derivation.symbol];
  unsigned bits = program.tensors[tensor.tensor].elementBits;
  work.loadBytes += bits / 8.0 * clippedElements(step.labels) *
                    executions(step) * wasteOfShortRows(tensor.labels, bits);
}

// The parts of a sum, and the maxima they refer to.
void WorkCounter::countParts(const Step &step, KernelWork &work) const {
  double count = parts * clippedElements(step.labels);
  unsigned bits = partialBits(step, graph);
  if (step.maximum)
    work.loadBytes += 4 * parts * clippedElements(*step.maximum);
  work.loadBytes += bits / 8.0 * count * wasteOfShortRows(step.labels, bits);
  work.vectorOps += 2 * std::max<double>(count, work.threads);
  if (isSoftmax(step))
    work.vectorOps += 2 * std::max<double>(count, work.threads);
}

void WorkCounter::countContraction(const Step &step, KernelWork &work) const {
  double flops = 2 * elements(step.work) * executions(step);
  auto shape =
      contractShape(plan.steps[step.operands[0]].labels,
                    plan.steps[step.operands[1]].labels, step.derivation.label);
  for (LabelId side : {shape->rows, shape->columns})
    if (side == noLabel)
      flops *= matrixEdge(target);
  bool isWide = graph.segment.matrixBits > 16;
  (isWide ? work.vectorOps : work.matrixFlops) += flops;
}

void WorkCounter::countSoftmax(const Step &step, KernelWork &work) const {
  const Step &scores = plan.steps[step.operands[0]];
  // One op serves all sums with these scores; the first pays for them.
  for (const Step &other : plan.steps) {
    if (&other == &step)
      break;
    if (isSoftmax(other) && other.partial < 0 &&
        other.operands[0] == step.operands[0])
      return;
  }
  double count = elements(scores.labels) * executions(step);
  work.specialOps += count;
  work.vectorOps += 6 * count;
  work.barriers += 2 * executions(step);
  if (step.derivation.rule == Rule::SoftmaxContract)
    work.sharedBytes += elements(scores.labels) * graph.segment.matrixBits / 8;
}

void WorkCounter::countStep(const Step &step, KernelWork &work) const {
  if (step.partial >= 0)
    return countParts(step, work);
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
    // What a loop accumulates is reduced across threads once, behind it.
    work.barriers += step.accumulate >= 0 ? 2 : 2 * executions(step);
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

// Whether an input is read from shared memory as fragments, and not otherwise.
bool WorkCounter::isFragmentsOnly(uint32_t number) const {
  const Step &input = plan.steps[number];
  if (!target.hasAsyncCopy || graph.segment.matrixBits > 16 || input.loop < 0 ||
      input.derivation.rule != Rule::Input)
    return false;
  return llvm::all_of(plan.steps, [&](const Step &user) {
    return isContraction(user) || !llvm::is_contained(user.operands, number);
  });
}

// 32-bit registers of all threads together that the step's result takes.
double WorkCounter::stepRegisters(uint32_t number) const {
  const Step &step = plan.steps[number];
  if (isFragmentsOnly(number))
    return 0;
  double bits = 32;
  if (step.partial >= 0)
    return elements(step.labels) * parts;
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
double WorkCounter::liveRegisters() const {
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
        live += stepRegisters(i);
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
          ending += stepRegisters(j);
      if (inPlace)
        live -= ending;
      if (isLocal(i))
        live += stepRegisters(i);
      most = std::max(most, live);
      if (!inPlace)
        live -= ending;
    }
  }
  return most;
}

// A side of a product without a label is padded.
double WorkCounter::matrixTile(LabelId label) const {
  return label == noLabel ? matrixEdge(target) : cover(label);
}

static WarpGrid alongRowsFirst(double rows, unsigned threads,
                               const TargetDescription &target) {
  double warps = std::max(1.0, threads / double(target.warpSize));
  double alongRows = std::min(warps, std::max(1.0, rows / (2 * minMatrixTile)));
  return {alongRows, std::max(1.0, warps / alongRows)};
}

WarpGrid search::warpGrid(double rows, double columns, unsigned threads,
                          const TargetDescription &target) {
  auto held = [&](WarpGrid warps) {
    return rows / warps.alongRows + columns / warps.alongColumns;
  };
  WarpGrid plain = alongRowsFirst(rows, threads, target);
  WarpGrid transposed = alongRowsFirst(columns, threads, target);
  std::swap(transposed.alongRows, transposed.alongColumns);
  return held(transposed) < held(plain) ? transposed : plain;
}

double search::matrixEdge(const TargetDescription &target) {
  return std::min(target.matrixShape.m, target.matrixShape.n);
}

// Operands of the widest contraction, as fragments: warps that share rows or
// columns hold copies.
double WorkCounter::fragmentRegisters(unsigned threads) const {
  double most = 0;
  for (const Step &step : plan.steps) {
    if (!isContraction(step))
      continue;
    auto shape = contractShape(plan.steps[step.operands[0]].labels,
                               plan.steps[step.operands[1]].labels,
                               step.derivation.label);
    double rows = matrixTile(shape->rows), columns = matrixTile(shape->columns),
           depth = std::min(matrixTile(shape->depth), maxFragmentDepth);
    double fragments;
    if (graph.segment.matrixBits > 16) {
      double side = std::sqrt(std::max(1.0, rows * columns / threads));
      fragments = 2 * side * depth;
    } else {
      WarpGrid warps = warpGrid(rows, columns, threads, target);
      fragments = (rows / warps.alongRows + columns / warps.alongColumns) *
                  depth / target.warpSize / 2;
    }
    most = std::max(most, fragments);
  }
  return most;
}

// Operands go through shared memory: what is loaded is written there once, and
// read by each warp that multiplies it, once for all products that it is part
// of. A single row is read into all rows of a fragment. An operand that was
// computed stays in registers if no other warp needs it.
std::map<uint32_t, WorkCounter::OperandUse>
WorkCounter::sharedOperands(unsigned threads) const {
  std::map<uint32_t, OperandUse> uses;
  for (const Step &step : plan.steps) {
    if (!isContraction(step) || graph.segment.matrixBits > 16)
      continue;
    auto shape = contractShape(plan.steps[step.operands[0]].labels,
                               plan.steps[step.operands[1]].labels,
                               step.derivation.label);
    WarpGrid warps = warpGrid(matrixTile(shape->rows),
                              matrixTile(shape->columns), threads, target);
    double readers[2] = {warps.alongColumns, warps.alongRows};
    LabelId sides[2] = {shape->rows, shape->columns};
    for (unsigned side : {0, 1}) {
      const Step &operand = plan.steps[step.operands[side]];
      bool isComputed = operand.derivation.rule != Rule::Input ||
                        (isSoftmax(step) && side == 0);
      if (isComputed && readers[side] == 1)
        continue;
      OperandUse &use = uses[step.operands[side]];
      double copies = sides[side] == noLabel ? matrixEdge(target) : 1;
      use.reads = std::max(use.reads, readers[side] * copies);
      use.isComputed |= isComputed;
      // What is loaded before the loop stays in registers.
      use.times = operand.loop < 0 && !isComputed ? 1 : executions(step);
    }
  }
  return uses;
}

void WorkCounter::countSharedOperands(KernelWork &work) const {
  for (auto [number, use] : sharedOperands(work.threads)) {
    double bytes =
        elements(plan.steps[number].labels) * graph.segment.matrixBits / 8;
    work.wavefronts +=
        bytes / (4 * target.sharedBanks) * use.times * (1 + use.reads);
    if (use.isComputed)
      work.barriers += use.times;
  }
}

double WorkCounter::gridBlocks() const {
  double blocks = 1;
  for (auto [label, role] : plan.roles)
    if (role == Role::Grid && !graph.segment.leaders.count(label))
      blocks *= tileCount(label);
  return blocks;
}

void WorkCounter::countUniqueLoads(KernelWork &work) const {
  std::set<uint32_t> seen;
  auto add = [&](double bytes, const LabelList &labels, unsigned bits) {
    work.uniqueLoadBytes += bytes;
    work.uniqueLoadCost += bytes * memoryWasteOfRuns(runBytes(labels, bits));
  };
  for (const Step &step : plan.steps) {
    if (step.partial >= 0) {
      unsigned bits = partialBits(step, graph);
      add(bits / 8.0 * parts * wholeElements(step.labels), step.labels, bits);
    } else if (step.derivation.rule == Rule::Input) {
      const SegmentTensor &part = graph.segment.tensors[step.derivation.symbol];
      unsigned bits = program.tensors[part.tensor].elementBits;
      if (seen.insert(part.symbol).second)
        add(part.elements() * bits / 8, part.labels, bits);
    }
  }
}

// Operands of products lie in shared memory, those that a loop loads in rings;
// several products share one.
void WorkCounter::countOperandMemory(KernelWork &work) const {
  double slotBytes = 0;
  std::set<uint32_t> seen;
  for (const Step &step : plan.steps) {
    if (!isContraction(step))
      continue;
    for (uint32_t number :
         llvm::drop_begin(step.operands, isSoftmax(step) ? 1 : 0)) {
      if (!seen.insert(number).second)
        continue;
      const Step &operand = plan.steps[number];
      bool isLoaded =
          operand.loop >= 0 && operand.derivation.rule == Rule::Input;
      (isLoaded ? slotBytes : work.sharedBytes) +=
          elements(operand.labels) * graph.segment.matrixBits / 8;
    }
  }
  LoadRing ring = ringOf(slotBytes, work, target);
  work.sharedBytes += ring.slots * slotBytes;
  work.stages = ring.inFlight;
}

void WorkCounter::countStores(KernelWork &work) const {
  for (const PlanOutput &output : plan.outputs) {
    const SegmentTensor &tensor = graph.segment.tensors[output.tensor];
    unsigned bits = program.tensors[tensor.tensor].elementBits;
    work.storeBytes += bits / 8.0 * tensor.elements() / work.blocks *
                       wasteOfShortRows(tensor.labels, bits);
  }
  auto owners = maximumOwners(plan);
  for (auto [number, partial] : llvm::enumerate(plan.partials)) {
    const LabelList &labels = plan.steps[partial].labels;
    unsigned bits = partialBits(plan.steps[partial], graph);
    work.storeBytes +=
        bits / 8.0 * clippedElements(labels) * wasteOfShortRows(labels, bits);
    if (owners[number] == number)
      work.storeBytes +=
          4 * clippedElements(maximumLabels(plan, plan.steps[partial]));
  }
}

// Matrix instructions that cover the result of a product, or its transpose.
double WorkCounter::matrixTiles(const Step &step) const {
  auto shape =
      contractShape(plan.steps[step.operands[0]].labels,
                    plan.steps[step.operands[1]].labels, step.derivation.label);
  double m = target.matrixShape.m, n = target.matrixShape.n;
  double rows = matrixTile(shape->rows), columns = matrixTile(shape->columns);
  return std::min(std::ceil(rows / m) * std::ceil(columns / n),
                  std::ceil(rows / n) * std::ceil(columns / m));
}

unsigned WorkCounter::usefulThreads() const {
  double most = 0;
  for (const Step &step : plan.steps)
    if (isContraction(step) && graph.segment.matrixBits <= 16)
      most = std::max(most, matrixTiles(step));
  return most == 0 ? target.maxThreadsPerBlock
                   : llvm::PowerOf2Ceil(uint64_t(most)) * target.warpSize;
}

std::optional<KernelWork> WorkCounter::measure(unsigned threads,
                                               double live) const {
  KernelWork work;
  work.threads = threads;
  work.blocks = gridBlocks() * plan.splits;
  double registers = live / threads + fragmentRegisters(threads);
  if (registers > maxLiveRegisters)
    return std::nullopt;
  work.registersPerThread = baseRegisters + registers;
  for (const Step &step : plan.steps)
    countStep(step, work);
  countSharedOperands(work);
  countOperandMemory(work);
  countUniqueLoads(work);
  work.rounds = 1;
  for (const PlanLoop &loop : plan.loops) {
    work.rounds += tileCount(loop.label) / plan.splits;
    work.barriers += tileCount(loop.label) / plan.splits; // of its ring
  }
  countStores(work);
  return work;
}
