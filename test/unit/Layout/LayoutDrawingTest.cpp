//===- LayoutDrawingTest.cpp - What tables of layouts say -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tables of random layouts are read back cell by cell, and the layout itself is
// asked what the place that the cell names holds.
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/LayoutDrawing.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;
using llvm::StringRef;

static std::string tableOf(const LinearLayout &layout,
                           const DrawingOptions &options) {
  std::string text;
  llvm::raw_string_ostream os(text);
  EXPECT_EQ(llvm::toString(drawTable(os, layout, options)), "");
  return text;
}

/// The place that "B1", "T37:3" or "T37" names.
static std::vector<std::pair<StringRef, uint64_t>>
placeOf(StringRef block, StringRef text, const LinearLayout &layout) {
  auto [thread, reg] = text.drop_front().split(':');
  uint64_t number = 0, registers = 0, blocks = 0;
  EXPECT_FALSE(thread.getAsInteger(10, number));
  EXPECT_TRUE(reg.empty() || !reg.getAsInteger(10, registers));
  EXPECT_TRUE(block.empty() || !block.drop_front().getAsInteger(10, blocks));
  uint64_t lanes = layout.inSize("lane");
  return {{"register", registers},
          {"lane", number % lanes},
          {"warp", number / lanes},
          {"block", blocks}};
}

/// Reads the rows of the one table of `text`.
static void expectTableHolds(StringRef text, const LinearLayout &layout,
                             const DrawingWindow &window) {
  SCOPED_TRACE(layout.toString() + "\n" + text.str());
  llvm::SmallVector<StringRef> lines;
  text.split(lines, '\n', -1, /*KeepEmpty=*/false);
  ASSERT_GE(lines.size(), window.rows);
  lines.erase(lines.begin(), lines.end() - window.rows);
  for (uint64_t row = 0; row < window.rows; ++row) {
    llvm::SmallVector<StringRef> words;
    llvm::SplitString(lines[row], words);
    ASSERT_EQ(words.front(), std::to_string(window.row + row));
    uint64_t column = window.column;
    StringRef block;
    for (StringRef word : llvm::ArrayRef(words).drop_front()) {
      if (word.starts_with("B")) {
        block = word;
        continue;
      }
      if (word != "-") {
        auto got = layout.apply(placeOf(block, word, layout));
        EXPECT_EQ(got[0], window.row + row);
        EXPECT_EQ(got[1], column);
      }
      block = "";
      ++column;
    }
    EXPECT_EQ(column, window.column + window.columns);
  }
}

TEST(LayoutDrawing, TablesSayWhatLayoutsSay) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 60; ++round) {
    LinearLayout layout = random.layout(
        random.dims({"register", "lane", "warp", "block"}, 3),
        random.dims({"dim0", "dim1"}, 4), /*affine=*/random.coin());
    DrawingOptions options;
    DrawingWindow &window = options.window;
    window.row = random.below(layout.outSize("dim0"));
    window.column = random.below(layout.outSize("dim1"));
    window.rows = 1 + random.below(layout.outSize("dim0") - window.row);
    window.columns = 1 + random.below(layout.outSize("dim1") - window.column);
    expectTableHolds(tableOf(layout, options), layout, window);
  }
}

/// As many dashes as elements that no place holds.
TEST(LayoutDrawing, DashesAreElementsNobodyHolds) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 40; ++round) {
    LinearLayout layout = random.layout(random.dims({"register", "lane"}, 3),
                                        {{"dim0", 3}, {"dim1", 3}});
    std::set<std::pair<uint64_t, uint64_t>> held;
    for (uint64_t r = 0; r < layout.inSize("register"); ++r)
      for (uint64_t l = 0; l < layout.inSize("lane"); ++l) {
        auto at = layout.apply({{"register", r}, {"lane", l}});
        held.insert({at[0], at[1]});
      }
    std::string text = tableOf(layout, {});
    llvm::SmallVector<StringRef> words;
    llvm::SplitString(text, words);
    EXPECT_EQ(llvm::count(words, "-"), int(64 - held.size())) << text;
  }
}

/// Tables and pictures of degenerate and of huge layouts.
TEST(LayoutDrawing, AnySize) {
  LinearLayout::Dims none;
  auto unit = LinearLayout::fromMatrix(none, none, F2Matrix(0, 0));
  auto huge = LinearLayout::identity(uint64_t{1} << 62, "lane", "x");
  auto wide =
      LinearLayout::fromMatrix({{"lane", 40}, {"register", 40}},
                               {{"a", 40}, {"b", 40}}, F2Matrix::identity(80));
  for (const LinearLayout &layout : {unit, huge, wide}) {
    std::string text = tableOf(layout, {});
    EXPECT_LT(text.size(), 100000u);
    std::string svg;
    llvm::raw_string_ostream os(svg);
    EXPECT_EQ(llvm::toString(drawSvg(os, layout)), "");
    EXPECT_LT(svg.size(), 10000000u);
  }
}
