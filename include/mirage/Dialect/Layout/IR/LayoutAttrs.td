//===- LayoutAttrs.td - Attributes of the layout dialect ---*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_IR_LAYOUTATTRS_TD
#define MIRAGE_DIALECT_LAYOUT_IR_LAYOUTATTRS_TD

include "mirage/Dialect/Layout/IR/LayoutDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/IR/EnumAttr.td"

def Layout_LinearLayoutAttr : AttrDef<Layout_Dialect, "LinearLayout", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "linear";
  let summary = "where each element of a tile lives, as a linear map over F2";
  let description = [{
    Maps a place to an element. A place is a tuple of numbers, one per place
    dim (`register, lane, warp, block` for tiles in registers, `offset` for
    tiles in shared memory); an element is a tuple with one index per dim of
    the tile. Each bit of a place has a *basis*: the element it contributes.
    The element at a place is the xor of the bases of the set bits. Bases are
    listed least significant bit first. A missing place dim has size 1.

    ```mlir
    // Four lanes, each with two neighbours of a row of eight.
    #layout.linear<register = [[1]], lane = [[2], [4]] -> [8]>
    // A shared tile of 4x8 where row r has its columns xor-ed with 2r.
    #layout.linear<offset = [[0, 1], [0, 2], [0, 4], [1, 2], [2, 4]] -> [4, 8]>
    ```

    Constraints:
    - (layout_c1) a basis has one number per dim of the tile, each in
      `[0, size)`, and every size is a power of two.
    - (layout_c2) place dims are `register, lane, warp, block`, or `offset`
      alone; each at most once and in this order, with at most 2^62 places.
    - (layout_c3) every element has a place (the map is surjective); in shared
      memory every element has exactly one.
    - (layout_c4) as encoding of a tensor, its sizes are the tensor's shape and
      its places are registers.
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$shape,
    // Bits of the place dims in their order: register, lane, warp, block; or
    // the one of `offset`.
    ArrayRefParameter<"int64_t">:$placeBits,
    // The bases of all place bits, one after the other, rank numbers each.
    ArrayRefParameter<"int64_t">:$bases);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    using Bases = ::llvm::SmallVector<::llvm::SmallVector<int64_t>>;
    /// A layout of registers; the place dims may be empty.
    static LinearLayoutAttr getRegisters(::mlir::MLIRContext *context, ::llvm::ArrayRef<int64_t> shape,
                                         const Bases &reg, const Bases &lane, const Bases &warp,
                                         const Bases &block = {});
    /// A layout of shared memory.
    static LinearLayoutAttr getShared(::mlir::MLIRContext *context, ::llvm::ArrayRef<int64_t> shape,
                                      const Bases &offset);

    /// Row-major offsets of a tile in shared memory.
    static LinearLayoutAttr getRowMajor(::mlir::MLIRContext *context, ::llvm::ArrayRef<int64_t> shape);
    /// From the algebra's form: out dims in the order of the tile's dims, in
    /// labels as `PlaceDim` names them, no offset.
    static LinearLayoutAttr fromLinear(::mlir::MLIRContext *context, const ::mirage::LinearLayout &layout);
    /// The algebra's form, with out labels dim0, dim1, ... and all place dims.
    ::mirage::LinearLayout getLinear() const;

    int64_t getRank() const { return getShape().size(); }
    bool isShared() const { return getPlaceBits().size() == 1; }
    /// The bases of one place dim, least significant bit first; empty when the
    /// layout has no such dim.
    Bases getBases(PlaceDim dim) const;
    /// Number of registers, lanes, ...: two to the number of bases.
    int64_t getSize(PlaceDim dim) const;
    /// The element at a place of `dim`, all other place dims being 0.
    ::llvm::SmallVector<int64_t> apply(PlaceDim dim, int64_t index) const;

    /// The layout of a reduction along `dim`, which stays with size 1:
    /// components along `dim` vanish, and so do registers that then repeat.
    LinearLayoutAttr reduceDim(unsigned dim) const;
    /// The layout after `layout.transpose` with `perm`.
    LinearLayoutAttr transpose(::llvm::ArrayRef<int64_t> perm) const;
    /// The layout after `layout.reshape` to `shape`: bits do not move.
    LinearLayoutAttr reshape(::llvm::ArrayRef<int64_t> shape) const;
    /// The layout after `layout.join`: a first register bit walks along a new
    /// last dim of size 2.
    LinearLayoutAttr joinLast() const;
    /// The layout after `layout.split`: without the last dim and the register
    /// bit that walks along it. Null if no such register bit exists or lanes,
    /// warps or blocks move along that dim too.
    LinearLayoutAttr splitLast() const;
    /// The register bit that `splitLast` removes.
    std::optional<unsigned> getSplitRegister() const;
    /// The layout after `layout.unpack`: a first register bit walks along the
    /// new lowest bit of `dim`.
    LinearLayoutAttr unpackDim(unsigned dim) const;
  }];
}

def Layout_ReduceKindAttr : I32EnumAttr<"ReduceKind", "how values are combined", [
    I32EnumAttrCase<"Sum", 0, "sum">,
    I32EnumAttrCase<"Max", 1, "max">,
    I32EnumAttrCase<"Min", 2, "min">,
    I32EnumAttrCase<"Prod", 3, "prod">,
    I32EnumAttrCase<"And", 4, "and">,
    I32EnumAttrCase<"Or", 5, "or">,
    I32EnumAttrCase<"Xor", 6, "xor">]> {
  let cppNamespace = "::mirage::layout";
}

#endif // MIRAGE_DIALECT_LAYOUT_IR_LAYOUTATTRS_TD
