//===- LayoutPicture.h - What the drawings of a layout show -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_LAYOUTPICTURE_H
#define MIRAGE_LIB_LAYOUT_LAYOUTPICTURE_H

#include "mirage/Layout/LayoutDrawing.h"

namespace mirage::layout::detail {

struct Colour {
  unsigned red = 255, green = 255, blue = 255; ///< 0 to 255.
};

/// One element and its first holder.
struct PictureCell {
  bool held = false;
  std::string holder;   ///< "T37", "5", "i5"
  std::string position; ///< "3", the register; empty where there is none.
  uint64_t warp = 0;
  Colour colour;
};

struct PictureTable {
  std::string name; ///< "dim0 = 3", empty where there is only one table.
  std::vector<PictureCell> cells; ///< of the window, row by row.
};

/// One entry of a legend.
struct PictureSwatch {
  std::string text;
  Colour colour;
};

/// Everything that a drawing of a window shows, without saying how.
struct LayoutPicture {
  DrawingWindow window; ///< with all its numbers.
  std::vector<PictureTable> tables;
  std::vector<std::string> notes;  ///< sizes, replicas, what is left out.
  std::string rowName, columnName; ///< labels of the two dims.
  std::string swatchName;          ///< "lane", "bank"
  std::vector<PictureSwatch> swatches;
  std::vector<PictureSwatch> warpSwatches; ///< empty with one warp.
};

/// `limit` says how much is sensible where the options leave it open.
llvm::Expected<LayoutPicture> makePicture(const LinearLayout &layout,
                                          const DrawingOptions &options,
                                          DrawingWindow limit);

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_LAYOUTPICTURE_H
