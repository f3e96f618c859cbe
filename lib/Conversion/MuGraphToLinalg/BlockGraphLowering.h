//===- BlockGraphLowering.h - Block graphs as loops on the host --*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLINALG_BLOCKGRAPHLOWERING_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLINALG_BLOCKGRAPHLOWERING_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

namespace mirage::mugraph {

/// The results of `graph` computed by loops over its grid, one block after the
/// other, at the builder's insertion point. `graph` itself stays.
llvm::FailureOr<llvm::SmallVector<mlir::Value>>
lowerBlockGraph(mlir::OpBuilder &builder, BlockGraphOp graph);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLINALG_BLOCKGRAPHLOWERING_H
