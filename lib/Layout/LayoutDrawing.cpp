//===- LayoutDrawing.cpp - Layouts as pictures ----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/LayoutDrawing.h"

#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::Twine;

static constexpr unsigned maxElementBits = 14;
static constexpr unsigned maxPlaceBits = 20;

namespace {
struct Cell {
  std::string text;
  uint64_t lane = 0; ///< of the first holder; chooses the colour.
};

/// A picture of rows and columns; several where the rank is above two.
struct Grid {
  unsigned rows = 1, cols = 1, tables = 1;
  std::vector<Cell> cells; ///< table by table, row by row.
};
} // namespace

/// Number of each in label at a flat place.
static llvm::SmallVector<std::pair<llvm::StringRef, uint64_t>>
splitPlace(const LinearLayout &layout, uint64_t place) {
  llvm::SmallVector<std::pair<llvm::StringRef, uint64_t>> numbers;
  for (const LabelledDim &in : layout.inDims()) {
    numbers.push_back({in.name, place & (in.size() - 1)});
    place >>= in.bits;
  }
  return numbers;
}

static Cell holder(const LinearLayout &layout, uint64_t place) {
  uint64_t reg = 0, lane = 0, warp = 0, block = 0;
  std::string others;
  for (auto [name, number] : splitPlace(layout, place)) {
    if (name == "register")
      reg = number;
    else if (name == "lane")
      lane = number;
    else if (name == "warp")
      warp = number;
    else if (name == "block")
      block = number;
    else
      others += name.take_front(1).str() + std::to_string(number);
  }
  std::string text = block ? "B" + std::to_string(block) + " " : "";
  if (!others.empty())
    return {text + others, place};
  uint64_t thread = warp * layout.inSize("lane") + lane;
  return {text + "T" + std::to_string(thread) + ":" + std::to_string(reg),
          lane};
}

static llvm::Expected<Grid> makeGrid(const LinearLayout &layout) {
  if (layout.totalOutBits() > maxElementBits ||
      layout.totalInBits() > maxPlaceBits)
    return failure("a layout of 2^" + Twine(layout.totalInBits()) +
                   " places and 2^" + Twine(layout.totalOutBits()) +
                   " elements is too large to draw, expected at most 2^" +
                   Twine(maxPlaceBits) + " and 2^" + Twine(maxElementBits));
  Grid grid;
  size_t rank = layout.numOuts();
  if (rank > 0)
    grid.cols = layout.outDims()[rank - 1].size();
  if (rank > 1)
    grid.rows = layout.outDims()[rank - 2].size();
  for (size_t dim = 0; dim + 2 < rank; ++dim)
    grid.tables *= layout.outDims()[dim].size();
  size_t size = size_t{grid.tables} * grid.rows * grid.cols;
  grid.cells.resize(size);
  std::vector<unsigned> holders(size, 0);
  for (uint64_t place = 0; place >> layout.totalInBits() == 0; ++place) {
    size_t index = 0;
    llvm::SmallVector<uint64_t> numbers;
    for (auto [name, number] : splitPlace(layout, place))
      numbers.push_back(number);
    for (auto [dim, number] :
         llvm::zip_equal(layout.outDims(), layout.apply(numbers)))
      index = index * dim.size() + number;
    if (holders[index]++ == 0)
      grid.cells[index] = holder(layout, place);
  }
  for (auto [cell, count] : llvm::zip_equal(grid.cells, holders)) {
    if (count == 0)
      cell.text = "-";
    else if (count > 1)
      cell.text += "*" + std::to_string(count);
  }
  return grid;
}

llvm::Error layout::drawTable(llvm::raw_ostream &os,
                              const LinearLayout &layout) {
  llvm::Expected<Grid> grid = makeGrid(layout);
  if (!grid)
    return grid.takeError();
  size_t width = 1;
  for (const Cell &cell : grid->cells)
    width = std::max(width, cell.text.size());
  for (auto [index, cell] : llvm::enumerate(grid->cells)) {
    if (grid->tables > 1 && index % (grid->rows * grid->cols) == 0)
      os << (index ? "\n" : "") << "table " << index / (grid->rows * grid->cols)
         << ":\n";
    bool last = index % grid->cols == grid->cols - 1;
    os << cell.text;
    if (last)
      os << "\n";
    else
      os.indent(width - cell.text.size() + 1);
  }
  return llvm::Error::success();
}

/// A pale colour per lane: the hue turns by the golden angle.
static std::string colour(uint64_t lane) {
  return "hsl(" + std::to_string(lane * 137 % 360) + ",70%,85%)";
}

llvm::Error layout::drawSvg(llvm::raw_ostream &os, const LinearLayout &layout) {
  llvm::Expected<Grid> grid = makeGrid(layout);
  if (!grid)
    return grid.takeError();
  constexpr unsigned cellWidth = 64, cellHeight = 20, gap = 20;
  unsigned tableHeight = grid->rows * cellHeight + gap;
  os << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""
     << grid->cols * cellWidth << "\" height=\"" << grid->tables * tableHeight
     << "\" font-family=\"monospace\" font-size=\"11\">\n";
  for (auto [index, cell] : llvm::enumerate(grid->cells)) {
    unsigned table = index / (grid->rows * grid->cols);
    unsigned row = index / grid->cols % grid->rows, col = index % grid->cols;
    unsigned x = col * cellWidth, y = table * tableHeight + row * cellHeight;
    os << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"" << cellWidth
       << "\" height=\"" << cellHeight << "\" fill=\"" << colour(cell.lane)
       << "\" stroke=\"#888\"/><text x=\"" << x + 4 << "\" y=\"" << y + 14
       << "\">" << cell.text << "</text>\n";
  }
  os << "</svg>\n";
  return llvm::Error::success();
}
