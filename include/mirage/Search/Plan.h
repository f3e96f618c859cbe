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
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_PLAN_H
#define MIRAGE_SEARCH_PLAN_H

#include "mirage/Cost/KernelCost.h"
#include "mirage/Search/Values.h"

namespace mirage::search {

enum class Role : uint8_t { Grid, Loop, Whole };

struct Step {
  ValueId value;
  Derivation derivation;
  llvm::SmallVector<uint32_t, 2> operands; ///< steps.
  int loop = -1;       ///< runs in each iteration of this loop.
  int accumulate = -1; ///< ends this loop: runs in it, known behind it.
  LabelList labels;    ///< of the value.
  LabelList work;      ///< of the op: those of the operands.
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

struct KernelPlan {
  llvm::DenseMap<LabelId, Role> roles;
  llvm::DenseMap<LabelId, int64_t> tiles; ///< powers of two.
  LabelList grid;                         ///< g0, g1, g2.
  std::vector<PlanLoop> loops;
  std::vector<Step> steps; ///< operands first.
  std::vector<PlanOutput> outputs;
  unsigned threads = 128;
  KernelWork work;
  KernelCost cost;

  /// What plans are ordered by: the predicted time, and a little for each step
  /// that the program does not have, more where it subtracts.
  double rank() const;
};

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
