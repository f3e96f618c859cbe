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

static constexpr double infinite = std::numeric_limits<double>::infinity();

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

// Of the plan in use.
double ProgramSearch::priceInUse(Range range) const {
  auto known = segment(range.first, range.second);
  if (!known || !known->hasPlan())
    return infinite;
  // A plan that was lowered has another price than its record.
  return known->plan() ? known->plan()->seconds()
                       : known->record.extraction.kept[known->current].seconds;
}

// The bytes that ops have to read of tensors that are not in `made`: where a
// tensor is only read in parts, those of the largest one.
static double bytesRead(const Program &program, llvm::ArrayRef<const Op *> ops,
                        const std::set<TensorId> &made) {
  std::map<TensorId, double> read;
  for (const Op *op : ops)
    for (TensorId operand : op->operands) {
      TensorId part = op->isSlice() ? op->result : operand;
      double &bytes = read[operand];
      bytes = std::max(bytes, program.tensors[part].bytes());
    }
  double total = 0;
  for (auto [tensor, bytes] : read)
    total += made.count(tensor) ? 0 : bytes;
  return total;
}

// What the sources have to move if they are one kernel.
double ProgramSearch::boundOfBytes(Range range) const {
  std::set<TensorId> made,
      wanted(program.outputs.begin(), program.outputs.end());
  llvm::SmallVector<const Op *> inside;
  for (const Op &op : program.ops) {
    if (op.source < range.first || op.source >= range.second) {
      wanted.insert(op.operands.begin(), op.operands.end());
      continue;
    }
    made.insert(op.result);
    inside.push_back(&op);
  }
  double bytes = bytesRead(program, inside, made);
  for (TensorId tensor : made)
    bytes += wanted.count(tensor) ? program.tensors[tensor].bytes() : 0;
  return lowerBound(bytes, /*matrixFlops=*/0, *options.target);
}

// The fastest that was priced or left out.
double ProgramSearch::leastPrice(Range range) const {
  if (!isDone(range))
    return isHopeless(range) ? infinite : boundOfBytes(range);
  if (!segments.at(range)->record.isSaturated)
    return boundOfBytes(range);
  const ExtractStatistics &statistics =
      segments.at(range)->record.extraction.statistics;
  return std::min(statistics.leastSeconds, statistics.leastLeftOut);
}

Kernel ProgramSearch::asItIs(unsigned source, Price price) const {
  Kernel kernel{source, source + 1, nullptr, price({source, source + 1})};
  if (isView(source)) {
    kernel.isView = true;
    kernel.seconds = 0;
  } else if (kernel.seconds != infinite) {
    kernel.segment = segment(source, source + 1);
  } else {
    kernel.seconds = priceAsItIs(source);
  }
  return kernel;
}

std::vector<Kernel> ProgramSearch::singleOps() const {
  std::vector<Kernel> kernels;
  for (unsigned source = 0; source < program.numSources; ++source)
    kernels.push_back(asItIs(source, [&](Range r) { return priceInUse(r); }));
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
std::vector<Kernel> ProgramSearch::cheapestCut(Price price) const {
  unsigned count = program.numSources;
  unsigned rows = options.maxKernels == 0 ? 1 : options.maxKernels;
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
        if (double cost = price({first, end}); cost != infinite)
          consider({first, end, segment(first, end), cost});
      consider(asItIs(end - 1, price));
    }
  if (table[rows][count].seconds == infinite)
    return singleOps();
  std::vector<Kernel> kernels;
  for (unsigned end = count, k = rows; end > 0;) {
    kernels.push_back(*table[k][end].last);
    end = kernels.back().first;
    k -= limited && !kernels.back().isView;
  }
  std::reverse(kernels.begin(), kernels.end());
  return kernels;
}

std::string ProgramSearch::reason() const {
  auto it = segments.find({0, program.numSources});
  if (it != segments.end())
    return it->second->record.reason;
  for (const Op &op : program.ops)
    if (op.isOpaque)
      return "op " + std::to_string(op.source) +
             " has no rule in the search's algebra";
  return "the program has " + std::to_string(program.numSources) +
         " ops, more than are tried as one kernel";
}

double ProgramSearch::lowerBoundSeconds() const {
  std::set<TensorId> made;
  llvm::SmallVector<const Op *> ops;
  for (const Op &op : program.ops) {
    made.insert(op.result);
    ops.push_back(&op);
  }
  double bytes = bytesRead(program, ops, made);
  for (TensorId output : program.outputs)
    bytes += program.tensors[output].bytes();
  return lowerBound(bytes, /*matrixFlops=*/0, *options.target);
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
  sum.thinned += part.thinned;
  sum.isExhaustive &= part.isExhaustive;
}

ProgramSearch::Totals ProgramSearch::totals() const {
  Totals totals;
  totals.extraction.isExhaustive = !stoppedEarly;
  for (const auto &entry : segments) {
    const SegmentRecord &record = entry.second->record;
    add(totals.extraction, record.extraction.statistics);
    totals.extraction.isExhaustive &= record.isSaturated;
    totals.values += record.values;
    totals.derivations += record.derivations;
    totals.useless += record.useless;
  }
  return totals;
}

SearchProgress ProgramSearch::progress() const {
  SearchProgress progress;
  progress.bestSeconds = bestSeconds;
  for (const auto &[range, record] : records) {
    const ExtractStatistics &statistics = record.extraction.statistics;
    progress.values += record.values;
    progress.derivations += record.derivations;
    progress.states += statistics.states + statistics.tilings;
    if (range != Range{0, program.numSources} || record.extraction.kept.empty())
      continue;
    double whole = record.extraction.kept.front().seconds;
    if (!bestSeconds || whole < *bestSeconds)
      progress.bestSeconds = whole;
  }
  return progress;
}

double ProgramSearch::optimalityGap(llvm::ArrayRef<Kernel> kernels) const {
  double bound = std::max(
      lowerBoundSeconds(),
      seconds(cheapestCut([&](Range range) { return leastPrice(range); })));
  return bound <= 0 ? 0 : std::max(0.0, seconds(kernels) / bound - 1);
}
