//===- Execution.h - Run a program at any stage on any device ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_EXECUTION_H
#define MIRAGE_RUNTIME_EXECUTION_H

#include "mirage/Runtime/Compare.h"
#include "mirage/Runtime/Device.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace mirage::runtime {

enum class DeviceKind { Reference, Simulator, Cuda, Hip };

/// What `--check` asks for.
struct CheckOptions {
  bool enabled = false;
  std::optional<Tolerance> tolerance; ///< unset: the rule of Compare.h
};

struct ExecutionOptions {
  DeviceKind device = DeviceKind::Simulator;
  std::string entry; ///< empty: the only public function
  /// Null: the device's own chip where it says so, else the default one.
  const TargetDescription *target = nullptr;
  uint64_t seed = 0;
  std::string inputs = "random"; ///< "random", "ints" or a directory
  std::string outputs;           ///< a directory, or empty
  CheckOptions check;
  bool search = true; ///< superoptimize kernel-level programs first
  TimingOptions timing;
  sim::Schedule schedule; ///< of threads in the simulator
};

struct ExecutionReport {
  std::string device;     ///< "reference", "sim", "cuda", "hip"
  std::string deviceName; ///< the hardware's own name, or empty
  std::string target;
  bool ok = true;
  /// The worst of all results; unset where nothing was checked.
  std::optional<Comparison> comparison;
  double seconds = 0.0; ///< wall time of running it, without compiling
  std::vector<KernelReport> kernels;
  std::optional<double> microseconds; ///< of all kernels together.
};

/// Lowers `module` as far as the device needs it (in place), runs its entry,
/// compares and writes outputs. Whatever keeps it from running is diagnosed; a
/// result that is wrong is no failure but `ok == false`.
mlir::FailureOr<ExecutionReport> execute(mlir::ModuleOp module,
                                         const ExecutionOptions &options);

/// The report as mirage-run writes it.
llvm::json::Value toJson(const ExecutionReport &report);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_EXECUTION_H
