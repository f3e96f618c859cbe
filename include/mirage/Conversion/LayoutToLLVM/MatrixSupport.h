//===- MatrixSupport.h - Which products a chip multiplies itself -*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LAYOUTTOLLVM_MATRIXSUPPORT_H
#define MIRAGE_CONVERSION_LAYOUTTOLLVM_MATRIXSUPPORT_H

#include "mirage/Target/TargetDescription.h"

#include "mlir/IR/BuiltinTypes.h"

namespace mirage {

/// Whether `element` is an 8-bit float of this format.
bool isFloat8(mlir::Type element, Float8Format format);

/// Whether the lowering uses a matrix instruction for operands of type
/// `element`: 16-bit floats, and the bytes that the target's table names.
bool hasMatrixInstruction(mlir::Type element, const TargetDescription &target);

} // namespace mirage

#endif // MIRAGE_CONVERSION_LAYOUTTOLLVM_MATRIXSUPPORT_H
