//===- RegisterExchange.h - Data movement within a warp ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A conversion that stays in each warp, as a straight-line program of selects
// and shuffles, for any linear convert map
//
//   source register = A r + B l + a,   source lane = D r + E l + b
//
// of destination register r and lane l (warps and blocks act like more lanes
// that do not move). A shuffle lets every lane read one *fixed* register of
// another lane, so registers must be brought into place before and after:
//
//   before:   v'[q] = v[q + F s]              at the sending lane s
//   shuffle:  w[q] at lane l = v'[q] at lane G l + H q
//   after:    z[p] = w[p + K l],  destination register r is z[P r]
//
// Substituting, this equals the convert map iff
//
//   P = A + F D,   K = B + F E,   H P = D,   G = E + H K
//
// so everything follows from F, and F is legal iff P has the rank of [A; D].
// Such an F always exists and its least rank is m = rank [A; D] - rank A, the
// number of dimensions that cross from lanes to registers. Selects cost (rank F
// + rank K) a register; a register whose lane map is the identity needs no
// shuffle. All choices of F that pair crossing lane vectors with missing
// register vectors are tried and the cheapest program wins. This covers
// permutations of bits (both methods of Triton and the rounds of the Linear
// Layouts paper) and general matrices alike.
//
// A lane that reads one register or another (K) needs a shuffle of each.
// Outside the image of D, F is free: where the lane that is asked depends on
// the same bit, since lanes hold copies, the sender can select in its place (F
// E = B), and one shuffle is enough. Warps and blocks are the same at both
// ends, so F may depend on them too.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_REGISTEREXCHANGE_H
#define MIRAGE_LAYOUT_REGISTEREXCHANGE_H

#include "mirage/Support/F2/LinearLayout.h"
#include "mirage/Target/TargetDescription.h"

namespace mirage::layout {

/// True in threads where an odd number of these bits is set.
struct ThreadPredicate {
  uint64_t laneMask = 0, warpMask = 0, blockMask = 0;
  bool operator==(const ThreadPredicate &rhs) const {
    return laneMask == rhs.laneMask && warpMask == rhs.warpMask &&
           blockMask == rhs.blockMask;
  }
};

/// One instruction; it defines the next value.
struct ExchangeOp {
  enum Kind {
    Select,  ///< predicates[predicate] ? a : b
    Shuffle, ///< value a of the lane sourceLane(thread) ^ laneXor
    /// A full word of elements of a and b (a byte permute, prmt or v_perm):
    /// element i is that of number s = (predicates[predicate] ? whenTrue :
    /// whenFalse)[i], counted over the elements of a full word of a, then of b.
    /// Only where permutes are allowed.
    Permute
  };
  Kind kind;
  unsigned a = 0, b = 0;
  unsigned predicate = 0;
  uint64_t laneXor = 0;
  llvm::SmallVector<unsigned, 4> whenTrue, whenFalse; ///< of a permute.
};

/// A program on words. Values 0 .. words.size()-1 are the sources; op i defines
/// value words.size() + i.
struct RegisterExchange {
  /// Source registers packed in each word, low bits first (1, 2 or 4 of them).
  llvm::SmallVector<llvm::SmallVector<unsigned, 4>, 16> words;
  llvm::SmallVector<ThreadPredicate, 4> predicates;
  /// lane, warp, block -> lane. If `isButterfly`, it is the identity on lane
  /// alone, and a shuffle is an exchange with lane ^ laneXor.
  LinearLayout sourceLane;
  bool isButterfly = true;
  llvm::SmallVector<ExchangeOp, 32> ops;
  /// For every destination register: value, and element within the word.
  struct Result {
    unsigned value, element;
  };
  llvm::SmallVector<Result, 16> results;
  unsigned elemBits = 32;

  /// Words of 32 bits that a value takes when it is emitted.
  unsigned wordsPerValue() const { return std::max(1u, elemBits / 32); }
  unsigned shuffles() const;
  unsigned selects() const;
  /// Byte permutes: those of the program, and those it takes to build words of
  /// narrow values that are not neighbouring registers.
  unsigned permutes() const;
  /// No instruction at all: registers are renamed.
  bool isRenaming() const { return ops.empty(); }
};

/// The cheapest program for `map`, a convert map between places (register,
/// lane, warp, block) that keeps warp and block unchanged (see ConvertMap.h).
/// Values of less than 32 bits are packed where the map allows. With
/// `allowPermute` the last selects and the packing of narrow results become one
/// permute where they can.
RegisterExchange planRegisterExchange(const LinearLayout &map,
                                      unsigned elemBits,
                                      const TargetDescription &target,
                                      bool allowPermute = false);

/// In the slots of the target's `costs`, with all words of each value.
double costOfExchange(const RegisterExchange &exchange,
                      const TargetDescription &target);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_REGISTEREXCHANGE_H
