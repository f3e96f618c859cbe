//===- KernelCost.cpp - Predicted time of a kernel ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Cost/KernelCost.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mirage;

// What well-written kernels reach of the peak figures.
static constexpr double globalEfficiency = 0.92;
static constexpr double cacheEfficiency = 0.75;
static constexpr double matrixEfficiency = 0.6;
static constexpr double vectorEfficiency = 0.5;
// The part of a shorter term that still shows.
static constexpr double imperfectOverlap = 0.05;
// Starting and ending a block.
static constexpr double blockCycles = 300;
// A barrier with what waits for it.
static constexpr double barrierCycles = 40;
// Bytes a multiprocessor can have on the way, whatever is asked.
static constexpr double maxBytesInFlight = 128 * 1024;
// What one multiprocessor gets from the L2 cache in a clock.
static constexpr double portBytesPerClock = 64;
// Latency of a hit in the L2 cache, relative to global memory.
static constexpr double cacheLatency = 0.45;

KernelCounts &KernelCounts::operator+=(const KernelCounts &other) {
  globalLoadBytes += other.globalLoadBytes;
  globalStoreBytes += other.globalStoreBytes;
  sharedLoadWavefronts += other.sharedLoadWavefronts;
  sharedStoreWavefronts += other.sharedStoreWavefronts;
  shuffles += other.shuffles;
  barriers += other.barriers;
  matrixInstructions += other.matrixInstructions;
  return *this;
}

KernelCounts KernelCounts::operator*(uint64_t times) const {
  KernelCounts product = *this;
  for (uint64_t *count :
       {&product.globalLoadBytes, &product.globalStoreBytes,
        &product.sharedLoadWavefronts, &product.sharedStoreWavefronts,
        &product.shuffles, &product.barriers, &product.matrixInstructions})
    *count *= times;
  return product;
}

static double residentBlocks(const KernelWork &work,
                             const TargetDescription &target) {
  double resident = target.maxBlocksPerMultiprocessor;
  resident =
      std::min(resident, std::floor(double(target.maxThreadsPerMultiprocessor) /
                                    work.threads));
  double registers = std::max(32.0, work.registersPerThread) * work.threads;
  resident = std::min(
      resident, std::floor(target.registersPerMultiprocessor / registers));
  if (work.sharedBytes > 0)
    resident =
        std::min(resident, std::floor(target.sharedBytesPerMultiprocessor /
                                      (work.sharedBytes + 1024)));
  return resident;
}

std::optional<KernelCost> mirage::priceKernel(const KernelWork &work,
                                              const TargetDescription &target,
                                              bool isFirst) {
  double resident = residentBlocks(work, target);
  if (resident < 1 || work.threads > target.maxThreadsPerBlock ||
      work.sharedBytes > target.sharedBytesPerBlock ||
      work.registersPerThread > target.maxRegistersPerThread)
    return std::nullopt;
  KernelCost cost;
  double units = target.multiprocessors;
  // The busiest multiprocessor decides.
  double perUnit = std::ceil(work.blocks / units);
  double together = std::min(perUnit, resident);
  cost.waves = std::ceil(perUnit / resident);

  double loads = work.loadBytes * work.blocks;
  double stores = work.storeBytes * work.blocks;
  bool fitsCache = work.uniqueLoadBytes <= 0.7 * target.l2Bytes;
  double unique = std::min(loads, work.uniqueLoadBytes);
  cost.globalBytes =
      (fitsCache ? unique : std::max(unique, loads / 4)) + stores;
  double waste = 1;
  if (work.uniqueLoadBytes > 0)
    waste = std::max(waste, work.uniqueLoadCost / work.uniqueLoadBytes);
  cost.global = (stores + (cost.globalBytes - stores) * waste) /
                (target.globalBytesPerSecond * globalEfficiency);
  cost.cache = std::max(
      (loads + stores) / (target.l2BytesPerSecond * cacheEfficiency),
      perUnit * work.loadBytes / (portBytesPerClock * target.clockHertz));

  double inFlight =
      std::min(maxBytesInFlight, together * work.stages * work.loadBytes /
                                     std::max(1.0, work.rounds));
  double missRate = loads > 0 ? unique / loads : 1;
  double latency = target.memoryLatencySeconds *
                   (cacheLatency + (1 - cacheLatency) * missRate);
  // The first of these waits is part of `fixed`.
  if (inFlight > 0)
    cost.latency =
        std::max(0.0, perUnit * work.loadBytes / inFlight - cost.waves) *
        latency;

  double clock = target.clockHertz;
  cost.matrix = perUnit * work.matrixFlops /
                (target.matrixFlopsPerClock * clock * matrixEfficiency);
  cost.shared = perUnit * work.wavefronts / clock;
  cost.vector = perUnit * work.vectorOps /
                (target.vectorFlopsPerClock * clock * vectorEfficiency);
  cost.special =
      perUnit * work.specialOps / (target.specialOpsPerClock * clock);
  cost.barriers = perUnit / together *
                  (work.barriers * barrierCycles + blockCycles) / clock;
  cost.fixed =
      (isFirst ? target.firstLaunchSeconds
               : target.nextLaunchSeconds + target.memoryLatencySeconds) +
      cost.waves * target.memoryLatencySeconds;
  double warps = cost.vector + cost.special + cost.barriers;
  double longest = 0, sum = 0;
  for (double term :
       {cost.global, cost.cache, cost.matrix, cost.shared, warps}) {
    longest = std::max(longest, term);
    sum += term;
  }
  cost.seconds =
      cost.fixed + cost.latency + longest + (sum - longest) * imperfectOverlap;
  return cost;
}

int64_t mirage::sharedShare(int64_t blocks, int64_t threads,
                            const TargetDescription &target) {
  constexpr int64_t reservedBytes = 1024; // of each block, by the system
  int64_t resident = std::clamp<int64_t>(
      llvm::divideCeil(blocks, target.multiprocessors), 1,
      std::max<int64_t>(1, target.maxThreadsPerMultiprocessor / threads / 2));
  int64_t share =
      target.sharedBytesPerMultiprocessor / resident - reservedBytes;
  return std::min<int64_t>(share, target.sharedBytesPerBlock);
}

LoadRing mirage::ringOf(double slotBytes, const KernelWork &work,
                        const TargetDescription &target) {
  // Conversions and reductions use some memory too.
  constexpr double mostSlots = 4, scratchBytes = 12 * 1024;
  if (slotBytes == 0)
    return {};
  // Registers hold what is on its way.
  if (!target.hasAsyncCopy)
    return {2, 2};
  double share =
      sharedShare(static_cast<int64_t>(work.blocks), work.threads, target) -
      scratchBytes;
  // More blocks than fit take turns.
  share = std::max(share, work.sharedBytes + 2 * slotBytes);
  double slots =
      std::min(mostSlots, std::floor((share - work.sharedBytes) / slotBytes));
  return {slots, slots - 1};
}

static double halvingsOfLine(double bytes) {
  return std::max(0.0, std::log2(128 / bytes));
}

double mirage::wasteOfRuns(double bytes) {
  return std::max(1.0, 32 / bytes) * (1 + 0.15 * halvingsOfLine(bytes));
}

double mirage::memoryWasteOfRuns(double bytes) {
  return 1 + 0.35 * halvingsOfLine(std::max(32.0, bytes));
}

double mirage::lowerBound(double globalBytes, double matrixFlops,
                          const TargetDescription &target) {
  double memory =
      globalBytes / (target.globalBytesPerSecond * globalEfficiency);
  double matrix =
      matrixFlops / (target.matrixFlopsPerClock * target.clockHertz *
                     target.multiprocessors * matrixEfficiency);
  return target.firstLaunchSeconds + target.memoryLatencySeconds +
         std::max(memory, matrix);
}
