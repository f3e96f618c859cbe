//===- MachineState.h - Threads that execute code ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The machine knows no instruction itself: `Rules` maps the name of an op (of
// an intrinsic that is called by name: "call_intrinsic NAME") to what it does
// to one thread, to a warp, or to all threads of a block or cluster.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_INTERPRETER_MACHINESTATE_H
#define MIRAGE_LIB_INTERPRETER_MACHINESTATE_H

#include "SharedMemory.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <deque>

namespace mirage::interpreter {

class Machine;

/// A copy to shared memory that is under way.
struct PendingCopy {
  uint64_t offset;
  Datum data;
};

/// One thread: its values, and where it is.
struct Thread {
  ThreadNumber number;
  std::vector<Datum> values; ///< by number of the SSA value.
  mlir::Block *block = nullptr;
  mlir::Block::iterator next;
  mlir::Operation *waiting = nullptr; ///< at an op of several threads.
  bool done = false;
  std::vector<Datum> results;
  /// Asynchronous copies: of no group yet, and the groups, oldest first.
  std::vector<PendingCopy> ungrouped;
  std::deque<std::vector<PendingCopy>> groups;
  uint32_t warpBarriers = 0, blockBarriers = 0, arrivals = 0, waits = 0;

  Access access() const {
    return {number.block,  number.warp, number.lane, warpBarriers,
            blockBarriers, arrivals,    waits};
  }
};

/// How many threads execute an op together.
enum class Scope { Thread, Warp, Block, Cluster };

struct Rule {
  Scope scope = Scope::Thread;
  /// `threads`: one, or all of the warp (block, cluster) in order.
  llvm::Error (*execute)(Machine &machine,
                         llvm::MutableArrayRef<Thread> threads,
                         mlir::Operation *op) = nullptr;
};
using Rules = llvm::StringMap<Rule>;

void addLLVMRules(Rules &rules);
void addNVVMRules(Rules &rules);
void addROCDLRules(Rules &rules);

class Machine {
public:
  Machine(mlir::Region &code, const MachineShape &shape, GlobalMemory global);

  llvm::Expected<MachineResults>
  run(llvm::function_ref<Datum(unsigned, ThreadNumber)> argument);

  const MachineShape &shape() const { return machineShape; }
  SharedMemory &memory() { return shared; }
  llvm::Expected<Datum> readGlobal(uint64_t address, unsigned size,
                                   uint64_t alignment) const;

  const Datum &get(const Thread &thread, mlir::Value value) const {
    return thread.values[numbers.find(value)->second];
  }
  void set(Thread &thread, mlir::Value value, Datum datum) const {
    thread.values[numbers.find(value)->second] = std::move(datum);
  }
  /// An error if the value is not known.
  llvm::Expected<uint64_t> number(const Thread &thread,
                                  mlir::Value value) const;
  /// Goes on at `target`, whose arguments become `operands`.
  void jump(Thread &thread, mlir::Block *target,
            mlir::ValueRange operands) const;

private:
  llvm::Error number(mlir::Region &code);
  llvm::Error advance(Thread &thread);
  llvm::Error execute(llvm::MutableArrayRef<Thread> threads,
                      mlir::Operation *op);
  llvm::Expected<bool> executeTogether(Scope scope, size_t size);
  llvm::Error stuck() const;

  mlir::Region &code;
  MachineShape machineShape;
  SharedMemory shared;
  GlobalMemory global;
  Rules rules;
  llvm::DenseMap<mlir::Value, unsigned> numbers;
  llvm::DenseMap<mlir::Operation *, Rule> ruleOf;
  std::vector<Thread> threads;
};

/// Address space of pointers to global memory.
inline constexpr unsigned globalSpace = 1;

/// Bytes of a value of this type; nothing if it has none here.
std::optional<unsigned> sizeOf(mlir::Type type);
llvm::Error refuse(const llvm::Twine &message);

} // namespace mirage::interpreter

#endif // MIRAGE_LIB_INTERPRETER_MACHINESTATE_H
