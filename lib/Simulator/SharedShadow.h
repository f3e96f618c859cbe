//===- SharedShadow.h - Finds races in shared memory ------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every two bytes of a block's shared memory: who wrote last and who read
// last, and when. Two accesses of different threads, one of them a write, are a
// race unless a barrier orders them, in whatever order the fibers happened to
// run; writes of the same value, as by lanes that hold copies, are none. What
// orders an access X before an access Y:
//
//   barrier of the warp      both of one warp, X in an earlier warp epoch
//   barrier of the block     both of one block, X in an earlier block epoch
//   barrier of the cluster   Y's thread waited more often than X's thread had
//                            arrived (arriving and waiting are two operations)
//
// An access to the destination of an asynchronous copy that has not been waited
// for is found too. Single-byte accesses are not checked.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_SHAREDSHADOW_H
#define MIRAGE_LIB_SIMULATOR_SHAREDSHADOW_H

#include <cstdint>
#include <vector>

namespace mirage::sim {

class SharedShadow {
public:
  /// Who accesses, by numbers within the cluster, and when.
  struct Accessor {
    uint32_t thread;
    uint32_t warp;
    uint32_t block;
    uint32_t epoch;           ///< block barriers; never starts again.
    uint32_t warpEpoch;       ///< warp barriers since the last block barrier.
    uint32_t arrivals, waits; ///< at barriers of the cluster.
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

  /// A new block starts with `bytes` bytes that nobody has written. No access
  /// before had an epoch as late as `firstEpoch`.
  void startBlock(uint64_t bytes, uint32_t newWarpSize,
                  uint32_t newThreadsPerBlock, uint32_t newFirstEpoch) {
    warpSize = newWarpSize;
    threadsPerBlock = newThreadsPerBlock;
    firstEpoch = newFirstEpoch;
    cells.resize(bytes / granule + 1);
  }

  Result read(const Accessor &who, uint64_t offset, uint32_t bytes,
              bool reportUninitialized);
  Result write(const Accessor &who, uint64_t offset, uint32_t bytes);
  /// An asynchronous copy to these bytes has started (after a write()).
  void startCopy(uint64_t offset, uint32_t bytes);
  /// It has finished; `who` waited for it.
  void finishCopy(const Accessor &who, uint64_t offset, uint32_t bytes);

private:
  /// Who a stamp is of: one thread, several of its warp, of its block or of the
  /// cluster, or the writer of a cell that a copy is on its way to.
  enum Kind : uint32_t { One, Warp, Block, Cluster, Copying };

  /// When and who; epoch 0 is before all blocks.
  struct Stamp {
    uint32_t epoch = 0;
    uint32_t warpEpoch : 24;
    uint32_t kind : 8;
    uint16_t thread = 0, arrivals = 0;
    Stamp() : warpEpoch(0), kind(One) {}
    explicit Stamp(const Accessor &who);
  };
  struct Cell {
    Stamp writer, reader;
  };

  bool isCopying(const Stamp &writer) const {
    return writer.kind == Copying && writer.epoch >= firstEpoch;
  }
  bool isOfBlock(const Stamp &stamp, const Accessor &who) const {
    return stamp.thread / threadsPerBlock == who.block;
  }
  bool isOfWarp(const Stamp &stamp, const Accessor &who) const;
  bool conflicts(const Stamp &stamp, const Accessor &who) const;
  void addReader(Stamp &reader, const Accessor &who) const;
  static int threadOf(const Stamp &stamp) {
    return stamp.kind == One ? int(stamp.thread) : -1;
  }

  std::vector<Cell> cells;
  uint32_t firstEpoch = 1, warpSize = 32, threadsPerBlock = 1024;
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_SHAREDSHADOW_H
