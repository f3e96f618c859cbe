//===- PrimeField.cpp - Integers modulo a prime ---------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/PrimeField.h"

#include <cassert>
#include <utility>

using namespace mirage::verify;

PrimeField::PrimeField(uint64_t prime) : modulus(prime), bits(1) {
  assert(prime > 2 && prime < (uint64_t{1} << 63) && "prime out of range");
  while (bits < 63 && (uint64_t{1} << bits) <= prime)
    ++bits;
  mask = (uint64_t{1} << bits) - 1;
  complement = (uint64_t{1} << bits) - prime;
}

uint64_t PrimeField::pow(uint64_t base, uint64_t exponent) const {
  uint64_t result = 1;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1)
      result = mul(result, base);
    base = mul(base, base);
  }
  return result;
}

// Euclid's algorithm: factor * a = rest mod p in each step. A third of the time
// of a^(p-2), and tests take an inverse for every other exponential.
uint64_t PrimeField::inverse(uint64_t a) const {
  uint64_t previousRest = modulus, rest = a;
  int64_t previousFactor = 0, factor = 1;
  while (rest > 1) {
    uint64_t quotient = previousRest / rest;
    previousRest -= quotient * rest;
    std::swap(previousRest, rest);
    // Factors stay below p in magnitude, and their signs alternate.
    previousFactor -= static_cast<int64_t>(quotient) * factor;
    std::swap(previousFactor, factor);
  }
  return factor < 0 ? modulus - static_cast<uint64_t>(-factor)
                    : static_cast<uint64_t>(factor);
}

uint64_t PrimeField::fromInteger(int64_t value) const {
  if (value >= 0)
    return static_cast<uint64_t>(value) % modulus;
  // -(v + 1) fits, also for the smallest v.
  uint64_t magnitude = static_cast<uint64_t>(-(value + 1)) + 1;
  return neg(magnitude % modulus);
}
