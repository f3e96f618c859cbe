//===- Passes.td - Block graphs to tile programs -----------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_MUGRAPHTOLAYOUT_PASSES
#define MIRAGE_CONVERSION_MUGRAPHTOLAYOUT_PASSES

include "mlir/Pass/PassBase.td"

def ConvertMuGraphToLayoutPass
    : Pass<"convert-mugraph-to-layout", "::mlir::ModuleOp"> {
  let summary = "Turn each block graph into a GPU kernel over tiles";
  let description = [{
    Every `mugraph.block_graph` of a host function becomes a `gpu.func` of one
    `gpu.module` (named after the function) whose arguments are memrefs, inputs
    first, and a `layout.launch` in its place. The body of the kernel is a tile
    program: tiles are tensors whose extents are the powers of two that cover those
    of the graph, loads and stores carry the element offsets that the tile maps give
    and what exists of a tile (`within`), each loop of the graph is
    an `scf.for` whose accumulators are iteration arguments, and values outside
    the loops are computed before, between or after them as the flow of the
    data demands.

    Elements of a tile that hang over the tensor are masked with the neutral
    element of what consumes them (`layout.mask`), unless they provably hold it
    already. Arithmetic is in f32; operands of a matrix product keep their
    16-bit type. Products that are smaller than the matrix instruction repeat
    rows or columns, or are transposed where that takes fewer instructions; a
    loop carries their sums in this form.

    The tiles have no layout yet; `layout-assign` chooses one for each.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_90a\"",
           "Chip to compile for; decides the number of threads of a block">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mirage::layout::LayoutDialect"
  ];
}

#endif // MIRAGE_CONVERSION_MUGRAPHTOLAYOUT_PASSES
