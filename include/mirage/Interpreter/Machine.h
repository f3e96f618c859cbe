//===- Machine.h - Lowered code, executed on symbolic data ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Proves that code moves data as it should. The code of one function (LLVM with
// NVVM or ROCDL instructions) is executed by every thread of a cluster. Numbers
// that decide where data goes (thread numbers, addresses, predicates,
// selectors) are concrete; the data itself is symbolic, each byte a pair
// (element, byte of the element). After the run the registers of every thread
// show which element they hold. Code that only moves data cannot tell elements
// apart, so one run covers all contents: it is a proof for this code and number
// of threads, not a sample. Code that computes with data is refused.
//
// Threads run one after the other up to the next instruction that threads do
// together, so that any control flow is allowed in between:
//
//   shuffles, matrix moves, warp barriers    all lanes of a warp
//   barriers of a block, of a cluster        all threads of it
//
// If some of them stand elsewhere the code is wrong, and the run ends there.
//
// Shared memory. A byte remembers who wrote it and who read it last. Accesses
// of different threads to the same byte, one of them a write, must be ordered
// by a barrier in between that both took part in:
//
//   two lanes of a warp       a warp barrier, or one of a wider scope
//   two warps of a block      a block barrier, or a cluster barrier
//   two blocks of a cluster   a cluster barrier
//
// Each thread counts the barriers it passed; an access carries the counts, and
// a later one is ordered behind it iff one of these counts is larger by then. A
// cluster barrier counts when its first half (arrive) comes for what was before
// it, and when its second half (wait) comes for what is behind it. Two writes
// of the same value need no order. Nothing is assumed of lanes of a warp
// running in lockstep.
//
// Asynchronous copies. What a thread has started to copy is under way until it
// waits for the group; then it is written, as if by the thread at that moment.
// The start must be ordered behind earlier accesses to the bytes like a write,
// and nobody may access them while the copy is under way.
//
// Global memory is what the caller says: a function from addresses to data. It
// cannot be written.
//
// A pointer is a number: of 64 bits, a byte of global memory; of 32 bits, the
// byte within the block's shared memory in the low 24 bits, and above them, in
// a pointer to the memory of a cluster, the number of the block.
//
// The meaning of the instructions is taken from the PTX ISA and the CDNA ISA
// manuals; nothing here uses the layout library, the planner or the simulator.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_INTERPRETER_MACHINE_H
#define MIRAGE_INTERPRETER_MACHINE_H

#include "mirage/Interpreter/Byte.h"

#include "mlir/IR/Region.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace mirage::interpreter {

/// The threads that run the code.
struct MachineShape {
  unsigned lanes = 32; ///< of a warp.
  unsigned warps = 1;  ///< of a block.
  unsigned blocks = 1; ///< of the cluster.
  uint64_t sharedBytes = 0;

  unsigned threads() const { return lanes * warps * blocks; }
};

struct ThreadNumber {
  unsigned block, warp, lane;
};

/// What each thread returned: by thread (lane fastest, then warp, then block),
/// by operand of the return.
using MachineResults = std::vector<std::vector<Datum>>;

/// `size` bytes from an address of global memory.
using GlobalMemory =
    llvm::function_ref<llvm::Expected<Datum>(uint64_t address, unsigned size)>;

/// Runs `code`, the body of a function, in all threads. `argument(i, thread)`
/// is the value of argument i. An error says which instruction cannot be
/// executed, and where and why. Without `global` there is no such memory.
llvm::Expected<MachineResults>
runCode(mlir::Region &code, const MachineShape &shape,
        llvm::function_ref<Datum(unsigned, ThreadNumber)> argument,
        GlobalMemory global = {});

} // namespace mirage::interpreter

#endif // MIRAGE_INTERPRETER_MACHINE_H
