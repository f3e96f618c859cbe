//===- RegisterExchangeTest.cpp - Exchanges against closed formulas -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A conversion within a warp that permutes bits of (register, lane) is known to
// take, for R registers and m bits that cross from registers to lanes:
//
//   lanes only   R shuffles
//   ship         R / 2 shuffles, 3 R / 2 selects, where m = 1 and no lane bit
//                changes places with another lane bit
//   swap         (1 - 2^-m) R shuffles and 2 m R selects, and R more shuffles
//                where lane bits change places
//   cosets       R shuffles, with selects before and after
//
// Our programs never take more.
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/RegisterExchange.h"

#include <numeric>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

namespace {
struct Counts {
  unsigned shuffles, selects;
  /// At NVIDIA's prices, in those of a select.
  unsigned cost() const { return 2 * shuffles + selects; }
};
} // namespace

/// The cycles of a permutation of bits; the first `registers` are registers.
static std::vector<std::vector<unsigned>>
cyclesOf(const std::vector<unsigned> &image) {
  std::vector<std::vector<unsigned>> cycles;
  std::vector<bool> seen(image.size(), false);
  for (unsigned start = 0; start < image.size(); ++start) {
    std::vector<unsigned> cycle;
    for (unsigned bit = start; !seen[bit]; bit = image[bit]) {
      seen[bit] = true;
      cycle.push_back(bit);
    }
    if (cycle.size() > 1)
      cycles.push_back(cycle);
  }
  return cycles;
}

static Counts bestFormula(const std::vector<unsigned> &image,
                          unsigned registers) {
  unsigned mixed = 0, r = 1u << registers;
  bool lanesMove = false;
  for (const std::vector<unsigned> &cycle : cyclesOf(image))
    for (size_t i = 0; i < cycle.size(); ++i) {
      unsigned next = cycle[(i + 1) % cycle.size()];
      mixed += cycle[i] < registers && next >= registers;
      lanesMove |= cycle[i] >= registers && next >= registers;
    }
  if (mixed == 0)
    return {lanesMove ? r : 0, 0};
  Counts swap{r - (r >> mixed) + (lanesMove ? r : 0), 2 * mixed * r};
  Counts ship{r / 2, r + r / 2};
  return mixed == 1 && !lanesMove ? ship : swap;
}

static LinearLayout permutation(const std::vector<unsigned> &image,
                                unsigned registers) {
  std::vector<uint64_t> columns;
  for (unsigned bit : image)
    columns.push_back(uint64_t{1} << bit);
  LinearLayout::Dims dims{{"register", registers},
                          {"lane", unsigned(image.size()) - registers},
                          {"warp", 0},
                          {"block", 0}};
  return LinearLayout::fromMatrix(dims, dims,
                                  F2Matrix::fromColumns(image.size(), columns));
}

TEST(RegisterExchange, NeverTakesMoreThanTheKnownMethods) {
  Random random;
  SCOPED_TRACE(random.seed);
  unsigned kinds[4] = {};
  for (int round = 0; round < 500; ++round) {
    unsigned registers = 1 + random.below(5);
    std::vector<unsigned> image(registers + 5);
    std::iota(image.begin(), image.end(), 0);
    for (uint64_t swaps = random.below(5); swaps > 0; --swaps)
      std::swap(image[random.below(image.size())],
                image[random.below(image.size())]);
    RegisterExchange program = planRegisterExchange(
        permutation(image, registers), 32, *lookupTarget("sm_90a"));
    Counts ours{program.shuffles(), program.selects()};
    Counts theirs = bestFormula(image, registers);
    EXPECT_LE(ours.cost(), theirs.cost())
        << ours.shuffles << " shuffles, " << ours.selects << " selects against "
        << theirs.shuffles << ", " << theirs.selects << " for "
        << permutation(image, registers).toString();
    EXPECT_LE(ours.shuffles, 1u << registers);
    ++kinds[theirs.selects == 0
                ? theirs.shuffles != 0
                : 2 + (theirs.shuffles != 1u << (registers - 1))];
  }
  for (unsigned kind : kinds)
    EXPECT_GT(kind, 0u);
}
