//===- RegisterGroups.h - Registers that are accessed together --*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_REGISTERGROUPS_H
#define MIRAGE_LIB_LAYOUT_REGISTERGROUPS_H

#include "mirage/Layout/MemoryAccess.h"

namespace mirage::layout::detail {

/// More registers than this are refused: no thread has them, and plans list
/// registers one by one.
inline constexpr unsigned maxRegisterBits = 14;

/// The first register with the same address, for every register. `columns`:
/// the address of each register bit.
llvm::SmallVector<unsigned, 16> findCopies(llvm::ArrayRef<uint64_t> columns);

/// Groups the registers (replicas left out) whose addresses agree but for the
/// low `bits` bits, each in address order; empty if some group is not complete.
/// The group's offset is its lowest address.
llvm::SmallVector<RegisterGroup, 8>
groupRegisters(llvm::ArrayRef<uint64_t> columns, unsigned bits);

/// Xor of the columns of the set bits.
inline uint64_t applyColumns(llvm::ArrayRef<uint64_t> columns, uint64_t x) {
  uint64_t result = 0;
  for (unsigned bit = 0; bit < columns.size(); ++bit)
    if ((x >> bit) & 1)
      result ^= columns[bit];
  return result;
}

/// The flattened columns of one in label, where the outputs fit a word.
llvm::SmallVector<uint64_t> columnsOf(const LinearLayout &layout,
                                      llvm::StringRef label);

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_REGISTERGROUPS_H
