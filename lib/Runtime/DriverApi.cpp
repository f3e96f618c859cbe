//===- DriverApi.cpp - The CUDA and HIP driver libraries ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/DriverApi.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <dlfcn.h>

using namespace mirage;
using namespace mirage::runtime;

namespace {
/// Fills the entries of a table from one library and remembers what it lacks.
class Symbols {
public:
  explicit Symbols(void *library) : library(library) {}

  template <typename Function>
  void bind(Function &entry, const char *name) {
    entry = reinterpret_cast<Function>(dlsym(library, name));
    if (!entry)
      missing.push_back(name);
  }

  llvm::ArrayRef<const char *> getMissing() const { return missing; }

private:
  void *library;
  llvm::SmallVector<const char *> missing;
};
} // namespace

static void bindCuda(Symbols &symbols, DriverApi &api) {
  symbols.bind(api.init, "cuInit");
  symbols.bind(api.deviceCount, "cuDeviceGetCount");
  symbols.bind(api.deviceName, "cuDeviceGetName");
  symbols.bind(api.moduleLoad, "cuModuleLoadData");
  symbols.bind(api.moduleUnload, "cuModuleUnload");
  symbols.bind(api.moduleGetFunction, "cuModuleGetFunction");
  symbols.bind(api.allocate, "cuMemAlloc_v2");
  symbols.bind(api.release, "cuMemFree_v2");
  symbols.bind(api.copyToDevice, "cuMemcpyHtoD_v2");
  symbols.bind(api.copyToHost, "cuMemcpyDtoH_v2");
  symbols.bind(api.fill, "cuMemsetD8_v2");
  symbols.bind(api.launch, "cuLaunchKernel");
  symbols.bind(api.eventCreate, "cuEventCreate");
  symbols.bind(api.eventRecord, "cuEventRecord");
  symbols.bind(api.eventSynchronize, "cuEventSynchronize");
  symbols.bind(api.eventElapsed, "cuEventElapsedTime");
  symbols.bind(api.eventDestroy, "cuEventDestroy_v2");
  symbols.bind(api.synchronize, "cuCtxSynchronize");
  symbols.bind(api.retainContext, "cuDevicePrimaryCtxRetain");
  symbols.bind(api.setContext, "cuCtxSetCurrent");
  symbols.bind(api.deviceAttribute, "cuDeviceGetAttribute");
  symbols.bind(api.moduleLoadWithOptions, "cuModuleLoadDataEx");
  symbols.bind(api.setFunctionAttribute, "cuFuncSetAttribute");
  symbols.bind(api.errorString, "cuGetErrorString");
}

static void bindHip(Symbols &symbols, DriverApi &api) {
  symbols.bind(api.init, "hipInit");
  symbols.bind(api.deviceCount, "hipGetDeviceCount");
  symbols.bind(api.deviceName, "hipDeviceGetName");
  symbols.bind(api.moduleLoad, "hipModuleLoadData");
  symbols.bind(api.moduleUnload, "hipModuleUnload");
  symbols.bind(api.moduleGetFunction, "hipModuleGetFunction");
  symbols.bind(api.allocate, "hipMalloc");
  symbols.bind(api.release, "hipFree");
  symbols.bind(api.copyToDevice, "hipMemcpyHtoD");
  symbols.bind(api.copyToHost, "hipMemcpyDtoH");
  symbols.bind(api.fill, "hipMemsetD8");
  symbols.bind(api.launch, "hipModuleLaunchKernel");
  symbols.bind(api.eventCreate, "hipEventCreateWithFlags");
  symbols.bind(api.eventRecord, "hipEventRecord");
  symbols.bind(api.eventSynchronize, "hipEventSynchronize");
  symbols.bind(api.eventElapsed, "hipEventElapsedTime");
  symbols.bind(api.eventDestroy, "hipEventDestroy");
  symbols.bind(api.synchronize, "hipDeviceSynchronize");
  symbols.bind(api.setDevice, "hipSetDevice");
  symbols.bind(api.errorText, "hipGetErrorString");
}

llvm::Expected<DriverApi> mirage::runtime::loadDriver(Vendor vendor) {
  static const char *const cudaNames[] = {"libcuda.so.1", "libcuda.so"};
  static const char *const hipNames[] = {"libamdhip64.so", "libamdhip64.so.7",
                                         "libamdhip64.so.6", "libamdhip64.so.5",
                                         "/opt/rocm/lib/libamdhip64.so"};
  bool nvidia = vendor == Vendor::NVIDIA;
  llvm::ArrayRef<const char *> names =
      nvidia ? llvm::ArrayRef(cudaNames) : llvm::ArrayRef(hipNames);
  DriverApi api;
  api.vendor = vendor;
  void *library = nullptr;
  for (const char *name : names) {
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library) {
      api.library = name;
      break;
    }
  }
  if (!library)
    return llvm::createStringError(
        llvm::Twine("no ") + (nvidia ? "CUDA" : "HIP") +
        " driver on this machine (looked for " + llvm::join(names, ", ") +
        "); --device=sim runs the same kernels without one");
  Symbols symbols(library);
  nvidia ? bindCuda(symbols, api) : bindHip(symbols, api);
  if (!symbols.getMissing().empty())
    return llvm::createStringError(llvm::Twine(api.library) +
                                   " is too old or no driver: it lacks " +
                                   llvm::join(symbols.getMissing(), ", "));
  return api;
}

std::string DriverApi::describe(Status status) const {
  const char *text = nullptr;
  if (errorText)
    text = errorText(status);
  else if (errorString)
    errorString(status, &text);
  return (text ? std::string(text) : std::string("unknown error")) + " (" +
         std::to_string(status) + ")";
}

static llvm::Error check(const DriverApi &api, DriverApi::Status status,
                         llvm::StringRef what) {
  if (status == 0)
    return llvm::Error::success();
  return llvm::createStringError(api.library + ": " + what + ": " +
                                 api.describe(status));
}

/// Makes the first device current for this thread.
static llvm::Error makeCurrent(const DriverApi &api) {
  if (api.setDevice)
    return check(api, api.setDevice(0), "cannot use device 0");
  DriverApi::Handle context = nullptr;
  if (llvm::Error error =
          check(api, api.retainContext(&context, 0), "cannot use device 0"))
    return error;
  return check(api, api.setContext(context), "cannot use device 0");
}

llvm::Expected<DriverDeviceInfo>
mirage::runtime::selectDevice(const DriverApi &api) {
  if (llvm::Error error = check(api, api.init(0), "cannot start the driver"))
    return error;
  int count = 0;
  if (llvm::Error error =
          check(api, api.deviceCount(&count), "cannot count devices"))
    return error;
  if (count == 0)
    return llvm::createStringError(api.library +
                                   ": the driver is there, but no device");
  if (llvm::Error error = makeCurrent(api))
    return error;
  DriverDeviceInfo info;
  char name[256] = {};
  if (llvm::Error error =
          check(api, api.deviceName(name, sizeof(name) - 1, 0), "no name"))
    return error;
  info.name = name;
  if (!api.deviceAttribute)
    return info;
  // CUdevice_attribute: the numbers are part of the driver's interface.
  constexpr int l2CacheSize = 38, capabilityMajor = 75, capabilityMinor = 76;
  int major = 0, minor = 0, l2Bytes = 0;
  for (auto [value, attribute] :
       {std::pair{&major, capabilityMajor}, std::pair{&minor, capabilityMinor},
        std::pair{&l2Bytes, l2CacheSize}})
    if (llvm::Error error = check(api, api.deviceAttribute(value, attribute, 0),
                                  "no attribute"))
      return error;
  info.computeCapability = 10 * major + minor;
  info.l2Bytes = static_cast<uint64_t>(l2Bytes);
  return info;
}

const TargetDescription *
mirage::runtime::targetOfCapability(int computeCapability) {
  std::string base = "sm_" + std::to_string(computeCapability);
  for (const TargetDescription &target : allTargets())
    if (target.name == base || target.name == base + "a")
      return &target;
  return nullptr;
}
