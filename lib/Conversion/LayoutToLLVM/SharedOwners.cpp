//===- SharedOwners.cpp - Blocks read what they have written --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile that is spread over the blocks of a cluster is in the shared memory of
// each of them only in part: the elements that the layout of the writer (a
// store, or `via` of a copy) gives the places of the block. A load must find
// all that its own layout asks for, that is, get from the one layout to the
// other without leaving the block. Where that is not so layout.convert is the
// op that reads the shared memory of other blocks.
//
//===----------------------------------------------------------------------===//

#include "KernelPreparation.h"

#include "mirage/Support/F2/ConvertMap.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {
/// An op that writes a tile to shared memory.
struct Writer {
  Operation *op;
  Value dest;
  LinearLayoutAttr layout;
};
} // namespace

static SmallVector<Writer> writersOf(gpu::GPUFuncOp kernel) {
  SmallVector<Writer> writers;
  kernel.walk([&](Operation *op) {
    if (auto store = dyn_cast<LocalStoreOp>(op))
      writers.push_back(
          {op, store.getDest(), getLayout(store.getValue().getType())});
    if (auto copy = dyn_cast<AsyncCopyOp>(op))
      writers.push_back({op, copy.getDest(), *copy.getVia()});
  });
  return writers;
}

/// Whether two values may be the same buffer. Loops may carry buffers, and keep
/// their types.
static bool mayAlias(Value x, Value y) {
  if (x == y)
    return true;
  bool areKnown =
      x.getDefiningOp<AllocSharedOp>() && y.getDefiningOp<AllocSharedOp>();
  return !areKnown && x.getType() == y.getType();
}

static LogicalResult check(LocalLoadOp load, const Writer &writer) {
  LinearLayoutAttr wanted = getLayout(load.getType());
  auto map = nearestConvertMap(writer.layout.getLinear(), wanted.getLinear());
  if (!map)
    return load.emitOpError(llvm::toString(map.takeError()));
  if (map->reach != ConvertReach::Cluster)
    return success();
  InFlightDiagnostic error =
      load.emitOpError()
      << "reads elements that other blocks of its cluster have in their shared "
         "memory: "
      << wanted << "; load it as it was written and convert it";
  error.attachNote(writer.op->getLoc())
      << "written here from " << writer.layout;
  return error;
}

LogicalResult mirage::checkSharedOwners(gpu::GPUFuncOp kernel) {
  if (clusterBlocksOf(kernel) == 1)
    return success();
  SmallVector<Writer> writers = writersOf(kernel);
  WalkResult result = kernel.walk([&](LocalLoadOp load) {
    for (const Writer &writer : writers)
      if (mayAlias(load.getSource(), writer.dest) &&
          failed(check(load, writer)))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
