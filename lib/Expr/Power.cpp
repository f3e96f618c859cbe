//===- Power.cpp - Powers of expressions ----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Powers, and what is known about signs. A root of a product is the product of
// the roots only where no factor is negative: sqrt(x^2) is not x.

#include "mirage/Expr/Expression.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace mirage;

static bool isEvenRoot(Rational exponent) {
  return exponent.denominator() % 2 == 0;
}

bool ExprContext::isNonNegative(const Factor &factor) const {
  // x^2, and x^(1/2) wherever it is defined.
  if (factor.exponent.numerator() % 2 == 0 || isEvenRoot(factor.exponent))
    return true;
  const Atom &a = atoms[factor.atom];
  if (a.kind == AtomKind::Function)
    return a.symbol == expFunction;
  if (a.kind == AtomKind::Sum || a.kind == AtomKind::Extremum)
    return isNonNegative(a.arguments[0]);
  return false;
}

bool ExprContext::isNonNegative(ExprId e) const {
  return llvm::all_of(exprs[e].terms, [&](const Term &term) {
    return !term.coefficient.isNegative() &&
           llvm::all_of(monomials[term.monomial].factors,
                        [&](const Factor &f) { return isNonNegative(f); });
  });
}

// Factors that share bound labels belong together: splits a term into the
// factors of S_{k} x[k] * S_{j} y[j] * z.
static llvm::SmallVector<std::pair<LabelList, llvm::SmallVector<Factor, 4>>>
splitComponents(const ExprContext &context, llvm::ArrayRef<LabelId> bound,
                llvm::ArrayRef<Factor> factors) {
  llvm::SmallVector<std::pair<LabelList, llvm::SmallVector<Factor, 4>>> parts;
  for (const Factor &factor : factors) {
    LabelList labels;
    for (LabelId label : context.atom(factor.atom).free)
      if (llvm::is_contained(bound, label))
        labels.push_back(label);
    llvm::SmallVector<Factor, 4> members = {factor};
    for (size_t i = 0; i < parts.size();) {
      bool shared = llvm::any_of(parts[i].first, [&](LabelId l) {
        return llvm::is_contained(labels, l);
      });
      if (!shared) {
        ++i;
        continue;
      }
      for (LabelId label : parts[i].first)
        if (!llvm::is_contained(labels, label))
          labels.push_back(label);
      members.append(parts[i].second);
      parts.erase(parts.begin() + i);
    }
    parts.push_back({labels, members});
  }
  return parts;
}

// (S_{bound} factors)^exponent where the group cannot be split.
ExprId ExprContext::powerOfGroup(RawMonomial group, Rational exponent) {
  if (group.bound.empty() && group.factors.size() == 1) {
    Factor factor = group.factors[0];
    bool sameSign = exponent.isInteger() || isEvenRoot(factor.exponent) ||
                    factor.exponent.numerator() % 2 != 0;
    const Atom &a = atoms[factor.atom];
    if (!sameSign && a.kind != AtomKind::Access)
      sameSign = isNonNegative({factor.atom, 1});
    if (sameSign) {
      factor.exponent = factor.exponent * exponent;
      group.factors[0] = factor;
      return normalize(std::move(group), 1);
    }
  }
  return asSumFactor(normalize(std::move(group), 1), exponent);
}

// exp(x_k - m) = exp(x_k) exp(-m): what is free of the bound labels may leave.
void ExprContext::splitExponential(Monomial &monomial) {
  for (Factor &factor : monomial.factors) {
    const Atom a = atoms[factor.atom];
    if (a.kind != AtomKind::Function || a.symbol != expFunction)
      continue;
    ExprId inside = zeroId, outside = zeroId;
    const Expr argument = exprs[a.arguments[0]];
    for (const Term &term : argument.terms) {
      bool depends =
          llvm::any_of(monomials[term.monomial].free, [&](LabelId label) {
            return llvm::is_contained(monomial.bound, label);
          });
      ExprId &side = depends ? inside : outside;
      side = add(side, fromTerm(term));
    }
    if (inside == zeroId || outside == zeroId)
      return;
    auto atomOf = [&](ExprId argument) {
      return internAtom(
          {AtomKind::Function, expFunction, {}, {argument}, {}, 0});
    };
    factor.atom = atomOf(inside);
    monomial.factors.push_back({atomOf(outside), 1});
    return;
  }
}

ExprId ExprContext::powerOfTerm(const Term &term, Rational exponent) {
  bool isInteger = exponent.isInteger();
  Coefficient outside = term.coefficient;
  bool negative = outside.isNegative();
  if (negative && !isInteger)
    outside = -outside;
  ExprId result = constant(outside.power(exponent));

  Monomial copy = monomials[term.monomial];
  splitExponential(copy);
  RawMonomial rest; // what may be negative stays together under a root
  for (auto &[labels, factors] :
       splitComponents(*this, copy.bound, copy.factors)) {
    bool separate =
        isInteger || llvm::all_of(factors, [&](const Factor &factor) {
          return isNonNegative(factor);
        });
    if (!separate) {
      rest.bound.append(labels);
      rest.factors.append(factors);
      continue;
    }
    // Canonical names of a part differ from those it has in the whole.
    ExprId part = product(labels, factors);
    if (!valid)
      return zeroId; // after too much work there is no term to look at
    RawMonomial group{monomials[exprs[part].terms[0].monomial].bound,
                      monomials[exprs[part].terms[0].monomial].factors};
    if (group.bound.empty())
      for (const Factor &factor : group.factors)
        result = multiply(result, powerOfGroup({{}, {factor}}, exponent));
    else
      result = multiply(result, asSumFactor(part, exponent));
  }
  if (rest.factors.empty() && !(negative && !isInteger))
    return result;
  ExprId inside = product(rest.bound, rest.factors);
  if (!valid)
    return zeroId;
  if (negative && !isInteger)
    return multiply(result, asSumFactor(scale(inside, Rational(-1)), exponent));
  const Monomial &inner = monomials[exprs[inside].terms[0].monomial];
  return multiply(result, powerOfGroup({inner.bound, inner.factors}, exponent));
}

ExprId ExprContext::power(ExprId e, Rational exponent) {
  FreshScope scope(*this);
  if (exponent.isOne())
    return e;
  if (exponent.isZero())
    return oneId;
  if (e == zeroId) {
    if (exponent.isNegative())
      valid = false;
    return zeroId;
  }
  if (exprs[e].terms.size() == 1)
    return powerOfTerm(Term(exprs[e].terms[0]), exponent);
  // A positive scalar leaves; the first coefficient becomes 1 or -1.
  Coefficient first = exprs[e].terms.front().coefficient;
  if (first.isNegative() && !exponent.isInteger())
    first = -first;
  ExprId base = scale(e, first.power(-1));
  return scale(asSumFactor(base, exponent), first.power(exponent));
}
