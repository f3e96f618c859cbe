//===- ConvertMapTest.cpp - How far data travels, checked exhaustively ----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Random.h"

#include "mirage/Support/F2/ConvertMap.h"

#include "gmock/gmock.h"

using namespace mirage;
using namespace mirage::testing;
using ::testing::HasSubstr;

/// Whether each place of `d` finds its element in a place of `s` with the same
/// values of the labels at or above `first` (0 register .. 3 block): the naive
/// answer, by looking at every pair of places.
static bool canKeep(const LinearLayout &s, const LinearLayout &d,
                    unsigned first) {
  unsigned start = 0, dStart = 0;
  for (unsigned i = 0; i < first; ++i) {
    start += s.inDims()[i].bits;
    dStart += d.inDims()[i].bits;
  }
  for (uint64_t y = 0; y >> d.totalInBits() == 0; ++y) {
    bool found = false;
    for (uint64_t x = 0; x >> s.totalInBits() == 0 && !found; ++x)
      found = x >> start == y >> dStart && s.applyFlat(x) == d.applyFlat(y);
    if (!found)
      return false;
  }
  return true;
}

static ConvertReach naiveReach(const LinearLayout &s, const LinearLayout &d) {
  static const ConvertReach reaches[] = {
      ConvertReach::Nowhere, ConvertReach::Thread, ConvertReach::Warp,
      ConvertReach::Block, ConvertReach::Cluster};
  for (unsigned first = 0; first < 4; ++first)
    if ((first > 0 || s.inDims()[0].bits == d.inDims()[0].bits) &&
        canKeep(s, d, first))
      return reaches[first];
  return ConvertReach::Cluster;
}

TEST(ConvertMap, ReachEqualsTheNaiveOne) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 300; ++round) {
    unsigned bits[] = {unsigned(random.below(3)), unsigned(random.below(3))};
    unsigned lanes = random.below(3), warps = random.below(3);
    unsigned blocks = random.below(2);
    LinearLayout s =
        random.distributed(bits, lanes, warps, blocks, random.below(2));
    LinearLayout d =
        random.distributed(bits, lanes, warps, blocks, random.below(2));
    auto convert = take(nearestConvertMap(s, d));
    ASSERT_TRUE(convert);
    EXPECT_EQ(convert->reach, naiveReach(s, d)) << s.toString() << "\n"
                                                << d.toString();
    EXPECT_EQ(llvm::cantFail(convert->map.compose(s)), d);
  }
}

/// Bases that are sums of bits, replicas that are sums of other bases: the
/// nearest reach is found in the whole coset of solutions.
TEST(ConvertMap, ReachOfGeneralLayoutsEqualsTheNaiveOne) {
  Random random;
  SCOPED_TRACE(random.seed);
  std::map<ConvertReach, unsigned> reaches;
  for (int round = 0; round < 600; ++round) {
    LinearLayout::Dims outs{{"a", 1}, {"b", unsigned(1 + random.below(2))}};
    LinearLayout::Dims ins{{"register", unsigned(random.below(3))},
                           {"lane", unsigned(random.below(3))},
                           {"warp", unsigned(random.below(2))},
                           {"block", unsigned(random.below(2))}};
    LinearLayout s = random.layout(ins, outs, random.coin());
    if (!s.isSurjective())
      continue;
    LinearLayout d = random.layout(ins, outs, random.coin());
    // Half of the time a destination that is the source in disguise.
    if (random.coin())
      d = LinearLayout::fromMatrix(ins, outs, s.matrix(), s.flatOffset());
    auto convert = take(nearestConvertMap(s, d));
    ASSERT_TRUE(convert);
    ++reaches[convert->reach];
    EXPECT_EQ(convert->reach, naiveReach(s, d)) << s.toString() << "\n"
                                                << d.toString();
    EXPECT_EQ(llvm::cantFail(convert->map.compose(s)), d);
  }
  for (auto reach : {ConvertReach::Nowhere, ConvertReach::Thread,
                     ConvertReach::Warp, ConvertReach::Block})
    EXPECT_GT(reaches[reach], 0u) << stringifyReach(reach).str();
}

TEST(ConvertMap, OffsetsAreMovedToo) {
  LinearLayout s = LinearLayout::identity(4, "register", "a") *
                   LinearLayout::identity(4, "lane", "a");
  LinearLayout d = s.withOffset({2});
  auto convert = take(nearestConvertMap(s, d));
  EXPECT_EQ(convert->reach, ConvertReach::Thread);
  EXPECT_EQ(take(nearestConvertMap(s, s.withOffset({4})))->reach,
            ConvertReach::Warp);
  EXPECT_EQ(take(nearestConvertMap(s, s))->reach, ConvertReach::Nowhere);
}

TEST(ConvertMap, DifferentTensorsAreAnError) {
  EXPECT_THAT(
      errorOf(nearestConvertMap(LinearLayout::identity(4, "register", "a"),
                                LinearLayout::identity(8, "register", "a"))),
      HasSubstr("different tensors"));
  EXPECT_THAT(
      errorOf(nearestConvertMap(LinearLayout::zeros(4, "register", "a", 4),
                                LinearLayout::identity(4, "register", "a"))),
      HasSubstr("does not hold every element"));
  EXPECT_THAT(
      errorOf(nearestConvertMap(LinearLayout::identity(4, "offset", "a"),
                                LinearLayout::identity(4, "register", "a"))),
      HasSubstr("'offset'"));
}
