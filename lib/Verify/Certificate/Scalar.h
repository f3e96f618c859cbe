//===- Scalar.h - Exact scalars of the checker ------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rational number times rational powers of positive rational numbers. Nothing
// is factored or reduced: two scalars are compared by raising their quotient to
// the common denominator of the exponents, in integers of any size.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_CERTIFICATE_SCALAR_H
#define MIRAGE_LIB_VERIFY_CERTIFICATE_SCALAR_H

#include "mlir/Analysis/Presburger/Fraction.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace mirage::certificate {

using mlir::presburger::Fraction;

struct Scalar {
  Fraction rational = 1;
  /// base^exponent, with a positive base.
  llvm::SmallVector<std::pair<Fraction, Fraction>, 1> roots;

  Scalar(Fraction value = 1) : rational(value) {}
  Scalar(int64_t value) : rational(value) {}

  bool isZero() const { return rational == Fraction(0); }
  bool isNegative() const { return rational < Fraction(0); }
  Scalar operator*(const Scalar &other) const;
  /// None for a fractional power of a negative number and powers of 0.
  std::optional<Scalar> power(const Fraction &exponent) const;
  /// The value, if it is rational and its exponents are of moderate size.
  std::optional<Fraction> asRational() const;
};

inline bool isInteger(const Fraction &value) { return value.den == 1; }
inline bool isEven(const llvm::DynamicAPInt &value) { return value % 2 == 0; }

} // namespace mirage::certificate

#endif // MIRAGE_LIB_VERIFY_CERTIFICATE_SCALAR_H
