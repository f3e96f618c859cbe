//===- Coefficient.cpp - Exact algebraic scalars --------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Coefficient.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mirage;

double Coefficient::toDouble() const {
  double value = rational.toDouble();
  for (const Radical &radical : radicals)
    value *= std::pow(double(radical.base), radical.exponent.toDouble());
  return value;
}

static Rational integerPower(int64_t base, int64_t exponent) {
  Rational result = 1;
  for (int64_t i = 0; i < std::abs(exponent) && result.isValid(); ++i)
    result = result * Rational(base);
  return exponent < 0 ? Rational(1) / result : result;
}

// Multiplies by base^exponent and keeps all exponents of radicals in (0, 1).
void Coefficient::multiplyPower(int64_t base, Rational exponent) {
  auto *it = llvm::lower_bound(
      radicals, base, [](const Radical &r, int64_t b) { return r.base < b; });
  if (it != radicals.end() && it->base == base) {
    exponent = exponent + it->exponent;
    it = radicals.erase(it);
  }
  if (!exponent.isValid() || std::abs(exponent.toDouble()) > 64) {
    rational = Rational::invalid();
    return;
  }
  int64_t whole = exponent.floor();
  rational = rational * integerPower(base, whole);
  exponent = exponent - Rational(whole);
  if (!exponent.isZero())
    radicals.insert(it, Radical{base, exponent});
}

Coefficient Coefficient::operator*(const Coefficient &other) const {
  Coefficient result = *this;
  result.rational = rational * other.rational;
  if (result.rational.isZero())
    return Rational(0);
  for (const Radical &radical : other.radicals)
    result.multiplyPower(radical.base, radical.exponent);
  return result;
}

Coefficient Coefficient::operator/(const Coefficient &other) const {
  return *this * other.power(-1);
}

Coefficient Coefficient::operator-() const {
  Coefficient result = *this;
  result.rational = -rational;
  return result;
}

std::optional<Coefficient> Coefficient::plus(const Coefficient &other) const {
  if (radicals != other.radicals)
    return std::nullopt;
  Coefficient result = *this;
  result.rational = rational + other.rational;
  if (result.rational.isZero())
    result.radicals.clear();
  return result;
}

// Calls `visit(prime, count)` for each prime of `value`. A cofactor without
// prime factors below 2^16 counts as one prime: a composite one can only make
// equal coefficients look different.
template <typename Visitor>
static void forEachPrime(int64_t value, Visitor visit) {
  for (int64_t prime = 2; prime < 65536 && prime * prime <= value; ++prime) {
    int64_t count = 0;
    for (; value % prime == 0; value /= prime)
      ++count;
    if (count != 0)
      visit(prime, count);
  }
  if (value > 1)
    visit(value, 1);
}

Coefficient Coefficient::power(Rational exponent) const {
  if (!isValid() || !exponent.isValid())
    return Rational::invalid();
  if (exponent.isOne())
    return *this;
  bool isInteger = exponent.isInteger();
  if (isZero() || (isNegative() && !isInteger))
    return exponent.isNegative() || !isZero() ? Rational::invalid()
                                              : Rational(0);
  Coefficient result = 1;
  int64_t numerator = std::abs(rational.numerator());
  forEachPrime(numerator, [&](int64_t prime, int64_t count) {
    result.multiplyPower(prime, exponent * Rational(count));
  });
  forEachPrime(rational.denominator(), [&](int64_t prime, int64_t count) {
    result.multiplyPower(prime, -exponent * Rational(count));
  });
  for (const Radical &radical : radicals)
    result.multiplyPower(radical.base, exponent * radical.exponent);
  if (isNegative() && exponent.numerator() % 2 != 0)
    result.rational = -result.rational;
  return result;
}

bool Coefficient::operator==(const Coefficient &other) const {
  return rational == other.rational && radicals == other.radicals;
}

field::Value Coefficient::evaluate() const {
  field::Value value = field::fromRational(rational);
  for (const Radical &radical : radicals)
    value = field::multiply(
        value, field::power(field::fromRational(Rational(radical.base)),
                            radical.exponent));
  return value;
}

void Coefficient::encode(llvm::SmallVectorImpl<uint64_t> &key) const {
  key.push_back(rational.numerator());
  key.push_back(rational.denominator());
  key.push_back(radicals.size());
  for (const Radical &radical : radicals) {
    key.push_back(radical.base);
    key.push_back(radical.exponent.numerator());
    key.push_back(radical.exponent.denominator());
  }
}
