//===- FaultGuard.h - Hardware faults of simulated threads ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel may do what the host's hardware refuses and no check foresees:
// follow a wild generic pointer, recurse without end, divide by zero. Such a
// fault must not take the process down. While a guard exists, a fault on a host
// thread that is inside FaultScope::run ends that call and gives the signal's
// number.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_FAULTGUARD_H
#define MIRAGE_LIB_SIMULATOR_FAULTGUARD_H

#include "llvm/ADT/STLFunctionalExtras.h"

#include <memory>

namespace mirage::sim {

/// Installs the signal handlers of the process; the last guard to go restores
/// those that were there before the first.
class FaultGuard {
public:
  FaultGuard();
  ~FaultGuard();
  FaultGuard(const FaultGuard &) = delete;
  FaultGuard &operator=(const FaultGuard &) = delete;
};

/// A stack for the handler on this host thread, as its own may have overflowed.
class FaultStack {
public:
  FaultStack();
  ~FaultStack();
  FaultStack(const FaultStack &) = delete;
  FaultStack &operator=(const FaultStack &) = delete;

private:
  struct Saved;
  std::unique_ptr<Saved> saved;
};

/// Runs `body` and gives 0, or the signal that ended it; the frames of `body`
/// are then abandoned without being unwound. Needs a guard and a stack.
int runGuarded(llvm::function_ref<void()> body);

/// What a signal means: "division by zero" and the like.
const char *describeFault(int signal);

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_FAULTGUARD_H
