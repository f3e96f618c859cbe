//===- DriverTests.cpp - Launching and timing, on a driver made of functions
//-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The table of a driver's entry points is filled with functions that keep
// "device" memory on the host and take a note of each call. So everything but
// the hardware is tested: order of calls, arguments, times and error paths.
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/DriverApi.h"
#include "mirage/Target/GpuObject.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <cstring>
#include <deque>

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

namespace {

using Handle = DriverApi::Handle;

/// What the fake driver saw, and what it is told to answer.
struct FakeState {
  std::string image;              // PTX of the last module
  std::vector<std::string> calls; // launches, fills and events
  std::deque<float> milliseconds; // next elapsed times
  int failLaunch = 0;             // status of launches
  int liveBuffers = 0, liveEvents = 0, liveModules = 0;
  int devices = 1;
};
FakeState state;

int token; // address of all handles

DriverApi fakeDriver() {
  DriverApi api;
  api.library = "fake";
  api.init = [](unsigned) { return 0; };
  api.deviceCount = [](int *count) { return *count = state.devices, 0; };
  api.deviceName = [](char *name, int, int) {
    return std::strcpy(name, "Fake 9000"), 0;
  };
  api.moduleUnload = [](Handle) { return --state.liveModules, 0; };
  api.moduleGetFunction = [](Handle *function, Handle, const char *name) {
    *function = &token;
    return std::strcmp(name, "store_one") == 0 ? 0 : 500;
  };
  api.allocate = [](Buffer *address, size_t bytes) {
    *address = reinterpret_cast<Buffer>(std::malloc(bytes));
    return ++state.liveBuffers, 0;
  };
  api.release = [](Buffer address) {
    std::free(reinterpret_cast<void *>(address));
    return --state.liveBuffers, 0;
  };
  api.copyToDevice = [](Buffer to, const void *from, size_t bytes) {
    return std::memcpy(reinterpret_cast<void *>(to), from, bytes), 0;
  };
  api.copyToHost = [](void *to, Buffer from, size_t bytes) {
    return std::memcpy(to, reinterpret_cast<void *>(from), bytes), 0;
  };
  api.fill = [](Buffer, unsigned char, size_t) {
    return state.calls.push_back("fill"), 0;
  };
  api.launch = [](Handle, unsigned x, unsigned y, unsigned z, unsigned threads,
                  unsigned, unsigned, unsigned shared, Handle, void **arguments,
                  void **) {
    state.calls.push_back("launch " + std::to_string(x * y * z) + "x" +
                          std::to_string(threads) + " " +
                          std::to_string(shared));
    // What the kernel does: 1.0f to its first argument.
    *reinterpret_cast<float *>(*static_cast<Buffer *>(arguments[0])) = 1.0f;
    return state.failLaunch;
  };
  api.eventCreate = [](Handle *event, unsigned) {
    *event = &token;
    return ++state.liveEvents, 0;
  };
  api.eventRecord = [](Handle, Handle) {
    return state.calls.push_back("record"), 0;
  };
  api.eventSynchronize = [](Handle) { return 0; };
  api.eventElapsed = [](float *milliseconds, Handle, Handle) {
    *milliseconds = state.milliseconds.front();
    return state.milliseconds.pop_front(), 0;
  };
  api.eventDestroy = [](Handle) { return --state.liveEvents, 0; };
  api.synchronize = []() { return 0; };
  api.retainContext = [](Handle *context, int) { return *context = &token, 0; };
  api.setContext = [](Handle) { return 0; };
  api.deviceAttribute = [](int *value, int attribute, int) {
    *value = attribute == 75 ? 9 : attribute == 38 ? 50 << 20 : 0;
    return 0;
  };
  api.moduleLoadWithOptions = [](Handle *module, const void *image, unsigned,
                                 int *, void **) {
    *module = &token;
    state.image = static_cast<const char *>(image);
    return ++state.liveModules, 0;
  };
  api.setFunctionAttribute = [](Handle, int attribute, int value) {
    state.calls.push_back("attribute " + std::to_string(attribute) + "=" +
                          std::to_string(value));
    return 0;
  };
  api.errorString = [](int status, const char **text) {
    return *text = status == 700 ? "illegal address" : "not found", 0;
  };
  return api;
}

constexpr const char *kernelSource = R"mlir(
  gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a">] {
    llvm.func @store_one(%out: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %one = llvm.mlir.constant(1.0 : f32) : f32
      llvm.store %one, %out : f32, !llvm.ptr<1>
      llvm.return
    }
  }
)mlir";

class DriverTests : public testing::Test {
protected:
  DriverTests() {
    state = FakeState();
    DialectRegistry registry;
    registry.insert<gpu::GPUDialect, LLVM::LLVMDialect, NVVM::NVVMDialect>();
    registerGpuObjectInterfaces(registry);
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler(
        [this](Diagnostic &diagnostic) { message = diagnostic.str(); });
    module = parseSourceString<ModuleOp>(kernelSource, &context);
  }

  std::unique_ptr<Device> open(TimingOptions timing) {
    DriverApi api = fakeDriver();
    llvm::Expected<DriverDeviceInfo> info = selectDevice(api);
    EXPECT_TRUE(static_cast<bool>(info));
    return makeDriverDevice(api, *info, timing);
  }

  KernelLaunch launchOf(Buffer output) {
    KernelLaunch launch{UnknownLoc::get(&context), "kernels", "store_one"};
    launch.grid = {2, 3, 1};
    launch.threads = 128;
    launch.arguments = {output};
    return launch;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string message; // of the last diagnostic
};

TEST_F(DriverTests, namesTheDevice) {
  llvm::Expected<DriverDeviceInfo> info = selectDevice(fakeDriver());
  ASSERT_TRUE(static_cast<bool>(info));
  EXPECT_EQ(info->name, "Fake 9000");
  EXPECT_EQ(info->computeCapability, 90);
  EXPECT_EQ(info->l2Bytes, uint64_t{50} << 20);
  EXPECT_EQ(targetOfCapability(90)->name, "sm_90a");
  EXPECT_EQ(targetOfCapability(80)->name, "sm_80");
  EXPECT_EQ(targetOfCapability(10), nullptr);
}

TEST_F(DriverTests, saysThatThereIsNoDevice) {
  state.devices = 0;
  llvm::Expected<DriverDeviceInfo> info = selectDevice(fakeDriver());
  ASSERT_FALSE(static_cast<bool>(info));
  EXPECT_EQ(llvm::toString(info.takeError()),
            "fake: the driver is there, but no device");
}

TEST_F(DriverTests, launchesAndReportsTheMedianOfColdRuns) {
  state.milliseconds = {0.9f, 0.002f, 0.004f};
  {
    std::unique_ptr<Device> device = open({/*repeat=*/3, /*warm=*/false});
    ASSERT_TRUE(succeeded(device->load(*module)));
    EXPECT_NE(state.image.find(".entry store_one"), std::string::npos);
    Location location = UnknownLoc::get(&context);
    FailureOr<Buffer> output = device->allocate(location, 4);
    ASSERT_TRUE(succeeded(output));
    KernelLaunch launch = launchOf(*output);
    launch.sharedBytes = 65536;
    FailureOr<KernelReport> report = device->launch(launch);
    ASSERT_TRUE(succeeded(report));
    EXPECT_FALSE(report->counters);
    FailureOr<std::optional<double>> time = device->time({launch, launch});
    ASSERT_TRUE(succeeded(time));
    EXPECT_NEAR(**time, 4.0, 1e-3);
    float value = 0.0f;
    ASSERT_TRUE(succeeded(device->download(location, &value, *output, 4)));
    EXPECT_EQ(value, 1.0f);
  }
  std::vector<std::string> expected = {
      "attribute 8=65536", "launch 6x128 65536", "attribute 8=65536",
      "attribute 8=65536"};
  for (int i = 0; i < 3; ++i)
    for (const char *call : {"fill", "record", "launch 6x128 65536",
                             "launch 6x128 65536", "record"})
      expected.push_back(call);
  EXPECT_EQ(state.calls, expected);
  EXPECT_EQ(state.liveBuffers, 0);
  EXPECT_EQ(state.liveEvents, 0);
  EXPECT_EQ(state.liveModules, 0);
}

TEST_F(DriverTests, loadsAssembledKernelsAsTheyAre) {
  OwningOpRef<ModuleOp> assembled = parseSourceString<ModuleOp>(
      R"mlir(gpu.binary @kernels [#gpu.object<#nvvm.target<chip = "sm_90a">,
             assembly = "some PTX\00">])mlir",
      &context);
  ASSERT_TRUE(assembled);
  std::unique_ptr<Device> device = open({});
  ASSERT_TRUE(succeeded(device->load(*assembled)));
  EXPECT_EQ(state.image, "some PTX");
}

TEST_F(DriverTests, leavesTheCacheAloneWhenWarm) {
  state.milliseconds = {0.001f, 0.003f};
  std::unique_ptr<Device> device = open({/*repeat=*/2, /*warm=*/true});
  ASSERT_TRUE(succeeded(device->load(*module)));
  FailureOr<Buffer> output = device->allocate(UnknownLoc::get(&context), 4);
  KernelLaunch launch = launchOf(*output);
  FailureOr<std::optional<double>> time = device->time(launch);
  ASSERT_TRUE(succeeded(time));
  EXPECT_NEAR(**time, 2.0, 1e-3);
  EXPECT_FALSE(llvm::is_contained(state.calls, "fill"));
}

TEST_F(DriverTests, passesOnTheDriversWords) {
  std::unique_ptr<Device> device = open({});
  ASSERT_TRUE(succeeded(device->load(*module)));
  FailureOr<Buffer> output = device->allocate(UnknownLoc::get(&context), 4);
  state.failLaunch = 700;
  EXPECT_TRUE(failed(device->launch(launchOf(*output))));
  EXPECT_EQ(message, "cannot launch 'store_one' on Fake 9000: illegal address "
                     "(700)");
  KernelLaunch unknown = launchOf(*output);
  unknown.kernel = "other";
  EXPECT_TRUE(failed(device->launch(unknown)));
  EXPECT_EQ(message, "no kernel 'other' on Fake 9000: not found (500)");
  unknown.module = "elsewhere";
  EXPECT_TRUE(failed(device->launch(unknown)));
  EXPECT_EQ(message, "no gpu.module @elsewhere was loaded");
}

} // namespace
