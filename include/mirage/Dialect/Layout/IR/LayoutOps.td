//===- LayoutOps.td - Operations of the layout dialect -----*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_IR_LAYOUTOPS_TD
#define MIRAGE_DIALECT_LAYOUT_IR_LAYOUTOPS_TD

include "mirage/Dialect/Layout/IR/LayoutInterfaces.td"
include "mirage/Dialect/Layout/IR/LayoutTypes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Layout_Op<string mnemonic, list<Trait> traits = []>
    : Op<Layout_Dialect, mnemonic, traits>;

/// Ops that read or write global memory at a tile's position: `mem[offsets]`.
class Layout_MemoryOp<string mnemonic, string memory, string tile,
                      list<Trait> traits = []>
    : Layout_Op<mnemonic, !listconcat([Layout_GlobalAccessOpInterface], traits)> {
  let hasVerifier = 1;
  let extraClassDeclaration =
      "::mlir::Value getMemory() { return get" # memory # "(); }" #
      "::mlir::Value getTile() { return get" # tile # "(); }";
}

/// Ops whose layouts follow from each other (layout_c12).
def Layout_Follows : DeclareOpInterfaceMethods<Layout_TileLayoutOpInterface,
    ["getResultLayout", "getOperandLayout"]>;

/// Ops that only rename: element by element the result's place follows from
/// the operand's (layout_c12), and the lowering is free of instructions.
class Layout_ViewOp<string mnemonic, list<Trait> traits = []>
    : Layout_Op<mnemonic, !listconcat([Pure, Layout_Follows], traits)> {
  let results = (outs Layout_Tile:$result);
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

def Layout_LoadOp : Layout_MemoryOp<"load", "Source", "Result"> {
  let summary = "read a tile from global memory";
  let description = [{
    Reads the tile that starts at element `offsets` of `source`. Elements of the
    tile outside the memref do not exist: they read as `other` (0 when left
    out) and memory outside the memref is never touched. Vector widths,
    alignment and masks follow from the static shape and the offsets.

    With `within`, one extent for each dim, elements of the tile beyond it do not
    exist either: tiles have as many elements as a power of two, the parts into
    which a tensor is cut need not.

    ```mlir
    %t = layout.load %x[%i, %j] : memref<17x2560xf16> -> tensor<32x64xf16>
    %s = layout.load %x[%i, %j] other = -inf : memref<17x2560xf16> -> tensor<32x64xf16>
    %u = layout.load %x[%i, %j] within [32, 40] : memref<17x2560xf16> -> tensor<32x64xf16>
    ```

    Constraints:
    - (layout_c6) memref and tile have the same rank and element type, and
      there is one offset per dim.
    - (layout_c7) the memref has a static shape and row-major layout.
    - (layout_c28) `within` has one extent for each dim, from 1 to that of the
      tile.
  }];
  let arguments = (ins Arg<AnyMemRef, "global memory", [MemRead]>:$source,
                       Variadic<Index>:$offsets,
                       OptionalAttr<DenseI64ArrayAttr>:$within,
                       OptionalAttr<F64Attr>:$other);
  let results = (outs Layout_Tile:$result);
  let assemblyFormat = [{
    $source `[` $offsets `]` (`within` $within^)?
    (`other` `=` custom<Scalar>($other)^)? attr-dict
    `:` type($source) `->` type($result)
  }];
}

def Layout_StoreOp : Layout_MemoryOp<"store", "Dest", "Value"> {
  let summary = "write a tile to global memory";
  let description = [{
    Writes the tile at element `offsets` of `dest`. Elements outside the memref
    or beyond `within` are not written. An element held in several places is
    written once.

    ```mlir
    layout.store %t, %y[%i, %j] : tensor<32x64xf16>, memref<17x2560xf16>
    layout.store %t, %y[%i, %j] within [32, 40] : tensor<32x64xf16>, memref<17x2560xf16>
    ```

    Constraints: layout_c6, layout_c7, layout_c28 as for `layout.load`.
  }];
  let arguments = (ins Layout_Tile:$value,
                       Arg<AnyMemRef, "global memory", [MemWrite]>:$dest,
                       Variadic<Index>:$offsets,
                       OptionalAttr<DenseI64ArrayAttr>:$within);
  let assemblyFormat = [{
    $value `,` $dest `[` $offsets `]` (`within` $within^)? attr-dict
    `:` type($value) `,` type($dest)
  }];
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

def Layout_AllocSharedOp : Layout_Op<"alloc_shared", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a tile in shared memory, alive as long as it is used";
  let description = [{
    The contents are undefined at first. `layout-allocate-shared` gives it a
    place: the attribute `layout.offset`, in bytes. Each block of a cluster has
    a tile of its own, in which is what the block has written: a load of what
    other blocks have written is refused by the lowering.

    ```mlir
    %s = layout.alloc_shared : !layout.shared<16x64xf16>
    ```
  }];
  let results = (outs Res<Layout_SharedType, "shared memory", [MemAlloc]>:$result);
  let assemblyFormat = "attr-dict `:` qualified(type($result))";
}

def Layout_LocalLoadOp : Layout_Op<"local_load"> {
  let summary = "read a tile from shared memory into registers";
  let description = [{
    The reader sees what was written before the last `layout.barrier`. With
    several slots, `slot` names the one that is read.

    ```mlir
    %t = layout.local_load %s : !layout.shared<16x64xf16> -> tensor<16x64xf16>
    %u = layout.local_load %b slot %k : !layout.shared<16x64xf16, slots = 3> -> tensor<16x64xf16>
    ```

    Constraints:
    - (layout_c8) tile and shared tile have the same shape and element type;
      a slot is named if and only if there are several.
  }];
  let arguments = (ins Arg<Layout_SharedType, "shared memory", [MemRead]>:$source,
                       Optional<Index>:$slot);
  let results = (outs Layout_Tile:$result);
  let assemblyFormat = [{
    $source (`slot` $slot^)? attr-dict `:` qualified(type($source)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Layout_LocalStoreOp : Layout_Op<"local_store"> {
  let summary = "write a tile from registers to shared memory";
  let description = [{
    ```mlir
    layout.local_store %t, %s : tensor<16x64xf16>, !layout.shared<16x64xf16>
    ```

    Constraints: layout_c8 as for `layout.local_load`.
  }];
  let arguments = (ins Layout_Tile:$value,
                       Arg<Layout_SharedType, "shared memory", [MemWrite]>:$dest,
                       Optional<Index>:$slot);
  let assemblyFormat = [{
    $value `,` $dest (`slot` $slot^)? attr-dict `:` type($value) `,` qualified(type($dest))
  }];
  let hasVerifier = 1;
}

def Layout_BarrierOp : Layout_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait for all threads of the block, order their shared accesses";
  let description = [{
    ```mlir
    layout.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Layout_AsyncCopyOp : Layout_MemoryOp<"async_copy", "Source", "Dest",
                                         [AttrSizedOperandSegments]> {
  let summary = "start copying a tile from global to shared memory";
  let description = [{
    Copies as `layout.load` followed by `layout.local_store` would (elements
    outside the memref or beyond `within` become 0), but without waiting: the data is there after
    the `layout.async_wait` that covers its group and a `layout.barrier`.
    `via` says which thread copies what. Chips without asynchronous copies do
    it at once.

    ```mlir
    layout.async_copy %x[%i, %j], %s slot %k : memref<17x2560xf16>, !layout.shared<32x64xf16, slots = 3>
    ```

    Constraints: layout_c6, layout_c7, layout_c28 as for `layout.load`, with the
    shared tile as the tile; layout_c8 for the slot.
  }];
  let arguments = (ins Arg<AnyMemRef, "global memory", [MemRead]>:$source,
                       Variadic<Index>:$offsets,
                       Arg<Layout_SharedType, "shared memory", [MemWrite]>:$dest,
                       Optional<Index>:$slot,
                       OptionalAttr<DenseI64ArrayAttr>:$within,
                       OptionalAttr<Layout_LinearLayoutAttr>:$via);
  let assemblyFormat = [{
    $source `[` $offsets `]` `,` $dest (`slot` $slot^)? (`within` $within^)?
    attr-dict
    `:` type($source) `,` qualified(type($dest))
  }];
}

def Layout_AsyncCommitOp : Layout_Op<"async_commit", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "close the group of the asynchronous copies since the last one";
  let description = [{
    ```mlir
    layout.async_commit
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Layout_AsyncWaitOp : Layout_Op<"async_wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait until at most `pending` groups of this thread are under way";
  let description = [{
    ```mlir
    layout.async_wait 1
    ```
  }];
  let arguments = (ins ConfinedAttr<I32Attr, [IntNonNegative]>:$pending);
  let assemblyFormat = "$pending attr-dict";
}

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

def Layout_DotOp : Layout_Op<"dot", [Pure, AllTypesMatch<["c", "result"]>]> {
  let summary = "matrix product of tiles plus an accumulator";
  let description = [{
    `result[m, n] = c[m, n] + sum_k a[m, k] * b[k, n]`, accumulated in f32, or
    for i8 operands in i32 (which wraps around). Dims before the last two are
    batch dims of size 1. Operands of 16 and 8 bits use the chip's matrix
    instruction if it has one for them, all others multiply-adds.

    The order of the terms is free: a matrix instruction contracts whatever k
    the two operands agree on. So lanes may hold more neighbours along k than
    the instruction asks for (`k_width`), as long as both operands do.

    ```mlir
    %d = layout.dot %a, %b, %c : tensor<16x64xf16>, tensor<64x32xf16>, tensor<16x32xf32>
    %e = layout.dot %i, %j, %s : tensor<16x64xi8>, tensor<64x32xi8>, tensor<16x32xi32>
    ```

    Constraints:
    - (layout_c9) the tiles have the same rank of at least 2, leading dims of
      size 1, and shapes [m, k], [k, n], [m, n]; a and b have the same element
      type, of at most 16 bits or f32, and c is f32, or i32 if they are i8.
  }];
  let arguments = (ins Layout_Tile:$a, Layout_Tile:$b, Layout_Tile:$c);
  let results = (outs Layout_Tile:$result);
  let assemblyFormat = "$a `,` $b `,` $c attr-dict `:` type($a) `,` type($b) `,` type($c)";
  let hasVerifier = 1;
}

def Layout_ReduceOp : Layout_Op<"reduce", [Pure, Layout_Follows]> {
  let summary = "combine the elements along one dim, which stays with size 1";
  let description = [{
    Each element counts once, in any layout, however many places hold it. Values
    narrower than 32 bits are combined in f32 or i32 and rounded (wrapped)
    once, at the end. `max` and `min` of floats are NaN if an element is;
    integers are signed.

    ```mlir
    %r = layout.reduce sum %v axis = 1 : tensor<16x64xf32> -> tensor<16x1xf32>
    ```

    `max` and `min` may have a second result: where along the axis the element
    stands. Of equal elements it is the first, and the zeros of both signs are
    equal; if some are NaN, it is the first of these. The first result is then
    the element that stands there.

    ```mlir
    %m, %i = layout.reduce max %v axis = 1 : tensor<16x64xf32> -> tensor<16x1xf32>, tensor<16x1xi32>
    ```

    Between warps it goes through shared memory at `layout.offset`, between the
    blocks of a cluster through that of each other.

    Constraints:
    - (layout_c11) `axis` is a dim of the tile; the result has size 1 there and
      is the same otherwise, element type included.
    - (layout_c12) with layouts, the result's is the operand's with components
      along `axis` set to 0.
    - (layout_c20) `and`, `or` and `xor` combine integers.
    - (layout_c27) only `max` and `min` have an index, with the shape and layout
      of the first result.
  }];
  let arguments = (ins Layout_ReduceKindAttr:$kind, Layout_NumberTile:$value,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$axis);
  let results = (outs Layout_NumberTile:$result, Optional<Layout_IndexTile>:$index);
  let assemblyFormat = [{
    $kind $value `axis` `=` $axis attr-dict
    `:` type($value) `->` type($result) (`,` type($index)^)?
  }];
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "ReduceKind":$kind, "::mlir::Value":$value, "int64_t":$axis), [{
      build($_builder, $_state, result, /*index=*/::mlir::Type(), kind, value, axis);
    }]>
  ];
  let hasVerifier = 1;
}

def Layout_ScanOp : Layout_Op<"scan", [Pure, Layout_Follows, AllTypesMatch<["value", "result"]>]> {
  let summary = "combine each element with those before it along one dim";
  let description = [{
    `result[.., i, ..]` combines the elements up to and with index i along
    `axis`; up to but without i if `exclusive` (the first is then the neutral
    element: 0, 1, the least or the greatest value); from the end if `reverse`.
    Widths and NaNs as for `layout.reduce`.

    ```mlir
    %r = layout.scan sum %v axis = 1 : tensor<16x64xf32>
    %s = layout.scan max %v axis = 0 exclusive reverse : tensor<16x64xf32>
    ```
    Between warps it goes through shared memory at `layout.offset`, between the
    blocks of a cluster through that of the other blocks.

    Constraints:
    - (layout_c21) `axis` is a dim of the tile.
    - (layout_c20) `and`, `or` and `xor` combine integers.
  }];
  let arguments = (ins Layout_ReduceKindAttr:$kind, Layout_NumberTile:$value,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$axis,
                       UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs Layout_NumberTile:$result);
  let assemblyFormat = [{
    $kind $value `axis` `=` $axis (`exclusive` $exclusive^)? (`reverse` $reverse^)?
    attr-dict `:` type($value)
  }];
  let hasVerifier = 1;
}

def Layout_GatherOp : Layout_Op<"gather", [Pure, Layout_Follows]> {
  let summary = "pick elements along one dim by number";
  let description = [{
    `result[.., i, ..] = source[.., index[.., i, ..], ..]`, where the index
    stands at `axis`. It counts modulo the size of that dim of the source, so
    that no memory outside the tile is read.

    ```mlir
    %r = layout.gather %s[%i] axis = 1 : tensor<16x64xf16>, tensor<16x32xi32> -> tensor<16x32xf16>
    ```
    Where each reader's warp holds all it may ask for, the elements come by
    shuffles and selects, else through shared memory at `layout.offset`. In a
    cluster, all that a reader may ask for must be in its own block.

    Constraints:
    - (layout_c22) `axis` is a dim of the tiles, which have one rank and the
      same sizes elsewhere; the result has the shape of the indices and the
      element type of the source.
    - (layout_c12) with layouts, the result's is that of the indices; the
      source may be in any.
  }];
  let arguments = (ins Layout_Tile:$source, Layout_IndexTile:$index,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$axis);
  let results = (outs Layout_Tile:$result);
  let assemblyFormat = [{
    $source `[` $index `]` `axis` `=` $axis attr-dict
    `:` type($source) `,` type($index) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Layout_MaskOp : Layout_Op<"mask", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "replace what hangs over the end of a dim";
  let description = [{
    Elements whose index along `dim`, plus `offset`, is at least `extent` become
    `neutral`; the others stay.

    ```mlir
    %m = layout.mask %s dim = 1 offset = %o extent = 2560 neutral = -inf : tensor<32x64xf32>
    ```

    Constraints:
    - (layout_c13) `dim` is a dim of the tile.
  }];
  let arguments = (ins Layout_Tile:$value, ConfinedAttr<I64Attr, [IntNonNegative]>:$dim, Index:$offset,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$extent, F64Attr:$neutral);
  let results = (outs Layout_Tile:$result);
  let assemblyFormat = [{
    $value `dim` `=` $dim `offset` `=` $offset `extent` `=` $extent
    `neutral` `=` custom<Scalar>($neutral) attr-dict `:` type($value)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Layouts and shapes
//===----------------------------------------------------------------------===//

def Layout_ConvertOp : Layout_Op<"convert", [Pure]> {
  let summary = "the same tile in another layout";
  let description = [{
    The only op that moves data between threads without a meaning of its own.
    The lowering plans it: nothing, renamed registers, warp shuffles, or shared
    memory at `layout.offset`.

    ```mlir
    #rows = #layout.linear<register = [[0, 1]], lane = [[1, 0]] -> [2, 2]>
    #cols = #layout.linear<register = [[1, 0]], lane = [[0, 1]] -> [2, 2]>
    %b = layout.convert %a : tensor<2x2xf16, #rows> -> tensor<2x2xf16, #cols>
    ```

    Constraints:
    - (layout_c10) shape and element type stay.
  }];
  let arguments = (ins Layout_Tile:$value);
  let results = (outs Layout_Tile:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Layout_BroadcastOp : Layout_ViewOp<"broadcast"> {
  let summary = "repeat a tile along its dims of size 1";
  let description = [{
    ```mlir
    %b = layout.broadcast %r : tensor<16x1xf32> -> tensor<16x64xf32>
    ```

    Constraints:
    - (layout_c14) rank and element type stay; each dim stays or grows from 1.
    - (layout_c12) with layouts, the operand's is the result's with components
      along the grown dims set to 0.
  }];
  let arguments = (ins Layout_Tile:$value);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
}

def Layout_TransposeOp : Layout_ViewOp<"transpose"> {
  let summary = "permute the dims of a tile";
  let description = [{
    Dim i of the result is dim `perm[i]` of the operand.

    ```mlir
    %t = layout.transpose %v perm = [1, 0] : tensor<16x64xf16> -> tensor<64x16xf16>
    ```

    Constraints:
    - (layout_c15) `perm` is a permutation and the result's shape follows it.
    - (layout_c12) with layouts, the result's is the operand's, permuted.
  }];
  let arguments = (ins Layout_Tile:$value, DenseI64ArrayAttr:$perm);
  let assemblyFormat = "$value `perm` `=` $perm attr-dict `:` type($value) `->` type($result)";
}

def Layout_ReshapeOp : Layout_ViewOp<"reshape"> {
  let summary = "the same elements, in row-major order, under another shape";
  let description = [{
    Also how dims of size 1 come and go.

    ```mlir
    %t = layout.reshape %v : tensor<16x64xf16> -> tensor<1x16x64xf16>
    ```

    Constraints:
    - (layout_c16) the number of elements and the element type stay.
    - (layout_c12) with layouts, the result's is the operand's with the bits of
      the flattened index split anew.
  }];
  let arguments = (ins Layout_Tile:$value);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
}

def Layout_JoinOp : Layout_Op<"join", [Pure, Layout_Follows, AllTypesMatch<["first", "second"]>]> {
  let summary = "two tiles side by side along a new last dim";
  let description = [{
    `result[.., 0] = first[..]` and `result[.., 1] = second[..]`. Free: the new
    dim is the lowest register bit. With `layout.transpose` and
    `layout.reshape` it concatenates and interleaves.

    ```mlir
    %r = layout.join %a, %b : tensor<16x64xf16> -> tensor<16x64x2xf16>
    ```

    Constraints:
    - (layout_c23) the result has the operands' shape with a last dim of size 2,
      and their element type.
    - (layout_c12) with layouts, the result's is the operands' with a first
      register bit along the new dim.
  }];
  let arguments = (ins Layout_Tile:$first, Layout_Tile:$second);
  let results = (outs Layout_Tile:$result);
  let assemblyFormat = "$first `,` $second attr-dict `:` type($first) `->` type($result)";
  let hasVerifier = 1;
}

def Layout_SplitOp : Layout_Op<"split", [Pure, Layout_Follows, AllTypesMatch<["first", "second"]>]> {
  let summary = "the two halves of a tile along its last dim of size 2";
  let description = [{
    The inverse of `layout.join`, and as free: both halves must be in the same
    thread.

    ```mlir
    %a, %b = layout.split %v : tensor<16x64x2xf16> -> tensor<16x64xf16>
    ```

    Constraints:
    - (layout_c24) the operand's last dim has size 2; the results have its shape
      without that dim, and its element type.
    - (layout_c25) with a layout, the operand has a register bit that moves one
      step along the last dim and nowhere else; lanes, warps and blocks do not
      move along it.
    - (layout_c12) with layouts, the results' is the operand's without the last
      dim and that register bit.
  }];
  let arguments = (ins Layout_Tile:$value);
  let results = (outs Layout_Tile:$first, Layout_Tile:$second);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($first)";
  let hasVerifier = 1;
}

def Layout_UnpackOp : Layout_Op<"unpack", [Pure, Layout_Follows]> {
  let summary = "the two 4-bit integers of each byte";
  let description = [{
    A tile of bytes holds two 4-bit integers each, the low four bits first:
    elements 2i and 2i + 1 along `axis` come from byte i. They are signed
    (-8 to 7), or from 0 to 15 if `unsigned`; as f16, bf16, f32, i8 or i32,
    where all of them are exact. The values stay in their thread.

    ```mlir
    %r = layout.unpack %v axis = 1 : tensor<16x32xi8> -> tensor<16x64xf16>
    ```

    Constraints:
    - (layout_c26) `axis` is a dim of the tile; the result is twice as large
      there and the same otherwise.
    - (layout_c12) with layouts, the result's is the operand's with components
      along `axis` doubled and a first register bit that moves one step along
      it.
  }];
  let arguments = (ins Layout_ByteTile:$value, ConfinedAttr<I64Attr, [IntNonNegative]>:$axis,
                       UnitAttr:$isUnsigned);
  let results = (outs Layout_UnpackedTile:$result);
  let assemblyFormat = [{
    $value `axis` `=` $axis (`unsigned` $isUnsigned^)? attr-dict
    `:` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// The host side
//===----------------------------------------------------------------------===//

def Layout_LaunchOp : Layout_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run a kernel on whole tensors";
  let description = [{
    Runs `kernel` with `grid` thread blocks of `threads` threads and `shared`
    bytes of dynamic shared memory each. The kernel's arguments are pointers to
    the inputs, then to the results, row-major.

    ```mlir
    %y = layout.launch @kernels::@main grid = [96, 1, 1] threads = 128 shared = 0 (%x)
      : (tensor<16x64xf16>) -> tensor<16x64xf16>
    ```

    Constraints:
    - (layout_c17) `kernel` names a kernel (`gpu.func` or `llvm.func` in a
      `gpu.module`) with one argument per input and result, of the same shape
      and element type while they are memrefs; `grid` has 3 positive extents.
  }];
  let arguments = (ins SymbolRefAttr:$kernel, DenseI64ArrayAttr:$grid,
                       ConfinedAttr<I64Attr, [IntPositive]>:$threads,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$shared,
                       Variadic<AnyStaticShapeTensor>:$inputs);
  let results = (outs Variadic<AnyStaticShapeTensor>:$results);
  let assemblyFormat = [{
    $kernel `grid` `=` $grid `threads` `=` $threads `shared` `=` $shared
    `(` $inputs `)` attr-dict `:` functional-type($inputs, $results)
  }];
  let hasVerifier = 1;
}

#endif // MIRAGE_DIALECT_LAYOUT_IR_LAYOUTOPS_TD
