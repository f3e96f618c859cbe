//===- MuGraphToLayout.h - Block graphs to tile programs --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_MUGRAPHTOLAYOUT_MUGRAPHTOLAYOUT_H
#define MIRAGE_CONVERSION_MUGRAPHTOLAYOUT_MUGRAPHTOLAYOUT_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace arith {
class ArithDialect;
} // namespace arith
namespace gpu {
class GPUDialect;
} // namespace gpu
namespace math {
class MathDialect;
} // namespace math
namespace memref {
class MemRefDialect;
} // namespace memref
namespace scf {
class SCFDialect;
} // namespace scf
} // namespace mlir

namespace mirage {
namespace layout {
class LayoutDialect;
} // namespace layout

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Conversion/MuGraphToLayout/Passes.h.inc"

} // namespace mirage

#endif // MIRAGE_CONVERSION_MUGRAPHTOLAYOUT_MUGRAPHTOLAYOUT_H
