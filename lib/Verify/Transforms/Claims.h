//===- Claims.h - Functions that implement others ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_TRANSFORMS_CLAIMS_H
#define MIRAGE_LIB_VERIFY_TRANSFORMS_CLAIMS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mirage::verify {

/// The functions of a module that carry `mugraph.implements`, in order.
llvm::SmallVector<mlir::func::FuncOp> findClaims(mlir::ModuleOp module);

/// The function that `function` claims to implement; an error there if the
/// attribute names none.
mlir::FailureOr<mlir::func::FuncOp> findSpec(mlir::func::FuncOp function);

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_TRANSFORMS_CLAIMS_H
