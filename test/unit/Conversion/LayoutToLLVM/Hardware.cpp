//===- Hardware.cpp - The tests' kernels on a GPU -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"

#include "mirage/Runtime/DriverApi.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/ErrorHandling.h"

#include <cstdlib>
#include <optional>

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

namespace {
struct Hardware {
  DriverApi api;
  DriverDeviceInfo info;
};
} // namespace

/// The GPU that the environment asks for.
static std::optional<Hardware> openHardware() {
  const char *name = std::getenv("MIRAGE_TEST_DEVICE");
  if (!name || !*name)
    return std::nullopt;
  StringRef device = name;
  if (device != "cuda" && device != "hip")
    llvm::report_fatal_error("MIRAGE_TEST_DEVICE: expected cuda or hip, got '" +
                                 Twine(device) + "'",
                             /*gen_crash_diag=*/false);
  auto open = [&]() -> llvm::Expected<Hardware> {
    auto api = loadDriver(device == "cuda" ? Vendor::NVIDIA : Vendor::AMD);
    if (!api)
      return api.takeError();
    auto info = selectDevice(*api);
    if (!info)
      return info.takeError();
    return Hardware{std::move(*api), std::move(*info)};
  };
  llvm::Expected<Hardware> hardware = open();
  if (!hardware)
    llvm::report_fatal_error("MIRAGE_TEST_DEVICE: " +
                                 Twine(toString(hardware.takeError())),
                             /*gen_crash_diag=*/false);
  return std::move(*hardware);
}

static const std::optional<Hardware> &hardware() {
  static std::optional<Hardware> instance = openHardware();
  return instance;
}

bool mirage::test::hasHardwareFor(const TargetDescription &target) {
  if (!hardware() || hardware()->api.vendor != target.vendor)
    return false;
  if (!target.isNVIDIA())
    return target.name == "gfx942";
  // Code of an architecture without a suffix also runs on later ones.
  StringRef number = target.name;
  number.consume_front("sm_");
  int capability = hardware()->info.computeCapability, wanted = 0;
  if (number.consume_back("a"))
    return !number.getAsInteger(10, wanted) && wanted == capability;
  return !number.getAsInteger(10, wanted) && wanted <= capability;
}

LogicalResult
mirage::test::runOnHardware(gpu::GPUModuleOp kernels, StringRef kernel,
                            uint32_t blocks, uint32_t threads,
                            uint32_t sharedBytes,
                            std::vector<std::vector<uint8_t>> &memory) {
  std::unique_ptr<Device> device =
      makeDriverDevice(hardware()->api, hardware()->info, {/*repeat=*/0});
  if (failed(device->load(kernels->getParentOfType<ModuleOp>())))
    return failure();
  Location location = kernels.getLoc();
  KernelLaunch launch{location,       kernels.getName(), kernel,
                      {blocks, 1, 1}, threads,           sharedBytes};
  for (const std::vector<uint8_t> &contents : memory) {
    FailureOr<Buffer> buffer = device->allocate(location, contents.size());
    if (failed(buffer) ||
        failed(device->upload(location, *buffer, contents.data(),
                              contents.size())))
      return failure();
    launch.arguments.push_back(*buffer);
  }
  if (failed(device->launch(launch)))
    return failure();
  for (auto [buffer, contents] : llvm::zip_equal(launch.arguments, memory))
    if (failed(device->download(location, contents.data(), buffer,
                                contents.size())))
      return failure();
  return success();
}
