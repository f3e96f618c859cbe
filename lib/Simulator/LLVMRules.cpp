//===- LLVMRules.cpp - Rules for the LLVM dialect -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Most of the LLVM dialect means the same on host and device. The exceptions
// are here: memory accesses, pointers as integers, and intrinsics and assembly
// of the targets.
//
//===----------------------------------------------------------------------===//

#include "HostModule.h"
#include "InlineAssembly.h"
#include "Runtime.h"
#include "WarpRules.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mirage::sim;

static unsigned addressSpaceOf(Value pointer) {
  return cast<LLVM::LLVMPointerType>(pointer.getType()).getAddressSpace();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static LogicalResult instrument(HostRewriter &rewriter, Operation *op,
                                Value address, Type type,
                                std::optional<uint64_t> alignment, bool isStore,
                                bool isAtomic) {
  uint64_t bytes = storageBytes(type);
  if (bytes == 0)
    return op->emitError("the simulator does not know the size of ") << type;
  rewriter.instrumentAccess(op, address, bytes,
                            alignment.value_or(naturalAlignment(type)), isStore,
                            isAtomic);
  return success();
}

static LogicalResult rewriteLoad(HostRewriter &rewriter, Operation *op) {
  auto load = cast<LLVM::LoadOp>(op);
  load.removeSyncscopeAttr();
  // Other blocks may write what the device promised to be constant for it.
  load.setInvariant(false);
  // Other threads write what this one reads; see HostRewriter::loadDense.
  load.setVolatile_(true);
  return instrument(rewriter, op, load.getAddr(), load.getType(),
                    load.getAlignment(), /*isStore=*/false,
                    load.getOrdering() != LLVM::AtomicOrdering::not_atomic);
}

static LogicalResult rewriteStore(HostRewriter &rewriter, Operation *op) {
  auto store = cast<LLVM::StoreOp>(op);
  store.removeSyncscopeAttr();
  return instrument(rewriter, op, store.getAddr(), store.getValue().getType(),
                    store.getAlignment(), /*isStore=*/true,
                    store.getOrdering() != LLVM::AtomicOrdering::not_atomic);
}

static LogicalResult rewriteAtomicRMW(HostRewriter &rewriter, Operation *op) {
  auto atomic = cast<LLVM::AtomicRMWOp>(op);
  atomic.removeSyncscopeAttr();
  return instrument(rewriter, op, atomic.getPtr(), atomic.getType(),
                    atomic.getAlignment(), /*isStore=*/true,
                    /*isAtomic=*/true);
}

static LogicalResult rewriteCmpXchg(HostRewriter &rewriter, Operation *op) {
  auto exchange = cast<LLVM::AtomicCmpXchgOp>(op);
  exchange.removeSyncscopeAttr();
  return instrument(rewriter, op, exchange.getPtr(),
                    exchange.getCmp().getType(), exchange.getAlignment(),
                    /*isStore=*/true, /*isAtomic=*/true);
}

/// A masked access is one access for each element, as the back ends expand it;
/// an element that is masked off accesses the null pointer, which is ignored.
static LogicalResult instrumentMasked(HostRewriter &rewriter, Operation *op,
                                      Value address, Value mask,
                                      VectorType type, bool isStore) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  if (type.isScalable())
    return op->emitError("the simulator has no scalable vectors");
  uint64_t bytes = storageBytes(type.getElementType());
  Value none = LLVM::ZeroOp::create(b, loc, address.getType());
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    Value taken =
        LLVM::ExtractElementOp::create(b, loc, mask, rewriter.constant(loc, i));
    Value element =
        LLVM::GEPOp::create(b, loc, address.getType(), b.getI8Type(), address,
                            ArrayRef<LLVM::GEPArg>{int32_t(i * bytes)});
    element = LLVM::SelectOp::create(b, loc, taken, element, none);
    rewriter.instrumentAccess(op, element, bytes, bytes, isStore,
                              /*isAtomic=*/false, /*isMasked=*/true);
  }
  return success();
}

static LogicalResult rewriteMaskedLoad(HostRewriter &rewriter, Operation *op) {
  auto load = cast<LLVM::MaskedLoadOp>(op);
  return instrumentMasked(rewriter, op, load.getData(), load.getMask(),
                          cast<VectorType>(load.getType()), /*isStore=*/false);
}

static LogicalResult rewriteMaskedStore(HostRewriter &rewriter, Operation *op) {
  auto store = cast<LLVM::MaskedStoreOp>(op);
  return instrumentMasked(rewriter, op, store.getData(), store.getMask(),
                          cast<VectorType>(store.getValue().getType()),
                          /*isStore=*/true);
}

static LogicalResult rewriteFence(HostRewriter &rewriter, Operation *op) {
  // Calls into the runtime order memory already.
  rewriter.erase(op);
  return success();
}

static LogicalResult rejectBulkAccess(HostRewriter &rewriter, Operation *op) {
  for (Value operand : op->getOperands())
    if (isa<LLVM::LLVMPointerType>(operand.getType()) &&
        (addressSpaceOf(operand) == 1 || addressSpaceOf(operand) == 3))
      return op->emitError("the simulator has no rule for '")
             << op->getName() << "' on global or shared memory";
  return success();
}

static LogicalResult checkAlloca(HostRewriter &rewriter, Operation *op) {
  // A fiber's stack has half a MiB, of which registers need a part.
  constexpr uint64_t most = 256 * 1024;
  auto alloca = cast<LLVM::AllocaOp>(op);
  APInt count;
  if (!matchPattern(alloca.getArraySize(), m_ConstantInt(&count)))
    return op->emitError("the simulator needs a constant size here");
  uint64_t bytes = storageBytes(alloca.getElemType()) * count.getZExtValue();
  if (bytes > most)
    return op->emitError("a thread wants ")
           << bytes << " bytes of local memory, the simulator has " << most;
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// A branch that may go back counts a round of a loop, so that a loop without
/// end is found, and threads that wait for memory in a loop take turns.
static LogicalResult countRounds(HostRewriter &rewriter, Operation *op) {
  Block *block = op->getBlock();
  bool goesBack = llvm::any_of(op->getSuccessors(), [&](Block *successor) {
    return successor == block ||
           successor->computeBlockNumber() < block->computeBlockNumber();
  });
  if (!goesBack)
    return success();
  uint32_t site = rewriter.addSite(op);
  rewriter.call(op, runtime::round, {},
                {rewriter.thread(op), rewriter.constant(op->getLoc(), site)});
  return success();
}

//===----------------------------------------------------------------------===//
// Pointers
//===----------------------------------------------------------------------===//

static LogicalResult rewriteAddrSpaceCast(HostRewriter &rewriter,
                                          Operation *op) {
  rewriter.replace(op, op->getOperand(0));
  return success();
}

static LogicalResult rewriteIntToPtr(HostRewriter &rewriter, Operation *op) {
  auto cast = mlir::cast<LLVM::IntToPtrOp>(op);
  if (addressSpaceOf(cast.getRes()) != 3)
    return success();
  // A shared address is an offset from the block's shared memory.
  Location loc = op->getLoc();
  OpBuilder &b = rewriter.builder;
  Value offset = cast.getArg();
  unsigned bits = offset.getType().getIntOrFloatBitWidth();
  if (bits > 32)
    offset = LLVM::TruncOp::create(b, loc, b.getI32Type(), offset);
  if (bits != 64)
    offset = LLVM::ZExtOp::create(b, loc, b.getI64Type(), offset);
  Value pointer = LLVM::GEPOp::create(b, loc, rewriter.pointerType(),
                                      b.getI8Type(), rewriter.sharedBase(op),
                                      ArrayRef<LLVM::GEPArg>{offset});
  rewriter.replace(op, pointer);
  return success();
}

static LogicalResult rewritePtrToInt(HostRewriter &rewriter, Operation *op) {
  auto cast = mlir::cast<LLVM::PtrToIntOp>(op);
  if (addressSpaceOf(cast.getArg()) != 3 || cast.getType().isInteger(32))
    return success();
  Location loc = op->getLoc();
  OpBuilder &b = rewriter.builder;
  Value address =
      LLVM::PtrToIntOp::create(b, loc, b.getI32Type(), cast.getArg());
  unsigned bits = cast.getType().getIntOrFloatBitWidth();
  Value result =
      bits > 32 ? Value(LLVM::ZExtOp::create(b, loc, cast.getType(), address))
                : Value(LLVM::TruncOp::create(b, loc, cast.getType(), address));
  rewriter.replace(op, result);
  return success();
}

//===----------------------------------------------------------------------===//
// Intrinsics and assembly
//===----------------------------------------------------------------------===//

static LogicalResult rewriteTrap(HostRewriter &rewriter, Operation *op) {
  uint32_t site = rewriter.addSite(op);
  rewriter.call(op, runtime::trap, {},
                {rewriter.thread(op), rewriter.constant(op->getLoc(), site)});
  rewriter.erase(op);
  return success();
}

static LogicalResult rewriteIntrinsic(HostRewriter &rewriter, Operation *op) {
  auto call = cast<LLVM::CallIntrinsicOp>(op);
  StringRef name = call.getIntrin();
  SmallVector<Value> arguments(call.getArgs());
  if (std::optional<SmallVector<Value>> values =
          rewriteDeviceFunction(rewriter, op, name, arguments)) {
    rewriter.replace(op, *values);
    return success();
  }
  bool isTarget = name.starts_with("llvm.nvvm.") ||
                  name.starts_with("llvm.amdgcn.") ||
                  name.starts_with("llvm.r600.");
  if (!isTarget) // a generic intrinsic
    return success();
  return op->emitError("the simulator has no rule for the intrinsic '")
         << name << "'";
}

static LogicalResult rewriteInlineAsm(HostRewriter &rewriter, Operation *op) {
  auto assembly = cast<LLVM::InlineAsmOp>(op);
  SmallVector<Value> arguments(assembly.getOperands());
  return rewriteAssembly(rewriter, op, assembly.getAsmString(), arguments);
}

void mirage::sim::addLLVMRules(RuleTable &rules) {
  rules["llvm.load"] = rewriteLoad;
  rules["llvm.store"] = rewriteStore;
  rules["llvm.atomicrmw"] = rewriteAtomicRMW;
  rules["llvm.alloca"] = checkAlloca;
  rules["llvm.fence"] = rewriteFence;
  rules["llvm.cmpxchg"] = rewriteCmpXchg;
  rules["llvm.intr.memcpy"] = rejectBulkAccess;
  rules["llvm.intr.memcpy.inline"] = rejectBulkAccess;
  rules["llvm.intr.memmove"] = rejectBulkAccess;
  rules["llvm.intr.memset"] = rejectBulkAccess;
  rules["llvm.intr.masked.load"] = rewriteMaskedLoad;
  rules["llvm.intr.masked.store"] = rewriteMaskedStore;
  rules["llvm.intr.masked.gather"] = rejectBulkAccess;
  rules["llvm.intr.masked.scatter"] = rejectBulkAccess;
  rules["llvm.br"] = countRounds;
  rules["llvm.cond_br"] = countRounds;
  rules["llvm.switch"] = countRounds;
  rules["llvm.addrspacecast"] = rewriteAddrSpaceCast;
  rules["llvm.inttoptr"] = rewriteIntToPtr;
  rules["llvm.ptrtoint"] = rewritePtrToInt;
  rules["llvm.intr.trap"] = rewriteTrap;
  rules["llvm.call_intrinsic"] = rewriteIntrinsic;
  rules["llvm.inline_asm"] = rewriteInlineAsm;
}
