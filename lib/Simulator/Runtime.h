//===- Runtime.h - Functions that compiled kernels call ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_RUNTIME_H
#define MIRAGE_LIB_SIMULATOR_RUNTIME_H

#include "llvm/ADT/ArrayRef.h"

namespace mirage::sim {

/// What a runtime function may do, for the host's optimizer.
enum class RuntimeEffect {
  Pure,    ///< nothing; the result depends on the arguments alone.
  Machine, ///< other threads may run meanwhile and write any memory.
  Unknown, ///< whatever the host's compiler knows of its own functions.
};

struct RuntimeFunction {
  const char *name;
  void *address;
  RuntimeEffect effect;
};

/// All of them, including what the host compiler's own lowering calls (libm,
/// conversions of 16-bit floats).
llvm::ArrayRef<RuntimeFunction> runtimeFunctions();

/// Modes of PTX prmt.
enum class PermuteMode : uint32_t { Index, F4E, B4E, RC8, ECL, ECR, RC16 };

namespace runtime {
// void(thread, i32 site, ptr address)
inline constexpr char access[] = "mirage_sim_access";
// the same; null is no access
inline constexpr char maskedAccess[] = "mirage_sim_masked_access";
// void(thread, i32 site, i64 mask, ptr operands, ptr results)
inline constexpr char warp[] = "mirage_sim_warp";
// i32(thread, i32 site, i32 id, i32 count, i32 arriveOnly, i32 predicate):
// how many threads came with a true predicate
inline constexpr char barrier[] = "mirage_sim_barrier";
// void(thread, i32 site)
inline constexpr char arriveAtCluster[] = "mirage_sim_arrive_at_cluster";
inline constexpr char waitForCluster[] = "mirage_sim_wait_for_cluster";
// ptr(thread, i32 site, ptr address, i32 rank)
inline constexpr char mapShared[] = "mirage_sim_map_shared";
// void(thread, i32 site, ptr destination, ptr source, i32 bytes)
inline constexpr char asyncCopy[] = "mirage_sim_async_copy";
// void(thread)
inline constexpr char commitCopies[] = "mirage_sim_commit_copies";
// void(thread, i32 groups)
inline constexpr char waitForCopies[] = "mirage_sim_wait_for_copies";
// void(thread, i32 site): a loop goes round
inline constexpr char round[] = "mirage_sim_round";
// void(thread, i32 site)
inline constexpr char trap[] = "mirage_sim_trap";
// i32(i32 mask, i32 lane): bits of the mask below the lane
inline constexpr char bitsBelow[] = "mirage_sim_bits_below";
// i32(i32 low, i32 high, i32 selector, i32 mode): PTX prmt
inline constexpr char permuteBytes[] = "mirage_sim_permute_bytes";
// i32(i32 high, i32 low, i32 selector): AMD v_perm_b32
inline constexpr char permuteBytesAmd[] = "mirage_sim_permute_bytes_amd";
// i32(f32, i32 format, i32 saturate), f32(i32 bits, i32 format): see ByteFloat
inline constexpr char toByteFloat[] = "mirage_sim_to_byte_float";
inline constexpr char fromByteFloat[] = "mirage_sim_from_byte_float";
// f32(f32), approximations of the special function unit
inline constexpr char exp2Approx[] = "mirage_sim_exp2";
inline constexpr char log2Approx[] = "mirage_sim_log2";
inline constexpr char rsqrtApprox[] = "mirage_sim_rsqrt";
inline constexpr char rcpApprox[] = "mirage_sim_rcp";
inline constexpr char sqrtApprox[] = "mirage_sim_sqrt";
inline constexpr char tanhApprox[] = "mirage_sim_tanh";
inline constexpr char sinApprox[] = "mirage_sim_sin";
inline constexpr char cosApprox[] = "mirage_sim_cos";
inline constexpr char flushSubnormal[] = "mirage_sim_flush";
} // namespace runtime

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_RUNTIME_H
