//===- Device.h - Where kernels run -----------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_DEVICE_H
#define MIRAGE_RUNTIME_DEVICE_H

#include "mirage/Simulator/Simulator.h"
#include "mirage/Target/TargetDescription.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/JSON.h"

#include <array>
#include <memory>
#include <optional>

namespace mirage::runtime {

/// An address in a device's memory.
using Buffer = uint64_t;

/// One kernel launch of a host program.
struct KernelLaunch {
  mlir::Location location;
  llvm::StringRef module; ///< symbol of the gpu.module
  llvm::StringRef kernel;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  uint32_t threads = 1;
  uint32_t sharedBytes = 0;
  /// Pointers, in the order of the kernel's arguments: inputs, then outputs.
  llvm::SmallVector<Buffer> arguments;
  size_t inputs = 0;
};

/// What there is to say of a launch that was made.
struct KernelReport {
  std::string name;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  uint32_t threads = 1;
  uint32_t sharedBytes = 0;
  std::optional<double> microseconds;
  /// As in the report's "counters"; only the simulator counts.
  std::optional<llvm::json::Object> counters;
};

/// How `time` measures, on devices that have a clock.
struct TimingOptions {
  unsigned repeat = 20; ///< 0: not at all.
  /// Leave the L2 cache as the run before left it; else it is overwritten.
  bool warm = false;
};

/// A device with memory that runs the kernels of one lowered module: a
/// gpu.module of LLVM and NVVM or ROCDL operations. Failures are diagnosed
/// before they are returned.
class Device {
public:
  virtual ~Device() = default;
  virtual llvm::StringRef name() const = 0;

  /// Makes the kernels of every gpu.module in `module` ready to run.
  virtual mlir::LogicalResult load(mlir::ModuleOp module) = 0;

  /// Memory is freed with the device.
  virtual mlir::FailureOr<Buffer> allocate(mlir::Location location,
                                           uint64_t bytes) = 0;
  virtual mlir::LogicalResult upload(mlir::Location location, Buffer to,
                                     const void *from, uint64_t bytes) = 0;
  virtual mlir::LogicalResult download(mlir::Location location, void *to,
                                       Buffer from, uint64_t bytes) = 0;

  /// Runs a kernel to its end.
  virtual mlir::FailureOr<KernelReport> launch(const KernelLaunch &launch) = 0;

  /// Median microseconds from the start of the first of these launches to the
  /// end of the last, each right behind the one before. Nothing on a device
  /// without a clock, or if TimingOptions ask for no repeats.
  virtual mlir::FailureOr<std::optional<double>>
  time(llvm::ArrayRef<KernelLaunch> launches) {
    return std::optional<double>();
  }
};

/// The simulator. `target` is used for modules that name no chip themselves.
std::unique_ptr<Device> makeSimulatedDevice(const TargetDescription &target,
                                            sim::Schedule schedule);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_DEVICE_H
