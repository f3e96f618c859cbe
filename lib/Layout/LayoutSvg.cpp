//===- LayoutSvg.cpp - Layouts as SVG pictures ----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutPicture.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::StringRef;

/// A picture with more cells than this is of no use to a reader.
static constexpr uint64_t sensibleSide = 64;

static constexpr unsigned margin = 16, lineHeight = 16, characterWidth = 7;
static constexpr unsigned swatchWidth = 28, swatchHeight = 18;

static std::string escape(StringRef text) {
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::printHTMLEscaped(text, os);
  return result;
}

static std::string hex(const Colour &colour) {
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::format("#%02x%02x%02x", colour.red, colour.green, colour.blue);
  return text;
}

namespace {
/// Draws from the top to the bottom; `y` is where the next part begins.
class SvgPainter {
public:
  SvgPainter(llvm::raw_ostream &os, const LayoutPicture &picture)
      : os(os), picture(picture) {
    measure();
  }
  void paint(StringRef title);

private:
  void measure();
  void paintTable(const PictureTable &table);
  void paintIndices(unsigned top);
  void paintCells(const PictureTable &table, unsigned top);
  void paintWarpBorders(const PictureTable &table, unsigned top);
  void paintLegend(StringRef name, const std::vector<PictureSwatch> &swatches);
  void text(unsigned x, unsigned baseline, StringRef words,
            StringRef style = "");
  void line(unsigned x1, unsigned y1, unsigned x2, unsigned y2);

  unsigned width() const;
  unsigned height() const;
  unsigned columnX(uint64_t column) const {
    return margin + headWidth + column * cellWidth;
  }
  unsigned tableHeight(bool named) const {
    return lineHeight * (named ? 3 : 2) + picture.window.rows * cellHeight;
  }
  static unsigned legendRows(size_t swatches) { return (swatches + 31) / 32; }

  llvm::raw_ostream &os;
  const LayoutPicture &picture;
  unsigned cellWidth = 0, cellHeight = 0, headWidth = 0, y = margin;
};
} // namespace

void SvgPainter::measure() {
  size_t longest = 2;
  bool hasPositions = false;
  for (const PictureTable &table : picture.tables)
    for (const PictureCell &cell : table.cells) {
      longest =
          std::max({longest, cell.holder.size(), cell.position.size() + 1});
      hasPositions |= !cell.position.empty();
    }
  cellWidth = longest * characterWidth + 10;
  cellHeight = hasPositions ? 30 : 20;
  const DrawingWindow &window = picture.window;
  headWidth = (std::max(std::to_string(window.row + window.rows - 1).size(),
                        picture.rowName.size()) +
               1) *
              characterWidth;
}

unsigned SvgPainter::width() const {
  size_t widest = columnX(picture.window.columns) + margin;
  for (const std::string &note : picture.notes)
    widest = std::max(widest, note.size() * characterWidth + 2 * margin);
  size_t swatches =
      std::max(picture.swatches.size(), picture.warpSwatches.size());
  size_t inRow = std::min<size_t>(swatches, 32);
  return std::max(widest,
                  margin * 2 + 5 * characterWidth + inRow * swatchWidth);
}

unsigned SvgPainter::height() const {
  unsigned result = 2 * margin + lineHeight * (picture.notes.size() + 1);
  for (const PictureTable &table : picture.tables)
    result += tableHeight(!table.name.empty());
  unsigned rows = legendRows(picture.swatches.size()) +
                  legendRows(picture.warpSwatches.size());
  return result + lineHeight / 2 + rows * (swatchHeight + 4);
}

void SvgPainter::text(unsigned x, unsigned baseline, StringRef words,
                      StringRef style) {
  os << "<text x=\"" << x << "\" y=\"" << baseline << "\"" << style << ">"
     << escape(words) << "</text>\n";
}

void SvgPainter::line(unsigned x1, unsigned y1, unsigned x2, unsigned y2) {
  os << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2
     << "\" y2=\"" << y2 << "\" stroke=\"#222\" stroke-width=\"2\"/>\n";
}

void SvgPainter::paintIndices(unsigned top) {
  StringRef middle = " text-anchor=\"middle\" fill=\"#555\"";
  StringRef end = " text-anchor=\"end\" fill=\"#555\"";
  const DrawingWindow &window = picture.window;
  text(columnX(0), top - lineHeight - 4, picture.columnName, " fill=\"#555\"");
  text(columnX(0) - 6, top - 4, picture.rowName, end);
  for (uint64_t column = 0; column < window.columns; ++column)
    text(columnX(column) + cellWidth / 2, top - 4,
         std::to_string(window.column + column), middle);
  for (uint64_t row = 0; !picture.rowName.empty() && row < window.rows; ++row)
    text(columnX(0) - 6, top + row * cellHeight + cellHeight / 2 + 4,
         std::to_string(window.row + row), end);
}

/// All rectangles, then all holders, then all registers: what they have in
/// common is written once.
void SvgPainter::paintCells(const PictureTable &table, unsigned top) {
  auto forEach = [&](auto paint) {
    for (auto [index, cell] : llvm::enumerate(table.cells))
      paint(cell, columnX(index % picture.window.columns),
            top + index / picture.window.columns * cellHeight);
    os << "</g>\n";
  };
  unsigned half = cellWidth / 2;
  os << "<g stroke=\"#999\">\n";
  forEach([&](const PictureCell &cell, unsigned x, unsigned y) {
    os << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"" << cellWidth
       << "\" height=\"" << cellHeight << "\" fill=\""
       << (cell.held ? hex(cell.colour) : "#fff") << "\"/>\n";
  });
  os << "<g text-anchor=\"middle\">\n";
  forEach([&](const PictureCell &cell, unsigned x, unsigned y) {
    text(x + half, y + (cell.position.empty() ? cellHeight / 2 + 4 : 13),
         cell.held ? cell.holder : "-");
  });
  os << "<g text-anchor=\"middle\" font-size=\"9\" fill=\"#444\">\n";
  forEach([&](const PictureCell &cell, unsigned x, unsigned y) {
    if (!cell.position.empty())
      text(x + half, y + 25, "r" + cell.position);
  });
}

/// A line between neighbours that different warps hold.
void SvgPainter::paintWarpBorders(const PictureTable &table, unsigned top) {
  const DrawingWindow &window = picture.window;
  auto warp = [&](uint64_t row, uint64_t column) {
    const PictureCell &cell = table.cells[row * window.columns + column];
    return cell.held ? cell.warp : ~uint64_t{0};
  };
  for (uint64_t row = 0; row < window.rows; ++row)
    for (uint64_t column = 0; column < window.columns; ++column) {
      unsigned x = columnX(column), up = top + row * cellHeight;
      if (column && warp(row, column) != warp(row, column - 1))
        line(x, up, x, up + cellHeight);
      if (row && warp(row, column) != warp(row - 1, column))
        line(x, up, x + cellWidth, up);
    }
}

void SvgPainter::paintTable(const PictureTable &table) {
  if (!table.name.empty())
    text(margin, y += lineHeight, table.name);
  unsigned top = y += 2 * lineHeight;
  paintIndices(top);
  paintCells(table, top);
  paintWarpBorders(table, top);
  y = top + picture.window.rows * cellHeight;
}

void SvgPainter::paintLegend(StringRef name,
                             const std::vector<PictureSwatch> &swatches) {
  unsigned left = margin + 5 * characterWidth;
  for (size_t index = 0; index < swatches.size(); ++index) {
    if (index % 32 == 0)
      text(margin, y + 13, index ? "" : name);
    unsigned x = left + index % 32 * swatchWidth;
    os << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"" << swatchWidth
       << "\" height=\"" << swatchHeight << "\" fill=\""
       << hex(swatches[index].colour) << "\" stroke=\"#999\"/>\n";
    text(x + swatchWidth / 2, y + 13, swatches[index].text,
         " text-anchor=\"middle\"");
    if (index % 32 == 31 || index + 1 == swatches.size())
      y += swatchHeight + 4;
  }
}

void SvgPainter::paint(StringRef title) {
  os << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width()
     << "\" height=\"" << height()
     << "\" font-family=\"monospace\" font-size=\"11\">\n"
     << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  text(margin, y += lineHeight - 4, title,
       " font-size=\"14\" font-weight=\"bold\"");
  for (const std::string &note : picture.notes)
    text(margin, y += lineHeight, note);
  for (const PictureTable &table : picture.tables)
    paintTable(table);
  y += lineHeight / 2;
  paintLegend(picture.swatchName, picture.swatches);
  paintLegend("warp", picture.warpSwatches);
  os << "</svg>\n";
}

llvm::Error layout::drawSvg(llvm::raw_ostream &os, const LinearLayout &layout,
                            const DrawingOptions &options) {
  DrawingWindow limit{0, 0, sensibleSide, sensibleSide};
  llvm::Expected<LayoutPicture> picture = makePicture(layout, options, limit);
  if (!picture)
    return picture.takeError();
  SvgPainter(os, *picture).paint(options.title);
  return llvm::Error::success();
}
