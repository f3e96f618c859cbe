//===- CostNetwork.h - Minimising a sum of small functions ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Variables with few values each, and nonnegative functions of a few variables
// each; wanted are values with the least sum. Three steps:
//
//   Pruning      With an assignment of cost U at hand, a value v of x can go if
//                every assignment with x = v costs more than U: the least
//                values of all functions of one variable, plus the least
//                values that the functions of x take at v, exceed U.
//   Elimination  The functions that mention x are added up and minimised over
//                x: a function of its neighbours takes their place. What is
//                left in the end is the minimum. Variables with small
//                neighbourhoods go first; in the graph of a tile program,
//                which is nearly a chain, they stay small.
//   Read-back    In reverse order each variable takes the value that attained
//                the minimum.
//
// Where a table would be too large, the functions of a variable are minimised
// in groups, each over its own copy of the variable, and a function that is too
// large by itself counts as 0. Then the result is a lower bound, and the
// assignment is what the bound suggests or the one given, whichever is cheaper.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_COSTNETWORK_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_COSTNETWORK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <functional>
#include <vector>

namespace mirage::layout {

class CostNetwork {
public:
  using Values = llvm::SmallVector<unsigned>;
  /// The cost for the values of a scope, in its order. Nonnegative.
  using Function = std::function<double(llvm::ArrayRef<unsigned>)>;

  struct Result {
    Values values;
    double cost = 0;
    double bound = 0; ///< no assignment costs less; at most `cost`.
    bool isOptimal() const { return cost <= bound * (1 + 1e-9); }
  };

  /// A variable with the values 0 .. size - 1. Returns its number.
  unsigned addVariable(unsigned size);
  /// Adds a function of different variables.
  void addFunction(llvm::ArrayRef<unsigned> scope, Function function);

  double cost(llvm::ArrayRef<unsigned> values) const;

  /// The least cost, starting from the assignment `start`. Tables have at most
  /// `maxEntries` entries.
  Result minimise(llvm::ArrayRef<unsigned> start,
                  size_t maxEntries = size_t{1} << 18) const;

private:
  struct Term {
    llvm::SmallVector<unsigned> scope;
    Function function;
  };

  std::vector<unsigned> sizes;
  std::vector<Term> terms;
};

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_COSTNETWORK_H
