//===- LayoutPicture.cpp - What the drawings of a layout show -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutPicture.h"

#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

#include <algorithm>
#include <cmath>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

static constexpr uint64_t maxTables = 4;

namespace {
class PictureBuilder {
public:
  PictureBuilder(const LinearLayout &layout, const DrawingOptions &options)
      : layout(layout), options(options),
        span(layout.totalOutBits(), layout.totalInBits()) {
    for (unsigned column = 0; column < layout.totalInBits(); ++column)
      span.insert(layout.matrix().column(column));
  }

  Expected<LayoutPicture> run(DrawingWindow limit) {
    if (llvm::Error error = chooseWindow(limit))
      return std::move(error);
    addTables();
    addNotes();
    addSwatches();
    return std::move(picture);
  }

private:
  llvm::Error chooseWindow(DrawingWindow limit);
  void addTables();
  void addNotes();
  void addSwatches();
  std::optional<F2Vector> placeOf(ArrayRef<uint64_t> element) const;
  PictureCell cellAt(ArrayRef<uint64_t> element) const;
  Colour placeColour(uint64_t lane, uint64_t warp) const;
  Colour offsetColour(uint64_t offset) const;

  const LinearLayout &layout;
  const DrawingOptions &options;
  F2Span span; ///< of the columns: finds the places of elements.
  uint64_t rows = 1, columns = 1, numTables = 1; ///< of the whole tile.
  LayoutPicture picture;
};
} // namespace

//===----------------------------------------------------------------------===//
// Colours
//===----------------------------------------------------------------------===//

/// Hue, saturation and lightness, each from 0 to 1.
static Colour fromHsl(double hue, double saturation, double lightness) {
  double strength = saturation * std::min(lightness, 1 - lightness);
  auto channel = [&](double shift) {
    double turn = std::fmod(shift + hue * 12, 12);
    double level =
        lightness -
        strength * std::max(-1.0, std::min({turn - 3, 9 - turn, 1.0}));
    return static_cast<unsigned>(std::lround(level * 255));
  };
  return {channel(0), channel(8), channel(4)};
}

/// A hue per lane; later warps are darker.
Colour PictureBuilder::placeColour(uint64_t lane, uint64_t warp) const {
  uint64_t lanes = layout.inSize("lane"), warps = layout.inSize("warp");
  double depth = warps > 1 ? double(warp) / (warps - 1) : 0;
  return fromHsl(double(lane) / lanes, 0.75, 0.88 - 0.24 * depth);
}

/// A hue per bank; every second row of banks is darker.
Colour PictureBuilder::offsetColour(uint64_t offset) const {
  uint64_t word = offset * options.elemBits / 32;
  return fromHsl(double(word % options.banks) / options.banks, 0.75,
                 word / options.banks % 2 ? 0.78 : 0.88);
}

//===----------------------------------------------------------------------===//
// Cells
//===----------------------------------------------------------------------===//

/// Bits `start` to `start + bits` of a vector of place bits.
static uint64_t numberAt(const F2Vector &bits, unsigned start, unsigned count) {
  uint64_t number = 0;
  for (unsigned i = 0; i < count; ++i)
    number |= ((bits[(start + i) / 64] >> ((start + i) % 64)) & 1) << i;
  return number;
}

/// The first place of an element, if there is one: a set of place bits.
std::optional<F2Vector>
PictureBuilder::placeOf(ArrayRef<uint64_t> element) const {
  // The element minus the offset must be a sum of bases.
  LinearLayout at = layout.withOffset(element);
  F2Vector wanted(at.flatOffset());
  for (auto [word, shift] : llvm::zip(wanted, layout.flatOffset()))
    word ^= shift;
  F2Vector place;
  if (!span.contains(wanted, &place))
    return std::nullopt;
  return place;
}

PictureCell PictureBuilder::cellAt(ArrayRef<uint64_t> element) const {
  PictureCell cell;
  std::optional<F2Vector> place = placeOf(element);
  if (!place)
    return cell;
  auto number = [&](StringRef label) {
    return numberAt(*place, layout.inStart(label), layout.inBits(label));
  };
  uint64_t lane = number("lane"), block = number("block");
  cell.held = true;
  cell.warp = number("warp");
  if (layout.hasIn("register"))
    cell.position = std::to_string(number("register"));
  if (layout.hasIn("offset")) {
    cell.holder = std::to_string(number("offset"));
    cell.colour = offsetColour(number("offset"));
  } else {
    for (const LabelledDim &in : layout.inDims())
      if (!llvm::is_contained(registerLabels(), in.name))
        cell.holder += in.name + std::to_string(number(in.name));
    cell.colour = placeColour(lane, cell.warp);
  }
  if (cell.holder.empty())
    cell.holder =
        "T" + std::to_string(cell.warp * layout.inSize("lane") + lane);
  if (block)
    cell.holder = "B" + std::to_string(block) + " " + cell.holder;
  return cell;
}

void PictureBuilder::addTables() {
  const DrawingWindow &window = picture.window;
  ArrayRef<LabelledDim> outs = layout.outDims();
  size_t leading = outs.size() < 2 ? 0 : outs.size() - 2;
  for (uint64_t number = 0; number < std::min(numTables, maxTables); ++number) {
    SmallVector<uint64_t> element(outs.size(), 0);
    uint64_t rest = number;
    SmallVector<std::string> names(leading);
    for (size_t dim = leading; dim-- > 0; rest >>= outs[dim].bits) {
      element[dim] = rest & (outs[dim].size() - 1);
      names[dim] = outs[dim].name + " = " + std::to_string(element[dim]);
    }
    PictureTable &table = picture.tables.emplace_back();
    table.name = llvm::join(names, ", ");
    for (uint64_t row = 0; row < window.rows; ++row)
      for (uint64_t column = 0; column < window.columns; ++column) {
        if (!outs.empty())
          element[outs.size() - 1] = window.column + column;
        if (outs.size() > 1)
          element[outs.size() - 2] = window.row + row;
        table.cells.push_back(cellAt(element));
      }
  }
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

/// "lane bits 3, 4; warp bit 0": bits whose change does not change the element
/// (in a general matrix: that can be undone by the bits before them).
static std::string replicaBits(const LinearLayout &layout) {
  SmallVector<std::string> parts;
  for (const LabelledDim &in : layout.inDims()) {
    uint64_t mask = layout.freeVariableMask(in.name);
    if (!mask)
      continue;
    SmallVector<std::string> bits;
    for (uint64_t rest = mask; rest; rest &= rest - 1)
      bits.push_back(std::to_string(llvm::countr_zero(rest)));
    parts.push_back(in.name + (bits.size() > 1 ? " bits " : " bit ") +
                    llvm::join(bits, ", "));
  }
  return llvm::join(parts, "; ");
}

/// "register 4 x lane 32", without the labels of size 1.
static std::string sizesOf(ArrayRef<LabelledDim> dims) {
  SmallVector<std::string> parts;
  for (const LabelledDim &dim : dims)
    if (dim.bits)
      parts.push_back(dim.name + " " + std::to_string(dim.size()));
  return parts.empty() ? "1" : llvm::join(parts, " x ");
}

void PictureBuilder::addNotes() {
  const DrawingWindow &window = picture.window;
  picture.notes.push_back("places: " + sizesOf(layout.inDims()) +
                          "; elements: " + sizesOf(layout.outDims()));
  if (layout.hasIn("offset"))
    picture.notes.push_back(
        "numbers: offsets in elements of " + std::to_string(options.elemBits) +
        " bits; colours: " + std::to_string(options.banks) + " banks");
  else if (layout.hasIn("lane") || layout.hasIn("register"))
    picture.notes.push_back("T: thread, lane + " +
                            std::to_string(layout.inSize("lane")) +
                            " * warp; after it the register");
  unsigned rank = span.rank();
  unsigned replicas = layout.totalInBits() - rank;
  if (replicas)
    picture.notes.push_back("each element is held by 2^" +
                            std::to_string(replicas) +
                            " places; replicas: " + replicaBits(layout));
  if (rank < layout.totalOutBits())
    picture.notes.push_back("only one element in 2^" +
                            std::to_string(layout.totalOutBits() - rank) +
                            " is held");
  auto range = [](StringRef name, uint64_t first, uint64_t count,
                  uint64_t all) {
    return (name + " " + Twine(first) + " to " + Twine(first + count - 1) +
            " of " + Twine(all))
        .str();
  };
  if (window.rows < rows || window.columns < columns)
    picture.notes.push_back(
        "shown: " + range("rows", window.row, window.rows, rows) + ", " +
        range("columns", window.column, window.columns, columns) +
        " (--window shows others)");
  if (numTables > maxTables)
    picture.notes.push_back("shown: the first " + std::to_string(maxTables) +
                            " of " + std::to_string(numTables) + " tables");
}

void PictureBuilder::addSwatches() {
  if (layout.hasIn("offset")) {
    picture.swatchName = "bank";
    uint64_t perWord = std::max<uint64_t>(1, 32 / options.elemBits);
    for (uint64_t bank = 0; bank < options.banks; ++bank)
      picture.swatches.push_back(
          {std::to_string(bank),
           offsetColour(options.elemBits > 32 ? bank * 32 / options.elemBits
                                              : bank * perWord)});
    return;
  }
  picture.swatchName = "lane";
  for (uint64_t lane = 0; lane < std::min<uint64_t>(layout.inSize("lane"), 64);
       ++lane)
    picture.swatches.push_back({std::to_string(lane), placeColour(lane, 0)});
  uint64_t warps = std::min<uint64_t>(layout.inSize("warp"), 16);
  for (uint64_t warp = 0; warps > 1 && warp < warps; ++warp)
    picture.warpSwatches.push_back(
        {std::to_string(warp), placeColour(0, warp)});
}

//===----------------------------------------------------------------------===//
// The window
//===----------------------------------------------------------------------===//

/// Fits one side of the window to the tile.
static llvm::Error fitSide(StringRef name, uint64_t first, uint64_t &count,
                           uint64_t limit, uint64_t all) {
  if (first >= all)
    return failure("the window starts at " + name + " " + Twine(first) +
                   ", expected less than " + Twine(all));
  if (count > all - first)
    return failure("the window has " + Twine(count) + " " + name + "s from " +
                   Twine(first) + ", expected at most " + Twine(all - first));
  if (count == 0)
    count = std::min(all - first, limit);
  return llvm::Error::success();
}

llvm::Error PictureBuilder::chooseWindow(DrawingWindow limit) {
  ArrayRef<LabelledDim> outs = layout.outDims();
  if (!outs.empty()) {
    columns = outs.back().size();
    picture.columnName = outs.back().name;
  }
  if (outs.size() > 1) {
    rows = outs[outs.size() - 2].size();
    picture.rowName = outs[outs.size() - 2].name;
  }
  for (size_t dim = 0; dim + 2 < outs.size(); ++dim)
    numTables =
        std::min(numTables * std::min(outs[dim].size(), uint64_t{1} << 20),
                 uint64_t{1} << 40);
  DrawingWindow &window = picture.window = options.window;
  if (llvm::Error error =
          fitSide("row", window.row, window.rows, limit.rows, rows))
    return error;
  return fitSide("column", window.column, window.columns, limit.columns,
                 columns);
}

Expected<LayoutPicture> detail::makePicture(const LinearLayout &layout,
                                            const DrawingOptions &options,
                                            DrawingWindow limit) {
  return PictureBuilder(layout, options).run(limit);
}
