//===- Compile.cpp - Machine code for the host ----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compile.h"
#include "Runtime.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mirage::sim;

CompiledModule::CompiledModule() = default;
CompiledModule::CompiledModule(CompiledModule &&) = default;
CompiledModule &CompiledModule::operator=(CompiledModule &&) = default;
CompiledModule::~CompiledModule() = default;

/// Tells the optimizer what runtime functions do.
static void setEffects(llvm::Module &module) {
  for (const RuntimeFunction &runtime : runtimeFunctions()) {
    llvm::Function *function = module.getFunction(runtime.name);
    if (!function || runtime.effect == RuntimeEffect::Unknown)
      continue;
    function->setDoesNotThrow();
    if (runtime.effect == RuntimeEffect::Pure) {
      function->setDoesNotAccessMemory();
      function->setWillReturn();
    } else {
      function->setConvergent();
    }
  }
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

static void initializeNativeTarget() {
  static const bool once = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)once;
}

static llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>>
createJIT(llvm::orc::JITTargetMachineBuilder builder) {
  auto jit = llvm::orc::LLJITBuilder()
                 .setJITTargetMachineBuilder(std::move(builder))
                 .create();
  if (!jit)
    return jit.takeError();
  llvm::orc::SymbolMap symbols;
  for (const RuntimeFunction &function : runtimeFunctions())
    symbols[(*jit)->mangleAndIntern(function.name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function.address),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  if (llvm::Error error = (*jit)->getMainJITDylib().define(
          llvm::orc::absoluteSymbols(std::move(symbols))))
    return error;
  return jit;
}

/// Translates, optimizes and hands over to a JIT.
static llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>>
compileModule(ModuleOp module) {
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!host)
    return host.takeError();
  // Results must not depend on the host: conversions to bf16 in hardware flush
  // subnormal numbers, and arithmetic on f16 and bf16 rounds less often.
  for (const char *feature :
       {"avx512bf16", "avx512fp16", "avxneconvert", "avx10.2"})
    host->getFeatures().AddFeature(feature, false);
  host->setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  auto machine = host->createTargetMachine();
  if (!machine)
    return machine.takeError();

  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, *context, "simulator");
  if (!translated)
    return llvm::createStringError("the translation to LLVM IR failed");
  translated->setDataLayout((*machine)->createDataLayout());
  translated->setTargetTriple((*machine)->getTargetTriple());
  setEffects(*translated);
  optimize(*translated, **machine);

  auto jit = createJIT(std::move(*host));
  if (!jit)
    return jit.takeError();
  if (llvm::Error error = (*jit)->addIRModule(llvm::orc::ThreadSafeModule(
          std::move(translated), std::move(context))))
    return error;
  return jit;
}

FailureOr<CompiledModule> CompiledModule::compile(ModuleOp module) {
  initializeNativeTarget();
  registerBuiltinDialectTranslation(*module->getContext());
  registerLLVMDialectTranslation(*module->getContext());
  CompiledModule result;
  auto jit = compileModule(module);
  if (!jit)
    return emitError(module.getLoc(), "the simulator cannot compile the "
                                      "kernels for the host: ")
           << llvm::toString(jit.takeError());
  result.jit = std::move(*jit);
  return result;
}

void *CompiledModule::lookup(StringRef name) const {
  auto address = jit->lookup(name);
  if (!address) {
    llvm::consumeError(address.takeError());
    return nullptr;
  }
  return address->toPtr<void *>();
}
