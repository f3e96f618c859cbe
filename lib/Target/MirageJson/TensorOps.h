//===- TensorOps.h - Tensor ops from nodes of saved graphs ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_TARGET_MIRAGEJSON_TENSOROPS_H
#define MIRAGE_LIB_TARGET_MIRAGEJSON_TENSOROPS_H

#include "JsonPlace.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mirage {

/// True if the op `name` is made of matrix products.
bool isProduct(llvm::StringRef name);

/// Builds the op `name` ("exp", "matmul", "reduction_1", ..) of a kernel or
/// block node, with the result type given; the ops' verifiers check that the
/// operands fit it. `dimx` is the block graph's `reduction_dimx`.
mlir::FailureOr<mlir::Value>
buildTensorOp(mlir::OpBuilder &builder, const JsonPlace &node,
              llvm::StringRef name, mlir::ValueRange operands,
              mlir::RankedTensorType type, std::optional<int64_t> dimx);

/// out[.., j, ..] = sum over k of x[.., k * dimx + j, ..], at `dim`.
mlir::FailureOr<mlir::Value> sumGroups(mlir::OpBuilder &builder,
                                       const JsonPlace &node, mlir::Value x,
                                       int64_t dim,
                                       std::optional<int64_t> dimx);

/// Sum or mean over `dim`, which stays with extent 1.
mlir::Value sumOver(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    int64_t dim, bool isMean = false);

/// `x * factor`.
mlir::Value scaleBy(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    double factor);

} // namespace mirage

#endif // MIRAGE_LIB_TARGET_MIRAGEJSON_TENSOROPS_H
