//===- ROCDLRules.cpp - Rules for the ROCDL dialect -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostModule.h"
#include "Runtime.h"
#include "WarpRules.h"

#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mirage::sim;

template <SpecialRegister which>
static LogicalResult readRegister(HostRewriter &rewriter, Operation *op) {
  Value value = rewriter.specialRegister(op, which);
  Type type = op->getResult(0).getType();
  if (type.isInteger(64)) // sizes come as i64 from the device library
    value = LLVM::ZExtOp::create(rewriter.builder, op->getLoc(), type, value);
  rewriter.replace(op, value);
  return success();
}

static LogicalResult ignore(HostRewriter &rewriter, Operation *op) {
  rewriter.erase(op);
  return success();
}

static LogicalResult rewriteBarrier(HostRewriter &rewriter, Operation *op) {
  Location loc = op->getLoc();
  Value zero = rewriter.constant(loc, 0);
  uint32_t site = rewriter.addSite(op);
  rewriter.call(
      op, runtime::barrier, {},
      {rewriter.thread(op), rewriter.constant(loc, site), zero, zero, zero});
  rewriter.erase(op);
  return success();
}

static LogicalResult rewriteWaveBarrier(HostRewriter &rewriter, Operation *op) {
  rewriter.warpOperation(op, {}, {}, {warpBarrier, Participation::Active});
  return success();
}

/// mbcnt.lo counts the bits of the mask for lanes 0 to 31 below this one,
/// mbcnt.hi those for lanes 32 to 63.
template <unsigned firstLane>
static LogicalResult rewriteBitCount(HostRewriter &rewriter, Operation *op) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  Value lane = rewriter.specialRegister(op, LaneId);
  lane = LLVM::SubOp::create(b, loc, lane, rewriter.constant(loc, firstLane));
  Value count = rewriter
                    .call(op, runtime::bitsBelow, b.getI32Type(),
                          {op->getOperand(0), lane})
                    .getResult();
  rewriter.replace(
      op, LLVM::AddOp::create(b, loc, count, op->getOperand(1)).getResult());
  return success();
}

//===----------------------------------------------------------------------===//
// Values across lanes
//===----------------------------------------------------------------------===//

/// Diagnoses a value that is not 32 bits wide.
static LogicalResult requireWord(Operation *op, Type type) {
  if (storageBytes(type) == 4)
    return success();
  return op->emitError("the simulator moves 32-bit values with '")
         << op->getName() << "', got " << type;
}

static LogicalResult rewriteBpermute(HostRewriter &rewriter, Operation *op) {
  rewriter.warpOperation(op, op->getOperands(), {},
                         {dsBpermute, Participation::Active, Event::Shuffle});
  return success();
}

static LogicalResult rewriteSwizzle(HostRewriter &rewriter, Operation *op) {
  auto swizzle = cast<ROCDL::DsSwizzleOp>(op);
  APInt pattern;
  if (!matchPattern(swizzle.getOffset(), m_ConstantInt(&pattern)))
    return op->emitError("the pattern of ds_swizzle must be constant");
  rewriter.warpOperation(op, {swizzle.getSrc()}, {},
                         {dsSwizzle,
                          Participation::Active,
                          Event::Shuffle,
                          {int64_t(pattern.getZExtValue())}});
  return success();
}

static LogicalResult rewriteDpp(HostRewriter &rewriter, Operation *op) {
  auto dpp = cast<ROCDL::DPPUpdateOp>(op);
  if (failed(requireWord(op, dpp.getType())))
    return failure();
  rewriter.warpOperation(
      op, {dpp.getOld(), dpp.getSrc()}, {},
      {updateDpp,
       Participation::Active,
       Event::Shuffle,
       {int64_t(dpp.getDppCtrl()), int64_t(dpp.getRowMask()),
        int64_t(dpp.getBankMask()), int64_t(dpp.getBoundCtrl())}});
  return success();
}

static LogicalResult rewriteReadLane(HostRewriter &rewriter, Operation *op) {
  int64_t bytes = storageBytes(op->getOperand(0).getType());
  rewriter.warpOperation(
      op, op->getOperands(), {},
      {readLane, Participation::Active, Event::Shuffle, {bytes}});
  return success();
}

static LogicalResult rewriteReadFirst(HostRewriter &rewriter, Operation *op) {
  int64_t bytes = storageBytes(op->getOperand(0).getType());
  rewriter.warpOperation(
      op, op->getOperands(), {},
      {readFirstLane, Participation::Active, Event::None, {bytes}});
  return success();
}

static LogicalResult rewriteBallot(HostRewriter &rewriter, Operation *op) {
  rewriter.warpOperation(op, op->getOperands(), {},
                         {ballot, Participation::Active});
  return success();
}

template <int64_t rowLanes>
static LogicalResult rewriteSwap(HostRewriter &rewriter, Operation *op) {
  rewriter.warpOperation(
      op, op->getOperands(), {},
      {permlaneSwap, Participation::All, Event::Shuffle, {rowLanes}});
  return success();
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

namespace {
struct MfmaShape {
  int64_t edge, depth;
  ElementKind kind;
};
} // namespace

/// Shape and type in the name of an operation on one block.
static std::optional<MfmaShape> mfmaShape(StringRef name) {
  using Shape = std::optional<MfmaShape>;
  constexpr auto f16 = ElementKind::F16, bf16 = ElementKind::BF16,
                 f32 = ElementKind::F32;
  return llvm::StringSwitch<Shape>(name)
      .Case("16x16x16f16", MfmaShape{16, 16, f16})
      .Case("32x32x8f16", MfmaShape{32, 8, f16})
      .Case("16x16x16bf16.1k", MfmaShape{16, 16, bf16})
      .Case("32x32x8bf16.1k", MfmaShape{32, 8, bf16})
      .Case("16x16x8bf16", MfmaShape{16, 8, bf16})
      .Case("32x32x4bf16", MfmaShape{32, 4, bf16})
      .Case("16x16x4f32", MfmaShape{16, 4, f32})
      .Case("32x32x2f32", MfmaShape{32, 2, f32})
      .Case("16x16x32.f16", MfmaShape{16, 32, f16})
      .Case("32x32x16.f16", MfmaShape{32, 16, f16})
      .Case("16x16x32.bf16", MfmaShape{16, 32, bf16})
      .Case("32x32x16.bf16", MfmaShape{32, 16, bf16})
      .Default(std::nullopt);
}

static LogicalResult rewriteMfma(HostRewriter &rewriter, Operation *op) {
  StringRef name = op->getName().getStringRef();
  name.consume_front("rocdl.mfma.f32.");
  std::optional<MfmaShape> shape = mfmaShape(name);
  if (!shape)
    return op->emitError("the simulator has no rule for '")
           << op->getName() << "'";
  for (Value modifier : op->getOperands().drop_front(3))
    if (!matchPattern(modifier, m_Zero()))
      return op->emitError("the simulator has '")
             << op->getName() << "' with zero cbsz, abid and blgp only";
  rewriter.warpOperation(op, op->getOperands().take_front(3), {},
                         {mfma,
                          Participation::All,
                          Event::Matrix,
                          {shape->edge, shape->depth, int64_t(shape->kind)}});
  return success();
}

static void addMatrixRules(RuleTable &rules) {
  for (StringRef name :
       {"16x16x16f16", "32x32x8f16", "16x16x16bf16.1k", "32x32x8bf16.1k",
        "16x16x8bf16", "32x32x4bf16", "16x16x4f32", "32x32x2f32",
        "16x16x32.f16", "32x32x16.f16", "16x16x32.bf16", "32x32x16.bf16"})
    rules[("rocdl.mfma.f32." + name).str()] = rewriteMfma;
}

static void addRegisterRules(RuleTable &rules) {
  rules["rocdl.workitem.id.x"] = readRegister<ThreadIdX>;
  rules["rocdl.workitem.id.y"] = readRegister<ThreadIdY>;
  rules["rocdl.workitem.id.z"] = readRegister<ThreadIdZ>;
  rules["rocdl.workgroup.id.x"] = readRegister<BlockIdX>;
  rules["rocdl.workgroup.id.y"] = readRegister<BlockIdY>;
  rules["rocdl.workgroup.id.z"] = readRegister<BlockIdZ>;
  rules["rocdl.workgroup.dim.x"] = readRegister<BlockDimX>;
  rules["rocdl.workgroup.dim.y"] = readRegister<BlockDimY>;
  rules["rocdl.workgroup.dim.z"] = readRegister<BlockDimZ>;
  rules["rocdl.grid.dim.x"] = readRegister<GridDimX>;
  rules["rocdl.grid.dim.y"] = readRegister<GridDimY>;
  rules["rocdl.grid.dim.z"] = readRegister<GridDimZ>;
  rules["rocdl.wavefrontsize"] = readRegister<WarpSize>;
}

void mirage::sim::addROCDLRules(RuleTable &rules) {
  addRegisterRules(rules);
  addMatrixRules(rules);
  rules["rocdl.barrier"] = rewriteBarrier;
  rules["rocdl.s.barrier"] = rewriteBarrier;
  rules["rocdl.mbcnt.lo"] = rewriteBitCount<0>;
  rules["rocdl.mbcnt.hi"] = rewriteBitCount<32>;
  rules["rocdl.ds_bpermute"] = rewriteBpermute;
  rules["rocdl.ds_swizzle"] = rewriteSwizzle;
  rules["rocdl.update.dpp"] = rewriteDpp;
  rules["rocdl.readlane"] = rewriteReadLane;
  rules["rocdl.readfirstlane"] = rewriteReadFirst;
  rules["rocdl.ballot"] = rewriteBallot;
  rules["rocdl.permlane16.swap"] = rewriteSwap<16>;
  rules["rocdl.permlane32.swap"] = rewriteSwap<32>;
  rules["rocdl.wave.barrier"] = rewriteWaveBarrier;
  // Waits of the hardware for its own counters, and hints.
  for (StringRef name :
       {"rocdl.s.waitcnt", "rocdl.s.sleep", "rocdl.s.nop", "rocdl.s.setprio",
        "rocdl.sched.barrier", "rocdl.sched.group.barrier", "rocdl.iglp.opt",
        "rocdl.s.wait.dscnt", "rocdl.s.wait.loadcnt", "rocdl.s.wait.storecnt",
        "rocdl.s.wait.expcnt"})
    rules[name] = ignore;
}
