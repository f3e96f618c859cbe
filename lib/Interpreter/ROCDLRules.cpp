//===- ROCDLRules.cpp - AMD instructions ----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After the CDNA3 and CDNA4 ISA guides: DS_BPERMUTE_B32, DS_SWIZZLE_B32, data
// parallel primitives (DPP), V_PERM_B32, V_PERMLANE16_SWAP_B32,
// V_PERMLANE32_SWAP_B32, S_BARRIER.
//
//===----------------------------------------------------------------------===//

#include "WarpOperations.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"

using namespace mlir;
using namespace mirage::interpreter;
using llvm::Error;
using llvm::Expected;

/// Lane l reads the lane with number address / 4, modulo the wave.
static Error bpermute(Machine &machine, Threads threads, Operation *op) {
  auto permute = cast<ROCDL::DsBpermuteOp>(op);
  SmallVector<Datum> results;
  for (const Thread &thread : threads) {
    Expected<uint64_t> address = machine.number(thread, permute.getIndex());
    if (!address)
      return address.takeError();
    const Thread &from = threads[*address / 4 % threads.size()];
    results.push_back(machine.get(from, permute.getSrc()));
  }
  for (auto [thread, result] : llvm::zip_equal(threads, results))
    machine.set(thread, permute.getRes(), result);
  return Error::success();
}

/// Every lane takes `source` of the lane that `from` names.
static Error exchange(Machine &machine, Threads threads, Operation *op,
                      Value source,
                      llvm::function_ref<unsigned(unsigned)> from) {
  SmallVector<Datum> results;
  for (unsigned lane = 0; lane < threads.size(); ++lane)
    results.push_back(machine.get(threads[from(lane)], source));
  for (auto [thread, result] : llvm::zip_equal(threads, results))
    machine.set(thread, op->getResult(0), result);
  return Error::success();
}

/// Bit masks of 32 lanes: lane = ((lane & and) | or) ^ xor.
static Error swizzle(Machine &machine, Threads threads, Operation *op) {
  auto swizzle = cast<ROCDL::DsSwizzleOp>(op);
  Expected<uint64_t> pattern = machine.number(threads[0], swizzle.getOffset());
  if (!pattern)
    return pattern.takeError();
  if (*pattern >> 15)
    return refuse("has a mode that is not known here");
  unsigned keep = *pattern & 31, set = *pattern >> 5 & 31,
           flip = *pattern >> 10 & 31;
  return exchange(machine, threads, op, swizzle.getSrc(), [&](unsigned lane) {
    return (lane & ~31u) | (((lane & keep) | set) ^ flip);
  });
}

/// The lane that a DPP control names, if it is one of those that stay within
/// the row of 16 lanes for all lanes.
static std::optional<unsigned> dppSource(unsigned control, unsigned lane) {
  unsigned row = lane & ~15u, inRow = lane & 15;
  if (control < 0x100) // quad_perm
    return (lane & ~3u) | (control >> (2 * (lane & 3)) & 3);
  if (control > 0x120 && control <= 0x12f) // row_ror
    return row | ((inRow - (control - 0x120)) & 15);
  if (control == 0x140) // row_mirror
    return row | (15 - inRow);
  if (control == 0x141) // row_half_mirror
    return (lane & ~7u) | (7 - (lane & 7));
  return std::nullopt;
}

static Error dpp(Machine &machine, Threads threads, Operation *op) {
  auto dpp = cast<ROCDL::DPPUpdateOp>(op);
  unsigned control = dpp.getDppCtrl();
  if (dpp.getRowMask() != 15 || dpp.getBankMask() != 15 ||
      !dppSource(control, 0))
    return refuse("has a mode that is not known here");
  return exchange(machine, threads, op, dpp.getSrc(),
                  [&](unsigned lane) { return *dppSource(control, lane); });
}

/// Byte i of the selector: 0 to 3 are bytes of the second operand, 4 to 7 of
/// the first, 12 is 0, from 13 on 255; the rest replicates signs.
static Error permuteBytes(Machine &machine, Threads threads, Operation *op) {
  auto call = cast<LLVM::CallIntrinsicOp>(op);
  Expected<uint64_t> selector = machine.number(threads[0], call.getArgs()[2]);
  if (!selector)
    return selector.takeError();
  Datum bytes = machine.get(threads[0], call.getArgs()[1]);
  bytes.append(machine.get(threads[0], call.getArgs()[0]));
  Datum result;
  for (unsigned i = 0; i < 4; ++i) {
    unsigned select = (*selector >> (8 * i)) & 255;
    if (select >= 8 && select < 12)
      return refuse("replicates a sign, which is not known here");
    result.push_back(select < 8 ? bytes[select]
                                : Byte::known(select == 12 ? 0 : 255));
  }
  machine.set(threads[0], call.getResult(0), std::move(result));
  return Error::success();
}

/// 32: the upper half of the first operand and the lower half of the second
/// change places. 16: the odd rows of 16 lanes of the first and the even rows
/// of the second do.
template <unsigned distance>
static Error swap(Machine &machine, Threads threads, Operation *op) {
  auto value = [&](unsigned lane, unsigned operand) {
    return machine.get(threads[lane], op->getOperand(operand));
  };
  SmallVector<Datum> results;
  for (unsigned lane = 0; lane < threads.size(); ++lane) {
    bool high = lane & distance;
    Datum pair = high ? value(lane - distance, 1) : value(lane, 0);
    pair.append(high ? value(lane, 1) : value(lane + distance, 0));
    results.push_back(std::move(pair));
  }
  for (auto [thread, result] : llvm::zip_equal(threads, results))
    machine.set(thread, op->getResult(0), result);
  return Error::success();
}

void mirage::interpreter::addROCDLRules(Rules &rules) {
  rules["rocdl.workitem.id.x"] = {Scope::Thread, threadNumber<threadInBlock>};
  rules["rocdl.workitem.id.y"] = {Scope::Thread, threadNumber<zeroNumber>};
  rules["rocdl.workitem.id.z"] = {Scope::Thread, threadNumber<zeroNumber>};
  rules["rocdl.barrier"] = {Scope::Block, blockBarrier};
  rules["call_intrinsic llvm.amdgcn.wave.barrier"] = {Scope::Warp, warpBarrier};
  rules["rocdl.ds_bpermute"] = {Scope::Warp, bpermute};
  rules["rocdl.ds_swizzle"] = {Scope::Warp, swizzle};
  rules["rocdl.update.dpp"] = {Scope::Warp, dpp};
  rules["call_intrinsic llvm.amdgcn.perm"] = {Scope::Thread, permuteBytes};
  rules["rocdl.permlane16.swap"] = {Scope::Warp, swap<16>};
  rules["rocdl.permlane32.swap"] = {Scope::Warp, swap<32>};
}
