//===- KernelCost.h - Predicted time of a kernel ----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Per kernel the largest of the terms that overlap, plus those that do not:
//
//   global   bytes that leave or enter device memory / bandwidth
//   cache    bytes that blocks load, over the bandwidth of the L2 cache
//   matrix   tensor cores
//   shared   wavefronts of shared memory, one a clock
//   vector   f32 units, then special functions, then barriers: one after the
//            other in a warp
//   latency  a multiprocessor with b bytes in flight waits once for each b
//   bytes
//            that it loads (Little's law); this is what few blocks or short
//            tiles cost
//   fixed    launch, the first load, the tail of each wave of blocks
//
// That the waits add to the time of the bytes, instead of hiding behind it, is
// what an H200 shows: tilings of a product of 16 x 4096 by 4096 x 6144 take 17
// us and 0.6 us for each wait, 14 of 18 within 1.3 us
// (benchmark/results/tilings.md).
//
// The same function prices candidates and the input program. A plan without
// layouts comes with an estimate of its wavefronts; once it is lowered they are
// counted (KernelTraffic.h) and it is priced again.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_COST_KERNELCOST_H
#define MIRAGE_COST_KERNELCOST_H

#include "mirage/Target/TargetDescription.h"

#include <optional>

namespace mirage {

/// What a device counts of a whole kernel, without any estimate: bytes that
/// threads ask for, wavefronts of shared memory (over all warps), warp-level
/// instructions that move data across lanes or multiply matrices, and barriers
/// (over all blocks).
struct KernelCounts {
  uint64_t globalLoadBytes = 0;
  uint64_t globalStoreBytes = 0;
  uint64_t sharedLoadWavefronts = 0;
  uint64_t sharedStoreWavefronts = 0;
  uint64_t shuffles = 0;
  uint64_t barriers = 0;
  uint64_t matrixInstructions = 0;

  uint64_t sharedWavefronts() const {
    return sharedLoadWavefronts + sharedStoreWavefronts;
  }
  KernelCounts &operator+=(const KernelCounts &other);
  KernelCounts operator*(uint64_t times) const;
};

/// What one kernel does. "Per block" figures count one thread block.
struct KernelWork {
  double blocks = 1;
  unsigned threads = 128;
  double sharedBytes = 0; ///< per block, over all pipeline stages.
  double registersPerThread = 32;
  double matrixFlops = 0;     ///< per block, on tensor cores, padding included.
  double vectorOps = 0;       ///< per block, f32 operations.
  double specialOps = 0;      ///< per block.
  double loadBytes = 0;       ///< per block, from L2 or device memory.
  double storeBytes = 0;      ///< per block.
  double uniqueLoadBytes = 0; ///< of the whole kernel, each byte once.
  /// The same with short runs charged as `memoryWasteOfRuns` says.
  double uniqueLoadCost = 0;
  double rounds = 1;     ///< loads of a block that wait for each other.
  double stages = 1;     ///< rounds in flight at a time.
  double barriers = 0;   ///< per block.
  double wavefronts = 0; ///< of shared memory, per block.
};

struct KernelCost {
  double seconds = 0;
  double global = 0, cache = 0, latency = 0, matrix = 0, shared = 0, vector = 0,
         special = 0, barriers = 0, fixed = 0;
  double globalBytes = 0;
  double waves = 1;
};

/// Nothing if the block does not fit a multiprocessor. `isFirst`: the kernel
/// starts the program, and pays the first launch; another one has a cheaper
/// launch, but waits for the last stores of its predecessor.
std::optional<KernelCost> priceKernel(const KernelWork &work,
                                      const TargetDescription &target,
                                      bool isFirst);

/// Bytes of shared memory that one of `blocks` thread blocks may use, so that
/// as many run at a time as the grid has for each multiprocessor; they need not
/// take more than half of its threads.
int64_t sharedShare(int64_t blocks, int64_t threads,
                    const TargetDescription &target);

/// Rings of tiles in shared memory, through which a loop loads ahead: one slot
/// is read while the others are on their way.
struct LoadRing {
  double slots = 0;
  double inFlight = 1; ///< rounds of loads, as `KernelWork::stages`.
};

/// The ring of a block for tiles of `slotBytes` an iteration, beside the shared
/// memory that `work` has: as many slots, four at most, as the block's share of
/// a multiprocessor holds.
LoadRing ringOf(double slotBytes, const KernelWork &work,
                const TargetDescription &target);

/// How much more memory moves than is asked for in runs of this many bytes, as
/// a factor, between a cache and a block: it moves in sectors of 32 bytes, and
/// better in lines of 128.
double wasteOfRuns(double bytes);

/// The same of device memory, where the rest of a sector is read for a block
/// nearby: on an H200 runs of 64 bytes take a third longer than those of 128
/// (benchmark/results/tilings.md).
double memoryWasteOfRuns(double bytes);

/// A time that no kernel with this much unavoidable work can beat.
double lowerBound(double globalBytes, double matrixFlops,
                  const TargetDescription &target);

} // namespace mirage

#endif // MIRAGE_COST_KERNELCOST_H
