//===- Barriers.cpp - Barriers between uses of shared memory --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops reuse shared memory: two conversions may have the same scratch bytes.
// Walking the program in order, this keeps the byte ranges that were read or
// written since the last barrier, and inserts a barrier before an op that would
// write over either, or read what was written. Around a loop the ranges at the
// end of the body join those at its entry until nothing changes.
//
// Asynchronous copies of one buffer are ordered by the pass that makes them.
//
//===----------------------------------------------------------------------===//

#include "KernelPreparation.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// Bytes [begin, end). `owner` is the op if each warp only uses bytes of its
/// own: then the op does not wait for itself.
struct Range {
  int64_t begin, end;
  Operation *owner = nullptr;
  bool operator==(const Range &rhs) const {
    return begin == rhs.begin && end == rhs.end && owner == rhs.owner;
  }
};

/// Accesses since the last barrier.
struct Pending {
  SmallVector<Range> reads, writes;

  static bool overlaps(ArrayRef<Range> ranges, Range with) {
    return llvm::any_of(ranges, [&](Range range) {
      bool own = range.owner && range.owner == with.owner;
      return !own && range.begin < with.end && with.begin < range.end;
    });
  }
  static bool add(SmallVector<Range> &ranges, Range range) {
    if (llvm::is_contained(ranges, range))
      return false;
    ranges.push_back(range);
    return true;
  }
  /// Whether this grew.
  bool join(const Pending &other) {
    bool changed = false;
    for (Range range : other.reads)
      changed |= add(reads, range);
    for (Range range : other.writes)
      changed |= add(writes, range);
    return changed;
  }
};

class BarrierInserter {
public:
  explicit BarrierInserter(const TargetDescription &target) : target(target) {}

  /// Walks a block from the state `pending`; inserts only if `insert`.
  void visit(Block &block, Pending &pending, bool insert) {
    for (Operation &op : llvm::make_early_inc_range(block))
      visit(op, pending, insert);
  }

private:
  void visit(Operation &op, Pending &pending, bool insert) {
    if (isa<BarrierOp>(op)) {
      pending = Pending();
      return;
    }
    if (auto load = dyn_cast<LocalLoadOp>(op))
      return read(op, rangeOf(load.getSource()), pending, insert);
    if (auto store = dyn_cast<LocalStoreOp>(op))
      return write(op, rangeOf(store.getDest()), pending, insert);
    if (auto copy = dyn_cast<AsyncCopyOp>(op))
      return startCopy(op, rangeOf(copy.getDest()), pending, insert);
    if (isa<ConvertOp, ReduceOp, ScanOp, GatherOp>(op))
      return exchange(op, pending, insert);
    if (isa<LoopLikeOpInterface>(op))
      return visitLoop(op, pending, insert);
    visitBranches(op, pending, insert);
  }

  void visitBranches(Operation &op, Pending &pending, bool insert) {
    if (op.getNumRegions() == 0)
      return;
    Pending before = pending;
    for (Region &region : op.getRegions())
      for (Block &block : region) {
        Pending inside = before;
        visit(block, inside, insert);
        pending.join(inside);
      }
  }

  void visitLoop(Operation &op, Pending &pending, bool insert) {
    bool changed = true;
    while (changed) {
      Pending inside = pending;
      for (Region &region : op.getRegions())
        for (Block &block : region)
          visit(block, inside, /*insert=*/false);
      changed = pending.join(inside);
    }
    if (!insert)
      return;
    Pending inside = pending;
    for (Region &region : op.getRegions())
      for (Block &block : region)
        visit(block, inside, /*insert=*/true);
  }

  void barrier(Operation &op, Pending &pending, bool insert) {
    pending = Pending();
    if (!insert)
      return;
    OpBuilder b(&op);
    BarrierOp::create(b, op.getLoc());
  }

  void read(Operation &op, Range range, Pending &pending, bool insert) {
    if (Pending::overlaps(pending.writes, range))
      barrier(op, pending, insert);
    Pending::add(pending.reads, range);
  }

  void write(Operation &op, Range range, Pending &pending, bool insert) {
    if (Pending::overlaps(pending.writes, range) ||
        Pending::overlaps(pending.reads, range))
      barrier(op, pending, insert);
    Pending::add(pending.writes, range);
  }

  /// Waits for those who used the buffer's bytes for something else; among
  /// themselves the users of a buffer are ordered already.
  void startCopy(Operation &op, Range range, Pending &pending, bool insert) {
    auto foreign = [&](ArrayRef<Range> ranges) {
      return llvm::any_of(ranges, [&](Range other) {
        return !(other == range) && Pending::overlaps(other, range);
      });
    };
    if (foreign(pending.reads) || foreign(pending.writes))
      barrier(op, pending, insert);
  }

  /// Writes its scratch, has barriers of its own, reads its scratch.
  void exchange(Operation &op, Pending &pending, bool insert) {
    int64_t bytes = scratchBytes(&op, target);
    if (!bytes)
      return;
    int64_t begin = op.getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    BarrierScope scope = scopeOf(&op);
    bool withinWarps = scope == BarrierScope::Warp;
    Range range{begin, begin + bytes, withinWarps ? &op : nullptr};
    write(op, range, pending, insert);
    if (!withinWarps)
      pending = Pending();
    if (scope != BarrierScope::Cluster) // that one ends with a barrier
      Pending::add(pending.reads, range);
  }

  /// Of the last barrier of the op: that of a cluster comes after its last
  /// reads.
  BarrierScope scopeOf(Operation *op) const {
    if (auto reduce = dyn_cast<ReduceOp>(op))
      return crossesBlocks(reduce) ? BarrierScope::Cluster
                                   : BarrierScope::Block;
    if (auto scan = dyn_cast<ScanOp>(op))
      return planScan(scan).lastShared() == ScanPlan::Reach::Cluster
                 ? BarrierScope::Cluster
                 : BarrierScope::Block;
    auto convert = dyn_cast<ConvertOp>(op);
    if (!convert)
      return BarrierScope::Block;
    auto plan = planConvert(convert, target);
    if (plan)
      return plan->shared.barrier;
    llvm::consumeError(plan.takeError());
    return BarrierScope::Block;
  }

  /// All of shared memory where the buffer is not known.
  static Range rangeOf(Value shared) {
    if (auto alloc = shared.getDefiningOp<AllocSharedOp>())
      if (auto offset = alloc->getAttrOfType<IntegerAttr>(offsetAttrName))
        return {offset.getInt(), offset.getInt() + alloc.getType().getBytes()};
    return {0, std::numeric_limits<int64_t>::max()};
  }

  const TargetDescription &target;
};

} // namespace

void mirage::insertBarriers(gpu::GPUFuncOp kernel,
                            const TargetDescription &target) {
  Pending pending;
  for (Block &block : kernel.getBody())
    BarrierInserter(target).visit(block, pending, /*insert=*/true);
}
