//===- WarpRules.h - What warp operations compute ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function for each kind of instruction, written from the manuals:
// "Parallel Thread Execution ISA" for NVIDIA, "CDNA3 Instruction Set
// Architecture" and the LLVM AMDGPU usage guide for AMD. Each comment gives the
// layout of operands and results in the lanes' records and the parameters of
// the site.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_WARPRULES_H
#define MIRAGE_LIB_SIMULATOR_WARPRULES_H

#include "ByteFloats.h"
#include "Machine.h"

namespace mirage::sim {

enum class ShuffleKind : int64_t { Index, Butterfly, Up, Down };
enum class VoteKind : int64_t { Any, All, Ballot, Uniform };
enum class ReduxKind : int64_t {
  Add,
  And,
  Or,
  Xor,
  Min,
  Max,
  UMin,
  UMax,
  FMin,
  FMax,
};
/// Element types of matrix operands.
enum class ElementKind : int64_t {
  F16,
  BF16,
  TF32,
  F32,
  S8,
  U8,
  E4M3,
  E5M2,
  E4M3FNUZ,
  E5M2FNUZ,
};
ElementKind elementKindOf(ByteFloat format);
inline bool isInteger(ElementKind kind) {
  return kind == ElementKind::S8 || kind == ElementKind::U8;
}

// NVIDIA.
/// value, lane, clamp -> value, valid (if there is room); kind.
void shuffleSync(WarpCall &call);
void voteSync(WarpCall &call);  ///< predicate -> i32; kind.
void reduxSync(WarpCall &call); ///< value -> value; kind.
void electSync(WarpCall &call); ///< -> predicate.
void warpBarrier(WarpCall &call);
void loadMatrix(WarpCall &call);  ///< pointer -> i32 each; count, transposed.
void storeMatrix(WarpCall &call); ///< pointer, i32 each; count, transposed.
/// A, B, C -> D; k, element kind of A, of B, accumulator is f16.
void mmaSync(WarpCall &call);

// AMD.
void dsBpermute(WarpCall &call); ///< byte address, value -> value.
void dsSwizzle(WarpCall &call);  ///< value -> value; pattern.
void updateDpp(
    WarpCall &call);           ///< old, value -> value; ctrl, row, bank, bound.
void readLane(WarpCall &call); ///< value, lane -> value; value bytes.
void readFirstLane(WarpCall &call); ///< value -> value; value bytes.
void ballot(WarpCall &call);        ///< predicate -> i64.
void permlaneSwap(WarpCall &call);  ///< a, b -> a, b; lanes of a row, 16 or 32.
/// A, B, C -> D; rows and columns, k, element kind of A, of B.
void mfma(WarpCall &call);

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_WARPRULES_H
