//===- WorkCounter.h - What a plan with sizes does --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_WORKCOUNTER_H
#define MIRAGE_LIB_SEARCH_WORKCOUNTER_H

#include "mirage/Search/Plan.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <map>

namespace mirage::search {

/// Tiles of matrix products are at least this long.
inline constexpr int64_t minMatrixTile = 16;

/// f32 values a thread may hold, beside addresses and fragments in flight.
inline constexpr double maxLiveRegisters = 168;
/// Registers that a thread needs for itself.
inline constexpr double baseRegisters = 40;
/// Fragments of deeper tiles are loaded one after the other (products of 16
/// rows and 64 columns with depth 256, in 128 threads, assemble to 168
/// registers with a norm in front, where 161 are estimated, and to 56 without).
inline constexpr double maxFragmentDepth = 128;

/// How the warps of a block share the tile of a product. It may be computed
/// transposed, where each warp then needs less of the operands.
struct WarpGrid {
  double alongRows, alongColumns;
};
WarpGrid warpGrid(double rows, double columns, unsigned threads,
                  const TargetDescription &target);

/// The shorter side of the result of a matrix instruction: a single row or
/// column fills it.
double matrixEdge(const TargetDescription &target);

/// Counts the work of a kernel whose tiles are chosen, for the cost model. The
/// plan is read anew by each call: its sizes may change in between.
class WorkCounter {
public:
  /// `parts`: of each sum that the plan gets from a kernel before.
  WorkCounter(const KernelPlan &plan, const Program &program,
              const ValueGraph &graph, const ExprContext &context,
              const TargetDescription &target, int64_t parts)
      : plan(plan), program(program), graph(graph), context(context),
        target(target), parts(parts) {}

  /// Tiles of a label.
  double tileCount(LabelId label) const {
    return std::ceil(double(context.size(label)) / plan.tiles.lookup(label));
  }
  /// Thread blocks, without splits.
  double gridBlocks() const;
  /// More threads than this only repeat what the tensor cores do for others.
  unsigned usefulThreads() const;
  /// Values that live at a time, as registers of all threads together.
  double liveRegisters() const;
  /// Nothing if they do not fit the registers.
  std::optional<KernelWork> measure(unsigned threads, double live) const;

private:
  double cover(LabelId label) const;
  double matrixTile(LabelId label) const;
  /// How the warps of a block get at an operand of products.
  struct OperandUse {
    double reads = 0; ///< as often as it is large.
    double times = 1; ///< in the kernel.
    bool isComputed = false;
  };
  std::map<uint32_t, OperandUse> sharedOperands(unsigned threads) const;
  void countSharedOperands(KernelWork &work) const;
  double elements(llvm::ArrayRef<LabelId> labels) const;
  double clippedElements(llvm::ArrayRef<LabelId> labels) const;
  double executions(const Step &step) const {
    return step.loop < 0 ? 1
                         : tileCount(plan.loops[step.loop].label) / plan.splits;
  }
  double wholeElements(llvm::ArrayRef<LabelId> labels) const;
  bool isOuter(const Step &step) const;
  double runBytes(const LabelList &labels, unsigned elementBits) const;
  double wasteOfShortRows(const LabelList &labels, unsigned elementBits) const {
    return wasteOfRuns(runBytes(labels, elementBits));
  }
  bool isFragmentsOnly(uint32_t number) const;
  double stepRegisters(uint32_t number) const;
  double fragmentRegisters(unsigned threads) const;
  void countInput(const Step &step, KernelWork &work) const;
  void countParts(const Step &step, KernelWork &work) const;
  void countContraction(const Step &step, KernelWork &work) const;
  void countSoftmax(const Step &step, KernelWork &work) const;
  void countStep(const Step &step, KernelWork &work) const;
  void countStores(KernelWork &work) const;
  void countUniqueLoads(KernelWork &work) const;
  void countOperandMemory(KernelWork &work) const;
  double matrixTiles(const Step &step) const;

  const KernelPlan &plan;
  const Program &program;
  const ValueGraph &graph;
  const ExprContext &context;
  const TargetDescription &target;
  int64_t parts;
};

} // namespace mirage::search

#endif // MIRAGE_LIB_SEARCH_WORKCOUNTER_H
