//===- MemoryAccess.h - Vectors, matrices and masks of accesses -*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How a register layout accesses memory, in the form a code generator emits:
// which registers go together in one instruction (in memory order), and from
// which address. Everything is read off the matrix; no layout kind is asked
// for.
//
// Registers may be grouped in any order, so a vector of 2^k elements is legal
// iff the low k bits of the address are reached by registers and by nothing
// else. Registers that hold the same element (replicas) are accessed once.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_MEMORYACCESS_H
#define MIRAGE_LAYOUT_MEMORYACCESS_H

#include "mirage/Layout/BankConflicts.h"
#include "mirage/Support/F2/LinearLayout.h"

namespace mirage::layout {

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

/// The registers of one instruction.
struct RegisterGroup {
  /// Element offset to xor into the thread's address. Bits outside
  /// SharedAccess::threadBits may be added instead, as an immediate.
  uint64_t offset = 0;
  /// Memory order for vectors. For matrices: register word after register word
  /// (one per 8x8 matrix), each with its 32 / elemBits elements, low bits
  /// first.
  llvm::SmallVector<unsigned, 8> registers;
};

enum class SharedOp {
  Vector,          ///< ld.shared / st.shared of vectorElems elements.
  Matrix,          ///< ldmatrix / stmatrix.
  MatrixTransposed ///< ldmatrix.trans / stmatrix.trans.
};

/// One direction of traffic between registers and shared memory.
///
/// Emission, for each group:
///   address = base + elemBytes * (thread(lane, warp, block) ^ group.offset)
///   Vector:  one access of vectorElems elements: group.registers in order
///   Matrix:  ldmatrix/stmatrix.x<matrices>; the lane's address is that of row
///            lane % 8 of matrix lane / 8, which is what `thread` gives;
///            register word j of the result is group.registers[j*w .. j*w+w), w
///            = 32/elemBits.
/// After a load, register r with copyOf[r] != r is a copy of copyOf[r]; a store
/// leaves those out. `thread` carries the affine offset.
struct SharedAccess {
  SharedOp op = SharedOp::Vector;
  LinearLayout thread; ///< lane, warp, block -> offset, in elements.
  unsigned vectorElems = 1;
  unsigned matrices = 1; ///< 1, 2 or 4 for matrix operations.
  llvm::SmallVector<RegisterGroup, 8> groups;
  llvm::SmallVector<unsigned, 16> copyOf;
  uint64_t threadBits = 0; ///< address bits that depend on the thread.
  Wavefronts perAccess;    ///< of one instruction and one warp.

  uint64_t instructions() const { return groups.size(); }
  uint64_t wavefronts() const { return groups.size() * perAccess.count; }
  uint64_t idealWavefronts() const { return groups.size() * perAccess.ideal; }
};

/// Which instructions may be used.
struct SharedAccessOptions {
  bool isStore = false;
  bool allowMatrix = true;    ///< where the target has it.
  unsigned maxVectorBits = 0; ///< 0: the target's.
};

/// The best access: fewest wavefronts, then fewest instructions. `registers`:
/// register, lane, warp, block -> dims; `shared`: offset -> dims, injective,
/// with every element of `registers`. `elemBits`: 8, 16, 32, 64, 128.
llvm::Expected<SharedAccess>
planSharedAccess(const LinearLayout &registers, const LinearLayout &shared,
                 unsigned elemBits, const TargetDescription &target,
                 const SharedAccessOptions &options = {});

/// The map from places of `registers` to offsets of `shared`: what the two have
/// to agree on.
llvm::Expected<LinearLayout> placeToOffset(const LinearLayout &registers,
                                           const LinearLayout &shared);

/// The same, given directly as register, lane, warp, block -> offset.
llvm::Expected<SharedAccess>
planOffsetAccess(const LinearLayout &toOffset, unsigned elemBits,
                 const TargetDescription &target,
                 const SharedAccessOptions &options = {});

/// "st.shared", "ldmatrix.trans", ...
std::string sharedOpName(SharedOp op, bool isStore,
                         const TargetDescription &target);

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

/// What is known of a tensor in global memory and of the tile in it. All in
/// elements, per dim of the tile.
struct GlobalTensor {
  llvm::SmallVector<int64_t, 4> shape; ///< extents; accesses beyond are masked.
  llvm::SmallVector<int64_t, 4> strides;
  /// Something every tile offset is a multiple of; 0: the offset is 0.
  llvm::SmallVector<uint64_t, 4> offsetDivisors;
  uint64_t baseAlignBytes = 16;

  /// Contiguous with the last dim minor; offsets are multiples of the tile, and
  /// 0 where one tile covers the dim.
  static GlobalTensor rowMajor(llvm::ArrayRef<int64_t> shape,
                               llvm::ArrayRef<uint64_t> tileShape);
};

/// The registers of one access: consecutive elements of memory.
struct GlobalGroup {
  /// Indices of the first element, to be xor-ed with the thread's (for
  /// distributed layouts the bits are disjoint, so adding is the same).
  llvm::SmallVector<uint64_t, 4> indices;
  llvm::SmallVector<unsigned, 8> registers; ///< in memory order.
};

/// Emission, for each group: indices = tile offset + (thread(lane, warp, block)
/// ^ group.indices); one access of vectorElems elements at their address,
/// masked as a whole by indices[d] < shape[d] for the dims in maskedDims.
/// Stores are left to the threads whose replica bits are all 0.
struct GlobalAccess {
  unsigned vectorElems = 1;
  LinearLayout thread; ///< lane, warp, block -> dims, with the affine offset.
  llvm::SmallVector<GlobalGroup, 8> groups;
  llvm::SmallVector<unsigned, 16> copyOf;
  llvm::SmallVector<unsigned, 4>
      maskedDims; ///< dims where the tile may hang over.
  uint64_t laneReplicas = 0, warpReplicas = 0, blockReplicas = 0;
};

/// The widest legal vectors, at most `maxVectorBits` (0: the target's). A
/// vector may run on into the next dim where the tile has all of a dim and
/// memory is contiguous there.
llvm::Expected<GlobalAccess> planGlobalAccess(const LinearLayout &registers,
                                              const GlobalTensor &tensor,
                                              unsigned elemBits,
                                              const TargetDescription &target,
                                              unsigned maxVectorBits = 0);

/// A blocked layout of a tile for coalesced accesses of up to 16 bytes a
/// thread: neighbouring lanes take neighbouring vectors along `order` (fastest
/// dim first); vectors shrink until all threads have work. Sizes are powers of
/// two.
llvm::Expected<LinearLayout> makeCoalesced(llvm::ArrayRef<uint64_t> shape,
                                           unsigned elemBits, unsigned warps,
                                           unsigned warpSize,
                                           llvm::ArrayRef<unsigned> order,
                                           unsigned maxVectorBits = 128);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_MEMORYACCESS_H
