//===- DriverApi.h - The CUDA and HIP driver libraries, loaded at run time -*-
// C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The two driver interfaces have the same functions with the same signatures,
// but for their names and a handful of exceptions. So one table of function
// pointers serves both, and one Device works on the table. Nothing links to
// either library: where it is absent, loading it is an error like any other.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_DRIVERAPI_H
#define MIRAGE_RUNTIME_DRIVERAPI_H

#include "mirage/Runtime/Device.h"

#include "llvm/Support/Error.h"

#include <string>

namespace mirage::runtime {

/// A driver's entry points. Statuses are 0 for success.
struct DriverApi {
  using Status = int;
  using Handle = void *;

  Vendor vendor = Vendor::NVIDIA;
  std::string library; ///< as it was loaded, e.g. "libcuda.so.1"

  Status (*init)(unsigned flags);
  Status (*deviceCount)(int *count);
  Status (*deviceName)(char *name, int length, int device);
  Status (*moduleLoad)(Handle *module, const void *image);
  Status (*moduleUnload)(Handle module);
  Status (*moduleGetFunction)(Handle *function, Handle module,
                              const char *name);
  Status (*allocate)(Buffer *address, size_t bytes);
  Status (*release)(Buffer address);
  Status (*copyToDevice)(Buffer to, const void *from, size_t bytes);
  Status (*copyToHost)(void *to, Buffer from, size_t bytes);
  Status (*fill)(Buffer address, unsigned char value, size_t bytes);
  Status (*launch)(Handle function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, Handle stream,
                   void **arguments, void **extra);
  Status (*eventCreate)(Handle *event, unsigned flags);
  Status (*eventRecord)(Handle event, Handle stream);
  Status (*eventSynchronize)(Handle event);
  Status (*eventElapsed)(float *milliseconds, Handle start, Handle end);
  Status (*eventDestroy)(Handle event);
  Status (*synchronize)();

  // CUDA only.
  Status (*retainContext)(Handle *context, int device) = nullptr;
  Status (*setContext)(Handle context) = nullptr;
  Status (*deviceAttribute)(int *value, int attribute, int device) = nullptr;
  Status (*moduleLoadWithOptions)(Handle *module, const void *image,
                                  unsigned count, int *options,
                                  void **values) = nullptr;
  Status (*setFunctionAttribute)(Handle function, int attribute,
                                 int value) = nullptr;
  Status (*errorString)(Status status, const char **text) = nullptr;
  // HIP only.
  Status (*setDevice)(int device) = nullptr;
  const char *(*errorText)(Status status) = nullptr;

  /// The driver's own words for a status.
  std::string describe(Status status) const;
};

/// Opens the driver library of `vendor`. The error says which library was
/// looked for and what is wrong with it.
llvm::Expected<DriverApi> loadDriver(Vendor vendor);

/// What is known of the device that is used (the first one).
struct DriverDeviceInfo {
  std::string name;
  /// 10 * major + minor compute capability, or 0 where the driver has none.
  int computeCapability = 0;
  uint64_t l2Bytes = 0;
};

/// Initialises the driver and selects its first device.
llvm::Expected<DriverDeviceInfo> selectDevice(const DriverApi &api);

/// Chip of the table that a device with this compute capability runs, or null.
const TargetDescription *targetOfCapability(int computeCapability);

/// A device behind a driver on which `selectDevice` succeeded.
std::unique_ptr<Device> makeDriverDevice(DriverApi api, DriverDeviceInfo info,
                                         TimingOptions timing);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_DRIVERAPI_H
