//===- SharedChoice.h - Swizzles chosen by exact cost -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How to lay out a tile in shared memory that some register layouts write and
// others read. The layout is built column by column, as a basis of the tile:
//
//   [ row of up to 16 bytes | rest of the banks | segments of all banks ]
//
// Let P be the span of what one side touches in one phase (its lanes there and
// its vector), Sub the elements within a word, Seg the span of the segment
// columns. The side has no conflict iff P meets Seg + Sub in P & Sub only
// (BankConflicts.h). Segment columns are therefore picked outside P + Sub + Seg
// of every side: first single bits of the tile, then sums x + y of a bit
// private to one side and a bit private to the other. Such a sum is a swizzle.
// Over F2 two proper subspaces never cover the space, so for two sides the sums
// always exist as long as a side can be free of conflicts at all.
//
// An asynchronous copy of an NVIDIA chip writes lines: a wavefront takes what
// goes from one line of global memory (128 bytes) to one line of shared memory
// (all banks), and where the halves of a sector go to two lines the sector is
// fetched twice (both as Nsight Compute counts them on an H200). The lanes that
// move along a line therefore become bank columns of the layout, before any
// segment is picked; the swizzle then permutes pieces within lines only.
//
// What is free is the row: it decides vector widths and whether ldmatrix fits.
// All sensible rows are built (common registers, either side's registers, the
// tile of ldmatrix and its transpose) and the exact cost decides.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_SHAREDCHOICE_H
#define MIRAGE_LAYOUT_SHAREDCHOICE_H

#include "mirage/Layout/MemoryAccess.h"

namespace mirage::layout {

/// One register layout that writes or reads the tile.
struct SharedUser {
  LinearLayout registers; ///< register, lane, warp, block -> dims.
  bool isStore = false;
  bool allowMatrix = true;
  /// Refuse layouts where this side has narrower vectors (for example 16 bytes
  /// for asynchronous copies); above 1 it excludes matrix instructions.
  unsigned requiredVectorElems = 1;
  /// Of asynchronous copies: the lanes (bits of their number) that move within
  /// a line of global memory.
  uint64_t lineLanes = 0;
};

struct SharedChoice {
  LinearLayout layout;                         ///< offset -> dims, invertible.
  llvm::SmallVector<SharedAccess, 2> accesses; ///< one per user.

  uint64_t wavefronts() const;
  uint64_t extraWavefronts() const; ///< beyond the ideal ones.
};

/// The cheapest layout found. An error if the users are of different tensors,
/// or if no layout gives a required vector.
llvm::Expected<SharedChoice>
chooseSharedLayout(llvm::ArrayRef<SharedUser> users, unsigned elemBits,
                   const TargetDescription &target);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_SHAREDCHOICE_H
