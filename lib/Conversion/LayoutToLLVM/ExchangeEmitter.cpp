//===- ExchangeEmitter.cpp - Code of a register exchange ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExchangeEmitter.h"

#include "WordPacking.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

SmallVector<Value> ExchangeEmitter::run(ValueRange registers) {
  if (exchange.isRenaming())
    return rename(registers);
  element = registers.front().getType();
  bits = element.getIntOrFloatBitWidth();
  for (const auto &word : exchange.words)
    values.push_back(packWord(registers, word));
  for (const ThreadPredicate &predicate : exchange.predicates)
    predicates.push_back(emitPredicate(predicate));
  findSwaps();
  for (const ExchangeOp &op : exchange.ops)
    values.push_back(emit(op));
  return unpackResults();
}

SmallVector<Value> ExchangeEmitter::rename(ValueRange registers) const {
  SmallVector<Value> results;
  for (RegisterExchange::Result result : exchange.results)
    results.push_back(registers[exchange.words[result.value][result.element]]);
  return results;
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

/// Low bits first; a lone narrow value travels in the low bits.
ExchangeEmitter::Words ExchangeEmitter::packWord(ValueRange registers,
                                                 ArrayRef<unsigned> word) {
  Type i32 = b.getI32Type();
  SmallVector<Value> parts;
  for (unsigned index : word)
    parts.push_back(registers[index]);
  if (bits == 32)
    return {LLVM::BitcastOp::create(b, i32, parts[0])};
  if (bits > 32) {
    auto type = VectorType::get(bits / 32, i32);
    return Words(unpackVector(b, LLVM::BitcastOp::create(b, type, parts[0])));
  }
  return {mirage::packWord(b, instructions, parts)};
}

SmallVector<Value> ExchangeEmitter::unpackWord(const Words &words) {
  if (bits == 32)
    return {LLVM::BitcastOp::create(b, element, words[0])};
  if (bits > 32)
    return {LLVM::BitcastOp::create(b, element, packVector(b, words))};
  return unpackVector(b, LLVM::BitcastOp::create(
                             b, VectorType::get(32 / bits, element), words[0]));
}

SmallVector<Value> ExchangeEmitter::unpackResults() {
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

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Value ExchangeEmitter::emitPredicate(const ThreadPredicate &predicate) {
  uint64_t mask = predicate.laneMask | predicate.warpMask << block.laneBits |
                  predicate.blockMask << block.threadBits;
  return threads.isOdd(mask);
}

ExchangeEmitter::Words ExchangeEmitter::emit(const ExchangeOp &op) {
  if (swaps.contains(values.size())) {
    emitSwap(values.size());
    return {};
  }
  if (op.kind == ExchangeOp::Select)
    for (unsigned operand : {op.a, op.b})
      if (auto swap = swaps.find(operand); swap != swaps.end())
        return swap->second[*swapResult(op, operand)];
  Words results;
  for (auto [index, first] : llvm::enumerate(values[op.a])) {
    if (op.kind == ExchangeOp::Shuffle) {
      results.push_back(shuffle(op, first));
      continue;
    }
    Value second = values[op.b][index];
    results.push_back(op.kind == ExchangeOp::Permute
                          ? permute(op, first, second)
                          : select(predicates[op.predicate], first, second));
  }
  return results;
}

Value ExchangeEmitter::select(Value condition, Value whenTrue,
                              Value whenFalse) {
  return LLVM::SelectOp::create(b, condition, whenTrue, whenFalse);
}

Value ExchangeEmitter::shuffle(const ExchangeOp &op, Value word) {
  if (exchange.isButterfly)
    return instructions.shuffleXor(b, word, op.laneXor);
  return instructions.shuffleIndex(b, word, sourceLane(op.laneXor));
}

Value ExchangeEmitter::sourceLane(uint64_t laneXor) {
  if (!lane) {
    ThreadMap map = componentMap(exchange.sourceLane, "lane", block);
    map.registers.clear();
    lane = MapEmitter(b, threads, std::move(map)).valueOf(0);
  }
  return laneXor ? LLVM::XOrOp::create(b, lane, constantI32(b, laneXor)) : lane;
}

Value ExchangeEmitter::selector(ArrayRef<unsigned> elements) {
  unsigned size = bits / 8;
  SmallVector<unsigned, 4> bytes;
  for (unsigned element : elements)
    for (unsigned byte = 0; byte < size; ++byte)
      bytes.push_back(element * size + byte);
  return constantBits(b, instructions.byteSelector(bytes));
}

Value ExchangeEmitter::permute(const ExchangeOp &op, Value first,
                               Value second) {
  Value bytes = selector(op.whenTrue);
  if (op.whenTrue != op.whenFalse)
    bytes = select(predicates[op.predicate], bytes, selector(op.whenFalse));
  return instructions.permuteBytes(b, first, second, bytes);
}

//===----------------------------------------------------------------------===//
// Swaps
//===----------------------------------------------------------------------===//

const ExchangeOp *ExchangeEmitter::definition(unsigned value,
                                              ExchangeOp::Kind kind) const {
  if (value < exchange.words.size())
    return nullptr;
  const ExchangeOp &op = exchange.ops[value - exchange.words.size()];
  return op.kind == kind ? &op : nullptr;
}

bool ExchangeEmitter::isLaneBit(unsigned predicate, uint64_t mask) const {
  return exchange.predicates[predicate] == ThreadPredicate{mask, 0, 0};
}

unsigned ExchangeEmitter::resolve(unsigned value, unsigned predicate,
                                  bool isTrue) const {
  while (const ExchangeOp *op = definition(value, ExchangeOp::Select)) {
    if (op->predicate != predicate)
      break;
    value = isTrue ? op->a : op->b;
  }
  return value;
}

std::optional<ExchangeEmitter::SwapSource>
ExchangeEmitter::swapSource(unsigned shuffled) const {
  const ExchangeOp *shuffle = definition(shuffled, ExchangeOp::Shuffle);
  if (!shuffle || !exchange.isButterfly ||
      !instructions.canSwapHalves(shuffle->laneXor))
    return std::nullopt;
  const ExchangeOp *sent = definition(shuffle->a, ExchangeOp::Select);
  if (!sent || !isLaneBit(sent->predicate, shuffle->laneXor))
    return std::nullopt;
  return SwapSource{sent->predicate, resolve(sent->a, sent->predicate, true),
                    resolve(sent->b, sent->predicate, false)};
}

std::optional<unsigned> ExchangeEmitter::swapResult(const ExchangeOp &op,
                                                    unsigned shuffled) const {
  SwapSource source = *swapSource(shuffled);
  if (op.kind != ExchangeOp::Select || op.predicate != source.predicate)
    return std::nullopt;
  if (op.a == shuffled && resolve(op.b, op.predicate, false) == source.a)
    return 0;
  if (op.b == shuffled && resolve(op.a, op.predicate, true) == source.b)
    return 1;
  return std::nullopt;
}

void ExchangeEmitter::findSwaps() {
  for (unsigned i = 0; i < exchange.ops.size(); ++i) {
    unsigned shuffled = exchange.words.size() + i;
    if (!swapSource(shuffled))
      continue;
    bool replaced = llvm::none_of(exchange.results, [&](const auto &result) {
      return result.value == shuffled;
    });
    for (const ExchangeOp &op : exchange.ops)
      if (op.a == shuffled ||
          (op.kind != ExchangeOp::Shuffle && op.b == shuffled))
        replaced &= swapResult(op, shuffled).has_value();
    if (replaced)
      swaps[shuffled];
  }
}

void ExchangeEmitter::emitSwap(unsigned shuffled) {
  SwapSource source = *swapSource(shuffled);
  uint64_t distance = definition(shuffled, ExchangeOp::Shuffle)->laneXor;
  auto &[low, high] = swaps[shuffled];
  for (auto [x, y] : llvm::zip_equal(values[source.a], values[source.b])) {
    auto swapped = instructions.swapHalves(b, x, y, distance);
    low.push_back(swapped.first);
    high.push_back(swapped.second);
  }
}
