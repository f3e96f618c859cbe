//===- AccessChoice.h - Instructions for a map to offsets -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which instruction accesses shared memory, and what it costs, without listing
// registers: everything follows from the offset of each input bit. The search
// for a shared layout prices many maps in this form and builds one access.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_ACCESSCHOICE_H
#define MIRAGE_LIB_LAYOUT_ACCESSCHOICE_H

#include "mirage/Layout/MemoryAccess.h"

namespace mirage::layout::detail {

using Vectors = llvm::SmallVector<uint64_t, 16>;

/// A map register, lane, warp, block -> offset in elements, by columns.
struct OffsetColumns {
  Vectors registers, lanes, warps, blocks;
  uint64_t constant = 0;
};

/// One way to access such a map.
struct AccessChoice {
  SharedOp op = SharedOp::Vector;
  unsigned vectorBits = 0; ///< log2 elements of a vector.
  // Matrices. Registers at the bits of a word, and independent ones outside, of
  // which the first ones number the matrices; offsets of the bits of a row's
  // number. Sums of registers are registers: bases may be sums of bits.
  Vectors wordRegisters, otherRegisters;
  llvm::SmallVector<uint64_t, 4> rows;
  uint64_t instructions = 0;
  Wavefronts perAccess;
  /// Moves that bring the registers of all accesses into memory order.
  uint64_t shuffling = 0;

  uint64_t wavefronts() const { return instructions * perAccess.count; }
  unsigned matrixBits() const {
    return std::min<size_t>(2, otherRegisters.size());
  }
};

/// Fewest wavefronts, then fewest instructions, then fewest moves of registers.
AccessChoice chooseAccess(const OffsetColumns &columns, unsigned elemBits,
                          const TargetDescription &target,
                          const SharedAccessOptions &options);

/// Lists the registers. `offsetBits`: of an address.
SharedAccess buildAccess(const OffsetColumns &columns,
                         const AccessChoice &choice, unsigned elemBits,
                         unsigned offsetBits);

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_ACCESSCHOICE_H
