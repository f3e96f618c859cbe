//===- Rational.h - Exact fractions -----------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fractions of 64-bit integers. An operation that does not fit gives the
// invalid fraction, which spreads; callers test `isValid` where it matters.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_EXPR_RATIONAL_H
#define MIRAGE_EXPR_RATIONAL_H

#include "llvm/ADT/Hashing.h"

#include <cstdint>

namespace mirage {

class Rational {
public:
  Rational(int64_t value = 0) : num(value), den(1) {}

  /// numerator / denominator in lowest terms; invalid if it does not fit.
  static Rational get(__int128 numerator, __int128 denominator);

  /// The simplest fraction that rounds to `value`: 0.1 is 1/10, and
  /// 0.3333333333333333 is 1/3. Invalid for infinities and NaN.
  static Rational fromDouble(double value);
  static Rational invalid();

  bool isValid() const { return den != 0; }
  bool isZero() const { return num == 0 && den == 1; }
  bool isOne() const { return num == 1 && den == 1; }
  bool isInteger() const { return den == 1; }
  bool isNegative() const { return num < 0; }
  int64_t numerator() const { return num; }
  int64_t denominator() const { return den; }
  double toDouble() const { return double(num) / double(den); }

  /// The largest integer that is not greater.
  int64_t floor() const;

  Rational operator+(Rational other) const;
  Rational operator-(Rational other) const;
  Rational operator*(Rational other) const;
  Rational operator/(Rational other) const;
  Rational operator-() const;
  bool operator==(Rational other) const {
    return num == other.num && den == other.den;
  }
  bool operator!=(Rational other) const { return !(*this == other); }
  bool operator<(Rational other) const;

private:
  Rational(int64_t num, int64_t den) : num(num), den(den) {}
  int64_t num, den;
};

} // namespace mirage

#endif // MIRAGE_EXPR_RATIONAL_H
