//===- AccessModel.h - What one warp access costs in memory -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pure functions from the addresses of the lanes of one warp access to the
// counts of the contract: sectors of global memory and wavefronts of shared
// memory.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_ACCESSMODEL_H
#define MIRAGE_LIB_SIMULATOR_ACCESSMODEL_H

#include "mirage/Target/TargetDescription.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <array>
#include <cstdint>

namespace mirage::sim {

inline constexpr unsigned maxWarpSize = 64;
inline constexpr unsigned sectorBytes = 32;
inline constexpr unsigned lineBytes = 128;

/// Both ends of an asynchronous copy by one lane in one number, which is what
/// is counted of it: the sector that it reads, and the line of the block's
/// shared memory at `offset` that it writes.
class CopyEnds {
public:
  static uint64_t pack(uint64_t source, uint64_t offset) {
    return source / sectorBytes << lineBits | offset / lineBytes;
  }
  /// The same with the line that it reads.
  static uint64_t lines(uint64_t ends) {
    return ends & ~(uint64_t{lineBytes / sectorBytes - 1} << lineBits);
  }
  /// Whether copies that differ by `shift` at all lanes touch as many sectors
  /// and lines: they read whole lines apart.
  static bool isShift(uint64_t shift) {
    auto written = static_cast<int16_t>(shift);
    return lines(shift - written) == shift - written;
  }

private:
  static constexpr unsigned lineBits = 16;
};

class AccessModel {
public:
  explicit AccessModel(const TargetDescription &target);

  /// Sectors of 32 bytes that the lanes in `active` touch when each accesses
  /// `bytes` bytes at its address.
  unsigned sectors(const uint64_t *addresses, uint64_t active,
                   unsigned bytes) const;

  /// Wavefronts of one shared access of `bytes` (at most 16) bytes a lane: for
  /// each phase with an active lane the largest number of different words
  /// wanted from one bank.
  unsigned wavefronts(const uint64_t *addresses, uint64_t active,
                      unsigned bytes) const;

  /// The same for lanes that are served together.
  unsigned phaseWavefronts(llvm::ArrayRef<uint64_t> addresses,
                           unsigned bytes) const;

  /// Of asynchronous copies, whose `ends` are packed. A sector is fetched once
  /// for each line that it is written to.
  unsigned copySectors(const uint64_t *ends, uint64_t active) const;
  /// One for each pair of a line that is read and a line that is written.
  unsigned copyWavefronts(const uint64_t *ends, uint64_t active) const;

  /// Addresses that differ by a multiple of this have the same bank.
  unsigned bankPeriod() const { return banks * 4; }

private:
  unsigned banks;
  unsigned warpSize;
  /// Lanes of each phase for accesses of up to 4, 8 and 16 bytes.
  std::array<llvm::SmallVector<uint64_t, 8>, 3> phases;
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_ACCESSMODEL_H
