//===- SharedEmitter.cpp - Moving registers to and from shared memory -----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedEmitter.h"

#include "WordPacking.h"

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
  map.constant *= elementBytes;
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
    Value value = LLVM::LoadOp::create(b, memoryType(element, size), address,
                                       size * elementBytes);
    return fromMemory(b, element, size, value);
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
  if (plan.op == SharedOp::Vector) {
    LLVM::StoreOp::create(b, toMemory(b, instructions, values), address,
                          values.size() * elementBytes);
    return;
  }
  SmallVector<Value> words;
  if (elementBytes < 4)
    words = packWords(b, instructions, values);
  else
    for (Value value : values)
      words.push_back(LLVM::BitcastOp::create(b, b.getI32Type(), value));
  instructions.storeMatrix(b, address, words,
                           plan.op == SharedOp::MatrixTransposed);
}

void SharedEmitter::copyReplicas(const SharedAccess &plan,
                                 MutableArrayRef<Value> registers) {
  for (unsigned r = 0; r < registers.size(); ++r)
    registers[r] = registers[plan.copyOf[r]];
}

void SharedEmitter::loadTo(Value address, const SharedAccess &plan,
                           const RegisterGroup &group,
                           MutableArrayRef<Value> registers) {
  for (auto [index, value] :
       llvm::zip_equal(group.registers, loadGroup(address, plan)))
    registers[index] = value;
}

SmallVector<Value> SharedEmitter::load(const SharedAccess &plan) {
  SmallVector<Value> registers(plan.copyOf.size());
  load(plan, plan.groups, registers);
  copyReplicas(plan, registers);
  return registers;
}

void SharedEmitter::load(const SharedAccess &plan,
                         ArrayRef<RegisterGroup> groups,
                         MutableArrayRef<Value> registers) {
  MapEmitter numbers = addresses(plan);
  for (const RegisterGroup &group : groups)
    loadTo(sharedAddress(b, base, numbers.plus(group.offset * elementBytes)),
           plan, group, registers);
}

/// Splits a map to numbers into the bits below `bit` and those above.
static std::pair<ThreadMap, ThreadMap> splitMap(const ThreadMap &map,
                                                unsigned bit) {
  uint64_t low = (uint64_t{1} << bit) - 1;
  std::pair<ThreadMap, ThreadMap> parts;
  for (uint64_t basis : map.threads) {
    parts.first.threads.push_back(basis & low);
    parts.second.threads.push_back(basis >> bit);
  }
  parts.first.constant = map.constant & low;
  parts.second.constant = map.constant >> bit;
  return parts;
}

/// One pointer for each block that a thread reads from.
void SharedEmitter::loadFromBlocks(const SharedAccess &plan,
                                   ArrayRef<RegisterGroup> groups,
                                   unsigned scratchBits,
                                   MutableArrayRef<Value> registers) {
  auto [local, rank] =
      splitMap(componentMap(plan.thread, "offset", block), scratchBits);
  for (uint64_t &basis : local.threads)
    basis *= elementBytes;
  local.constant *= elementBytes;
  MapEmitter offsets(b, threads, std::move(local));
  MapEmitter ranks(b, threads, std::move(rank));
  llvm::DenseMap<uint64_t, Value> bases;
  for (const RegisterGroup &group : groups) {
    Value &remote = bases[group.offset >> scratchBits];
    if (!remote)
      remote = instructions.mapToBlock(
          b, base, ranks.valueOf(group.offset >> scratchBits));
    uint64_t low = group.offset & ((uint64_t{1} << scratchBits) - 1);
    loadTo(sharedAddress(b, remote, offsets.plus(low * elementBytes)), plan,
           group, registers);
  }
}

void SharedEmitter::store(const SharedAccess &plan,
                          ArrayRef<RegisterGroup> groups,
                          ValueRange registers) {
  MapEmitter numbers = addresses(plan);
  OpBuilder::InsertionGuard guard(b);
  electThreads(plan);
  for (const RegisterGroup &group : groups) {
    SmallVector<Value> values;
    for (unsigned index : group.registers)
      values.push_back(registers[index]);
    storeGroup(
        sharedAddress(b, base, numbers.plus(group.offset * elementBytes)), plan,
        values);
  }
}

/// One thread of a block writes for all that hold the same elements. A matrix
/// instruction needs all lanes, so only warps are left out.
void SharedEmitter::electThreads(const SharedAccess &plan) {
  ThreadMap map = componentMap(plan.thread, "offset", block);
  uint64_t threadsOfBlock = (uint64_t{1} << block.threadBits) - 1;
  uint64_t replicas = replicaThreads(map) & threadsOfBlock;
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
