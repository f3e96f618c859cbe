//===- MuGraphToLinalg.h - Run mugraph programs on the host -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reference: what a program computes, executed by upstream MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_MUGRAPHTOLINALG_MUGRAPHTOLINALG_H
#define MIRAGE_CONVERSION_MUGRAPHTOLINALG_MUGRAPHTOLINALG_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace mirage {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Conversion/MuGraphToLinalg/Passes.h.inc"

namespace mugraph {

/// Replaces every mugraph op in `module` by linalg on tensors.
llvm::LogicalResult convertToLinalg(mlir::ModuleOp module);

/// Options of the pipeline `mugraph-reference-pipeline`.
struct ReferencePipelineOptions
    : public mlir::PassPipelineOptions<ReferencePipelineOptions> {
  Option<bool> promote{*this, "promote", llvm::cl::init(true),
                       llvm::cl::desc("Compute everything in f64")};
};

/// From a module of mugraph functions to the LLVM dialect. Each function keeps
/// its name and gets the attribute `llvm.emit_c_interface`; its parameters are
/// the memrefs of the arguments, in the types of the program, followed by those
/// of the results, which are f64 with `promote`. All are dense and row-major:
///
///   invokePacked("_mlir_ciface_f", {&argument0, &argument1, &result0})
///
/// with pointers to `StridedMemRefType` descriptors.
void buildReferencePipeline(mlir::OpPassManager &manager,
                            const ReferencePipelineOptions &options);

/// Runs that pipeline on `module`.
llvm::LogicalResult lowerToReference(mlir::ModuleOp module,
                                     bool promote = true);

/// Registers `mugraph-reference-pipeline`.
void registerReferencePipeline();

} // namespace mugraph
} // namespace mirage

#endif // MIRAGE_CONVERSION_MUGRAPHTOLINALG_MUGRAPHTOLINALG_H
