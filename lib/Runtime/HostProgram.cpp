//===- HostProgram.cpp - The host side of a lowered program ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/HostProgram.h"

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

FailureOr<func::FuncOp> mirage::runtime::findEntry(ModuleOp module,
                                                   StringRef name) {
  SmallVector<func::FuncOp> candidates;
  SmallVector<std::string> names;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    if (!name.empty() && function.getName() == name)
      return function;
    if (function.isPrivate())
      continue;
    candidates.push_back(function);
    names.push_back(("@" + function.getName()).str());
  }
  std::string known = names.empty() ? "has no public function"
                                    : "has " + llvm::join(names, ", ");
  if (!name.empty())
    return module.emitError("no function @")
           << name << " with a body; the module " << known;
  if (candidates.size() != 1)
    return module.emitError("expected one public function, or --entry=NAME; "
                            "the module ")
           << known;
  return candidates.front();
}

static std::optional<ElementKind> elementKindOf(Type type) {
  if (isa<Float8E4M3FNType>(type))
    return ElementKind::F8E4M3FN;
  if (isa<Float8E5M2Type>(type))
    return ElementKind::F8E5M2;
  if (type.isF16())
    return ElementKind::F16;
  if (type.isBF16())
    return ElementKind::BF16;
  if (type.isF32())
    return ElementKind::F32;
  if (type.isF64())
    return ElementKind::F64;
  if (!type.isSignlessInteger())
    return std::nullopt;
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return ElementKind::Bool;
  case 8:
    return ElementKind::I8;
  case 16:
    return ElementKind::I16;
  case 32:
    return ElementKind::I32;
  case 64:
    return ElementKind::I64;
  default:
    return std::nullopt;
  }
}

static LogicalResult appendSpecs(func::FuncOp function, StringRef what,
                                 TypeRange types,
                                 SmallVectorImpl<TensorSpec> &specs) {
  for (auto [index, type] : llvm::enumerate(types)) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return function.emitError()
             << what << " #" << index << " of @" << function.getName()
             << ": expected a tensor of static shape, got " << type;
    std::optional<ElementKind> kind = elementKindOf(tensor.getElementType());
    if (!kind)
      return function.emitError()
             << what << " #" << index << " of @" << function.getName()
             << ": cannot run on elements of type " << tensor.getElementType();
    specs.push_back({*kind, SmallVector<int64_t, 4>(tensor.getShape())});
  }
  return success();
}

FailureOr<Signature> mirage::runtime::signatureOf(func::FuncOp function) {
  Signature signature;
  if (failed(appendSpecs(function, "argument", function.getArgumentTypes(),
                         signature.arguments)) ||
      failed(appendSpecs(function, "result", function.getResultTypes(),
                         signature.results)))
    return failure();
  return signature;
}

//===----------------------------------------------------------------------===//
// Walking the function
//===----------------------------------------------------------------------===//

namespace {
class Interpreter {
public:
  explicit Interpreter(Device &device) : device(device) {}

  LogicalResult bindArguments(func::FuncOp function,
                              ArrayRef<HostTensor> inputs);
  /// Runs one operation other than the return.
  LogicalResult run(Operation &operation);
  /// After the last operation: the results, and how long it all takes.
  FailureOr<ProgramRun> finish(func::ReturnOp op);

private:
  LogicalResult runLaunch(layout::LaunchOp op);
  LogicalResult runConcat(mugraph::ConcatOp op);
  FailureOr<std::vector<HostTensor>> fetch(func::ReturnOp op);
  LogicalResult measure();

  Device &device;
  ProgramRun done;
  std::vector<KernelLaunch> launches;
  llvm::DenseMap<Value, Buffer> buffers;
};
} // namespace

LogicalResult Interpreter::bindArguments(func::FuncOp function,
                                         ArrayRef<HostTensor> inputs) {
  for (auto [argument, input] :
       llvm::zip_equal(function.getArguments(), inputs)) {
    FailureOr<Buffer> buffer =
        device.allocate(function.getLoc(), input.byteSize());
    if (failed(buffer) || failed(device.upload(function.getLoc(), *buffer,
                                               input.data(), input.byteSize())))
      return failure();
    buffers[argument] = *buffer;
  }
  return success();
}

static uint64_t bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  auto kind = elementKindOf(tensor.getElementType());
  return kind ? tensor.getNumElements() * elementBytes(*kind) : 0;
}

LogicalResult Interpreter::runLaunch(layout::LaunchOp op) {
  KernelLaunch launch{op.getLoc(), op.getKernel().getRootReference(),
                      op.getKernel().getLeafReference()};
  for (auto [extent, given] : llvm::zip_equal(launch.grid, op.getGrid()))
    extent = static_cast<uint32_t>(given);
  launch.threads = static_cast<uint32_t>(op.getThreads());
  launch.sharedBytes = static_cast<uint32_t>(op.getShared());
  launch.inputs = op.getInputs().size();
  for (Value input : op.getInputs())
    launch.arguments.push_back(buffers.lookup(input));
  for (Value result : op.getResults()) {
    FailureOr<Buffer> buffer =
        device.allocate(op.getLoc(), bytesOf(result.getType()));
    if (failed(buffer))
      return failure();
    buffers[result] = *buffer;
    launch.arguments.push_back(*buffer);
  }
  FailureOr<KernelReport> report = device.launch(launch);
  if (failed(report))
    return failure();
  done.kernels.push_back(std::move(*report));
  launches.push_back(std::move(launch));
  return success();
}

/// Copies one buffer behind the other, which is the concat of tensors that
/// have no dim of extent above 1 before the one that is joined.
LogicalResult Interpreter::runConcat(mugraph::ConcatOp op) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  for (int64_t extent : shape.take_front(op.getDim()))
    if (extent != 1)
      return op.emitError("cannot run a concat along dim ")
             << op.getDim() << " of " << op.getType()
             << ", expected extents of 1 in the dims before";
  std::vector<char> joined;
  for (Value input : op.getInputs()) {
    size_t offset = joined.size(), size = bytesOf(input.getType());
    joined.resize(offset + size);
    if (failed(device.download(op.getLoc(), joined.data() + offset,
                               buffers.lookup(input), size)))
      return failure();
  }
  FailureOr<Buffer> buffer = device.allocate(op.getLoc(), joined.size());
  if (failed(buffer) ||
      failed(device.upload(op.getLoc(), *buffer, joined.data(), joined.size())))
    return failure();
  buffers[op.getResult()] = *buffer;
  return success();
}

LogicalResult Interpreter::run(Operation &operation) {
  if (auto launch = dyn_cast<layout::LaunchOp>(operation))
    return runLaunch(launch);
  if (operation.getName().getStringRef() == "mugraph.reshape") {
    buffers[operation.getResult(0)] = buffers.lookup(operation.getOperand(0));
    return success();
  }
  if (auto concat = dyn_cast<mugraph::ConcatOp>(operation))
    return runConcat(concat);
  return operation.emitError("cannot run this operation on ")
         << device.name()
         << ": expected only layout.launch, mugraph.reshape, mugraph.concat "
            "and "
            "return after lowering";
}

FailureOr<std::vector<HostTensor>> Interpreter::fetch(func::ReturnOp op) {
  std::vector<HostTensor> results;
  for (Value value : op.getOperands()) {
    auto type = cast<RankedTensorType>(value.getType());
    HostTensor &result = results.emplace_back(
        *elementKindOf(type.getElementType()), type.getShape());
    if (failed(device.download(op.getLoc(), result.data(),
                               buffers.lookup(value), result.byteSize())))
      return failure();
  }
  return results;
}

LogicalResult Interpreter::measure() {
  for (auto [launch, report] : llvm::zip_equal(launches, done.kernels)) {
    FailureOr<std::optional<double>> time = device.time(launch);
    if (failed(time))
      return failure();
    report.microseconds = done.microseconds = *time;
  }
  if (launches.size() < 2)
    return success();
  FailureOr<std::optional<double>> time = device.time(launches);
  if (failed(time))
    return failure();
  done.microseconds = *time;
  return success();
}

FailureOr<ProgramRun> Interpreter::finish(func::ReturnOp op) {
  FailureOr<std::vector<HostTensor>> results = fetch(op);
  if (failed(results) || failed(measure()))
    return failure();
  done.results = std::move(*results);
  return std::move(done);
}

FailureOr<ProgramRun>
mirage::runtime::runHostProgram(func::FuncOp function, Device &device,
                                ArrayRef<HostTensor> inputs) {
  if (!function.getBody().hasOneBlock())
    return function.emitError("cannot run @")
           << function.getName() << ": it has control flow";
  Interpreter interpreter(device);
  if (failed(interpreter.bindArguments(function, inputs)))
    return failure();
  for (Operation &operation : function.getBody().front()) {
    if (auto op = dyn_cast<func::ReturnOp>(operation))
      return interpreter.finish(op);
    if (failed(interpreter.run(operation)))
      return failure();
  }
  return function.emitError("has no return");
}
