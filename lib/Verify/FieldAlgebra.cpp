//===- FieldAlgebra.cpp - Real arithmetic over two primes -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/FieldAlgebra.h"

#include "llvm/ADT/STLExtras.h"

#include <cstdlib>

using namespace mirage::verify;
using mirage::mugraph::Rational;
using mirage::mugraph::ScalarFunction;

/// Names of the uninterpreted functions, as arguments of the hash.
namespace {
enum Name : uint64_t {
  Exp,
  InnerExp,
  Log,
  Erf,
  Abs,
  Pow,
  Rsqrt,
  MaxElement,
  Max,
  Base
};
} // namespace

/// The flags of a function of both parts, the exponent part of which is new.
static uint8_t carried(uint8_t flags) {
  constexpr uint8_t marks = FieldValue::MarkedP | FieldValue::MarkedQ;
  return (flags & ~FieldValue::NoExponent) | (flags & marks ? marks : 0);
}

FieldAlgebra::FieldAlgebra(uint64_t prime, Rule rule, uint64_t seed,
                           uint64_t test)
    : values(prime), exponents((prime - 1) / 2), rule(rule),
      inputHash(seed, test, "inputs"), functionHash(seed, test, "functions") {
  // The square of an element other than 0, 1 and -1 generates the squares,
  // because their number q is prime.
  uint64_t generator = 2 + functionHash({Base})[0] % (prime - 3);
  uint64_t base = values.mul(generator, generator);
  powers.resize(8 * 256);
  for (unsigned window = 0; window < 8; ++window) {
    uint64_t power = 1;
    for (unsigned i = 0; i < 256; ++i) {
      powers[256 * window + i] = power;
      power = values.mul(power, base);
    }
    base = power;
  }
}

/// Residues from 128 random bits. With 64 bits for each, no residue modulo the
/// primes in use is more than 1.5 times as likely as in a uniform choice.
FieldValue FieldAlgebra::fresh(Digest digest, uint8_t flags) const {
  return {values.fromWord(digest[0]), exponents.fromWord(digest[1]), flags};
}

FieldValue FieldAlgebra::input(uint64_t input, uint64_t element) const {
  return fresh(inputHash({input, element}), 0);
}

FieldValue FieldAlgebra::constant(const Rational &value) const {
  FieldValue numerator{values.fromInteger(value.numerator),
                       exponents.fromInteger(value.numerator), 0};
  FieldValue denominator{values.fromInteger(value.denominator),
                         exponents.fromInteger(value.denominator), 0};
  uint64_t magnitude = std::abs(static_cast<int64_t>(value.exponent2));
  FieldValue scale{values.pow(2, magnitude), exponents.pow(2, magnitude), 0};
  if (value.exponent2 < 0)
    denominator = mul(denominator, scale);
  else
    numerator = mul(numerator, scale);
  if (denominator.p == 1 && denominator.q == 1)
    return numerator;
  return mul(numerator, reciprocal(denominator));
}

FieldValue FieldAlgebra::reciprocal(const FieldValue &a) const {
  if (a.p == 0)
    return {0, 0, static_cast<uint8_t>(a.flags | FieldValue::Poison)};
  FieldValue result{values.inverse(a.p), 0, a.flags};
  if (a.q == 0)
    result.flags |= FieldValue::NoExponent;
  else if (hasExponent(a))
    result.q = exponents.inverse(a.q);
  return result;
}

/// The q part enters only where it is defined: it is 0 by construction of the
/// hash's input otherwise, together with a word that says so.
FieldValue
FieldAlgebra::uninterpreted(uint64_t name,
                            llvm::ArrayRef<FieldValue> arguments) const {
  ++evaluationCount;
  llvm::SmallVector<uint64_t, 8> words = {name};
  uint8_t flags = 0;
  for (const FieldValue &argument : arguments) {
    bool defined = !argument.has(FieldValue::NoExponent);
    words.append({argument.p, defined ? argument.q : 0, defined});
    flags |= carried(argument.flags);
  }
  return fresh(functionHash(words), flags);
}

/// A function with f(0) = 0 and f(-x) = f(x) or f(-x) = -f(x), given on one of
/// each pair.
FieldValue FieldAlgebra::evenOrOdd(uint64_t name, const FieldValue &x,
                                   bool odd) const {
  if (x.p == 0)
    return {0, 0, carried(x.flags)};
  bool negative = x.p > values.prime() / 2;
  FieldValue result = uninterpreted(name, negative ? neg(x) : x);
  return negative && odd ? neg(result) : result;
}

FieldValue FieldAlgebra::power(uint64_t exponent) const {
  uint64_t result = 1;
  for (unsigned window = 0; exponent; ++window, exponent >>= 8)
    result = values.mul(result, powers[256 * window + (exponent & 255)]);
  return {result, 0, FieldValue::NoExponent};
}

/// A function with f(0) = 1 and f(-x) = 1 / f(x).
FieldValue FieldAlgebra::opaqueExponential(const FieldValue &x) const {
  if (x.p == 0)
    return {1, 1, x.flags};
  bool negative = x.p > values.prime() / 2;
  FieldValue result = uninterpreted(Exp, negative ? neg(x) : x);
  return negative ? reciprocal(result) : result;
}

/// What an exponential is inside of an exponent: h in the table of the header.
uint64_t FieldAlgebra::innerExponential(uint64_t exponent) const {
  if (exponent == 0)
    return 1;
  bool negative = exponent > exponents.prime() / 2;
  uint64_t key = negative ? exponents.neg(exponent) : exponent;
  uint64_t result = fresh(functionHash({InnerExp, key}), 0).q;
  return negative ? exponents.inverse(result) : result;
}

FieldValue FieldAlgebra::exponential(const FieldValue &x) const {
  if (rule == Rule::Opaque)
    return opaqueExponential(x);
  nestedCount += x.has(FieldValue::NoExponent);
  FieldValue result;
  if (!hasExponent(x)) {
    // Only the p part counts, and the result has no other.
    result = opaqueExponential({x.p, 0, x.flags});
  } else {
    if (trace)
      trace->push_back(x.q);
    result = power(x.q);
    if (isNested(rule))
      result.q = innerExponential(x.q);
    result.flags |= x.flags & ~FieldValue::MarkedP;
    if (x.has(FieldValue::MarkedQ))
      result.flags |= FieldValue::MarkedP;
  }
  result.flags |= FieldValue::NoExponent;
  return result;
}

FieldValue FieldAlgebra::sqrt(const FieldValue &x) const {
  if (!hasRootLaws(rule))
    return x.p == 0 ? x : reciprocal(uninterpreted(Rsqrt, x));
  ++rootCount;
  FieldValue result{values.root(x.p), 0, x.flags};
  if (!values.isSquare(x.p))
    result.flags |= FieldValue::MarkedP;
  if (!hasExponent(x))
    return result;
  result.q = exponents.root(x.q);
  if (!exponents.isSquare(x.q))
    result.flags |= FieldValue::MarkedQ;
  return result;
}

FieldValue FieldAlgebra::apply(ScalarFunction function,
                               llvm::ArrayRef<FieldValue> arguments) {
  const FieldValue &a = arguments.front(), &b = arguments.back();
  switch (function) {
  case ScalarFunction::Add:
    return add(a, b);
  case ScalarFunction::Sub:
    return sub(a, b);
  case ScalarFunction::Mul:
    return mul(a, b);
  case ScalarFunction::Div:
    return mul(a, reciprocal(b));
  case ScalarFunction::Neg:
    return neg(a);
  case ScalarFunction::Exp:
    return exponential(a);
  case ScalarFunction::Sqrt:
    return sqrt(a);
  case ScalarFunction::Rsqrt:
    return reciprocal(sqrt(a));
  case ScalarFunction::Log:
    return uninterpreted(Log, a);
  case ScalarFunction::Erf:
    return evenOrOdd(Erf, a, /*odd=*/true);
  case ScalarFunction::Abs:
    return evenOrOdd(Abs, a, /*odd=*/false);
  case ScalarFunction::Pow:
    return uninterpreted(Pow, {a, b});
  case ScalarFunction::Max: {
    if (isAmong(neg(a), neg(b)))
      return a;
    if (isAmong(neg(b), neg(a)))
      return b;
    MaximumSet set;
    insert(set, a);
    insert(set, b);
    return maximum(std::move(set));
  }
  case ScalarFunction::Min: {
    if (isAmong(a, b))
      return a;
    if (isAmong(b, a))
      return b;
    MaximumSet set;
    insert(set, neg(a));
    insert(set, neg(b));
    return neg(maximum(std::move(set)));
  }
  }
  return {0, 0, FieldValue::Poison};
}

void FieldAlgebra::insert(MaximumSet &set, const FieldValue &element) const {
  ++evaluationCount;
  bool defined = !element.has(FieldValue::NoExponent);
  uint64_t q = defined ? element.q : 0;
  if (auto it = maxima.find({element.p, q}); it != maxima.end()) {
    set.names.insert(it->second.begin(), it->second.end());
  } else {
    Digest name = functionHash({MaxElement, element.p, q, defined});
    set.names.insert({name[0], name[1]});
  }
  set.flags |= element.flags;
  set.last = element;
}

FieldValue FieldAlgebra::maximum(MaximumSet set) {
  if (set.names.size() == 1)
    return set.last;
  // Addition of 128-bit numbers: independent of the order.
  uint64_t low = 0, high = 0;
  for (auto [nameLow, nameHigh] : set.names) {
    low += nameLow;
    high += nameHigh + (low < nameLow);
  }
  FieldValue result = fresh(functionHash({Max, low, high}), carried(set.flags));
  maxima.try_emplace({result.p, result.q}, std::move(set.names));
  return result;
}

bool FieldAlgebra::isAmong(const FieldValue &a, const FieldValue &b) const {
  auto it = maxima.find({b.p, b.q});
  if (it == maxima.end() || b.has(FieldValue::NoExponent))
    return false;
  MaximumSet set;
  insert(set, a);
  return llvm::all_of(
      set.names, [&](const auto &name) { return it->second.contains(name); });
}

Comparison FieldAlgebra::compare(const FieldValue &a,
                                 const FieldValue &b) const {
  uint8_t flags = merge(a, b);
  if (flags & (FieldValue::Poison | FieldValue::Absent | FieldValue::Unwritten))
    return Comparison::Undecided;
  bool exponentsKnown = !(flags & FieldValue::NoExponent);
  bool sameP = a.p == b.p, sameQ = !exponentsKnown || a.q == b.q;
  bool marked = (flags & FieldValue::MarkedP) ||
                (exponentsKnown && (flags & FieldValue::MarkedQ));
  if (sameP && sameQ)
    return marked ? Comparison::Undecided : Comparison::Equal;
  if ((!sameP && !(flags & FieldValue::MarkedP)) ||
      (!sameQ && !(flags & FieldValue::MarkedQ)))
    return Comparison::Different;
  return Comparison::Undecided;
}
