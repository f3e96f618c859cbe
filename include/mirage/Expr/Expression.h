//===- Expression.h - Exact indexed expressions -----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a tensor program computes, element by element, in a normal form.
//
// Each dim of a program carries a *label* with a size. An expression is a sum
// of terms; a term is
//
//     coefficient * S_{labels} factor^exponent * factor^exponent * ...
//
// and a factor is
//
//   Access     X[m,k]: an element of a tensor;
//   Function   f(e, ..): exp, or an uninterpreted function;
//   Sum        an expression that is raised to a power and kept as it is;
//   Extremum   max_{labels} e or min_{labels} e, uninterpreted.
//
// The normal form of rms_norm(X) W, with m and n free:
//
//     64 * (S_{a} X[m,a]^2)^(-1/2) * S_{b} X[m,b] * W[b,n]     (64 = sqrt 4096)
//
//   rule                                           why
//   products distribute over sums                  the norm leaves the matmul
//   a sum is flat: S_k x * S_j y = S_{k,j} x y     order of sums is forgotten
//   a label that no factor has gives its size      S_k 1 = n
//   equal factors add exponents                    x / x cancels
//   exp(x) exp(y) = exp(x + y)                     a maximum leaves an exponent
//   (c x y)^r = c^r x^r y^r where signs allow      scalars and factors leave
//   powers sums under powers stay                         expanding them
//   explodes bound labels have canonical names              equal means
//   identical
//
// So equal normal forms are a proof of equality over the reals (where both
// sides are defined). Unequal ones may still be equal, because sums under
// powers are not expanded; `Fingerprint.h` decides that. Everything is
// hash-consed: equal expressions of one context have the same id.
//
// Canonical names: a bound label is (height, size, number) with height one more
// than that of any bound label inside the term, so names never clash with what
// is put in later; numbers of labels of one size are chosen to make the list of
// factors least.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_EXPR_EXPRESSION_H
#define MIRAGE_EXPR_EXPRESSION_H

#include "mirage/Expr/Coefficient.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace mirage {

using LabelId = uint32_t;
using AtomId = uint32_t;
using MonomialId = uint32_t;
using ExprId = uint32_t;

/// A dim of extent 1: it has no label.
inline constexpr LabelId noLabel = ~0u;

using LabelList = llvm::SmallVector<LabelId, 4>;
/// Simultaneous renaming of free labels.
using LabelMap = llvm::SmallDenseMap<LabelId, LabelId, 4>;

struct Label {
  int64_t size;
  unsigned height = 0; ///< 0: free label of a program.
  unsigned number = 0;
};

enum class AtomKind : uint8_t { Access, Function, Sum, Extremum };
enum class ExtremumKind : uint32_t { Max, Min };

struct Atom {
  AtomKind kind;
  uint32_t symbol;  ///< tensor, function or ExtremumKind.
  LabelList labels; ///< indices of an access, bound labels of an extremum.
  llvm::SmallVector<ExprId, 2> arguments;
  LabelList free; ///< sorted.
  unsigned height = 0;
};

struct Factor {
  AtomId atom;
  Rational exponent;
  bool operator==(const Factor &other) const {
    return atom == other.atom && exponent == other.exponent;
  }
};

struct Monomial {
  LabelList bound;                      ///< sorted.
  llvm::SmallVector<Factor, 4> factors; ///< by atom.
  LabelList free;
  unsigned height = 0;
};

struct Term {
  Coefficient coefficient;
  MonomialId monomial;
};

struct Expr {
  llvm::SmallVector<Term, 2> terms; ///< by monomial; none: zero.
  LabelList free;
  unsigned height = 0;
};

class ExprContext {
public:
  ExprContext();

  // Labels.
  LabelId addLabel(int64_t size);
  const Label &label(LabelId id) const { return labels[id]; }
  int64_t size(LabelId id) const { return labels[id].size; }

  // Building. All results are in normal form.
  ExprId zero() const { return zeroId; }
  ExprId one() const { return oneId; }
  ExprId constant(const Coefficient &value);
  ExprId access(uint32_t tensor, llvm::ArrayRef<LabelId> indices);
  ExprId add(ExprId a, ExprId b);
  ExprId subtract(ExprId a, ExprId b) { return add(a, scale(b, Rational(-1))); }
  ExprId scale(ExprId e, const Coefficient &factor);
  ExprId multiply(ExprId a, ExprId b);
  ExprId divide(ExprId a, ExprId b) { return multiply(a, power(b, -1)); }
  ExprId power(ExprId e, Rational exponent);
  ExprId sum(ExprId e, llvm::ArrayRef<LabelId> over);
  ExprId exp(ExprId e);
  ExprId function(uint32_t function, llvm::ArrayRef<ExprId> arguments);
  ExprId extremum(ExtremumKind kind, ExprId e, llvm::ArrayRef<LabelId> over);

  /// `e` with free labels renamed; sizes must agree.
  ExprId rename(ExprId e, const LabelMap &map);
  AtomId renameAtom(AtomId atom, const LabelMap &map);
  /// `e` with integer powers of sums multiplied out, at top level.
  ExprId expandPowers(ExprId e);
  /// The expression of one term.
  ExprId fromTerm(const Term &term);
  /// S_{bound} of the product of `factors`, whose labels may be anything.
  ExprId product(llvm::ArrayRef<LabelId> bound, llvm::ArrayRef<Factor> factors,
                 const Coefficient &coefficient = 1);
  /// `e` divided by the coefficient of its first term, which is returned.
  std::pair<ExprId, Coefficient> normalizeScale(ExprId e);

  // Reading.
  const Expr &expr(ExprId id) const { return exprs[id]; }
  const Monomial &monomial(MonomialId id) const { return monomials[id]; }
  const Atom &atom(AtomId id) const { return atoms[id]; }
  bool isZero(ExprId e) const { return e == zeroId; }
  /// The value, if `e` is a constant.
  std::optional<Coefficient> asConstant(ExprId e) const;
  /// True if `e` is known to be at least 0 wherever it is defined.
  bool isNonNegative(ExprId e) const;
  bool isNonNegative(const Factor &factor) const;
  std::string str(ExprId e) const;

  /// False once a coefficient did not fit or the work limit was reached;
  /// results are then meaningless.
  bool isValid() const { return valid; }
  /// What `make` gives, or nothing if a coefficient in it did not fit: no other
  /// results are touched by that.
  template <typename Make>
  std::optional<ExprId> attempt(Make make) {
    bool before = valid;
    valid = true;
    ExprId result = make();
    bool isExact = valid;
    valid = before && workCount <= workLimit;
    return isExact ? std::optional(result) : std::nullopt;
  }
  /// Bounds the number of terms that are brought into normal form, an escape
  /// from expressions that grow exponentially. There is no limit at first.
  void setWorkLimit(uint64_t limit) { workLimit = limit; }

  /// The function that `exp` stands for; others are numbered by the caller.
  static constexpr uint32_t expFunction = 0;

private:
  struct KeyHash {
    size_t operator()(const std::vector<uint64_t> &key) const;
  };
  using Interner = std::unordered_map<std::vector<uint64_t>, uint32_t, KeyHash>;
  using TermList = llvm::SmallVector<Term, 4>;
  struct RawMonomial {
    LabelList bound;
    llvm::SmallVector<Factor, 4> factors;
  };

  /// While one is alive, fresh labels differ; afterwards they are used again.
  struct FreshScope {
    explicit FreshScope(ExprContext &context) : context(context) {
      ++context.freshDepth;
    }
    ~FreshScope() {
      if (--context.freshDepth == 0)
        context.freshCount = 0;
    }
    ExprContext &context;
  };

  LabelId boundLabel(unsigned height, int64_t size, unsigned number);
  LabelId freshLabel(int64_t size);
  AtomId internAtom(Atom atom);
  MonomialId internMonomial(const RawMonomial &raw);
  ExprId internExpr(TermList terms);

  void renameFactors(llvm::SmallVectorImpl<Factor> &factors,
                     const LabelMap &map);
  RawMonomial withFreshBound(MonomialId id);
  ExprId normalize(RawMonomial raw, Coefficient coefficient);
  ExprId finish(RawMonomial raw, Coefficient coefficient);
  void nameBoundLabels(RawMonomial &raw);
  void mergeExponentials(llvm::SmallVectorImpl<Factor> &factors);
  ExprId multiplyOut(ExprId a, ExprId b);
  ExprId asSumFactor(ExprId e, Rational exponent);
  void splitExponential(Monomial &monomial);
  ExprId powerOfTerm(const Term &term, Rational exponent);
  ExprId powerOfGroup(RawMonomial group, Rational exponent);
  std::string str(const Monomial &monomial) const;
  std::string labelName(LabelId label) const;

  std::vector<Label> labels;
  std::vector<Atom> atoms;
  std::vector<Monomial> monomials;
  std::vector<Expr> exprs;
  Interner labelIds, atomIds, monomialIds, exprIds;
  /// Counts one more piece of work; true if there was too much.
  bool isSpent() {
    if (++workCount <= workLimit)
      return false;
    valid = false;
    return true;
  }

  ExprId zeroId = 0, oneId = 0;
  uint64_t workCount = 0, workLimit = ~uint64_t{0};
  unsigned freshDepth = 0, freshCount = 0;
  bool valid = true;
};

} // namespace mirage

#endif // MIRAGE_EXPR_EXPRESSION_H
