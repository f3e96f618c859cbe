//===- Matcher.cpp - Is a claimed formula the computed one? ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Walks both formulas side by side. A bound label of the claim is bound to
// digits of the other side where an index shows which; all its other places
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
  bool matchGroup(const Factor &claimed, const Factor &computed,
                  Scalar &quotient);
  bool matchExtremum(const Factor &claimed, const Factor &computed);
  bool matchDigits(llvm::ArrayRef<Label> claimed,
                   llvm::ArrayRef<Label> computed);
  bool take(Label label, bool isWhole, llvm::ArrayRef<Label> &digits);
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

/// All labels must have found their digits, and each condition its reason: the
/// digits of a label that is smaller than what they can write, or a condition
/// of the claim.
bool Matcher::leave(llvm::ArrayRef<Label> claimed,
                    llvm::ArrayRef<Label> computed,
                    const Conditions &claimedWhere,
                    const Conditions &computedWhere) {
  llvm::SmallVector<const Below *> wanted;
  for (const Below &condition : claimedWhere)
    wanted.push_back(&condition);
  for (const Below &condition : computedWhere) {
    bool isRange = llvm::any_of(binding.known, [&](const auto &entry) {
      return algebra.size(entry.first) == condition.extent &&
             entry.second == condition.at;
    });
    if (isRange)
      continue;
    auto *same = llvm::find_if(wanted, [&](const Below *below) {
      return below->extent == condition.extent &&
             matchDigits(below->at, condition.at);
    });
    if (same == wanted.end())
      return false;
    wanted.erase(same);
  }
  if (!wanted.empty() || llvm::any_of(computed, [&](Label label) {
        return binding.open.count(label) != 0;
      }))
    return false;
  for (Label label : claimed) {
    auto it = binding.known.find(label);
    if (it == binding.known.end())
      return false;
    Below range{algebra.size(label), it->second};
    bool hangsOver = algebra.count(it->second) != algebra.size(label);
    if (hangsOver && !llvm::is_contained(computedWhere, range))
      return false;
  }
  for (Label label : claimed)
    binding.known.erase(label);
  return true;
}

/// Binds `label` to the first of `digits`, or to all if it is the whole of an
/// index that may hang over.
bool Matcher::take(Label label, bool isWhole, llvm::ArrayRef<Label> &digits) {
  unsigned owner = binding.unknown[label];
  std::optional<int64_t> all = algebra.count(digits);
  bool takeAll = isWhole && all && *all > algebra.size(label);
  Digits taken;
  int64_t product = 1;
  while (!digits.empty() && (takeAll || product < algebra.size(label))) {
    auto it = binding.open.find(digits.front());
    if (it == binding.open.end() || it->second != owner)
      return false;
    binding.open.erase(it);
    product *= algebra.size(digits.front());
    taken.push_back(digits.front());
    digits = digits.drop_front();
  }
  if (!takeAll && product != algebra.size(label))
    return false;
  binding.unknown.erase(label);
  binding.known[label] = std::move(taken);
  return true;
}

bool Matcher::matchDigits(llvm::ArrayRef<Label> claimed,
                          llvm::ArrayRef<Label> computed) {
  for (Label label : claimed) {
    if (binding.unknown.count(label)) {
      if (!take(label, claimed.size() == 1, computed))
        return false;
      continue;
    }
    auto it = binding.known.find(label);
    Digits expected = it == binding.known.end() ? Digits{label} : it->second;
    if (computed.take_front(expected.size()) != llvm::ArrayRef(expected))
      return false;
    computed = computed.drop_front(expected.size());
  }
  return computed.empty();
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

bool Matcher::matchExtremum(const Factor &claimed, const Factor &computed) {
  enter(claimed.over, computed.over);
  return matchOperands(claimed, computed) &&
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
      if (!matchDigits(a, b))
        return false;
    return true;
  case Factor::Kind::Apply: {
    Binding before = binding;
    if (matchOperands(claimed, computed))
      return true;
    if (!claimed.isCommutative || computed.operands.size() != 2)
      return false;
    binding = std::move(before);
    Factor swapped = computed;
    std::swap(swapped.operands[0], swapped.operands[1]);
    return matchOperands(claimed, swapped);
  }
  case Factor::Kind::Group:
    return matchGroup(claimed, computed, quotient);
  case Factor::Kind::Max:
  case Factor::Kind::Min:
    return matchExtremum(claimed, computed);
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
  if (claimed.factors.size() != computed.factors.size() ||
      !claimed.exponent != !computed.exponent)
    return false;
  Binding before = binding;
  enter(claimed.over, computed.over);
  // An element that is read shows best what its labels are.
  std::vector<Factor> factors;
  for (bool isRead : {true, false})
    for (const Factor &factor : claimed.factors)
      if ((factor.kind == Factor::Kind::Read) == isRead)
        factors.push_back(factor);
  Scalar product = computed.scale;
  bool isMatch =
      matchFactors(factors, computed.factors, product) &&
      (!claimed.exponent ||
       matchEqual(*claimed.exponent, *computed.exponent)) &&
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
