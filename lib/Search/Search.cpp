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
#include <cmath>
#include <limits>
#include <set>
#include <thread>

using namespace mirage;
using namespace mirage::search;

ProgramSearch::ProgramSearch(Program input, const SearchOptions &options)
    : program(std::move(input)), options(options) {
  deadline = std::chrono::steady_clock::now() +
             std::chrono::microseconds(int64_t(options.timeBudget * 1e6));
}

std::shared_ptr<SegmentResult> ProgramSearch::searchSegment(Range range) const {
  auto [first, last] = range;
  auto result = std::make_shared<SegmentResult>();
  result->first = first;
  result->last = last;
  auto segment =
      makeSegment(program, first, last, result->context, result->reason);
  if (!segment)
    return result;
  SaturateOptions saturation;
  saturation.isOutOfTime = [this] { return isOutOfTime(); };
  result->graph = saturate(std::move(*segment), result->context, saturation,
                           result->reason);
  if (!result->graph)
    return result;
  ExtractOptions extraction;
  extraction.target = options.target;
  extraction.topK = options.topK;
  extraction.maxOps = options.maxBlockOps;
  extraction.allowSplits = options.maxKernels == 0;
  extraction.useBounds = options.useBounds;
  if (!options.useBounds)
    extraction.maxStates = std::numeric_limits<size_t>::max();
  extraction.isOutOfTime = [this] { return isOutOfTime(); };
  for (bool allowUnsafe : {false, true}) {
    extraction.allowUnsafe = allowUnsafe;
    result->plans = extract(program, *result->graph, result->context,
                            extraction, result->statistics);
    if (!result->plans.empty())
      break;
  }
  if (result->plans.empty())
    result->reason = "no tiling fits one kernel";
  for (auto [number, plan] : llvm::enumerate(result->plans))
    plan.number = number;
  return result;
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
    if (auto known = segment(part.first, part.second)) {
      bool hasOneResult =
          known->graph && known->graph->segment.outputs.size() == 1;
      if (known->plans.empty() && hasOneResult)
        return true;
    } else if (part.second - part.first > 1) {
      return isHopeless(part);
    }
  return false;
}

// Each segment is independent of the others: any number of threads gives the
// same results.
void ProgramSearch::searchAll(llvm::ArrayRef<Range> ranges) {
  std::vector<std::shared_ptr<SegmentResult>> results(ranges.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < ranges.size();)
      if (segments.empty() || !isOutOfTime())
        results[i] = searchSegment(ranges[i]);
  };
  std::vector<std::thread> workers;
  for (size_t i = 1; i < std::min<size_t>(options.threads, ranges.size()); ++i)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();
  stoppedEarly |= isOutOfTime();
  for (auto [range, result] : llvm::zip(ranges, results)) {
    if (result)
      segments[range] = result;
  }
}

// A small program first as a whole, then short segments before long ones: what
// a spent budget leaves out is the least likely to win.
void ProgramSearch::run() {
  unsigned count = program.numSources;
  Range whole = {0, count};
  if (count > 1 && count <= options.wholeFirst && !isHopeless(whole))
    searchAll(whole);
  for (unsigned length = 1; length <= std::min(count, options.maxSegment);
       ++length) {
    std::vector<Range> ranges;
    for (unsigned first = 0; first + length <= count; ++first) {
      Range range = {first, first + length};
      if (!segments.count(range) && !isHopeless(range))
        ranges.push_back(range);
    }
    searchAll(ranges);
  }
}

// The price of an op that the search has no kernel for: its bytes.
double ProgramSearch::priceAsItIs(unsigned source) const {
  KernelWork work;
  double written = 0;
  std::set<TensorId> made;
  for (const Op &op : program.ops) {
    if (op.source != source)
      continue;
    made.insert(op.result);
    written = program.tensors[op.result].bytes();
    for (TensorId operand : op.operands)
      if (!made.count(operand))
        work.uniqueLoadBytes += program.tensors[operand].bytes();
  }
  work.blocks = std::max(1.0, std::ceil(written / 4096));
  work.loadBytes = work.uniqueLoadBytes / work.blocks;
  work.storeBytes = written / work.blocks;
  auto cost = priceKernel(work, *options.target, true);
  return cost ? cost->seconds : 1;
}

bool ProgramSearch::isView(unsigned source) const {
  return llvm::all_of(program.ops, [&](const Op &op) {
    return op.source != source || op.isView;
  });
}

// Of the plan in use, or of the fastest one that was priced.
double ProgramSearch::secondsOf(const SegmentResult &segment,
                                bool least) const {
  return least ? segment.statistics.leastSeconds : segment.plan()->seconds();
}

Kernel ProgramSearch::asItIs(unsigned source, bool least) const {
  Kernel kernel{source, source + 1, nullptr, priceAsItIs(source)};
  if (isView(source)) {
    kernel.isView = true;
    kernel.seconds = 0;
    return kernel;
  }
  auto it = segments.find({source, source + 1});
  if (it != segments.end())
    if (it->second->plan()) {
      kernel.segment = it->second;
      kernel.seconds = secondsOf(*it->second, least);
    }
  return kernel;
}

std::vector<Kernel> ProgramSearch::baseline() const {
  std::vector<Kernel> kernels;
  for (unsigned source = 0; source < program.numSources; ++source)
    kernels.push_back(asItIs(source));
  return kernels;
}

// A kernel behind another one has a cheaper launch, but waits for the last
// stores of its predecessor.
static double savedByFollowing(const TargetDescription &target) {
  return target.firstLaunchSeconds - target.nextLaunchSeconds -
         target.memoryLatencySeconds;
}

// The time of a kernel that is not the first one.
double ProgramSearch::following(const Kernel &kernel) const {
  return kernel.isView ? 0 : kernel.seconds - savedByFollowing(*options.target);
}

// The wavefronts of shared memory are an estimate before there are layouts.
static void addCounts(KernelPlan &plan, std::optional<KernelCounts> counts,
                      const TargetDescription &target, bool isFirst) {
  plan.counts = counts;
  if (!counts)
    return;
  plan.work.wavefronts =
      (counts->sharedLoadWavefronts + counts->sharedStoreWavefronts) /
      plan.work.blocks;
  if (std::optional<KernelCost> cost = priceKernel(plan.work, target, isFirst))
    plan.cost = *cost;
}

void ProgramSearch::reprice(
    SegmentResult &segment,
    llvm::ArrayRef<std::optional<KernelCounts>> counts) {
  auto used = segment.plans.begin() + segment.current;
  assert(counts.size() == used->kernelCount() && "one count a kernel");
  addCounts(*used, counts[0], *options.target, /*isFirst=*/true);
  if (used->combine) {
    auto combine = std::make_shared<KernelPlan>(*used->combine);
    addCounts(*combine, counts[1], *options.target, /*isFirst=*/false);
    used->combine = combine;
  }
  auto place = std::upper_bound(
      used + 1, segment.plans.end(), used->rank(),
      [](double rank, const KernelPlan &plan) { return rank < plan.rank(); });
  std::rotate(used, used + 1, place);
}

double ProgramSearch::seconds(llvm::ArrayRef<Kernel> kernels) const {
  double total = 0;
  for (const Kernel &kernel : kernels)
    total += following(kernel);
  bool isEmpty =
      llvm::all_of(kernels, [](const Kernel &k) { return k.isView; });
  return isEmpty ? 0 : total + savedByFollowing(*options.target);
}

// best[k][n]: the cheapest cut of the first n sources into k kernels. Without a
// limit on kernels one row serves all k.
std::vector<Kernel> ProgramSearch::cheapestCut(bool least) const {
  unsigned count = program.numSources;
  unsigned rows = options.maxKernels == 0 ? 1 : options.maxKernels;
  constexpr double infinite = std::numeric_limits<double>::infinity();
  struct Entry {
    double seconds = infinite;
    std::optional<Kernel> last;
  };
  std::vector<std::vector<Entry>> table(rows + 1,
                                        std::vector<Entry>(count + 1));
  bool limited = options.maxKernels != 0;
  for (auto &row : table)
    row[0].seconds = 0;
  for (unsigned k = 1; k <= rows; ++k)
    for (unsigned end = 1; end <= count; ++end) {
      const auto &before = table[limited ? k - 1 : k];
      auto consider = [&](const Kernel &kernel) {
        // A view takes no kernel from a limited number.
        const auto &row = kernel.isView ? table[k] : before;
        double total = row[kernel.first].seconds + following(kernel);
        if (total < table[k][end].seconds)
          table[k][end] = {total, kernel};
      };
      // Longer segments first: at equal cost fewer kernels.
      for (unsigned first = 0; first + 1 < end; ++first)
        if (auto it = segments.find({first, end}); it != segments.end())
          if (it->second->plan())
            consider({first, end, it->second, secondsOf(*it->second, least)});
      consider(asItIs(end - 1, least));
    }
  if (table[rows][count].seconds == infinite)
    return baseline();
  std::vector<Kernel> kernels;
  for (unsigned end = count, k = rows; end > 0;) {
    kernels.push_back(*table[k][end].last);
    end = kernels.back().first;
    k -= limited && !kernels.back().isView;
  }
  std::reverse(kernels.begin(), kernels.end());
  return kernels;
}

std::vector<Kernel> ProgramSearch::cheapest() const {
  std::vector<Kernel> cut = cheapestCut(/*least=*/false), simple = baseline();
  return seconds(cut) <= seconds(simple) ? cut : simple;
}

std::string ProgramSearch::reason() const {
  auto it = segments.find({0, program.numSources});
  if (it != segments.end())
    return it->second->reason;
  for (const Op &op : program.ops)
    if (op.isOpaque)
      return "op " + std::to_string(op.source) +
             " has no rule in the search's algebra";
  return "the program has " + std::to_string(program.numSources) +
         " ops, more than are tried as one kernel";
}

double ProgramSearch::lowerBoundSeconds() const {
  double bytes = 0, flops = 0;
  std::set<TensorId> read;
  for (TensorId output : program.outputs)
    bytes += program.tensors[output].bytes();
  for (const Op &op : program.ops)
    read.insert(op.operands.begin(), op.operands.end());
  for (TensorId input : program.inputs)
    if (read.count(input))
      bytes += program.tensors[input].bytes();
  return lowerBound(bytes, flops, *options.target);
}

static void add(ExtractStatistics &sum, const ExtractStatistics &part) {
  sum.states += part.states;
  sum.candidates += part.candidates;
  sum.tilings += part.tilings;
  sum.byEstimate += part.byEstimate;
  sum.unstaged += part.unstaged;
  sum.bySplitBound += part.bySplitBound;
  sum.tooManyRegisters += part.tooManyRegisters;
  sum.tooLarge += part.tooLarge;
  sum.slower += part.slower;
  sum.isExhaustive &= part.isExhaustive;
}

ProgramSearch::Totals ProgramSearch::totals() const {
  Totals totals;
  totals.extraction.isExhaustive = !stoppedEarly;
  for (const auto &entry : segments) {
    const SegmentResult &segment = *entry.second;
    add(totals.extraction, segment.statistics);
    if (!segment.graph)
      continue;
    totals.extraction.isExhaustive &= segment.graph->isComplete;
    totals.values += segment.graph->values.size();
    totals.derivations += segment.graph->numDerivations;
    totals.useless += segment.graph->rejected;
  }
  return totals;
}

// Where the search was not exhaustive, the bytes that every program moves are
// what is sure.
double ProgramSearch::optimalityGap(llvm::ArrayRef<Kernel> kernels) const {
  double bound = lowerBoundSeconds(), found = seconds(kernels);
  bool isRejected = llvm::any_of(
      segments, [](const auto &entry) { return entry.second->current != 0; });
  bool isWhole = program.numSources <= options.maxSegment;
  if (totals().extraction.isOptimal() && isWhole && !isRejected)
    bound = seconds(cheapestCut(/*least=*/true));
  if (bound <= 0)
    return 0;
  return std::max(0.0, found / bound - 1);
}
