//===- ChoiceBound.h - What no kernel of a choice can beat ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_CHOICEBOUND_H
#define MIRAGE_SEARCH_CHOICEBOUND_H

#include "mirage/Search/Extract.h"

namespace mirage::search {

/// A lower bound for all kernels that use some derivations, whatever their
/// roles, loops, tiles and splits, by the model that prices them: each step is
/// computed at least once for each element, each tensor is loaded at least
/// once, the results are stored, and all that is spread evenly over the chip by
/// blocks that never wait. Padding, repetition and recomputation only add to
/// that, and so does everything that a later model may count beside.
class ChoiceBound {
public:
  ChoiceBound(const Program &program, const ValueGraph &graph,
              const ExprContext &context, const TargetDescription &target);

  /// Of kernels with these derivations and any for the values that are pending.
  double seconds(const Choice &choice,
                 llvm::ArrayRef<ValueId> pending = {}) const;

private:
  struct Work {
    double matrix = 0, vector = 0, special = 0, loads = 0;
  };
  struct StepWork {
    Work work;
    double scores = 0; ///< of a softmax sum; paid once for all with the same.
  };
  StepWork workOf(ValueId value, const Derivation &derivation) const;
  double elements(llvm::ArrayRef<LabelId> labels) const;
  static void add(Work &sum, const Work &part);
  double price(const Work &work, double uniqueBytes) const;

  const Program &program;
  const ValueGraph &graph;
  const ExprContext &context;
  const TargetDescription &target;
  std::vector<std::vector<StepWork>> steps; ///< by value and derivation.
  std::vector<Work> least;                  ///< of each value.
  double storeBytes = 0;
};

} // namespace mirage::search

#endif // MIRAGE_SEARCH_CHOICEBOUND_H
