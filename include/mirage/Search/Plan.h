//===- Plan.h - A kernel as the search sees it ------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What extraction decides for one kernel: which derivations compute the values,
// and what happens to each label:
//
//   Grid   cut into tiles, one block each;
//   Loop   cut into tiles, one loop iteration each;
//   Whole  one tile holds all of it.
//
// All else follows. A value with a loop label is computed in that loop, a sum
// over the label ends it (an accumulator); a value that needs an accumulator's
// outcome is computed behind the loop, and if it still has the label, in a
// second loop over it. A *step* is one op of the kernel: a value at a time.
//
// Where a loop leaves most of the chip idle, `splits` blocks share it: each
// runs over a part and stores what its accumulators hold, and a second kernel,
// the plan's `combine`, puts the parts together and does what comes behind the
// loop. What "together" means is the monoid of the accumulator:
//
//   sum, max, min   the same over the parts;
//   softmax         (M_p, a_p) with a_p = S_{j in p} exp(s_j - M_p) v_j give
//                   M = max_p M_p,  S_p a_p exp(M_p - M).
//
// So a matrix product with a split loop is split-K and attention with one is
// flash decoding, and neither is a case of its own.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_PLAN_H
#define MIRAGE_SEARCH_PLAN_H

#include "mirage/Cost/KernelCost.h"
#include "mirage/Search/Values.h"

#include <memory>

namespace mirage::search {

enum class Role : uint8_t { Grid, Loop, Whole };

struct Step {
  ValueId value;
  Derivation derivation;
  llvm::SmallVector<uint32_t, 2> operands; ///< steps.
  int loop = -1;       ///< runs in each iteration of this loop.
  int accumulate = -1; ///< ends this loop: runs in it, known behind it.
  /// Number among the `partials` of the kernel before; such a step puts the
  /// parts of an accumulator together and has no operands.
  int partial = -1;
  /// Of such a step: labels of the maxima that it reads, the first of those
  /// that share them.
  std::optional<LabelList> maximum;
  LabelList labels; ///< of the value.
  LabelList work;   ///< of the op: those of the operands.
};

struct PlanLoop {
  LabelId label;
  unsigned level; ///< loops of a level need the outcome of those below.
};

struct PlanOutput {
  uint32_t tensor; ///< of the segment.
  uint32_t step;
  Coefficient scale; ///< tensor = scale * value.
};

/// Which plan it is, by the order in which a segment's plans are priced.
struct PlanOrigin {
  size_t roles = 0;  ///< of the assignments of roles.
  size_t choice = 0; ///< of the choices of derivations for them.
  size_t form = 0;   ///< 0 for one kernel, then those with split loops.
};

struct KernelPlan {
  PlanOrigin origin;
  llvm::DenseMap<LabelId, Role> roles;
  /// Powers of two, or odd multiples of one that divide the size.
  llvm::DenseMap<LabelId, int64_t> tiles;
  LabelList grid; ///< g0, g1, g2.
  std::vector<PlanLoop> loops;
  std::vector<Step> steps; ///< operands first.
  std::vector<PlanOutput> outputs;
  unsigned threads = 128;
  /// Blocks that share the loops. If there are several, the results are
  /// `partials` (steps) and `combine` computes the outputs from them.
  int64_t splits = 1;
  std::vector<uint32_t> partials;
  std::shared_ptr<const KernelPlan> combine;
  KernelWork work;
  KernelCost cost;
  /// Of the lowered kernel, once there is one.
  std::optional<KernelCounts> counts;

  /// Predicted time, the second kernel included.
  double seconds() const {
    return cost.seconds + (combine ? combine->cost.seconds : 0);
  }
  unsigned kernelCount() const { return combine ? 2 : 1; }
  double globalBytes() const {
    return cost.globalBytes + (combine ? combine->cost.globalBytes : 0);
  }
  /// What plans are ordered by: the predicted time, and a little for each step
  /// that the program does not have, more where it subtracts; a second kernel
  /// has to gain more than the predictions are exact.
  double rank() const;
};

inline bool isContraction(const Step &step) {
  return step.partial < 0 && (step.derivation.rule == Rule::Contract ||
                              step.derivation.rule == Rule::SoftmaxContract);
}

/// Of either kind, read in parts or computed here.
inline bool isSoftmax(const Step &step) {
  return step.derivation.rule == Rule::SoftmaxSum ||
         step.derivation.rule == Rule::SoftmaxContract;
}

/// Labels of the maximum that a softmax sum refers to.
LabelList maximumLabels(const KernelPlan &plan, const Step &step);

/// For each of the plan's `partials` the first one that has the same maximum
/// (itself in the end); nothing where there is no maximum.
std::vector<std::optional<unsigned>> maximumOwners(const KernelPlan &plan);

/// Bits of an element of such a part in memory. Numerators of a softmax are
/// rounded as their values are: S_j exp(s_j - M) v_j over n keys, divided by n,
/// is no larger than the largest v_j. All else may grow beyond 16 bits.
unsigned partialBits(const Step &step, const ValueGraph &graph);

/// The labels of a contraction a[batch, m, k] b[batch, k, n].
struct ContractShape {
  LabelId rows = noLabel, columns = noLabel, depth = noLabel;
  LabelList batch;
};

/// How to contract values with labels `a` and `b` over `depth`; nothing if they
/// are no matrices.
std::optional<ContractShape> contractShape(const LabelList &a,
                                           const LabelList &b, LabelId depth);

} // namespace mirage::search

#endif // MIRAGE_SEARCH_PLAN_H
