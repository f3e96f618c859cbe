//===- Passes.td - Passes over tile programs ---------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_TRANSFORMS_PASSES
#define MIRAGE_DIALECT_LAYOUT_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

class LayoutPass<string argument> : Pass<argument, "::mlir::ModuleOp"> {
  let options = [Option<"target", "target", "std::string", "\"sm_90a\"",
                        "Chip to compile for">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::scf::SCFDialect", "::mirage::layout::LayoutDialect"
  ];
}

def LayoutAssignPass : LayoutPass<"layout-assign"> {
  let summary = "Choose a layout for every tile of a kernel";
  let description = [{
    Gives each tile value of every kernel a `#layout.linear` such that the
    modelled cost of the whole kernel is the least over the candidate layouts:
    instructions and sectors of loads and stores, what the planned conversions
    and reductions cost, arithmetic that replicas repeat, each times the trips
    of the loops around it. A remark (category `layout-assign`) has the cost and
    a lower bound of it. Where a user needs another layout than its operand has, a
    `layout.convert` is inserted. Products of 16-bit tiles get the accumulator
    of the target's matrix instruction where the tile holds one.
  }];
}

def LayoutFoldConversionsPass : LayoutPass<"layout-fold-conversions"> {
  let summary = "Remove, merge and move layout conversions";
  let description = [{
    Removes conversions between equal layouts and chains of conversions, merges
    equal ones, moves a conversion in front of a widening cast and behind a
    narrowing one (fewer bits travel) and to what views read, and hoists
    conversions of loop-invariant values.
  }];
}

def LayoutDeferReductionsPass : Pass<"layout-defer-reductions", "::mlir::ModuleOp"> {
  let summary = "Reduce across threads once, behind the loop that accumulates";
  let description = [{
    Where all that a loop does with a reduction is to accumulate it, each thread
    accumulates its own part, and the parts are reduced behind the loop:

    ```mlir
    %a = scf.for ... iter_args(%acc = %zero) -> tensor<16x1xf32> {
      %r = layout.reduce sum %x axis = 1 : tensor<16x256xf32> -> tensor<16x1xf32>
      %s = arith.addf %acc, %r : tensor<16x1xf32>
    // becomes, where lanes step along 32 of 256 elements
    %p = scf.for ... iter_args(%acc = %zeros) -> tensor<16x32xf32> {
      %v = layout.reshape %x : tensor<16x256xf32> -> tensor<16x32x8xf32>
      %q = layout.reduce sum %v axis = 2 : tensor<16x32x8xf32> -> tensor<16x32x1xf32>
      %r = layout.reshape %q : tensor<16x32x1xf32> -> tensor<16x32xf32>
      %s = arith.addf %acc, %r : tensor<16x32xf32>
    ...
    %a = layout.reduce sum %p axis = 1 : tensor<16x32xf32> -> tensor<16x1xf32>
    ```
    For sums, maxima and minima of 32-bit values; sums also where the loop scales
    what it has. No more registers are carried than before.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mirage::layout::LayoutDialect"];
}

def LayoutPipelineLoadsPass : LayoutPass<"layout-pipeline-loads"> {
  let summary = "Issue the loads of later iterations before computing this one";
  let description = [{
    So that the latency of global memory hides behind arithmetic. Where the chip
    has asynchronous copies, the tiles of up to `stages - 1` later iterations are
    on their way to a ring of slots in shared memory, swizzled for the copies
    and for the layouts in which the tiles are read. Elsewhere, and for accesses
    narrower than 4 bytes, the tiles of the next iteration are loaded into
    registers; the last iteration then loads its own tile again, which is in
    bounds and unused.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_90a\"",
           "Chip to compile for">,
    Option<"stages", "stages", "unsigned", "4",
           "Most iterations in flight, this one included; 1 leaves loops alone">,
    Option<"maxRegisters", "max-registers", "unsigned", "64",
           "32-bit registers of a thread that may hold tiles in flight">
  ];
}

def LayoutAllocateSharedPass : LayoutPass<"layout-allocate-shared"> {
  let summary = "Place all buffers in shared memory";
  let description = [{
    Gives each `layout.alloc_shared` and the scratch of each conversion and
    reduction an offset (`layout.offset`) such that what lives at the same time
    does not overlap, nor, where there is room, what would wait for the one
    before it, and sets `layout.shared_bytes` on the kernel and the
    `shared` size of its launches. More than the target has is an error that
    names the operations and their sizes.
  }];
}

#endif // MIRAGE_DIALECT_LAYOUT_TRANSFORMS_PASSES
