//===- LayoutDrawing.h - Layouts as pictures --------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_LAYOUTDRAWING_H
#define MIRAGE_LAYOUT_LAYOUTDRAWING_H

#include "mirage/Support/F2/LinearLayout.h"

namespace mirage::layout {

/// A table with a cell per element that says who holds it: "T17:3" for register
/// 3 of thread 17 (lanes fastest, then warps), "B1 ..." for a block but 0, "o5"
/// for offset 5; "*2" where two places hold it. The last dim runs to the right;
/// dims before the last two make one table each. An error if there are more
/// than 2^14 elements.
llvm::Error drawTable(llvm::raw_ostream &os, const LinearLayout &layout);

/// The same as an SVG picture; each lane (or bank of memory) has a colour.
llvm::Error drawSvg(llvm::raw_ostream &os, const LinearLayout &layout);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_LAYOUTDRAWING_H
