//===- NVVMRules.cpp - Rules for the NVVM dialect -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteFloatRules.h"
#include "HostModule.h"
#include "InlineAssembly.h"
#include "Runtime.h"
#include "WarpRules.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mirage::sim;

template <SpecialRegister which>
static LogicalResult readRegister(HostRewriter &rewriter, Operation *op) {
  rewriter.replace(op, rewriter.specialRegister(op, which));
  return success();
}

static LogicalResult ignore(HostRewriter &rewriter, Operation *op) {
  rewriter.erase(op);
  return success();
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

/// Calls the barrier; the value is how many threads came with `predicate`.
static Value callBarrier(HostRewriter &rewriter, Operation *op, Value id,
                         Value count, bool arriveOnly, Value predicate = {}) {
  Location loc = op->getLoc();
  Value zero = rewriter.constant(loc, 0);
  uint32_t site = rewriter.addSite(op);
  auto call = rewriter.call(op, runtime::barrier, rewriter.builder.getI32Type(),
                            {rewriter.thread(op), rewriter.constant(loc, site),
                             id ? id : zero, count ? count : zero,
                             rewriter.constant(loc, arriveOnly),
                             predicate ? predicate : zero});
  return call.getResult();
}

static Value blockSize(HostRewriter &rewriter, Operation *op) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  Value size = rewriter.specialRegister(op, BlockDimX);
  for (SpecialRegister dim : {BlockDimY, BlockDimZ})
    size = LLVM::MulOp::create(b, loc, size, rewriter.specialRegister(op, dim));
  return size;
}

static LogicalResult rewriteBarrier0(HostRewriter &rewriter, Operation *op) {
  callBarrier(rewriter, op, {}, {}, /*arriveOnly=*/false);
  rewriter.erase(op);
  return success();
}

static LogicalResult rewriteBarrier(HostRewriter &rewriter, Operation *op) {
  auto barrier = cast<NVVM::BarrierOp>(op);
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  Value zero = rewriter.constant(loc, 0), predicate;
  if (Value given = barrier.getReductionPredicate()) {
    predicate =
        LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, given, zero);
    predicate = LLVM::ZExtOp::create(b, loc, b.getI32Type(), predicate);
  }
  Value votes = callBarrier(rewriter, op, barrier.getBarrierId(),
                            barrier.getNumberOfThreads(), /*arriveOnly=*/false,
                            predicate);
  if (op->getNumResults() == 0) {
    rewriter.erase(op);
    return success();
  }
  auto reduction = *barrier.getReductionOp();
  if (reduction != NVVM::BarrierReduction::POPC) {
    // And: all threads of the block said yes. Or: some did.
    bool isAnd = reduction == NVVM::BarrierReduction::AND;
    votes = LLVM::ICmpOp::create(
        b, loc, isAnd ? LLVM::ICmpPredicate::eq : LLVM::ICmpPredicate::ne,
        votes, isAnd ? blockSize(rewriter, op) : zero);
    votes = LLVM::ZExtOp::create(b, loc, b.getI32Type(), votes);
  }
  rewriter.replace(op, votes);
  return success();
}

static LogicalResult rewriteArrive(HostRewriter &rewriter, Operation *op) {
  auto barrier = cast<NVVM::BarrierArriveOp>(op);
  callBarrier(rewriter, op, barrier.getBarrierId(),
              barrier.getNumberOfThreads(), /*arriveOnly=*/true);
  rewriter.erase(op);
  return success();
}

static LogicalResult rewriteSyncWarp(HostRewriter &rewriter, Operation *op) {
  rewriter.warpOperation(op, {}, cast<NVVM::SyncWarpOp>(op).getMask(),
                         {warpBarrier, Participation::Mask});
  return success();
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

static void callAtSite(HostRewriter &rewriter, Operation *op,
                       StringRef function) {
  uint32_t site = rewriter.addSite(op);
  rewriter.call(op, function, {},
                {rewriter.thread(op), rewriter.constant(op->getLoc(), site)});
  rewriter.erase(op);
}

static LogicalResult rewriteClusterArrive(HostRewriter &rewriter,
                                          Operation *op) {
  callAtSite(rewriter, op, runtime::arriveAtCluster);
  return success();
}

static LogicalResult rewriteClusterWait(HostRewriter &rewriter, Operation *op) {
  callAtSite(rewriter, op, runtime::waitForCluster);
  return success();
}

static LogicalResult rewriteMapa(HostRewriter &rewriter, Operation *op) {
  auto map = cast<NVVM::MapaOp>(op);
  uint32_t site = rewriter.addSite(op);
  auto call =
      rewriter.call(op, runtime::mapShared, op->getResultTypes(),
                    {rewriter.thread(op), rewriter.constant(op->getLoc(), site),
                     map.getA(), map.getB()});
  rewriter.replace(op, call.getResults());
  return success();
}

//===----------------------------------------------------------------------===//
// Values across lanes
//===----------------------------------------------------------------------===//

static LogicalResult rewriteShuffle(HostRewriter &rewriter, Operation *op) {
  auto shuffle = cast<NVVM::ShflOp>(op);
  ShuffleKind kind = ShuffleKind::Index;
  switch (shuffle.getKind()) {
  case NVVM::ShflKind::bfly:
    kind = ShuffleKind::Butterfly;
    break;
  case NVVM::ShflKind::up:
    kind = ShuffleKind::Up;
    break;
  case NVVM::ShflKind::down:
    kind = ShuffleKind::Down;
    break;
  case NVVM::ShflKind::idx:
    break;
  }
  // The results are the value and, if asked for, whether the source lane is in
  // range.
  rewriter.warpOperation(
      op, {shuffle.getVal(), shuffle.getOffset(), shuffle.getMaskAndClamp()},
      shuffle.getThreadMask(),
      {shuffleSync, Participation::Mask, Event::Shuffle, {int64_t(kind)}});
  return success();
}

static LogicalResult rewriteVote(HostRewriter &rewriter, Operation *op) {
  auto vote = cast<NVVM::VoteSyncOp>(op);
  VoteKind kind = VoteKind::Any;
  switch (vote.getKind()) {
  case NVVM::VoteSyncKind::any:
    break;
  case NVVM::VoteSyncKind::all:
    kind = VoteKind::All;
    break;
  case NVVM::VoteSyncKind::ballot:
    kind = VoteKind::Ballot;
    break;
  case NVVM::VoteSyncKind::uni:
    kind = VoteKind::Uniform;
    break;
  }
  rewriter.warpOperation(
      op, {vote.getPred()}, vote.getMask(),
      {voteSync, Participation::Mask, Event::None, {int64_t(kind)}});
  return success();
}

static ReduxKind reduxKind(NVVM::ReduxKind kind) {
  switch (kind) {
  case NVVM::ReduxKind::ADD:
    return ReduxKind::Add;
  case NVVM::ReduxKind::AND:
    return ReduxKind::And;
  case NVVM::ReduxKind::MAX:
    return ReduxKind::Max;
  case NVVM::ReduxKind::MIN:
    return ReduxKind::Min;
  case NVVM::ReduxKind::OR:
    return ReduxKind::Or;
  case NVVM::ReduxKind::UMAX:
    return ReduxKind::UMax;
  case NVVM::ReduxKind::UMIN:
    return ReduxKind::UMin;
  case NVVM::ReduxKind::XOR:
    return ReduxKind::Xor;
  case NVVM::ReduxKind::FMIN:
    return ReduxKind::FMin;
  case NVVM::ReduxKind::FMAX:
    return ReduxKind::FMax;
  }
  return ReduxKind::Add;
}

static LogicalResult rewriteRedux(HostRewriter &rewriter, Operation *op) {
  auto redux = cast<NVVM::ReduxOp>(op);
  if (redux.getAbs() || redux.getNan())
    return op->emitError("the simulator has no rule for redux.sync with abs or "
                         "nan");
  rewriter.warpOperation(op, {redux.getVal()}, redux.getMaskAndClamp(),
                         {reduxSync,
                          Participation::Mask,
                          Event::None,
                          {int64_t(reduxKind(redux.getKind()))}});
  return success();
}

static LogicalResult rewriteElect(HostRewriter &rewriter, Operation *op) {
  Value mask = cast<NVVM::ElectSyncOp>(op).getMembermask();
  rewriter.warpOperation(op, {}, mask, {electSync, Participation::Mask});
  return success();
}

static LogicalResult rewritePermute(HostRewriter &rewriter, Operation *op) {
  auto permute = cast<NVVM::PermuteOp>(op);
  StringRef mode = NVVM::stringifyPermuteMode(permute.getMode());
  Value high = permute.getHi() ? permute.getHi() : permute.getLo();
  rewriter.replace(op, permuteBytes(rewriter, op, mode, permute.getLo(), high,
                                    permute.getSelector()));
  return success();
}

//===----------------------------------------------------------------------===//
// Conversions of 8-bit floats
//===----------------------------------------------------------------------===//

/// Which format an operation names by a type.
static StringRef mnemonicOf(Type type) {
  if (isa<Float8E4M3FNType>(type))
    return "e4m3x2";
  return isa<Float8E5M2Type>(type) ? "e5m2x2" : "unknown";
}

static LogicalResult rewriteConversion(HostRewriter &rewriter, Operation *op,
                                       StringRef to, StringRef from,
                                       bool relu) {
  SmallVector<Value> arguments(op->getOperands());
  auto values = convertPair(rewriter, op, to, from, relu, arguments);
  if (!values)
    return op->emitError("the simulator has no rule for this type of '")
           << op->getName() << "'";
  rewriter.replace(op, *values);
  return success();
}

static LogicalResult rewriteFloatsToBytes(HostRewriter &rewriter,
                                          Operation *op) {
  auto convert = cast<NVVM::ConvertF32x2ToF8x2Op>(op);
  return rewriteConversion(rewriter, op, mnemonicOf(convert.getDstTy()), "f32",
                           convert.getRelu());
}

static LogicalResult rewriteHalvesToBytes(HostRewriter &rewriter,
                                          Operation *op) {
  auto convert = cast<NVVM::ConvertF16x2ToF8x2Op>(op);
  return rewriteConversion(rewriter, op, mnemonicOf(convert.getDstTy()),
                           "f16x2", convert.getRelu());
}

static LogicalResult rewriteBytesToHalves(HostRewriter &rewriter,
                                          Operation *op) {
  auto convert = cast<NVVM::ConvertF8x2ToF16x2Op>(op);
  return rewriteConversion(rewriter, op, "f16x2",
                           mnemonicOf(convert.getSrcType()), convert.getRelu());
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

/// Checks that a matrix move has 8 x 8 tiles of 16 bits.
template <typename Op>
static LogicalResult checkTiles(Op op) {
  if (op.getShape().getM() == 8 && op.getShape().getN() == 8 &&
      op.getEltType() == NVVM::LdStMatrixEltType::B16)
    return success();
  return op.emitError("the simulator moves 8x8 matrices of b16 only, got ")
         << op.getShape().getM() << "x" << op.getShape().getN();
}

static LogicalResult rewriteLdMatrix(HostRewriter &rewriter, Operation *op) {
  auto load = cast<NVVM::LdMatrixOp>(op);
  if (failed(checkTiles(load)))
    return failure();
  bool transposed = load.getLayout() == NVVM::MMALayout::col;
  rewriter.warpOperation(op, {load.getPtr()}, {},
                         {loadMatrix,
                          Participation::Mask,
                          Event::None,
                          {int64_t(load.getNum()), transposed}});
  return success();
}

static LogicalResult rewriteStMatrix(HostRewriter &rewriter, Operation *op) {
  auto store = cast<NVVM::StMatrixOp>(op);
  if (failed(checkTiles(store)))
    return failure();
  bool transposed = store.getLayout() == NVVM::MMALayout::col;
  rewriter.warpOperation(op, op->getOperands(), {},
                         {storeMatrix,
                          Participation::Mask,
                          Event::None,
                          {int64_t(store.getSources().size()), transposed}});
  return success();
}

static std::optional<ElementKind> elementKind(NVVM::MMATypes type) {
  switch (type) {
  case NVVM::MMATypes::f16:
    return ElementKind::F16;
  case NVVM::MMATypes::bf16:
    return ElementKind::BF16;
  case NVVM::MMATypes::tf32:
    return ElementKind::TF32;
  case NVVM::MMATypes::s8:
    return ElementKind::S8;
  case NVVM::MMATypes::u8:
    return ElementKind::U8;
  default:
    return std::nullopt;
  }
}

/// Type of the multiplicands `operands`, as said or as their own type says.
static std::optional<ElementKind>
multiplicandKind(std::optional<NVVM::MMATypes> said, ValueRange operands) {
  if (said)
    return elementKind(*said);
  auto vector = dyn_cast<VectorType>(operands.front().getType());
  if (vector && vector.getElementType().isF16())
    return ElementKind::F16;
  return std::nullopt;
}

static LogicalResult rewriteMma(HostRewriter &rewriter, Operation *op) {
  auto mma = cast<NVVM::MmaOp>(op);
  auto kindA =
      multiplicandKind(mma.getMultiplicandAPtxType(), mma.getOperandA());
  auto kindB =
      multiplicandKind(mma.getMultiplicandBPtxType(), mma.getOperandB());
  NVVM::MMAShapeAttr shape = mma.getShape();
  bool isRowCol = mma.getLayoutA() == NVVM::MMALayout::row &&
                  mma.getLayoutB() == NVVM::MMALayout::col;
  if (!kindA || !kindB || shape.getM() != 16 || shape.getN() != 8 || !isRowCol)
    return op->emitError("the simulator has no rule for this type and layout "
                         "of mma.sync m")
           << shape.getM() << "n" << shape.getN() << "k" << shape.getK();
  if (isInteger(*kindA) &&
      mma.getIntOverflowBehavior() != NVVM::MMAIntOverflow::wrapped)
    return op->emitError("the simulator has mma.sync on integers with wrapped "
                         "overflow only");
  auto result = cast<LLVM::LLVMStructType>(mma.getType());
  bool halfAccumulator = isa<VectorType>(result.getBody().front());
  if (halfAccumulator != isa<VectorType>(mma.getOperandC().front().getType()))
    return op->emitError("the simulator wants the accumulators C and D of "
                         "mma.sync to have one type");
  rewriter.warpOperation(
      op, op->getOperands(), {},
      {mmaSync,
       Participation::Mask,
       Event::Matrix,
       {shape.getK(), int64_t(*kindA), int64_t(*kindB), halfAccumulator}});
  return success();
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

static LogicalResult rewriteCpAsync(HostRewriter &rewriter, Operation *op) {
  auto copy = cast<NVVM::CpAsyncOp>(op);
  Location loc = op->getLoc();
  uint64_t bytes = copy.getSize();
  uint32_t site = rewriter.addAccessSite(op, Space::Global, bytes, bytes,
                                         /*isStore=*/false);
  rewriter.addAccessSite(op, Space::Shared, bytes, bytes, /*isStore=*/true);
  rewriter.site(site).isCopy = rewriter.site(site + 1).isCopy = true;
  Value sourceBytes = copy.getCpSize();
  rewriter.call(op, runtime::asyncCopy, {},
                {rewriter.thread(op), rewriter.constant(loc, site),
                 copy.getDst(), copy.getSrc(),
                 sourceBytes ? sourceBytes : rewriter.constant(loc, bytes)});
  rewriter.erase(op);
  return success();
}

static LogicalResult rewriteCommit(HostRewriter &rewriter, Operation *op) {
  rewriter.call(op, runtime::commitCopies, {}, {rewriter.thread(op)});
  rewriter.erase(op);
  return success();
}

static LogicalResult rewriteWait(HostRewriter &rewriter, Operation *op) {
  int64_t groups = cast<NVVM::CpAsyncWaitGroupOp>(op).getN();
  rewriter.call(op, runtime::waitForCopies, {},
                {rewriter.thread(op), rewriter.constant(op->getLoc(), groups)});
  rewriter.erase(op);
  return success();
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

static LogicalResult rewriteRcp(HostRewriter &rewriter, Operation *op) {
  rewriter.replace(op, *rewriteDeviceFunction(rewriter, op, "rcp.approx.ftz.f",
                                              op->getOperand(0)));
  return success();
}

static LogicalResult rewriteInlinePtx(HostRewriter &rewriter, Operation *op) {
  auto ptx = cast<NVVM::InlinePtxOp>(op);
  if (ptx.getPredicate() || !ptx.getReadWriteArgs().empty())
    return op->emitError("the simulator has no rule for predicated PTX or "
                         "operands that are read and written");
  SmallVector<Value> arguments(ptx.getReadOnlyArgs());
  return rewriteAssembly(rewriter, op, ptx.getPtxCode(), arguments);
}

static void addRegisterRules(RuleTable &rules) {
  auto add = [&](StringRef name, OperationRule rule) {
    rules[("nvvm.read.ptx.sreg." + name).str()] = rule;
  };
  add("tid.x", readRegister<ThreadIdX>);
  add("tid.y", readRegister<ThreadIdY>);
  add("tid.z", readRegister<ThreadIdZ>);
  add("ctaid.x", readRegister<BlockIdX>);
  add("ctaid.y", readRegister<BlockIdY>);
  add("ctaid.z", readRegister<BlockIdZ>);
  add("ntid.x", readRegister<BlockDimX>);
  add("ntid.y", readRegister<BlockDimY>);
  add("ntid.z", readRegister<BlockDimZ>);
  add("nctaid.x", readRegister<GridDimX>);
  add("nctaid.y", readRegister<GridDimY>);
  add("nctaid.z", readRegister<GridDimZ>);
  add("laneid", readRegister<LaneId>);
  add("warpid", readRegister<WarpId>);
  add("nwarpid", readRegister<WarpCount>);
  add("warpsize", readRegister<WarpSize>);
  add("dynamic.smem.size", readRegister<DynamicSharedBytes>);
  add("total.smem.size", readRegister<TotalSharedBytes>);
  add("cluster.ctarank", readRegister<RankInCluster>);
  add("cluster.nctarank", readRegister<BlocksOfCluster>);
  add("cluster.ctaid.x", readRegister<BlockInClusterX>);
  add("cluster.ctaid.y", readRegister<BlockInClusterY>);
  add("cluster.ctaid.z", readRegister<BlockInClusterZ>);
  add("cluster.nctaid.x", readRegister<ClusterDimX>);
  add("cluster.nctaid.y", readRegister<ClusterDimY>);
  add("cluster.nctaid.z", readRegister<ClusterDimZ>);
  add("clusterid.x", readRegister<ClusterIdX>);
  add("clusterid.y", readRegister<ClusterIdY>);
  add("clusterid.z", readRegister<ClusterIdZ>);
  add("nclusterid.x", readRegister<ClusterCountX>);
  add("nclusterid.y", readRegister<ClusterCountY>);
  add("nclusterid.z", readRegister<ClusterCountZ>);
}

void mirage::sim::addNVVMRules(RuleTable &rules) {
  addRegisterRules(rules);
  rules["nvvm.barrier0"] = rewriteBarrier0;
  rules["nvvm.barrier"] = rewriteBarrier;
  rules["nvvm.barrier.arrive"] = rewriteArrive;
  rules["nvvm.bar.warp.sync"] = rewriteSyncWarp;
  rules["nvvm.cluster.arrive"] = rewriteClusterArrive;
  rules["nvvm.cluster.wait"] = rewriteClusterWait;
  rules["nvvm.mapa"] = rewriteMapa;
  rules["nvvm.shfl.sync"] = rewriteShuffle;
  rules["nvvm.vote.sync"] = rewriteVote;
  rules["nvvm.redux.sync"] = rewriteRedux;
  rules["nvvm.elect.sync"] = rewriteElect;
  rules["nvvm.prmt"] = rewritePermute;
  rules["nvvm.convert.f32x2.to.f8x2"] = rewriteFloatsToBytes;
  rules["nvvm.convert.f16x2.to.f8x2"] = rewriteHalvesToBytes;
  rules["nvvm.convert.f8x2.to.f16x2"] = rewriteBytesToHalves;
  rules["nvvm.ldmatrix"] = rewriteLdMatrix;
  rules["nvvm.stmatrix"] = rewriteStMatrix;
  rules["nvvm.mma.sync"] = rewriteMma;
  rules["nvvm.cp.async.shared.global"] = rewriteCpAsync;
  rules["nvvm.cp.async.commit.group"] = rewriteCommit;
  rules["nvvm.cp.async.wait.group"] = rewriteWait;
  rules["nvvm.rcp.approx.ftz.f"] = rewriteRcp;
  rules["nvvm.inline_ptx"] = rewriteInlinePtx;
  // Hints, and fences that the order of calls into the runtime implies.
  for (StringRef name :
       {"nvvm.prefetch", "nvvm.memory.barrier", "nvvm.griddepcontrol",
        "nvvm.setmaxregister", "nvvm.fence.proxy", "nvvm.nanosleep"})
    rules[name] = ignore;
}
