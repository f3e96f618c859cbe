//===- Import.h - Pieces of the import from linalg --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LINALGTOMUGRAPH_IMPORT_H
#define MIRAGE_LIB_CONVERSION_LINALGTOMUGRAPH_IMPORT_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

#include <optional>

namespace mirage::mugraph {

/// What a scalar of a body, or a tensor of an elementwise op, is: a tensor or a
/// number that is the same everywhere.
struct ImportedValue {
  mlir::Value tensor;
  std::optional<double> number;
};

/// The number that the constant `value` holds everywhere, if it does.
std::optional<double> constantNumber(mlir::Value value);

/// The elementwise `arith` or `math` op `op` on `operands`, as mugraph ops;
/// nothing if there is no such op.
std::optional<ImportedValue>
importElementwise(mlir::OpBuilder &builder, mlir::Operation *op,
                  llvm::ArrayRef<ImportedValue> operands);

/// The result of a `linalg.generic`, as mugraph ops; null if it has a form that
/// the dialect does not.
mlir::Value importGeneric(mlir::OpBuilder &builder, mlir::linalg::GenericOp op);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_CONVERSION_LINALGTOMUGRAPH_IMPORT_H
