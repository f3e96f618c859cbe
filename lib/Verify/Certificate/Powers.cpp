//===- Powers.cpp - The laws of powers -----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Formula.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage::certificate;

bool Algebra::isNonNegative(const Factor &factor) {
  if (isEven(factor.exponent.num) || isEven(factor.exponent.den) ||
      factor.kind == Factor::Kind::Exp)
    return true;
  return (factor.kind == Factor::Kind::Group ||
          factor.kind == Factor::Kind::Max) &&
         llvm::all_of(factor.operands, [](const FormulaRef &operand) {
           return isNonNegative(*operand);
         });
}

bool Algebra::isNonNegative(const Formula &a) {
  return llvm::all_of(a.terms, [](const Term &term) {
    return !term.scale.isNegative() &&
           llvm::all_of(term.factors,
                        [](const Factor &f) { return isNonNegative(f); });
  });
}

// Takes out of the exponent what does not depend on a bound label.
void Algebra::splitExponential(Term &term) {
  auto factor = llvm::find_if(term.factors, [](const Factor &f) {
    return f.kind == Factor::Kind::Exp;
  });
  if (factor == term.factors.end())
    return;
  Formula inside, outside;
  for (const Term &part : factor->operands.front()->terms) {
    Formula single;
    single.terms.push_back(part);
    FormulaRef shared = share(std::move(single));
    bool depends = llvm::any_of(
        term.over, [&](Label label) { return shared->free.count(label) != 0; });
    (depends ? inside : outside).terms.push_back(part);
  }
  term.factors.erase(factor);
  for (Formula *part : {&inside, &outside})
    if (!part->terms.empty())
      llvm::append_range(term.factors,
                         exp(std::move(*part)).terms.front().factors);
}

namespace {
/// The part of a term whose bound labels no other part has.
struct Part {
  std::set<Label> labels;
  Term term;
  bool isNonNegative = true;
};
} // namespace

static void joinParts(std::vector<Part> &parts, Part part) {
  for (size_t i = 0; i < parts.size();) {
    bool shared = llvm::any_of(part.labels, [&](Label label) {
      return parts[i].labels.count(label) != 0;
    });
    if (!shared) {
      ++i;
      continue;
    }
    Part &other = parts[i];
    part.labels.insert(other.labels.begin(), other.labels.end());
    part.isNonNegative &= other.isNonNegative;
    part.term.where.append(other.term.where);
    llvm::append_range(part.term.factors, other.term.factors);
    parts.erase(parts.begin() + i);
  }
  parts.push_back(std::move(part));
}

// S_{k,j} x_k y_j is S_k x_k times S_j y_j.
static std::vector<Part>
splitParts(const Term &term,
           llvm::function_ref<bool(const Factor &)> isNonNegative) {
  std::vector<Part> parts;
  auto add = [&](Part part, const std::set<Label> &free) {
    for (Label label : term.over)
      if (free.count(label))
        part.labels.insert(label);
    joinParts(parts, std::move(part));
  };
  for (const Factor &factor : term.factors) {
    Part part;
    part.term.factors.push_back(factor);
    part.isNonNegative = isNonNegative(factor);
    add(std::move(part), freeLabels(factor));
  }
  for (const Below &condition : term.where) {
    Part part;
    part.term.where.push_back(condition);
    add(std::move(part), freeLabels(condition.at));
  }
  for (Part &part : parts)
    part.term.over.assign(part.labels.begin(), part.labels.end());
  return parts;
}

Formula Algebra::powerOfPart(Term part, const Fraction &exponent) {
  if (part.over.empty() && !part.where.empty())
    return fail("a power of a condition");
  if (part.over.empty() && part.factors.size() == 1 &&
      !part.scale.isNegative()) {
    Factor factor = part.factors.front();
    if (factor.kind == Factor::Kind::Exp)
      return exp(scale(*factor.operands.front(), exponent));
    Factor base = factor;
    base.exponent = 1;
    bool keepsSign = isInteger(exponent) || isEven(factor.exponent.den) ||
                     !isEven(factor.exponent.num) || isNonNegative(base);
    if (keepsSign) {
      factor.exponent = factor.exponent * exponent;
      return ofFactor(std::move(factor));
    }
  }
  Formula inside;
  inside.terms.push_back(std::move(part));
  Factor group;
  group.kind = Factor::Kind::Group;
  group.operands.push_back(share(std::move(inside)));
  group.exponent = exponent;
  return ofFactor(std::move(group));
}

Formula Algebra::power(Term term, const Fraction &exponent) {
  tidy(term);
  bool isWhole = isInteger(exponent);
  Scalar scale = term.scale;
  bool isFlipped = scale.isNegative() && !isWhole;
  if (isFlipped)
    scale.rational = -scale.rational;
  std::optional<Scalar> scalePower = scale.power(exponent);
  if (!scalePower)
    return fail("a power of a scalar that does not exist");
  splitExponential(term);
  Formula result = constant(*scalePower);
  Term rest; // what may be negative stays together under a root
  for (Part &part : splitParts(
           term, [](const Factor &factor) { return isNonNegative(factor); })) {
    if (isWhole || part.isNonNegative) {
      // Without bound labels each factor is one of its own.
      result = multiply(result, powerOfPart(std::move(part.term), exponent));
      continue;
    }
    rest.over.append(part.term.over);
    rest.where.append(part.term.where);
    llvm::append_range(rest.factors, part.term.factors);
  }
  if (rest.factors.empty() && !isFlipped)
    return result;
  rest.scale = isFlipped ? -1 : 1;
  return multiply(result, powerOfPart(std::move(rest), exponent));
}

Formula Algebra::power(const Formula &a, const Fraction &exponent) {
  if (exponent == Fraction(1))
    return a;
  if (exponent == Fraction(0))
    return constant(1);
  if (a.terms.empty())
    return exponent < Fraction(0) ? fail("a division by zero") : Formula();
  if (a.terms.size() == 1)
    return power(a.terms.front(), exponent);
  Factor group;
  group.kind = Factor::Kind::Group;
  group.operands.push_back(share(a));
  group.exponent = exponent;
  return ofFactor(std::move(group));
}
