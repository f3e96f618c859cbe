//===- MeaningTests.cpp - Exact numbers, scalar expressions
//-----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include "gtest/gtest.h"

#include <cstring>
#include <limits>
#include <random>

using namespace mirage::mugraph;

namespace {

TEST(RationalTest, ReadsShortDecimalsAndFractionsExactly) {
  EXPECT_EQ(Rational::fromDouble(0.0), Rational::get(0));
  EXPECT_EQ(Rational::fromDouble(1.0e-6), Rational::get(1, 1000000));
  EXPECT_EQ(Rational::fromDouble(-0.125), Rational::get(-1, 8));
  EXPECT_EQ(Rational::fromDouble(2.44140625e-4), Rational::get(1, 4096));
  EXPECT_EQ(Rational::fromDouble(1.0 / 17), Rational::get(1, 17));
  EXPECT_EQ(Rational::fromDouble(0.044715), Rational::get(44715, 1000000));
  EXPECT_EQ(Rational::fromDouble(1.0e-12), Rational::get(1, 1000000000000));
  EXPECT_EQ(Rational::fromDouble(65504), Rational::get(65504));
  EXPECT_EQ(Rational::fromDouble(1e18), Rational::get(1000000000000000000));
}

TEST(RationalTest, RoundTripsEveryFiniteDouble) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200000; ++i) {
    uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    if (!(value - value == 0))
      continue;
    ASSERT_EQ(Rational::fromDouble(value).toDouble(), value);
  }
  double tiny = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(Rational::fromDouble(tiny).toDouble(), tiny);
  double lowest = std::numeric_limits<double>::lowest();
  EXPECT_EQ(Rational::fromDouble(lowest).toDouble(), lowest);
}

TEST(RationalTest, NormalizesSigns) {
  EXPECT_EQ(Rational::get(2, -4), Rational::get(-1, 2));
  EXPECT_EQ(Rational::get(-2, -4).str(), "1/2");
}

TEST(ScalarExprTest, ListsArgumentsBeforeUsers) {
  ScalarExpr x = ScalarExpr::operand(0), y = ScalarExpr::operand(1);
  ScalarExpr e = x / (ScalarExpr::constant(1) +
                      ScalarExpr::apply(ScalarFunction::Exp, {-y}));
  EXPECT_EQ(e.str(), "div(x0, add(1, exp(neg(x1))))");
  for (unsigned number = 0; number < e.nodes().size(); ++number)
    for (unsigned argument : e.nodes()[number].arguments)
      EXPECT_LT(argument, number);
}

} // namespace
