//===- AxisPlans.h - Work along one dim of a tile ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How threads work together along one dim (the *axis*) of a tile in any layout:
// reductions, scans and gathers. Nothing here asks for the kind of layout, and
// replicas and places whose bases mix several dims need no case of their own.
//
// An element e is a pair (kept, axis), as bits: its index along the axis lies
// low, above it the index over the other dims (row-major, last dim lowest). A
// layout maps a place p, the bits of register, lane, warp and block, linearly
// to e. Flipping the bits p of a place moves its element by L(p). All plans are
// made of such moves:
//
//   A     = all moves along the axis = { e : kept(e) = 0 }
//   A_R   = those moves that registers alone can make, = A n L(register)
//   A_RL  = those that registers and lanes can make,   = A n L(register, lane)
//   A_RLW = those that a block can make
//
// A *reduction* sums each coset e + A once. A thread sums its part of e + A_R
// with moves L(p) that are a basis of A_R; the lanes go on from A_R to A_RL
// with moves that are a basis of A_RL modulo A_R, each a butterfly; what is
// left, A_RLW modulo A_RL, the warps exchange, and A modulo A_RLW the blocks.
// As the moves are independent *as moves of elements*, no element is met twice,
// however many places hold it.
// Worked example, axis = columns (dim1) of a 2x4 tile:
//
//   register (0,1)   lanes (0,1) (1,2) (1,0)   ->   moves along the axis
//   register 1: (0,1)               one step within the thread
//   lane 1 = register 1: (0,1)      a replica: already counted, no step
//   lanes 2 and 4: (1,2)+(1,0) = (0,2)   one butterfly with lane ^ 6
//
// A *scan* needs the axis bits in order. With T_i(e) the total of the aligned
// block of 2^i neighbours that e lies in, and S_i(e) the scan within it,
//
//   S_i+1(e) = S_i(e), preceded by T_i(e ^ 2^i) where bit i of e is set
//   T_i+1(e) = T_i(e) + T_i(e ^ 2^i)
//
// so each step needs one move, the one by 2^i; as T_i is the same in all of an
// aligned block of 2^i, a move by 2^i and any lower bits of the axis will do.
// Steps that no warp can make go through shared memory, those of the same kind
// that follow each other at once: first within each block, so that what blocks
// read from each other is one total for each of them.
//
// A *gather* takes from e = (k, a) with a known only at run time: the place of
// the source is linear in the reader's place and in a.
//
// Each block of a cluster has a shared memory of its own, in which it needs
// room only for what it holds itself. With V the numbers (of elements, or
// partial results) that the places of block 0 hold, those of each block are a
// coset of V, and the bits of a number at the first positions where V has full
// rank tell the numbers of one block apart (`withinBlocks`).
//
// Layouts are of registers: register, lane, warp, block -> dim0, dim1, ...;
// surjective and without an offset.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_AXISPLANS_H
#define MIRAGE_LAYOUT_AXISPLANS_H

#include "mirage/Support/F2/LinearLayout.h"
#include "mirage/Target/TargetDescription.h"

#include <optional>
#include <vector>

namespace mirage::layout {

/// Bits of a place that flip together.
struct PlaceMove {
  uint64_t registers = 0, lanes = 0, warps = 0, blocks = 0;
};

/// The bits of an element that belong to the axis are its low ones; this is
/// `layout` with the single out label "element" in that form.
LinearLayout withAxisLowest(const LinearLayout &layout, unsigned axis);

/// The numbers of `map` (register, lane, warp, block -> one out label) to
/// shorter ones, that differ where the places of one block have different
/// numbers. Low bits that are free in each block stay the low bits.
LinearLayout withinBlocks(const LinearLayout &map);

/// How the elements along an axis are combined, each once.
struct ReductionPlan {
  /// Registers r and r ^ step are combined, for each step in turn.
  llvm::SmallVector<uint64_t> registerSteps;
  /// Register r meets register r ^ registers of lane ^ lanes, in turn.
  llvm::SmallVector<PlaceMove> laneSteps;
  /// log2 of the partial results of one element of the result that are then
  /// still apart, in different warps of a block.
  unsigned warpBits = 0;
  /// The partial results of block b are joined by those of block b ^ step, for
  /// each sum of these steps.
  llvm::SmallVector<uint64_t> blockSteps;
  /// The slot of the partial result that a place holds: the element of the
  /// result, then `partialBits` that number its partial results, those of one
  /// block lowest.
  LinearLayout slots;
  /// From slots to those that each block needs for itself.
  LinearLayout scratch;

  unsigned partialBits() const { return warpBits + blockSteps.size(); }
};
ReductionPlan planReduction(const LinearLayout &layout, unsigned axis);

/// How the elements along an axis are scanned, from the lowest bit on.
struct ScanPlan {
  /// Whose values a step reads.
  enum class Reach { Warp, Block, Cluster };

  /// Axis bits [firstBit, firstBit + bits).
  struct Step {
    unsigned firstBit = 0, bits = 1;
    Reach reach = Reach::Warp;

    /// Within a warp there is one bit, and this flips it.
    PlaceMove move;

    /// Beyond, the totals of 2^bits neighbours go through a part of the scratch
    /// that starts at `firstSlot`. The total of an element has the number of
    /// the element without the low `firstBit` bits, and from it the slot.
    uint64_t firstSlot = 0;
    LinearLayout slots;
    /// In a cluster, for each bit: the neighbour is in block b ^ this.
    llvm::SmallVector<uint64_t> blockSteps;

    bool isShared() const { return reach != Reach::Warp; }
  };
  std::vector<Step> steps;
  uint64_t numSlots = 0; ///< of one accumulated value each.
  /// The element of each place; the bits of the axis are the low ones.
  LinearLayout elements;

  /// How far the last step goes that leaves the warp; Warp if none does.
  Reach lastShared() const;
};
ScanPlan planScan(const LinearLayout &layout, unsigned axis);

/// A gather that stays within warps: register and lane of the source are
/// ofPlace(reader) xor ofIndex(index).
struct GatherPlan {
  LinearLayout ofPlace; ///< register, lane, warp, block -> register, lane.
  LinearLayout ofIndex; ///< index -> register, lane.
  /// Registers of the source among which a reader chooses are
  /// ofPlace(its register) xor a sum of these, each with a leading bit of its
  /// own (`choices[i] >> leadingBits[i]` is odd, for no other i).
  llvm::SmallVector<uint64_t> choices;
  llvm::SmallVector<unsigned> leadingBits;
  /// Whether some reader takes from another lane.
  bool crossesLanes = false;
};
/// result[k, a] = source[k, index[k, a]]. Nothing if some reader needs an
/// element that its warp does not hold.
std::optional<GatherPlan> planWarpGather(const LinearLayout &source,
                                         const LinearLayout &result,
                                         unsigned axis);
/// What a gather costs a warp, in the slots of the target's `costs`: within the
/// warp, where a reader gets every candidate and selects; and through shared
/// memory, where it loads from a bank that is as good as random.
double costInWarp(const GatherPlan &plan, unsigned elemBits,
                  const TargetDescription &target);
double costThroughShared(const GatherPlan &plan, unsigned elemBits,
                         const TargetDescription &target);

/// Whether all that a reader may ask for is in its own block.
bool gathersWithinBlocks(const LinearLayout &source, const LinearLayout &result,
                         unsigned axis);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_AXISPLANS_H
