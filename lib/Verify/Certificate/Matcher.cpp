//===- Matcher.cpp - Is a claimed formula the computed one? ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Walks both formulas side by side. A bound label of the claim is bound to an
// index of the other side where an access shows which; all its other places
// must then agree. Where several factors could be meant they are tried in turn;
// below them the first way that fits is taken, so a right claim may be refused,
// and a wrong one is not accepted.
//
//===----------------------------------------------------------------------===//

#include "Formula.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage::certificate;

namespace mirage::certificate {

class Matcher {
public:
  Matcher(Algebra &algebra, Binding binding)
      : algebra(algebra), binding(std::move(binding)) {}

  /// computed = quotient * claimed, for a constant quotient.
  bool matchFormula(const Formula &claimed, const Formula &computed,
                    Scalar &quotient);
  bool matchEqual(const Formula &claimed, const Formula &computed);
  /// computed^r = quotient * claimed^r, for the exponents r that they have.
  bool matchFactor(const Factor &claimed, const Factor &computed,
                   Scalar &quotient);

private:
  bool matchTerm(const Term &claimed, const Term &computed, Scalar &quotient);
  bool matchFactors(llvm::ArrayRef<Factor> claimed,
                    llvm::ArrayRef<Factor> computed, Scalar &quotient);
  bool matchOperands(const Factor &claimed, const Factor &computed);
  bool matchInAnyOrder(const Factor &claimed, const Factor &computed);
  bool matchGroup(const Factor &claimed, const Factor &computed,
                  Scalar &quotient);
  bool matchMaximum(const Factor &claimed, const Factor &computed);
  bool matchIndex(const Index &claimed, const Index &computed);
  bool take(Label label, int64_t stride, Index &rest);
  void matchConditions(const Conditions &claimed, const Conditions &computed);
  bool cancel(std::vector<const Term *> terms);

  void enter(llvm::ArrayRef<Label> claimed, llvm::ArrayRef<Label> computed);
  bool leave(llvm::ArrayRef<Label> claimed, llvm::ArrayRef<Label> computed,
             const Conditions &claimedWhere, const Conditions &computedWhere);

  Algebra &algebra;
  Binding binding;
  unsigned scope = 0;
};

} // namespace mirage::certificate

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

void Matcher::enter(llvm::ArrayRef<Label> claimed,
                    llvm::ArrayRef<Label> computed) {
  ++scope;
  for (Label label : claimed) {
    binding.known.erase(label);
    binding.unknown[label] = scope;
  }
  for (Label label : computed)
    binding.open[label] = scope;
}

/// Labels that only conditions have are bound where two look the same.
void Matcher::matchConditions(const Conditions &claimed,
                              const Conditions &computed) {
  for (const Below &condition : claimed)
    for (const Below &other : computed) {
      bool isBound = llvm::none_of(condition.at.digits, [&](auto &digit) {
        return binding.unknown.count(digit.first) != 0;
      });
      if (isBound)
        break;
      Binding before = binding;
      if (condition.extent != other.extent ||
          !matchIndex(condition.at, other.at))
        binding = std::move(before);
    }
}

/// All labels must have found each other, and what the claim says of its
/// labels, that they are in their range and its conditions, must be the
/// conditions of the other side.
bool Matcher::leave(llvm::ArrayRef<Label> claimed,
                    llvm::ArrayRef<Label> computed,
                    const Conditions &claimedWhere,
                    const Conditions &computedWhere) {
  auto isIn = [](const auto &labels) {
    return [&](Label label) { return labels.count(label) != 0; };
  };
  matchConditions(claimedWhere, computedWhere);
  if (llvm::any_of(claimed, isIn(binding.unknown)) ||
      llvm::any_of(computed, isIn(binding.open)))
    return false;
  std::optional<Conditions> expected =
      algebra.substitute(claimedWhere, binding.known);
  for (Label label : claimed)
    if (!expected || !algebra.conjoin(*expected, {algebra.size(label),
                                                  binding.known.at(label)}))
      return false;
  for (Label label : claimed)
    binding.known.erase(label);
  return expected->size() == computedWhere.size() &&
         llvm::all_of(computedWhere, [&](const Below &condition) {
           return llvm::is_contained(*expected, condition);
         });
}

/// Binds `label` to what is left of an index in multiples of its stride: a
/// number that open digits write, which reaches all of the label's.
bool Matcher::take(Label label, int64_t stride, Index &rest) {
  unsigned owner = binding.unknown[label];
  Index image;
  image.offset = rest.offset / stride;
  for (auto [digit, own] : rest.digits) {
    if (own < stride)
      continue;
    auto it = binding.open.find(digit);
    if (own % stride != 0 || it == binding.open.end() || it->second != owner)
      return false;
    binding.open.erase(it);
    image.digits.push_back({digit, own / stride});
  }
  algebra.addTo(rest, image, -stride);
  std::optional<Digits> digits = algebra.digitsOf(image);
  if (!digits || image.offset > 0 ||
      algebra.most(image) < algebra.size(label) - 1)
    return false;
  binding.unknown.erase(label);
  binding.known[label] = std::move(image);
  return true;
}

bool Matcher::matchIndex(const Index &claimed, const Index &computed) {
  Index rest = computed, known = claimed;
  llvm::SmallVector<std::pair<Label, int64_t>> unknown;
  llvm::copy_if(claimed.digits, std::back_inserter(unknown),
                [&](const auto &digit) {
                  return binding.unknown.count(digit.first) != 0;
                });
  llvm::erase_if(known.digits, [&](const auto &digit) {
    return llvm::is_contained(unknown, digit);
  });
  algebra.addTo(rest, algebra.substitute(known, binding.known), -1);
  for (auto [label, stride] : unknown)
    if (!take(label, stride, rest))
      return false;
  return rest == Index();
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

bool Matcher::matchOperands(const Factor &claimed, const Factor &computed) {
  if (claimed.operands.size() != computed.operands.size())
    return false;
  for (auto [a, b] : llvm::zip_equal(claimed.operands, computed.operands))
    if (!matchEqual(*a, *b))
      return false;
  return true;
}

bool Matcher::matchInAnyOrder(const Factor &claimed, const Factor &computed) {
  std::vector<FormulaRef> left = computed.operands;
  for (const FormulaRef &operand : claimed.operands) {
    Binding before = binding;
    auto it = llvm::find_if(left, [&](const FormulaRef &other) {
      binding = before;
      return matchEqual(*operand, *other);
    });
    if (it == left.end())
      return false;
    left.erase(it);
  }
  return left.empty();
}

bool Matcher::matchGroup(const Factor &claimed, const Factor &computed,
                         Scalar &quotient) {
  Scalar ratio;
  if (!matchFormula(*claimed.operands.front(), *computed.operands.front(),
                    ratio))
    return false;
  std::optional<Scalar> outside = ratio.power(computed.exponent);
  if (outside)
    quotient = quotient * *outside;
  return outside.has_value();
}

bool Matcher::matchMaximum(const Factor &claimed, const Factor &computed) {
  enter(claimed.over, computed.over);
  return matchInAnyOrder(claimed, computed) &&
         leave(claimed.over, computed.over, claimed.where, computed.where);
}

bool Matcher::matchFactor(const Factor &claimed, const Factor &computed,
                          Scalar &quotient) {
  if (claimed.kind != computed.kind || claimed.symbol != computed.symbol)
    return false;
  switch (claimed.kind) {
  case Factor::Kind::Read:
    if (claimed.at.size() != computed.at.size())
      return false;
    for (auto [a, b] : llvm::zip_equal(claimed.at, computed.at))
      if (!matchIndex(a, b))
        return false;
    return true;
  case Factor::Kind::Apply:
  case Factor::Kind::Exp:
    return matchOperands(claimed, computed);
  case Factor::Kind::Group:
    return matchGroup(claimed, computed, quotient);
  case Factor::Kind::Max:
    return matchMaximum(claimed, computed);
  }
  return false;
}

/// Matches the first of `claimed` with each of `computed` in turn, and the rest
/// with what is left.
bool Matcher::matchFactors(llvm::ArrayRef<Factor> claimed,
                           llvm::ArrayRef<Factor> computed, Scalar &quotient) {
  if (claimed.empty())
    return computed.empty();
  for (size_t i = 0; i < computed.size(); ++i) {
    if (algebra.isSpent() || claimed.front().exponent != computed[i].exponent)
      continue;
    Binding before = binding;
    Scalar product = quotient;
    if (matchFactor(claimed.front(), computed[i], product)) {
      std::vector<Factor> others(computed);
      others.erase(others.begin() + i);
      if (matchFactors(claimed.drop_front(), others, product)) {
        quotient = product;
        return true;
      }
    }
    binding = std::move(before);
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

bool Matcher::matchTerm(const Term &claimed, const Term &computed,
                        Scalar &quotient) {
  if (claimed.factors.size() != computed.factors.size())
    return false;
  Binding before = binding;
  enter(claimed.over, computed.over);
  // An element that is read shows best what its labels are, an exponent worst.
  auto rank = [](const Factor &factor) {
    bool isRead = factor.kind == Factor::Kind::Read;
    return isRead ? 0 : factor.kind == Factor::Kind::Exp ? 2 : 1;
  };
  std::vector<Factor> factors;
  for (int wanted : {0, 1, 2})
    llvm::copy_if(claimed.factors, std::back_inserter(factors),
                  [&](const Factor &factor) { return rank(factor) == wanted; });
  Scalar product = computed.scale;
  bool isMatch =
      matchFactors(factors, computed.factors, product) &&
      leave(claimed.over, computed.over, claimed.where, computed.where);
  std::optional<Scalar> inverse = claimed.scale.power(-1);
  if (isMatch && inverse)
    quotient = product * *inverse;
  else
    binding = std::move(before);
  return isMatch && inverse;
}

/// True if the terms add up to 0.
bool Matcher::cancel(std::vector<const Term *> terms) {
  while (!terms.empty()) {
    const Term *first = terms.front();
    Fraction sum = 0;
    bool isKnown = true;
    llvm::erase_if(terms, [&](const Term *term) {
      Scalar quotient;
      if (!Matcher(algebra, Binding()).matchTerm(*first, *term, quotient))
        return false;
      std::optional<Fraction> value = quotient.asRational();
      isKnown &= value.has_value();
      sum += value.value_or(Fraction(0));
      return true;
    });
    bool isStuck = !terms.empty() && terms.front() == first;
    if (!isKnown || isStuck || sum != Fraction(0))
      return false;
  }
  return true;
}

/// The sum of `scalars` divided by their first.
static std::optional<Fraction> sumOverFirst(llvm::ArrayRef<Scalar> scalars) {
  std::optional<Scalar> inverse = scalars.front().power(-1);
  Fraction sum = 0;
  for (const Scalar &scalar : scalars) {
    std::optional<Fraction> share;
    if (inverse)
      share = (scalar * *inverse).asRational();
    if (!share)
      return std::nullopt;
    sum += *share;
  }
  return sum;
}

bool Matcher::matchFormula(const Formula &claimed, const Formula &computed,
                           Scalar &quotient) {
  if (!algebra.isValid())
    return false;
  quotient = Scalar();
  Formula left = algebra.expand(claimed), right = algebra.expand(computed);
  std::vector<std::vector<Scalar>> found(left.terms.size());
  std::vector<const Term *> others;
  for (const Term &term : right.terms) {
    Scalar scale;
    auto it = llvm::find_if(left.terms, [&](const Term &candidate) {
      return matchTerm(candidate, term, scale);
    });
    if (it == left.terms.end())
      others.push_back(&term);
    else
      found[it - left.terms.begin()].push_back(scale);
  }
  if (!cancel(others))
    return false;
  for (auto [i, scalars] : llvm::enumerate(found)) {
    std::optional<Fraction> sum;
    if (!scalars.empty())
      sum = sumOverFirst(scalars);
    if (!sum || *sum == Fraction(0))
      return false;
    Scalar whole = scalars.front() * Scalar(*sum);
    if (i == 0) {
      quotient = whole;
      continue;
    }
    std::optional<Scalar> inverse = quotient.power(-1);
    if (!inverse || (whole * *inverse).asRational() != Fraction(1))
      return false;
  }
  return true;
}

bool Matcher::matchEqual(const Formula &claimed, const Formula &computed) {
  Scalar quotient;
  return matchFormula(claimed, computed, quotient) &&
         quotient.asRational() == Fraction(1);
}

//===----------------------------------------------------------------------===//
// What the algebra asks
//===----------------------------------------------------------------------===//

bool Algebra::isSame(const Formula &claimed, const Formula &computed,
                     Binding binding) {
  return Matcher(*this, std::move(binding)).matchEqual(claimed, computed) &&
         isValid();
}

void Algebra::joinFactors(std::vector<Factor> &factors, Scalar &scale) {
  joinExponentials(factors);
  for (size_t i = 0; i < factors.size(); ++i)
    for (size_t j = factors.size(); --j > i;) {
      Scalar quotient;
      if (!Matcher(*this, Binding())
               .matchFactor(factors[i], factors[j], quotient))
        continue;
      factors[i].exponent += factors[j].exponent;
      scale = scale * quotient;
      factors.erase(factors.begin() + j);
    }
  llvm::erase_if(factors, [](const Factor &factor) {
    return factor.exponent == Fraction(0);
  });
}
