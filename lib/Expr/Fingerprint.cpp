//===- Fingerprint.cpp - Equality of expressions by evaluation ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Fingerprint.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using field::Value;

static size_t power(size_t base, size_t exponent) {
  size_t result = 1;
  while (exponent-- != 0)
    result *= base;
  return result;
}

// Position of `index` (digits over `labels`) among the values over `subset`.
static size_t project(size_t index, llvm::ArrayRef<LabelId> labels,
                      llvm::ArrayRef<LabelId> subset) {
  size_t result = 0;
  for (LabelId label : subset) {
    size_t position = llvm::find(labels, label) - labels.begin();
    size_t digit = index /
                   power(Evaluator::samples, labels.size() - 1 - position) %
                   Evaluator::samples;
    result = result * Evaluator::samples + digit;
  }
  return result;
}

Value Evaluator::random(uint64_t a, uint64_t b) const {
  uint64_t key = field::mix(seed, field::mix(a, b));
  return {field::mix(key, 1) % field::primeP,
          field::mix(key, 2) % field::primeQ};
}

// Random weights whose sum is the size of the label.
Value Evaluator::weight(LabelId label, unsigned sample) const {
  uint64_t size = context.size(label);
  Value value = random(size, 0x77000 + sample);
  if (sample + 1 != samples)
    return value;
  Value rest = field::fromRational(Rational(int64_t(size)));
  Value minusOne = field::fromRational(Rational(-1));
  for (unsigned i = 0; i + 1 < samples; ++i)
    rest =
        field::add(rest, field::multiply(minusOne, random(size, 0x77000 + i)));
  return rest;
}

static uint64_t hashValue(uint64_t key, const Value &value) {
  key = field::mix(key, value.p);
  return field::mix(key, value.hasExponent ? value.q : ~uint64_t{0});
}

std::vector<Value> Evaluator::computeAtom(const Atom &atom) {
  size_t count = power(samples, atom.free.size());
  std::vector<Value> values(points * count);
  switch (atom.kind) {
  case AtomKind::Sum:
    return evaluate(atom.arguments[0]);
  case AtomKind::Access:
    for (size_t i = 0; i < values.size(); ++i) {
      uint64_t key = field::mix(0xacce55 + i / count, atom.symbol);
      for (LabelId label : atom.labels)
        key = field::mix(key, label == noLabel
                                  ? 0
                                  : project(i % count, atom.free, {label}) + 1);
      values[i] = random(key, 0);
    }
    return values;
  case AtomKind::Function:
  case AtomKind::Extremum:
    break;
  }
  bool isExp = atom.kind == AtomKind::Function &&
               atom.symbol == ExprContext::expFunction;
  // An extremum depends on its argument at all samples of its labels.
  LabelList labels = atom.free;
  if (atom.kind == AtomKind::Extremum)
    labels.append(atom.labels);
  size_t inner = power(samples, labels.size() - atom.free.size());
  for (size_t i = 0; i < values.size(); ++i) {
    uint64_t key = field::mix(uint64_t(atom.kind), atom.symbol);
    bool defined = true;
    for (ExprId argument : atom.arguments)
      for (size_t j = 0; j < inner; ++j) {
        const LabelList free = context.expr(argument).free;
        size_t at = i / count * power(samples, free.size()) +
                    project(i % count * inner + j, labels, free);
        Value value = evaluate(argument)[at];
        defined &= value.isDefined;
        if (isExp)
          values[i] = field::exponential(value);
        key = hashValue(key, value);
      }
    if (!isExp)
      values[i] = random(key, 3);
    values[i].isDefined = defined;
  }
  return values;
}

const std::vector<Value> &Evaluator::evaluateAtom(AtomId id) {
  if (atomValues.size() <= id)
    atomValues.resize(id + 1);
  if (atomValues[id].empty()) {
    Atom copy = context.atom(id);
    std::vector<Value> values = computeAtom(copy);
    atomValues[id] = std::move(values);
  }
  return atomValues[id];
}

const std::vector<Value> &Evaluator::evaluateFactor(const Factor &factor) {
  if (factor.exponent.isOne())
    return evaluateAtom(factor.atom);
  auto [it, isNew] =
      powers.try_emplace({factor.atom, factor.exponent.numerator(),
                          factor.exponent.denominator()});
  if (isNew) {
    std::vector<Value> values = evaluateAtom(factor.atom);
    for (Value &value : values)
      value = field::power(value, factor.exponent);
    it->second = std::move(values);
  }
  return it->second;
}

std::vector<Value> Evaluator::computeTerm(const Term &term,
                                          llvm::ArrayRef<LabelId> free) {
  const Monomial monomial = context.monomial(term.monomial);
  LabelList labels(free.begin(), free.end());
  labels.append(monomial.bound);
  size_t inner = power(samples, monomial.bound.size());
  size_t count = inner * power(samples, free.size()); // at one point
  std::vector<Value> values(points * count / inner, Value{0, 0});

  // The factors over all labels, each power computed once.
  std::vector<Value> products(points * count, term.coefficient.evaluate());
  for (const Factor &factor : monomial.factors) {
    const std::vector<Value> &powers = evaluateFactor(factor);
    const LabelList &atomLabels = context.atom(factor.atom).free;
    for (size_t i = 0; i < products.size(); ++i)
      products[i] = field::multiply(
          products[i], powers[i / count * (powers.size() / points) +
                              project(i % count, labels, atomLabels)]);
  }
  for (size_t i = 0; i < products.size(); ++i) {
    Value value = products[i];
    for (auto [position, label] : llvm::enumerate(monomial.bound)) {
      size_t digit =
          i / power(samples, monomial.bound.size() - 1 - position) % samples;
      value = field::multiply(value, weight(label, digit));
    }
    values[i / inner] = field::add(values[i / inner], value);
  }
  return values;
}

const std::vector<Value> &Evaluator::evaluate(ExprId e) {
  if (exprValues.size() <= e)
    exprValues.resize(e + 1);
  if (!exprValues[e].empty())
    return exprValues[e];
  Expr copy = context.expr(e);
  std::vector<Value> values(points * power(samples, copy.free.size()),
                            Value{0, 0});
  for (const Term &term : copy.terms)
    for (auto [sum, value] : llvm::zip(values, computeTerm(term, copy.free)))
      sum = field::add(sum, value);
  if (exprValues.size() <= e)
    exprValues.resize(e + 1);
  exprValues[e] = std::move(values);
  return exprValues[e];
}

std::optional<Fingerprint> Evaluator::fingerprint(ExprId e) {
  if (context.isZero(e))
    return std::nullopt;
  const std::vector<Value> &values = evaluate(e);
  const Value &first = values[0];
  if (first.p == 0 ||
      !llvm::all_of(values, [](const Value &v) { return v.isDefined; }))
    return std::nullopt;
  uint64_t inverse = field::inverse(first.p, field::primeP);
  Fingerprint result{1, 2};
  for (LabelId label : context.expr(e).free) {
    result.low = field::mix(result.low, label);
    result.high = field::mix(result.high, label);
  }
  for (const Value &value : values) {
    uint64_t scaled = field::multiply(value.p, inverse, field::primeP);
    result.low = field::mix(result.low, scaled);
    result.high = field::mix(result.high, scaled);
  }
  return result;
}

bool Evaluator::areEqual(ExprId a, ExprId b) {
  if (a == b)
    return true;
  if (context.expr(a).free != context.expr(b).free)
    return false;
  std::vector<Value> left = evaluate(a);
  const std::vector<Value> &right = evaluate(b);
  return llvm::all_of(llvm::zip(left, right), [](auto pair) {
    auto &[x, y] = pair;
    return x.isDefined && y.isDefined && x.p == y.p;
  });
}

std::optional<Coefficient> Evaluator::ratio(ExprId a, ExprId b) {
  if (a == b)
    return Coefficient(1);
  if (context.isZero(a) || context.isZero(b) ||
      context.expr(a).free != context.expr(b).free)
    return std::nullopt;
  Coefficient leading = context.expr(a).terms.front().coefficient /
                        context.expr(b).terms.front().coefficient;
  // A multiple that is not exact is not `a`, which is.
  auto isMultiple = [&](const Coefficient &factor) {
    auto scaled = context.attempt([&] { return context.scale(b, factor); });
    return scaled && areEqual(a, *scaled);
  };
  if (isMultiple(leading))
    return leading;
  uint64_t numerator = evaluate(a)[0].p, denominator = evaluate(b)[0].p;
  if (denominator == 0)
    return std::nullopt;
  auto guess = field::reconstruct(
      field::multiply(numerator, field::inverse(denominator, field::primeP),
                      field::primeP),
      field::primeP);
  if (!guess || !isMultiple(*guess))
    return std::nullopt;
  return Coefficient(*guess);
}
