//===- Passes.h - The search as a pass --------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_TRANSFORMS_PASSES_H
#define MIRAGE_SEARCH_TRANSFORMS_PASSES_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mirage {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Search/Transforms/Passes.h.inc"

} // namespace mirage

#endif // MIRAGE_SEARCH_TRANSFORMS_PASSES_H
