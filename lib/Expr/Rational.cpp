//===- Rational.cpp - Exact fractions -------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Rational.h"

#include <cmath>

using namespace mirage;

static __int128 magnitude(__int128 value) { return value < 0 ? -value : value; }

static __int128 greatestCommonDivisor(__int128 a, __int128 b) {
  while (b != 0) {
    __int128 rest = a % b;
    a = b;
    b = rest;
  }
  return magnitude(a);
}

Rational Rational::invalid() { return Rational(0, 0); }

Rational Rational::get(__int128 numerator, __int128 denominator) {
  if (denominator == 0)
    return invalid();
  __int128 divisor = greatestCommonDivisor(numerator, denominator);
  if (denominator < 0)
    divisor = -divisor;
  numerator /= divisor;
  denominator /= divisor;
  if (magnitude(numerator) > INT64_MAX || denominator > INT64_MAX)
    return invalid();
  return Rational(static_cast<int64_t>(numerator),
                  static_cast<int64_t>(denominator));
}

// Convergents of the continued fraction; the first one that rounds to the
// value is the answer.
Rational Rational::fromDouble(double value) {
  if (!std::isfinite(value) || std::fabs(value) >= 9.0e18)
    return invalid();
  if (value < 0)
    return -fromDouble(-value);
  __int128 p0 = 0, q0 = 1, p1 = 1, q1 = 0;
  long double rest = value;
  for (int step = 0; step < 64; ++step) {
    long double whole = std::floor(rest);
    __int128 term = static_cast<__int128>(whole);
    __int128 p2 = term * p1 + p0, q2 = term * q1 + q0;
    if (p2 > INT64_MAX || q2 > INT64_MAX)
      return invalid();
    p0 = p1, q0 = q1, p1 = p2, q1 = q2;
    if (double(int64_t(p1)) / double(int64_t(q1)) == value)
      return get(p1, q1);
    if (rest == whole)
      break;
    rest = 1.0L / (rest - whole);
  }
  return invalid();
}

int64_t Rational::floor() const {
  int64_t quotient = num / den;
  return num % den < 0 ? quotient - 1 : quotient;
}

Rational Rational::operator+(Rational other) const {
  return get(__int128(num) * other.den + __int128(other.num) * den,
             __int128(den) * other.den);
}

Rational Rational::operator-() const { return Rational(-num, den); }

Rational Rational::operator-(Rational other) const { return *this + -other; }

Rational Rational::operator*(Rational other) const {
  return get(__int128(num) * other.num, __int128(den) * other.den);
}

Rational Rational::operator/(Rational other) const {
  if (!isValid() || !other.isValid())
    return invalid();
  return get(__int128(num) * other.den, __int128(den) * other.num);
}

bool Rational::operator<(Rational other) const {
  return __int128(num) * other.den < __int128(other.num) * den;
}
