//===- F2MatrixTest.cpp - Laws of matrices over F2 ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Random.h"

using namespace mirage;
using namespace mirage::testing;

/// Sizes on both sides of the word boundary.
static unsigned someSize(Random &random) {
  static const unsigned sizes[] = {0, 1, 3, 7, 20, 63, 64, 65, 100};
  return sizes[random.below(9)];
}

TEST(F2Matrix, ProductEqualsNaive) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 50; ++round) {
    unsigned n = someSize(random), m = someSize(random), k = someSize(random);
    F2Matrix a = random.matrix(n, k), b = random.matrix(k, m), c = a * b;
    for (unsigned i = 0; i < n; i += 5)
      for (unsigned j = 0; j < m; j += 5) {
        bool sum = false;
        for (unsigned l = 0; l < k; ++l)
          sum ^= a.get(i, l) && b.get(l, j);
        EXPECT_EQ(c.get(i, j), sum);
      }
  }
}

TEST(F2Matrix, RankNullityAndKernel) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 60; ++round) {
    unsigned inner = random.below(12);
    unsigned n = someSize(random), m = someSize(random);
    F2Matrix a = random.matrix(n, inner) * random.matrix(inner, m);
    F2Matrix kernel = a.kernel();
    EXPECT_LE(a.rank(), inner);
    EXPECT_EQ(a.rank(), a.transposed().rank());
    EXPECT_EQ(a.rank() + kernel.cols(), m);
    EXPECT_EQ(kernel.rank(), kernel.cols());
    EXPECT_TRUE((a * kernel).isZero());
  }
}

TEST(F2Matrix, SolveAndInverse) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 60; ++round) {
    unsigned n = someSize(random), m = someSize(random);
    F2Matrix a = random.matrix(n, m), x = random.matrix(m, 9);
    auto solution = a.solve(a * x);
    ASSERT_TRUE(solution.has_value());
    EXPECT_EQ(a * *solution, a * x);
    F2Matrix square = random.invertible(n);
    auto inverse = square.inverse();
    ASSERT_TRUE(inverse.has_value());
    EXPECT_EQ(square * *inverse, F2Matrix::identity(n));
    EXPECT_EQ(*inverse * square, F2Matrix::identity(n));
  }
}

TEST(F2Matrix, SolveFailsExactlyOutsideTheImage) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 200; ++round) {
    F2Matrix a = random.matrix(6, 4), b = random.matrix(6, 1);
    bool inImage = false;
    for (uint64_t x = 0; x < 16; ++x)
      inImage |= a * F2Matrix::fromColumns(4, {x}) == b;
    EXPECT_EQ(a.solve(b).has_value(), inImage);
  }
}

TEST(F2Matrix, SingularHasNoInverse) {
  EXPECT_FALSE(F2Matrix(3, 3).inverse().has_value());
  EXPECT_FALSE(F2Matrix(3, 2).inverse().has_value());
  EXPECT_TRUE(F2Matrix(0, 0).inverse().has_value());
}

TEST(F2Span, TellsTheCombination) {
  F2Span span(4, 3);
  EXPECT_TRUE(span.insert({0b0011}));
  EXPECT_TRUE(span.insert({0b0110}));
  F2Vector relation;
  EXPECT_FALSE(span.insert({0b0101}, &relation));
  EXPECT_EQ(relation[0], 0b111u);
  F2Vector combination;
  EXPECT_TRUE(span.contains({0b0101}, &combination));
  EXPECT_EQ(combination[0], 0b011u);
  EXPECT_FALSE(span.contains({0b1000}));
}
