//===- Passes.td - From kernels to code --------------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LOWERING_PASSES
#define MIRAGE_LOWERING_PASSES

include "mlir/Pass/PassBase.td"

def SerializeKernelsPass
    : Pass<"mirage-serialize-kernels", "::mlir::ModuleOp"> {
  let summary = "Replace lowered kernels by assembly or machine code";
  let description = [{
    Each `gpu.module` of LLVM and NVVM or ROCDL operations becomes a `gpu.binary`
    of the same name that holds PTX or AMDGCN text (`format=asm`) or a cubin or
    hsaco (`format=binary`). Text needs no toolkit; machine code needs ptxas or
    lld, and a missing one is diagnosed.
  }];
  let options = [
    Option<"format", "format", "std::string", "\"asm\"", "asm or binary">
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect"];
}

#endif // MIRAGE_LOWERING_PASSES
