//===- PrimeField.h - Integers modulo a prime -------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_PRIMEFIELD_H
#define MIRAGE_VERIFY_PRIMEFIELD_H

#include <cstdint>

namespace mirage::verify {

/// The integers modulo an odd prime p < 2^63. Elements are `uint64_t` below p.
///
/// Products are 126 bits wide and are reduced by folding: with p = 2^k - c,
/// hi * 2^k + lo = hi * c + lo. The primes in use have a c of at most 21 bits,
/// so two or three folds are enough; any prime works, with more of them.
class PrimeField {
public:
  explicit PrimeField(uint64_t prime);

  uint64_t prime() const { return modulus; }

  uint64_t add(uint64_t a, uint64_t b) const {
    uint64_t sum = a + b;
    return sum >= modulus ? sum - modulus : sum;
  }
  uint64_t sub(uint64_t a, uint64_t b) const {
    return a >= b ? a - b : a + (modulus - b);
  }
  uint64_t neg(uint64_t a) const { return a == 0 ? 0 : modulus - a; }
  uint64_t mul(uint64_t a, uint64_t b) const {
    return reduce(static_cast<unsigned __int128>(a) * b);
  }
  uint64_t pow(uint64_t base, uint64_t exponent) const;
  /// 1 / a; `a` must not be 0.
  uint64_t inverse(uint64_t a) const;
  /// True for 0 and for the elements that have a square root (Euler).
  bool isSquare(uint64_t a) const {
    return a == 0 || pow(a, (modulus - 1) / 2) == 1;
  }
  /// a^((p+1)/4), for p = 3 mod 4: the root of a square that is itself a
  /// square. Multiplicative; its square is `a` or, for a non-square, `-a`.
  uint64_t root(uint64_t a) const { return pow(a, (modulus + 1) / 4); }
  /// The residue of a 64-bit word.
  uint64_t fromWord(uint64_t word) const { return reduce(word); }
  /// The residue of a signed integer.
  uint64_t fromInteger(int64_t value) const;

private:
  uint64_t reduce(unsigned __int128 value) const {
    while (uint64_t high = static_cast<uint64_t>(value >> bits))
      value = static_cast<unsigned __int128>(high) * complement +
              (static_cast<uint64_t>(value) & mask);
    uint64_t low = static_cast<uint64_t>(value);
    return low >= modulus ? low - modulus : low;
  }

  uint64_t modulus;
  unsigned bits;       ///< smallest k with p < 2^k.
  uint64_t mask;       ///< 2^k - 1.
  uint64_t complement; ///< 2^k - p.
};

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_PRIMEFIELD_H
