//===- WarpOperations.h - What both vendors' rules need ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_INTERPRETER_WARPOPERATIONS_H
#define MIRAGE_LIB_INTERPRETER_WARPOPERATIONS_H

#include "MachineState.h"

namespace mirage::interpreter {

using Threads = llvm::MutableArrayRef<Thread>;

/// All threads of the group have passed one more barrier.
llvm::Error warpBarrier(Machine &machine, Threads threads, mlir::Operation *op);
llvm::Error blockBarrier(Machine &machine, Threads threads,
                         mlir::Operation *op);

/// The only result of `op` is a number that depends on the thread.
template <uint64_t (*numberOfThread)(const Thread &, const MachineShape &)>
llvm::Error threadNumber(Machine &machine, Threads threads,
                         mlir::Operation *op) {
  machine.set(threads[0], op->getResult(0),
              knownDatum(numberOfThread(threads[0], machine.shape()), 4));
  return llvm::Error::success();
}

inline uint64_t threadInBlock(const Thread &thread, const MachineShape &shape) {
  return thread.number.warp * shape.lanes + thread.number.lane;
}
inline uint64_t blockInCluster(const Thread &thread, const MachineShape &) {
  return thread.number.block;
}
inline uint64_t zeroNumber(const Thread &, const MachineShape &) { return 0; }

} // namespace mirage::interpreter

#endif // MIRAGE_LIB_INTERPRETER_WARPOPERATIONS_H
