//===- PrimeFieldTest.cpp - Laws of arithmetic modulo primes --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/PrimeField.h"
#include "mirage/Verify/FieldAlgebra.h"

#include "gtest/gtest.h"

#include <random>

using namespace mirage::verify;

namespace {

uint64_t naiveProduct(uint64_t a, uint64_t b, uint64_t p) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b % p);
}

/// Miller-Rabin with the bases that decide all 64-bit numbers.
bool isPrime(uint64_t n) {
  uint64_t odd = n - 1;
  unsigned twos = 0;
  for (; odd % 2 == 0; odd /= 2)
    ++twos;
  auto power = [&](uint64_t base, uint64_t exponent) {
    uint64_t result = 1;
    for (; exponent; exponent >>= 1, base = naiveProduct(base, base, n))
      if (exponent & 1)
        result = naiveProduct(result, base, n);
    return result;
  };
  for (uint64_t base : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}) {
    uint64_t x = power(base, odd);
    bool passes = x == 1 || x == n - 1;
    for (unsigned i = 1; i < twos && !passes; ++i) {
      x = naiveProduct(x, x, n);
      passes = x == n - 1;
    }
    if (!passes)
      return false;
  }
  return true;
}

TEST(PrimeField, SmallPrimesByBruteForce) {
  for (uint64_t p : {3, 7, 11, 23, 47, 167, 227}) {
    PrimeField field(p);
    for (uint64_t a = 0; a < p; ++a) {
      EXPECT_EQ(field.add(a, field.neg(a)), 0u);
      if (a) {
        EXPECT_EQ(field.mul(a, field.inverse(a)), 1u);
      }
      bool isSquare = false;
      for (uint64_t b = 0; b < p; ++b) {
        EXPECT_EQ(field.add(a, b), (a + b) % p);
        EXPECT_EQ(field.sub(a, b), (a + p - b) % p);
        EXPECT_EQ(field.mul(a, b), a * b % p);
        isSquare |= b * b % p == a;
      }
      EXPECT_EQ(field.isSquare(a), isSquare) << a << " mod " << p;
    }
  }
}

TEST(PrimeField, RootsOfSquares) {
  for (uint64_t p : {7, 11, 23, 47, 167, 227}) {
    PrimeField field(p);
    for (uint64_t a = 0; a < p; ++a) {
      uint64_t root = field.root(a);
      EXPECT_EQ(field.mul(root, root), field.isSquare(a) ? a : field.neg(a));
      EXPECT_TRUE(field.isSquare(field.root(field.mul(a, a))));
      for (uint64_t b = 0; b < p; ++b)
        EXPECT_EQ(field.root(field.mul(a, b)), field.mul(root, field.root(b)));
    }
  }
}

TEST(PrimeField, LargeProducts) {
  std::mt19937_64 random(7);
  for (uint64_t p : {mainPrime, rootPrime, (mainPrime - 1) / 2,
                     (rootPrime - 1) / 2, uint64_t{4294967291}}) {
    PrimeField field(p);
    EXPECT_EQ(field.mul(p - 1, p - 1), 1u);
    for (int i = 0; i < 2000; ++i) {
      uint64_t a = random() % p, b = random() % p;
      EXPECT_EQ(field.mul(a, b), naiveProduct(a, b, p));
      uint64_t word = random();
      EXPECT_EQ(field.fromWord(word), word % p);
    }
  }
}

// Fermat's little theorem gives the same by another way.
TEST(PrimeField, Inverses) {
  std::mt19937_64 random(11);
  for (uint64_t p : {mainPrime, rootPrime, (mainPrime - 1) / 2,
                     (rootPrime - 1) / 2, uint64_t{4294967291}}) {
    PrimeField field(p);
    for (uint64_t a : {uint64_t{1}, uint64_t{2}, p / 2, p - 2, p - 1})
      EXPECT_EQ(field.inverse(a), field.pow(a, p - 2)) << a;
    for (int i = 0; i < 2000; ++i) {
      uint64_t a = 1 + random() % (p - 1);
      EXPECT_EQ(field.inverse(a), field.pow(a, p - 2)) << a;
    }
  }
}

TEST(PrimeField, SignedIntegers) {
  PrimeField field(mainPrime);
  EXPECT_EQ(field.fromInteger(-1), mainPrime - 1);
  EXPECT_EQ(field.add(field.fromInteger(-5), field.fromInteger(12)), 7u);
  EXPECT_EQ(field.fromInteger(INT64_MIN),
            field.neg((uint64_t{1} << 63) % mainPrime));
}

TEST(PrimeField, PrimesInUse) {
  for (uint64_t p : {mainPrime, rootPrime}) {
    uint64_t q = (p - 1) / 2;
    EXPECT_TRUE(isPrime(p));
    EXPECT_TRUE(isPrime(q));
    EXPECT_EQ(p % 4, 3u);
    EXPECT_EQ(q % 4, 3u);
  }
  // Roots of products of these have the sign of the real root.
  for (uint64_t small : {2, 3, 5, 7, 11, 13}) {
    EXPECT_TRUE(PrimeField(rootPrime).isSquare(small));
    EXPECT_TRUE(PrimeField((rootPrime - 1) / 2).isSquare(small));
  }
}

} // namespace
