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
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_SEARCH_H
#define MIRAGE_SEARCH_SEARCH_H

#include "mirage/Search/Extract.h"

#include <memory>

namespace mirage::search {

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
};

/// The kernels found for the sources [first, last), best first; none if the ops
/// cannot be one kernel.
struct SegmentResult {
  unsigned first = 0, last = 0;
  ExprContext context;
  std::optional<ValueGraph> graph;
  std::vector<KernelPlan> plans;
  unsigned current = 0; ///< the plan in use; the caller skips rejected ones.
  ExtractStatistics statistics;
  std::string reason; ///< why there is no kernel.

  const KernelPlan *plan() const {
    return current < plans.size() ? &plans[current] : nullptr;
  }
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
  ProgramSearch(Program program, const SearchOptions &options);

  /// Searches all segments, as far as time allows.
  void run();

  /// The cheapest cut with the plans in use, or the baseline where a limit on
  /// the number of kernels would make the result slower than that. Call again
  /// after `reject` and `reprice`.
  std::vector<Kernel> cheapest() const;
  /// One kernel an op, each as good as the search can make it.
  std::vector<Kernel> baseline() const;
  double seconds(llvm::ArrayRef<Kernel> kernels) const;

  /// The plan in use of this segment is wrong: take the next one.
  void reject(SegmentResult &segment) { ++segment.current; }
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
    size_t values = 0, derivations = 0;
    size_t useless = 0; ///< values that are no part of a goal.
    ExtractStatistics extraction;

    size_t pruned() const {
      return useless + extraction.byEstimate + extraction.bySplitBound;
    }
  };
  Totals totals() const;
  /// How much slower than the fastest possible the kernels may be, as a part of
  /// it. If all that the rules can build was priced or bounded, that is known:
  /// 0, or a little where the program's own steps were preferred.
  double optimalityGap(llvm::ArrayRef<Kernel> kernels) const;
  /// False if another run, with more time, may find more.
  bool isComplete() const { return !stoppedEarly; }

private:
  using Range = std::pair<unsigned, unsigned>;

  std::shared_ptr<SegmentResult> searchSegment(Range range) const;
  void searchAll(llvm::ArrayRef<Range> ranges);
  bool isHopeless(Range range) const;
  double priceAsItIs(unsigned source) const;
  double following(const Kernel &kernel) const;
  double secondsOf(const SegmentResult &segment, bool least) const;
  std::vector<Kernel> cheapestCut(bool least) const;
  bool isView(unsigned source) const;
  Kernel asItIs(unsigned source, bool least = false) const;
  bool isOutOfTime() const {
    return std::chrono::steady_clock::now() >= deadline;
  }

  Program program;
  SearchOptions options;
  std::chrono::steady_clock::time_point deadline;
  std::map<Range, std::shared_ptr<SegmentResult>> segments;
  bool stoppedEarly = false;
};

} // namespace mirage::search

#endif // MIRAGE_SEARCH_SEARCH_H
