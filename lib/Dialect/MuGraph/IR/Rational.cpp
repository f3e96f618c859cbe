//===- Rational.cpp - The exact numbers that a program means
//----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

using namespace mirage::mugraph;

namespace {
using Wide = unsigned __int128;

struct Fraction {
  Wide numerator, denominator;
};
} // namespace

/// The fraction with the smallest denominator in the open interval
/// (a/b, c/d), by the continued fractions of both ends; d may be 0 (infinity).
static Fraction simplestBetween(Wide a, Wide b, Wide c, Wide d) {
  Wide whole = a / b;
  if ((whole + 1) * d < c)
    return {whole + 1, 1};
  // Both ends lie in [whole, whole + 1]; recurse on the reciprocals of the
  // rest.
  Fraction rest = simplestBetween(d, c - whole * d, b, a - whole * b);
  return {whole * rest.numerator + rest.denominator, rest.numerator};
}

/// The simplest fraction that rounds to `value` > 0, if its parts fit 63 bits.
static std::optional<Rational> simplestFraction(double value) {
  int exponent;
  // value = mantissa * 2^(exponent - 53) with a mantissa of 53 bits, and the
  // numbers that round to it lie within half of its last bit.
  auto mantissa =
      static_cast<uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  int shift = 54 - exponent;
  if (shift < 0 && exponent < 64)
    return Rational{static_cast<int64_t>(value), 1, 0}; // an integer
  if (shift < 0 || shift > 120)
    return std::nullopt;
  Wide scale = Wide{1} << shift;
  Fraction fraction = simplestBetween(Wide{2} * mantissa - 1, scale,
                                      Wide{2} * mantissa + 1, scale);
  constexpr Wide limit = std::numeric_limits<int64_t>::max();
  if (fraction.numerator > limit || fraction.denominator > limit)
    return std::nullopt;
  Rational result{static_cast<int64_t>(fraction.numerator),
                  static_cast<int64_t>(fraction.denominator), 0};
  if (result.toDouble() != value)
    return std::nullopt;
  return result;
}

Rational Rational::get(int64_t numerator, int64_t denominator) {
  assert(denominator != 0 && "a fraction needs a denominator other than 0");
  int64_t divisor = std::gcd(numerator, denominator);
  if (denominator < 0)
    divisor = -divisor;
  return {numerator / divisor, denominator / divisor, 0};
}

Rational Rational::fromDouble(double value) {
  assert(std::isfinite(value) && "only finite numbers are rational");
  if (value == 0)
    return {};
  double magnitude = std::fabs(value);
  Rational result;
  if (std::optional<Rational> plain = simplestFraction(magnitude)) {
    result = *plain;
  } else {
    int exponent;
    result = *simplestFraction(std::frexp(magnitude, &exponent));
    result.exponent2 = exponent;
  }
  if (value < 0)
    result.numerator = -result.numerator;
  return result;
}

double Rational::toDouble() const {
  return std::ldexp(static_cast<double>(numerator) /
                        static_cast<double>(denominator),
                    exponent2);
}

std::string Rational::str() const {
  std::string text = std::to_string(numerator);
  if (denominator != 1)
    text += "/" + std::to_string(denominator);
  if (exponent2 != 0)
    text += "*2^" + std::to_string(exponent2);
  return text;
}
