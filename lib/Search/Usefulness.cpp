//===- Usefulness.cpp - Which values are part of a goal -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Divides a value into the terms of the contexts: a matching of factors, where
// labels of the value that are not free in the context go to labels that are
// bound there.

#include "mirage/Search/Values.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::search;

// Matchings of one value into one term that are followed up.
static constexpr size_t maxMatches = 64;
// More terms do not fit the bit set of an occurrence.
static constexpr size_t maxContextTerms = 64;

void Usefulness::addContext(ExprId e) {
  if (context.isZero(e) || llvm::is_contained(contexts, e) ||
      context.expr(e).terms.size() > maxContextTerms)
    return;
  contexts.push_back(e);
}

static bool isMaximumTerm(const ExprContext &context, const Term &term) {
  const Monomial &monomial = context.monomial(term.monomial);
  return monomial.bound.empty() && monomial.factors.size() == 1 &&
         monomial.factors[0].exponent.isOne() &&
         context.atom(monomial.factors[0].atom).kind == AtomKind::Extremum;
}

static bool isExp(const Atom &atom) {
  return atom.kind == AtomKind::Function &&
         atom.symbol == ExprContext::expFunction;
}

ExprId Usefulness::strip(ExprId e) {
  Expr copy = context.expr(e);
  ExprId result = context.zero();
  for (const Term &term : copy.terms) {
    Monomial monomial = context.monomial(term.monomial);
    ExprId factor = context.one();
    for (const Factor &f : monomial.factors) {
      const Atom atom = context.atom(f.atom);
      if (!isExp(atom))
        continue;
      Expr argument = context.expr(atom.arguments[0]);
      ExprId maxima = context.zero();
      for (const Term &part : argument.terms)
        if (isMaximumTerm(context, part) &&
            !llvm::any_of(context.monomial(part.monomial).free, [&](LabelId l) {
              return llvm::is_contained(monomial.bound, l);
            }))
          maxima = context.add(maxima, context.fromTerm(part));
      if (!context.isZero(maxima))
        factor = context.exp(context.scale(maxima, Rational(-1)));
    }
    result =
        context.add(result, context.multiply(context.fromTerm(term), factor));
  }
  return result;
}

namespace {
/// Matches the factors of one term into another.
class TermMatcher {
public:
  struct Match {
    LabelMap labels;
    llvm::SmallVector<Factor, 4> rest;
  };

  TermMatcher(ExprContext &context, const Monomial &small,
              const Monomial &large, llvm::ArrayRef<LabelId> contextFree)
      : context(context), small(small), large(large), contextFree(contextFree) {
  }

  std::vector<Match> run() {
    Match start;
    start.rest = large.factors;
    matchFrom(0, start);
    return std::move(matches);
  }

private:
  bool assign(LabelMap &map, LabelId from, LabelId to) const;
  void assignAll(llvm::ArrayRef<LabelId> from, llvm::ArrayRef<LabelId> to,
                 const LabelMap &map, std::vector<LabelMap> &result) const;
  void matchFrom(unsigned index, const Match &partial);
  void matchExp(unsigned index, unsigned position, const Match &partial);
  bool isConsistent(const Match &match) const;

  ExprContext &context;
  const Monomial &small, &large;
  llvm::ArrayRef<LabelId> contextFree;
  std::vector<Match> matches;
};
} // namespace

// A label that is free in the context means itself; any other one goes to a
// bound label of its size, and no two to the same.
bool TermMatcher::assign(LabelMap &map, LabelId from, LabelId to) const {
  if (from == noLabel || to == noLabel)
    return from == to;
  if (auto it = map.find(from); it != map.end())
    return it->second == to;
  bool isFree = llvm::is_contained(contextFree, from) &&
                !llvm::is_contained(small.bound, from);
  if (isFree && from != to)
    return false;
  if (!isFree && (!llvm::is_contained(large.bound, to) ||
                  context.size(from) != context.size(to)))
    return false;
  for (const auto &entry : map)
    if (entry.second == to)
      return false;
  map[from] = to;
  return true;
}

// All ways to send the labels `from` to different ones of `to`.
void TermMatcher::assignAll(llvm::ArrayRef<LabelId> from,
                            llvm::ArrayRef<LabelId> to, const LabelMap &map,
                            std::vector<LabelMap> &result) const {
  if (from.empty()) {
    result.push_back(map);
    return;
  }
  for (LabelId target : to) {
    LabelMap extended = map;
    if (assign(extended, from.front(), target))
      assignAll(from.drop_front(), to, extended, result);
  }
}

// The labels summed in the small term must be gone from the rest.
bool TermMatcher::isConsistent(const Match &match) const {
  return llvm::all_of(small.bound, [&](LabelId label) {
    LabelId image = match.labels.lookup(label);
    return llvm::none_of(match.rest, [&](const Factor &f) {
      return llvm::is_contained(context.atom(f.atom).free, image);
    });
  });
}

// exp(A) is in exp(B) if the terms of A are among those of B.
void TermMatcher::matchExp(unsigned index, unsigned position,
                           const Match &partial) {
  ExprId part = context.atom(small.factors[index].atom).arguments[0];
  ExprId whole = context.atom(partial.rest[position].atom).arguments[0];
  std::vector<LabelMap> maps;
  assignAll(LabelList(context.expr(part).free),
            LabelList(context.expr(whole).free), partial.labels, maps);
  for (LabelMap &map : maps) {
    ExprId left = context.subtract(whole, context.rename(part, map));
    if (context.expr(left).terms.size() + context.expr(part).terms.size() !=
        context.expr(whole).terms.size())
      continue;
    Match match{map, partial.rest};
    match.rest.erase(match.rest.begin() + position);
    ExprId remaining = context.exp(left);
    if (!context.isZero(left))
      match.rest.push_back(
          context.monomial(context.expr(remaining).terms[0].monomial)
              .factors[0]);
    matchFrom(index + 1, match);
  }
}

static bool divides(Rational part, Rational whole) {
  if (part == whole)
    return true;
  bool sameSign = part.isNegative() == whole.isNegative();
  return sameSign && part.isInteger() && whole.isInteger() &&
         std::abs(part.numerator()) < std::abs(whole.numerator());
}

void TermMatcher::matchFrom(unsigned index, const Match &partial) {
  if (matches.size() >= maxMatches)
    return;
  if (index == small.factors.size()) {
    if (isConsistent(partial))
      matches.push_back(partial);
    return;
  }
  const Factor factor = small.factors[index];
  const Atom atom = context.atom(factor.atom);
  for (unsigned position = 0; position < partial.rest.size(); ++position) {
    const Factor other = partial.rest[position];
    const Atom otherAtom = context.atom(other.atom);
    if (atom.kind != otherAtom.kind || atom.symbol != otherAtom.symbol)
      continue;
    if (isExp(atom)) {
      matchExp(index, position, partial);
      continue;
    }
    if (!divides(factor.exponent, other.exponent))
      continue;
    std::vector<LabelMap> maps;
    if (atom.kind == AtomKind::Access) {
      LabelMap map = partial.labels;
      if (llvm::all_of(llvm::zip(atom.labels, otherAtom.labels), [&](auto p) {
            return assign(map, std::get<0>(p), std::get<1>(p));
          }))
        maps.push_back(map);
    } else {
      assignAll(atom.free, otherAtom.free, partial.labels, maps);
    }
    for (LabelMap &map : maps) {
      if (context.renameAtom(factor.atom, map) != other.atom)
        continue;
      Match match{map, partial.rest};
      match.rest[position].exponent = other.exponent - factor.exponent;
      if (match.rest[position].exponent.isZero())
        match.rest.erase(match.rest.begin() + position);
      matchFrom(index + 1, match);
    }
  }
}

// The places of the first term of `e` in one term of a context.
void Usefulness::findInTerm(ExprId e, uint32_t number, unsigned position,
                            std::vector<Occurrence> &result) {
  ExprId goal = contexts[number];
  const Expr goalExpr = context.expr(goal);
  const Expr value = context.expr(e);
  const Term first = value.terms[0], target = goalExpr.terms[position];
  const Monomial small = context.monomial(first.monomial);
  const Monomial large = context.monomial(target.monomial);
  TermMatcher matcher(context, small, large, goalExpr.free);
  for (TermMatcher::Match &match : matcher.run()) {
    // Labels go back to those of the value.
    LabelMap back;
    LabelList joint, inner = large.bound;
    for (auto [from, to] : match.labels) {
      llvm::erase(inner, to);
      if (llvm::is_contained(small.bound, from) || from == to)
        continue;
      back[to] = from;
      joint.push_back(from);
    }
    llvm::sort(joint);
    for (Factor &factor : match.rest)
      factor.atom = context.renameAtom(factor.atom, back);
    Occurrence found{number, context.product(inner, match.rest), joint,
                     uint64_t{1} << position,
                     target.coefficient / first.coefficient};
    if (!llvm::any_of(result, [&](const Occurrence &o) {
          return o.context == number && o.quotient == found.quotient &&
                 o.labels == found.labels && o.terms == found.terms;
        }))
      result.push_back(found);
  }
}

// The term of `goal` that `product` is, as a bit; 0 if there is none.
static uint64_t findTerms(const ExprContext &context, ExprId product,
                          ExprId goal) {
  uint64_t bits = 0;
  const Expr &whole = context.expr(goal);
  for (const Term &term : context.expr(product).terms) {
    const auto *it = llvm::find_if(whole.terms, [&](const Term &other) {
      return other.monomial == term.monomial &&
             other.coefficient == term.coefficient;
    });
    if (it == whole.terms.end())
      return 0;
    bits |= uint64_t{1} << (it - whole.terms.begin());
  }
  return bits;
}

std::vector<Occurrence> Usefulness::compute(ExprId e) {
  e = strip(e);
  std::vector<Occurrence> candidates, result;
  for (uint32_t number = 0; number < contexts.size(); ++number) {
    size_t terms = context.expr(contexts[number]).terms.size();
    if (terms < context.expr(e).terms.size())
      continue;
    for (unsigned position = 0; position < terms; ++position)
      findInTerm(e, number, position, candidates);
  }
  for (Occurrence &candidate : candidates) {
    // What has no exact form is none of the terms, which have.
    std::optional<ExprId> product = context.attempt([&] {
      ExprId scaled = context.scale(context.multiply(candidate.quotient, e),
                                    candidate.scale);
      return context.sum(scaled, candidate.labels);
    });
    if (!product)
      continue;
    candidate.terms = findTerms(context, *product, contexts[candidate.context]);
    if (candidate.terms != 0)
      result.push_back(candidate);
  }
  return result;
}

const std::vector<Occurrence> &Usefulness::find(ExprId e) {
  auto it = known.find(e);
  if (it == known.end())
    it = known.emplace(e, compute(e)).first;
  return it->second;
}
