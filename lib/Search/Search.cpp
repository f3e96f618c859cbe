//===- Search.cpp - Find a faster program ---------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Search.h"

#include "llvm/ADT/STLExtras.h"

#include <atomic>
#include <limits>
#include <thread>

using namespace mirage;
using namespace mirage::search;

ProgramSearch::ProgramSearch(Program input, const SearchOptions &options,
                             const SearchState &state)
    : program(std::move(input)), options(options) {
  deadline = std::chrono::steady_clock::now() +
             std::chrono::microseconds(int64_t(options.timeBudget * 1e6));
  mayStop = !options.observer || !options.observer->keepsState();
  for (const SegmentRecord &record : state.segments) {
    Range range = {record.first, record.last};
    segments[range] = std::make_shared<SegmentResult>();
    segments[range]->record = records[range] = record;
  }
}

bool ProgramSearch::importSegment(SegmentResult &result,
                                  std::function<bool()> isOutOfTime) const {
  SegmentRecord &record = result.record;
  auto segment = makeSegment(program, record.first, record.last, result.context,
                             record.reason);
  if (!segment)
    return false;
  SaturateOptions saturation;
  saturation.testUsefulness = options.testUsefulness;
  saturation.isOutOfTime = std::move(isOutOfTime);
  result.graph =
      saturate(std::move(*segment), result.context, saturation, record.reason);
  if (!result.graph)
    return false;
  record.results = result.graph->segment.outputs.size();
  record.values = result.graph->values.size();
  record.derivations = result.graph->numDerivations;
  record.useless = result.graph->rejected;
  record.isSaturated = result.graph->isComplete;
  return true;
}

void ProgramSearch::extractFrom(SegmentResult &result,
                                std::function<bool()> isOutOfTime,
                                llvm::function_ref<void()> onChoice) const {
  ExtractOptions extraction;
  extraction.target = options.target;
  extraction.topK = options.topK;
  extraction.maxOps = options.maxBlockOps;
  extraction.allowSplits = options.maxKernels == 0;
  extraction.useBounds = options.useBounds;
  if (!options.useBounds)
    extraction.maxStates = std::numeric_limits<size_t>::max();
  extraction.isOutOfTime = std::move(isOutOfTime);
  result.plans = extract(program, *result.graph, result.context, extraction,
                         result.record.extraction, onChoice);
}

void ProgramSearch::searchSegment(SegmentResult &result) {
  SegmentRecord &record = result.record;
  auto isOutOfTime = [this] { return this->isOutOfTime(); };
  if (!importSegment(result, isOutOfTime)) {
    record.extraction.isDone = true;
    return keep(record);
  }
  // Values that are missing for want of time are no state to go on from.
  if (isOutOfTime())
    return;
  extractFrom(result, isOutOfTime, [&] { keep(record); });
  if (record.extraction.isDone && result.plans.empty())
    record.reason = "no tiling fits one kernel";
  keep(record);
}

// Makes a record known.
void ProgramSearch::keep(const SegmentRecord &record) {
  mayStop = true;
  if (!options.observer)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  records[{record.first, record.last}] = record;
  options.observer->onStep(*this);
}

SearchState ProgramSearch::state() const {
  SearchState state;
  for (const auto &entry : records)
    state.segments.push_back(entry.second);
  return state;
}

// Plans of segments that are only known by their records; false if one of them
// is not what its record says.
bool ProgramSearch::load(llvm::ArrayRef<Kernel> kernels) const {
  bool isKnown = true;
  for (const Kernel &kernel : kernels) {
    if (!kernel.segment || kernel.segment->graph)
      continue;
    SegmentResult &result = *kernel.segment;
    auto patient = [] { return false; };
    size_t count = result.record.extraction.kept.size();
    if (importSegment(result, patient))
      extractFrom(result, patient, [] {});
    else
      result.record.extraction.kept.clear();
    isKnown &= result.plans.size() == count &&
               result.plan()->seconds() == kernel.seconds;
  }
  return isKnown;
}

std::vector<Kernel> ProgramSearch::cheapest() {
  std::vector<Kernel> kernels;
  do
    kernels = cheapestCut([&](Range r) { return priceInUse(r); });
  while (!load(kernels));
  std::vector<Kernel> simple = baseline();
  return seconds(kernels) <= seconds(simple) ? kernels : simple;
}

std::vector<Kernel> ProgramSearch::baseline() {
  std::vector<Kernel> kernels;
  do
    kernels = singleOps();
  while (!load(kernels));
  return kernels;
}

// A segment with one result for which no kernel fits has none with more ops
// around it either; nor has one with an opaque op.
bool ProgramSearch::isHopeless(Range range) const {
  if (range.second - range.first == 1)
    return false;
  for (const Op &op : program.ops)
    if (op.isOpaque && op.source >= range.first && op.source < range.second)
      return true;
  for (Range part : {Range{range.first, range.second - 1},
                     Range{range.first + 1, range.second}})
    if (isDone(part)) {
      const SegmentRecord &known = segments.at(part)->record;
      if (known.extraction.kept.empty() && known.results == 1)
        return true;
    } else if (part.second - part.first > 1) {
      return isHopeless(part);
    }
  return false;
}

// Each segment is independent of the others: any number of threads gives the
// same results.
void ProgramSearch::searchAll(llvm::ArrayRef<Range> ranges) {
  std::vector<std::shared_ptr<SegmentResult>> results;
  for (Range range : ranges) {
    results.push_back(segment(range.first, range.second));
    if (!results.back())
      results.back() = std::make_shared<SegmentResult>();
    std::tie(results.back()->record.first, results.back()->record.last) = range;
  }
  bool mustSearch = segments.empty();
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < ranges.size();)
      if (mustSearch || !isOutOfTime())
        searchSegment(*results[i]);
  };
  std::vector<std::thread> workers;
  for (size_t i = 1; i < std::min<size_t>(options.threads, ranges.size()); ++i)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();
  for (auto [range, result] : llvm::zip(ranges, results)) {
    segments[range] = result;
    stoppedEarly |= !result->record.extraction.isDone;
  }
  bestSeconds = seconds(cheapestCut([&](Range r) { return priceInUse(r); }));
}

// A small program first as a whole, then short segments before long ones: what
// a spent budget leaves out is the least likely to win.
void ProgramSearch::run() {
  unsigned count = program.numSources;
  if (options.observer)
    options.observer->onStage("searching");
  Range whole = {0, count};
  if (count > 1 && count <= options.wholeFirst && !isDone(whole) &&
      !isHopeless(whole))
    searchAll(whole);
  for (unsigned length = 1; length <= std::min(count, options.maxSegment);
       ++length) {
    std::vector<Range> ranges;
    for (unsigned first = 0; first + length <= count; ++first) {
      Range range = {first, first + length};
      if (!isDone(range) && !isHopeless(range))
        ranges.push_back(range);
    }
    searchAll(ranges);
  }
  if (options.observer)
    options.observer->onEnd(*this);
}

// The wavefronts of shared memory are an estimate before there are layouts.
static void addCounts(KernelPlan &plan, std::optional<KernelCounts> counts,
                      const TargetDescription &target, bool isFirst) {
  plan.counts = counts;
  if (!counts)
    return;
  plan.work.wavefronts = counts->sharedWavefronts() / plan.work.blocks;
  if (std::optional<KernelCost> cost = priceKernel(plan.work, target, isFirst))
    plan.cost = *cost;
}

unsigned SegmentResult::bestWithout(const std::set<unsigned> &excluded) const {
  unsigned best = plans.size();
  for (unsigned number = 0; number < plans.size(); ++number)
    if (!excluded.count(number) &&
        (best == plans.size() || plans[number].rank() < plans[best].rank()))
      best = number;
  return best;
}

const KernelPlan *SegmentResult::runnerUp() const {
  std::set<unsigned> others = rejected;
  others.insert(current);
  unsigned number = bestWithout(others);
  return number < plans.size() ? &plans[number] : nullptr;
}

void ProgramSearch::reject(SegmentResult &segment) {
  segment.rejected.insert(segment.current);
  segment.current = segment.bestWithout(segment.rejected);
}

void ProgramSearch::reprice(
    SegmentResult &segment,
    llvm::ArrayRef<std::optional<KernelCounts>> counts) {
  KernelPlan &used = segment.plans[segment.current];
  assert(counts.size() == used.kernelCount() && "one count a kernel");
  addCounts(used, counts[0], *options.target, /*isFirst=*/true);
  if (used.combine) {
    auto combine = std::make_shared<KernelPlan>(*used.combine);
    addCounts(*combine, counts[1], *options.target, /*isFirst=*/false);
    used.combine = combine;
  }
  double &least = segment.record.extraction.statistics.leastSeconds;
  least = std::min(least, used.seconds());
  segment.current = segment.bestWithout(segment.rejected);
}
