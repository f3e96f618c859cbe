//===- FieldAlgebraTest.cpp - Laws of the reals over two primes -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/FieldAlgebra.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/SipHash.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <optional>

using namespace mirage::verify;
using mirage::mugraph::Rational;
using mirage::mugraph::ScalarFunction;

namespace {

/// p and q = (p-1)/2 prime and both 3 mod 4.
constexpr uint64_t tinyPrimes[] = {23, 47, 167};

class Algebra : public testing::Test {
protected:
  FieldAlgebra algebra{mainPrime, Rule::ExpLaws, 1, 1};
  FieldAlgebra powers{rootPrime, Rule::RootLaws, 1, 1};

  FieldValue input(uint64_t i) { return algebra.input(0, i); }
  FieldValue number(int64_t n, int64_t d = 1) {
    return algebra.constant(Rational::get(n, d));
  }
  FieldValue call(ScalarFunction function, std::vector<FieldValue> arguments) {
    return algebra.apply(function, arguments);
  }
  bool equal(const FieldValue &a, const FieldValue &b) {
    return algebra.compare(a, b) == Comparison::Equal;
  }
  bool different(const FieldValue &a, const FieldValue &b) {
    return algebra.compare(a, b) == Comparison::Different;
  }
};

TEST(KeyedHash, IsSipHash) {
  Digest key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  uint8_t keyBytes[16], bytes[64], expected[16];
  for (int i = 0; i < 16; ++i)
    keyBytes[i] = i;
  for (int i = 0; i < 64; ++i)
    bytes[i] = 31 * i + 7;
  std::vector<uint64_t> words;
  for (size_t size = 0; size < 8; ++size) {
    llvm::getSipHash_2_4_128(llvm::ArrayRef<uint8_t>(bytes, 8 * size), keyBytes,
                             expected);
    Digest digest = KeyedHash(key)(words);
    EXPECT_EQ(digest[0], llvm::support::endian::read64le(expected));
    EXPECT_EQ(digest[1], llvm::support::endian::read64le(expected + 8));
    words.push_back(llvm::support::endian::read64le(bytes + 8 * size));
  }
}

TEST(TinyFields, ExpTurnsSumsIntoProducts) {
  for (uint64_t p : tinyPrimes) {
    FieldAlgebra algebra(p, Rule::ExpLaws, 3, 1);
    uint64_t q = (p - 1) / 2;
    std::vector<bool> seen(p, false);
    for (uint64_t x = 0; x < q; ++x) {
      FieldValue ex = algebra.apply(ScalarFunction::Exp, FieldValue{5, x, 0});
      EXPECT_FALSE(seen[ex.p]) << "exp is injective on exponents";
      seen[ex.p] = true;
      EXPECT_TRUE(algebra.valueField().isSquare(ex.p));
      EXPECT_TRUE(ex.has(FieldValue::NoExponent));
      for (uint64_t y = 0; y < q; ++y) {
        FieldValue ey = algebra.apply(ScalarFunction::Exp, FieldValue{2, y, 0});
        FieldValue sum = algebra.add(FieldValue{5, x, 0}, FieldValue{2, y, 0});
        EXPECT_EQ(algebra.apply(ScalarFunction::Exp, sum).p,
                  algebra.mul(ex, ey).p);
      }
    }
  }
}

TEST(TinyFields, RootsBySquaring) {
  for (uint64_t p : tinyPrimes) {
    FieldAlgebra algebra(p, Rule::RootLaws, 3, 1);
    uint64_t q = (p - 1) / 2;
    for (uint64_t x = 0; x < p; ++x)
      for (uint64_t y = 0; y < q; ++y) {
        FieldValue value{x, y, 0};
        FieldValue root = algebra.apply(ScalarFunction::Sqrt, value);
        if (!(root.flags & (FieldValue::MarkedP | FieldValue::MarkedQ))) {
          EXPECT_EQ(algebra.compare(algebra.mul(root, root), value),
                    Comparison::Equal);
        } else {
          EXPECT_NE(algebra.compare(algebra.mul(root, root), value),
                    Comparison::Different);
        }
      }
  }
}

TEST(TinyFields, DivisionUndoesMultiplication) {
  for (uint64_t p : tinyPrimes) {
    FieldAlgebra algebra(p, Rule::ExpLaws, 3, 1);
    for (uint64_t x = 0; x < p; ++x) {
      FieldValue value{x, x % ((p - 1) / 2), 0};
      FieldValue inverse = algebra.reciprocal(value);
      EXPECT_EQ(inverse.has(FieldValue::Poison), x == 0);
      if (x) {
        EXPECT_EQ(algebra.mul(value, inverse).p, 1u);
      }
      EXPECT_EQ(inverse.has(FieldValue::NoExponent), value.q == 0 && x != 0);
    }
  }
}

TEST_F(Algebra, RationalConstants) {
  EXPECT_TRUE(equal(algebra.mul(number(1, 2560), number(2560)), number(1)));
  EXPECT_TRUE(equal(algebra.add(number(1, 3), number(1, 6)), number(1, 2)));
  EXPECT_TRUE(equal(number(-3, 4), algebra.neg(number(3, 4))));
  EXPECT_TRUE(
      equal(algebra.constant(Rational::fromDouble(1e-6)), number(1, 1000000)));
  EXPECT_TRUE(different(number(1, 2560), number(1, 2561)));
  FieldValue tiny = algebra.constant(Rational::fromDouble(0x1p-300));
  FieldValue huge = algebra.constant(Rational::fromDouble(0x1p300));
  EXPECT_TRUE(equal(algebra.mul(tiny, huge), number(1)));
}

TEST_F(Algebra, InputsAreDistinct) {
  EXPECT_TRUE(different(algebra.input(0, 5), algebra.input(1, 5)));
  EXPECT_TRUE(different(algebra.input(0, 5), algebra.input(0, 6)));
  FieldAlgebra second(mainPrime, Rule::ExpLaws, 1, 2);
  EXPECT_NE(second.input(0, 5).p, algebra.input(0, 5).p);
  FieldAlgebra again(mainPrime, Rule::ExpLaws, 1, 1);
  EXPECT_EQ(again.input(0, 5).q, algebra.input(0, 5).q);
}

TEST_F(Algebra, DivisionByZeroPoisons) {
  FieldValue zero = algebra.sub(input(0), input(0));
  FieldValue quotient = call(ScalarFunction::Div, {input(1), zero});
  EXPECT_TRUE(quotient.has(FieldValue::Poison));
  EXPECT_TRUE(algebra.add(quotient, input(2)).has(FieldValue::Poison));
  EXPECT_EQ(algebra.compare(quotient, quotient), Comparison::Undecided);
}

TEST_F(Algebra, ExpOfExpIsAFunctionOnly) {
  FieldValue x = call(ScalarFunction::Exp, {input(0)});
  FieldValue y = call(ScalarFunction::Exp, {input(1)});
  FieldValue ex = call(ScalarFunction::Exp, {x});
  EXPECT_TRUE(equal(ex, call(ScalarFunction::Exp, {x})));
  EXPECT_TRUE(different(ex, call(ScalarFunction::Exp, {y})));
  EXPECT_TRUE(equal(
      algebra.mul(ex, call(ScalarFunction::Exp, {algebra.neg(x)})), number(1)));
  EXPECT_TRUE(equal(call(ScalarFunction::Exp, {algebra.sub(x, x)}), number(1)));
}

TEST_F(Algebra, UninterpretedFunctions) {
  FieldValue x = input(0), minus = algebra.neg(input(0));
  using F = ScalarFunction;
  EXPECT_TRUE(equal(call(F::Erf, {minus}), algebra.neg(call(F::Erf, {x}))));
  EXPECT_TRUE(equal(call(F::Abs, {minus}), call(F::Abs, {x})));
  EXPECT_TRUE(different(call(F::Erf, {x}), call(F::Log, {x})));
  EXPECT_TRUE(
      different(call(F::Pow, {x, input(1)}), call(F::Pow, {input(1), x})));
  // An uninterpreted value is a new variable and has an exponent part.
  FieldValue log = call(F::Log, {call(F::Exp, {x})});
  EXPECT_FALSE(log.has(FieldValue::NoExponent));
}

TEST(OpaqueRule, ExpIsAFunctionOnly) {
  FieldAlgebra algebra(mainPrime, Rule::Opaque, 1, 1);
  FieldValue x = algebra.input(0, 0), y = algebra.input(0, 1);
  auto exp = [&](FieldValue value) {
    return algebra.apply(ScalarFunction::Exp, value);
  };
  EXPECT_EQ(algebra.compare(exp(algebra.neg(x)), algebra.reciprocal(exp(x))),
            Comparison::Equal);
  EXPECT_EQ(
      algebra.compare(exp(algebra.add(x, y)), algebra.mul(exp(x), exp(y))),
      Comparison::Different);
  EXPECT_EQ(exp(algebra.sub(x, x)).p, 1u);
  // A new variable, so that exp of it is one again.
  EXPECT_FALSE(exp(x).has(FieldValue::NoExponent));
  EXPECT_EQ(algebra.compare(exp(exp(x)), exp(exp(y))), Comparison::Different);
}

TEST_F(Algebra, OpaqueRoots) {
  using F = ScalarFunction;
  FieldValue x = input(0);
  EXPECT_TRUE(
      equal(algebra.mul(call(F::Sqrt, {x}), call(F::Rsqrt, {x})), number(1)));
  EXPECT_TRUE(different(call(F::Rsqrt, {x}), call(F::Rsqrt, {input(1)})));
  // Not known under this rule, hence the other one.
  FieldValue scaled = algebra.mul(number(4), x);
  EXPECT_TRUE(different(call(F::Rsqrt, {scaled}),
                        algebra.mul(number(1, 2), call(F::Rsqrt, {x}))));
}

TEST_F(Algebra, PowerRootsKnowPositiveConstants) {
  // An element with a root in both fields.
  FieldValue x;
  for (uint64_t i = 0;; ++i) {
    x = powers.input(0, i);
    if (powers.valueField().isSquare(x.p) &&
        powers.exponentField().isSquare(x.q))
      break;
  }
  for (int64_t n : {2, 3, 5, 7, 11, 13, 48, 64}) {
    FieldValue c = powers.constant(Rational::get(n));
    FieldValue scaled = powers.mul(x, powers.mul(c, c));
    FieldValue left = powers.apply(ScalarFunction::Sqrt, scaled);
    FieldValue right = powers.mul(c, powers.apply(ScalarFunction::Sqrt, x));
    EXPECT_EQ(powers.compare(left, right), Comparison::Equal) << n;
    FieldValue wrong = powers.neg(right);
    EXPECT_NE(powers.compare(left, wrong), Comparison::Equal) << n;
  }
}

TEST_F(Algebra, PowerRootsOfNegativesSayNothing) {
  for (uint64_t i = 0; i < 20; ++i) {
    FieldValue x = powers.input(0, i);
    FieldValue left = powers.apply(ScalarFunction::Sqrt, x);
    FieldValue right = powers.apply(ScalarFunction::Sqrt, powers.neg(x));
    EXPECT_NE(powers.compare(left, right), Comparison::Equal);
  }
}

TEST_F(Algebra, MaximumOfASet) {
  using F = ScalarFunction;
  FieldValue a = input(0), b = input(1), c = input(2), d = input(3);
  auto max = [&](FieldValue x, FieldValue y) { return call(F::Max, {x, y}); };
  auto min = [&](FieldValue x, FieldValue y) { return call(F::Min, {x, y}); };
  EXPECT_TRUE(equal(max(a, b), max(b, a)));
  EXPECT_TRUE(equal(max(max(a, b), max(c, d)), max(max(max(d, b), c), a)));
  EXPECT_TRUE(different(max(max(a, b), c), max(max(a, b), d)));
  EXPECT_TRUE(different(max(a, b), max(max(a, b), c)));
  EXPECT_TRUE(equal(max(a, a), a));
  EXPECT_TRUE(equal(max(max(a, b), max(b, c)), max(a, max(b, c))));
  EXPECT_TRUE(equal(min(min(a, b), a), min(a, b)));
  EXPECT_TRUE(equal(min(b, max(max(a, b), c)), b));
  EXPECT_TRUE(equal(max(min(a, b), a), a));
  EXPECT_TRUE(equal(min(max(a, b), max(max(a, c), b)), max(a, b)));
  EXPECT_TRUE(different(min(d, max(max(a, b), c)), d));
  EXPECT_TRUE(different(min(max(a, d), max(max(a, b), c)), max(a, d)));
  EXPECT_TRUE(different(max(a, b), min(a, b)));
  EXPECT_TRUE(
      equal(min(a, b), algebra.neg(max(algebra.neg(a), algebra.neg(b)))));
  EXPECT_TRUE(equal(min(min(a, b), c), min(a, min(c, b))));

  FieldAlgebra::MaximumSet all, one;
  for (const FieldValue &value : {c, a, max(d, b)})
    algebra.insert(all, value);
  EXPECT_TRUE(equal(algebra.maximum(all), max(max(a, b), max(c, d))));
  algebra.insert(one, a);
  EXPECT_TRUE(equal(algebra.maximum(one), a));
}

TEST_F(Algebra, SoftmaxDoesNotDependOnItsMaximum) {
  using F = ScalarFunction;
  FieldValue a = input(0), b = input(1);
  auto softmax = [&](FieldValue m) {
    FieldValue ea = call(F::Exp, {algebra.sub(a, m)});
    FieldValue eb = call(F::Exp, {algebra.sub(b, m)});
    return call(F::Div, {ea, algebra.add(ea, eb)});
  };
  EXPECT_TRUE(equal(softmax(call(F::Max, {a, b})), softmax(input(2))));
  // One maximum for each part, as if the rescaling were left out.
  FieldValue ea = call(F::Exp, {algebra.sub(a, input(3))});
  FieldValue eb = call(F::Exp, {algebra.sub(b, input(4))});
  EXPECT_TRUE(
      different(call(F::Div, {ea, algebra.add(ea, eb)}), softmax(input(2))));
}

/// Exponents that contain exponentials, which the rules treat differently.
class NestedExponents : public testing::Test {
protected:
  using F = ScalarFunction;

  FieldValue exp(const FieldValue &x) { return rule->apply(F::Exp, x); }
  FieldValue div(const FieldValue &a, const FieldValue &b) {
    return rule->apply(F::Div, {a, b});
  }
  FieldValue tanh(const FieldValue &x) {
    FieldValue e = exp(rule->add(x, x)), one = rule->constant(Rational::get(1));
    return div(rule->sub(e, one), rule->add(e, one));
  }
  /// exp(x0 - a) / (exp(x0 - b) + exp(x1 - b)).
  FieldValue softmax(const FieldValue &a, const FieldValue &b) {
    FieldValue x = rule->input(0, 0), y = rule->input(0, 1);
    FieldValue sum = rule->add(exp(rule->sub(x, b)), exp(rule->sub(y, b)));
    return div(exp(rule->sub(x, a)), sum);
  }
  void use(Rule which) { rule.emplace(mainPrime, which, 1, 1); }
  Comparison compare(const FieldValue &a, const FieldValue &b) {
    return rule->compare(a, b);
  }

  std::optional<FieldAlgebra> rule;
};

TEST_F(NestedExponents, ShiftASoftmax) {
  auto shifted = [&](bool numerator, bool denominator) {
    FieldValue zero = rule->constant(Rational::get(0));
    FieldValue shift = tanh(rule->input(1, 0));
    return softmax(numerator ? shift : zero, denominator ? shift : zero);
  };
  use(Rule::ExpLaws);
  EXPECT_EQ(compare(shifted(true, true), shifted(false, false)),
            Comparison::Different);
  EXPECT_GT(rule->nestedExponentials(), 0u);
  for (Rule nested : {Rule::NestedExp, Rule::NestedRoots}) {
    use(nested);
    EXPECT_EQ(compare(shifted(true, true), shifted(false, false)),
              Comparison::Equal);
    EXPECT_EQ(compare(shifted(true, false), shifted(false, false)),
              Comparison::Different);
    EXPECT_EQ(compare(shifted(false, true), shifted(false, false)),
              Comparison::Different);
  }
}

/// Each of the rules knows a law that the other does not.
TEST_F(NestedExponents, LawsInsideAndOutside) {
  for (bool isNested : {false, true}) {
    use(isNested ? Rule::NestedExp : Rule::ExpLaws);
    FieldValue x = rule->input(0, 0), y = rule->input(0, 1);
    FieldValue ex = exp(x), ey = exp(y);
    EXPECT_EQ(compare(exp(rule->mul(ex, ey)), exp(exp(rule->add(x, y)))),
              isNested ? Comparison::Different : Comparison::Equal);
    EXPECT_EQ(compare(exp(rule->add(ex, ey)), rule->mul(exp(ex), exp(ey))),
              isNested ? Comparison::Equal : Comparison::Different);
    EXPECT_EQ(compare(exp(rule->reciprocal(ex)), exp(exp(rule->neg(x)))),
              Comparison::Equal);
    EXPECT_EQ(compare(exp(ex), exp(ey)), Comparison::Different);
    EXPECT_EQ(compare(exp(ex), exp(x)), Comparison::Different);
    // The q part of an exponential says nothing of its value.
    EXPECT_EQ(compare(rule->mul(ex, ey), exp(rule->add(x, y))),
              Comparison::Equal);
  }
}

/// The bound that is claimed can be measured where the field is small: two
/// polynomials of degree 2 must agree at no more than a fraction 2/p (times 1.5
/// for the choice of residues) of the points.
TEST(FalseAccepts, StayUnderTheBound) {
  const uint64_t p = 167, tests = 20000;
  unsigned accepted = 0;
  for (uint64_t test = 0; test < tests; ++test) {
    FieldAlgebra algebra(p, Rule::ExpLaws, 5, test);
    FieldValue x = algebra.input(0, 0), y = algebra.input(0, 1);
    accepted += algebra.mul(x, y).p == algebra.mul(x, x).p;
  }
  EXPECT_LT(accepted, tests * 2 * 1.5 / p);
  EXPECT_GT(accepted, 0u) << "the field is small enough to see some";
}

} // namespace
