//===- Expression.cpp - Exact indexed expressions -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Expression.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <map>

using namespace mirage;

// Products of sums with more terms than this stay factored.
static constexpr size_t maxExpandedTerms = 24;
// Permutations of equal bound labels that are tried for the least name.
static constexpr unsigned maxPermutations = 720;

//===----------------------------------------------------------------------===//
// Interning
//===----------------------------------------------------------------------===//

size_t ExprContext::KeyHash::operator()(const std::vector<uint64_t> &k) const {
  uint64_t hash = k.size();
  for (uint64_t word : k)
    hash = field::mix(hash, word);
  return hash;
}

ExprContext::ExprContext() {
  zeroId = internExpr({});
  oneId = constant(1);
}

LabelId ExprContext::addLabel(int64_t size) {
  labels.push_back({size});
  return labels.size() - 1;
}

LabelId ExprContext::boundLabel(unsigned height, int64_t size,
                                unsigned number) {
  std::vector<uint64_t> key = {height, uint64_t(size), number};
  auto [it, isNew] = labelIds.try_emplace(std::move(key), labels.size());
  if (isNew)
    labels.push_back({size, height, number});
  return it->second;
}

// A name for the time of one operation.
LabelId ExprContext::freshLabel(int64_t size) {
  return boundLabel(~0u, size, freshCount++);
}

static void addLabels(LabelList &set, llvm::ArrayRef<LabelId> labels) {
  for (LabelId label : labels) {
    if (label == noLabel)
      continue;
    auto *it = llvm::lower_bound(set, label);
    if (it == set.end() || *it != label)
      set.insert(it, label);
  }
}

static void removeLabels(LabelList &set, llvm::ArrayRef<LabelId> labels) {
  llvm::erase_if(set, [&](LabelId l) { return llvm::is_contained(labels, l); });
}

AtomId ExprContext::internAtom(Atom atom) {
  std::vector<uint64_t> key = {uint64_t(atom.kind), atom.symbol,
                               atom.labels.size()};
  key.insert(key.end(), atom.labels.begin(), atom.labels.end());
  key.insert(key.end(), atom.arguments.begin(), atom.arguments.end());
  auto [it, isNew] = atomIds.try_emplace(std::move(key), atoms.size());
  if (!isNew)
    return it->second;
  for (ExprId argument : atom.arguments) {
    addLabels(atom.free, exprs[argument].free);
    atom.height = std::max(atom.height, exprs[argument].height);
  }
  if (atom.kind == AtomKind::Access) {
    addLabels(atom.free, atom.labels);
  } else {
    removeLabels(atom.free, atom.labels);
    for (LabelId label : atom.labels)
      atom.height = std::max(atom.height, labels[label].height);
  }
  atoms.push_back(std::move(atom));
  return it->second;
}

static void encode(std::vector<uint64_t> &key, llvm::ArrayRef<Factor> factors) {
  for (const Factor &factor : factors) {
    key.push_back(factor.atom);
    key.push_back(factor.exponent.numerator());
    key.push_back(factor.exponent.denominator());
  }
}

MonomialId ExprContext::internMonomial(const RawMonomial &raw) {
  std::vector<uint64_t> key = {raw.bound.size()};
  key.insert(key.end(), raw.bound.begin(), raw.bound.end());
  encode(key, raw.factors);
  auto [it, isNew] = monomialIds.try_emplace(std::move(key), monomials.size());
  if (!isNew)
    return it->second;
  Monomial result;
  result.bound = raw.bound;
  result.factors = raw.factors;
  for (const Factor &factor : raw.factors) {
    addLabels(result.free, atoms[factor.atom].free);
    result.height = std::max(result.height, atoms[factor.atom].height);
  }
  for (LabelId label : raw.bound)
    result.height = std::max(result.height, labels[label].height);
  removeLabels(result.free, raw.bound);
  monomials.push_back(std::move(result));
  return it->second;
}

// Sorts, joins equal monomials and drops zeros.
ExprId ExprContext::internExpr(TermList terms) {
  llvm::sort(terms, [](const Term &a, const Term &b) {
    return a.monomial < b.monomial;
  });
  Expr result;
  for (const Term &term : terms) {
    if (!term.coefficient.isValid())
      valid = false;
    if (!result.terms.empty() &&
        result.terms.back().monomial == term.monomial) {
      Term &last = result.terms.back();
      if (auto sum = last.coefficient.plus(term.coefficient)) {
        last.coefficient = *sum;
        if (sum->isZero())
          result.terms.pop_back();
        continue;
      }
    }
    if (!term.coefficient.isZero())
      result.terms.push_back(term);
  }
  llvm::SmallVector<uint64_t, 16> words;
  for (const Term &term : result.terms) {
    words.push_back(term.monomial);
    term.coefficient.encode(words);
  }
  std::vector<uint64_t> key(words.begin(), words.end());
  auto [it, isNew] = exprIds.try_emplace(std::move(key), exprs.size());
  if (!isNew)
    return it->second;
  for (const Term &term : result.terms) {
    addLabels(result.free, monomials[term.monomial].free);
    result.height = std::max(result.height, monomials[term.monomial].height);
  }
  exprs.push_back(std::move(result));
  return it->second;
}

//===----------------------------------------------------------------------===//
// Renaming
//===----------------------------------------------------------------------===//

static bool touches(llvm::ArrayRef<LabelId> free, const LabelMap &map) {
  return llvm::any_of(free, [&](LabelId l) { return map.count(l) != 0; });
}

AtomId ExprContext::renameAtom(AtomId id, const LabelMap &map) {
  if (!touches(atoms[id].free, map))
    return id;
  Atom atom = atoms[id];
  Atom renamed{atom.kind, atom.symbol, atom.labels, {}, {}, 0};
  if (atom.kind == AtomKind::Access)
    for (LabelId &label : renamed.labels)
      if (label != noLabel && map.count(label))
        label = map.lookup(label);
  for (ExprId argument : atom.arguments)
    renamed.arguments.push_back(rename(argument, map));
  return internAtom(std::move(renamed));
}

void ExprContext::renameFactors(llvm::SmallVectorImpl<Factor> &factors,
                                const LabelMap &map) {
  for (Factor &factor : factors)
    factor.atom = renameAtom(factor.atom, map);
}

ExprId ExprContext::rename(ExprId e, const LabelMap &map) {
  FreshScope scope(*this);
  if (!touches(exprs[e].free, map) || isSpent())
    return e;
  Expr copy = exprs[e];
  ExprId result = zeroId;
  for (const Term &term : copy.terms) {
    RawMonomial raw = withFreshBound(term.monomial);
    renameFactors(raw.factors, map);
    result = add(result, normalize(std::move(raw), term.coefficient));
  }
  return result;
}

ExprContext::RawMonomial ExprContext::withFreshBound(MonomialId id) {
  RawMonomial raw{monomials[id].bound, monomials[id].factors};
  LabelMap map;
  for (LabelId &label : raw.bound) {
    LabelId fresh = freshLabel(labels[label].size);
    map[label] = fresh;
    label = fresh;
  }
  renameFactors(raw.factors, map);
  return raw;
}

//===----------------------------------------------------------------------===//
// Normal form of one term
//===----------------------------------------------------------------------===//

static void mergeEqualFactors(llvm::SmallVectorImpl<Factor> &factors) {
  llvm::sort(factors,
             [](const Factor &a, const Factor &b) { return a.atom < b.atom; });
  size_t count = 0;
  for (const Factor &factor : factors) {
    if (count != 0 && factors[count - 1].atom == factor.atom)
      factors[count - 1].exponent =
          factors[count - 1].exponent + factor.exponent;
    else
      factors[count++] = factor;
  }
  factors.truncate(count);
  llvm::erase_if(factors, [](const Factor &f) { return f.exponent.isZero(); });
}

// exp(x)^a exp(y)^b = exp(a x + b y).
void ExprContext::mergeExponentials(llvm::SmallVectorImpl<Factor> &factors) {
  auto isExp = [&](const Factor &f) {
    return atoms[f.atom].kind == AtomKind::Function &&
           atoms[f.atom].symbol == expFunction;
  };
  unsigned count = llvm::count_if(factors, isExp);
  const Factor *first = llvm::find_if(factors, isExp);
  if (count == 0 || (count == 1 && first->exponent.isOne()))
    return;
  ExprId argument = zeroId;
  for (const Factor &factor : factors)
    if (isExp(factor))
      argument = add(argument,
                     scale(atoms[factor.atom].arguments[0], factor.exponent));
  llvm::erase_if(factors, isExp);
  if (argument != zeroId)
    factors.push_back(
        {internAtom({AtomKind::Function, expFunction, {}, {argument}, {}, 0}),
         1});
  mergeEqualFactors(factors);
}

// Chooses canonical bound labels; see the top of the header.
void ExprContext::nameBoundLabels(RawMonomial &raw) {
  unsigned height = 0;
  for (const Factor &factor : raw.factors)
    height = std::max(height, atoms[factor.atom].height);
  std::map<int64_t, LabelList> bySize;
  for (LabelId label : raw.bound)
    bySize[labels[label].size].push_back(label);
  ++height;

  std::vector<LabelList> groups;
  for (auto &entry : bySize)
    groups.push_back(entry.second);
  for (LabelList &group : groups)
    llvm::sort(group);
  std::vector<LabelList> order = groups;
  RawMonomial best;
  for (unsigned tried = 0; tried < maxPermutations; ++tried) {
    LabelMap map;
    RawMonomial named;
    for (const LabelList &group : order)
      for (auto [number, label] : llvm::enumerate(group)) {
        LabelId name = boundLabel(height, labels[label].size, number);
        map[label] = name;
        named.bound.push_back(name);
      }
    named.factors = raw.factors;
    renameFactors(named.factors, map);
    mergeEqualFactors(named.factors);
    llvm::sort(named.bound);
    std::vector<uint64_t> key, bestKey;
    encode(key, named.factors);
    encode(bestKey, best.factors);
    if (tried == 0 || key < bestKey)
      best = std::move(named);
    // The next combination of permutations.
    bool more = false;
    for (LabelList &group : order)
      if (std::next_permutation(group.begin(), group.end())) {
        more = true;
        break;
      }
    if (!more)
      break;
  }
  raw = std::move(best);
}

// The factors are merged and no factor is an open sum: drop unused labels, name
// the rest, intern.
ExprId ExprContext::finish(RawMonomial raw, Coefficient coefficient) {
  LabelList used;
  for (const Factor &factor : raw.factors)
    addLabels(used, atoms[factor.atom].free);
  llvm::erase_if(raw.bound, [&](LabelId label) {
    if (llvm::is_contained(used, label))
      return false;
    coefficient = coefficient * Coefficient(labels[label].size);
    return true;
  });
  if (!raw.bound.empty())
    nameBoundLabels(raw);
  return internExpr({{coefficient, internMonomial(raw)}});
}

// Merges factors; a sum to the power 1 is multiplied out.
ExprId ExprContext::normalize(RawMonomial raw, Coefficient coefficient) {
  if (coefficient.isZero() || isSpent())
    return zeroId;
  // A sum that stands factored already was too large to be multiplied out.
  llvm::SmallVector<AtomId, 4> kept;
  for (const Factor &factor : raw.factors)
    if (factor.exponent.isOne())
      kept.push_back(factor.atom);
  mergeEqualFactors(raw.factors);
  mergeExponentials(raw.factors);
  for (auto [index, factor] : llvm::enumerate(raw.factors)) {
    const Atom &atom = atoms[factor.atom];
    if (atom.kind != AtomKind::Sum || !factor.exponent.isOne() ||
        llvm::is_contained(kept, factor.atom))
      continue;
    ExprId base = atom.arguments[0];
    raw.factors.erase(raw.factors.begin() + index);
    Expr copy = exprs[base];
    ExprId result = zeroId;
    for (const Term &term : copy.terms) {
      RawMonomial inner = withFreshBound(term.monomial);
      RawMonomial joined = raw;
      joined.bound.append(inner.bound);
      joined.factors.append(inner.factors);
      result = add(
          result, normalize(std::move(joined), coefficient * term.coefficient));
    }
    return result;
  }
  return finish(std::move(raw), coefficient);
}

ExprId ExprContext::product(llvm::ArrayRef<LabelId> bound,
                            llvm::ArrayRef<Factor> factors,
                            const Coefficient &coefficient) {
  FreshScope scope(*this);
  RawMonomial raw;
  raw.bound.assign(bound.begin(), bound.end());
  raw.factors.assign(factors.begin(), factors.end());
  // The caller's names may be canonical ones of another term.
  LabelMap map;
  for (LabelId &label : raw.bound) {
    LabelId fresh = freshLabel(labels[label].size);
    map[label] = fresh;
    label = fresh;
  }
  renameFactors(raw.factors, map);
  return normalize(std::move(raw), coefficient);
}

//===----------------------------------------------------------------------===//
// Constructors
//===----------------------------------------------------------------------===//

ExprId ExprContext::constant(const Coefficient &value) {
  if (value.isZero())
    return zeroId;
  return internExpr({{value, internMonomial({})}});
}

ExprId ExprContext::access(uint32_t tensor, llvm::ArrayRef<LabelId> indices) {
  Atom atom{AtomKind::Access, tensor, {}, {}, {}, 0};
  atom.labels.assign(indices.begin(), indices.end());
  RawMonomial raw;
  raw.factors.push_back({internAtom(std::move(atom)), 1});
  return finish(std::move(raw), 1);
}

ExprId ExprContext::fromTerm(const Term &term) { return internExpr({term}); }

ExprId ExprContext::add(ExprId a, ExprId b) {
  if (a == zeroId)
    return b;
  if (b == zeroId)
    return a;
  TermList terms(exprs[a].terms.begin(), exprs[a].terms.end());
  terms.append(exprs[b].terms.begin(), exprs[b].terms.end());
  return internExpr(std::move(terms));
}

ExprId ExprContext::scale(ExprId e, const Coefficient &factor) {
  if (factor.isOne())
    return e;
  TermList terms(exprs[e].terms.begin(), exprs[e].terms.end());
  for (Term &term : terms)
    term.coefficient = term.coefficient * factor;
  return internExpr(std::move(terms));
}

// `e`^exponent as one opaque factor.
ExprId ExprContext::asSumFactor(ExprId e, Rational exponent) {
  RawMonomial raw;
  raw.factors.push_back(
      {internAtom({AtomKind::Sum, 0, {}, {e}, {}, 0}), exponent});
  return finish(std::move(raw), 1);
}

ExprId ExprContext::multiply(ExprId a, ExprId b) {
  FreshScope scope(*this);
  if (a == zeroId || b == zeroId)
    return zeroId;
  if (a == b && exprs[a].terms.size() > 1)
    return power(a, 2);
  size_t countA = exprs[a].terms.size(), countB = exprs[b].terms.size();
  if (countA > 1 && countB > 1 && countA * countB > maxExpandedTerms) {
    auto [normal, factor] = normalizeScale(countA > countB ? a : b);
    ExprId kept = asSumFactor(normal, 1);
    return scale(multiply(kept, countA > countB ? b : a), factor);
  }
  return multiplyOut(a, b);
}

ExprId ExprContext::multiplyOut(ExprId a, ExprId b) {
  FreshScope scope(*this);
  Expr left = exprs[a], right = exprs[b];
  ExprId result = zeroId;
  for (const Term &x : left.terms)
    for (const Term &y : right.terms) {
      RawMonomial raw = withFreshBound(x.monomial);
      RawMonomial other = withFreshBound(y.monomial);
      raw.bound.append(other.bound);
      raw.factors.append(other.factors);
      result =
          add(result, normalize(std::move(raw), x.coefficient * y.coefficient));
    }
  return result;
}

ExprId ExprContext::sum(ExprId e, llvm::ArrayRef<LabelId> over) {
  FreshScope scope(*this);
  Expr copy = exprs[e];
  ExprId result = zeroId;
  for (const Term &term : copy.terms) {
    RawMonomial raw = withFreshBound(term.monomial);
    LabelMap map;
    for (LabelId label : over) {
      LabelId fresh = freshLabel(labels[label].size);
      map[label] = fresh;
      raw.bound.push_back(fresh);
    }
    renameFactors(raw.factors, map);
    result = add(result, normalize(std::move(raw), term.coefficient));
  }
  return result;
}

ExprId ExprContext::function(uint32_t function,
                             llvm::ArrayRef<ExprId> arguments) {
  if (function == expFunction && arguments[0] == zeroId)
    return oneId;
  Atom atom{AtomKind::Function, function, {}, {}, {}, 0};
  atom.arguments.assign(arguments.begin(), arguments.end());
  RawMonomial raw;
  raw.factors.push_back({internAtom(std::move(atom)), 1});
  return finish(std::move(raw), 1);
}

ExprId ExprContext::exp(ExprId e) { return function(expFunction, {e}); }

// The bound labels get canonical names above all others in the argument; with
// several labels of one size their order in `over` (sorted) decides.
ExprId ExprContext::extremum(ExtremumKind kind, ExprId e,
                             llvm::ArrayRef<LabelId> over) {
  LabelList bound;
  for (LabelId label : over)
    if (llvm::is_contained(exprs[e].free, label))
      addLabels(bound, label);
  if (bound.empty())
    return e;
  LabelMap map;
  Atom atom{AtomKind::Extremum, uint32_t(kind), {}, {}, {}, 0};
  std::map<int64_t, unsigned> numbers;
  for (LabelId label : bound) {
    LabelId name = boundLabel(exprs[e].height + 1, labels[label].size,
                              numbers[labels[label].size]++);
    map[label] = name;
    atom.labels.push_back(name);
  }
  llvm::sort(atom.labels);
  atom.arguments.push_back(rename(e, map));
  RawMonomial raw;
  raw.factors.push_back({internAtom(std::move(atom)), 1});
  return finish(std::move(raw), 1);
}

std::pair<ExprId, Coefficient> ExprContext::normalizeScale(ExprId e) {
  if (e == zeroId)
    return {e, 1};
  Coefficient first = exprs[e].terms.front().coefficient;
  if (first.isOne())
    return {e, 1};
  return {scale(e, first.power(-1)), first};
}

std::optional<Coefficient> ExprContext::asConstant(ExprId e) const {
  if (e == zeroId)
    return Coefficient(0);
  const Expr &expression = exprs[e];
  if (expression.terms.size() != 1 ||
      !monomials[expression.terms[0].monomial].factors.empty())
    return std::nullopt;
  return expression.terms[0].coefficient;
}

ExprId ExprContext::expandPowers(ExprId e) {
  FreshScope scope(*this);
  Expr copy = exprs[e];
  ExprId result = zeroId;
  for (const Term &term : copy.terms) {
    RawMonomial raw = withFreshBound(term.monomial);
    llvm::SmallVector<Factor, 4> kept;
    llvm::SmallVector<ExprId, 4> copies;
    for (const Factor &factor : raw.factors) {
      const Atom &atom = atoms[factor.atom];
      bool expand = atom.kind == AtomKind::Sum && factor.exponent.isInteger() &&
                    !factor.exponent.isNegative() &&
                    factor.exponent.numerator() <= 4;
      if (expand)
        copies.append(factor.exponent.numerator(),
                      expandPowers(atom.arguments[0]));
      else
        kept.push_back(factor);
    }
    LabelList bound = raw.bound;
    ExprId expanded = normalize({{}, kept}, term.coefficient);
    for (ExprId power : copies)
      expanded = multiplyOut(expanded, power);
    result = add(result, sum(expanded, bound));
  }
  return result;
}
