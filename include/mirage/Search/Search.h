//===- Search.h - Find a faster program -------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The search of a whole program: every run of consecutive ops that may become
// one kernel is searched by itself (saturate, then extract), and the cheapest
// way to cut the program into such runs is taken by dynamic programming. A run
// of one op is always possible: the op lowered as it is, so the result is never
// predicted slower than the input program.
//
// A search can be stopped at any moment and go on later. Its state is one
// record for each run that was begun: whether it is done, which choice is next,
// and how to build the best kernels so far. Records come from the same steps in
// the same order however often the search was stopped, so the end is the same
// too.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_SEARCH_H
#define MIRAGE_SEARCH_SEARCH_H

#include "mirage/Search/Extract.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <set>

namespace mirage::search {

class SearchObserver;

struct SearchOptions {
  const TargetDescription *target = nullptr;
  double timeBudget = 10; ///< seconds.
  unsigned threads = 1;
  unsigned maxBlockOps = 64;
  unsigned maxKernels = 0; ///< 0: any number; else no loops are split.
  unsigned topK = 4;
  unsigned maxSegment = 16; ///< source ops that are tried as one kernel.
  /// Programs up to this size are tried as one kernel in any case.
  unsigned wholeFirst = 10;
  /// False: all choices of derivations are priced, however long that takes.
  bool useBounds = true;
  /// False: useless values are kept too, as many as there is time for.
  bool testUsefulness = true;
  SearchObserver *observer = nullptr;
};

/// What is known of the sources [first, last) as one kernel.
struct SegmentRecord {
  unsigned first = 0, last = 0;
  size_t results = 0, values = 0, derivations = 0;
  size_t useless = 0; ///< values that are no part of a goal.
  bool isSaturated = true;
  Extraction extraction;
  std::string reason; ///< why there is no kernel.
};

/// All that a search knows.
struct SearchState {
  std::vector<SegmentRecord> segments; ///< in the order of their sources.
};

/// For those who wait.
struct SearchProgress {
  size_t values = 0, derivations = 0, states = 0;
  std::optional<double> bestSeconds; ///< of the fastest program so far.
};

class ProgramSearch;

/// Follows a search.
class SearchObserver {
public:
  virtual ~SearchObserver() = default;
  /// True if it keeps the state: then time does not end before there is
  /// something new to keep, so that each call comes further.
  virtual bool keepsState() const { return false; }
  virtual void onStage(llvm::StringRef name) {}
  /// Something more is known: `state` and `progress` of `search` say it, during
  /// this call. Comes from the search's threads, one call at a time.
  virtual void onStep(const ProgramSearch &search) {}
  /// The search is over, or its time is.
  virtual void onEnd(const ProgramSearch &search) {}
};

/// The kernels found for the sources [first, last), best first by estimate;
/// none if the ops cannot be one kernel.
struct SegmentResult {
  SegmentRecord record;
  ExprContext context;
  /// Of segments in use; others may be known by their record alone.
  std::optional<ValueGraph> graph;
  std::vector<KernelPlan> plans;
  unsigned current = 0;        ///< the plan in use, if there is one.
  std::set<unsigned> rejected; ///< plans.

  bool hasPlan() const { return current < record.extraction.kept.size(); }
  const KernelPlan *plan() const {
    return current < plans.size() ? &plans[current] : nullptr;
  }
  /// What would be in use if the plan in use were rejected.
  const KernelPlan *runnerUp() const;
  /// The number of the best plan but those in `excluded`, or that of plans.
  unsigned bestWithout(const std::set<unsigned> &excluded) const;
};

/// One kernel of the answer. Without a plan: a single op, as it is.
struct Kernel {
  unsigned first, last;
  std::shared_ptr<SegmentResult> segment; ///< null: lowered as it is.
  double seconds;                         ///< as a first kernel.
  bool isView = false;                    ///< nothing runs.

  unsigned kernelCount() const {
    return isView ? 0 : segment ? segment->plan()->kernelCount() : 1;
  }
};

class ProgramSearch {
public:
  /// Goes on from `state`, if it is one of this program and these options.
  ProgramSearch(Program program, const SearchOptions &options,
                const SearchState &state = {});

  /// Searches all segments, as far as time allows.
  void run();

  SearchState state() const;
  SearchProgress progress() const;

  /// The cheapest cut with the plans in use, or the baseline where a limit on
  /// the number of kernels would make the result slower than that. Call again
  /// after `reject` and `reprice`.
  std::vector<Kernel> cheapest();
  /// One kernel an op, each as good as the search can make it.
  std::vector<Kernel> baseline();
  double seconds(llvm::ArrayRef<Kernel> kernels) const;

  /// The plan in use of this segment is wrong: the next best is in use.
  void reject(SegmentResult &segment);
  /// The lowered kernels of the plan in use have these counts, nothing where
  /// they are not known: it is priced anew, and the best plan is in use.
  void reprice(SegmentResult &segment,
               llvm::ArrayRef<std::optional<KernelCounts>> counts);

  const Program &input() const { return program; }
  /// What was found for these sources, or null if they were not searched.
  std::shared_ptr<SegmentResult> segment(unsigned first, unsigned last) const {
    auto it = segments.find({first, last});
    return it == segments.end() ? nullptr : it->second;
  }
  /// Why the whole program, or the largest part tried, is not one kernel.
  std::string reason() const;
  /// No program can be faster than this.
  double lowerBoundSeconds() const;

  struct Totals {
    size_t values = 0, derivations = 0, useless = 0;
    ExtractStatistics extraction;

    size_t pruned() const {
      return useless + extraction.byEstimate + extraction.bySplitBound;
    }
  };
  Totals totals() const;
  /// How much slower than the fastest possible the kernels may be, as a part of
  /// it: what was priced is known, what was left out has a lower bound.
  double optimalityGap(llvm::ArrayRef<Kernel> kernels) const;
  /// False if another run, with more time, may find more.
  bool isComplete() const { return !stoppedEarly; }

private:
  using Range = std::pair<unsigned, unsigned>;

  void searchSegment(SegmentResult &result);
  bool importSegment(SegmentResult &result,
                     std::function<bool()> isOutOfTime) const;
  void extractFrom(SegmentResult &result, std::function<bool()> isOutOfTime,
                   llvm::function_ref<void()> onChoice) const;
  void searchAll(llvm::ArrayRef<Range> ranges);
  bool load(llvm::ArrayRef<Kernel> kernels) const;
  void keep(const SegmentRecord &record);
  bool isHopeless(Range range) const;
  bool isDone(Range range) const {
    auto known = segment(range.first, range.second);
    return known && known->record.extraction.isDone;
  }
  double priceAsItIs(unsigned source) const;
  double following(const Kernel &kernel) const;
  /// The time of a kernel for these sources; infinite if there is none.
  using Price = llvm::function_ref<double(Range)>;
  double priceInUse(Range range) const;
  double boundOfBytes(Range range) const;
  double leastPrice(Range range) const;
  std::vector<Kernel> cheapestCut(Price price) const;
  std::vector<Kernel> singleOps() const;
  bool isView(unsigned source) const;
  Kernel asItIs(unsigned source, Price price) const;
  bool isOutOfTime() const {
    return mayStop && std::chrono::steady_clock::now() >= deadline;
  }

  Program program;
  SearchOptions options;
  std::chrono::steady_clock::time_point deadline;
  std::map<Range, std::shared_ptr<SegmentResult>> segments;
  bool stoppedEarly = false;
  std::atomic<bool> mayStop{true};
  // For the observer, under the mutex.
  std::mutex mutex;
  std::map<Range, SegmentRecord> records;
  std::optional<double> bestSeconds;
};

} // namespace mirage::search

#endif // MIRAGE_SEARCH_SEARCH_H
