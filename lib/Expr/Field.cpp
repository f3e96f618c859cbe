//===- Field.cpp - The pair of prime fields -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Field.h"

#include <numeric>

using namespace mirage;

uint64_t field::power(uint64_t base, uint64_t exponent, uint64_t modulus) {
  uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1)
      result = multiply(result, base, modulus);
    base = multiply(base, base, modulus);
  }
  return result;
}

// The inverse of `value` modulo m - 1 = 2 * odd, if there is one.
static std::optional<uint64_t> inverseExponent(uint64_t value,
                                               uint64_t modulus) {
  __int128 r0 = modulus - 1, r1 = value % (modulus - 1), s0 = 0, s1 = 1;
  while (r1 != 0) {
    __int128 quotient = r0 / r1, r2 = r0 - quotient * r1;
    __int128 s2 = s0 - quotient * s1;
    r0 = r1, r1 = r2, s0 = s1, s1 = s2;
  }
  if (r0 != 1)
    return std::nullopt;
  return static_cast<uint64_t>(s0 < 0 ? s0 + (modulus - 1) : s0);
}

std::optional<uint64_t> field::power(uint64_t base, Rational exponent,
                                     uint64_t modulus) {
  if (exponent.isZero())
    return 1;
  if (base == 0)
    return exponent.isNegative() ? std::nullopt : std::optional<uint64_t>(0);
  uint64_t numerator = exponent.numerator() < 0
                           ? uint64_t(-exponent.numerator())
                           : uint64_t(exponent.numerator());
  uint64_t denominator = exponent.denominator();
  uint64_t result = power(base, numerator, modulus);
  for (; denominator % 2 == 0; denominator /= 2)
    result = power(result, (modulus + 1) / 4, modulus);
  if (denominator != 1) {
    std::optional<uint64_t> root = inverseExponent(denominator, modulus);
    if (!root)
      return std::nullopt;
    result = power(result, *root, modulus);
  }
  return exponent.isNegative() ? inverse(result, modulus) : result;
}

uint64_t field::fromRational(Rational value, uint64_t modulus) {
  __int128 numerator = value.numerator() % __int128(modulus);
  if (numerator < 0)
    numerator += modulus;
  auto result = static_cast<uint64_t>(numerator);
  if (value.denominator() == 1) // most are, and an inverse is 60 times the rest
    return result;
  uint64_t denominator = uint64_t(value.denominator()) % modulus;
  return multiply(result, inverse(denominator, modulus), modulus);
}

// Wang's algorithm: the extended Euclidean algorithm, stopped half way.
std::optional<Rational> field::reconstruct(uint64_t value, uint64_t modulus) {
  constexpr __int128 bound = __int128(1) << 31;
  __int128 r0 = modulus, r1 = value, s0 = 0, s1 = 1;
  while (r1 >= bound) {
    __int128 quotient = r0 / r1, r2 = r0 - quotient * r1;
    __int128 s2 = s0 - quotient * s1;
    r0 = r1, r1 = r2, s0 = s1, s1 = s2;
  }
  if (s1 == 0 || s1 >= bound || s1 <= -bound)
    return std::nullopt;
  return Rational::get(r1, s1);
}

uint64_t field::mix(uint64_t a, uint64_t b) {
  uint64_t x = a * 0x9e3779b97f4a7c15ull + b + 0x632be59bd9b4e019ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

field::Value field::add(Value a, Value b) {
  return {add(a.p, b.p, primeP), add(a.q, b.q, primeQ),
          a.hasExponent && b.hasExponent, a.isDefined && b.isDefined};
}

field::Value field::multiply(Value a, Value b) {
  return {multiply(a.p, b.p, primeP), multiply(a.q, b.q, primeQ),
          a.hasExponent && b.hasExponent, a.isDefined && b.isDefined};
}

field::Value field::power(Value base, Rational exponent) {
  std::optional<uint64_t> p = power(base.p, exponent, primeP);
  if (!p)
    return {0, 0, false, false};
  std::optional<uint64_t> q;
  if (base.hasExponent)
    q = power(base.q, exponent, primeQ);
  return {*p, q.value_or(0), q.has_value(), base.isDefined};
}

field::Value field::exponential(Value x) {
  // exp of something that came out of exp: an uninterpreted function.
  if (!x.hasExponent)
    return {mix(x.p, 0x657870) % primeP, 0, false, x.isDefined};
  return {power(uint64_t(4), x.q, primeP), 0, false, x.isDefined};
}

field::Value field::fromRational(Rational value) {
  return {fromRational(value, primeP), fromRational(value, primeQ)};
}
