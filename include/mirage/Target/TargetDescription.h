//===- TargetDescription.h - GPUs as data -----------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything the compiler knows of a chip, in one table entry per chip. Passes,
// the layout planner and the cost model ask this table and never a chip's name,
// so that a new chip is a new entry.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TARGET_TARGETDESCRIPTION_H
#define MIRAGE_TARGET_TARGETDESCRIPTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace mirage {

enum class Vendor { NVIDIA, AMD };

/// The lanes that shared memory serves together for one access of
/// `accessBits` per lane. The lanes of a warp split into groups ("phases") of
/// 2^k lanes; lanes l and l' are in the same phase iff l ^ l' is in the span
/// of `laneMasks`. Each lane mask is one basis vector of that span.
/// NVIDIA: PTX ISA and measurement; CDNA: the model of Triton's swizzling.
struct SharedPhase {
  unsigned accessBits;
  llvm::ArrayRef<uint32_t> laneMasks;
};

/// What moving data costs a warp, in issue slots: what one instruction of full
/// rate takes of a multiprocessor. An instruction of lower rate costs as many
/// slots as its pipe could have served full-rate instructions meanwhile; a wait
/// costs what is left of it when other warps have taken their turns.
struct ExchangeCosts {
  // Within a warp, 32 bits of each lane.
  double shuffle;     ///< any lane to any lane.
  double swizzle;     ///< ds_swizzle: lane ^ constant, of 32 lanes.
  double rowExchange; ///< a register operand from another lane (DPP).
  double halfSwap;    ///< v_permlane16_swap, v_permlane32_swap.
  double select;      ///< also a byte permute.
  // Within a block.
  double wavefront;     ///< of shared memory.
  double sharedIssue;   ///< an access, beside its wavefronts.
  double sharedLatency; ///< until stored data can be loaded, barrier aside.
  double warpBarrier, blockBarrier, clusterBarrier;
  // Global memory.
  double globalIssue;   ///< an access of the widest vector, beside its sectors.
  double globalHalving; ///< the same, for each halving of the vector's width.
  double sector;        ///< of 32 bytes, between L2 and the multiprocessor.
};

/// How a lane gets a word of lane ^ mask, cheapest first.
enum class LaneExchange {
  Row,      ///< as an operand from its row of 16 lanes.
  HalfSwap, ///< by swapping halves with itself, and a select.
  Swizzle,  ///< by shared memory's crossbar, without an address.
  Any       ///< by the shuffle of any lanes.
};

/// The shape m x n x k of one matrix instruction with f32 accumulators and
/// 16-bit operands.
struct MatrixShape {
  unsigned m, n, k;
};

/// The 8-bit floats that a chip's instructions take: those of the OCP
/// specification, or the variants without infinities and negative zero.
enum class Float8Format { None, OCP, FNUZ };

/// One chip. Sizes are bytes, rates are per second or per clock as named.
struct TargetDescription {
  llvm::StringRef name; ///< as in `target=`: "sm_90a", "gfx942".
  Vendor vendor;

  // Execution model.
  unsigned warpSize;           ///< lanes of a warp (wavefront): 32 or 64.
  unsigned multiprocessors;    ///< SMs or compute units of the usual part.
  unsigned maxThreadsPerBlock; ///< hardware limit.
  unsigned maxThreadsPerMultiprocessor;
  unsigned maxBlocksPerMultiprocessor;
  unsigned registersPerMultiprocessor; ///< 32-bit registers.
  unsigned maxRegistersPerThread;

  // Memories.
  unsigned sharedBytesPerBlock;          ///< largest dynamic allocation.
  unsigned sharedBytesPerMultiprocessor; ///< shared by resident blocks.
  unsigned sharedBanks;                  ///< banks of 4 bytes.
  llvm::ArrayRef<SharedPhase> sharedPhases;
  ExchangeCosts costs;
  unsigned maxVectorBits; ///< widest global or shared access of a lane.
  uint64_t l2Bytes;
  double globalBytesPerSecond;
  double l2BytesPerSecond;

  // Arithmetic, per multiprocessor and clock.
  double clockHertz;
  double matrixFlopsPerClock;  ///< dense 16-bit matrix flops (2 per mul-add).
  double vectorFlopsPerClock;  ///< f32 flops (2 per fused mul-add).
  double specialOpsPerClock;   ///< exp, rsqrt, ... per clock.
  double memoryLatencySeconds; ///< latency of a load from global memory.
  double firstLaunchSeconds;   ///< of the first kernel of a program.
  double nextLaunchSeconds;    ///< of each further kernel.

  // Instructions.
  MatrixShape matrixShape; ///< preferred 16-bit matrix instruction.
  bool hasLdmatrix, hasStmatrix, hasAsyncCopy, hasWgmma;
  bool hasRowExchange;       ///< DPP, and ds_swizzle.
  bool hasPermlaneSwap;      ///< v_permlane16_swap, v_permlane32_swap.
  unsigned maxClusterBlocks; ///< blocks that share their memory; 0: none.
  bool hasByteMatrix;        ///< a matrix instruction on i8 with k = 32.
  Float8Format float8Format; ///< of conversions and of matrix instructions.

  // LLVM back end.
  llvm::StringRef triple;   ///< "nvptx64-nvidia-cuda", "amdgcn-amd-amdhsa".
  llvm::StringRef features; ///< LLVM subtarget features, e.g. "+ptx84".

  bool isNVIDIA() const { return vendor == Vendor::NVIDIA; }

  /// Masks of the lanes served together by an access of `bits` per lane (the
  /// entry for the widest phase at most `bits`; 32-bit for narrower ones).
  llvm::ArrayRef<uint32_t> phaseLaneMasks(unsigned bits) const;

  /// The cheapest way to lane ^ mask.
  LaneExchange laneExchange(uint64_t mask) const;
  /// What it costs, in the slots of `costs`.
  double laneExchangeCost(uint64_t mask) const;
};

/// Entry of the chip `name`, or null if it is unknown.
const TargetDescription *lookupTarget(llvm::StringRef name);

/// All known chips, in table order.
llvm::ArrayRef<TargetDescription> allTargets();

/// "sm_80, sm_86, ...": for diagnostics and `--help`.
std::string knownTargetNames();

/// The target used where none is given.
inline constexpr llvm::StringLiteral defaultTargetName = "sm_90a";

} // namespace mirage

#endif // MIRAGE_TARGET_TARGETDESCRIPTION_H
