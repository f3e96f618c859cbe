//===- FaultGuard.cpp - Hardware faults of simulated threads --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FaultGuard.h"

#include <csetjmp>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <vector>

using namespace mirage::sim;

static constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static constexpr size_t numSignals = sizeof(signals) / sizeof(signals[0]);

static std::mutex guardMutex;
static unsigned guardCount = 0;
static struct sigaction previous[numSignals];

/// Where a fault on this host thread goes; null: not a simulated thread.
static thread_local sigjmp_buf *target = nullptr;

static void handleFault(int signal) {
  if (sigjmp_buf *to = target) {
    target = nullptr;
    siglongjmp(*to, signal);
  }
  // Not ours: the instruction faults again, under the handler before us.
  for (size_t i = 0; i < numSignals; ++i)
    if (signals[i] == signal)
      sigaction(signal, &previous[i], nullptr);
}

FaultGuard::FaultGuard() {
  std::lock_guard<std::mutex> lock(guardMutex);
  if (guardCount++ != 0)
    return;
  struct sigaction action = {};
  action.sa_handler = handleFault;
  action.sa_flags = SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < numSignals; ++i)
    sigaction(signals[i], &action, &previous[i]);
}

FaultGuard::~FaultGuard() {
  std::lock_guard<std::mutex> lock(guardMutex);
  if (--guardCount != 0)
    return;
  for (size_t i = 0; i < numSignals; ++i)
    sigaction(signals[i], &previous[i], nullptr);
}

struct FaultStack::Saved {
  std::vector<char> memory = std::vector<char>(64 * 1024);
  stack_t before = {};
};

FaultStack::FaultStack() : saved(std::make_unique<Saved>()) {
  stack_t stack = {};
  stack.ss_sp = saved->memory.data();
  stack.ss_size = saved->memory.size();
  sigaltstack(&stack, &saved->before);
}

FaultStack::~FaultStack() { sigaltstack(&saved->before, nullptr); }

int mirage::sim::runGuarded(llvm::function_ref<void()> body) {
  sigjmp_buf buffer;
  int signal = sigsetjmp(buffer, /*savesigs=*/1);
  if (signal == 0) {
    target = &buffer;
    body();
    target = nullptr;
  }
  return signal;
}

const char *mirage::sim::describeFault(int signal) {
  switch (signal) {
  case SIGFPE:
    return "division by zero";
  case SIGILL:
    return "execution reached what the program says is unreachable";
  default:
    return "access to memory that the thread does not have, or too deep a "
           "recursion";
  }
}
