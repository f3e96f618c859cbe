//===- Algebra.cpp - The laws of the checker ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Formula.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage::certificate;
using llvm::ArrayRef;

/// Steps after which the checker gives up.
static constexpr size_t maxWork = 1'000'000;
/// Groups to larger powers are not multiplied out.
static constexpr int64_t maxExpandedPower = 8;

Formula Algebra::fail(const char *why) {
  setProblem(why);
  return Formula();
}

void Algebra::setProblem(const char *why) {
  if (problem.empty())
    problem = why;
}

bool Algebra::isSpent(size_t amount) {
  work += amount;
  if (work > maxWork)
    setProblem("it takes too many steps");
  return !isValid();
}

//===----------------------------------------------------------------------===//
// Labels
//===----------------------------------------------------------------------===//

static void addFree(std::set<Label> &free, const Index &index) {
  for (auto [label, stride] : index.digits)
    free.insert(label);
}

static void addFree(std::set<Label> &free, const Conditions &conditions) {
  for (const Below &condition : conditions)
    addFree(free, condition.at);
}

static void addFree(std::set<Label> &free, const Factor &factor) {
  for (const Index &index : factor.at)
    addFree(free, index);
  std::set<Label> inside;
  for (const FormulaRef &operand : factor.operands)
    inside.insert(operand->free.begin(), operand->free.end());
  addFree(inside, factor.where);
  for (Label label : factor.over)
    inside.erase(label);
  free.insert(inside.begin(), inside.end());
}

std::set<Label> mirage::certificate::freeLabels(const Factor &factor) {
  std::set<Label> free;
  addFree(free, factor);
  return free;
}

std::set<Label> mirage::certificate::freeLabels(const Index &index) {
  std::set<Label> free;
  addFree(free, index);
  return free;
}

FormulaRef mirage::certificate::share(Formula formula) {
  formula.free.clear();
  for (const Term &term : formula.terms) {
    std::set<Label> free;
    addFree(free, term.where);
    for (const Factor &factor : term.factors)
      addFree(free, factor);
    for (Label label : term.over)
      free.erase(label);
    formula.free.insert(free.begin(), free.end());
  }
  return std::make_shared<const Formula>(std::move(formula));
}

//===----------------------------------------------------------------------===//
// Substitution
//===----------------------------------------------------------------------===//

Substitution Algebra::freshNames(ArrayRef<Label> labels) {
  Substitution fresh;
  for (Label label : labels)
    fresh[label] = Index{0, {{addLabel(sizes[label]), 1}}};
  return fresh;
}

Digits Algebra::labelsOf(ArrayRef<Label> labels, const Substitution &by) {
  Digits result;
  for (Label label : labels)
    for (auto [image, stride] : by.at(label).digits)
      result.push_back(image);
  return result;
}

Factor Algebra::substitute(Factor factor, const Substitution &by) {
  for (Index &index : factor.at)
    index = substitute(index, by);
  for (FormulaRef &operand : factor.operands)
    operand = substitute(operand, by);
  if (std::optional<Conditions> where = substitute(factor.where, by))
    factor.where = std::move(*where);
  else
    setProblem("a maximum of nothing");
  return factor;
}

FormulaRef Algebra::substitute(const FormulaRef &a, const Substitution &by) {
  if (!a || llvm::none_of(by, [&](const auto &entry) {
        return a->free.count(entry.first) != 0;
      }))
    return a;
  return share(substitute(*a, by));
}

/// None if its conditions can no longer hold: it is 0 then.
std::optional<Term> Algebra::substitute(Term term, const Substitution &by) {
  std::optional<Conditions> where = substitute(term.where, by);
  if (isSpent(1 + term.factors.size()) || !where)
    return std::nullopt;
  for (Factor &factor : term.factors)
    factor = substitute(std::move(factor), by);
  // Labels that become numbers make factors equal.
  if (llvm::any_of(by, [](auto &entry) { return entry.second.digits.empty(); }))
    joinFactors(term.factors, term.scale);
  term.where = std::move(*where);
  return term;
}

Formula Algebra::substitute(const Formula &a, const Substitution &by) {
  Formula result;
  for (const Term &term : a.terms)
    if (std::optional<Term> changed = substitute(term, by))
      result.terms.push_back(std::move(*changed));
  return result;
}

Term Algebra::renameBound(Term term) {
  if (term.over.empty())
    return term;
  Substitution fresh = freshNames(term.over);
  term.over = labelsOf(term.over, fresh);
  return substitute(std::move(term), fresh).value_or(Term());
}

//===----------------------------------------------------------------------===//
// Sums and products
//===----------------------------------------------------------------------===//

Formula Algebra::constant(const Scalar &value) {
  Formula result;
  if (!value.isZero())
    result.terms.emplace_back().scale = value;
  return result;
}

Formula Algebra::ofFactor(Factor factor) {
  Formula result;
  result.terms.emplace_back().factors.push_back(std::move(factor));
  return result;
}

Formula Algebra::add(Formula a, const Formula &b) {
  a.terms.insert(a.terms.end(), b.terms.begin(), b.terms.end());
  return a;
}

Formula Algebra::scale(Formula a, const Scalar &by) {
  if (by.isZero())
    return Formula();
  for (Term &term : a.terms)
    term.scale = term.scale * by;
  return a;
}

Formula Algebra::exp(Formula a) {
  Factor factor;
  factor.kind = Factor::Kind::Exp;
  factor.operands.push_back(share(std::move(a)));
  return ofFactor(std::move(factor));
}

void Algebra::joinExponentials(std::vector<Factor> &factors) {
  auto isExp = [](const Factor &f) { return f.kind == Factor::Kind::Exp; };
  if (llvm::count_if(factors, isExp) < 2)
    return;
  Formula exponent;
  for (const Factor &factor : factors)
    if (isExp(factor))
      exponent = add(std::move(exponent), *factor.operands.front());
  llvm::erase_if(factors, isExp);
  llvm::append_range(factors, exp(std::move(exponent)).terms.front().factors);
}

/// None if their conditions contradict.
std::optional<Term> Algebra::multiply(const Term &a, const Term &b) {
  Term result = renameBound(a), other = renameBound(b);
  if (!conjoin(result.where, other.where))
    return std::nullopt;
  result.scale = result.scale * other.scale;
  result.over.append(other.over);
  llvm::append_range(result.factors, other.factors);
  joinFactors(result.factors, result.scale);
  return result;
}

Formula Algebra::multiply(const Formula &a, const Formula &b) {
  Formula result;
  for (const Term &x : a.terms)
    for (const Term &y : b.terms) {
      if (isSpent(1 + x.factors.size() + y.factors.size()))
        return Formula();
      if (std::optional<Term> term = multiply(x, y))
        result.terms.push_back(std::move(*term));
    }
  return result;
}

Substitution Algebra::narrow(Digits &over, Conditions &where) {
  Substitution bound;
  for (auto &[label, number] : fixed(where))
    if (llvm::is_contained(over, label))
      bound[label] = number;
  for (const Below &condition : where) {
    auto [label, stride] = condition.at.digits.front();
    bool isWindow = condition.at.digits.size() == 1 && stride == 1 &&
                    condition.extent > 1 && llvm::is_contained(over, label);
    if (isWindow)
      bound[label] =
          Index{-condition.at.offset, {{addLabel(condition.extent), 1}}};
  }
  Digits left;
  for (Label label : over) {
    auto it = bound.find(label);
    if (it == bound.end())
      left.push_back(label);
    else if (!it->second.digits.empty())
      left.push_back(it->second.digits.front().first);
  }
  over = std::move(left);
  // Conditions that hold for all that is left are met.
  if (std::optional<Conditions> rest = substitute(where, bound))
    where = std::move(*rest);
  return bound;
}

Formula Algebra::sum(const Formula &a, ArrayRef<Label> over, Conditions where) {
  Formula result;
  for (const Term &term : a.terms) {
    Term summed = renameBound(term);
    summed.over.append(over.begin(), over.end());
    if (!conjoin(summed.where, where))
      continue;
    Substitution left = narrow(summed.over, summed.where);
    if (std::optional<Term> part = substitute(std::move(summed), left))
      result.terms.push_back(renameBound(std::move(*part)));
  }
  return result;
}

const Factor *mirage::certificate::onlyFactor(const Formula &a) {
  if (a.terms.size() != 1)
    return nullptr;
  const Term &term = a.terms.front();
  bool isAlone = term.factors.size() == 1 && term.over.empty() &&
                 term.where.empty() && term.scale.roots.empty() &&
                 term.scale.rational == Fraction(1) &&
                 term.factors.front().exponent == Fraction(1);
  return isAlone ? &term.factors.front() : nullptr;
}

// A maximum of a maximum is one.
void Algebra::liftInnerMaximum(Factor &outer) {
  const Factor *inner = onlyFactor(*outer.operands.front());
  if (!inner || inner->kind != Factor::Kind::Max ||
      inner->operands.size() > 1 || !conjoin(outer.where, inner->where))
    return;
  outer.over.append(inner->over);
  outer.operands = std::vector<FormulaRef>(inner->operands);
}

Formula Algebra::maximum(const Formula &a, ArrayRef<Label> over,
                         Conditions where) {
  Factor factor;
  factor.kind = Factor::Kind::Max;
  factor.operands.push_back(share(a));
  factor.where = std::move(where);
  factor.over.assign(over.begin(), over.end());
  liftInnerMaximum(factor);
  Substitution left = narrow(factor.over, factor.where);
  factor = substitute(std::move(factor), left);
  std::set<Label> used = factor.operands.front()->free;
  addFree(used, factor.where);
  llvm::erase_if(factor.over, [&](Label l) { return !used.count(l); });
  if (factor.over.empty() && factor.where.empty())
    return *factor.operands.front();
  Substitution fresh = freshNames(factor.over);
  factor.over = labelsOf(factor.over, fresh);
  return ofFactor(substitute(std::move(factor), fresh));
}

Formula Algebra::maximumOf(llvm::ArrayRef<Formula> values) {
  Factor factor;
  factor.kind = Factor::Kind::Max;
  auto add = [&](const FormulaRef &value) {
    if (llvm::none_of(factor.operands, [&](const FormulaRef &known) {
          return isSame(*known, *value);
        }))
      factor.operands.push_back(value);
  };
  for (const Formula &value : values) {
    const Factor *inner = onlyFactor(value);
    if (inner && inner->kind == Factor::Kind::Max && inner->operands.size() > 1)
      llvm::for_each(inner->operands, add);
    else
      add(share(value));
  }
  return factor.operands.size() == 1 ? *factor.operands.front()
                                     : ofFactor(std::move(factor));
}

//===----------------------------------------------------------------------===//
// Tidying
//===----------------------------------------------------------------------===//

void Algebra::tidy(Term &term) {
  llvm::erase_if(term.factors, [&](const Factor &factor) {
    return factor.exponent == Fraction(0) ||
           (factor.kind == Factor::Kind::Exp &&
            isSame(Formula(), *factor.operands.front()));
  });

  std::set<Label> used;
  for (const Factor &factor : term.factors)
    addFree(used, factor);
  std::map<Label, unsigned> conditions;
  for (const Below &condition : term.where)
    for (auto [label, stride] : condition.at.digits)
      ++conditions[label];
  llvm::erase_if(term.where, [&](const Below &condition) {
    std::optional<Digits> digits = digitsOf(condition.at);
    bool isAlone = digits && llvm::all_of(*digits, [&](Label label) {
                     return llvm::is_contained(term.over, label) &&
                            !used.count(label) && conditions[label] == 1;
                   });
    if (!isAlone)
      return false;
    // Conditions have bounds that digits can reach.
    term.scale = term.scale * Scalar(condition.extent);
    llvm::erase_if(term.over, [&](Label label) {
      return llvm::is_contained(*digits, label);
    });
    return true;
  });
  addFree(used, term.where);
  llvm::erase_if(term.over, [&](Label label) {
    if (used.count(label))
      return false;
    term.scale = term.scale * Scalar(sizes[label]);
    return true;
  });
}

Formula Algebra::expand(Term term) {
  auto group = llvm::find_if(term.factors, [](const Factor &factor) {
    return factor.kind == Factor::Kind::Group && isInteger(factor.exponent) &&
           factor.exponent > Fraction(0) &&
           factor.exponent <= Fraction(maxExpandedPower);
  });
  Formula result;
  if (group == term.factors.end()) {
    tidy(term);
    result.terms.push_back(std::move(term));
    return result;
  }
  FormulaRef inside = group->operands.front();
  group->exponent = group->exponent - Fraction(1);
  if (group->exponent == Fraction(0))
    term.factors.erase(group);
  for (const Term &summand : inside->terms) {
    if (isSpent())
      return Formula();
    if (std::optional<Term> product = multiply(term, summand))
      result = add(std::move(result), expand(std::move(*product)));
  }
  return result;
}

Formula Algebra::expand(const Formula &a) {
  Formula result;
  for (const Term &term : a.terms)
    result = add(std::move(result), expand(term));
  return result;
}
