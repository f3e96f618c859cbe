//===- Tool.h - What all command-line tools share ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SUPPORT_TOOL_H
#define MIRAGE_SUPPORT_TOOL_H

#include "llvm/ADT/StringRef.h"

namespace mirage {

/// Exit statuses of every tool.
enum ExitStatus : int {
  exitDone = 0,
  exitNo = 1,      ///< the answer is "no": not equivalent, numbers differ
  exitBadInput = 2 ///< bad input or usage, after one diagnostic
};

/// Turns fatal errors of LLVM's back ends (an operation that the chip does not
/// have) into a diagnostic and `exitBadInput` instead of an abort. They cannot
/// be returned from: the process ends.
void installFatalErrorHandler();

/// Parses the command line. Returns false after printing what is wrong, where
/// LLVM itself would exit with 1.
bool parseCommandLine(int argc, const char *const *argv,
                      llvm::StringRef overview);

} // namespace mirage

#endif // MIRAGE_SUPPORT_TOOL_H
