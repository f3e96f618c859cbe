//===- Reference.cpp - What a program means, computed on the host ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Reference.h"

#include "mirage/Conversion/MuGraphToLinalg/MuGraphToLinalg.h"
#include "mirage/Runtime/HostProgram.h"

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/Mangling.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;

static constexpr llvm::StringLiteral entryName = "reference";

/// A module with `function` alone, as a public function that claims nothing.
static OwningOpRef<ModuleOp> isolate(func::FuncOp function) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(function.getLoc());
  auto copy = cast<func::FuncOp>(
      OpBuilder::atBlockEnd(module->getBody()).clone(*function));
  copy->setDiscardableAttrs(ArrayRef<NamedAttribute>{});
  copy.setName(entryName);
  copy.setPublic();
  return module;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

// Rounding to bf16, which the runtime libraries of older compilers lack.
// The x86-64 ABI passes __bf16 as the low half of an SSE register.
extern "C" {
static float mirageTruncSFBF2(float value) {
  return llvm::bit_cast<float>(uint32_t{roundToBFloat(value)});
}
static float mirageTruncDFBF2(double value) {
  return llvm::bit_cast<float>(uint32_t{roundToBFloat(value)});
}
}

static llvm::orc::SymbolMap
runtimeSymbols(llvm::orc::MangleAndInterner intern) {
  llvm::orc::SymbolMap symbols;
  auto add = [&](StringRef name, auto *function) {
    symbols[intern(name)] = {llvm::orc::ExecutorAddr::fromPtr(function),
                             llvm::JITSymbolFlags::Exported};
  };
  add("__truncsfbf2", mirageTruncSFBF2);
  add("__truncdfbf2", mirageTruncDFBF2);
  return symbols;
}

/// Compiles the lowered `module` for this machine.
static llvm::Expected<std::unique_ptr<ExecutionEngine>>
compile(ModuleOp module) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  // Its conversion flushes denormals: results would differ between machines.
  builder->getFeatures().AddFeature("avx512bf16", false);
  auto machine = builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  // The options only refer to it.
  auto optimise = makeOptimizingTransformer(/*optLevel=*/3, /*sizeLevel=*/0,
                                            machine->get());
  ExecutionEngineOptions options;
  options.transformer = optimise;
  auto engine = ExecutionEngine::create(module, options, std::move(*machine));
  if (engine)
    (*engine)->registerSymbols(runtimeSymbols);
  return engine;
}

/// The words of a StridedMemRefType over a tensor's memory.
static SmallVector<int64_t> makeDescriptor(HostTensor &tensor) {
  auto address =
      static_cast<int64_t>(reinterpret_cast<intptr_t>(tensor.data()));
  SmallVector<int64_t> words = {address, address, /*offset=*/0};
  llvm::append_range(words, tensor.shape());
  int64_t stride = tensor.size();
  for (int64_t extent : tensor.shape()) {
    stride = extent == 0 ? 0 : stride / extent;
    words.push_back(stride);
  }
  return words;
}

static llvm::Error invoke(ModuleOp module, ArrayRef<HostTensor *> tensors) {
  auto engine = compile(module);
  if (!engine)
    return engine.takeError();
  auto descriptors = llvm::map_to_vector(
      tensors, [](HostTensor *tensor) { return makeDescriptor(*tensor); });
  auto pointers = llvm::map_to_vector(
      descriptors,
      [](SmallVector<int64_t> &words) -> void * { return words.data(); });
  auto arguments = llvm::map_to_vector(
      pointers, [](void *&pointer) -> void * { return &pointer; });
  return (*engine)->invokePacked(("_mlir_ciface_" + entryName).str(),
                                 arguments);
}

FailureOr<std::vector<HostTensor>> mirage::runtime::runReference(
    func::FuncOp function, ArrayRef<HostTensor> inputs, Precision precision) {
  FailureOr<Signature> signature = signatureOf(function);
  if (failed(signature))
    return failure();
  bool promote = precision == Precision::Double;
  std::vector<HostTensor> arguments(inputs.begin(), inputs.end()), results;
  for (const TensorSpec &spec : signature->results)
    results.emplace_back(promote && isFloat(spec.kind) ? ElementKind::F64
                                                       : spec.kind,
                         spec.shape);
  OwningOpRef<ModuleOp> module = isolate(function);
  if (failed(mugraph::lowerToReference(*module, promote)))
    return failure();
  SmallVector<HostTensor *> tensors;
  for (HostTensor &tensor : llvm::concat<HostTensor>(arguments, results))
    tensors.push_back(&tensor);
  if (llvm::Error error = invoke(*module, tensors))
    return function.emitError("cannot run the reference: ")
           << llvm::toString(std::move(error));
  return results;
}
