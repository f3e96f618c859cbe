//===- ConversionEmitter.cpp - Code of a planned conversion ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConversionEmitter.h"

#include "ExchangeEmitter.h"
#include "SharedEmitter.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static void emitBarrier(ImplicitLocOpBuilder &b,
                        const TargetInstructions &instructions,
                        BarrierScope scope) {
  switch (scope) {
  case BarrierScope::None:
    return;
  case BarrierScope::Warp:
    return instructions.warpBarrier(b);
  case BarrierScope::Block:
    return instructions.blockBarrier(b);
  case BarrierScope::Cluster:
    return instructions.clusterBarrier(b);
  }
}

/// The groups of one part of a conversion that goes in `parts` equal parts.
static ArrayRef<RegisterGroup> groupsOfPart(const SharedAccess &access,
                                            unsigned part, unsigned parts) {
  size_t size = access.groups.size() / parts;
  return ArrayRef(access.groups).slice(part * size, size);
}

static SmallVector<Value> throughShared(ImplicitLocOpBuilder &b,
                                        const TargetInstructions &instructions,
                                        const SharedConversion &plan,
                                        SharedEmitter &emitter, bool isRepeated,
                                        ValueRange registers) {
  bool remote = plan.barrier == BarrierScope::Cluster;
  unsigned scratchBits = plan.layout.totalInBits();
  SmallVector<Value> results(plan.load.copyOf.size());
  for (unsigned part = 0; part < plan.repetitions; ++part) {
    // The scratch is read by others still: by the part before, and within
    // warps by the last time around a loop.
    bool aroundLoop = isRepeated && plan.barrier == BarrierScope::Warp;
    if (!remote && (part > 0 || aroundLoop))
      emitBarrier(b, instructions, plan.barrier);
    emitter.store(plan.store, groupsOfPart(plan.store, part, plan.repetitions),
                  registers);
    emitBarrier(b, instructions, plan.barrier);
    auto groups = groupsOfPart(plan.load, part, plan.repetitions);
    if (!remote) {
      emitter.load(plan.load, groups, results);
      continue;
    }
    emitter.loadFromBlocks(plan.load, groups, scratchBits, results);
    emitBarrier(b, instructions, plan.barrier);
  }
  SharedEmitter::copyReplicas(plan.load, results);
  return results;
}

/// Runs `body` on the values widened to a byte, if they are narrower.
static SmallVector<Value>
inBytes(ImplicitLocOpBuilder &b, ValueRange registers,
        function_ref<SmallVector<Value>(ValueRange)> body) {
  Type type = registers.front().getType();
  if (type.getIntOrFloatBitWidth() >= 8)
    return body(registers);
  SmallVector<Value> wide;
  for (Value value : registers)
    wide.push_back(LLVM::ZExtOp::create(b, b.getI8Type(), value));
  SmallVector<Value> results = body(wide);
  for (Value &value : results)
    value = LLVM::TruncOp::create(b, type, value);
  return results;
}

SmallVector<Value>
mirage::emitConversion(ImplicitLocOpBuilder &b,
                       const TargetInstructions &instructions, BlockShape block,
                       const ConversionPlan &plan, int64_t scratchOffset,
                       bool isRepeated, ValueRange registers) {
  ThreadEmitter threads(b, instructions);
  if (plan.kind != ConversionKind::Shared &&
      plan.kind != ConversionKind::Cluster) {
    ExchangeEmitter emitter(b, threads, instructions, block, plan.exchange);
    if (plan.exchange.isRenaming())
      return emitter.run(registers);
    return inBytes(b, registers,
                   [&](ValueRange bytes) { return emitter.run(bytes); });
  }
  return inBytes(b, registers, [&](ValueRange bytes) {
    SharedEmitter emitter(b, threads, instructions, block,
                          sharedPointer(b, scratchOffset),
                          bytes.front().getType());
    return throughShared(b, instructions, plan.shared, emitter, isRepeated,
                         bytes);
  });
}
