//===- Tool.cpp - What all command-line tools share -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Support/Tool.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace mirage;

static void reportFatalError(void *, const char *reason, bool) {
  llvm::errs() << "error: " << reason << '\n';
  llvm::errs().flush();
  // Outputs that are not complete are temporary files: remove them.
  llvm::sys::RunInterruptHandlers();
  llvm::sys::Process::Exit(exitBadInput, /*NoCleanup=*/true);
}

void mirage::installFatalErrorHandler() {
  llvm::install_fatal_error_handler(reportFatalError);
}

bool mirage::parseCommandLine(int argc, const char *const *argv,
                              llvm::StringRef overview) {
  return llvm::cl::ParseCommandLineOptions(argc, argv, overview, &llvm::errs());
}
