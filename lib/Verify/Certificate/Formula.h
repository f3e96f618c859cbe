//===- Formula.h - What the checker computes with ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A formula is a sum of terms
//
//   scale * S_{over} [where] factor^r * factor^r ..
//
// over named indices, *labels*, each of which runs from 0 to its size. An index
// is an offset plus labels times strides; *digits* are a list of labels that
// write a number in mixed radix. `Algebra` has the laws, each in one function:
//
//   sum          S_k (a + b) = S_k a + S_k b
//   multiply     (a + b) c = a c + b c; (S_k x)(S_j y) = S_{k,j} x y;
//                x^r x^s = x^(r+s); exp(a) exp(b) = exp(a + b)
//   power        (x y)^r = x^r y^r if r is an integer or x is at least 0;
//                (x^s)^r = x^(r s) if moreover the sign of x is not lost;
//                exp(a)^r = exp(r a); what does not depend on a label leaves
//                its sum; (a + b)^r stays
//   tidy         S_k x = n x, if x is free of k, which has size n;
//                S_{g,t} [g T + t < n] x = n x likewise
//   maximum      max max x = max x; max_k x = x, if x is free of k;
//                max(x, max(y, x)) = max(x, y); a minimum is -max -x
//   substitute   a label may be written as another index
//   conjoin      conditions on one number are one; [s n + r < s e] = [n < e],
//                if r is in [0, s)
//   narrow       S_k [0 <= k - a < n] f(k) = S_{j<n} f(a + j), and for max;
//                S_{g,t} [g T + t = n] f(g, t) is f at the digits of n
//   cut          S_k f(k) = S_{i<a} f(i) + S_{j<n-a} f(a + j), and for max
//
// and `isSame` decides whether a formula that a certificate claims is one that
// was computed, term by term and factor by factor. Its one law is that a label
// of the claim stands for an index of the other side:
//
//   S_{k<n} f(a + k) = S_{g,t} [0 <= g T + t - a < n] f(g T + t)
//
// where the condition is left out if all numbers g T + t meet it.
//
// As elsewhere in the verification, both sides are compared where they are
// defined: x / x is 1.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_CERTIFICATE_FORMULA_H
#define MIRAGE_LIB_VERIFY_CERTIFICATE_FORMULA_H

#include "Scalar.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace mirage::certificate {

using Label = unsigned;
using Digits = llvm::SmallVector<Label, 4>;

/// `offset` plus labels times their strides, which are positive and fall.
struct Index {
  int64_t offset = 0;
  llvm::SmallVector<std::pair<Label, int64_t>, 2> digits;
  bool operator==(const Index &other) const {
    return offset == other.offset && digits == other.digits;
  }
};
using Substitution = std::map<Label, Index>;

struct Formula;
using FormulaRef = std::shared_ptr<const Formula>;

/// 1 where 0 <= at < extent, 0 elsewhere.
struct Below {
  int64_t extent = 0;
  Index at;
  bool operator==(const Below &other) const {
    return extent == other.extent && at == other.at;
  }
};
using Conditions = llvm::SmallVector<Below, 1>;

struct Factor {
  enum class Kind {
    Read,  ///< argument `symbol` at the indices `at`
    Apply, ///< function `symbol` of the operands
    Exp,   ///< e to the power of the operand; not raised to another one
    Group, ///< a formula that stays as it is
    Max,   ///< of one operand over the labels `over`, where `where` holds, or
           ///< of several
  };
  Kind kind = Kind::Read;
  unsigned symbol = 0;
  std::vector<Index> at;
  std::vector<FormulaRef> operands;
  Digits over;
  Conditions where;
  Fraction exponent = 1;
};

struct Term {
  Scalar scale;
  Digits over;
  Conditions where;
  std::vector<Factor> factors;
};

struct Formula {
  std::vector<Term> terms;
  /// The labels that are not bound in it, once it is shared.
  std::set<Label> free;
};

/// To be used as a part of others.
FormulaRef share(Formula formula);
/// The factor that a formula is, if it is one.
const Factor *onlyFactor(const Formula &a);
/// The labels that are not bound in it.
std::set<Label> freeLabels(const Factor &factor);
std::set<Label> freeLabels(const Index &index);

/// The element of a value where the conditions hold.
struct Case {
  Conditions where;
  Formula element;
};

/// What labels of a claim stand for.
struct Binding {
  Substitution known;
  /// Bound labels of the claim without an index yet, and of the other side
  /// without a label yet: the number of their scope.
  std::map<Label, unsigned> unknown, open;
};

class Algebra {
public:
  // Labels.
  Label addLabel(int64_t size);
  bool isLabel(int64_t number) const {
    return number >= 0 && number < int64_t(sizes.size());
  }
  int64_t size(Label label) const { return sizes[label]; }
  /// How many numbers digits can write; none if there are too many.
  std::optional<int64_t> count(llvm::ArrayRef<Label> digits) const;

  // Indices: Indices.cpp.
  /// The number that digits write.
  Index number(llvm::ArrayRef<Label> digits);
  /// The digits, if the index is a number that they write, plus an offset.
  std::optional<Digits> digitsOf(const Index &index) const;
  /// Adds `factor` times `other`.
  void addTo(Index &index, const Index &other, int64_t factor);
  Index substitute(const Index &index, const Substitution &by);
  /// Adds a condition to others; false if they contradict.
  bool conjoin(Conditions &conditions, Below condition);
  bool conjoin(Conditions &conditions, const Conditions &more);
  std::optional<Conditions> substitute(const Conditions &conditions,
                                       const Substitution &by);
  /// Does exactly one of `cases` hold wherever `domain` does?
  bool isPartition(const std::vector<Conditions> &cases,
                   const Conditions &domain);
  /// The labels of which conditions leave one number, as that number.
  Substitution fixed(const Conditions &where) const;
  std::vector<Case> substitute(const std::vector<Case> &cases,
                               const Substitution &by);

  // Laws.
  static Formula constant(const Scalar &value);
  static Formula ofFactor(Factor factor);
  static Formula add(Formula a, const Formula &b);
  static Formula scale(Formula a, const Scalar &by);
  Formula multiply(const Formula &a, const Formula &b);
  Formula power(const Formula &a, const Fraction &exponent);
  static Formula exp(Formula a);
  Formula sum(const Formula &a, llvm::ArrayRef<Label> over, Conditions where);
  Formula maximum(const Formula &a, llvm::ArrayRef<Label> over,
                  Conditions where);
  Formula substitute(const Formula &a, const Substitution &by);
  /// The largest of several.
  Formula maximumOf(llvm::ArrayRef<Formula> values);
  /// With sums of `a` cut where `other` reads a part of an argument.
  Formula cut(const Formula &a, const Formula &other);

  /// True if they are equal, `claimed` read under `binding`.
  bool isSame(const Formula &claimed, const Formula &computed,
              Binding binding = Binding());

  /// A label of the same size for each.
  Substitution freshNames(llvm::ArrayRef<Label> labels);
  Term renameBound(Term term);
  /// exp(a) exp(b) = exp(a + b).
  static void joinExponentials(std::vector<Factor> &factors);
  static Digits labelsOf(llvm::ArrayRef<Label> labels, const Substitution &by);

  /// False if a law could not be applied, or too much was to be done; what was
  /// computed is then worth nothing.
  bool isValid() const { return problem.empty(); }
  void setProblem(const char *why);
  std::string problem;

private:
  friend class Matcher;
  friend class Cutter;

  Formula fail(const char *why);
  bool isSpent(size_t work = 1);
  int64_t most(const Index &index) const;
  bool isPartitionBy(Index number, const std::vector<Conditions> &cases,
                     const Conditions &domain);
  /// What bound labels become that a condition alone leaves less of.
  Substitution narrow(Digits &over, Conditions &where);
  void simplify(Below &condition) const;
  Factor substitute(Factor factor, const Substitution &by);
  FormulaRef substitute(const FormulaRef &a, const Substitution &by);
  std::optional<Term> substitute(Term term, const Substitution &by);
  std::optional<Term> multiply(const Term &a, const Term &b);
  void liftInnerMaximum(Factor &outer);
  void joinFactors(std::vector<Factor> &factors, Scalar &scale);
  Formula power(Term term, const Fraction &exponent);
  static void splitExponential(Term &term);
  Formula powerOfPart(Term part, const Fraction &exponent);
  static bool isNonNegative(const Factor &factor);
  static bool isNonNegative(const Formula &a);
  /// With groups to positive integer powers multiplied out, and tidied.
  Formula expand(const Formula &a);
  Formula expand(Term term);
  void tidy(Term &term);

  std::vector<int64_t> sizes;
  size_t work = 0;
};

} // namespace mirage::certificate

#endif // MIRAGE_LIB_VERIFY_CERTIFICATE_FORMULA_H
