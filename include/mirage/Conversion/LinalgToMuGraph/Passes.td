//===- Passes.td - From linalg to mugraph ------------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LINALGTOMUGRAPH_PASSES_TD
#define MIRAGE_CONVERSION_LINALGTOMUGRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLinalgToMuGraph : Pass<"convert-linalg-to-mugraph"> {
  let summary = "Recognise tensor programs in linalg";
  let description = [{
    Turns linalg on tensors of static shape into kernel-level mugraph ops: named ops
    (by way of `linalg.generic`), contractions with any order of dims, reductions
    of elementwise expressions, elementwise bodies with broadcasting, `linalg.softmax`,
    also elementwise `arith` and `math` on tensors, `tensor.expand_shape`,
    `collapse_shape`, `extract_slice` and `concat`. An op that it does not recognise
    stays as it is.

    ```mlir
    %0 = linalg.matmul ins(%a, %b : tensor<16x64xf32>, tensor<64x32xf32>)
                       outs(%zero : tensor<16x32xf32>) -> tensor<16x32xf32>
    // becomes
    %0 = mugraph.matmul %a, %b : (tensor<16x64xf32>, tensor<64x32xf32>) -> tensor<16x32xf32>
    ```
  }];
  let dependentDialects = [
    "::mirage::mugraph::MuGraphDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // MIRAGE_CONVERSION_LINALGTOMUGRAPH_PASSES_TD
