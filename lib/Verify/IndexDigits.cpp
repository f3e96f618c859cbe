//===- IndexDigits.cpp - Indices that are written in digits ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexDigits.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::verify;

/// The tensor number of indicators.
static constexpr unsigned indicatorTensor = ~0u;
/// Far from the numbers of the scalar functions.
static constexpr uint32_t maskFunction = 1000;

int64_t DigitContext::product(llvm::ArrayRef<LabelId> digits) const {
  int64_t result = 1;
  for (LabelId digit : digits)
    result *= context.size(digit);
  return result;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

uint32_t DigitContext::intern(AccessForm form) {
  std::vector<int64_t> key = {form.tensor};
  key.insert(key.end(), form.extents.begin(), form.extents.end());
  key.insert(key.end(), form.digits.begin(), form.digits.end());
  auto [it, isNew] = formIds.try_emplace(std::move(key), forms.size());
  if (isNew)
    forms.push_back(std::move(form));
  return it->second;
}

bool DigitContext::isIndicator(const AccessForm &form) {
  return form.tensor == indicatorTensor;
}

bool DigitContext::isMask(const Atom &atom) {
  return atom.kind == AtomKind::Function && atom.symbol == maskFunction;
}

ExprId DigitContext::accessOf(AccessForm form, llvm::ArrayRef<LabelId> labels) {
  // An indicator of a whole index is 1.
  if (isIndicator(form) && form.digits.front() == 1 &&
      context.size(labels.front()) == form.extents.front())
    return context.one();
  return context.access(intern(std::move(form)), labels);
}

ExprId DigitContext::access(unsigned tensor, llvm::ArrayRef<int64_t> extents,
                            llvm::ArrayRef<LabelList> dims) {
  AccessForm form;
  form.tensor = tensor;
  form.extents.assign(extents.begin(), extents.end());
  LabelList labels;
  for (const LabelList &digits : dims) {
    form.digits.push_back(digits.size());
    labels.append(digits);
  }
  return accessOf(std::move(form), labels);
}

ExprId DigitContext::indicator(int64_t extent, const LabelList &digits) {
  return access(indicatorTensor, {extent}, {digits});
}

ExprId DigitContext::mask(ExprId indicator, ExprId e) {
  return indicator == context.one()
             ? e
             : context.function(maskFunction, {indicator, e});
}

ExprId DigitContext::extremum(ExtremumKind kind, ExprId e,
                              llvm::ArrayRef<LabelId> over) {
  LabelList labels(over);
  const Expr &expr = context.expr(e);
  if (expr.terms.size() == 1 && expr.terms[0].coefficient.isOne()) {
    const Monomial &monomial = context.monomial(expr.terms[0].monomial);
    if (monomial.bound.empty() && monomial.factors.size() == 1 &&
        monomial.factors[0].exponent.isOne()) {
      const Atom atom = context.atom(monomial.factors[0].atom);
      if (atom.kind == AtomKind::Extremum && atom.symbol == uint32_t(kind)) {
        LabelMap fresh;
        for (LabelId label : atom.labels)
          labels.push_back(fresh[label] =
                               context.addLabel(context.size(label)));
        e = context.rename(atom.arguments[0], fresh);
      }
    }
  }
  return context.extremum(kind, e, labels);
}

//===----------------------------------------------------------------------===//
// What stands next to what
//===----------------------------------------------------------------------===//

/// For each label the digits before and after it, if they are the same wherever
/// it occurs.
struct DigitContext::Neighbours {
  static constexpr LabelId several = noLabel - 1;
  struct Place {
    LabelId before = noLabel, after = noLabel;
    /// The digits and the extent of the ragged dim of which it is the last.
    LabelList raggedDim;
    int64_t raggedExtent = 0;
  };
  std::map<LabelId, Place> places;
  llvm::SmallVector<ExprId> seen;

  void add(llvm::ArrayRef<LabelId> digits, int64_t extent, bool isRagged) {
    for (size_t i = 0; i < digits.size(); ++i) {
      Place place;
      place.before = i == 0 ? noLabel : digits[i - 1];
      place.after = i + 1 == digits.size() ? noLabel : digits[i + 1];
      if (isRagged && i + 1 == digits.size()) {
        place.raggedDim.assign(digits.begin(), digits.end());
        place.raggedExtent = extent;
      }
      join(digits[i], place);
    }
  }

private:
  void join(LabelId label, const Place &place) {
    auto [it, isNew] = places.try_emplace(label, place);
    Place &known = it->second;
    if (isNew)
      return;
    if (known.before != place.before)
      known.before = several;
    if (known.after != place.after)
      known.after = several;
    // Ragged here and not there: it belongs to no one index.
    if (known.raggedExtent != place.raggedExtent ||
        known.raggedDim != place.raggedDim)
      known.before = known.after = several;
  }
};

void DigitContext::collectAtom(AtomId id, Neighbours &neighbours) const {
  const Atom &atom = context.atom(id);
  for (ExprId argument : atom.arguments)
    collect(argument, neighbours);
  if (atom.kind != AtomKind::Access)
    return;
  const AccessForm &form = forms[atom.symbol];
  llvm::ArrayRef<LabelId> labels = atom.labels;
  for (auto [extent, count] : llvm::zip_equal(form.extents, form.digits)) {
    llvm::ArrayRef<LabelId> digits = labels.take_front(count);
    neighbours.add(digits, extent, product(digits) > extent);
    labels = labels.drop_front(count);
  }
}

void DigitContext::collect(ExprId e, Neighbours &neighbours) const {
  if (llvm::is_contained(neighbours.seen, e))
    return;
  neighbours.seen.push_back(e);
  for (const Term &term : context.expr(e).terms)
    for (const Factor &factor : context.monomial(term.monomial).factors)
      collectAtom(factor.atom, neighbours);
}

bool DigitContext::isAlone(ExprId e, LabelId label) const {
  Neighbours neighbours;
  collect(e, neighbours);
  auto it = neighbours.places.find(label);
  return it == neighbours.places.end() ||
         (it->second.before == noLabel && it->second.after == noLabel);
}

/// True if an access in `e` writes an index in several digits.
bool DigitContext::hasDigits(ExprId e) {
  if (auto it = knownDigits.find(e); it != knownDigits.end())
    return it->second;
  bool found = findDigits(e);
  knownDigits[e] = found;
  return found;
}

bool DigitContext::findDigits(ExprId e) {
  for (const Term &term : context.expr(e).terms)
    for (const Factor &factor : context.monomial(term.monomial).factors) {
      const Atom &atom = context.atom(factor.atom);
      if (llvm::any_of(atom.arguments, [&](ExprId a) { return hasDigits(a); }))
        return true;
      if (atom.kind == AtomKind::Access &&
          llvm::any_of(forms[atom.symbol].digits,
                       [](unsigned count) { return count > 1; }))
        return true;
    }
  return false;
}

LabelId DigitContext::scratch(unsigned depth, int64_t size, unsigned number) {
  auto [it, isNew] =
      scratchLabels.try_emplace(std::make_tuple(depth, size, number), 0);
  if (isNew)
    it->second = context.addLabel(size);
  return it->second;
}

LabelList DigitContext::mergeLabels(llvm::ArrayRef<LabelId> labels,
                                    const Neighbours &neighbours,
                                    unsigned depth, DigitMap &map) {
  auto next = [&](LabelId label) {
    auto it = neighbours.places.find(label);
    if (it == neighbours.places.end() || it->second.after >= noLabel - 1 ||
        !llvm::is_contained(labels, it->second.after))
      return noLabel;
    return neighbours.places.at(it->second.after).before == label
               ? it->second.after
               : noLabel;
  };
  LabelList followers, result;
  for (LabelId label : labels)
    if (LabelId after = next(label); after != noLabel)
      followers.push_back(after);
  std::map<int64_t, unsigned> numbers;
  auto put = [&](llvm::ArrayRef<LabelId> chain, int64_t size) {
    if (chain.empty())
      return;
    LabelId merged = scratch(depth, size, numbers[size]++);
    for (LabelId label : chain)
      map[label] = {};
    map[chain.front()] = {merged};
    result.push_back(merged);
  };
  for (LabelId label : labels) {
    if (llvm::is_contained(followers, label))
      continue;
    LabelList chain;
    for (LabelId link = label; link != noLabel; link = next(link))
      chain.push_back(link);
    auto last = neighbours.places.find(chain.back());
    bool isRagged =
        last != neighbours.places.end() && last->second.raggedExtent != 0;
    if (isRagged && last->second.raggedDim == chain) {
      put(chain, last->second.raggedExtent);
      continue;
    }
    // The last digit of a ragged dim merges with all or none.
    llvm::ArrayRef<LabelId> exact(chain);
    if (isRagged) {
      exact = exact.drop_back();
      put(exact, product(exact));
      put(chain.back(), context.size(chain.back()));
      continue;
    }
    put(exact, product(exact));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

LabelList DigitContext::substitute(llvm::ArrayRef<LabelId> list,
                                   const DigitMap &map) {
  LabelList result;
  for (LabelId label : list) {
    auto it = map.find(label);
    if (it == map.end())
      result.push_back(label);
    else
      result.append(it->second);
  }
  return result;
}

ExprId DigitContext::rewriteAccess(const Atom &atom, const DigitMap &map) {
  AccessForm form = forms[atom.symbol];
  llvm::ArrayRef<LabelId> labels = atom.labels;
  LabelList result;
  for (unsigned &count : form.digits) {
    LabelList digits = substitute(labels.take_front(count), map);
    labels = labels.drop_front(count);
    count = digits.size();
    result.append(digits);
  }
  return accessOf(std::move(form), result);
}

ExprId DigitContext::rewriteExtremum(const Atom &atom, const DigitMap &map,
                                     unsigned depth, bool merging) {
  DigitMap inner = map;
  Neighbours neighbours;
  if (merging)
    collect(atom.arguments[0], neighbours);
  LabelList labels = mergeLabels(atom.labels, neighbours, depth, inner);
  ExprId argument = rewrite(atom.arguments[0], inner, depth + 1, merging);
  return extremum(ExtremumKind(atom.symbol), argument, labels);
}

ExprId DigitContext::rewriteAtom(AtomId id, const DigitMap &map, unsigned depth,
                                 bool merging) {
  const Atom atom = context.atom(id);
  if (atom.kind == AtomKind::Access)
    return rewriteAccess(atom, map);
  if (atom.kind == AtomKind::Extremum)
    return rewriteExtremum(atom, map, depth, merging);
  llvm::SmallVector<ExprId, 2> arguments;
  for (ExprId argument : atom.arguments)
    arguments.push_back(rewrite(argument, map, depth, merging));
  if (atom.kind == AtomKind::Sum)
    return arguments[0];
  if (atom.symbol == maskFunction)
    return mask(arguments[0], arguments[1]);
  return context.function(atom.symbol, arguments);
}

ExprId DigitContext::rewriteTerm(const Term &term, const DigitMap &map,
                                 unsigned depth, bool merging) {
  const Monomial monomial = context.monomial(term.monomial);
  Neighbours neighbours;
  if (merging)
    for (const Factor &factor : monomial.factors)
      collectAtom(factor.atom, neighbours);
  DigitMap inner = map;
  LabelList bound = mergeLabels(monomial.bound, neighbours, depth, inner);
  ExprId result = context.constant(term.coefficient);
  for (const Factor &factor : monomial.factors) {
    ExprId base = rewriteAtom(factor.atom, inner, depth + 1, merging);
    result = context.multiply(result, context.power(base, factor.exponent));
  }
  return context.sum(result, bound);
}

ExprId DigitContext::rewrite(ExprId e, const DigitMap &map, unsigned depth,
                             bool merging) {
  const Expr expr = context.expr(e);
  bool touched = llvm::any_of(
      expr.free, [&](LabelId label) { return map.count(label) != 0; });
  if (!context.isValid() || (!touched && !(merging && hasDigits(e))))
    return e;
  ExprId result = context.zero();
  for (const Term &term : expr.terms)
    result = context.add(result, rewriteTerm(term, map, depth, merging));
  return result;
}

ExprId DigitContext::substitute(ExprId e, const DigitMap &map) {
  bool isRenaming = llvm::all_of(
      map, [](const auto &entry) { return entry.second.size() == 1; });
  if (!isRenaming)
    return rewrite(e, map, /*depth=*/0, /*merging=*/false);
  LabelMap renaming;
  for (const auto &entry : map)
    renaming[entry.first] = entry.second.front();
  return context.rename(e, renaming);
}

ExprId DigitContext::merge(ExprId e, llvm::MutableArrayRef<LabelList> dims,
                           llvm::ArrayRef<int64_t> extents) {
  Neighbours neighbours;
  collect(e, neighbours);
  LabelList free;
  for (auto [digits, extent] : llvm::zip_equal(dims, extents)) {
    neighbours.add(digits, extent, product(digits) > extent);
    free.append(digits);
  }
  DigitMap scratched, map;
  LabelList merged = mergeLabels(free, neighbours, /*depth=*/0, scratched);
  // The labels of a value are its own.
  DigitMap own;
  for (LabelId label : merged)
    own[label] = {context.addLabel(context.size(label))};
  for (auto &entry : scratched)
    map[entry.first] = substitute(entry.second, own);
  for (LabelList &digits : dims)
    digits = substitute(digits, map);
  // Merging inside may make further labels meet.
  ExprId result = rewrite(e, map, /*depth=*/1, /*merging=*/true);
  for (unsigned round = 0; round < 4; ++round) {
    ExprId again = rewrite(result, DigitMap(), /*depth=*/1, /*merging=*/true);
    if (again == result)
      break;
    result = again;
  }
  return result;
}
