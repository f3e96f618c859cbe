//===- Coefficient.h - Exact algebraic scalars ------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A scalar of an expression: a rational times rational powers of primes, as
// 5 * 2^(1/2). The norms of a program put sqrt(n) and 1/n everywhere; with
// floating-point scalars, equal terms would hide behind rounding.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_EXPR_COEFFICIENT_H
#define MIRAGE_EXPR_COEFFICIENT_H

#include "mirage/Expr/Field.h"
#include "mirage/Expr/Rational.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace mirage {

class Coefficient {
public:
  Coefficient(Rational value = 1) : rational(value) {}
  Coefficient(int64_t value) : rational(value) {}

  bool isValid() const { return rational.isValid(); }
  bool isZero() const { return rational.isZero(); }
  bool isOne() const { return rational.isOne() && radicals.empty(); }
  bool isRational() const { return radicals.empty(); }
  bool isNegative() const { return rational.isNegative(); }
  Rational rationalPart() const { return rational; }
  double toDouble() const;

  Coefficient operator*(const Coefficient &other) const;
  Coefficient operator/(const Coefficient &other) const;
  Coefficient operator-() const;

  /// The sum, if both have the same irrational part.
  std::optional<Coefficient> plus(const Coefficient &other) const;

  /// The power; invalid for a fractional power of a negative number.
  Coefficient power(Rational exponent) const;

  bool operator==(const Coefficient &other) const;
  bool operator!=(const Coefficient &other) const { return !(*this == other); }

  field::Value evaluate() const;

  /// Appends a canonical encoding, for hashing.
  void encode(llvm::SmallVectorImpl<uint64_t> &key) const;

  /// prime^exponent with 0 < exponent < 1.
  struct Radical {
    int64_t base;
    Rational exponent;
    bool operator==(const Radical &other) const {
      return base == other.base && exponent == other.exponent;
    }
  };
  llvm::ArrayRef<Radical> radicalPart() const { return radicals; }

private:
  void multiplyPower(int64_t base, Rational exponent);

  Rational rational;
  llvm::SmallVector<Radical, 1> radicals; // by base
};

} // namespace mirage

#endif // MIRAGE_EXPR_COEFFICIENT_H
