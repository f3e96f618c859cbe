//===- ImportProgram.h - From a function to the search ----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_IMPORTPROGRAM_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_IMPORTPROGRAM_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Search/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace mirage::mugraph {

/// A function as the search sees it, and the way back.
struct ImportedProgram {
  search::Program program;
  /// The ops of the function, in the order of `Op::source`.
  llvm::SmallVector<mlir::Operation *> sources;
  /// The value in the function, or in `decomposed`, of each tensor.
  llvm::SmallVector<mlir::Value> tensors;
  /// The tensors of the function's own values.
  llvm::DenseMap<mlir::Value, search::TensorId> tensorOf;
  /// An op that computes function number i (0, exp, is null).
  llvm::SmallVector<mlir::Operation *> functions;
  /// A copy of the function in which softmax and the norms are spelled out.
  mlir::OwningOpRef<mlir::func::FuncOp> decomposed;

  mlir::RankedTensorType typeOf(search::TensorId tensor) const {
    return llvm::cast<mlir::RankedTensorType>(tensors[tensor].getType());
  }
};

/// Reads `function`, which has one block and works on static tensors; fails,
/// with the reason, on anything else.
std::optional<ImportedProgram> importProgram(mlir::func::FuncOp function,
                                             std::string &reason);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_IMPORTPROGRAM_H
