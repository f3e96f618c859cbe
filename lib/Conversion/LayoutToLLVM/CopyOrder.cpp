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

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

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

class OrderChecker {
public:
  explicit OrderChecker(const TargetDescription &target) : target(target) {}

  LogicalResult run(Block &block) {
    for (Operation &op : block)
      if (failed(visit(&op)))
        return failure();
    return success();
  }

private:
  LogicalResult visit(Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return visitLoop(loop);
    if (auto branch = dyn_cast<scf::IfOp>(op))
      return visitBranch(branch);
    if (op->getNumRegions())
      return visitOther(op);
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
    } else {
      evaluate(op);
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
  // Numbers
  //===--------------------------------------------------------------------===//

  std::optional<int64_t> numberOf(Value value) const {
    auto number = dyn_cast_or_null<IntegerAttr>(numbers.lookup(value));
    if (!number)
      return std::nullopt;
    return number.getValue().getSExtValue();
  }

  /// Folds operations on known numbers; the block is the first one.
  void evaluate(Operation *op) {
    if (op->getNumResults() != 1 || !op->getResult(0).getType().isIntOrIndex())
      return;
    Value result = op->getResult(0);
    if (isa<gpu::BlockIdOp>(op)) {
      numbers[result] = Builder(op->getContext()).getIndexAttr(0);
      return;
    }
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands())
      operands.push_back(numbers.lookup(operand));
    // Folding may change operands in place: on a copy.
    Operation *copy = op->clone();
    SmallVector<OpFoldResult> results;
    Attribute number;
    if (succeeded(copy->fold(operands, results)) && results.size() == 1) {
      if (auto value = dyn_cast<Value>(results[0]))
        number = numbers.lookup(value);
      else
        number = cast<Attribute>(results[0]);
    }
    copy->destroy();
    numbers[result] = number;
  }

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  void assignAll(ValueRange to, ValueRange from) {
    SmallVector<std::pair<Attribute, Value>> values;
    for (Value value : from)
      values.push_back({numbers.lookup(value), bufferOf(value)});
    for (auto [value, known] : llvm::zip_equal(to, values))
      std::tie(numbers[value], buffers[value]) = known;
  }

  LogicalResult visitLoop(scf::ForOp loop) {
    std::optional<int64_t> lower = numberOf(loop.getLowerBound());
    std::optional<int64_t> upper = numberOf(loop.getUpperBound());
    int64_t step = numberOf(loop.getStep()).value_or(1);
    int64_t first = lower.value_or(0);
    if (step <= 0)
      return success();
    int64_t trips = guessedTrips;
    if (lower && upper)
      trips = std::max<int64_t>(0, (*upper - first + step - 1) / step);
    assignAll(loop.getRegionIterArgs(), loop.getInitArgs());
    Value induction = loop.getInductionVar();
    for (int64_t i = 0; i < std::min(trips, maxTrips); ++i) {
      numbers[induction] =
          IntegerAttr::get(induction.getType(), first + i * step);
      if (failed(run(*loop.getBody())))
        return failure();
      assignAll(loop.getRegionIterArgs(),
                loop.getBody()->getTerminator()->getOperands());
    }
    assignAll(loop.getResults(), loop.getRegionIterArgs());
    return success();
  }

  LogicalResult visitRegion(scf::IfOp branch, Region &region) {
    if (region.empty())
      return success();
    if (failed(run(region.front())))
      return failure();
    assignAll(branch.getResults(),
              region.front().getTerminator()->getOperands());
    return success();
  }

  /// Control flow of other kinds may do whatever copies do not depend on.
  LogicalResult visitOther(Operation *op) const {
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

  LogicalResult visitBranch(scf::IfOp branch) {
    std::optional<int64_t> condition = numberOf(branch.getCondition());
    if (condition)
      return visitRegion(branch, *condition ? branch.getThenRegion()
                                            : branch.getElseRegion());
    OrderState before = state;
    if (failed(visitRegion(branch, branch.getElseRegion())))
      return failure();
    state = std::move(before);
    return visitRegion(branch, branch.getThenRegion());
  }

  const TargetDescription &target;
  OrderState state;
  llvm::DenseMap<Value, Attribute> numbers;
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
