//===- Passes.td - From mugraph to linalg ------------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_MUGRAPHTOLINALG_PASSES_TD
#define MIRAGE_CONVERSION_MUGRAPHTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertMuGraphToLinalg : Pass<"convert-mugraph-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower mugraph programs to linalg on the host: their meaning";
  let description = [{
    Turns every mugraph op into linalg on tensors, block graphs included, so that a
    program can run on the CPU at any stage. This defines what the program computes:

    - Each primitive op becomes one `linalg.generic` for each piece of its meaning,
      composites after decomposition. The body works in f32 (f64 if a tensor has it)
      and the value is rounded once, to the element type of the op's result.
    - A block graph becomes `scf.for` loops over the grid and over each of its
      loops. Tiles are slices of the tensors, cut off at the tensors' ends: what
      hangs over does not exist.

    With `promote` the program is first made to compute in f64 throughout
    (`--mugraph-promote-types`).
  }];
  let options = [
    Option<"promote", "promote", "bool", "false", "Compute everything in f64">
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mirage::mugraph::MuGraphDialect"
  ];
}

#endif // MIRAGE_CONVERSION_MUGRAPHTOLINALG_PASSES_TD
