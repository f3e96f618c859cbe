//===- ReducePatterns.cpp - Reductions along a dim ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// First each thread combines its own elements, then lanes by butterflies, then
// warps through shared memory. Replicas (register and thread bits that do not
// change the element) take no part, so that each element counts once. Sums are
// f32, whatever the element type.
//
//===----------------------------------------------------------------------===//

#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// Which bits of a thread's number walk along the axis.
struct ReducePlan {
  ThreadMap full; ///< element, flattened.
  ThreadMap kept; ///< element without the axis, flattened.
  SmallVector<unsigned> laneBits, warpBits;

  ReducePlan(LinearLayoutAttr layout, unsigned axis, BlockShape block)
      : full(flatMap(layout, block)),
        kept(flatMapWithout(layout, block, uint64_t{1} << axis)) {
    for (unsigned bit = 0; bit < full.threads.size(); ++bit)
      if (full.threads[bit] && !kept.threads[bit])
        (bit < block.laneBits ? laneBits : warpBits).push_back(bit);
  }

  /// Where a warp's partial result goes: the partial results of one element
  /// are neighbours. Without `own`, the first of them.
  ThreadMap partials(bool own) const {
    ThreadMap map = kept;
    for (uint64_t &basis : map.registers)
      basis <<= warpBits.size();
    for (uint64_t &basis : map.threads)
      basis <<= warpBits.size();
    if (own)
      for (auto [index, bit] : llvm::enumerate(warpBits))
        map.threads[bit] = uint64_t{1} << index;
    return map;
  }
};

struct ReducePattern final : TilePattern<ReduceOp> {
  using TilePattern::TilePattern;

  static Value combine(ImplicitLocOpBuilder &b, ReduceKind kind, Value x,
                       Value y) {
    switch (kind) {
    case ReduceKind::Sum:
      return arith::AddFOp::create(b, x, y);
    case ReduceKind::Max:
      return arith::MaximumFOp::create(b, x, y);
    case ReduceKind::Min:
      return arith::MinimumFOp::create(b, x, y);
    }
    llvm_unreachable("three kinds");
  }

  /// A balanced tree: short chains and small errors.
  static Value combineAll(ImplicitLocOpBuilder &b, ReduceKind kind,
                          SmallVector<Value> values) {
    while (values.size() > 1) {
      SmallVector<Value> next;
      for (size_t i = 0; i + 1 < values.size(); i += 2)
        next.push_back(combine(b, kind, values[i], values[i + 1]));
      if (values.size() % 2)
        next.push_back(values.back());
      values = std::move(next);
    }
    return values.front();
  }

  /// Per element without the axis (register part): the thread's own result.
  static llvm::MapVector<uint64_t, Value> withinThread(ImplicitLocOpBuilder &b,
                                                       ReduceKind kind,
                                                       const ReducePlan &plan,
                                                       ValueRange registers) {
    llvm::MapVector<uint64_t, SmallVector<Value>> parts;
    SmallVector<unsigned> canonical = canonicalRegisters(plan.full);
    Type f32 = b.getF32Type();
    for (auto [index, value] : llvm::enumerate(registers)) {
      if (canonical[index] != index)
        continue;
      Value wide = value;
      if (value.getType() != f32)
        wide = arith::ExtFOp::create(b, f32, value);
      parts[plan.kept.ofRegister(index)].push_back(wide);
    }
    llvm::MapVector<uint64_t, Value> results;
    for (auto &[key, values] : parts)
      results[key] = combineAll(b, kind, values);
    return results;
  }

  void acrossWarps(ImplicitLocOpBuilder &b, ReduceOp op, const ReducePlan &plan,
                   llvm::MapVector<uint64_t, Value> &results) const {
    ThreadEmitter threads(b, instructions);
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    Value base = sharedPointer(b, offset);
    Type f32 = b.getF32Type();
    unsigned warps = 1u << plan.warpBits.size();
    auto bytes = [](ThreadMap map) {
      for (uint64_t &basis : map.threads)
        basis *= 4;
      map.registers.clear();
      return map;
    };
    auto address = [&](Value thread, uint64_t key) {
      return LLVM::GEPOp::create(
          b, base.getType(), b.getI8Type(), thread,
          LLVM::GEPArg(static_cast<int32_t>(key * warps * 4)));
    };
    auto threadBase = [&](bool own) -> Value {
      MapEmitter emitter(b, threads, bytes(plan.partials(own)));
      Value dynamic = emitter.at(0).dynamic;
      if (!dynamic)
        return base;
      return LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base,
                                 dynamic);
    };
    Value to = threadBase(true), from = threadBase(false);
    {
      // One lane stores for all that hold the same result.
      OpBuilder::InsertionGuard guard(b);
      runOnly(b, threads.isZero(replicaThreads(plan.partials(true))));
      for (auto &[key, value] : results)
        LLVM::StoreOp::create(b, value, address(to, key), 4);
    }
    instructions.blockBarrier(b);
    // Neighbours come in vectors of at most 16 bytes.
    unsigned width = std::min(warps, 4u);
    auto vector = VectorType::get(width, f32);
    for (auto &[key, value] : results) {
      SmallVector<Value> parts;
      for (unsigned first = 0; first < warps; first += width) {
        Value at =
            LLVM::GEPOp::create(b, base.getType(), f32, address(from, key),
                                LLVM::GEPArg(static_cast<int32_t>(first)));
        llvm::append_range(
            parts,
            unpackVector(b, LLVM::LoadOp::create(b, vector, at, width * 4)));
      }
      value = combineAll(b, op.getKind(), parts);
    }
  }

  LogicalResult
  matchAndRewrite(ReduceOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getType());
    BlockShape block = blockShape(op);
    ReducePlan plan(getLayout(op.getValue().getType()), op.getAxis(), block);
    auto results = withinThread(b, op.getKind(), plan, adaptor.getValue());
    for (auto &[key, value] : results)
      for (unsigned bit : plan.laneBits)
        value = combine(b, op.getKind(), value,
                        instructions.shuffleXor(b, value, 1u << bit));
    if (!plan.warpBits.empty())
      acrossWarps(b, op, plan, results);
    if (!tile.getElementType().isF32())
      for (auto &[key, value] : results)
        value = arith::TruncFOp::create(b, tile.getElementType(), value);
    ThreadMap places = flatMap(getLayout(tile), block);
    SmallVector<Value> registers;
    for (unsigned r = 0; r < places.numRegisters(); ++r)
      registers.push_back(results.lookup(places.ofRegister(r)));
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

} // namespace

void mirage::populateReducePatterns(RewritePatternSet &patterns,
                                    const TypeConverter &converter,
                                    const TargetInstructions &instructions) {
  patterns.add<ReducePattern>(converter, patterns.getContext(), instructions);
}
