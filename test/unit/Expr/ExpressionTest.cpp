//===- ExpressionTest.cpp - Tests of the normal form ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Expression.h"
#include "mirage/Expr/Fingerprint.h"

#include "gtest/gtest.h"

using namespace mirage;

namespace {
class ExpressionTest : public testing::Test {
protected:
  ExprContext c;
  Evaluator evaluator{c};
  LabelId m = c.addLabel(16), k = c.addLabel(4096), k2 = c.addLabel(4096),
          n = c.addLabel(6144);
  ExprId x = c.access(0, {m, k}), w = c.access(1, {k, n});

  ExprId meanSquare(ExprId e) {
    return c.scale(c.sum(c.power(e, 2), {k}), Rational::get(1, 4096));
  }
  ExprId rmsNorm(ExprId e) {
    return c.multiply(e, c.power(meanSquare(e), Rational::get(-1, 2)));
  }
};
} // namespace

TEST_F(ExpressionTest, NormLeavesTheMatmul) {
  ExprId before = c.sum(c.multiply(rmsNorm(x), w), {k});
  ExprId after = c.multiply(c.sum(c.multiply(x, w), {k}),
                            c.power(meanSquare(x), Rational::get(-1, 2)));
  EXPECT_EQ(before, after) << c.str(before) << "\n" << c.str(after);
}

TEST_F(ExpressionTest, BoundLabelsHaveNoNames) {
  EXPECT_EQ(c.sum(x, {k}), c.sum(c.access(0, {m, k2}), {k2}));
  EXPECT_NE(x, c.access(0, {m, k2}));
  // Two sums over equal labels, in any order.
  ExprId y = c.access(2, {m, k2});
  ExprId both = c.sum(c.sum(c.multiply(x, y), {k}), {k2});
  EXPECT_EQ(both, c.multiply(c.sum(c.access(0, {m, k2}), {k2}),
                             c.sum(c.access(2, {m, k}), {k})));
}

TEST_F(ExpressionTest, SafeSoftmaxIsSoftmax) {
  ExprId maximum = c.extremum(ExtremumKind::Max, x, {k});
  ExprId safe = c.exp(c.subtract(x, maximum)), plain = c.exp(x);
  ExprId a = c.divide(safe, c.sum(safe, {k}));
  ExprId b = c.divide(plain, c.sum(plain, {k}));
  EXPECT_EQ(a, b) << c.str(a) << "\n" << c.str(b);
  EXPECT_NE(c.sum(safe, {k}), c.sum(plain, {k}));
}

TEST_F(ExpressionTest, SizesAndConstants) {
  EXPECT_EQ(c.sum(c.access(3, {m, noLabel}), {k}),
            c.scale(c.access(3, {m, noLabel}), Coefficient(4096)));
  EXPECT_EQ(c.asConstant(c.sum(c.one(), {k})), Coefficient(4096));
  EXPECT_TRUE(c.isZero(c.subtract(x, x)));
  EXPECT_EQ(c.divide(x, x), c.one());
}

TEST_F(ExpressionTest, RootsKeepSigns) {
  Rational half = Rational::get(1, 2);
  EXPECT_NE(c.power(c.power(x, 2), half), x);
  ExprId y = c.access(2, {m, k});
  EXPECT_NE(c.power(c.multiply(x, y), half),
            c.multiply(c.power(x, half), c.power(y, half)));
  EXPECT_EQ(c.multiply(c.power(x, half), c.power(x, half)), x);
  ExprId e = c.exp(x);
  EXPECT_EQ(c.power(e, half), c.exp(c.scale(x, half)));
}

TEST_F(ExpressionTest, OnePassVarianceIsFoundByValue) {
  Rational inverse = Rational::get(1, 4096);
  ExprId mean = c.scale(c.sum(x, {k}), inverse);
  ExprId twoPass = c.sum(c.power(c.subtract(x, mean), 2), {k});
  ExprId onePass = c.subtract(c.sum(c.power(x, 2), {k}),
                              c.scale(c.power(c.sum(x, {k}), 2), inverse));
  EXPECT_NE(twoPass, onePass);
  EXPECT_TRUE(evaluator.areEqual(twoPass, onePass));
  EXPECT_EQ(c.expandPowers(twoPass), c.expandPowers(onePass))
      << c.str(c.expandPowers(twoPass)) << "\n"
      << c.str(c.expandPowers(onePass));
}

TEST_F(ExpressionTest, FingerprintForgetsScale) {
  ExprId scaled = c.scale(x, Rational::get(3, 7));
  EXPECT_TRUE(evaluator.fingerprint(x) == evaluator.fingerprint(scaled));
  EXPECT_FALSE(evaluator.fingerprint(x) == evaluator.fingerprint(w));
  EXPECT_EQ(evaluator.ratio(scaled, x), Coefficient(Rational::get(3, 7)));
}

TEST_F(ExpressionTest, NumbersWithoutLabelsAreNoScale) {
  ExprId closed = c.sum(x, {m, k});
  EXPECT_FALSE(evaluator.fingerprint(x) ==
               evaluator.fingerprint(c.multiply(closed, x)));
  EXPECT_FALSE(evaluator.fingerprint(closed) == evaluator.fingerprint(c.one()));
  EXPECT_FALSE(evaluator.ratio(c.multiply(closed, x), x).has_value());
}

TEST_F(ExpressionTest, RenamingKeepsTheNormalForm) {
  ExprId e = rmsNorm(x);
  LabelId other = c.addLabel(4096);
  LabelMap map;
  map[k] = other;
  ExprId renamed = c.rename(e, map);
  EXPECT_EQ(renamed, c.multiply(c.access(0, {m, other}),
                                c.power(meanSquare(x), Rational::get(-1, 2))));
}
