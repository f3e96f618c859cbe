//===- MuGraph.h - The mugraph dialect --------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPH_H
#define MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPH_H

#include "mirage/Dialect/MuGraph/IR/Meaning.h"
#include "mirage/Dialect/MuGraph/IR/OpSupport.h"
#include "mirage/Dialect/MuGraph/IR/TileIndex.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "mirage/Dialect/MuGraph/IR/MuGraphDialect.h.inc"
#include "mirage/Dialect/MuGraph/IR/MuGraphEnums.h.inc"
#include "mirage/Dialect/MuGraph/IR/MuGraphInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mirage/Dialect/MuGraph/IR/MuGraphAttrs.h.inc"

namespace mirage::mugraph {

/// `[_, l0, (g1, l0)]`: a tile map without the attribute's brackets.
mlir::ParseResult parseTileMap(mlir::AsmParser &parser, TileMapAttr &map);
void printTileMap(mlir::AsmPrinter &printer, TileMapAttr map);

} // namespace mirage::mugraph

#define GET_OP_CLASSES
#include "mirage/Dialect/MuGraph/IR/MuGraphOps.h.inc"

#endif // MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPH_H
