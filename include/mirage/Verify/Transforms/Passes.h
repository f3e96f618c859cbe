//===- Passes.h - Passes that check programs --------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_TRANSFORMS_PASSES_H
#define MIRAGE_VERIFY_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mirage {
namespace verify {

/// Whether `mugraph-verify` looks for a proof.
enum class ProofMode {
  Auto,    ///< Where one can be found; random tests otherwise.
  Off,     ///< Random tests only.
  Require, ///< A function without a proof is an error.
};

/// On a module that a check has refused: what fails a pass without it is the
/// input, and no answer. For drivers that tell the two apart.
inline constexpr llvm::StringLiteral refusedAttrName = "mirage.refused";

/// Marks `module` as refused.
inline void setRefused(mlir::ModuleOp module) {
  module->setAttr(refusedAttrName, mlir::UnitAttr::get(module.getContext()));
}

} // namespace verify

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Verify/Transforms/Passes.h.inc"

} // namespace mirage

#endif // MIRAGE_VERIFY_TRANSFORMS_PASSES_H
