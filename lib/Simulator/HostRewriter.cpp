//===- HostRewriter.cpp - Tools of the rewriting rules --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostModule.h"
#include "Machine.h"
#include "Runtime.h"

#include "llvm/Support/MathExtras.h"

#include <cstddef>

using namespace mlir;
using namespace mirage::sim;

uint64_t mirage::sim::storageBytes(Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return 8;
  if (auto vector = dyn_cast<VectorType>(type))
    return llvm::divideCeil(
        vector.getNumElements() * vector.getElementTypeBitWidth(), 8);
  if (auto array = dyn_cast<LLVM::LLVMArrayType>(type))
    return array.getNumElements() * storageBytes(array.getElementType());
  if (auto structure = dyn_cast<LLVM::LLVMStructType>(type)) {
    uint64_t bytes = 0;
    for (Type member : structure.getBody()) {
      if (!structure.isPacked())
        bytes = llvm::alignTo(bytes, naturalAlignment(member));
      bytes += storageBytes(member);
    }
    return structure.isPacked() ? bytes
                                : llvm::alignTo(bytes, naturalAlignment(type));
  }
  if (type.isIntOrFloat())
    return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
  return 0;
}

uint64_t mirage::sim::naturalAlignment(Type type) {
  if (auto array = dyn_cast<LLVM::LLVMArrayType>(type))
    return naturalAlignment(array.getElementType());
  if (auto structure = dyn_cast<LLVM::LLVMStructType>(type)) {
    uint64_t alignment = 1;
    if (!structure.isPacked())
      for (Type member : structure.getBody())
        alignment = std::max(alignment, naturalAlignment(member));
    return alignment;
  }
  return llvm::PowerOf2Ceil(std::max<uint64_t>(storageBytes(type), 1));
}

//===----------------------------------------------------------------------===//
// Small pieces
//===----------------------------------------------------------------------===//

uint32_t HostRewriter::addSite(Operation *op) {
  sites.emplace_back(op->getName().getStringRef(), op->getLoc());
  return sites.size() - 1;
}

Type HostRewriter::pointerType() const {
  return LLVM::LLVMPointerType::get(builder.getContext());
}

Value HostRewriter::constant(Location loc, int64_t value, unsigned bits) {
  return LLVM::ConstantOp::create(
      builder, loc, builder.getIntegerType(bits),
      builder.getIntegerAttr(builder.getIntegerType(bits), value));
}

Value HostRewriter::thread(Operation *op) const {
  auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
  return function.getArguments().back();
}

Value HostRewriter::offsetPointer(Location loc, Value base, int64_t offset) {
  if (offset == 0)
    return base;
  return LLVM::GEPOp::create(builder, loc, pointerType(), builder.getI8Type(),
                             base, ArrayRef<LLVM::GEPArg>{int32_t(offset)});
}

Value HostRewriter::specialRegister(Operation *op, SpecialRegister which) {
  Value address =
      offsetPointer(op->getLoc(), thread(op),
                    offsetof(ThreadHeader, registers) + 4 * unsigned(which));
  return LLVM::LoadOp::create(builder, op->getLoc(), builder.getI32Type(),
                              address, /*alignment=*/4, /*isVolatile=*/false,
                              /*isNonTemporal=*/false, /*isInvariant=*/true);
}

Value HostRewriter::sharedBase(Operation *op) {
  Value address = offsetPointer(op->getLoc(), thread(op),
                                offsetof(ThreadHeader, sharedBase));
  return LLVM::LoadOp::create(builder, op->getLoc(), pointerType(), address,
                              /*alignment=*/8, /*isVolatile=*/false,
                              /*isNonTemporal=*/false, /*isInvariant=*/true);
}

void HostRewriter::replace(Operation *op, ValueRange values) {
  op->replaceAllUsesWith(values);
  op->erase();
}

LLVM::CallOp HostRewriter::call(Operation *op, StringRef function,
                                TypeRange results, ValueRange operands) {
  if (!module.lookupSymbol(function)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    // Pointers lose their address spaces at the end.
    SmallVector<Type> types;
    for (Type type : operands.getTypes())
      types.push_back(isa<LLVM::LLVMPointerType>(type) ? pointerType() : type);
    Type result = results.empty() ? LLVM::LLVMVoidType::get(op->getContext())
                                  : results.front();
    LLVM::LLVMFuncOp::create(builder, op->getLoc(), function,
                             LLVM::LLVMFunctionType::get(result, types));
  }
  return LLVM::CallOp::create(builder, op->getLoc(), results, function,
                              operands);
}

//===----------------------------------------------------------------------===//
// Warp operations
//===----------------------------------------------------------------------===//

HostRewriter::Scratch &HostRewriter::scratch(Operation *op) {
  auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
  Scratch &result = scratches[function];
  if (result.operands)
    return result;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&function.getBody().front());
  auto allocate = [&](LLVM::ConstantOp &bytes) {
    bytes =
        LLVM::ConstantOp::create(builder, op->getLoc(), builder.getI32Type(),
                                 builder.getI32IntegerAttr(4));
    return LLVM::AllocaOp::create(builder, op->getLoc(), pointerType(),
                                  builder.getI8Type(), bytes,
                                  /*alignment=*/16);
  };
  result.operands = allocate(result.operandBytes);
  result.results = allocate(result.resultBytes);
  return result;
}

void HostRewriter::finish() {
  for (auto &[function, s] : scratches) {
    s.operandBytes.setValueAttr(builder.getI32IntegerAttr(s.mostOperandBytes));
    s.resultBytes.setValueAttr(builder.getI32IntegerAttr(s.mostResultBytes));
  }
}

/// Members of an array or structure, empty for other types.
static SmallVector<Type> members(Type type) {
  if (auto structure = dyn_cast<LLVM::LLVMStructType>(type))
    return SmallVector<Type>(structure.getBody());
  if (auto array = dyn_cast<LLVM::LLVMArrayType>(type))
    return SmallVector<Type>(array.getNumElements(), array.getElementType());
  return {};
}

void HostRewriter::storeDense(Location loc, Value value, Value base,
                              unsigned &offset) {
  SmallVector<Type> parts = members(value.getType());
  for (auto [i, part] : llvm::enumerate(parts))
    storeDense(loc, LLVM::ExtractValueOp::create(builder, loc, value, i), base,
               offset);
  if (!parts.empty())
    return;
  if (value.getType().isInteger(1))
    value = LLVM::ZExtOp::create(builder, loc, builder.getI32Type(), value);
  LLVM::StoreOp::create(builder, loc, value, offsetPointer(loc, base, offset),
                        /*alignment=*/4);
  offset += llvm::alignTo(storageBytes(value.getType()), 4);
}

Value HostRewriter::loadDense(Location loc, Type type, Value base,
                              unsigned &offset) {
  SmallVector<Type> parts = members(type);
  if (!parts.empty()) {
    Value result = LLVM::PoisonOp::create(builder, loc, type);
    for (auto [i, part] : llvm::enumerate(parts))
      result = LLVM::InsertValueOp::create(
          builder, loc, result, loadDense(loc, part, base, offset), i);
    return result;
  }
  bool isBit = type.isInteger(1);
  Type stored = isBit ? builder.getI32Type() : type;
  // Volatile: LLVM 22 for x86 with AVX2 loads a half of a vector again where it
  // is used (lowerShuffleAsBroadcast), even after a call that changed memory.
  Value value = LLVM::LoadOp::create(
      builder, loc, stored, offsetPointer(loc, base, offset), /*alignment=*/4,
      /*isVolatile=*/true);
  offset += llvm::alignTo(storageBytes(stored), 4);
  return isBit ? LLVM::TruncOp::create(builder, loc, type, value) : value;
}

SmallVector<Value> HostRewriter::callWarp(Operation *op, ValueRange operands,
                                          Value mask, TypeRange results,
                                          const WarpOperation &operation) {
  Location loc = op->getLoc();
  Scratch &space = scratch(op);
  unsigned bytes = 0;
  for (Value operand : operands)
    storeDense(loc, operand, space.operands, bytes);
  space.mostOperandBytes = std::max(space.mostOperandBytes, bytes);

  uint32_t id = addSite(op);
  site(id).rule = operation.rule;
  site(id).participation = operation.participation;
  site(id).event = operation.event;
  site(id).parameters = operation.parameters;
  site(id).operandBytes = bytes;
  Value lanes = mask ? Value(LLVM::ZExtOp::create(builder, loc,
                                                  builder.getI64Type(), mask))
                     : constant(loc, -1, 64);
  call(op, runtime::warp, {},
       {thread(op), constant(loc, id), lanes, space.operands, space.results});

  bytes = 0;
  SmallVector<Value> values;
  for (Type type : results)
    values.push_back(loadDense(loc, type, space.results, bytes));
  space.mostResultBytes = std::max(space.mostResultBytes, bytes);
  site(id).resultBytes = bytes;
  return values;
}

void HostRewriter::warpOperation(Operation *op, ValueRange operands, Value mask,
                                 const WarpOperation &operation) {
  replace(op, callWarp(op, operands, mask, op->getResultTypes(), operation));
}

//===----------------------------------------------------------------------===//
// Memory accesses
//===----------------------------------------------------------------------===//

uint32_t HostRewriter::addAccessSite(Operation *op, Space space, uint64_t bytes,
                                     uint64_t alignment, bool isStore) {
  uint32_t id = addSite(op);
  Site &s = site(id);
  s.space = space;
  s.isStore = isStore;
  s.bytes = bytes;
  // What the back end emits: NVIDIA needs natural alignment, so a less aligned
  // access is split; AMD's global memory only asks for whole words.
  uint64_t reach = alignment;
  if (!target.isNVIDIA() && !s.isShared() && alignment >= 4)
    reach = 16;
  uint64_t widest = target.maxVectorBits / 8;
  s.chunk = llvm::PowerOf2Ceil(
      std::max<uint64_t>(1, std::min({reach, bytes, widest})));
  s.alignment = std::max<uint64_t>(1, alignment);
  return id;
}

void HostRewriter::instrumentAccess(Operation *op, Value address,
                                    uint64_t bytes, uint64_t alignment,
                                    bool isStore, bool isAtomic,
                                    bool isMasked) {
  if (!options.count && !options.checkAccesses)
    return;
  unsigned addressSpace =
      cast<LLVM::LLVMPointerType>(address.getType()).getAddressSpace();
  // Both vendors: 1 global, 3 shared, 4 constant, 5 private, 0 any of them;
  // NVIDIA: 7 shared memory of a cluster.
  uint32_t id;
  if (addressSpace == 1) {
    id = addAccessSite(op, Space::Global, bytes, alignment, isStore);
  } else if (addressSpace == 3) {
    id = addAccessSite(op, Space::Shared, bytes, alignment, isStore);
  } else if (addressSpace == 0) {
    id = addAccessSite(op, Space::Generic, bytes, alignment, isStore);
    addAccessSite(op, Space::Cluster, bytes, alignment, isStore);
    addAccessSite(op, Space::Global, bytes, alignment, isStore);
  } else if (addressSpace == 7 && target.isNVIDIA()) {
    id = addAccessSite(op, Space::Cluster, bytes, alignment, isStore);
  } else {
    return;
  }
  for (uint32_t i = id; i < sites.size(); ++i)
    site(i).isAtomic = isAtomic;
  call(op, isMasked ? runtime::maskedAccess : runtime::access, {},
       {thread(op), constant(op->getLoc(), id), address});
}
