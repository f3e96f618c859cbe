//===- Execution.cpp - Run a program at any stage on any device -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Execution.h"

#include "Stages.h"
#include "mirage/Runtime/DriverApi.h"
#include "mirage/Runtime/HostProgram.h"
#include "mirage/Runtime/Reference.h"

#include "llvm/ADT/STLExtras.h"

#include <chrono>

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

using Tensors = std::vector<HostTensor>;

/// A failed step outside the compiler becomes a diagnostic without a place.
template <typename T>
static FailureOr<T> diagnose(ModuleOp module, llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  return emitError(UnknownLoc::get(module.getContext()))
         << llvm::toString(value.takeError());
}

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

static StringRef nameOf(DeviceKind kind) {
  switch (kind) {
  case DeviceKind::Reference:
    return "reference";
  case DeviceKind::Simulator:
    return "sim";
  case DeviceKind::Cuda:
    return "cuda";
  case DeviceKind::Hip:
    return "hip";
  }
  llvm_unreachable("unknown device");
}

static FailureOr<Tensors> prepareInputs(ModuleOp module,
                                        const Signature &signature,
                                        const ExecutionOptions &options) {
  if (options.inputs == "random" || options.inputs == "ints")
    return makeInputs(signature.arguments,
                      options.inputs == "ints" ? InputPattern::Integers
                                               : InputPattern::Random,
                      options.seed);
  return diagnose(module, readInputs(signature.arguments, options.inputs));
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

namespace {
/// Where to run, and the chip to lower for.
struct Place {
  std::unique_ptr<Device> device;
  const TargetDescription *target = nullptr;
};
} // namespace

/// The chip asked for, the one the module was lowered for, or `fallback`; two
/// that differ are an error.
static FailureOr<const TargetDescription *>
chooseTarget(ModuleOp module, const TargetDescription *asked,
             const TargetDescription *fallback) {
  FailureOr<const TargetDescription *> lowered = loweredTarget(module);
  if (failed(lowered))
    return failure();
  if (asked && *lowered && asked != *lowered)
    return module.emitError("is lowered for ")
           << (*lowered)->name << ", but --target=" << asked->name;
  if (*lowered)
    return *lowered;
  return asked ? asked : fallback;
}

static FailureOr<Place> openDriver(ModuleOp module, Vendor vendor,
                                   const ExecutionOptions &options) {
  FailureOr<DriverApi> api = diagnose(module, loadDriver(vendor));
  if (failed(api))
    return failure();
  FailureOr<DriverDeviceInfo> info = diagnose(module, selectDevice(*api));
  if (failed(info))
    return failure();
  const TargetDescription *own =
      vendor == Vendor::AMD ? lookupTarget("gfx942")
                            : targetOfCapability(info->computeCapability);
  FailureOr<const TargetDescription *> target =
      chooseTarget(module, options.target, own);
  if (failed(target))
    return failure();
  if (!*target)
    return emitError(UnknownLoc::get(module.getContext()))
           << info->name << " has compute capability "
           << info->computeCapability / 10 << '.'
           << info->computeCapability % 10
           << ", which is no known target; known are " << knownTargetNames();
  if ((*target)->vendor != vendor)
    return emitError(UnknownLoc::get(module.getContext()))
           << "target " << (*target)->name << " cannot run on " << info->name;
  return Place{makeDriverDevice(std::move(*api), *info, options.timing),
               *target};
}

static FailureOr<Place> openDevice(ModuleOp module,
                                   const ExecutionOptions &options) {
  if (options.device == DeviceKind::Cuda)
    return openDriver(module, Vendor::NVIDIA, options);
  if (options.device == DeviceKind::Hip)
    return openDriver(module, Vendor::AMD, options);
  FailureOr<const TargetDescription *> target =
      chooseTarget(module, options.target, lookupTarget(defaultTargetName));
  if (failed(target))
    return failure();
  return Place{makeSimulatedDevice(**target, options.schedule), *target};
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

/// Results of the reference, for one or both of its precisions.
namespace {
struct ReferenceResults {
  Tensors exact;
  Tensors baseline; ///< empty where an explicit tolerance is given
};
} // namespace

static FailureOr<ReferenceResults> computeReference(func::FuncOp function,
                                                    const Tensors &inputs,
                                                    const CheckOptions &check) {
  ReferenceResults results;
  FailureOr<Tensors> exact = runReference(function, inputs, Precision::Double);
  if (failed(exact))
    return failure();
  results.exact = std::move(*exact);
  if (check.enabled && !check.tolerance) {
    FailureOr<Tensors> baseline =
        runReference(function, inputs, Precision::Program);
    if (failed(baseline))
      return failure();
    results.baseline = std::move(*baseline);
  }
  return results;
}

/// The worst of the results: a wrong one, else the one with the largest error.
static Comparison compareAll(const Tensors &results,
                             const ReferenceResults &reference,
                             const CheckOptions &check) {
  Comparison worst;
  for (auto [index, result] : llvm::enumerate(results)) {
    const HostTensor &exact = reference.exact[index];
    Comparison comparison =
        check.tolerance
            ? compareWithin(result, exact, *check.tolerance)
            : compareWithBaseline(result, exact, reference.baseline[index]);
    comparison.result = index;
    bool worse = comparison.ok == worst.ok
                     ? comparison.maxAbsError > worst.maxAbsError
                     : !comparison.ok;
    if (index == 0 || worse)
      worst = comparison;
  }
  return worst;
}

/// Lowers the program, runs it on the device and fills in the report.
static FailureOr<Tensors> runOnDevice(func::FuncOp entry, Place &place,
                                      const Tensors &inputs,
                                      const ExecutionOptions &options,
                                      ExecutionReport &report) {
  auto module = entry->getParentOfType<ModuleOp>();
  std::string name = entry.getName().str();
  if (failed(lowerForDevice(entry, *place.target, options.search)) ||
      failed(place.device->load(module)))
    return failure();
  // Passes may have replaced the function.
  FailureOr<func::FuncOp> lowered = findEntry(module, name);
  if (failed(lowered))
    return failure();
  auto start = std::chrono::steady_clock::now();
  FailureOr<ProgramRun> run = runHostProgram(*lowered, *place.device, inputs);
  if (failed(run))
    return failure();
  report.seconds = secondsSince(start);
  report.kernels = std::move(run->kernels);
  report.microseconds = run->microseconds;
  report.target = place.target->name;
  if (options.device != DeviceKind::Simulator)
    report.deviceName = place.device->name();
  return std::move(run->results);
}

/// Runs the meaning of `entry` in f64 and rounds to the types it declares. A
/// muGraph is run as it is; of a lowered program only what it implements has a
/// meaning on the host.
static FailureOr<Tensors> runOnHost(func::FuncOp entry,
                                    func::FuncOp specification,
                                    const Signature &signature,
                                    const Tensors &inputs,
                                    ExecutionReport &report) {
  auto start = std::chrono::steady_clock::now();
  FailureOr<Tensors> exact = runReference(
      isLowered(entry) ? specification : entry, inputs, Precision::Double);
  if (failed(exact))
    return failure();
  report.seconds = secondsSince(start);
  Tensors results;
  for (auto [tensor, spec] : llvm::zip_equal(*exact, signature.results))
    results.push_back(tensor.convert(spec.kind));
  return results;
}

/// Lowering replaces functions, so the reference is computed before it.
static FailureOr<ReferenceResults>
computeReferenceIfChecked(func::FuncOp specification, const Tensors &inputs,
                          const CheckOptions &check) {
  if (!check.enabled)
    return ReferenceResults();
  return computeReference(specification, inputs, check);
}

FailureOr<ExecutionReport>
mirage::runtime::execute(ModuleOp module, const ExecutionOptions &options) {
  FailureOr<func::FuncOp> entry = findEntry(module, options.entry);
  if (failed(entry))
    return failure();
  FailureOr<Signature> signature = signatureOf(*entry);
  if (failed(signature))
    return failure();
  bool onHost = options.device == DeviceKind::Reference;
  func::FuncOp specification = specificationOf(*entry);
  if (!specification && (onHost || options.check.enabled))
    return entry->emitError("@")
           << entry->getName()
           << " is lowered and does not say what it implements "
              "(mugraph.implements), so there is no reference for it";
  FailureOr<Place> place = onHost ? Place() : openDevice(module, options);
  if (failed(place))
    return failure();
  FailureOr<Tensors> inputs = prepareInputs(module, *signature, options);
  if (failed(inputs))
    return failure();
  FailureOr<ReferenceResults> reference =
      computeReferenceIfChecked(specification, *inputs, options.check);
  if (failed(reference))
    return failure();

  ExecutionReport report;
  report.device = nameOf(options.device);
  FailureOr<Tensors> results =
      onHost ? runOnHost(*entry, specification, *signature, *inputs, report)
             : runOnDevice(*entry, *place, *inputs, options, report);
  if (failed(results))
    return failure();
  if (options.check.enabled) {
    report.comparison = compareAll(*results, *reference, options.check);
    report.ok = report.comparison->ok;
  }
  if (!options.outputs.empty())
    if (llvm::Error error = writeOutputs(*results, options.outputs))
      return emitError(UnknownLoc::get(module.getContext()))
             << llvm::toString(std::move(error));
  return report;
}
