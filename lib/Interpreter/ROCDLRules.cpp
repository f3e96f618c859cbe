//===- ROCDLRules.cpp - AMD instructions ----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After the CDNA3 and CDNA4 ISA guides: DS_BPERMUTE_B32, V_PERM_B32,
// V_PERMLANE16_SWAP_B32, V_PERMLANE32_SWAP_B32, S_BARRIER.
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
  rules["call_intrinsic llvm.amdgcn.perm"] = {Scope::Thread, permuteBytes};
  rules["rocdl.permlane16.swap"] = {Scope::Warp, swap<16>};
  rules["rocdl.permlane32.swap"] = {Scope::Warp, swap<32>};
}
