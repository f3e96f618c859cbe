//===- SimulatedDevice.cpp - The simulator as a device --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Device.h"

#include "mirage/Simulator/Simulator.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

#include <cstring>
#include <vector>

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

static llvm::json::Object toJson(const sim::Counters &counters) {
  return llvm::json::Object{
      {"global_load_bytes", counters.globalLoadBytes},
      {"global_store_bytes", counters.globalStoreBytes},
      {"global_sectors", counters.globalSectors},
      {"shared_load_wavefronts", counters.sharedLoadWavefronts},
      {"shared_store_wavefronts", counters.sharedStoreWavefronts},
      {"shuffles", counters.shuffles},
      {"barriers", counters.barriers},
      {"mma", counters.mma},
      {"cluster_barriers", counters.clusterBarriers},
      {"remote_shared_bytes", counters.remoteSharedBytes}};
}

namespace {
/// Its memory is the host's: a buffer is the address of a vector's data.
class SimulatedDevice final : public Device {
public:
  SimulatedDevice(const TargetDescription &target, sim::Schedule schedule)
      : target(target) {
    options.schedule = schedule;
  }

  StringRef name() const override { return "simulator"; }

  LogicalResult load(ModuleOp module) override {
    // Not at the binary: the line with it may be megabytes.
    for (auto binary : module.getOps<gpu::BinaryOp>())
      return module.emitError("cannot simulate @")
             << binary.getName()
             << ", which is assembled; lower with emit=llvm";
    for (auto gpuModule : module.getOps<gpu::GPUModuleOp>()) {
      bool namesChip = gpuModule.getTargetsAttr() != nullptr;
      auto simulator = namesChip
                           ? sim::Simulator::create(gpuModule, options)
                           : sim::Simulator::create(gpuModule, target, options);
      if (failed(simulator))
        return failure();
      simulators[gpuModule.getName()] = std::move(*simulator);
    }
    return success();
  }

  FailureOr<Buffer> allocate(Location location, uint64_t bytes) override {
    // Never empty, so that each buffer has an address of its own.
    std::vector<char> &memory =
        memories.emplace_back(std::max<uint64_t>(bytes, 1));
    auto buffer = reinterpret_cast<Buffer>(memory.data());
    sizes[buffer] = bytes;
    return buffer;
  }

  LogicalResult upload(Location location, Buffer to, const void *from,
                       uint64_t bytes) override {
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
    return success();
  }

  LogicalResult download(Location location, void *to, Buffer from,
                         uint64_t bytes) override {
    std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
    return success();
  }

  FailureOr<KernelReport> launch(const KernelLaunch &launch) override;

private:
  const TargetDescription &target;
  sim::SimulatorOptions options;
  llvm::StringMap<std::unique_ptr<sim::Simulator>> simulators; // by module
  std::vector<std::vector<char>> memories;
  llvm::DenseMap<Buffer, uint64_t> sizes;
};
} // namespace

FailureOr<KernelReport> SimulatedDevice::launch(const KernelLaunch &launch) {
  auto simulator = simulators.find(launch.module);
  if (simulator == simulators.end())
    return emitError(launch.location)
           << "no gpu.module @" << launch.module << " was loaded";
  SmallVector<sim::Argument> arguments;
  for (auto [index, buffer] : llvm::enumerate(launch.arguments)) {
    auto *memory = reinterpret_cast<void *>(buffer);
    uint64_t bytes = sizes.lookup(buffer);
    arguments.push_back(index < launch.inputs
                            ? sim::Argument::input(memory, bytes)
                            : sim::Argument::buffer(memory, bytes));
  }
  FailureOr<sim::Counters> counters = simulator->second->launch(
      launch.kernel, {launch.grid[0], launch.grid[1], launch.grid[2]},
      {launch.threads, 1, 1}, launch.sharedBytes, arguments);
  if (failed(counters))
    return failure();
  return KernelReport{launch.kernel.str(), launch.grid,  launch.threads,
                      launch.sharedBytes,  std::nullopt, toJson(*counters)};
}

std::unique_ptr<Device>
mirage::runtime::makeSimulatedDevice(const TargetDescription &target,
                                     sim::Schedule schedule) {
  return std::make_unique<SimulatedDevice>(target, schedule);
}
