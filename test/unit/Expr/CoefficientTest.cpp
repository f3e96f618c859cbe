//===- CoefficientTest.cpp - Tests of exact scalars -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Coefficient.h"

#include "gtest/gtest.h"

using namespace mirage;

TEST(Rational, FindsTheFractionThatIsMeant) {
  EXPECT_EQ(Rational::fromDouble(0.1), Rational::get(1, 10));
  EXPECT_EQ(Rational::fromDouble(1.0 / 3), Rational::get(1, 3));
  EXPECT_EQ(Rational::fromDouble(1e-6), Rational::get(1, 1000000));
  EXPECT_EQ(Rational::fromDouble(-2560), Rational(-2560));
  EXPECT_EQ(Rational::fromDouble(0.044715), Rational::get(44715, 1000000));
  EXPECT_FALSE(Rational::fromDouble(1e300).isValid());
}

TEST(Rational, OverflowIsInvalidAndSpreads) {
  Rational big = INT64_MAX;
  EXPECT_FALSE((big * big).isValid());
  EXPECT_FALSE((big * big + Rational(1)).isValid());
  EXPECT_FALSE((Rational(1) / Rational(0)).isValid());
}

TEST(Coefficient, RootsAreExact) {
  Coefficient root = Coefficient(4096).power(Rational::get(-1, 2));
  EXPECT_TRUE(root == Coefficient(Rational::get(1, 64)));
  Coefficient irrational = Coefficient(2560).power(Rational::get(1, 2));
  EXPECT_FALSE(irrational.isRational());
  EXPECT_TRUE(irrational * irrational == Coefficient(2560));
  EXPECT_TRUE((irrational / irrational).isOne());
  EXPECT_NEAR(irrational.toDouble(), 50.596442562694, 1e-9);
}

TEST(Coefficient, SumsNeedTheSameRoot) {
  Coefficient root2 = Coefficient(2).power(Rational::get(1, 2));
  auto sum = root2.plus(root2);
  ASSERT_TRUE(sum.has_value());
  EXPECT_TRUE(*sum == root2 * Coefficient(2));
  EXPECT_FALSE(root2.plus(1).has_value());
  EXPECT_FALSE(Coefficient(-1).power(Rational::get(1, 2)).isValid());
}

TEST(Field, ExponentialIsAHomomorphism) {
  field::Value x = {12345, 678910}, y = {222, 987654321};
  field::Value sum = field::exponential(field::add(x, y));
  EXPECT_EQ(sum.p,
            field::multiply(field::exponential(x), field::exponential(y)).p);
}

TEST(Field, PowersAreConsistent) {
  field::Value x = {123456789, 5};
  field::Value cube = field::power(x, Rational(3));
  EXPECT_EQ(field::power(cube, Rational::get(1, 3)).p, x.p);
  EXPECT_EQ(field::multiply(field::power(x, -1), x).p, 1u);
  EXPECT_FALSE(field::power({0, 0}, -1).isDefined);
  auto back = field::reconstruct(
      field::fromRational(Rational::get(-7, 2560), field::primeP),
      field::primeP);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, Rational::get(-7, 2560));
}
