//===- WarpOperations.cpp - What both vendors' rules need -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WarpOperations.h"

using namespace mlir;
using namespace mirage::interpreter;
using llvm::Error;

Error mirage::interpreter::warpBarrier(Machine &, Threads threads,
                                       Operation *) {
  for (Thread &thread : threads)
    ++thread.warpBarriers;
  return Error::success();
}

/// Orders the accesses of two lanes of a warp too.
Error mirage::interpreter::blockBarrier(Machine &, Threads threads,
                                        Operation *) {
  for (Thread &thread : threads)
    ++thread.blockBarriers;
  return Error::success();
}
