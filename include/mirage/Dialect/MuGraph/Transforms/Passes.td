//===- Passes.td - Passes on muGraphs ----------------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_TRANSFORMS_PASSES_TD
#define MIRAGE_DIALECT_MUGRAPH_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def MuGraphDecompose : Pass<"mugraph-decompose"> {
  let summary = "Spell out softmax and the norms in primitive ops";
  let description = [{
    Replaces each composite op by what `MeaningOpInterface::decompose` builds: the
    same values from reductions, elementwise ops and casts, computed in f32 or
    wider.

    ```mlir
    %1 = mugraph.softmax %0 dim = 1 : tensor<16x64xf32>
    // becomes
    %m = mugraph.reduce max %0 dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
    %d = mugraph.sub %0, %m : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    %e = mugraph.exp %d : tensor<16x64xf32>
    %s = mugraph.reduce sum %e dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
    %1 = mugraph.div %e, %s : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    ```

    With `all` also silu, sigmoid, tanh, gelu and means, whose meanings are made of
    several functions, are spelled out.
  }];
  let options = [
    Option<"all", "all", "bool", "false",
           "Spell out activations and means as well">
  ];
}

def MuGraphFormThreadGraphs : Pass<"mugraph-form-thread-graphs"> {
  let summary = "Group chains of elementwise ops in block graphs into thread graphs";
  let description = [{
    Two or more elementwise ops of a block graph that are computed at the same stage
    (in the same loop, or after the same one) and feed each other become one
    `mugraph.thread_graph`: their values stay in registers. This is a rule, not a
    choice of the search.

    ```mlir
    %a = mugraph.rsqrt %s : tensor<16x1xf32>
    %b = mugraph.mul %m, %a : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    // becomes
    %b = mugraph.thread_graph ins(%s, %m : tensor<16x1xf32>, tensor<16x64xf32>) outs(tensor<16x64xf32>) {
    ^bb0(%x: tensor<16x1xf32>, %y: tensor<16x64xf32>):
      %0 = mugraph.rsqrt %x : tensor<16x1xf32>
      %1 = mugraph.mul %y, %0 : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
      mugraph.yield %1 : tensor<16x64xf32>
    }
    ```
  }];
}

def MuGraphOutlineKernels : Pass<"mugraph-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Put each kernel-level op into a block graph of its own";
  let description = [{
    Gives every op that is not in a block graph a kernel with a default schedule, so
    that any program can be lowered as it is written: tiles over all dims for
    elementwise and shape ops, rows over the grid for reductions, softmax and norms
    (long rows in loops with accumulators), a grid over batch, rows and columns and
    a loop over the depth for matrix products.

    What stays on the host: `mugraph.reshape`, which renames a buffer, and
    `mugraph.concat` along the first dim (of extent above 1), which copies one
    buffer behind the other; a concat along another dim is transposed into that.
    Functions that others implement (`mugraph.implements`) are left alone.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_90a\"",
           "Chip whose size the tiles are chosen for">
  ];
}

def MuGraphPromoteTypes : Pass<"mugraph-promote-types", "::mlir::ModuleOp"> {
  let summary = "Compute everything in f64";
  let description = [{
    Turns each function with mugraph ops into the same computation in f64:
    arguments keep their types and are extended, every value in between is f64, so
    nothing is rounded to a narrow type, and the results are f64. This is what
    lowered kernels are compared with.
  }];
  let dependentDialects = ["::mirage::mugraph::MuGraphDialect"];
}

#endif // MIRAGE_DIALECT_MUGRAPH_TRANSFORMS_PASSES_TD
