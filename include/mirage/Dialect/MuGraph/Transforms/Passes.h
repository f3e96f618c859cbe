//===- Passes.h - Passes on muGraphs ----------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_TRANSFORMS_PASSES_H
#define MIRAGE_DIALECT_MUGRAPH_TRANSFORMS_PASSES_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace mirage {

struct TargetDescription;

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Dialect/MuGraph/Transforms/Passes.h.inc"

namespace mugraph {

/// Replaces every composite op in `root` by primitive ones, `root` excluded.
llvm::LogicalResult decomposeComposites(mlir::Operation *root);

class BlockGraphOp;

/// Replaces silu, sigmoid, tanh, gelu and means below `root` by ops of a single
/// function each, as their meanings say.
void decomposeActivations(mlir::Operation *root);

/// Groups elementwise ops of `graph` that feed each other at the same stage.
llvm::LogicalResult formThreadGraphs(BlockGraphOp graph);

/// Puts every kernel-level op of `function` into a block graph with a default
/// schedule for `target`; see the pass. Emits an error where an op has none.
llvm::LogicalResult outlineKernels(mlir::func::FuncOp function,
                                   const TargetDescription &target);

/// Makes each function of `module` compute in f64; see the pass.
llvm::LogicalResult promoteToF64(mlir::ModuleOp module);

} // namespace mugraph
} // namespace mirage

#endif // MIRAGE_DIALECT_MUGRAPH_TRANSFORMS_PASSES_H
