//===- Values.h - Useful values and their derivations -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The search space of one kernel's algebra: a hypergraph whose nodes are
// *values* (expressions over the segment's labels, up to a scalar factor) and
// whose edges are *derivations*, the ways to compute a value from others.
//
// A value is useful if a factor and a context complete it to part of a goal:
//
//     S_labels (f * e)  is a sub-sum of the terms of C,
//
// where the contexts C are the results, the arguments of their functions and
// the bases of their powers, each as written and with powers of sums multiplied
// out. `Usefulness` finds all (C, f, labels) for an e: its *occurrences*. Two
// values whose occurrences agree in (C, f, labels) and cover different terms
// may be added.
//
// Factors exp(-max s) are ignored by that test: exp of unbounded scores only
// ever appears with its maximum, which cancels later.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_VALUES_H
#define MIRAGE_SEARCH_VALUES_H

#include "mirage/Expr/Fingerprint.h"
#include "mirage/Search/Segment.h"

#include <functional>
#include <map>

namespace mirage::search {

using ValueId = uint32_t;

enum class Rule {
  Input,          ///< element of a tensor.
  Constant,       ///< 1.
  Multiply,       ///< product of two values.
  Add,            ///< sum of two scaled values.
  Power,          ///< rational power of a scaled value.
  Function,       ///< exp or an uninterpreted function of scaled values.
  Sum,            ///< over a label.
  Contract,       ///< sum over a label of the product of two values.
  Extremum,       ///< over a label, of a scaled value.
  SoftmaxSum,     ///< S_j exp(s_j - max_j s) from s, by the softmax monoid.
  SoftmaxContract ///< S_j exp(s_j - max_j s) v_j from s and v, the same way.
};

llvm::StringRef stringify(Rule rule);

/// One way to compute a value v from operands: with `scales` s_i,
/// rule(s_0 v_0, s_1 v_1, ..) = resultScale * v.
struct Derivation {
  Rule rule;
  llvm::SmallVector<ValueId, 2> operands;
  llvm::SmallVector<Coefficient, 2> scales;
  Coefficient resultScale = 1;
  LabelId label = noLabel; ///< of sums, contractions, extrema, softmax.
  Rational exponent = 1;   ///< of Power.
  uint32_t symbol = 0;     ///< function, ExtremumKind, or segment tensor.
  /// exp of scores that have no bound, where a bounded form exists.
  bool isUnsafe = false;
  /// A step of the program itself. At equal cost these are taken: the numerics
  /// are then the ones its author chose.
  bool isWritten = false;
};

struct Value {
  ExprId expr; ///< first coefficient 1.
  std::vector<Derivation> derivations;
};

/// A place where a value is part of a goal; see the top of the file.
struct Occurrence {
  uint32_t context;
  ExprId quotient;
  LabelList labels;  ///< summed after the multiplication, sorted.
  uint64_t terms;    ///< bit set of the context's terms that are covered.
  Coefficient scale; ///< S_labels (scale * f * e) is those terms.
};

class Usefulness {
public:
  explicit Usefulness(ExprContext &context) : context(context) {}

  void addContext(ExprId e);
  /// Empty if `e` is of no use.
  const std::vector<Occurrence> &find(ExprId e);
  /// `e` without factors exp(c max s).
  ExprId strip(ExprId e);
  size_t numContexts() const { return contexts.size(); }

private:
  std::vector<Occurrence> compute(ExprId e);
  void findInTerm(ExprId e, uint32_t number, unsigned term,
                  std::vector<Occurrence> &result);

  ExprContext &context;
  std::vector<ExprId> contexts;
  std::map<ExprId, std::vector<Occurrence>> known;
};

/// What saturation found.
struct ValueGraph {
  Segment segment;
  std::vector<Value> values;
  /// Of each segment output: value and factor.
  std::vector<std::pair<ValueId, Coefficient>> outputs;
  size_t numDerivations = 0;
  size_t tested = 0;      ///< candidates for values.
  size_t rejected = 0;    ///< of these, the useless ones.
  bool isComplete = true; ///< false if a limit stopped the saturation.
};

struct SaturateOptions {
  size_t maxValues = 192;
  size_t maxTested = 40000;
  /// False: every value is kept, useful or not, and there are no limits but
  /// time. Only to measure what the test is good for.
  bool testUsefulness = true;
  std::function<bool()> isOutOfTime = [] { return false; };
};

/// Finds all useful values of `segment`. Fails if an exact number did not fit.
std::optional<ValueGraph> saturate(Segment segment, ExprContext &context,
                                   const SaturateOptions &options,
                                   std::string &reason);

} // namespace mirage::search

#endif // MIRAGE_SEARCH_VALUES_H
