//===- mirage-opt.cpp - Run passes on a module ----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/InitAllDialects.h"
#include "mirage/InitAllPasses.h"
#include "mirage/Support/Tool.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Support/Timing.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

namespace {
/// Tells a verification that said "no" from every other failure.
class ExitStatusInstrumentation final : public PassInstrumentation {
public:
  explicit ExitStatusInstrumentation(int &status) : status(status) {}
  void runAfterPassFailed(Pass *, Operation *op) override {
    if (op->hasAttr(mirage::verify::refusedAttrName))
      status = mirage::exitNo;
  }

private:
  int &status;
};
} // namespace

static int report(const std::string &message) {
  llvm::errs() << "error: " << message << '\n';
  return mirage::exitBadInput;
}

/// As MlirOptMain, but with the project's exit statuses.
static int runPasses(StringRef inputFile, StringRef outputFile,
                     DialectRegistry &registry) {
  std::string message;
  auto input = openInputFile(inputFile, &message);
  if (!input)
    return report(message);
  auto output = openOutputFile(outputFile, &message);
  if (!output)
    return report(message);
  int failureStatus = mirage::exitBadInput;
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  config.setPassPipelineSetupFn(
      [fromCommandLine = config, &failureStatus](PassManager &passes) {
        passes.addInstrumentation(
            std::make_unique<ExitStatusInstrumentation>(failureStatus));
        return fromCommandLine.setupPassPipeline(passes);
      });
  if (failed(MlirOptMain(output->os(), std::move(input), registry, config)))
    return failureStatus;
  output->keep();
  return mirage::exitDone;
}

int main(int argc, char **argv) {
  llvm::InitLLVM initialise(argc, argv);
  mirage::installFatalErrorHandler();
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllPasses();
  mirage::registerAllDialects(registry);
  mirage::registerAllPasses();

  static cl::opt<std::string> inputFile(cl::Positional, cl::desc("<input>"),
                                        cl::init("-"));
  static cl::opt<std::string> outputFile("o", cl::desc("Output file"),
                                         cl::value_desc("file"), cl::init("-"));
  MlirOptMainConfig::registerCLOptions(registry);
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  // A diagnostic is for people; the operation is at its location.
  static_cast<cl::opt<bool> *>(
      cl::getRegisteredOptions().lookup("mlir-print-op-on-diagnostic"))
      ->setInitialValue(false);
  registerPassManagerCLOptions();
  registerDefaultTimingManagerCLOptions();
  if (!mirage::parseCommandLine(argc, argv, "mirage-mlir optimizer driver\n"))
    return mirage::exitBadInput;
  return runPasses(inputFile, outputFile, registry);
}
