//===- LayoutDrawing.h - Layouts as pictures --------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Who holds which element, as a table for a terminal or as an SVG picture. The
// last dim runs to the right, the one before it downwards; the dims before
// those make one table each. A cell says
//
//   T37:3   register 3 of thread 37 = lane + lanes * warp  (B1 T37:3: block 1)
//   5       offset 5 of shared memory
//   i5      place 5 of another label `i`
//   -       nobody
//
// and has the colour of its lane, paler for later warps; in shared memory the
// colour of its bank, so that a column of one colour is a conflict. Every
// element that is held is held by equally many places (the kernel of the
// matrix); the picture shows the smallest of them and says what the replicas
// are.
//
// Cells are found by solving, not by enumeration: a window of a tile of any
// size costs what the window costs.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_LAYOUTDRAWING_H
#define MIRAGE_LAYOUT_LAYOUTDRAWING_H

#include "mirage/Support/F2/LinearLayout.h"

namespace mirage::layout {

/// The part of each table that is drawn.
struct DrawingWindow {
  uint64_t row = 0, column = 0;
  uint64_t rows = 0, columns = 0; ///< 0: as many as are sensible.
};

struct DrawingOptions {
  std::string title;
  DrawingWindow window;
  unsigned elemBits = 32; ///< shared memory: which bank an offset is in.
  unsigned banks = 32;    ///< of 4 bytes.
  bool colour = false;    ///< table: escape codes of a terminal.
  unsigned width = 0;     ///< table: columns of the terminal; 0: unknown.
};

/// Errors where the window lies outside the tile.
llvm::Error drawTable(llvm::raw_ostream &os, const LinearLayout &layout,
                      const DrawingOptions &options = {});
llvm::Error drawSvg(llvm::raw_ostream &os, const LinearLayout &layout,
                    const DrawingOptions &options = {});

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_LAYOUTDRAWING_H
