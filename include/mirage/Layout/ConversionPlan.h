//===- ConversionPlan.h - From one register layout to another ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `planConversion` decides how a tile moves from layout S to layout D and gives
// a code generator all it needs:
//
//   noop      every thread has its elements in the right registers;
//   register  registers are renamed (and selected, if which one depends on the
//             thread): `exchange`, without shuffles;
//   shuffle   lanes of a warp exchange words: `exchange`;
//   shared    `store`, barrier, `load` through scratch memory of `layout`;
//   cluster   the same, where blocks read each other's scratch.
//
// How far data must travel is decided exactly (ConvertMap.h); between shuffles
// and shared memory the cost decides, in issue slots of a warp with the prices
// of the target (TargetDescription::costs). Every plan is verified for all
// registers, lanes and warps (`verified`): it is correct or it is not given out
// as verified.
//
// Emission of a shared plan. The element at offset o of the scratch is element
// layout(o) of the tile, minus the part that this block's place fixes; code
// needs only the two accesses (MemoryAccess.h says how to emit one):
//
//   [barrier, if the scratch is still being read]
//   emit store from the source registers
//   barrier of scope `barrier`
//   emit load into the destination registers
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_CONVERSIONPLAN_H
#define MIRAGE_LAYOUT_CONVERSIONPLAN_H

#include "mirage/Layout/RegisterExchange.h"
#include "mirage/Layout/SharedChoice.h"
#include "mirage/Support/F2/ConvertMap.h"

#include <string>
#include <vector>

namespace mirage::layout {

enum class ConversionKind { Noop, Register, Shuffle, Shared, Cluster };
enum class BarrierScope { None, Warp, Block, Cluster };

llvm::StringRef stringifyKind(ConversionKind kind);
llvm::StringRef stringifyScope(BarrierScope scope);

/// Traffic through shared memory.
struct SharedConversion {
  /// offset -> flattened bits of the tile (label "element") that one block has
  /// (of one part, if there are repetitions).
  LinearLayout layout;
  SharedAccess store; ///< of the source registers.
  /// Into the destination registers. Cluster only: the bits of an address above
  /// those of the scratch are the number of the block whose scratch is read.
  SharedAccess load;
  uint64_t scratchBytes = 0;
  /// Where not all of the tile fits, it goes in equal parts through the same
  /// scratch, each with its own store, barrier and load (and a barrier before
  /// the next store). The groups of part i are the i-th of as many equal runs
  /// of `store.groups` and of `load.groups`.
  unsigned repetitions = 1;
  BarrierScope barrier = BarrierScope::Block;
  /// What keeps a side from moving 32 bits of each bank in every wavefront;
  /// empty if nothing does.
  std::string bound;
};

/// A kind of plan that was considered: the one that won, one that costs more,
/// or one that cannot carry the data.
struct PlanAlternative {
  ConversionKind kind = ConversionKind::Noop;
  bool possible = false;
  double cost = 0;           ///< in issue slots of a warp, if possible.
  unsigned instructions = 0; ///< a thread.
  uint64_t wavefronts = 0;   ///< of shared memory, a warp.
  /// Why it was not taken; empty for the plan itself. For example "elements
  /// cross warps: lane bit 3 of the destination is warp bit 0 of the source" or
  /// "38.0 slots against 21.5".
  std::string reason;
};

struct ConversionPlan {
  ConversionKind kind = ConversionKind::Noop;
  ConvertReach reach = ConvertReach::Nowhere; ///< what no plan can avoid.
  unsigned elemBits = 0;     ///< as moved; less than 8 bits are widened to 8.
  RegisterExchange exchange; ///< register, shuffle.
  SharedConversion shared;   ///< shared, cluster.
  bool verified = false;
  double cost = 0; ///< in issue slots of a warp (TargetDescription::costs).
  /// One per kind, nearest first; only where ConversionOptions::explain asks.
  std::vector<PlanAlternative> alternatives;

  /// Instructions a thread; values of more than 32 bits take several.
  unsigned shuffles() const;
  unsigned selects() const;
  unsigned permutes() const;
  uint64_t instructions() const; ///< all, of any kind.
};

struct ConversionOptions {
  bool allowShuffle = true;
  bool allowMatrix = true;      ///< ldmatrix, stmatrix.
  bool allowPermute = true;     ///< ExchangeOp::Permute in programs.
  bool allowRepetitions = true; ///< SharedConversion::repetitions above 1.
  bool verify = true;           ///< false where a plan is only priced.
  bool explain = false;         ///< fill ConversionPlan::alternatives.
};

/// The cheapest plan. Layouts are register, lane, warp, block -> dims of one
/// tensor; the source must hold every element of the destination. Labels may be
/// absent; lanes, warps or blocks beyond those of a layout hold replicas.
llvm::Expected<ConversionPlan>
planConversion(const LinearLayout &source, const LinearLayout &destination,
               unsigned elemBits, const TargetDescription &target,
               const ConversionOptions &options = {});

/// True iff every destination register of every thread gets its element, and no
/// thread reads what it has not waited for. Exact, and cheap: values and
/// addresses are affine in the thread, so that bases speak for all threads;
/// plans where they are not are executed.
bool verifyConversion(const ConversionPlan &plan, const LinearLayout &source,
                      const LinearLayout &destination);

/// The same by execution on element numbers for all threads and registers: the
/// oracle of the verifier. Slow.
bool executeConversion(const ConversionPlan &plan, const LinearLayout &source,
                       const LinearLayout &destination);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_CONVERSIONPLAN_H
