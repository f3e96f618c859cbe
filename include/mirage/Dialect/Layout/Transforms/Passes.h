//===- Passes.h - Passes over tile programs ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_TRANSFORMS_PASSES_H
#define MIRAGE_DIALECT_LAYOUT_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace arith {
class ArithDialect;
} // namespace arith
namespace gpu {
class GPUDialect;
} // namespace gpu
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
#include "mirage/Dialect/Layout/Transforms/Passes.h.inc"

} // namespace mirage

#endif // MIRAGE_DIALECT_LAYOUT_TRANSFORMS_PASSES_H
