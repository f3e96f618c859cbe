//===- Extract.h - From values to a kernel ----------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_EXTRACT_H
#define MIRAGE_SEARCH_EXTRACT_H

#include "mirage/Search/Plan.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <chrono>
#include <functional>
#include <limits>

namespace mirage::search {

struct ExtractOptions {
  const TargetDescription *target = nullptr;
  unsigned maxOps = 64;     ///< steps of a kernel.
  unsigned keep = 32;       ///< derivation choices that are scheduled.
  unsigned topK = 4;        ///< plans returned.
  size_t maxStates = 20000; ///< of the choice of derivations, for each role.
  bool allowUnsafe = false; ///< exp of unbounded scores; `extract` sets it.
  bool allowSplits = true;  ///< loops shared by blocks: a second kernel.
  bool useBounds = true;    ///< false: price everything (`keep` is ignored).
  std::function<bool()> isOutOfTime = [] { return false; };
};

struct ExtractStatistics {
  size_t states = 0;     ///< choices of derivations looked at.
  size_t candidates = 0; ///< kernels that were priced with their best sizes.
  size_t tilings = 0;    ///< choices of sizes that were looked at.

  // What each rule removed.
  size_t byEstimate = 0;       ///< choices, cut short or complete.
  size_t unstaged = 0;         ///< choices that no order of loops computes.
  size_t bySplitBound = 0;     ///< kernels not split: no gain is possible.
  size_t tooManyRegisters = 0; ///< tilings.
  size_t tooLarge = 0;         ///< tilings whose block fits no multiprocessor.
  size_t slower = 0;           ///< tilings no better than one that is known.
  size_t thinned = 0;          ///< kernels for which not all sizes were tried.

  /// No kernel that was left out is faster than this.
  double leastLeftOut = std::numeric_limits<double>::infinity();
  /// The fastest kernel priced: not always the first, see `KernelPlan::rank`.
  double leastSeconds = std::numeric_limits<double>::infinity();
  /// No limit was met.
  bool isExhaustive = true;
};

/// How far an extraction has come, and all that its further course depends on:
/// one that was stopped goes on from here and ends as if it had not been. Plans
/// are named by their origin and built again from it, which takes next to
/// nothing beside the thousands of others that were priced to find them.
struct Extraction {
  bool allowUnsafe = false; ///< nothing was found without.
  /// The next choice to be priced: a number of roles, and of a choice of
  /// derivations for them.
  size_t roles = 0, choice = 0;
  bool isDone = false;
  struct Kept {
    PlanOrigin origin;
    double seconds;
  };
  std::vector<Kept> kept; ///< the best so far, best first.
  ExtractStatistics statistics;
};

/// Goes on with `extraction` until it is done or there is no time left; returns
/// its plans. `onChoice` is called after each choice of derivations.
std::vector<KernelPlan> extract(const Program &program, const ValueGraph &graph,
                                const ExprContext &context,
                                const ExtractOptions &options,
                                Extraction &extraction,
                                llvm::function_ref<void()> onChoice);

// The parts of extraction, in this order.

/// Chosen derivation of each needed value.
using Choice = std::map<ValueId, unsigned>;

/// What happens to each label, before sizes.
using Roles = llvm::DenseMap<LabelId, Role>;

/// Gives the labels that follow another one on a grid dim its role, or none.
inline void followLeaders(Roles &roles, const Segment &segment) {
  for (auto [label, leader] : segment.leaders)
    if (auto it = roles.find(label); it != roles.end())
      it->second =
          roles.lookup(leader) == Role::Grid ? Role::Grid : Role::Whole;
}

/// Whether the derivation sums, or the like, over a label with a loop.
inline bool endsLoop(const Derivation &derivation, const Roles &roles) {
  return derivation.label != noLabel &&
         roles.lookup(derivation.label) == Role::Loop;
}

class ChoiceBound;

/// The cheapest choices of derivations for `roles`, by an estimate of the work.
/// `bound` says what the others cost at least.
std::vector<Choice>
chooseDerivations(const ValueGraph &graph, const ExprContext &context,
                  const ChoiceBound &bound, const Roles &roles,
                  const ExtractOptions &options, ExtractStatistics &statistics);

/// Where a kernel starts and ends if it is a part of a split one.
struct Ends {
  std::vector<ValueId> given;  ///< put together from parts.
  std::vector<ValueId> wanted; ///< left in parts, in place of the outputs.
};

/// Steps and loops of a choice; nothing if it cannot be staged.
std::optional<KernelPlan> schedule(const ValueGraph &graph,
                                   const ExprContext &context,
                                   const Roles &roles, const Choice &choice,
                                   const ExtractOptions &options,
                                   const Ends &ends = {});

/// The kernels that result if blocks share the loops of `plan`, without sizes:
/// `combine` is set. There is one for each role that the loop's label can have
/// in the second kernel.
std::vector<KernelPlan> splitLoops(const KernelPlan &plan,
                                   const ValueGraph &graph,
                                   const ExprContext &context,
                                   const Choice &choice,
                                   const ExtractOptions &options);

/// Chooses tiles, threads and splits; false if nothing fits the target.
bool chooseTiles(KernelPlan &plan, const Program &program,
                 const ValueGraph &graph, const ExprContext &context,
                 const ExtractOptions &options, ExtractStatistics &statistics);

} // namespace mirage::search

#endif // MIRAGE_SEARCH_EXTRACT_H
