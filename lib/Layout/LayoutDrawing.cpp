//===- LayoutDrawing.cpp - Layouts as tables for a terminal ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutPicture.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;

/// Where the terminal's width is not known, and for all rows.
static constexpr uint64_t sensibleRows = 64, sensibleColumns = 32;

static std::string textOf(const PictureCell &cell) {
  if (!cell.held)
    return "-";
  return cell.position.empty() ? cell.holder
                               : cell.holder + ":" + cell.position;
}

namespace {
/// Widths of a table's parts, in characters.
struct TableShape {
  size_t cell = 1, head = 0;
};
} // namespace

static TableShape measure(const LayoutPicture &picture) {
  TableShape shape;
  for (const PictureTable &table : picture.tables)
    for (const PictureCell &cell : table.cells)
      shape.cell = std::max(shape.cell, textOf(cell).size());
  const DrawingWindow &window = picture.window;
  shape.cell = std::max(
      shape.cell, std::to_string(window.column + window.columns - 1).size());
  if (!picture.rowName.empty())
    shape.head = std::max((picture.rowName + "\\" + picture.columnName).size(),
                          std::to_string(window.row + window.rows - 1).size());
  return shape;
}

/// The next of the 6 x 6 x 6 colours that terminals have.
static unsigned terminalColour(const Colour &colour) {
  auto level = [](unsigned value) { return (value * 5 + 127) / 255; };
  return 16 + 36 * level(colour.red) + 6 * level(colour.green) +
         level(colour.blue);
}

static void writeCell(llvm::raw_ostream &os, const PictureCell &cell,
                      size_t width, bool colour) {
  bool painted = colour && cell.held;
  os << " ";
  if (painted)
    os << "\x1b[38;5;16;48;5;" << terminalColour(cell.colour) << "m";
  os << llvm::right_justify(textOf(cell), width);
  if (painted)
    os << "\x1b[0m";
}

static void writeTable(llvm::raw_ostream &os, const LayoutPicture &picture,
                       const PictureTable &table, bool colour) {
  TableShape shape = measure(picture);
  const DrawingWindow &window = picture.window;
  auto right = [&](const std::string &text, size_t width) {
    os << llvm::right_justify(text, width);
  };
  if (!table.name.empty())
    os << table.name << "\n";
  if (!picture.columnName.empty()) {
    right(shape.head ? picture.rowName + "\\" + picture.columnName : "",
          shape.head);
    for (uint64_t column = 0; column < window.columns; ++column)
      right(std::to_string(window.column + column), shape.cell + 1);
    os << "\n";
  }
  for (uint64_t row = 0; row < window.rows; ++row) {
    right(shape.head ? std::to_string(window.row + row) : "", shape.head);
    for (uint64_t column = 0; column < window.columns; ++column)
      writeCell(os, table.cells[row * window.columns + column], shape.cell,
                colour);
    os << "\n";
  }
}

/// As many columns as the terminal has place for, a power of two.
static uint64_t columnsThatFit(const LinearLayout &layout,
                               const DrawingOptions &options) {
  if (!options.width)
    return sensibleColumns;
  // The widest cell is that of the last place.
  uint64_t threads = layout.inSize("lane") * layout.inSize("warp");
  uint64_t cell = layout.hasIn("offset")
                      ? std::to_string(layout.inSize("offset") - 1).size() + 1
                      : std::to_string(threads - 1).size() +
                            std::to_string(layout.inSize("register")).size() +
                            3;
  if (layout.inBits("block"))
    cell += std::to_string(layout.inSize("block") - 1).size() + 2;
  constexpr uint64_t head = 10;
  uint64_t fit = options.width > head ? (options.width - head) / cell : 1;
  return llvm::bit_floor(std::max<uint64_t>(fit, 1));
}

llvm::Error layout::drawTable(llvm::raw_ostream &os, const LinearLayout &layout,
                              const DrawingOptions &options) {
  DrawingWindow limit{0, 0, sensibleRows, columnsThatFit(layout, options)};
  llvm::Expected<LayoutPicture> picture = makePicture(layout, options, limit);
  if (!picture)
    return picture.takeError();
  for (const std::string &note : picture->notes)
    os << note << "\n";
  for (const PictureTable &table : picture->tables)
    writeTable(os, *picture, table, options.colour);
  return llvm::Error::success();
}
