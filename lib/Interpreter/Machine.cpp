//===- Machine.cpp - Lowered code, executed on symbolic data --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MachineState.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage::interpreter;
using llvm::Twine;

llvm::Error mirage::interpreter::refuse(const Twine &message) {
  return llvm::createStringError(message.str());
}

std::optional<unsigned> mirage::interpreter::sizeOf(Type type) {
  if (auto pointer = dyn_cast<LLVM::LLVMPointerType>(type))
    return pointer.getAddressSpace() == globalSpace ? 8 : 4;
  if (type.isIntOrFloat())
    return (type.getIntOrFloatBitWidth() + 7) / 8;
  if (auto vector = dyn_cast<VectorType>(type)) {
    unsigned bits = vector.getElementTypeBitWidth();
    if (vector.isScalable() || bits % 8)
      return std::nullopt;
    return vector.getNumElements() * bits / 8;
  }
  if (auto structure = dyn_cast<LLVM::LLVMStructType>(type)) {
    unsigned sum = 0;
    for (Type member : structure.getBody()) {
      std::optional<unsigned> size = sizeOf(member);
      if (!size)
        return std::nullopt;
      sum += *size;
    }
    return sum;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

Machine::Machine(Region &code, const MachineShape &shape, GlobalMemory global)
    : code(code), machineShape(shape), shared(shape.blocks, shape.sharedBytes),
      global(global) {
  addLLVMRules(rules);
  addNVVMRules(rules);
  addROCDLRules(rules);
}

static std::string ruleName(Operation *op) {
  if (auto call = dyn_cast<LLVM::CallIntrinsicOp>(op))
    return "call_intrinsic " + call.getIntrin().str();
  return op->getName().getStringRef().str();
}

/// Numbers the values and looks up the rules of all ops.
llvm::Error Machine::number(Region &region) {
  auto add = [&](ValueRange values) -> llvm::Error {
    for (Value value : values) {
      if (!sizeOf(value.getType())) {
        std::string type;
        llvm::raw_string_ostream(type) << value.getType();
        return refuse("a value of type " + type + " cannot be interpreted");
      }
      numbers.try_emplace(value, numbers.size());
    }
    return llvm::Error::success();
  };
  for (Block &block : region) {
    if (llvm::Error failed = add(ValueRange(block.getArguments())))
      return failed;
    for (Operation &op : block) {
      auto rule = rules.find(ruleName(&op));
      if (rule == rules.end() || op.getNumRegions())
        return refuse("the interpreter does not know the instruction '" +
                      ruleName(&op) + "'");
      ruleOf[&op] = rule->second;
      if (llvm::Error failed = add(op.getResults()))
        return failed;
    }
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

llvm::Expected<uint64_t> Machine::number(const Thread &thread,
                                         Value value) const {
  const Datum &datum = get(thread, value);
  if (std::optional<uint64_t> known = numberOf(datum))
    return *known;
  return refuse("needs a number where there is " + describe(datum));
}

llvm::Expected<Datum> Machine::readGlobal(uint64_t address, unsigned size,
                                          uint64_t alignment) const {
  if (!global)
    return refuse("reads global memory, of which nothing is known");
  if (address % alignment)
    return refuse("reads global memory at byte " + Twine(address) +
                  ", which is not a multiple of " + Twine(alignment));
  return global(address, size);
}

void Machine::jump(Thread &thread, Block *target, ValueRange operands) const {
  SmallVector<Datum> values;
  for (Value operand : operands)
    values.push_back(get(thread, operand));
  for (auto [argument, value] : llvm::zip_equal(target->getArguments(), values))
    set(thread, argument, std::move(value));
  thread.block = target;
  thread.next = target->begin();
}

llvm::Error Machine::execute(llvm::MutableArrayRef<Thread> together,
                             Operation *op) {
  for (Thread &thread : together) {
    thread.waiting = nullptr;
    ++thread.next;
  }
  llvm::Error failed = ruleOf.find(op)->second.execute(*this, together, op);
  if (!failed)
    return failed;
  const ThreadNumber &first = together.front().number;
  return refuse("'" + Twine(ruleName(op)) + "' in warp " + Twine(first.warp) +
                " of block " + Twine(first.block) + " " +
                llvm::toString(std::move(failed)));
}

/// Up to the next op of several threads, or the end.
llvm::Error Machine::advance(Thread &thread) {
  // Code that is to be proved has short loops, if any.
  constexpr unsigned maxSteps = 1u << 22;
  for (unsigned step = 0; step < maxSteps; ++step) {
    if (thread.done)
      return llvm::Error::success();
    Operation *op = &*thread.next;
    if (ruleOf.find(op)->second.scope != Scope::Thread) {
      thread.waiting = op;
      return llvm::Error::success();
    }
    if (llvm::Error failed = execute(llvm::MutableArrayRef(thread), op))
      return failed;
  }
  return refuse("a thread does not end within " + Twine(maxSteps) +
                " instructions");
}

/// Lets groups of `size` threads execute their op of this scope. False if there
/// was none that all of them had reached.
llvm::Expected<bool> Machine::executeTogether(Scope scope, size_t size) {
  bool progress = false;
  for (size_t start = 0; start < threads.size(); start += size) {
    auto group = llvm::MutableArrayRef(threads).slice(start, size);
    Operation *op = group.front().waiting;
    if (!op || ruleOf.find(op)->second.scope != scope ||
        llvm::any_of(group, [&](const Thread &t) { return t.waiting != op; }))
      continue;
    if (llvm::Error failed = execute(group, op))
      return std::move(failed);
    for (Thread &thread : group)
      if (llvm::Error failed = advance(thread))
        return std::move(failed);
    progress = true;
  }
  return progress;
}

llvm::Error Machine::stuck() const {
  const Thread *waits = llvm::find_if(threads, [](const Thread &t) {
                          return t.waiting;
                        }).operator->();
  std::string where = "lane " + std::to_string(waits->number.lane) + ", warp " +
                      std::to_string(waits->number.warp) + ", block " +
                      std::to_string(waits->number.block);
  return refuse("'" + Twine(ruleName(waits->waiting)) + "' is reached by " +
                where + " but not by all threads that it needs");
}

llvm::Expected<MachineResults>
Machine::run(llvm::function_ref<Datum(unsigned, ThreadNumber)> argument) {
  if (llvm::Error failed = number(code))
    return std::move(failed);
  for (unsigned block = 0; block < machineShape.blocks; ++block)
    for (unsigned warp = 0; warp < machineShape.warps; ++warp)
      for (unsigned lane = 0; lane < machineShape.lanes; ++lane) {
        Thread &thread = threads.emplace_back();
        thread.number = {block, warp, lane};
        thread.values.resize(numbers.size());
        for (BlockArgument value : code.getArguments())
          set(thread, value, argument(value.getArgNumber(), thread.number));
        thread.block = &code.front();
        thread.next = thread.block->begin();
      }
  for (Thread &thread : threads)
    if (llvm::Error failed = advance(thread))
      return std::move(failed);
  const size_t lanes = machineShape.lanes;
  const std::pair<Scope, size_t> scopes[] = {
      {Scope::Warp, lanes},
      {Scope::Block, lanes * machineShape.warps},
      {Scope::Cluster, threads.size()}};
  while (!llvm::all_of(threads, [](const Thread &t) { return t.done; })) {
    bool progress = false;
    for (auto [scope, size] : scopes) {
      llvm::Expected<bool> moved = executeTogether(scope, size);
      if (!moved)
        return moved.takeError();
      progress |= *moved;
    }
    if (!progress)
      return stuck();
  }
  MachineResults results;
  for (Thread &thread : threads)
    results.push_back(std::move(thread.results));
  return results;
}

llvm::Expected<MachineResults> mirage::interpreter::runCode(
    Region &code, const MachineShape &shape,
    llvm::function_ref<Datum(unsigned, ThreadNumber)> argument,
    GlobalMemory global) {
  return Machine(code, shape, global).run(argument);
}
