//===- ROCDLRules.cpp - Rules for the ROCDL dialect -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteFloatRules.h"
#include "HostModule.h"
#include "Runtime.h"
#include "WarpRules.h"

#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"

#include <tuple>

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
  StringRef a, b; ///< element types.
};
} // namespace

/// Shape and types of an operation on one block, whose name is
/// rocdl.mfma.ACCUMULATOR.EDGExEDGExDEPTH, then the types: "f16", ".f16", "i8",
/// "bf16.1k" (the same as "bf16"), ".fp8.bf8".
static std::optional<MfmaShape> mfmaShape(StringRef name) {
  MfmaShape shape;
  bool isInteger = name.consume_front("rocdl.mfma.i32.");
  if (!isInteger && !name.consume_front("rocdl.mfma.f32."))
    return std::nullopt;
  int64_t second;
  if (name.consumeInteger(10, shape.edge) || !name.consume_front("x") ||
      name.consumeInteger(10, second) || !name.consume_front("x") ||
      name.consumeInteger(10, shape.depth))
    return std::nullopt;
  name.consume_front(".");
  name.consume_back(".1k");
  std::tie(shape.a, shape.b) = name.split('.');
  if (shape.b.empty())
    shape.b = shape.a;
  bool isBlock = shape.edge == second && (second == 16 || second == 32);
  if (!isBlock || isInteger != (shape.a == "i8"))
    return std::nullopt;
  return shape;
}

static std::optional<ElementKind>
mfmaElement(StringRef name, const mirage::TargetDescription &target) {
  if (auto format = byteFloatOfAmd(name, target))
    return elementKindOf(*format);
  return llvm::StringSwitch<std::optional<ElementKind>>(name)
      .Case("f16", ElementKind::F16)
      .Case("bf16", ElementKind::BF16)
      .Case("f32", ElementKind::F32)
      .Case("i8", ElementKind::S8)
      .Default(std::nullopt);
}

static LogicalResult rewriteMfma(HostRewriter &rewriter, Operation *op) {
  std::optional<MfmaShape> shape = mfmaShape(op->getName().getStringRef());
  std::optional<ElementKind> a, b;
  if (shape) {
    a = mfmaElement(shape->a, rewriter.target);
    b = mfmaElement(shape->b, rewriter.target);
  }
  if (!a || !b)
    return op->emitError("the simulator has no rule for '")
           << op->getName() << "'";
  for (Value modifier : op->getOperands().drop_front(3))
    if (!matchPattern(modifier, m_Zero()))
      return op->emitError("the simulator has '")
             << op->getName() << "' with zero cbsz, abid and blgp only";
  rewriter.warpOperation(
      op, op->getOperands().take_front(3), {},
      {mfma,
       Participation::All,
       Event::Matrix,
       {shape->edge, shape->depth, int64_t(*a), int64_t(*b)}});
  return success();
}

/// Those that multiply one block; the small shapes that multiply several at
/// once have no rule.
static void addMatrixRules(RuleTable &rules) {
  for (StringRef name :
       {"f32.16x16x16f16", "f32.32x32x8f16", "f32.16x16x16bf16.1k",
        "f32.32x32x8bf16.1k", "f32.16x16x8bf16", "f32.32x32x4bf16",
        "f32.16x16x4f32", "f32.32x32x2f32", "f32.16x16x32.f16",
        "f32.32x32x16.f16", "f32.16x16x32.bf16", "f32.32x32x16.bf16",
        "i32.16x16x16i8", "i32.32x32x8i8", "i32.16x16x32.i8", "i32.32x32x16.i8",
        "i32.16x16x64.i8", "i32.32x32x32.i8"})
    rules[("rocdl.mfma." + name).str()] = rewriteMfma;
  for (StringRef shape : {"16x16x32", "32x32x16"})
    for (StringRef a : {"fp8", "bf8"})
      for (StringRef b : {"fp8", "bf8"})
        rules[("rocdl.mfma.f32." + shape + "." + a + "." + b).str()] =
            rewriteMfma;
}

//===----------------------------------------------------------------------===//
// Conversions of 8-bit floats
//===----------------------------------------------------------------------===//

/// The format in the name of a conversion.
static ByteFloat formatOf(HostRewriter &rewriter, Operation *op) {
  bool isShort = op->getName().getStringRef().contains("bf8");
  return *byteFloatOfAmd(isShort ? "bf8" : "fp8", rewriter.target);
}

/// Two f32 to bytes of one half of `old`.
static LogicalResult rewritePackBytes(HostRewriter &rewriter, Operation *op) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  bool isHigh = op->getAttrOfType<IntegerAttr>("wordSel").getValue() != 0;
  Value pair =
      packByteFloats(rewriter, op, op->getOperand(0), op->getOperand(1),
                     formatOf(rewriter, op), /*saturate=*/false);
  Value keep = rewriter.constant(loc, isHigh ? 0xffff : -65536);
  Value kept = LLVM::AndOp::create(b, loc, op->getOperand(2), keep);
  if (isHigh)
    pair = LLVM::ShlOp::create(b, loc, pair, rewriter.constant(loc, 16));
  rewriter.replace(op, LLVM::OrOp::create(b, loc, kept, pair).getResult());
  return success();
}

static LogicalResult rewriteExtractByte(HostRewriter &rewriter, Operation *op) {
  int64_t index = op->getAttrOfType<IntegerAttr>("byteSel").getInt();
  rewriter.replace(op, extractByteFloat(rewriter, op, op->getOperand(0), index,
                                        formatOf(rewriter, op)));
  return success();
}

static LogicalResult rewriteUnpackBytes(HostRewriter &rewriter, Operation *op) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  bool isHigh = op->getAttrOfType<IntegerAttr>("wordSel").getValue() != 0;
  Value result = LLVM::PoisonOp::create(b, loc, op->getResult(0).getType());
  for (unsigned i = 0; i < 2; ++i)
    result = LLVM::InsertElementOp::create(
        b, loc, result,
        extractByteFloat(rewriter, op, op->getOperand(0), 2 * isHigh + i,
                         formatOf(rewriter, op)),
        rewriter.constant(loc, i));
  rewriter.replace(op, result);
  return success();
}

static void addConversionRules(RuleTable &rules) {
  for (StringRef format : {"fp8", "bf8"}) {
    rules[("rocdl.cvt.pk." + format + ".f32").str()] = rewritePackBytes;
    rules[("rocdl.cvt.f32." + format).str()] = rewriteExtractByte;
    rules[("rocdl.cvt.pk.f32." + format).str()] = rewriteUnpackBytes;
  }
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
  addConversionRules(rules);
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
