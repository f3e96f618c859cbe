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

// Shuffles and shared memory share a pipe of one warp instruction in two slots
// of the scheduler; a ds_bpermute is an LDS access of 64 lanes, two wavefronts.
static constexpr ExchangeCosts nvidiaCosts = {
    /*shuffle=*/1,       /*halfSwap=*/1,        /*select=*/0.5,
    /*wavefront=*/1,
    /*sharedIssue=*/0.5, /*sharedLatency=*/20,  /*warpBarrier=*/4,
    /*blockBarrier=*/24, /*clusterBarrier=*/200};
static constexpr ExchangeCosts amdCosts = {
    /*shuffle=*/2,       /*halfSwap=*/1,        /*select=*/0.5,
    /*wavefront=*/1,
    /*sharedIssue=*/0.5, /*sharedLatency=*/32,  /*warpBarrier=*/1,
    /*blockBarrier=*/24, /*clusterBarrier=*/200};

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
  t.nextLaunchSeconds = 1.3e-6;
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
