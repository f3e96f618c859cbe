//===- SharedEmitter.cpp - Moving registers to and from shared memory -----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

llvm::Expected<SharedAccess>
mirage::planSharedTile(LinearLayoutAttr layout, LinearLayoutAttr shared,
                       Type element, const TargetDescription &target,
                       bool isStore) {
  if (!shared)
    shared =
        LinearLayoutAttr::getRowMajor(layout.getContext(), layout.getShape());
  unsigned bits = element.getIntOrFloatBitWidth();
  if (isStore)
    return planSharedStore(layout.getLinear(), shared.getLinear(), bits,
                           target);
  return planSharedAccess(layout.getLinear(), shared.getLinear(), bits, target);
}

Value mirage::sharedPointer(ImplicitLocOpBuilder &b, int64_t offset) {
  auto type = LLVM::LLVMPointerType::get(b.getContext(), 3);
  Value base = LLVM::AddressOfOp::create(b, type, sharedMemoryName);
  if (!offset)
    return base;
  return LLVM::GEPOp::create(b, type, b.getI8Type(), base,
                             LLVM::GEPArg(static_cast<int32_t>(offset)));
}

MapEmitter SharedEmitter::addresses(const SharedAccess &plan) {
  ThreadMap map = componentMap(plan.thread, "offset", block);
  for (uint64_t &basis : map.threads)
    basis *= elementBytes;
  map.registers.clear();
  return MapEmitter(b, threads, std::move(map));
}

Value mirage::sharedAddress(ImplicitLocOpBuilder &b, Value base,
                            MapEmitter::Number offset) {
  Type byte = b.getI8Type();
  if (offset.dynamic)
    base = LLVM::GEPOp::create(b, base.getType(), byte, base, offset.dynamic);
  if (!offset.constant)
    return base;
  return LLVM::GEPOp::create(
      b, base.getType(), byte, base,
      LLVM::GEPArg(static_cast<int32_t>(offset.constant)));
}

Value mirage::slotPointer(ImplicitLocOpBuilder &b, Value base, SharedType type,
                          ValueRange slot) {
  if (slot.empty())
    return base;
  Value index = arith::IndexCastOp::create(b, b.getI32Type(), slot.front());
  Value bytes =
      LLVM::MulOp::create(b, index, constantI32(b, type.getSlotBytes()));
  return LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base, bytes);
}

SmallVector<Value> SharedEmitter::loadGroup(Value address,
                                            const SharedAccess &plan) {
  if (plan.op == SharedOp::Vector) {
    unsigned size = plan.vectorElems;
    Type type = size == 1 ? element : Type(VectorType::get(size, element));
    Value value = LLVM::LoadOp::create(b, type, address, size * elementBytes);
    return size == 1 ? SmallVector<Value>{value} : unpackVector(b, value);
  }
  unsigned perWord = 4 / elementBytes;
  SmallVector<Value> result;
  for (Value word : instructions.loadMatrix(
           b, address, plan.matrices, plan.op == SharedOp::MatrixTransposed)) {
    if (perWord == 1)
      result.push_back(LLVM::BitcastOp::create(b, element, word));
    else
      llvm::append_range(
          result,
          unpackVector(b, LLVM::BitcastOp::create(
                              b, VectorType::get(perWord, element), word)));
  }
  return result;
}

void SharedEmitter::storeGroup(Value address, const SharedAccess &plan,
                               ValueRange values) {
  unsigned size = values.size();
  if (plan.op == SharedOp::Vector) {
    Value value = size == 1 ? values.front() : packVector(b, values);
    LLVM::StoreOp::create(b, value, address, size * elementBytes);
    return;
  }
  unsigned perWord = 4 / elementBytes;
  SmallVector<Value> words;
  for (unsigned i = 0; i < size; i += perWord) {
    Value packed =
        perWord == 1 ? values[i] : packVector(b, values.slice(i, perWord));
    words.push_back(LLVM::BitcastOp::create(b, b.getI32Type(), packed));
  }
  instructions.storeMatrix(b, address, words,
                           plan.op == SharedOp::MatrixTransposed);
}

SmallVector<Value> SharedEmitter::load(const SharedAccess &plan) {
  MapEmitter numbers = addresses(plan);
  SmallVector<Value> registers(plan.copyOf.size());
  for (const RegisterGroup &group : plan.groups) {
    Value from =
        sharedAddress(b, base, numbers.plus(group.offset * elementBytes));
    SmallVector<Value> values = loadGroup(from, plan);
    for (auto [index, value] : llvm::zip_equal(group.registers, values))
      registers[index] = value;
  }
  for (unsigned r = 0; r < registers.size(); ++r)
    registers[r] = registers[plan.copyOf[r]];
  return registers;
}

void SharedEmitter::store(const SharedAccess &plan, ValueRange registers) {
  MapEmitter numbers = addresses(plan);
  OpBuilder::InsertionGuard guard(b);
  electThreads(plan);
  for (const RegisterGroup &group : plan.groups) {
    SmallVector<Value> values;
    for (unsigned index : group.registers)
      values.push_back(registers[index]);
    storeGroup(
        sharedAddress(b, base, numbers.plus(group.offset * elementBytes)), plan,
        values);
  }
}

/// One thread writes for all that hold the same elements. A matrix instruction
/// needs all lanes, so only warps are left out.
void SharedEmitter::electThreads(const SharedAccess &plan) {
  ThreadMap map = componentMap(plan.thread, "offset", block);
  uint64_t replicas = replicaThreads(map);
  if (plan.op != SharedOp::Vector)
    replicas = replicas >> block.laneBits << block.laneBits;
  runOnly(b, threads.isZero(replicas));
}

void mirage::runOnly(ImplicitLocOpBuilder &b, Value condition) {
  if (!condition)
    return;
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  b.setInsertionPointToStart(branch.thenBlock());
}
