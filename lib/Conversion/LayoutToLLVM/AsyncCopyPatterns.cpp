//===- AsyncCopyPatterns.cpp - Copies from global to shared memory --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread copies the elements that the layout `via` gives it, in vectors that
// are consecutive on both sides. Chips with asynchronous copies move vectors of
// 4 to 16 bytes past the registers; others, and narrower vectors, load and
// store.
//
// In a cluster each block has a shared memory of its own and copies what `via`
// gives it, also where other blocks copy the same.
//
//===----------------------------------------------------------------------===//

#include "GlobalTile.h"
#include "SharedEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// The part of a run of global memory that is consecutive in shared memory too.
static SmallVector<unsigned> sharedRun(SmallVector<unsigned> run,
                                       const ThreadMap &offsets) {
  auto fits = [&]() {
    uint64_t low = (uint64_t{1} << run.size()) - 1;
    for (auto [index, bit] : llvm::enumerate(run))
      if (offsets.registers[bit] != uint64_t{1} << index)
        return false;
    for (auto [bit, basis] : llvm::enumerate(offsets.registers))
      if ((basis & low) && !llvm::is_contained(run, bit))
        return false;
    return (offsets.threadBits() & low) == 0;
  };
  while (!run.empty() && !fits())
    run.pop_back();
  return run;
}

FailureOr<AsyncCopyShape>
mirage::planAsyncCopy(AsyncCopyOp op, BlockShape block,
                      const TargetDescription &target) {
  SharedType shared = op.getDest().getType();
  LinearLayoutAttr layout = shared.getLayout();
  if (!layout)
    layout = LinearLayoutAttr::getRowMajor(op.getContext(), shared.getShape());
  auto inverse = layout.getLinear().invert();
  if (!inverse)
    return op.emitOpError(llvm::toString(inverse.takeError()));
  auto places = op.getVia()->getLinear().compose(*inverse);
  if (!places)
    return op.emitOpError(llvm::toString(places.takeError()));
  GlobalTile tile(op, *op.getVia(), block);
  ThreadMap offsets = componentMap(*places, "offset", block);
  SmallVector<unsigned> run =
      sharedRun(tile.planRun(target.maxVectorBits), offsets);
  SmallVector<unsigned> starts = runStarts(canonicalRegisters(tile.flat), run);
  uint64_t threadsOfBlock = (uint64_t{1} << block.threadBits) - 1;
  uint64_t idle = replicaThreads(tile.flat) & threadsOfBlock;
  return AsyncCopyShape{std::move(tile), std::move(offsets), std::move(run),
                        std::move(starts), idle};
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// Loads one run, or zeros where it is outside.
static Value loadNow(ImplicitLocOpBuilder &b, Value from, Value inside,
                     Type type, unsigned bytes) {
  if (!inside)
    return LLVM::LoadOp::create(b, type, from, bytes);
  auto branch = scf::IfOp::create(b, type, inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value value = LLVM::LoadOp::create(b, type, from, bytes);
  scf::YieldOp::create(b, value);
  b.setInsertionPointToStart(branch.elseBlock());
  Value zero = LLVM::ZeroOp::create(b, type);
  scf::YieldOp::create(b, zero);
  return branch.getResult(0);
}

static ThreadMap scaled(ThreadMap map, uint64_t factor) {
  for (uint64_t &basis : map.registers)
    basis *= factor;
  for (uint64_t &basis : map.threads)
    basis *= factor;
  return map;
}

void mirage::emitAsyncCopy(ImplicitLocOpBuilder &b,
                           const TargetInstructions &instructions,
                           const AsyncCopyShape &shape, Value source,
                           ValueRange starts, Value base) {
  const GlobalTile &tile = shape.tile;
  ThreadEmitter threads(b, instructions);
  GlobalTileEmitter global(b, tile, threads, source, starts);
  Type scalar = registerType(tile.memory.getElementType());
  unsigned bytes = shape.bytes();
  Type type = shape.run.empty()
                  ? scalar
                  : Type(VectorType::get(1 << shape.run.size(), scalar));
  MapEmitter numbers(b, threads, scaled(shape.offsets, shape.elementBytes()));
  bool async = shape.isAsync(instructions.target);
  OpBuilder::InsertionGuard guard(b);
  runOnly(b, threads.isZero(shape.idle));
  for (unsigned first : shape.starts) {
    GlobalTileEmitter::Run place = global.at(first, shape.run);
    Value to = sharedAddress(b, base, numbers.at(first));
    if (async && !place.outside) {
      instructions.asyncCopy(b, to, global.address(place), bytes, place.inside);
      continue;
    }
    Value value = place.outside ? LLVM::ZeroOp::create(b, type).getRes()
                                : loadNow(b, global.address(place),
                                          place.inside, type, bytes);
    LLVM::StoreOp::create(b, value, to, bytes);
  }
}

namespace {

struct AsyncCopyPattern final : TilePattern<AsyncCopyOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(AsyncCopyOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    FailureOr<AsyncCopyShape> shape =
        planAsyncCopy(op, blockShape(op), instructions.target);
    if (failed(shape))
      return failure();
    SmallVector<Value> starts;
    for (ValueRange start : adaptor.getOffsets())
      starts.push_back(start.front());
    Value base =
        slotPointer(b, adaptor.getDest().front(), op.getDest().getType(),
                    op.getSlot() ? adaptor.getSlot() : ValueRange());
    emitAsyncCopy(b, instructions, *shape, adaptor.getSource().front(), starts,
                  base);
    rewriter.eraseOp(op);
    return success();
  }
};

struct AsyncCommitPattern final : TilePattern<AsyncCommitOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(AsyncCommitOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    instructions.asyncCommit(b);
    rewriter.eraseOp(op);
    return success();
  }
};

struct AsyncWaitPattern final : TilePattern<AsyncWaitOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(AsyncWaitOp op, OneToNOpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    instructions.asyncWait(b, op.getPending());
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void mirage::populateAsyncCopyPatterns(RewritePatternSet &patterns,
                                       const TypeConverter &converter,
                                       const TargetInstructions &instructions) {
  patterns.add<AsyncCopyPattern, AsyncCommitPattern, AsyncWaitPattern>(
      converter, patterns.getContext(), instructions);
}
