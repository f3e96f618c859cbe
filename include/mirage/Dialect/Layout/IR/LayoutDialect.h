//===- LayoutDialect.h - The layout dialect ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_IR_LAYOUTDIALECT_H
#define MIRAGE_DIALECT_LAYOUT_IR_LAYOUTDIALECT_H

#include "mirage/Support/F2/LinearLayout.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mirage::layout {
/// The dims of a place. A register layout has the first four, in this order; a
/// layout of shared memory has `Offset` alone.
enum class PlaceDim : unsigned { Register, Lane, Warp, Block, Offset };

/// "register", "lane", ...
llvm::StringRef placeDimName(PlaceDim dim);

/// Attribute on ops that use shared memory: the byte at which their part
/// starts, given by layout-allocate-shared.
inline constexpr llvm::StringLiteral offsetAttrName = "layout.offset";
/// Attribute on a kernel: bytes of dynamic shared memory it needs.
inline constexpr llvm::StringLiteral sharedBytesAttrName =
    "layout.shared_bytes";

/// The extents of a tile, in registers or in shared memory.
llvm::ArrayRef<int64_t> tileShapeOf(mlir::Type tile);
} // namespace mirage::layout

#include "mirage/Dialect/Layout/IR/LayoutOpsDialect.h.inc"
#include "mirage/Dialect/Layout/IR/LayoutOpsEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "mirage/Dialect/Layout/IR/LayoutOpsAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "mirage/Dialect/Layout/IR/LayoutInterfaces.h.inc"
#include "mirage/Dialect/Layout/IR/LayoutOpsTypes.h.inc"
#define GET_OP_CLASSES
#include "mirage/Dialect/Layout/IR/LayoutOps.h.inc"

namespace mirage::layout {
/// The layout of a tile, or null where it has none yet.
LinearLayoutAttr getLayout(mlir::Type tile);
/// layout_c12: the layouts of the tiles of `op` follow from each other, or none
/// has one.
llvm::LogicalResult verifyLayouts(TileLayoutOpInterface op);
/// The same tile in another layout.
mlir::RankedTensorType withLayout(mlir::RankedTensorType tile,
                                  LinearLayoutAttr layout);
} // namespace mirage::layout

#endif // MIRAGE_DIALECT_LAYOUT_IR_LAYOUTDIALECT_H
