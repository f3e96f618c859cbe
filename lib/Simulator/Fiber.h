//===- Fiber.h - Stacks that can be left and resumed ------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fiber is a stack and the point at which it was left. Switching saves the
// callee-saved registers and exchanges the stack pointer: about 5 ns on x86-64,
// against 300 ns for ucontext, which asks the kernel to save the signal mask.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_FIBER_H
#define MIRAGE_LIB_SIMULATOR_FIBER_H

#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace mirage::sim {

/// Where a stack was left.
class Fiber {
public:
  /// Makes the fiber start `function(argument)` on the stack that ends at
  /// `top` (16-byte aligned) and has `bytes` bytes, when it is next resumed.
  /// `function` must never return.
  void prepare(char *top, size_t bytes, void (*function)(void *),
               void *argument);

  /// Leaves `from` (the running fiber) and resumes `to`.
  static void switchTo(Fiber &from, Fiber &to);

private:
#if defined(__x86_64__)
  void *stackPointer = nullptr;
#else
  ucontext_t context;
#endif
};

/// Equally large stacks in one reservation, each with a guard page below it.
/// Memory is only used for pages that a fiber touched.
class StackPool {
public:
  explicit StackPool(unsigned count);
  ~StackPool();
  StackPool(const StackPool &) = delete;
  StackPool &operator=(const StackPool &) = delete;

  bool isValid() const { return base != nullptr; }
  unsigned size() const { return count; }
  char *top(unsigned index) const;
  static constexpr size_t usableBytes = 512 * 1024 - 32 * 1024;

private:
  static constexpr size_t slotBytes = 512 * 1024;
  char *base = nullptr;
  unsigned count;
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_FIBER_H
