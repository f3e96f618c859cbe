//===- Simulator.cpp - Execute lowered GPU kernels on the host ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Simulator/Simulator.h"

#include "Compile.h"
#include "FaultGuard.h"
#include "HostModule.h"
#include "Machine.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"

#include <sys/mman.h>

#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace mirage;
using namespace mirage::sim;

struct Simulator::Implementation {
  MLIRContext *context;
  Location location; ///< of the module.
  const TargetDescription &target;
  SimulatorOptions options;
  HostModule host; ///< without its module, which is compiled.
  CompiledModule code;
  AccessModel model;
  std::vector<std::unique_ptr<Machine>> machines;

  Implementation(gpu::GPUModuleOp module, const TargetDescription &target,
                 const SimulatorOptions &options)
      : context(module.getContext()), location(module.getLoc()), target(target),
        options(options), model(target) {}

  InFlightDiagnostic error() const { return emitError(location); }
  const KernelSignature *find(StringRef kernel) const;
  LogicalResult checkLaunch(const KernelSignature *signature, StringRef kernel,
                            const LaunchPlan &plan,
                            ArrayRef<Argument> arguments) const;
  FailureOr<Counters> run(StringRef kernel, const LaunchPlan &plan);
  LogicalResult report(StringRef kernel, const LaunchPlan &plan,
                       const Failure &failure) const;
};

Simulator::Simulator(std::unique_ptr<Implementation> implementation)
    : implementation(std::move(implementation)) {}

Simulator::~Simulator() = default;

std::optional<Schedule> Schedule::parse(StringRef text) {
  if (text == "forward")
    return Schedule{Order::Forward};
  if (text == "reverse")
    return Schedule{Order::Reverse};
  Schedule result{Order::Random};
  if (text.getAsInteger(10, result.seed))
    return std::nullopt;
  return result;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

FailureOr<std::unique_ptr<Simulator>>
Simulator::create(gpu::GPUModuleOp module, const TargetDescription &target,
                  const SimulatorOptions &options) {
  auto self = std::make_unique<Implementation>(module, target, options);
  FailureOr<HostModule> host = buildHostModule(module, target, options);
  if (failed(host))
    return failure();
  FailureOr<CompiledModule> code = CompiledModule::compile(*host->module);
  if (failed(code))
    return failure();
  self->code = std::move(*code);
  host->module = {};
  self->host = std::move(*host);
  return std::unique_ptr<Simulator>(new Simulator(std::move(self)));
}

FailureOr<std::unique_ptr<Simulator>>
Simulator::create(gpu::GPUModuleOp module, const SimulatorOptions &options) {
  StringRef chip;
  for (Attribute attribute : module.getTargetsAttr()
                                 ? module.getTargetsAttr().getValue()
                                 : ArrayRef<Attribute>()) {
    if (auto nvvm = dyn_cast<NVVM::NVVMTargetAttr>(attribute))
      chip = nvvm.getChip();
    else if (auto rocdl = dyn_cast<ROCDL::ROCDLTargetAttr>(attribute))
      chip = rocdl.getChip();
  }
  if (chip.empty())
    return module.emitError("the gpu.module has no #nvvm.target or "
                            "#rocdl.target that names a chip");
  const TargetDescription *target = lookupTarget(chip);
  if (!target)
    return module.emitError("unknown chip '")
           << chip << "', expected one of " << knownTargetNames();
  return create(module, *target, options);
}

std::vector<std::string> Simulator::kernels() const {
  std::vector<std::string> names;
  for (const KernelSignature &kernel : implementation->host.kernels)
    names.push_back(kernel.name);
  return names;
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

namespace {
/// Device memory of one launch: buffers as a driver would give them, aligned to
/// 256 bytes and far enough apart that an access past one does not hit another.
class DeviceMemory {
public:
  explicit DeviceMemory(ArrayRef<Argument> arguments);
  ~DeviceMemory() {
    if (base)
      munmap(base, bytes);
  }
  bool isValid() const { return base != nullptr; }
  /// Copies the written buffers to the host.
  void copyBack(ArrayRef<Argument> arguments) const;

  std::vector<MemoryRange> ranges;
  std::vector<uint64_t> pointers; ///< of each argument, 0 for values.

private:
  static constexpr uint64_t alignment = 256, gap = 1 << 20;
  char *base = nullptr;
  uint64_t bytes = gap;
};
} // namespace

DeviceMemory::DeviceMemory(ArrayRef<Argument> arguments) {
  std::vector<uint64_t> offsets;
  for (const Argument &argument : arguments) {
    offsets.push_back(bytes);
    if (argument.kind != Argument::Kind::Value)
      bytes = llvm::alignTo(bytes + argument.bytes, alignment) + gap;
  }
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return;
  base = static_cast<char *>(memory);
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    if (argument.kind == Argument::Kind::Value) {
      pointers.push_back(0);
      continue;
    }
    char *copy = base + offsets[i];
    std::memcpy(copy, argument.data, argument.bytes);
    auto begin = reinterpret_cast<uint64_t>(copy);
    pointers.push_back(begin);
    ranges.push_back({begin, begin + argument.bytes, unsigned(i),
                      argument.kind == Argument::Kind::Buffer});
  }
}

void DeviceMemory::copyBack(ArrayRef<Argument> arguments) const {
  for (auto [i, argument] : llvm::enumerate(arguments))
    if (argument.kind == Argument::Kind::Buffer)
      std::memcpy(argument.data, reinterpret_cast<char *>(pointers[i]),
                  argument.bytes);
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

const KernelSignature *Simulator::Implementation::find(StringRef kernel) const {
  for (const KernelSignature &signature : host.kernels)
    if (signature.name == kernel)
      return &signature;
  return nullptr;
}

LogicalResult
Simulator::Implementation::checkLaunch(const KernelSignature *signature,
                                       StringRef kernel, const LaunchPlan &plan,
                                       ArrayRef<Argument> arguments) const {
  if (!signature)
    return error() << "the module has no kernel '" << kernel << "'";
  uint64_t threads = plan.block.count();
  if (plan.grid.count() == 0 || threads == 0 ||
      threads > target.maxThreadsPerBlock)
    return error() << "kernel '" << kernel << "' launched with "
                   << plan.grid.count() << " blocks of " << threads
                   << " threads; a block has 1 to " << target.maxThreadsPerBlock
                   << " on " << target.name;
  const Dim3 &g = plan.grid, &c = plan.cluster;
  if (g.x % c.x || g.y % c.y || g.z % c.z)
    return error() << "kernel '" << kernel << "' launched with a grid of "
                   << g.x << "x" << g.y << "x" << g.z
                   << " blocks, which clusters of " << c.x << "x" << c.y << "x"
                   << c.z << " do not divide";
  uint64_t shared = plan.staticSharedBytes + plan.dynamicSharedBytes;
  if (shared > target.sharedBytesPerBlock)
    return error() << "kernel '" << kernel << "' needs " << shared
                   << " bytes of shared memory, " << target.name << " has "
                   << target.sharedBytesPerBlock << " for a block";
  if (arguments.size() != signature->arguments.size())
    return error() << "kernel '" << kernel << "' launched with "
                   << arguments.size() << " arguments, expected "
                   << signature->arguments.size();
  for (auto [i, pair] :
       llvm::enumerate(llvm::zip_equal(arguments, signature->arguments))) {
    auto &[given, wanted] = pair;
    bool isValue = given.kind == Argument::Kind::Value;
    if (isValue == wanted.isPointer)
      return error() << "argument #" << i << " of kernel '" << kernel << "' is "
                     << (isValue ? "a value, expected memory"
                                 : "memory, expected a value");
    if (isValue && given.bytes != wanted.bytes)
      return error() << "argument #" << i << " of kernel '" << kernel
                     << "' has " << given.bytes << " bytes, expected "
                     << wanted.bytes;
  }
  return success();
}

LogicalResult Simulator::Implementation::report(StringRef kernel,
                                                const LaunchPlan &plan,
                                                const Failure &failure) const {
  const Dim3 &g = plan.grid, &b = plan.block;
  const Site *site =
      failure.site == noSite ? nullptr : &host.sites[failure.site];
  InFlightDiagnostic diagnostic = emitError(site ? site->location : location);
  if (site)
    diagnostic << "'" << site->name << "' in ";
  diagnostic << "kernel '" << kernel << "', block (" << failure.block % g.x
             << ", " << failure.block / g.x % g.y << ", "
             << failure.block / g.x / g.y << "), thread ("
             << failure.thread % b.x << ", " << failure.thread / b.x % b.y
             << ", " << failure.thread / b.x / b.y << "): " << failure.message;
  for (const auto &[at, text] : failure.notes)
    diagnostic.attachNote(host.sites[at].location) << text;
  return diagnostic;
}

FailureOr<Counters> Simulator::Implementation::run(StringRef kernel,
                                                   const LaunchPlan &plan) {
  uint64_t clusters = plan.clusters();
  unsigned workers = options.hostThreads ? options.hostThreads
                                         : std::thread::hardware_concurrency();
  workers = std::clamp<uint64_t>(workers, 1, std::min<uint64_t>(clusters, 64));
  while (machines.size() < workers)
    machines.push_back(std::make_unique<Machine>(model, host.sites));
  for (unsigned i = 0; i < workers; ++i)
    if (!machines[i]->prepare(plan))
      return error() << "the host grants no memory for the stacks and the "
                        "shared memory of a block of "
                     << plan.block.count() << " threads";

  // Clusters are started in order. After a failure no further one is started,
  // but those before it finish, so that the first failure is always the same
  // one.
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::optional<Failure> first;
  FaultGuard guard;
  auto work = [&](Machine &machine) {
    FaultStack stack;
    for (uint64_t cluster; !stop && (cluster = next++) < clusters;) {
      std::optional<Failure> failure = machine.runCluster(cluster);
      if (!failure)
        continue;
      stop = true;
      std::lock_guard<std::mutex> lock(mutex);
      if (!first || failure->cluster < first->cluster)
        first = std::move(failure);
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < workers; ++i)
    others.emplace_back(work, std::ref(*machines[i]));
  work(*machines[0]);
  for (std::thread &other : others)
    other.join();

  Counters counters;
  for (unsigned i = 0; i < workers; ++i)
    counters += machines[i]->takeCounters();
  if (first) {
    (void)report(kernel, plan, *first);
    return failure();
  }
  return counters;
}

FailureOr<Counters> Simulator::launch(StringRef kernel, Dim3 grid, Dim3 block,
                                      uint64_t sharedBytes,
                                      ArrayRef<Argument> arguments) {
  Implementation &self = *implementation;
  LaunchPlan plan{};
  plan.sites = self.host.sites;
  plan.target = &self.target;
  plan.options = &self.options;
  plan.grid = grid;
  plan.block = block;
  plan.staticSharedBytes = self.host.staticSharedBytes;
  plan.dynamicSharedBytes = sharedBytes;
  const KernelSignature *signature = self.find(kernel);
  if (signature)
    plan.cluster = signature->cluster;
  if (failed(self.checkLaunch(signature, kernel, plan, arguments)))
    return failure();
  void *entry = self.code.lookup(signature->entryName());
  if (!entry)
    return self.error() << "kernel '" << kernel << "' was not compiled";
  plan.entry = reinterpret_cast<decltype(plan.entry)>(entry);

  DeviceMemory memory(arguments);
  if (!memory.isValid())
    return self.error() << "the host grants no memory for the buffers of '"
                        << kernel << "'";
  plan.buffers = memory.ranges;
  std::vector<void *> values;
  for (auto [i, argument] : llvm::enumerate(arguments))
    values.push_back(argument.kind == Argument::Kind::Value
                         ? argument.data
                         : static_cast<void *>(&memory.pointers[i]));
  plan.arguments = values.data();

  FailureOr<Counters> counters = self.run(kernel, plan);
  if (succeeded(counters))
    memory.copyBack(arguments);
  return counters;
}
