//===- LayoutToLLVM.h - From tile programs to LLVM --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LAYOUTTOLLVM_LAYOUTTOLLVM_H
#define MIRAGE_CONVERSION_LAYOUTTOLLVM_LAYOUTTOLLVM_H

#include "mlir/Pass/Pass.h"

namespace mirage {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Conversion/LayoutToLLVM/Passes.h.inc"

} // namespace mirage

#endif // MIRAGE_CONVERSION_LAYOUTTOLLVM_LAYOUTTOLLVM_H
