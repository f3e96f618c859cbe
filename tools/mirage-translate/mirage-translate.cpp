//===- mirage-translate.cpp - To and from other formats -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GpuBinary.h"
#include "mirage/InitAllDialects.h"
#include "mirage/Support/Tool.h"
#include "mirage/Target/Dot/MuGraphToDot.h"
#include "mirage/Target/MirageJson/ImportMirageJson.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

static void registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  mirage::registerAllDialects(registry);
}

static void registerTranslations() {
  mirage::registerMirageJsonTranslation();
  static TranslateFromMLIRRegistration toDot(
      "mugraph-to-dot", "A Graphviz drawing of the functions",
      [](ModuleOp module, raw_ostream &output) {
        return mirage::writeDot(module, output);
      },
      registerDialects);
  static TranslateFromMLIRRegistration toAssembly(
      "gpu-binary-to-asm",
      "The PTX or AMDGCN text of a lowered module's kernels",
      mirage::writeAssembly, registerDialects);
  static TranslateFromMLIRRegistration toObject(
      "gpu-binary-to-object",
      "The cubin or hsaco of a lowered module's kernels", mirage::writeObject,
      registerDialects);
}

static int report(const std::string &message) {
  llvm::errs() << "error: " << message << '\n';
  return mirage::exitBadInput;
}

int main(int argc, char **argv) {
  llvm::InitLLVM initialise(argc, argv);
  mirage::installFatalErrorHandler();
  static cl::OptionCategory category("mirage-translate options");
  static cl::opt<std::string> inputFile(cl::Positional, cl::desc("<input>"),
                                        cl::init("-"));
  static cl::opt<std::string> outputFile("o", cl::desc("Output file"),
                                         cl::value_desc("file"), cl::init("-"));
  registerTranslations();
  static cl::opt<const Translation *, false, TranslationParser> translation(
      "", cl::desc("Translation to perform"), cl::cat(category));
  cl::HideUnrelatedOptions(category);
  if (!mirage::parseCommandLine(argc, argv, "mirage-mlir translation driver\n"))
    return mirage::exitBadInput;
  if (!translation)
    return report("no translation named; see --help");

  std::string message;
  auto input = openInputFile(inputFile, &message);
  if (!input)
    return report(message);
  auto output = openOutputFile(outputFile, &message);
  if (!output)
    return report(message);
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(input), llvm::SMLoc());
  MLIRContext context;
  context.printOpOnDiagnostic(false);
  SourceMgrDiagnosticHandler handler(*sources, &context);
  if (failed((*translation)(sources, output->os(), &context)))
    return mirage::exitBadInput;
  output->keep();
  return mirage::exitDone;
}
