//===- LinearLayoutTest.cpp - Laws of the layout algebra ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Random.h"

#include "gmock/gmock.h"

using namespace mirage;
using namespace mirage::testing;
using llvm::cantFail;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static LinearLayout fourByFour() {
  return cantFail(LinearLayout::create(
      {{"register", {{0, 1}, {2, 0}}}, {"lane", {{0, 2}, {1, 0}}}},
      {{"dim0", 4}, {"dim1", 4}}));
}

TEST(LinearLayout, AppliesTheExampleOfTheHeader) {
  EXPECT_THAT(fourByFour().apply({3, 1}), ElementsAre(2, 3));
  EXPECT_EQ(fourByFour().applyFlat(0b0111), 0b1110u);
  EXPECT_TRUE(fourByFour().isInvertible());
  EXPECT_EQ(fourByFour().toString(),
            "register: (0,1) (2,0); lane: (0,2) (1,0) -> dim0: 4, dim1: 4");
}

TEST(LinearLayout, CreateNamesWhatIsWrong) {
  using L = LinearLayout;
  EXPECT_THAT(errorOf(L::create({{"register", {{1}, {8}}}}, {{"dim0", 8}})),
              HasSubstr("basis 1 of 'register' (8) is out of range"));
  EXPECT_THAT(errorOf(L::create({{"r", {{1, 1}}}}, {{"dim0", 8}})),
              HasSubstr("basis 0 of 'r' (1,1) has 2 numbers, expected 1"));
  EXPECT_THAT(errorOf(L::create({{"r", {}}, {"r", {}}}, {{"dim0", 8}})),
              HasSubstr("in label 'r' is repeated"));
  EXPECT_THAT(errorOf(L::create({}, {{"d", 8}, {"d", 2}})),
              HasSubstr("out label 'd' is repeated"));
  EXPECT_THAT(errorOf(L::create({}, {{"d", 12}})),
              HasSubstr("size 12, expected a power of two"));
  EXPECT_THAT(errorOf(L::create({}, {{"d", 0}})), HasSubstr("size 0"));
  EXPECT_THAT(errorOf(L::create({}, {{"d", 4}}, {7})),
              HasSubstr("offset (7) is out of range"));
}

TEST(LinearLayout, ApplyIsAffine) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 50; ++round) {
    LinearLayout l = random.layout(random.dims({"r", "l", "w"}, 4),
                                   random.dims({"a", "b"}, 6), true);
    uint64_t n = uint64_t{1} << l.totalInBits();
    uint64_t x = random.below(n), y = random.below(n);
    EXPECT_EQ(l.applyFlat(x) ^ l.applyFlat(y) ^ l.applyFlat(0),
              l.applyFlat(x ^ y));
    EXPECT_EQ(l.linearPart().applyFlat(x) ^ l.applyFlat(0), l.applyFlat(x));
  }
}

TEST(LinearLayout, ComposeEqualsApplyingTwice) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 50; ++round) {
    auto middle = random.dims({"a", "b"}, 4);
    LinearLayout first =
        random.layout(random.dims({"r", "l"}, 4), middle, true);
    LinearLayout second = random.layout({middle[1], middle[0]},
                                        random.dims({"x", "y", "z"}, 3), true);
    auto both = take(first.compose(second));
    ASSERT_TRUE(both);
    for (uint64_t place = 0; place >> first.totalInBits() == 0; ++place) {
      uint64_t r = place & (first.inSize("r") - 1);
      uint64_t l = place >> first.inBits("r");
      auto ab = first.apply({r, l});
      EXPECT_EQ(both->apply({r, l}), second.apply({ab[1], ab[0]}));
    }
  }
}

TEST(LinearLayout, ComposeIsAssociative) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 50; ++round) {
    auto d1 = random.dims({"a", "b"}, 5), d2 = random.dims({"c", "d"}, 5);
    LinearLayout f = random.layout(random.dims({"r"}, 5), d1, true);
    LinearLayout g = random.layout(d1, d2, true);
    LinearLayout h = random.layout(d2, random.dims({"x", "y"}, 5), true);
    EXPECT_EQ(cantFail(cantFail(f.compose(g)).compose(h)),
              cantFail(f.compose(cantFail(g.compose(h)))));
  }
}

TEST(LinearLayout, ComposeRefusesWhatDoesNotMeet) {
  LinearLayout small = LinearLayout::identity(4, "r", "a");
  EXPECT_THAT(errorOf(LinearLayout::identity(8, "r", "a")
                          .compose(LinearLayout::identity(4, "a", "x"))),
              HasSubstr("'a' of the first layout has 8 values"));
  EXPECT_THAT(errorOf(small.compose(LinearLayout::identity(4, "b", "x"))),
              HasSubstr("out label 'a'"));
  LinearLayout wide = LinearLayout::identity(8, "a", "x");
  EXPECT_THAT(take(small.compose(wide))->apply({3}), ElementsAre(3));
}

TEST(LinearLayout, ProductExamples) {
  auto id = [](uint64_t n) { return LinearLayout::identity(n, "i", "o"); };
  auto zero = [](uint64_t n) { return LinearLayout::zeros(n, "i", "o"); };
  EXPECT_EQ(id(4) * id(2), id(8));
  for (uint64_t x = 0; x < 8; ++x) {
    EXPECT_THAT((id(4) * zero(2)).apply({x}), ElementsAre(x % 4));
    EXPECT_THAT((zero(2) * id(4)).apply({x}), ElementsAre(x / 2));
  }
}

TEST(LinearLayout, ProductIsAMonoidAndDivisionUndoesIt) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 80; ++round) {
    auto make = [&] {
      return random.layout(random.dims({"r", "l"}, 3),
                           random.dims({"a", "b"}, 3), true);
    };
    LinearLayout a = make(), b = make(), c = make(), unit;
    EXPECT_EQ((a * b) * c, a * (b * c));
    EXPECT_EQ(a * unit, a);
    EXPECT_EQ(unit * a, a);
    std::string why;
    auto left = (a * b).divideLeft(a, &why);
    ASSERT_TRUE(left) << why;
    EXPECT_EQ(*left, b);
    auto right = (a * b).divideRight(b, &why);
    ASSERT_TRUE(right) << why;
    EXPECT_EQ(*right, a);
  }
}

/// Division agrees with searching all quotients (tiny sizes).
TEST(LinearLayout, DivisionEqualsSearch) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 300; ++round) {
    LinearLayout whole = random.layout({{"i", 2}}, {{"o", 2}});
    LinearLayout part = random.layout({{"i", 1}}, {{"o", 1}});
    bool found = false;
    for (uint64_t bits = 0; bits < 2; ++bits)
      found |=
          part * LinearLayout::fromMatrix({{"i", 1}}, {{"o", 1}},
                                          F2Matrix::fromColumns(1, {bits})) ==
          whole;
    EXPECT_EQ(whole.divideLeft(part).has_value(), found);
  }
}

TEST(LinearLayout, DivisionSaysWhy) {
  LinearLayout whole = fourByFour(),
               tile = LinearLayout::identity(4, "register", "dim1");
  std::string why;
  EXPECT_FALSE(whole.divideLeft(tile, &why));
  EXPECT_THAT(why, HasSubstr("basis 1 of 'register'"));
  EXPECT_FALSE(whole.divideLeft(LinearLayout::identity(2, "x", "dim1"), &why));
  EXPECT_THAT(why, HasSubstr("'x'"));
}

TEST(LinearLayout, ProductRefusesOppositeOrders) {
  LinearLayout ab =
      LinearLayout::identity(2, "a", "x") * LinearLayout::identity(2, "b", "y");
  LinearLayout ba =
      LinearLayout::identity(2, "b", "y") * LinearLayout::identity(2, "a", "x");
  EXPECT_THAT(errorOf(LinearLayout::product(ab, ba)),
              HasSubstr("the label orders disagree"));
}

TEST(LinearLayout, InverseLaws) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 60; ++round) {
    LinearLayout l =
        LinearLayout::fromMatrix({{"r", 3}, {"l", 4}}, {{"a", 5}, {"b", 2}},
                                 random.invertible(7))
            .withOffset({random.below(32), random.below(4)});
    LinearLayout inverse = cantFail(l.invert());
    for (uint64_t x = 0; x < 128; ++x) {
      EXPECT_EQ(inverse.applyFlat(l.applyFlat(x)), x);
      EXPECT_EQ(l.applyFlat(inverse.applyFlat(x)), x);
    }
    EXPECT_EQ(cantFail(inverse.invert()), l);
  }
}

TEST(LinearLayout, RightInverseIsTheSmallestPlace) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 60; ++round) {
    LinearLayout l =
        random.layout({{"r", 4}, {"l", 3}}, {{"a", 3}, {"b", 1}}, true);
    auto right = l.rightInverse();
    EXPECT_EQ(bool(right), l.isSurjective());
    if (!right) {
      llvm::consumeError(right.takeError());
      continue;
    }
    for (uint64_t element = 0; element < 16; ++element)
      EXPECT_EQ(l.applyFlat(right->applyFlat(element)), element);
  }
  LinearLayout replicated =
      LinearLayout::zeros(4, "r", "a") * LinearLayout::identity(8, "r", "a");
  EXPECT_THAT(cantFail(replicated.rightInverse()).apply({5}), ElementsAre(20));
}

TEST(LinearLayout, InvertNamesTheOffendingBasis) {
  LinearLayout l =
      LinearLayout::identity(4, "r", "a") * LinearLayout::zeros(2, "l", "a");
  EXPECT_THAT(errorOf(l.invert()), HasSubstr("not injective: basis 0 of 'l'"));
  EXPECT_THAT(errorOf(LinearLayout::zeros(1, "r", "a", 4).invert()),
              HasSubstr("not surjective"));
}

TEST(LinearLayout, ReshapeAndTransposeMoveNoBit) {
  LinearLayout l = fourByFour();
  EXPECT_EQ(l.flattenOuts("x").reshapeOuts(l.outDims()), l);
  EXPECT_EQ(l.transposeOuts({"dim1", "dim0"}).transposeOuts({"dim0", "dim1"}),
            l);
  EXPECT_THAT(l.transposeOuts({"dim1", "dim0"}).apply({3, 1}),
              ElementsAre(3, 2));
  EXPECT_THAT(l.transposeIns({"lane", "register"}).apply({1, 3}),
              ElementsAre(2, 3));
  EXPECT_TRUE(l.isSameMap(l.transposeIns({"lane", "register"})));
  EXPECT_FALSE(l.isSameMap(l.renameIn("lane", "warp")));
}

TEST(LinearLayout, SublayoutDropsRowsAndColumns) {
  LinearLayout sub = fourByFour().sublayout({"lane"}, {"dim1"});
  EXPECT_EQ(sub.toString(), "lane: (2) (0) -> dim1: 4");
  EXPECT_EQ(sub.zeroBasisMask("lane"), 2u);
  EXPECT_EQ(sub.removeZeroBases("lane").toString(), "lane: (2) -> dim1: 4");
}

TEST(LinearLayout, QuotientAndTriviality) {
  LinearLayout l = LinearLayout::identity(4, "block", "block") *
                   LinearLayout::identity(8, "r", "a");
  EXPECT_TRUE(l.isTrivialOver({"block"}));
  EXPECT_EQ(*l.quotient({"block"}), LinearLayout::identity(8, "r", "a"));
  EXPECT_FALSE(l.quotient({"r"}).has_value());
}

TEST(LinearLayout, FreeVariablesOfAGeneralMatrix) {
  LinearLayout l = cantFail(LinearLayout::create(
      {{"r", {{1}, {0}, {2}}}, {"l", {{3}, {4}}}}, {{"a", 8}}));
  EXPECT_EQ(l.freeVariableMask("r"), 0b010u);
  EXPECT_EQ(l.freeVariableMask("l"), 0b01u);
  EXPECT_EQ(l.zeroBasisMask("l"), 0u);
}

TEST(LinearLayout, VerifyDistributedNamesTheBasis) {
  using L = LinearLayout;
  auto check = [](std::vector<std::vector<uint64_t>> bases) {
    llvm::Error error =
        cantFail(L::create({{"lane", bases}}, {{"a", 4}})).verifyDistributed();
    return llvm::toString(std::move(error));
  };
  EXPECT_EQ(check({{1}, {2}, {0}}), "");
  EXPECT_THAT(check({{3}, {2}}), HasSubstr("basis 0 of 'lane' (3) has 2 bits"));
  EXPECT_THAT(check({{1}, {2}, {1}}),
              HasSubstr("basis 2 of 'lane' (1) repeats basis 0 of 'lane'"));
  EXPECT_THAT(check({{1}}), HasSubstr("not surjective"));
}

TEST(LinearLayout, EqualLayoutsHashAlike) {
  EXPECT_EQ(hash_value(fourByFour()), hash_value(fourByFour()));
  EXPECT_NE(fourByFour(), fourByFour().withOffset({1, 0}));
}

/// More output bits than a machine word.
TEST(LinearLayout, HasNoLimitHiddenInAWord) {
  LinearLayout l = LinearLayout::identity(uint64_t{1} << 40, "r", "a") *
                   LinearLayout::identity(uint64_t{1} << 40, "r2", "b");
  EXPECT_EQ(l.totalOutBits(), 80u);
  uint64_t big = (uint64_t{1} << 39) | 5;
  EXPECT_THAT(l.apply({big, big + 1}), ElementsAre(big, big + 1));
  EXPECT_EQ(cantFail(cantFail(l.invert()).invert()), l);
}
