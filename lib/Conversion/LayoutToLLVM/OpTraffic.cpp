//===- OpTraffic.cpp - What a tile op moves through memory ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpTraffic.h"

#include "AxisEmitter.h"
#include "DotLayout.h"
#include "GlobalTile.h"
#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

uint64_t GlobalTraffic::bytes(ArrayRef<int64_t> offsets) const {
  uint64_t elements = 1;
  for (auto [offset, size, extent] :
       llvm::zip_equal(offsets, existing, extents))
    elements *= std::clamp<int64_t>(extent - offset, 0, size);
  return elements * bytesPerElement;
}

namespace {
class TrafficCounter {
public:
  TrafficCounter(BlockShape block, const TargetInstructions &instructions)
      : block(block), instructions(instructions), target(instructions.target) {}

  std::optional<OpTraffic> count(Operation *op) {
    return llvm::TypeSwitch<Operation *, std::optional<OpTraffic>>(op)
        .Case<LoadOp, StoreOp, AsyncCopyOp, LocalLoadOp, LocalStoreOp,
              ConvertOp, ReduceOp, ScanOp, GatherOp, DotOp, BarrierOp>(
            [&](auto tileOp) { return countOp(tileOp); })
        .Default([](Operation *) { return OpTraffic(); });
  }

private:
  //===--------------------------------------------------------------------===//
  // Shared memory
  //===--------------------------------------------------------------------===//

  uint64_t lanesMask() const { return (uint64_t{1} << block.laneBits) - 1; }
  uint64_t warps() const {
    return uint64_t{1} << (block.threadBits - block.laneBits);
  }
  /// Warps of the block with a thread that has no bit of `idle`.
  uint64_t activeWarps(uint64_t idle) const {
    uint64_t threads = (uint64_t{1} << block.threadBits) - 1;
    return uint64_t{1} << llvm::popcount(threads & ~lanesMask() & ~idle);
  }
  /// One vector access from the offsets (in elements) of the threads that have
  /// no bit of `idle`, over all warps.
  uint64_t vectorAccess(ArrayRef<uint64_t> threads, unsigned elements,
                        unsigned elementBits, uint64_t idle) const {
    return activeWarps(idle) *
           vectorWavefronts(threads.take_front(block.laneBits), elements,
                            elementBits, target, idle & lanesMask())
               .count;
  }

  /// All groups of `plan`; of threads with the same elements one stores.
  uint64_t accesses(const SharedAccess &plan, unsigned elementBits,
                    bool isStore) const {
    ThreadMap map = componentMap(plan.thread, "offset", block);
    uint64_t idle = isStore ? replicaThreads(map) : 0;
    if (plan.op == SharedOp::Vector)
      return plan.groups.size() *
             vectorAccess(map.threads, plan.vectorElems, elementBits, idle);
    return plan.wavefronts() * activeWarps(idle & ~lanesMask());
  }

  std::optional<OpTraffic> countShared(LinearLayoutAttr layout,
                                       SharedType shared, bool isStore) const {
    auto plan = planSharedTile(layout, shared.getLayout(),
                               shared.getElementType(), target, isStore);
    if (!plan) {
      llvm::consumeError(plan.takeError());
      return std::nullopt;
    }
    OpTraffic traffic;
    (isStore ? traffic.fixed.sharedStoreWavefronts
             : traffic.fixed.sharedLoadWavefronts) =
        accesses(*plan, shared.getElementType().getIntOrFloatBitWidth(),
                 isStore);
    return traffic;
  }
  std::optional<OpTraffic> countOp(LocalLoadOp op) const {
    return countShared(getLayout(op.getType()), op.getSource().getType(),
                       /*isStore=*/false);
  }
  std::optional<OpTraffic> countOp(LocalStoreOp op) const {
    return countShared(getLayout(op.getValue().getType()),
                       op.getDest().getType(), /*isStore=*/true);
  }

  std::optional<OpTraffic> countOp(ConvertOp op) const {
    auto plan = planConvert(op, target);
    if (!plan) {
      llvm::consumeError(plan.takeError());
      return std::nullopt;
    }
    OpTraffic traffic;
    if (plan->kind == ConversionKind::Cluster)
      return std::nullopt;
    if (plan->kind != ConversionKind::Shared) {
      traffic.fixed.shuffles =
          warps() * plan->exchange.shuffles() * plan->exchange.wordsPerValue();
      return traffic;
    }
    // One in each part, and one between parts.
    if (plan->shared.barrier == BarrierScope::Block)
      traffic.fixed.barriers = 2 * plan->shared.repetitions - 1;
    traffic.fixed.sharedStoreWavefronts =
        accesses(plan->shared.store, plan->elemBits, /*isStore=*/true);
    traffic.fixed.sharedLoadWavefronts =
        accesses(plan->shared.load, plan->elemBits, /*isStore=*/false);
    return traffic;
  }

  //===--------------------------------------------------------------------===//
  // Slots (SlotEmitter)
  //===--------------------------------------------------------------------===//

  static constexpr unsigned slotBits = 32, maxVectorSlots = 4;

  /// How many numbers, without their low bits, the registers of a thread have.
  static uint64_t numClasses(const ThreadMap &map, unsigned droppedBits = 0) {
    llvm::SmallDenseSet<uint64_t> classes;
    for (unsigned r = 0; r < map.numRegisters(); ++r)
      classes.insert(map.ofRegister(r) >> droppedBits);
    return classes.size();
  }
  uint64_t slotStores(const ThreadMap &slots, uint64_t values) const {
    return values * vectorAccess(slots.threads, 1, slotBits,
                                 redundantThreads(slots, block));
  }
  /// Every thread loads 2^bits neighbours of each of its values.
  uint64_t slotLoads(const ThreadMap &slots, uint64_t values,
                     unsigned bits) const {
    SmallVector<uint64_t> firsts;
    for (uint64_t basis : slots.threads)
      firsts.push_back(basis >> bits << bits);
    unsigned count = 1u << bits, width = std::min(count, maxVectorSlots);
    return values * (count / width) * vectorAccess(firsts, width, slotBits, 0);
  }

  std::optional<OpTraffic> countOp(ReduceOp op) const {
    ReductionPlan plan = planReduction(
        getLayout(op.getValue().getType()).getLinear(), op.getAxis());
    OpTraffic traffic;
    if (!plan.blockSteps.empty())
      return std::nullopt;
    ThreadMap partials = componentMap(plan.slots, "slot", block);
    uint64_t values = numClasses(partials) * (op.getIndex() ? 2 : 1);
    if (!reducesByInstruction(op, plan, partials, block, instructions))
      traffic.fixed.shuffles = warps() * plan.laneSteps.size() * values;
    if (!plan.warpBits)
      return traffic;
    traffic.fixed.barriers = 1;
    ThreadMap slots = componentMap(
        llvm::cantFail(plan.slots.compose(plan.scratch)), "slot", block);
    traffic.fixed.sharedStoreWavefronts = slotStores(slots, values);
    traffic.fixed.sharedLoadWavefronts =
        slotLoads(slots, values, plan.warpBits);
    return traffic;
  }

  //===--------------------------------------------------------------------===//
  // Along an axis
  //===--------------------------------------------------------------------===//

  /// Of the low bits of elements, [first, first + count), those that differ
  /// between threads.
  static uint64_t threadBits(const ThreadMap &elements, unsigned first,
                             unsigned count) {
    return elements.threadBits() >> first & ((uint64_t{1} << count) - 1);
  }
  /// Whether registers alone decide a bit of the place along the axis. Then
  /// some of them need nothing of what a step loads, and their loads are
  /// dropped or not as later steps need the totals.
  static bool registersDecide(const ThreadMap &elements,
                              const ScanPlan::Step &step) {
    return threadBits(elements, step.firstBit, step.bits) !=
           (uint64_t{1} << step.bits) - 1;
  }
  /// Whether registers hold last elements only: an exclusive scan does not need
  /// these, and what has loaded them may be dropped.
  static bool dropsElements(ScanOp op, const ThreadMap &elements) {
    unsigned axisBits = llvm::Log2_64(
        cast<RankedTensorType>(op.getType()).getDimSize(op.getAxis()));
    return op.getExclusive() && !threadBits(elements, 0, axisBits);
  }

  std::optional<OpTraffic> countOp(ScanOp op) const {
    ScanPlan plan = planScan(op);
    ThreadMap elements = componentMap(plan.elements, "element", block);
    if (dropsElements(op, elements))
      return std::nullopt;
    OpTraffic traffic;
    for (const ScanPlan::Step &step : plan.steps) {
      uint64_t totals = numClasses(elements, step.firstBit);
      if (!step.isShared()) {
        traffic.fixed.shuffles += step.move.lanes ? warps() * totals : 0;
        continue;
      }
      if (step.reach == ScanPlan::Reach::Cluster ||
          registersDecide(elements, step))
        return std::nullopt;
      ThreadMap slots = scanSlots(elements, step);
      traffic.fixed.barriers += 1;
      traffic.fixed.sharedStoreWavefronts += slotStores(slots, totals);
      traffic.fixed.sharedLoadWavefronts += slotLoads(
          slots, numClasses(elements, step.firstBit + step.bits), step.bits);
    }
    return traffic;
  }

  /// Within a warp every register that is not a replica gets all candidates,
  /// several in a word.
  std::optional<OpTraffic> countOp(GatherOp op) const {
    std::optional<GatherPlan> plan = planGather(op, target);
    if (!plan)
      return std::nullopt;
    OpTraffic traffic;
    if (plan->crossesLanes) {
      unsigned bits =
          getElementTypeOrSelf(op.getType()).getIntOrFloatBitWidth();
      uint64_t words = llvm::divideCeil(bits << plan->choices.size(), 32);
      traffic.fixed.shuffles =
          warps() * numClasses(flatMap(getLayout(op.getType()), block)) * words;
    }
    return traffic;
  }

  std::optional<OpTraffic> countOp(BarrierOp) const {
    OpTraffic traffic;
    traffic.fixed.barriers = 1;
    return traffic;
  }

  //===--------------------------------------------------------------------===//
  // Global memory
  //===--------------------------------------------------------------------===//

  /// `idle`: bits of the threads that do not take part.
  GlobalTraffic countGlobal(GlobalAccessOpInterface op, LinearLayoutAttr layout,
                            uint64_t idle, bool isStore) const {
    MemRefType memory = op.getMemoryType();
    ThreadMap flat = flatMap(layout, block);
    uint64_t places = numClasses(flat)
                      << (block.threadBits - llvm::popcount(idle));
    uint64_t elements = 1;
    for (int64_t size : layout.getShape())
      elements *= size;
    return {op.getOffsets(), op.getExisting(), memory.getShape(),
            places * memory.getElementTypeBitWidth() / 8 / elements, isStore};
  }
  std::optional<OpTraffic> countOp(LoadOp op) const {
    OpTraffic traffic;
    traffic.global = countGlobal(op, getLayout(op.getType()), /*idle=*/0,
                                 /*isStore=*/false);
    return traffic;
  }
  std::optional<OpTraffic> countOp(StoreOp op) const {
    LinearLayoutAttr layout = getLayout(op.getValue().getType());
    OpTraffic traffic;
    traffic.global =
        countGlobal(op, layout, replicaThreads(flatMap(layout, block)),
                    /*isStore=*/true);
    return traffic;
  }
  /// Threads without an element of the memory write zeros.
  std::optional<OpTraffic> countOp(AsyncCopyOp op) const {
    FailureOr<AsyncCopyShape> shape = planAsyncCopy(op, block, target);
    if (failed(shape))
      return std::nullopt;
    OpTraffic traffic;
    traffic.global =
        countGlobal(op, *op.getVia(), shape->idle, /*isStore=*/false);
    traffic.fixed.sharedStoreWavefronts =
        shape->starts.size() *
        (shape->isAsync(target)
             ? copyWavefronts(*shape)
             : vectorAccess(shape->offsets.threads, 1u << shape->run.size(),
                            8 * shape->elementBytes(), shape->idle));
    return traffic;
  }
  static uint64_t ofLane(const ThreadMap &map, uint64_t lane) {
    uint64_t sum = 0;
    for (auto [bit, basis] : llvm::enumerate(map.threads))
      sum ^= lane >> bit & 1 ? basis : 0;
    return sum;
  }
  /// Of one copy by all warps: pairs of lines that a warp copies between, where
  /// rows of the memory start at lines.
  uint64_t copyWavefronts(const AsyncCopyShape &shape) const {
    uint64_t lineElements = target.sharedBanks * 4 / shape.elementBytes();
    llvm::SmallDenseSet<std::pair<uint64_t, uint64_t>> pairs;
    for (uint64_t lane = 0; lane >> block.laneBits == 0; ++lane) {
      if (lane & shape.idle)
        continue;
      uint64_t address = 0;
      for (auto [dim, stride] :
           llvm::zip_equal(shape.tile.dims, shape.tile.strides))
        address += ofLane(dim, lane) * stride;
      uint64_t offset = ofLane(shape.offsets, lane);
      pairs.insert({address / lineElements, offset / lineElements});
    }
    return pairs.size() * activeWarps(shape.idle);
  }

  std::optional<OpTraffic> countOp(DotOp op) const {
    std::optional<DotLayout> dot = planDot(op, block, instructions);
    if (!dot)
      return std::nullopt;
    OpTraffic traffic;
    if (dot->instruction.shape.m != 1)
      traffic.fixed.matrixInstructions = dot->steps.size() * activeWarps(0);
    return traffic;
  }

  BlockShape block;
  const TargetInstructions &instructions;
  const TargetDescription &target;
};
} // namespace

std::optional<OpTraffic>
mirage::trafficOf(Operation *op, BlockShape block,
                  const TargetInstructions &instructions) {
  return TrafficCounter(block, instructions).count(op);
}
