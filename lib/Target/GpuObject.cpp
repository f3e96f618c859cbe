//===- GpuObject.cpp - From a lowered gpu.module to files -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Target/GpuObject.h"

#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVM/NVVM/Target.h"
#include "mlir/Target/LLVM/ROCDL/Target.h"
#include "mlir/Target/LLVM/ROCDL/Utils.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/ROCDL/ROCDLToLLVMIRTranslation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace mlir;
using namespace mirage;

void mirage::registerGpuObjectInterfaces(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  registerROCDLDialectTranslation(registry);
  NVVM::registerNVVMTargetInterfaceExternalModels(registry);
  ROCDL::registerROCDLTargetInterfaceExternalModels(registry);
  registerConvertNVVMToLLVMInterface(registry);
}

/// The object of a gpu.binary.
static FailureOr<gpu::ObjectAttr> objectOf(gpu::BinaryOp binary) {
  if (binary.getObjects().size() != 1)
    return binary.emitError("expected one object, got ")
           << binary.getObjects().size();
  return cast<gpu::ObjectAttr>(binary.getObjects()[0]);
}

static FailureOr<Attribute> targetAttributeOf(Operation *kernels) {
  if (auto binary = dyn_cast<gpu::BinaryOp>(kernels)) {
    FailureOr<gpu::ObjectAttr> object = objectOf(binary);
    if (failed(object))
      return failure();
    return object->getTarget();
  }
  ArrayAttr targets = cast<gpu::GPUModuleOp>(kernels).getTargetsAttr();
  if (!targets || targets.size() != 1)
    return kernels->emitError("expected one target attribute, got ")
           << (targets ? targets.size() : 0);
  return targets[0];
}

FailureOr<const TargetDescription *>
mirage::targetOfKernels(Operation *kernels) {
  FailureOr<Attribute> attribute = targetAttributeOf(kernels);
  if (failed(attribute))
    return failure();
  StringRef chip;
  if (auto nvvm = dyn_cast<NVVM::NVVMTargetAttr>(*attribute))
    chip = nvvm.getChip();
  else if (auto rocdl = dyn_cast<ROCDL::ROCDLTargetAttr>(*attribute))
    chip = rocdl.getChip();
  else
    return kernels->emitError("expected a target #nvvm.target or "
                              "#rocdl.target, got ")
           << *attribute;
  const TargetDescription *target = lookupTarget(chip);
  if (!target)
    return kernels->emitError("unknown target '")
           << chip << "'; known are " << knownTargetNames();
  return target;
}

/// The text in the gpu.binary that gpu-module-to-binary left in `module`.
static FailureOr<std::string> takeObject(ModuleOp module) {
  for (auto binary : module.getOps<gpu::BinaryOp>())
    for (Attribute object : binary.getObjects())
      return cast<gpu::ObjectAttr>(object).getObject().getValue().str();
  return module.emitError("the back end produced no object");
}

/// Runs `passes`; shows their diagnostics only if they fail, since a toolkit
/// without libdevice is complained of even though nothing here needs it.
static LogicalResult runQuietly(PassManager &passes, ModuleOp module) {
  SmallVector<Diagnostic> diagnostics;
  LogicalResult result = success();
  {
    ScopedDiagnosticHandler handler(
        module.getContext(), [&](Diagnostic &diagnostic) {
          diagnostics.push_back(std::move(diagnostic));
        });
    result = passes.run(module);
  }
  if (failed(result))
    for (Diagnostic &diagnostic : diagnostics)
      module.getContext()->getDiagEngine().emit(std::move(diagnostic));
  return result;
}

static FailureOr<std::string> compileKernels(gpu::GPUModuleOp module) {
  OwningOpRef<ModuleOp> scratch = ModuleOp::create(module.getLoc());
  OpBuilder::atBlockEnd(scratch->getBody()).clone(*module);
  (*scratch)->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                      UnitAttr::get(module.getContext()));
  PassManager passes(module.getContext());
  passes.addNestedPass<gpu::GPUModuleOp>(createConvertNVVMToLLVMPass());
  GpuModuleToBinaryPassOptions options;
  options.compilationTarget = "isa";
  passes.addPass(createGpuModuleToBinaryPass(options));
  if (failed(runQuietly(passes, *scratch)))
    return failure();
  return takeObject(*scratch);
}

FailureOr<std::string> mirage::emitAssembly(Operation *kernels) {
  if (failed(targetOfKernels(kernels)))
    return failure();
  if (auto module = dyn_cast<gpu::GPUModuleOp>(kernels))
    return compileKernels(module);
  auto binary = cast<gpu::BinaryOp>(kernels);
  FailureOr<gpu::ObjectAttr> object = objectOf(binary);
  if (failed(object))
    return failure();
  if (object->getFormat() != gpu::CompilationTarget::Assembly)
    return binary.emitError("holds no assembly but ")
           << gpu::stringifyCompilationTarget(object->getFormat())
           << "; lower with emit=asm";
  // PTX kept in an attribute may end with a NUL.
  return object->getObject().getValue().rtrim('\0').str();
}

//===----------------------------------------------------------------------===//
// Assemblers
//===----------------------------------------------------------------------===//

/// $NAME/`below` for each of the environment variables that is set.
static void addToolkits(SmallVectorImpl<std::string> &places,
                        ArrayRef<const char *> names, StringRef below) {
  for (const char *name : names)
    if (const char *root = std::getenv(name); root && *root)
      places.push_back((StringRef(root) + "/" + below).str());
}

static std::optional<std::string>
firstExecutable(ArrayRef<std::string> places) {
  for (const std::string &place : places)
    if (llvm::sys::fs::can_execute(place))
      return place;
  return std::nullopt;
}

/// A toolkit that the environment names is the one that is used, or missed.
static FailureOr<std::string> findPtxas(Location location) {
  SmallVector<std::string> places;
  addToolkits(places, {"CUDA_ROOT", "CUDA_HOME", "CUDA_PATH"}, "bin/ptxas");
  if (places.empty()) {
    if (auto onPath = llvm::sys::findProgramByName("ptxas"))
      return *onPath;
    places.push_back("/usr/local/cuda/bin/ptxas");
  }
  if (auto found = firstExecutable(places))
    return *found;
  return emitError(location)
         << "ptxas not found (searched " << llvm::join(places, ", ")
         << " and, unless CUDA_ROOT, CUDA_HOME or CUDA_PATH is set, the PATH); "
            "install the CUDA toolkit or emit assembly, which needs none";
}

/// Not any ld.lld on the PATH: older ones do not read the objects.
static FailureOr<std::string> findLld(Location location) {
  SmallVector<std::string> places;
  addToolkits(places, {"ROCM_PATH", "ROCM_ROOT", "ROCM_HOME"},
              "llvm/bin/ld.lld");
  if (places.empty()) {
    places.push_back("/opt/rocm/llvm/bin/ld.lld");
    places.push_back("/usr/lib/llvm-22/bin/ld.lld");
    if (auto onPath = llvm::sys::findProgramByName("ld.lld-22"))
      places.push_back(*onPath);
  }
  if (auto found = firstExecutable(places))
    return *found;
  return emitError(location)
         << "ld.lld not found (searched " << llvm::join(places, ", ")
         << " and, unless ROCM_PATH, ROCM_ROOT or ROCM_HOME is set, ld.lld-22 "
            "on the PATH); install ROCm or lld 22 or emit assembly, which "
            "needs none";
}

namespace {
/// A file that lives as long as this object.
class TemporaryFile {
public:
  LogicalResult create(Location location, StringRef suffix) {
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("mirage", suffix, path))
      return emitError(location)
             << "cannot make a temporary file: " << error.message();
    remover.setFile(path);
    return success();
  }
  StringRef getPath() const { return path; }

private:
  SmallString<128> path;
  llvm::FileRemover remover;
};
} // namespace

static LogicalResult writeFile(Location location, StringRef path,
                               StringRef bytes) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (!error) {
    stream << bytes;
    stream.close();
    error = stream.error();
  }
  if (error)
    return emitError(location)
           << "cannot write '" << path << "': " << error.message();
  return success();
}

static FailureOr<std::string> readFile(Location location, StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return emitError(location)
           << "cannot read '" << path << "': " << buffer.getError().message();
  return (*buffer)->getBuffer().str();
}

/// Runs `program input... -o output`; what it prints becomes a note.
static FailureOr<std::string> runAssembler(Location location, StringRef program,
                                           ArrayRef<StringRef> options,
                                           StringRef suffix, StringRef input) {
  TemporaryFile source, object, log;
  if (failed(source.create(location, suffix)) ||
      failed(object.create(location, "o")) ||
      failed(log.create(location, "log")) ||
      failed(writeFile(location, source.getPath(), input)))
    return failure();
  SmallVector<StringRef> arguments = {program};
  llvm::append_range(arguments, options);
  llvm::append_range(
      arguments, ArrayRef<StringRef>{source.getPath(), "-o", object.getPath()});
  std::string problem;
  std::optional<StringRef> redirects[] = {StringRef(), log.getPath(),
                                          log.getPath()};
  int status = llvm::sys::ExecuteAndWait(program, arguments, std::nullopt,
                                         redirects, /*SecondsToWait=*/0,
                                         /*MemoryLimit=*/0, &problem);
  if (status == 0)
    return readFile(location, object.getPath());
  InFlightDiagnostic diagnostic = emitError(location);
  diagnostic << program << " failed";
  if (!problem.empty())
    diagnostic << ": " << problem;
  FailureOr<std::string> text = readFile(location, log.getPath());
  if (succeeded(text) && !text->empty())
    diagnostic.attachNote() << StringRef(*text).rtrim();
  return diagnostic;
}

FailureOr<std::string> mirage::assemble(Location location,
                                        const TargetDescription &target,
                                        StringRef assembly) {
  if (target.isNVIDIA()) {
    FailureOr<std::string> ptxas = findPtxas(location);
    if (failed(ptxas))
      return failure();
    std::string chip = ("-arch=" + target.name).str();
    return runAssembler(location, *ptxas, {chip}, "ptx", assembly);
  }
  FailureOr<std::string> lld = findLld(location);
  if (failed(lld))
    return failure();
  FailureOr<SmallVector<char, 0>> object =
      ROCDL::assembleIsa(assembly, target.triple, target.name, target.features,
                         [&] { return emitError(location); });
  if (failed(object))
    return failure();
  return runAssembler(location, *lld, {"-shared"}, "o",
                      StringRef(object->data(), object->size()));
}

FailureOr<std::string> mirage::emitObject(Operation *kernels) {
  FailureOr<const TargetDescription *> target = targetOfKernels(kernels);
  if (failed(target))
    return failure();
  if (auto binary = dyn_cast<gpu::BinaryOp>(kernels)) {
    FailureOr<gpu::ObjectAttr> object = objectOf(binary);
    if (failed(object))
      return failure();
    if (object->getFormat() != gpu::CompilationTarget::Assembly)
      return object->getObject().getValue().str();
  }
  FailureOr<std::string> assembly = emitAssembly(kernels);
  if (failed(assembly))
    return failure();
  return assemble(kernels->getLoc(), **target, *assembly);
}
