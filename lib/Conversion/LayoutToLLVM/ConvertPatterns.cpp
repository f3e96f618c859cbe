//===- ConvertPatterns.cpp - Conversions between register layouts ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The algebra plans a conversion (ConversionPlan.h); here the plan is emitted.
//
//===----------------------------------------------------------------------===//

#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// Emits the straight-line program of a register exchange on 32-bit words.
class ExchangeEmitter {
public:
  ExchangeEmitter(ImplicitLocOpBuilder &b, ThreadEmitter &threads,
                  const TargetInstructions &instructions, BlockShape block,
                  const RegisterExchange &exchange)
      : b(b), threads(threads), instructions(instructions), block(block),
        exchange(exchange) {}

  SmallVector<Value> run(ValueRange registers) {
    if (exchange.isRenaming())
      return rename(registers);
    element = registers.front().getType();
    for (const auto &word : exchange.words)
      values.push_back(packWord(registers, word));
    for (const ThreadPredicate &predicate : exchange.predicates)
      predicates.push_back(emitPredicate(predicate));
    for (const ExchangeOp &op : exchange.ops)
      values.push_back(emit(op));
    return unpackResults();
  }

private:
  SmallVector<Value> rename(ValueRange registers) {
    SmallVector<Value> results;
    for (RegisterExchange::Result result : exchange.results)
      results.push_back(
          registers[exchange.words[result.value][result.element]]);
    return results;
  }

  /// Low bits first; a lone narrow value travels in the low half.
  Value packWord(ValueRange registers, ArrayRef<unsigned> word) {
    Type i32 = b.getI32Type();
    SmallVector<Value> parts;
    for (unsigned index : word)
      parts.push_back(registers[index]);
    unsigned bits = element.getIntOrFloatBitWidth();
    if (bits == 32)
      return LLVM::BitcastOp::create(b, i32, parts[0]);
    if (parts.size() * bits == 32)
      return LLVM::BitcastOp::create(b, i32, packVector(b, parts));
    Type narrow = b.getIntegerType(bits);
    return LLVM::ZExtOp::create(b, i32,
                                LLVM::BitcastOp::create(b, narrow, parts[0]));
  }

  SmallVector<Value> unpackWord(Value value) {
    unsigned bits = element.getIntOrFloatBitWidth();
    if (bits == 32)
      return {LLVM::BitcastOp::create(b, element, value)};
    return unpackVector(b, LLVM::BitcastOp::create(
                               b, VectorType::get(32 / bits, element), value));
  }

  SmallVector<Value> unpackResults() {
    llvm::DenseMap<unsigned, SmallVector<Value>> unpacked;
    SmallVector<Value> results;
    for (RegisterExchange::Result result : exchange.results) {
      SmallVector<Value> &parts = unpacked[result.value];
      if (parts.empty())
        parts = unpackWord(values[result.value]);
      results.push_back(parts[result.element]);
    }
    return results;
  }

  /// i1: an odd number of the masked bits of the thread number is set.
  Value emitPredicate(const ThreadPredicate &predicate) {
    uint64_t mask = predicate.laneMask | predicate.warpMask << block.laneBits;
    Value bits =
        LLVM::AndOp::create(b, threads.threadId(), constantI32(b, mask));
    if (llvm::popcount(mask) > 1)
      bits = LLVM::AndOp::create(b, LLVM::CtPopOp::create(b, bits),
                                 constantI32(b, 1));
    return LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, bits,
                                constantI32(b, 0));
  }

  /// Picks elements of two words; the backends make this a byte permute.
  Value permute(const ExchangeOp &op) {
    SmallVector<Value> from = unpackWord(values[op.a]), parts;
    llvm::append_range(from, unpackWord(values[op.b]));
    for (auto [whenTrue, whenFalse] :
         llvm::zip_equal(op.whenTrue, op.whenFalse))
      parts.push_back(
          whenTrue == whenFalse
              ? from[whenTrue]
              : Value(LLVM::SelectOp::create(b, predicates[op.predicate],
                                             from[whenTrue], from[whenFalse])));
    return LLVM::BitcastOp::create(b, b.getI32Type(), packVector(b, parts));
  }

  Value emit(const ExchangeOp &op) {
    if (op.kind == ExchangeOp::Permute)
      return permute(op);
    if (op.kind == ExchangeOp::Select)
      return LLVM::SelectOp::create(b, predicates[op.predicate], values[op.a],
                                    values[op.b]);
    if (exchange.isButterfly)
      return instructions.shuffleXor(b, values[op.a], op.laneXor);
    return instructions.shuffleIndex(b, values[op.a], sourceLane(op.laneXor));
  }

  Value sourceLane(uint64_t laneXor) {
    if (!lane) {
      ThreadMap map = componentMap(exchange.sourceLane, "lane", block);
      lane = threads.linear(map.threads, threads.threadId());
      if (!lane)
        lane = constantI32(b, 0);
    }
    return laneXor ? LLVM::XOrOp::create(b, lane, constantI32(b, laneXor))
                   : lane;
  }

  ImplicitLocOpBuilder &b;
  ThreadEmitter &threads;
  const TargetInstructions &instructions;
  BlockShape block;
  const RegisterExchange &exchange;
  Type element;
  SmallVector<Value> values, predicates;
  Value lane;
};

struct ConvertPattern final : TilePattern<ConvertOp> {
  using TilePattern::TilePattern;

  SmallVector<Value> throughShared(ImplicitLocOpBuilder &b,
                                   ThreadEmitter &threads, ConvertOp op,
                                   const SharedConversion &plan,
                                   ValueRange registers) const {
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    SharedEmitter emitter(b, threads, instructions, blockShape(op),
                          sharedPointer(b, offset),
                          getElementTypeOrSelf(op.getType()));
    // Within warps the scratch may still be read from the last time around a
    // loop; see Barriers.cpp.
    bool withinWarp = plan.barrier == BarrierScope::Warp;
    if (withinWarp)
      instructions.warpBarrier(b);
    emitter.store(plan.store, registers);
    if (withinWarp)
      instructions.warpBarrier(b);
    else
      instructions.blockBarrier(b);
    return emitter.load(plan.load);
  }

  LogicalResult
  matchAndRewrite(ConvertOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto plan = planConvert(op, instructions.target);
    if (!plan)
      return op.emitOpError(llvm::toString(plan.takeError()));
    ThreadEmitter threads(b, instructions);
    ValueRange registers = adaptor.getValue();
    SmallVector<Value> result;
    switch (plan->kind) {
    case ConversionKind::Noop:
    case ConversionKind::Register:
    case ConversionKind::Shuffle:
      result = ExchangeEmitter(b, threads, instructions, blockShape(op),
                               plan->exchange)
                   .run(registers);
      break;
    case ConversionKind::Shared:
      result = throughShared(b, threads, op, plan->shared, registers);
      break;
    case ConversionKind::Cluster:
      return rewriter.notifyMatchFailure(op, "moves data between blocks");
    }
    rewriter.replaceOpWithMultiple(op, {result});
    return success();
  }
};

} // namespace

void mirage::populateConvertPatterns(RewritePatternSet &patterns,
                                     const TypeConverter &converter,
                                     const TargetInstructions &instructions) {
  patterns.add<ConvertPattern>(converter, patterns.getContext(), instructions);
}
