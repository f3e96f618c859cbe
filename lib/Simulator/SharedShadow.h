//===- SharedShadow.h - Finds races in shared memory ------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every two bytes of shared memory: who wrote last and who read last, and
// when. Time is counted in block barriers and, between two of them, in warp
// barriers of the warp. Two accesses of different threads, one of them a write,
// with no barrier that orders them, are a race, in whatever order the fibers
// happened to run; writes of the same value, as by lanes that hold copies, are
// not. An access to the destination of an asynchronous copy that
// has not been waited for is found too. Single-byte accesses are not checked.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_SHAREDSHADOW_H
#define MIRAGE_LIB_SIMULATOR_SHAREDSHADOW_H

#include <cstdint>
#include <vector>

namespace mirage::sim {

class SharedShadow {
public:
  /// Who accesses, and the barriers of its warp since the last block barrier.
  struct Accessor {
    uint32_t thread;
    uint32_t warp;
    uint32_t warpEpoch;
  };
  enum class Finding {
    None,
    ReadAfterWrite,
    WriteAfterRead,
    UnfinishedCopy,
    Uninitialized
  };
  struct Result {
    Finding finding = Finding::None;
    uint64_t offset = 0;  ///< of the byte.
    int otherThread = -1; ///< or -1 if there were several.
    /// Without a finding: the granules (from the first of the access) that
    /// another thread wrote before, unordered. No race if it is the same value.
    uint64_t overwritten = 0;
  };
  static constexpr unsigned granule = 2;
  /// Widest access for which `overwritten` is known.
  static constexpr unsigned mostBytes = 64 * granule - granule;

  /// A new block starts with `bytes` bytes that nobody has written.
  void startBlock(uint64_t bytes, uint32_t warpSize) {
    this->warpSize = warpSize;
    cells.resize(bytes / granule + 1);
    firstEpoch = ++epoch;
  }
  void blockBarrier() { ++epoch; }

  Result read(const Accessor &who, uint64_t offset, uint32_t bytes,
              bool reportUninitialized);
  Result write(const Accessor &who, uint64_t offset, uint32_t bytes);
  /// An asynchronous copy to these bytes has started (after a write()).
  void startCopy(uint64_t offset, uint32_t bytes);
  /// It has finished; `who` waited for it.
  void finishCopy(const Accessor &who, uint64_t offset, uint32_t bytes);

private:
  /// `thread` of a cell that several threads read: of one warp (this plus the
  /// warp), or of several.
  static constexpr uint32_t manyOfWarp = 1024, manyOfBlock = 4095;
  /// `thread` of the writer of a cell that a copy is on its way to.
  static constexpr uint32_t copying = 4094;

  /// When and who; epoch 0 is before all blocks.
  struct Stamp {
    uint32_t epoch = 0;
    uint32_t warpEpoch : 20;
    uint32_t thread : 12;
    Stamp() : warpEpoch(0), thread(0) {}
  };
  struct Cell {
    Stamp writer, reader;
  };

  bool isOfWarp(const Stamp &stamp, const Accessor &who) const;
  bool conflicts(const Stamp &stamp, const Accessor &who) const;
  Stamp stamp(const Accessor &who) const;
  void addReader(Stamp &reader, const Accessor &who);

  std::vector<Cell> cells;
  uint32_t epoch = 1, firstEpoch = 1, warpSize = 32;
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_SHAREDSHADOW_H
