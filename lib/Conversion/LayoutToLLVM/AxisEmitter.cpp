//===- AxisEmitter.cpp - What work along an axis is made of ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AxisEmitter.h"
#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// Bytes of a slot.
static constexpr unsigned slotBytes = accumulatorBytes;
/// The widest access to shared memory.
static constexpr unsigned maxVectorBytes = 16;

//===----------------------------------------------------------------------===//
// Combining
//===----------------------------------------------------------------------===//

Type mirage::accumulatorType(Type element) {
  Builder b(element.getContext());
  return element.isInteger() ? Type(b.getI32Type()) : b.getF32Type();
}

Value Combiner::widen(Value value) {
  if (value.getType() == type())
    return value;
  if (element.isInteger())
    return arith::ExtSIOp::create(b, type(), value);
  return arith::ExtFOp::create(b, type(), value);
}

Value Combiner::narrow(Value value) {
  if (element == type())
    return value;
  if (element.isInteger())
    return arith::TruncIOp::create(b, element, value);
  return arith::TruncFOp::create(b, element, value);
}

static double neutralFloat(ReduceKind kind) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  switch (kind) {
  case ReduceKind::Max:
    return -infinity;
  case ReduceKind::Min:
    return infinity;
  case ReduceKind::Prod:
    return 1.0;
  default:
    return 0.0;
  }
}

static APInt neutralInteger(ReduceKind kind, unsigned bits) {
  switch (kind) {
  case ReduceKind::Max:
    return APInt::getSignedMinValue(bits);
  case ReduceKind::Min:
    return APInt::getSignedMaxValue(bits);
  case ReduceKind::Prod:
    return APInt(bits, 1);
  case ReduceKind::And:
    return APInt::getAllOnes(bits);
  default:
    return APInt::getZero(bits);
  }
}

Value Combiner::neutral() {
  if (!element.isInteger())
    return arith::ConstantOp::create(
        b, b.getFloatAttr(b.getF32Type(), neutralFloat(kind)));
  APInt value = neutralInteger(kind, element.getIntOrFloatBitWidth()).sext(32);
  return arith::ConstantOp::create(b, b.getIntegerAttr(type(), value));
}

Value Combiner::combineFloats(Value x, Value y) {
  switch (kind) {
  case ReduceKind::Sum:
    return arith::AddFOp::create(b, x, y);
  case ReduceKind::Max:
    return arith::MaximumFOp::create(b, x, y);
  case ReduceKind::Min:
    return arith::MinimumFOp::create(b, x, y);
  case ReduceKind::Prod:
    return arith::MulFOp::create(b, x, y);
  default:
    llvm_unreachable("bits of integers only (layout_c20)");
  }
}

Value Combiner::combineIntegers(Value x, Value y) {
  switch (kind) {
  case ReduceKind::Sum:
    return arith::AddIOp::create(b, x, y);
  case ReduceKind::Max:
    return arith::MaxSIOp::create(b, x, y);
  case ReduceKind::Min:
    return arith::MinSIOp::create(b, x, y);
  case ReduceKind::Prod:
    return arith::MulIOp::create(b, x, y);
  case ReduceKind::And:
    return arith::AndIOp::create(b, x, y);
  case ReduceKind::Or:
    return arith::OrIOp::create(b, x, y);
  case ReduceKind::Xor:
    return arith::XOrIOp::create(b, x, y);
  }
  llvm_unreachable("seven kinds");
}

Value Combiner::combine(Value x, Value y) {
  return element.isInteger() ? combineIntegers(x, y) : combineFloats(x, y);
}

Value Combiner::combineAll(SmallVector<Value> values) {
  return combineBalanced(std::move(values),
                         [&](Value x, Value y) { return combine(x, y); });
}

Value Combiner::prefersSecond(Value x, Value xIndex, Value y, Value yIndex) {
  bool isMax = kind == ReduceKind::Max;
  Value isFirst =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, yIndex, xIndex);
  Value isBetter, isEqual;
  if (element.isInteger()) {
    isBetter = arith::CmpIOp::create(
        b, isMax ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt, y, x);
    isEqual = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, y);
  } else {
    auto compare = [&](arith::CmpFPredicate predicate, Value first,
                       Value second) -> Value {
      return arith::CmpFOp::create(b, predicate, first, second);
    };
    // Unordered comparisons hold where a NaN is: of y alone if x is a number.
    Value xIsNumber = compare(arith::CmpFPredicate::ORD, x, x);
    isBetter = compare(
        isMax ? arith::CmpFPredicate::UGT : arith::CmpFPredicate::ULT, y, x);
    isBetter = arith::AndIOp::create(b, isBetter, xIsNumber);
    Value yIsNaN = compare(arith::CmpFPredicate::UNO, y, y);
    isEqual = arith::SelectOp::create(
        b, xIsNumber, compare(arith::CmpFPredicate::OEQ, x, y), yIsNaN);
  }
  return arith::OrIOp::create(b, isBetter,
                              arith::AndIOp::create(b, isEqual, isFirst));
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

bool mirage::reducesByInstruction(ReduceOp op, const ReductionPlan &plan,
                                  const ThreadMap &slots, BlockShape block,
                                  const TargetInstructions &instructions) {
  Type type = accumulatorType(getElementTypeOrSelf(op.getValue().getType()));
  return !op.getIndex() && plan.laneSteps.size() == block.laneBits &&
         llvm::all_of(plan.laneSteps,
                      [&](const PlaceMove &move) {
                        return slots.ofRegister(move.registers) == 0;
                      }) &&
         instructions.canReduceWarp(op.getKind(), type);
}

uint64_t mirage::redundantThreads(const ThreadMap &map, BlockShape block) {
  F2Span span(64, map.registers.size() + map.threads.size());
  for (uint64_t basis : map.registers)
    span.insert(basis);
  uint64_t mask = 0;
  ArrayRef<uint64_t> threads(map.threads);
  for (auto [bit, basis] :
       llvm::enumerate(threads.take_front(block.threadBits)))
    if (!span.insert(basis))
      mask |= uint64_t{1} << bit;
  return mask;
}

//===----------------------------------------------------------------------===//
// Slots
//===----------------------------------------------------------------------===//

ThreadMap mirage::scanSlots(const ThreadMap &elements,
                            const ScanPlan::Step &step) {
  auto toSlots = [&](ArrayRef<uint64_t> bases) {
    return llvm::map_to_vector<8>(bases, [&](uint64_t basis) {
      return step.slots.applyFlat(basis >> step.firstBit);
    });
  };
  return {toSlots(elements.registers), toSlots(elements.threads)};
}

MapEmitter SlotEmitter::numbers(unsigned clearedBits) {
  ThreadMap bytes = slots;
  for (uint64_t &basis : bytes.threads)
    basis = (basis >> clearedBits << clearedBits) * slotBytes;
  bytes.registers.clear();
  return MapEmitter(b, threads, std::move(bytes));
}

void SlotEmitter::store(const ClassValues &values) {
  MapEmitter at = numbers();
  OpBuilder::InsertionGuard guard(b);
  runOnly(b, threads.isZero(redundantThreads(slots, block)));
  for (auto &[slot, value] : values)
    LLVM::StoreOp::create(
        b, value, sharedAddress(b, base, at.plus(slot * slotBytes)), slotBytes);
}

SmallVector<Value> SlotEmitter::load(MapEmitter &numbers, uint64_t first,
                                     unsigned count, Type type, Value from) {
  unsigned width = std::min(count, maxVectorBytes / slotBytes);
  Type vector = width == 1 ? type : Type(VectorType::get(width, type));
  Value start =
      sharedAddress(b, from ? from : base, numbers.plus(first * slotBytes));
  SmallVector<Value> values;
  for (unsigned i = 0; i < count; i += width) {
    Value at = LLVM::GEPOp::create(b, start.getType(), type, start,
                                   LLVM::GEPArg(static_cast<int32_t>(i)));
    Value part = LLVM::LoadOp::create(b, vector, at, width * slotBytes);
    if (width == 1)
      values.push_back(part);
    else
      llvm::append_range(values, unpackVector(b, part));
  }
  return values;
}
