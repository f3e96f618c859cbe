//===- MuGraphDialect.td - Programs as muGraphs ------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHDIALECT_TD
#define MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHDIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/DialectBase.td"

def MuGraph_Dialect : Dialect {
  let name = "mugraph";
  let cppNamespace = "::mirage::mugraph";
  let summary = "Tensor programs on the three levels of a GPU";
  let description = [{
    One set of tensor ops serves three levels: the *kernel level* works on whole
    tensors, the *block level* (the region of `mugraph.block_graph`) on the tiles
    of one thread block, the *thread level* (`mugraph.thread_graph`) on values
    that stay in registers. An op means the same on each level.

    ```mlir
    func.func @rmsnorm_linear(%x: tensor<16x4096xf16>, %w: tensor<4096x6144xf16>)
        -> tensor<16x6144xf16> {
      %0 = mugraph.rms_norm %x : tensor<16x4096xf16>
      %1 = mugraph.matmul %0, %w
        : (tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>
      return %1 : tensor<16x6144xf16>
    }
    ```

    A function with the attribute `mugraph.implements = @spec` claims to compute
    what `@spec` computes.

    What an op means over the real numbers is stated once, by
    `MeaningOpInterface`; what it computes on the host, by
    `--convert-mugraph-to-linalg`, is derived from that: each op works in f32 or
    wider and rounds to the element type of its result.

    ### Constraints

    Verifiers name the constraint that is broken by its label.

    | label | constraint |
    |---|---|
    | `mugraph_c1` | tensors are ranked, without encoding, of f16, bf16, f32 or f64, each extent static and at least 1, at most 2^40 elements |
    | `mugraph_c2` | operands and result agree in element type; `matmul` and `reduce` may have a wider result, `cast` converts |
    | `mugraph_c3` | the result shape of an elementwise op is the NumPy broadcast of the operand shapes |
    | `mugraph_c4` | `matmul`: rank at least 2, equal contracted extents, batch dims that broadcast, the result shape that follows |
    | `mugraph_c5` | a dim is in range and named once |
    | `mugraph_c6` | the result shape of a reduction or a shape op follows from its operands and attributes |
    | `mugraph_c7` | scalars are finite, `eps` is not negative, `clamp` has min <= max |
    | `mugraph_c8` | `gamma` and `beta` have the shape of the normalized dim |
    | `mugraph_c9` | `gelu` is `approximate = "none"` or `"tanh"` |
    | `mugraph_c10` | a block graph has 1 to 3 grid extents and loop extents, each at least 1 and below 2^31 |
    | `mugraph_c11` | `threads` is a multiple of 32 up to 1024 |
    | `mugraph_c12` | a tile map has one entry for each dim, names only indices that exist and none twice |
    | `mugraph_c13` | the tile of an operand fits its map: same rank and element type, an uncut dim is whole (or rounded up to a power of two), no tile lies outside the tensor |
    | `mugraph_c14` | the tiles of a result cover it exactly once |
    | `mugraph_c15` | every grid dim of extent above 1 cuts every result |
    | `mugraph_c16` | a block graph holds tensor ops, accumulators and thread graphs |
    | `mugraph_c17` | a value depends on one loop at most, and a loop only on loops before it |
    | `mugraph_c18` | an accumulator's operand depends on the loop it accumulates over |
    | `mugraph_c19` | the yielded values fit the results: count, rank, element type, and the loop exactly where the map names it |
    | `mugraph_c20` | sums accumulate in f32 or wider |
    | `mugraph_c21` | `accumulate_softmax`: scores [.., q, j], values [.., j, d], results [.., q, 1] and [.., q, d] in f32 or wider |
    | `mugraph_c22` | a thread graph holds elementwise ops only, its region's arguments and yielded values have the types of operands and results |
    | `mugraph_c23` | `mugraph.implements` names another function of the same type |
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// The function attribute that names the function it claims to equal.
    static constexpr ::llvm::StringLiteral getImplementsAttrName() {
      return ::llvm::StringLiteral("mugraph.implements");
    }
    void registerAttributes();
  }];
}

#endif // MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHDIALECT_TD
