//===- SharedMemory.h - Bytes that know who used them -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_INTERPRETER_SHAREDMEMORY_H
#define MIRAGE_LIB_INTERPRETER_SHAREDMEMORY_H

#include "mirage/Interpreter/Machine.h"

#include "llvm/ADT/DenseMap.h"

namespace mirage::interpreter {

/// Who accessed a byte, and the barriers it had passed. Reads of several
/// threads that no barrier separates, or writes of the same value, are one
/// record, with `several` for what differs.
struct Access {
  static constexpr uint32_t several = ~0u;
  uint32_t block, warp, lane;
  uint32_t warpBarriers, blockBarriers; ///< passed.
  uint32_t arrivals, waits;             ///< halves of cluster barriers.

  bool isOrderedBefore(const Access &later) const;
  /// This and a concurrent one.
  void merge(const Access &other);
};

/// The shared memory of all blocks of a cluster.
class SharedMemory {
public:
  SharedMemory(unsigned blocks, uint64_t bytes)
      : bytes(bytes), blocks(blocks) {}

  /// `address` as in Machine.h, with the block.
  llvm::Expected<Datum> read(unsigned block, uint64_t offset, unsigned size,
                             uint64_t alignment, const Access &access);
  llvm::Error write(unsigned block, uint64_t offset, const Datum &data,
                    uint64_t alignment, const Access &access);

  /// An asynchronous copy of `data` starts, and ends.
  llvm::Error startCopy(unsigned block, uint64_t offset, const Datum &data,
                        const Access &access);
  void finishCopy(unsigned block, uint64_t offset, const Datum &data,
                  const Access &access);

private:
  struct Cell {
    Byte value;
    std::optional<Access> write; ///< the last one.
    /// All that wrote `value`, and that read it.
    std::optional<Access> writes, reads;
    unsigned copies = 0; ///< that are under way.

    void set(Byte byte, const Access &access);
  };
  static llvm::Error checkWrite(const Cell &cell, Byte value, unsigned block,
                                uint64_t offset, const Access &access);
  llvm::Error check(unsigned block, uint64_t offset, unsigned size,
                    uint64_t alignment) const;

  Cell &cell(unsigned block, uint64_t offset);

  uint64_t bytes;
  unsigned blocks;
  /// Most of the memory is never used: cells by page, made at the first access.
  static constexpr uint64_t pageSize = 512;
  llvm::DenseMap<uint64_t, std::vector<Cell>> pages;
};

} // namespace mirage::interpreter

#endif // MIRAGE_LIB_INTERPRETER_SHAREDMEMORY_H
