//===- SharedPipeline.cpp - Asynchronous copies to shared memory ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each tile gets a ring of S slots in shared memory. With S - 1 iterations in
// flight, iteration i is
//
//   wait until the copies of iteration i have arrived     (S - 2 may be
//   pending) barrier          all threads' copies are visible, and everybody
//   has finished
//                    reading slot i - 1, which is the one to write next
//   start the copies of iteration i + S - 1, if there is one; close their group
//   read slot i in the layouts that the users want, and compute
//
// One barrier an iteration, no registers for tiles in flight, and a conversion
// of what was loaded becomes a read in the wanted layout. The swizzle of the
// slots is chosen for the copies and all readers together.
//
//===----------------------------------------------------------------------===//

#include "CandidateLayouts.h"
#include "LayoutCost.h"
#include "LoopLoads.h"

#include "mirage/Layout/SharedChoice.h"
#include "mirage/Support/F2/ConvertMap.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// The least that an asynchronous copy moves.
static constexpr unsigned smallestCopyBits = 32;

/// True if an operation in front of `loop` may use shared memory.
static bool sharedMemoryUsedBefore(scf::ForOp loop) {
  for (Operation &op : *loop->getBlock()) {
    if (&op == loop)
      return false;
    bool uses = op.walk([](Operation *inner) {
                    return isa<ConvertOp, ReduceOp, ScanOp, GatherOp,
                               LocalLoadOp, LocalStoreOp>(inner)
                               ? WalkResult::interrupt()
                               : WalkResult::advance();
                  }).wasInterrupted();
    if (uses)
      return true;
  }
  return false;
}

/// Whether a read of the slot can do what a conversion of the tile does: each
/// block of a cluster has only what it has copied itself.
static bool staysInBlock(ConvertOp convert) {
  auto map =
      nearestConvertMap(getLayout(convert.getValue().getType()).getLinear(),
                        getLayout(convert.getType()).getLinear());
  if (map)
    return map->reach != ConvertReach::Cluster;
  llvm::consumeError(map.takeError());
  return false;
}

/// The conversion that a read in its layout replaces, if `user` is one.
static ConvertOp replacedConversion(Operation *user) {
  auto convert = dyn_cast<ConvertOp>(user);
  return convert && staysInBlock(convert) ? convert : ConvertOp();
}

namespace {
/// One tile on its way through shared memory.
struct Ring {
  LoadOp load;
  SharedType type; ///< with all slots.
  Value buffer;
};

class SharedPipeliner {
public:
  SharedPipeliner(LoopLoads &loads, const TargetDescription &target)
      : loads(loads), target(target) {}

  SmallVector<LoadOp> run(unsigned maxStages, int64_t sharedBytes) {
    stages = std::min<int64_t>(maxStages, loads.trips());
    chooseLoads(sharedBytes);
    SmallVector<LoadOp> done;
    for (const Ring &ring : rings)
      done.push_back(ring.load);
    if (rings.empty())
      return done;
    IRRewriter rewriter(loads.loop.getContext());
    rewriter.setInsertionPoint(loads.loop);
    for (Ring &ring : rings)
      ring.buffer =
          AllocSharedOp::create(rewriter, ring.load.getLoc(), ring.type);
    // Copies are not ordered after earlier readers of the same bytes.
    if (sharedMemoryUsedBefore(loads.loop))
      BarrierOp::create(rewriter, loads.loop.getLoc());
    for (unsigned number = 0; number + 1 < stages; ++number)
      startCopies(rewriter, constant(rewriter, loads.index(number)),
                  constant(rewriter, number));
    rewriteLoop(rewriter);
    return done;
  }

private:
  Value constant(OpBuilder &builder, int64_t number) {
    return arith::ConstantIndexOp::create(builder, loads.loop.getLoc(), number);
  }

  /// All loads that fit the copy instructions, with as many stages as the
  /// memory holds.
  void chooseLoads(int64_t sharedBytes) {
    SmallVector<std::pair<LoadOp, LinearLayoutAttr>> fitting;
    int64_t slotBytes = 0;
    for (LoadOp load : loads.loads()) {
      LinearLayoutAttr slots = chooseSlotLayout(load);
      if (!slots)
        continue;
      auto type = cast<RankedTensorType>(load.getType());
      slotBytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
      fitting.push_back({load, slots});
    }
    while (stages > 2 && stages * slotBytes > sharedBytes)
      --stages;
    if (stages < 2 || stages * slotBytes > sharedBytes)
      return;
    for (auto [load, slots] : fitting) {
      auto type = cast<RankedTensorType>(load.getType());
      rings.push_back({load,
                       SharedType::get(type.getShape(), type.getElementType(),
                                       slots, stages),
                       Value()});
    }
  }

  /// A layout of shared memory into which the load can be copied in its own
  /// vectors and from which its users read well; null if there is none.
  LinearLayoutAttr chooseSlotLayout(LoadOp load) {
    auto type = cast<RankedTensorType>(load.getType());
    LinearLayoutAttr own = getLayout(type);
    if (load.getOther() || !own)
      return {};
    MemoryShape memory = memoryShapeOf(load);
    int64_t vector = vectorOf(memory, own, target.maxVectorBits);
    if (vector * memory.elementBits < smallestCopyBits)
      return {};
    llvm::SetVector<LinearLayoutAttr> readers;
    for (Operation *user : load->getUsers()) {
      ConvertOp convert = replacedConversion(user);
      readers.insert(convert ? getLayout(convert.getType()) : own);
    }
    std::vector<SharedUser> users;
    users.push_back(
        {own.getLinear(), /*isStore=*/true,
         /*allowMatrix=*/false, unsigned(vector),
         target.hasAsyncCopy ? lineLanesOf(memory, own, target) : 0});
    for (LinearLayoutAttr reader : readers)
      users.push_back({reader.getLinear()});
    auto choice = chooseSharedLayout(users, memory.elementBits, target);
    if (choice)
      return LinearLayoutAttr::fromLinear(load.getContext(), choice->layout);
    llvm::consumeError(choice.takeError());
    return {};
  }

  void startCopies(OpBuilder &builder, Value induction, Value slot) {
    issueCopies(builder, induction, slot);
    AsyncCommitOp::create(builder, loads.loop.getLoc());
  }

  void issueCopies(OpBuilder &builder, Value induction, Value slot) {
    SmallVector<LoadOp> chosen;
    for (const Ring &ring : rings)
      chosen.push_back(ring.load);
    auto offsets = loads.cloneOffsets(builder, chosen, induction);
    for (auto [number, load] : llvm::enumerate(chosen))
      AsyncCopyOp::create(builder, load.getLoc(), load.getSource(),
                          offsets[number], rings[number].buffer, slot,
                          load.getWithinAttr(), getLayout(load.getType()));
  }

  void rewriteLoop(IRRewriter &rewriter) {
    // Slots to read and to write, carried so that no remainder is computed.
    SmallVector<Value> first = {constant(rewriter, 0),
                                constant(rewriter, stages - 1)};
    auto carrying = cast<scf::ForOp>(*loads.loop.replaceWithAdditionalYields(
        rewriter, first, /*replaceInitOperandUsesInLoop=*/false,
        [&](OpBuilder &builder, Location, ArrayRef<BlockArgument> slots) {
          return SmallVector<Value>{nextSlot(builder, slots[0]),
                                    nextSlot(builder, slots[1])};
        }));
    loads.loop = carrying;
    Location loc = carrying.getLoc();
    Value read = carrying.getRegionIterArgs().take_back(2)[0];
    Value write = carrying.getRegionIterArgs().take_back(2)[1];

    auto builder = OpBuilder::atBlockBegin(carrying.getBody());
    AsyncWaitOp::create(builder, loc, stages - 2);
    BarrierOp::create(builder, loc);
    Value ahead =
        arith::AddIOp::create(builder, loc, carrying.getInductionVar(),
                              constant(builder, (stages - 1) * loads.step()));
    Value last = constant(builder, loads.index(loads.trips() - 1));
    Value exists = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::sle, ahead, last);
    auto guarded = scf::IfOp::create(builder, loc, exists,
                                     /*withElseRegion=*/false);
    {
      OpBuilder inner = guarded.getThenBodyBuilder();
      // The bound is known here, but range analysis does not know.
      issueCopies(inner, arith::MinSIOp::create(inner, loc, ahead, last),
                  write);
    }
    AsyncCommitOp::create(builder, loc);
    for (const Ring &ring : rings)
      readSlot(ring, read);
  }

  Value nextSlot(OpBuilder &builder, Value slot) {
    Location loc = slot.getLoc();
    Value next =
        arith::AddIOp::create(builder, loc, slot, constant(builder, 1));
    Value wraps = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        next, constant(builder, stages));
    return arith::SelectOp::create(builder, loc, wraps, constant(builder, 0),
                                   next);
  }

  /// Replaces a load by reads of its slot: one for each conversion, in the
  /// layout it wants, and one for everybody else.
  void readSlot(const Ring &ring, Value slot) {
    LoadOp load = ring.load;
    for (Operation *user : llvm::make_early_inc_range(load->getUsers())) {
      ConvertOp convert = replacedConversion(user);
      if (!convert)
        continue;
      OpBuilder builder(convert);
      Value tile = LocalLoadOp::create(builder, convert.getLoc(),
                                       convert.getType(), ring.buffer, slot);
      convert.replaceAllUsesWith(tile);
      convert.erase();
    }
    if (!load->use_empty()) {
      OpBuilder builder(load);
      Value tile = LocalLoadOp::create(builder, load.getLoc(), load.getType(),
                                       ring.buffer, slot);
      load.replaceAllUsesWith(tile);
    }
    load.erase();
  }

  LoopLoads &loads;
  const TargetDescription &target;
  int64_t stages = 0;
  SmallVector<Ring> rings;
};
} // namespace

SmallVector<LoadOp>
mirage::layout::pipelineThroughShared(LoopLoads &loads,
                                      const TargetDescription &target,
                                      unsigned stages, int64_t sharedBytes) {
  if (!target.hasAsyncCopy || loads.trips() < 2)
    return {};
  return SharedPipeliner(loads, target).run(stages, sharedBytes);
}
