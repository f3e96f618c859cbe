//===- MuGraphToDot.h - Draw a muGraph --------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TARGET_DOT_MUGRAPHTODOT_H
#define MIRAGE_TARGET_DOT_MUGRAPHTODOT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace mirage {

/// Writes the functions of `module` as one Graphviz graph: a node for each
/// operation, a box around each function and block graph, and on the edges into
/// and out of a block graph the map that cuts the tensor into tiles.
mlir::LogicalResult writeDot(mlir::ModuleOp module, llvm::raw_ostream &output);

} // namespace mirage

#endif // MIRAGE_TARGET_DOT_MUGRAPHTODOT_H
