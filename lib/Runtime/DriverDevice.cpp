//===- DriverDevice.cpp - A device behind a driver ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/DriverApi.h"

#include "mirage/Target/GpuObject.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

/// At least this much is overwritten to clear the L2 cache (and the memory-side
/// caches of some devices, which no driver reports).
static constexpr uint64_t minimumFlushBytes = uint64_t{512} << 20;

namespace {
class DriverDevice final : public Device {
public:
  DriverDevice(DriverApi api, DriverDeviceInfo info, TimingOptions timing)
      : api(std::move(api)), info(std::move(info)), timing(timing) {}
  ~DriverDevice() override;

  StringRef name() const override { return info.name; }
  LogicalResult load(ModuleOp module) override;
  FailureOr<Buffer> allocate(Location location, uint64_t bytes) override;
  LogicalResult upload(Location location, Buffer to, const void *from,
                       uint64_t bytes) override;
  LogicalResult download(Location location, void *to, Buffer from,
                         uint64_t bytes) override;
  FailureOr<KernelReport> launch(const KernelLaunch &launch) override;
  FailureOr<std::optional<double>>
  time(ArrayRef<KernelLaunch> launches) override;

private:
  /// A launch as the driver wants it: `arguments` point to the buffers of
  /// `launch`, which has to stay where it is.
  struct PreparedLaunch {
    const KernelLaunch &launch;
    DriverApi::Handle function = nullptr;
    SmallVector<void *> arguments;
  };

  LogicalResult check(Location location, DriverApi::Status status,
                      const Twine &what) const;
  LogicalResult loadKernels(Operation *kernels);
  FailureOr<DriverApi::Handle> loadImage(Location location,
                                         const std::string &image);
  FailureOr<PreparedLaunch> prepare(const KernelLaunch &launch);
  LogicalResult submit(PreparedLaunch &prepared);
  LogicalResult clearCache(Location location);
  FailureOr<double> timeOnce(MutableArrayRef<PreparedLaunch> launches,
                             DriverApi::Handle start, DriverApi::Handle end);

  DriverApi api;
  DriverDeviceInfo info;
  TimingOptions timing;
  llvm::StringMap<DriverApi::Handle> modules; // by symbol
  SmallVector<Buffer> buffers;
  std::optional<Buffer> flushBuffer;
  uint64_t flushBytes = 0;
};

/// A pair of events that is destroyed on every path.
class Stopwatch {
public:
  explicit Stopwatch(const DriverApi &api) : api(api) {}
  ~Stopwatch() {
    for (DriverApi::Handle event : {start, end})
      if (event)
        api.eventDestroy(event);
  }
  DriverApi::Status create() {
    if (DriverApi::Status status = api.eventCreate(&start, 0))
      return status;
    return api.eventCreate(&end, 0);
  }
  DriverApi::Handle start = nullptr, end = nullptr;

private:
  const DriverApi &api;
};
} // namespace

DriverDevice::~DriverDevice() {
  // A failing release has nobody to tell, and the process ends soon.
  for (Buffer buffer : buffers)
    api.release(buffer);
  for (auto &entry : modules)
    api.moduleUnload(entry.second);
}

LogicalResult DriverDevice::check(Location location, DriverApi::Status status,
                                  const Twine &what) const {
  if (status == 0)
    return success();
  return emitError(location)
         << what << " on " << info.name << ": " << api.describe(status);
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

LogicalResult DriverDevice::load(ModuleOp module) {
  for (Operation &op : module.getOps())
    if (isa<gpu::GPUModuleOp, gpu::BinaryOp>(op) && failed(loadKernels(&op)))
      return failure();
  return success();
}

/// True if `kernels` are a gpu.binary that holds machine code.
static bool isAssembled(Operation *kernels) {
  auto binary = dyn_cast<gpu::BinaryOp>(kernels);
  return binary && llvm::none_of(binary.getObjects(), [](Attribute object) {
           return cast<gpu::ObjectAttr>(object).getFormat() ==
                  gpu::CompilationTarget::Assembly;
         });
}

LogicalResult DriverDevice::loadKernels(Operation *kernels) {
  // PTX is compiled by the driver, so that no toolkit is needed.
  bool asText = api.vendor == Vendor::NVIDIA && !isAssembled(kernels);
  FailureOr<std::string> image =
      asText ? emitAssembly(kernels) : emitObject(kernels);
  if (failed(image))
    return failure();
  FailureOr<DriverApi::Handle> handle = loadImage(kernels->getLoc(), *image);
  if (failed(handle))
    return failure();
  modules[SymbolTable::getSymbolName(kernels).getValue()] = *handle;
  return success();
}

FailureOr<DriverApi::Handle> DriverDevice::loadImage(Location location,
                                                     const std::string &image) {
  DriverApi::Handle module = nullptr;
  if (!api.moduleLoadWithOptions) {
    if (failed(check(location, api.moduleLoad(&module, image.data()),
                     "cannot load the kernels")))
      return failure();
    return module;
  }
  // CUjit_option: where the compiler of PTX writes its complaints.
  constexpr int errorLogBuffer = 5, errorLogBufferBytes = 6;
  char log[4096] = {};
  int options[] = {errorLogBuffer, errorLogBufferBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log) - 1)};
  DriverApi::Status status = api.moduleLoadWithOptions(
      &module, image.c_str(), std::size(options), options, values);
  if (status != 0) {
    InFlightDiagnostic diagnostic = emitError(location);
    diagnostic << "cannot load the kernels on " << info.name << ": "
               << api.describe(status);
    if (log[0])
      diagnostic.attachNote() << StringRef(log).rtrim();
    return diagnostic;
  }
  return module;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

FailureOr<Buffer> DriverDevice::allocate(Location location, uint64_t bytes) {
  Buffer buffer = 0;
  if (failed(check(location,
                   api.allocate(&buffer, std::max<uint64_t>(bytes, 1)),
                   "cannot allocate " + Twine(bytes) + " bytes")))
    return failure();
  buffers.push_back(buffer);
  return buffer;
}

LogicalResult DriverDevice::upload(Location location, Buffer to,
                                   const void *from, uint64_t bytes) {
  if (bytes == 0)
    return success();
  return check(location, api.copyToDevice(to, from, bytes),
               "cannot copy to the device");
}

LogicalResult DriverDevice::download(Location location, void *to, Buffer from,
                                     uint64_t bytes) {
  if (bytes == 0)
    return success();
  return check(location, api.copyToHost(to, from, bytes),
               "cannot copy from the device");
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

FailureOr<DriverDevice::PreparedLaunch>
DriverDevice::prepare(const KernelLaunch &launch) {
  auto module = modules.find(launch.module);
  if (module == modules.end())
    return emitError(launch.location)
           << "no gpu.module @" << launch.module << " was loaded";
  PreparedLaunch prepared{launch};
  if (failed(check(launch.location,
                   api.moduleGetFunction(&prepared.function, module->second,
                                         launch.kernel.str().c_str()),
                   "no kernel '" + launch.kernel + "'")))
    return failure();
  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES; more than 48 KiB has to be
  // asked for.
  constexpr int maxDynamicSharedBytes = 8;
  if (api.setFunctionAttribute && launch.sharedBytes > 0 &&
      failed(check(
          launch.location,
          api.setFunctionAttribute(prepared.function, maxDynamicSharedBytes,
                                   static_cast<int>(launch.sharedBytes)),
          "cannot get " + Twine(launch.sharedBytes) +
              " bytes of shared memory")))
    return failure();
  for (const Buffer &argument : launch.arguments)
    prepared.arguments.push_back(const_cast<Buffer *>(&argument));
  return prepared;
}

LogicalResult DriverDevice::submit(PreparedLaunch &prepared) {
  const KernelLaunch &launch = prepared.launch;
  return check(launch.location,
               api.launch(prepared.function, launch.grid[0], launch.grid[1],
                          launch.grid[2], launch.threads, 1, 1,
                          launch.sharedBytes, /*stream=*/nullptr,
                          prepared.arguments.data(), /*extra=*/nullptr),
               "cannot launch '" + launch.kernel + "'");
}

FailureOr<KernelReport> DriverDevice::launch(const KernelLaunch &launch) {
  FailureOr<PreparedLaunch> prepared = prepare(launch);
  if (failed(prepared) || failed(submit(*prepared)) ||
      failed(check(launch.location, api.synchronize(),
                   "'" + launch.kernel + "' failed")))
    return failure();
  return KernelReport{launch.kernel.str(), launch.grid,  launch.threads,
                      launch.sharedBytes,  std::nullopt, std::nullopt};
}

/// Overwrites more memory than the L2 cache holds.
LogicalResult DriverDevice::clearCache(Location location) {
  if (!flushBuffer) {
    flushBytes = std::max(2 * info.l2Bytes, minimumFlushBytes);
    FailureOr<Buffer> buffer = allocate(location, flushBytes);
    if (failed(buffer))
      return failure();
    flushBuffer = *buffer;
  }
  return check(location, api.fill(*flushBuffer, 0, flushBytes),
               "cannot clear the L2 cache");
}

FailureOr<double>
DriverDevice::timeOnce(MutableArrayRef<PreparedLaunch> launches,
                       DriverApi::Handle start, DriverApi::Handle end) {
  Location location = launches.front().launch.location;
  if (failed(check(location, api.eventRecord(start, nullptr),
                   "cannot record an event")))
    return failure();
  for (PreparedLaunch &launch : launches)
    if (failed(submit(launch)))
      return failure();
  float milliseconds = 0.0f;
  if (failed(check(location, api.eventRecord(end, nullptr),
                   "cannot record an event")) ||
      failed(check(location, api.eventSynchronize(end),
                   "'" + launches.front().launch.kernel + "' failed")) ||
      failed(check(location, api.eventElapsed(&milliseconds, start, end),
                   "cannot read the time")))
    return failure();
  return 1000.0 * milliseconds;
}

/// Kernels read their inputs and write their outputs and nothing else, so they
/// may run again and again.
FailureOr<std::optional<double>>
DriverDevice::time(ArrayRef<KernelLaunch> launches) {
  if (timing.repeat == 0 || launches.empty())
    return std::optional<double>();
  SmallVector<PreparedLaunch> prepared;
  for (const KernelLaunch &launch : launches) {
    FailureOr<PreparedLaunch> next = prepare(launch);
    if (failed(next))
      return failure();
    prepared.push_back(std::move(*next));
  }
  Location location = launches.front().location;
  Stopwatch watch(api);
  if (failed(check(location, watch.create(), "cannot make an event")))
    return failure();
  SmallVector<double> times;
  for (unsigned i = 0; i < timing.repeat; ++i) {
    if (!timing.warm && failed(clearCache(location)))
      return failure();
    FailureOr<double> time = timeOnce(prepared, watch.start, watch.end);
    if (failed(time))
      return failure();
    times.push_back(*time);
  }
  llvm::sort(times);
  size_t middle = times.size() / 2;
  return std::optional(times.size() % 2
                           ? times[middle]
                           : 0.5 * (times[middle - 1] + times[middle]));
}

std::unique_ptr<Device>
mirage::runtime::makeDriverDevice(DriverApi api, DriverDeviceInfo info,
                                  TimingOptions timing) {
  return std::make_unique<DriverDevice>(std::move(api), std::move(info),
                                        timing);
}
