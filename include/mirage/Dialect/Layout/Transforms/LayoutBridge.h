//===- LayoutBridge.h - Layout attributes and F2 layouts --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_TRANSFORMS_LAYOUTBRIDGE_H
#define MIRAGE_DIALECT_LAYOUT_TRANSFORMS_LAYOUTBRIDGE_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Support/F2/LinearLayout.h"

namespace mirage::layout {

/// The matrix of an attribute: register, lane, warp, block (or offset) ->
/// dim0, dim1, ...
LinearLayout toLinearLayout(LinearLayoutAttr layout);

/// The attribute of a register layout whose out labels are dim0, dim1, ...
LinearLayoutAttr toAttribute(mlir::MLIRContext *context,
                             const LinearLayout &layout);

/// The attribute of a layout of shared memory: offset -> dim0, dim1, ...
LinearLayoutAttr toSharedAttribute(mlir::MLIRContext *context,
                                   const LinearLayout &layout);

} // namespace mirage::layout

#endif // MIRAGE_DIALECT_LAYOUT_TRANSFORMS_LAYOUTBRIDGE_H
