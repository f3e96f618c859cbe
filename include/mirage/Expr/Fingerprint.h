//===- Fingerprint.h - Equality of expressions by evaluation ----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whether two expressions are equal, also where their normal forms differ: both
// are evaluated at random points of the fields (`Field.h`). Each label runs
// over `samples` indices instead of its size; a sum weighs them with random
// weights that add up to the size. What holds for every such weighted sum holds
// for the sum over all indices, so equality is never found by accident of the
// reduction; that different expressions meet has probability about degree / p.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_EXPR_FINGERPRINT_H
#define MIRAGE_EXPR_FINGERPRINT_H

#include "mirage/Expr/Expression.h"

#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace mirage {

/// The values of an expression up to a scalar factor: equal for e and 5 e, and
/// different (almost surely) for all others.
struct Fingerprint {
  uint64_t low = 0, high = 0;
  bool operator==(const Fingerprint &other) const {
    return low == other.low && high == other.high;
  }
  bool operator<(const Fingerprint &other) const {
    return low != other.low ? low < other.low : high < other.high;
  }
};

class Evaluator {
public:
  explicit Evaluator(ExprContext &context, uint64_t seed = 1)
      : context(context), seed(seed) {}

  static constexpr unsigned samples = 2;
  /// Independent choices of all inputs. With two, a value times the number
  /// that some expression without labels has is not taken for its multiple.
  static constexpr unsigned points = 2;

  /// Values at the points (slowest) over the samples of the free labels, the
  /// last label fastest.
  const std::vector<field::Value> &evaluate(ExprId e);

  /// Nothing for zero, and where a division by zero was met.
  std::optional<Fingerprint> fingerprint(ExprId e);

  bool areEqual(ExprId a, ExprId b);

  /// The factor c with a = c b, if there is a rational one.
  std::optional<Coefficient> ratio(ExprId a, ExprId b);

private:
  field::Value random(uint64_t a, uint64_t b) const;
  field::Value weight(LabelId label, unsigned sample) const;
  const std::vector<field::Value> &evaluateAtom(AtomId atom);
  const std::vector<field::Value> &evaluateFactor(const Factor &factor);
  std::vector<field::Value> computeAtom(const Atom &atom);
  std::vector<field::Value> computeTerm(const Term &term,
                                        llvm::ArrayRef<LabelId> free);

  ExprContext &context;
  uint64_t seed;
  std::vector<std::vector<field::Value>> exprValues, atomValues;
  /// Powers of atoms: roots and inverses are what takes time.
  std::map<std::tuple<AtomId, int64_t, int64_t>, std::vector<field::Value>>
      powers;
};

} // namespace mirage

#endif // MIRAGE_EXPR_FINGERPRINT_H
