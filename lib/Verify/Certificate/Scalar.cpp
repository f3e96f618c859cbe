//===- Scalar.cpp - Exact scalars of the checker ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scalar.h"

using namespace mirage::certificate;
using llvm::DynamicAPInt;

/// Largest exponent, and largest denominator of one, that is computed with.
static constexpr int64_t maxExponent = 256, maxDenominator = 16;

Scalar Scalar::operator*(const Scalar &other) const {
  Scalar result = *this;
  result.rational = rational * other.rational;
  result.roots.append(other.roots);
  return result;
}

static DynamicAPInt integerPower(const DynamicAPInt &base, int64_t exponent) {
  DynamicAPInt result(1);
  for (int64_t i = 0; i < exponent; ++i)
    result *= base;
  return result;
}

/// base^exponent for an integer exponent of moderate size.
static std::optional<Fraction> fractionPower(const Fraction &base,
                                             const Fraction &exponent) {
  DynamicAPInt size = abs(exponent.num);
  if (!isInteger(exponent) || size > maxExponent)
    return std::nullopt;
  int64_t count = int64_t(size);
  Fraction result(integerPower(base.num, count), integerPower(base.den, count));
  return exponent < Fraction(0) ? Fraction(1) / result : result;
}

std::optional<Scalar> Scalar::power(const Fraction &exponent) const {
  if (isZero())
    return std::nullopt;
  Scalar result;
  if (std::optional<Fraction> whole = fractionPower(rational, exponent))
    result.rational = *whole;
  else if (isNegative())
    return std::nullopt;
  else
    result.roots.push_back({rational, exponent});
  for (const auto &[base, power] : roots)
    result.roots.push_back({base, power * exponent});
  return result;
}

/// The integer whose `degree`-th power is `value`, if there is one.
static std::optional<DynamicAPInt> exactRoot(const DynamicAPInt &value,
                                             int64_t degree) {
  DynamicAPInt low(0), high(1);
  while (integerPower(high, degree) < value)
    high *= 2;
  while (low < high) {
    DynamicAPInt middle = (low + high) / 2;
    if (integerPower(middle, degree) < value)
      low = middle + 1;
    else
      high = middle;
  }
  if (integerPower(low, degree) != value)
    return std::nullopt;
  return low;
}

std::optional<Fraction> Scalar::asRational() const {
  DynamicAPInt degree(1);
  for (const auto &root : roots)
    degree = lcm(degree, root.second.den);
  if (degree > maxDenominator)
    return std::nullopt;
  std::optional<Fraction> product =
      fractionPower(abs(rational), Fraction(degree));
  for (const auto &[base, exponent] : roots) {
    std::optional<Fraction> factor =
        fractionPower(base, exponent * Fraction(degree));
    if (!factor)
      return std::nullopt;
    product = *product * *factor;
  }
  std::optional<DynamicAPInt> num = exactRoot(product->num, int64_t(degree));
  std::optional<DynamicAPInt> den = exactRoot(product->den, int64_t(degree));
  if (!num || !den)
    return std::nullopt;
  return isNegative() ? -Fraction(*num, *den) : Fraction(*num, *den);
}
