//===- TargetDescription.cpp - GPUs as data -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sources: CUDA programming guide, "compute capabilities"; NVIDIA data sheets
// (A100-40, A10, L40, H100 SXM, B200); AMD CDNA3 and CDNA4 white papers.
//
//===----------------------------------------------------------------------===//

#include "mirage/Target/TargetDescription.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mirage;

// NVIDIA serves 32 lanes of 4 bytes, 16 consecutive lanes of 8, 8 of 16.
static constexpr uint32_t nvidiaLanes32[] = {1, 2, 4, 8, 16};
static constexpr uint32_t nvidiaLanes64[] = {1, 2, 4, 8};
static constexpr uint32_t nvidiaLanes128[] = {1, 2, 4};
static const SharedPhase nvidiaPhases[] = {
    {32, nvidiaLanes32}, {64, nvidiaLanes64}, {128, nvidiaLanes128}};

// CDNA, wave of 64. The phase number of a 128-bit access is a linear function
// of the lane: (t5, t2^t4, t3) with 32 banks, (t5, t2^t3^t4) with 64 banks;
// the masks below span the lanes on which that function is 0.
static constexpr uint32_t cdnaLanes32[] = {1, 2, 4, 8, 16};
static constexpr uint32_t cdnaLanes64[] = {1, 2, 4, 8};
static constexpr uint32_t cdna3Lanes128[] = {1, 2, 4 | 16};
static const SharedPhase cdna3Phases[] = {
    {32, cdnaLanes32}, {64, cdnaLanes64}, {128, cdna3Lanes128}};
static constexpr uint32_t cdna4Lanes32[] = {1, 2, 4, 8, 16, 32};
static constexpr uint32_t cdna4Lanes64[] = {1, 2, 4, 8, 16};
static constexpr uint32_t cdna4Lanes128[] = {1, 2, 4 | 8, 4 | 16};
static const SharedPhase cdna4Phases[] = {
    {32, cdna4Lanes32}, {64, cdna4Lanes64}, {128, cdna4Lanes128}};

// A multiprocessor issues four warp instructions a clock, 128 results. It does
// 32 shuffled words and 64 selected or byte-permuted ones a clock (CUDA
// programming guide, "throughput of native arithmetic instructions"), and
// shared memory serves one wavefront of 128 bytes. Stored data can be loaded
// after about 30 clocks (Luo et al., arXiv 2402.13499, table of memory
// latencies), and a barrier waits about twice as long for the slowest warp;
// each scheduler has about three other warps to go on with meanwhile. An access
// to global memory occupies the load-store pipe of 32 lanes a clock and its
// address as much; narrower ones fill the queues of that pipe faster, and their
// values are packed one by one. L2 gives or takes about a sector a clock and
// multiprocessor.
static constexpr ExchangeCosts nvidiaCosts = {
    /*shuffle=*/4,     /*swizzle=*/4,       /*rowExchange=*/4,
    /*halfSwap=*/4,    /*select=*/2,
    /*wavefront=*/4,   /*sharedIssue=*/1,   /*sharedLatency=*/10,
    /*warpBarrier=*/4, /*blockBarrier=*/20, /*clusterBarrier=*/200,
    /*globalIssue=*/8, /*globalHalving=*/4, /*sector=*/4};

// A compute unit starts one wave instruction a clock (each of four SIMD units
// one in four clocks), and LDS serves one wavefront of 128 bytes. A DPP operand
// costs the move that reads it; ds_swizzle and ds_bpermute pass 64 words
// through the crossbar of LDS in two clocks, ds_bpermute after making an
// address ("AMD GCN assembly: cross-lane operations", GPUOpen; CDNA3 ISA, "data
// share"). Waits take about four times the clocks of NVIDIA's, and a SIMD unit
// has one slot in four clocks. Addresses are made for 16 lanes a clock; memory
// behind the L2 of a die, 4 MiB, gives a quarter of a sector a clock and
// compute unit.
static constexpr ExchangeCosts amdCosts = {
    /*shuffle=*/3,     /*swizzle=*/2,       /*rowExchange=*/1,
    /*halfSwap=*/1,    /*select=*/1,
    /*wavefront=*/1,   /*sharedIssue=*/1,   /*sharedLatency=*/10,
    /*warpBarrier=*/1, /*blockBarrier=*/20, /*clusterBarrier=*/200,
    /*globalIssue=*/4, /*globalHalving=*/2, /*sector=*/4};

static constexpr llvm::StringLiteral nvidiaTriple = "nvptx64-nvidia-cuda";
static constexpr llvm::StringLiteral amdTriple = "amdgcn-amd-amdhsa";

static TargetDescription nvidia(llvm::StringRef name, llvm::StringRef features,
                                unsigned multiprocessors,
                                unsigned sharedPerBlock,
                                unsigned sharedPerMultiprocessor,
                                unsigned maxThreadsPerMultiprocessor) {
  TargetDescription t{};
  t.name = name;
  t.vendor = Vendor::NVIDIA;
  t.warpSize = 32;
  t.multiprocessors = multiprocessors;
  t.maxThreadsPerBlock = 1024;
  t.maxThreadsPerMultiprocessor = maxThreadsPerMultiprocessor;
  t.maxBlocksPerMultiprocessor = maxThreadsPerMultiprocessor == 2048 ? 32 : 16;
  t.registersPerMultiprocessor = 65536;
  t.maxRegistersPerThread = 255;
  t.sharedBytesPerBlock = sharedPerBlock;
  t.sharedBytesPerMultiprocessor = sharedPerMultiprocessor;
  t.sharedBanks = 32;
  t.sharedPhases = nvidiaPhases;
  t.costs = nvidiaCosts;
  t.maxVectorBits = 128;
  t.vectorFlopsPerClock = 256;
  t.specialOpsPerClock = 16;
  t.memoryLatencySeconds = 700e-9;
  t.firstLaunchSeconds = 2.5e-6;
  t.nextLaunchSeconds = 2.0e-6;
  t.matrixShape = {16, 8, 16};
  t.hasLdmatrix = true;
  t.hasAsyncCopy = true;
  t.triple = nvidiaTriple;
  t.features = features;
  return t;
}

static TargetDescription amd(llvm::StringRef name, unsigned multiprocessors,
                             unsigned sharedBytes, unsigned banks,
                             llvm::ArrayRef<SharedPhase> phases) {
  TargetDescription t{};
  t.name = name;
  t.vendor = Vendor::AMD;
  t.warpSize = 64;
  t.multiprocessors = multiprocessors;
  t.maxThreadsPerBlock = 1024;
  t.maxThreadsPerMultiprocessor = 2048;
  t.maxBlocksPerMultiprocessor = 32;
  t.registersPerMultiprocessor = 131072;
  t.maxRegistersPerThread = 512;
  t.sharedBytesPerBlock = sharedBytes;
  t.sharedBytesPerMultiprocessor = sharedBytes;
  t.sharedBanks = banks;
  t.sharedPhases = phases;
  t.costs = amdCosts;
  t.maxVectorBits = 128;
  t.vectorFlopsPerClock = 256;
  t.specialOpsPerClock = 16;
  t.memoryLatencySeconds = 900e-9;
  t.firstLaunchSeconds = 4e-6;
  t.nextLaunchSeconds = 2e-6;
  t.matrixShape = {16, 16, 16};
  t.hasRowExchange = true;
  t.triple = amdTriple;
  return t;
}

static void setRates(TargetDescription &t, double clock, double globalBytes,
                     double l2Bytes, uint64_t l2Size, double matrixFlops) {
  t.clockHertz = clock;
  t.globalBytesPerSecond = globalBytes;
  t.l2BytesPerSecond = l2Bytes;
  t.l2Bytes = l2Size;
  t.matrixFlopsPerClock = matrixFlops;
}

static constexpr unsigned KiB = 1024;
static constexpr uint64_t MiB = 1024 * 1024;

static llvm::ArrayRef<TargetDescription> buildTable() {
  static TargetDescription table[] = {
      nvidia("sm_80", "+ptx70", 108, 163 * KiB, 164 * KiB, 2048),
      nvidia("sm_86", "+ptx71", 84, 99 * KiB, 100 * KiB, 1536),
      nvidia("sm_89", "+ptx84", 142, 99 * KiB, 100 * KiB, 1536),
      nvidia("sm_90a", "+ptx84", 132, 227 * KiB, 228 * KiB, 2048),
      nvidia("sm_100a", "+ptx88", 148, 227 * KiB, 228 * KiB, 2048),
      amd("gfx90a", 104, 64 * KiB, 32, cdna3Phases),
      amd("gfx942", 304, 64 * KiB, 32, cdna3Phases),
      amd("gfx950", 256, 160 * KiB, 64, cdna4Phases),
  };
  setRates(table[0], 1.41e9, 1.555e12, 4e12, 40 * MiB, 2048);
  setRates(table[1], 1.70e9, 0.60e12, 2e12, 6 * MiB, 1024);
  setRates(table[2], 2.49e9, 0.864e12, 4e12, 96 * MiB, 1024);
  setRates(table[3], 1.83e9, 3.35e12, 5.5e12, 50 * MiB, 4096);
  setRates(table[4], 1.85e9, 8.0e12, 10e12, 126 * MiB, 8192);
  setRates(table[5], 1.70e9, 1.6e12, 4e12, 8 * MiB, 1024);
  setRates(table[6], 2.10e9, 5.3e12, 10e12, 256 * MiB, 2048);
  setRates(table[7], 2.40e9, 8.0e12, 14e12, 256 * MiB, 4096);
  for (unsigned i : {3u, 4u}) {
    table[i].hasStmatrix = true;
    table[i].maxClusterBlocks = 8;
  }
  table[7].hasPermlaneSwap = true;
  for (TargetDescription &target : table)
    target.hasByteMatrix = target.name != "gfx90a";
  for (unsigned i : {2u, 3u, 4u, 7u})
    table[i].float8Format = Float8Format::OCP;
  table[6].float8Format = Float8Format::FNUZ;
  table[3].hasWgmma = true;
  return table;
}

llvm::ArrayRef<uint32_t>
TargetDescription::phaseLaneMasks(unsigned bits) const {
  const SharedPhase *best = &sharedPhases.front();
  for (const SharedPhase &phase : sharedPhases)
    if (phase.accessBits <= bits)
      best = &phase;
  return best->laneMasks;
}

/// Permutations of the four lanes of a quad, a row turned by half, and half a
/// row or a row mirrored are controls of a DPP operand.
static bool isRowExchange(uint64_t mask) {
  return mask < 4 || mask == 7 || mask == 8 || mask == 15;
}

LaneExchange TargetDescription::laneExchange(uint64_t mask) const {
  if (hasRowExchange && isRowExchange(mask))
    return LaneExchange::Row;
  if (hasPermlaneSwap && (mask == 16 || mask == 32))
    return LaneExchange::HalfSwap;
  if (hasRowExchange && mask < 32)
    return LaneExchange::Swizzle;
  return LaneExchange::Any;
}

double TargetDescription::laneExchangeCost(uint64_t mask) const {
  switch (laneExchange(mask)) {
  case LaneExchange::Row:
    return costs.rowExchange;
  case LaneExchange::HalfSwap:
    return costs.halfSwap + costs.select;
  case LaneExchange::Swizzle:
    return costs.swizzle;
  case LaneExchange::Any:
    return costs.shuffle;
  }
  llvm_unreachable("all exchanges are covered");
}

llvm::ArrayRef<TargetDescription> mirage::allTargets() {
  static const llvm::ArrayRef<TargetDescription> table = buildTable();
  return table;
}

const TargetDescription *mirage::lookupTarget(llvm::StringRef name) {
  const auto *it = llvm::find_if(
      allTargets(), [&](const TargetDescription &t) { return t.name == name; });
  return it == allTargets().end() ? nullptr : it;
}

std::string mirage::knownTargetNames() {
  return llvm::join(
      llvm::map_range(allTargets(),
                      [](const TargetDescription &t) { return t.name.str(); }),
      ", ");
}
