//===- CopyOrder.cpp - Copies have landed where they are read -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The order of asynchronous copies and the reads of their buffers, checked by
// running the kernel: only what decides the order is computed, indices, bounds
// and slots, for the first block. All threads of a block run the same program
// of tiles, so that one run stands for all of them. Of every slot of a buffer
// it is known whether a copy to it is under way, and how many barriers ago it
// landed, or was read:
//
//   read    of a slot with a copy under way     a layout.async_wait is missing
//   read    with no barrier since it landed     a layout.barrier is missing
//   copy    with no barrier since a read        likewise: readers are overtaken
//
// Barriers between stores and reads are the lowering's (Barriers.cpp).
//
// A loop whose bounds are not known runs a few times. A branch whose condition
// is not known runs both ways, each from the state before; the program goes on
// from the first. Where a slot is not known nothing can be said: an error.
//
//===----------------------------------------------------------------------===//

#include "KernelPreparation.h"
#include "ProgramWalker.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include <deque>

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// Runs of a loop of which the bounds are not known, and at most.
static constexpr int64_t guessedTrips = 8, maxTrips = 1 << 16;

namespace {

/// A slot of a buffer.
using Slot = std::pair<Value, int64_t>;

/// What happened to a slot; times are numbers of barriers passed.
struct SlotState {
  bool underWay = false;
  std::optional<int64_t> landed, read;
};

/// What happened so far.
struct OrderState {
  llvm::DenseMap<Slot, SlotState> slots;
  SmallVector<Slot> ungrouped;
  std::deque<SmallVector<Slot>> groups; ///< under way, oldest first.
  int64_t barriers = 0;
};

class OrderChecker final : public ProgramWalker {
public:
  explicit OrderChecker(const TargetDescription &target)
      : ProgramWalker(/*block=*/{0, 0, 0}, maxTrips), target(target) {}

private:
  LogicalResult visit(Operation *op) override {
    if (auto copy = dyn_cast<AsyncCopyOp>(op))
      return write(op, copy.getDest(), copy.getSlot(), /*isCopy=*/true);
    if (auto store = dyn_cast<LocalStoreOp>(op))
      return write(op, store.getDest(), store.getSlot(), /*isCopy=*/false);
    if (auto load = dyn_cast<LocalLoadOp>(op))
      return read(load);
    if (isa<AsyncCommitOp>(op)) {
      state.groups.push_back(std::exchange(state.ungrouped, {}));
    } else if (auto wait = dyn_cast<AsyncWaitOp>(op)) {
      land(wait.getPending());
    } else if (isa<BarrierOp>(op) || hasBarrier(op)) {
      ++state.barriers;
    }
    return success();
  }

  /// Between a store and a load of scratch all threads of the block wait.
  bool hasBarrier(Operation *op) const {
    if (isa<AllocSharedOp>(op) || !scratchBytes(op, target))
      return false;
    auto convert = dyn_cast<ConvertOp>(op);
    if (!convert)
      return true;
    auto plan = planConvert(convert, target);
    if (plan)
      return plan->shared.barrier == BarrierScope::Block ||
             plan->shared.barrier == BarrierScope::Cluster;
    llvm::consumeError(plan.takeError());
    return false;
  }

  //===--------------------------------------------------------------------===//
  // Slots
  //===--------------------------------------------------------------------===//

  Value bufferOf(Value shared) const {
    Value known = buffers.lookup(shared);
    return known ? known : shared;
  }

  FailureOr<Slot> slotOf(Operation *op, Value shared, Value slot) {
    if (!slot)
      return Slot{bufferOf(shared), 0};
    if (std::optional<int64_t> number = numberOf(slot))
      return Slot{bufferOf(shared), *number};
    return op->emitOpError("names a slot that is not known when the order of "
                           "copies is checked");
  }

  LogicalResult read(LocalLoadOp op) {
    FailureOr<Slot> slot = slotOf(op, op.getSource(), op.getSlot());
    if (failed(slot))
      return failure();
    SlotState &at = state.slots[*slot];
    if (at.underWay)
      return op.emitOpError("reads a tile while it is copied: no "
                            "layout.async_wait covers the group of the copy");
    if (at.landed == state.barriers)
      return op.emitOpError("reads what other threads have copied, with no "
                            "layout.barrier since they waited for it");
    at.read = state.barriers;
    return success();
  }

  LogicalResult write(Operation *op, Value shared, Value slotNumber,
                      bool isCopy) {
    FailureOr<Slot> slot = slotOf(op, shared, slotNumber);
    if (failed(slot))
      return failure();
    SlotState &at = state.slots[*slot];
    if (at.underWay)
      return op->emitOpError("writes a tile to which a copy is under way");
    if (!isCopy) {
      at.landed.reset();
      return success();
    }
    if (at.read == state.barriers)
      return op->emitOpError("overwrites what other threads may still read, "
                             "with no layout.barrier in between");
    at.underWay = true;
    state.ungrouped.push_back(*slot);
    return success();
  }

  /// All groups but the last `pending` have landed.
  void land(uint64_t pending) {
    for (; state.groups.size() > pending; state.groups.pop_front())
      for (const Slot &slot : state.groups.front()) {
        state.slots[slot].underWay = false;
        state.slots[slot].landed = state.barriers;
      }
  }

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  /// Loops may carry buffers too.
  void assign(ValueRange to, ValueRange from) override {
    SmallVector<Value> known;
    for (Value value : from)
      known.push_back(bufferOf(value));
    for (auto [value, buffer] : llvm::zip_equal(to, known))
      buffers[value] = buffer;
    ProgramWalker::assign(to, from);
  }

  FailureOr<Trips> guessTrips(scf::ForOp loop) override {
    int64_t step = numberOf(loop.getStep()).value_or(1);
    return Trips{numberOf(loop.getLowerBound()).value_or(0), step,
                 step > 0 ? guessedTrips : 0};
  }

  /// Control flow of other kinds may do whatever copies do not depend on.
  LogicalResult visitOther(Operation *op) override {
    auto matters = [](Operation *inner) {
      bool does = isa<AsyncCopyOp, AsyncCommitOp, AsyncWaitOp, BarrierOp,
                      LocalLoadOp, LocalStoreOp>(inner);
      return does ? WalkResult::interrupt() : WalkResult::advance();
    };
    if (!op->walk(matters).wasInterrupted())
      return success();
    return op->emitOpError("has copies or reads of shared memory inside, of "
                           "which the order cannot be checked");
  }

  LogicalResult visitUnknown(scf::IfOp branch) override {
    OrderState before = state;
    if (failed(runRegion(branch, branch.getElseRegion())))
      return failure();
    state = std::move(before);
    return runRegion(branch, branch.getThenRegion());
  }

  const TargetDescription &target;
  OrderState state;
  llvm::DenseMap<Value, Value> buffers;
};

} // namespace

LogicalResult mirage::checkCopyOrder(gpu::GPUFuncOp kernel,
                                     const TargetDescription &target) {
  bool hasCopies =
      kernel.walk([](AsyncCopyOp) { return WalkResult::interrupt(); })
          .wasInterrupted();
  if (!hasCopies)
    return success();
  return OrderChecker(target).run(kernel.getBody().front());
}
