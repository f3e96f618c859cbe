//===- Fiber.cpp - Stacks that can be left and resumed --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fiber.h"

#include <sys/mman.h>

using namespace mirage::sim;

#if defined(__x86_64__)

// System V ABI: a function must preserve rbx, rbp and r12 to r15; everything
// else is dead at the call of this function.
__asm__(R"(
.text
.p2align 4
.type mirageFiberSwitch,@function
mirageFiberSwitch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size mirageFiberSwitch,.-mirageFiberSwitch
.p2align 4
.type mirageFiberStart,@function
mirageFiberStart:
  movq %r12, %rdi
  callq *%r13
  ud2
.size mirageFiberStart,.-mirageFiberStart
)");
extern "C" void mirageFiberSwitch(void **save, void *load);
extern "C" void mirageFiberStart();

void Fiber::prepare(char *top, size_t bytes, void (*function)(void *),
                    void *argument) {
  // What mirageFiberSwitch pops: r15, r14, r13, r12, rbx, rbp, the address to
  // return to. The stack pointer is then `top`, 16-byte aligned before the
  // call in mirageFiberStart, as the ABI asks.
  auto *frame = reinterpret_cast<void **>(top) - 7;
  frame[0] = frame[1] = frame[4] = frame[5] = nullptr;
  frame[2] = reinterpret_cast<void *>(function);
  frame[3] = argument;
  frame[6] = reinterpret_cast<void *>(&mirageFiberStart);
  stackPointer = frame;
}

void Fiber::switchTo(Fiber &from, Fiber &to) {
  mirageFiberSwitch(&from.stackPointer, to.stackPointer);
}

#else

static void startFiber(unsigned functionLow, unsigned functionHigh,
                       unsigned argumentLow, unsigned argumentHigh) {
  auto join = [](unsigned low, unsigned high) {
    return (uint64_t{high} << 32) | low;
  };
  auto *function =
      reinterpret_cast<void (*)(void *)>(join(functionLow, functionHigh));
  function(reinterpret_cast<void *>(join(argumentLow, argumentHigh)));
}

void Fiber::prepare(char *top, size_t bytes, void (*function)(void *),
                    void *argument) {
  getcontext(&context);
  context.uc_stack.ss_sp = top - bytes;
  context.uc_stack.ss_size = bytes;
  context.uc_link = nullptr;
  uint64_t f = reinterpret_cast<uint64_t>(function);
  uint64_t a = reinterpret_cast<uint64_t>(argument);
  makecontext(&context, reinterpret_cast<void (*)()>(&startFiber), 4,
              unsigned(f), unsigned(f >> 32), unsigned(a), unsigned(a >> 32));
}

void Fiber::switchTo(Fiber &from, Fiber &to) {
  swapcontext(&from.context, &to.context);
}

#endif

static constexpr size_t guardBytes = 4096;

StackPool::StackPool(unsigned count) : count(count) {
  void *memory = mmap(nullptr, slotBytes * count, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return;
  base = static_cast<char *>(memory);
  for (unsigned i = 0; i < count; ++i)
    mprotect(base + slotBytes * i, guardBytes, PROT_NONE);
}

StackPool::~StackPool() {
  if (base)
    munmap(base, slotBytes * count);
}

char *StackPool::top(unsigned index) const {
  // Stacks a power of two apart would share the same few cache sets; shift
  // them against each other by a few lines.
  size_t colour = (size_t{index} * 448) % (16 * 1024);
  return base + slotBytes * (index + 1) - colour;
}
