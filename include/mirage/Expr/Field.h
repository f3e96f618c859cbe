//===- Field.h - The pair of prime fields -----------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// p = 2q + 1, both prime and both 3 mod 4. A real number that may stand inside
// an exponent has a part in Z_q beside its part in Z_p; exp maps the q-part of
// x to 4^x in Z_p (4 generates the subgroup of order q), so that
// exp(x + y) = exp(x) exp(y) holds exactly. What comes out of exp has no
// q-part. Square roots exist for half of the elements and x^((m+1)/4) is a
// multiplicative choice of them in both fields.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_EXPR_FIELD_H
#define MIRAGE_EXPR_FIELD_H

#include "mirage/Expr/Rational.h"

#include <cstdint>
#include <optional>

namespace mirage::field {

inline constexpr uint64_t primeP = 9223372036854771239ull;
inline constexpr uint64_t primeQ = (primeP - 1) / 2;

inline uint64_t add(uint64_t a, uint64_t b, uint64_t modulus) {
  uint64_t sum = a + b; // both below 2^63
  return sum >= modulus ? sum - modulus : sum;
}
/// The product modulo one of the two primes, which are 2^63 - 4569 and
/// 2^62 - 2285: high bits fold down as multiples of the small difference.
inline uint64_t multiply(uint64_t a, uint64_t b, uint64_t modulus) {
  unsigned bits = modulus == primeP ? 63 : 62;
  uint64_t mask = (uint64_t{1} << bits) - 1, rest = mask + 1 - modulus;
  unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  product = (product >> bits) * rest + (static_cast<uint64_t>(product) & mask);
  uint64_t folded = static_cast<uint64_t>(product >> bits) * rest +
                    (static_cast<uint64_t>(product) & mask);
  return folded >= modulus ? folded - modulus : folded;
}
uint64_t power(uint64_t base, uint64_t exponent, uint64_t modulus);

/// Inverse of a non-zero element.
inline uint64_t inverse(uint64_t value, uint64_t modulus) {
  return power(value, modulus - 2, modulus);
}

/// value^exponent, also for fractional exponents whose root exists; nothing
/// for a negative power of zero.
std::optional<uint64_t> power(uint64_t base, Rational exponent,
                              uint64_t modulus);

/// The image of a fraction.
uint64_t fromRational(Rational value, uint64_t modulus);

/// The fraction of numerator and denominator below 2^31 that `value` is the
/// image of, if there is one.
std::optional<Rational> reconstruct(uint64_t value, uint64_t modulus);

/// A keyed hash, used for random inputs and for uninterpreted functions.
uint64_t mix(uint64_t a, uint64_t b);

/// A value of both fields. `hasExponent` says that the q-part is defined.
struct Value {
  uint64_t p = 0, q = 0;
  bool hasExponent = true;
  bool isDefined = true; ///< false after a division by zero.
};

Value add(Value a, Value b);
Value multiply(Value a, Value b);
Value power(Value base, Rational exponent);
Value exponential(Value x);
Value fromRational(Rational value);

} // namespace mirage::field

#endif // MIRAGE_EXPR_FIELD_H
