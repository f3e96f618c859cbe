//===- LayoutTypes.td - Types of the layout dialect --------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_IR_LAYOUTTYPES_TD
#define MIRAGE_DIALECT_LAYOUT_IR_LAYOUTTYPES_TD

include "mirage/Dialect/Layout/IR/LayoutAttrs.td"
include "mlir/IR/BuiltinTypeInterfaces.td"

def Layout_SharedType : TypeDef<Layout_Dialect, "Shared"> {
  let mnemonic = "shared";
  let summary = "a tile in the shared memory of a thread block";
  let description = [{
    The tile's shape and element type, and optionally how offsets (counted in
    elements) map to elements: a `#layout.linear` with the place dim `offset`,
    through which swizzles are expressed. With `slots = n` the buffer holds n
    tiles of this layout one after the other (software pipelining); accesses
    then name the slot.

    ```mlir
    !layout.shared<16x64xf16>
    !layout.shared<2x4xf16, #layout.linear<offset = [[0, 1], [0, 2], [1, 0]] -> [2, 4]>, slots = 3>
    ```

    Constraints:
    - (layout_c5) the shape is static, positive and equal to the sizes of the
      layout, whose only place dim is `offset`; elements are those of tiles;
      `slots` is positive.
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$shape,
    "::mlir::Type":$elementType,
    "::mirage::layout::LinearLayoutAttr":$layout,
    "int64_t":$slots);
  let builders = [
    TypeBuilderWithInferredContext<(ins "::llvm::ArrayRef<int64_t>":$shape, "::mlir::Type":$elementType,
                 CArg<"::mirage::layout::LinearLayoutAttr", "{}">:$layout, CArg<"int64_t", "1">:$slots), [{
      return $_get(elementType.getContext(), shape, elementType, layout, slots);
    }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    /// Bytes of one slot.
    int64_t getSlotBytes() const;
    /// Bytes of all slots.
    int64_t getBytes() const { return getSlotBytes() * getSlots(); }
  }];
}

/// What elements of a tile may be. On 8-bit floats there is no arithmetic: they
/// are loaded, moved, converted and multiplied by matrix instructions.
def Layout_Element : AnyTypeOf<[F16, BF16, F32, F8E4M3FN, F8E5M2, F8E4M3FNUZ, F8E5M2FNUZ,
                                I8, I32]>;
def Layout_Tile : StaticShapeTensorOf<[Layout_Element]>;
/// What can be combined with itself.
def Layout_NumberTile : StaticShapeTensorOf<[F16, BF16, F32, I8, I32]>;
def Layout_IndexTile : StaticShapeTensorOf<[I32]>;
def Layout_ByteTile : StaticShapeTensorOf<[I8]>;
def Layout_UnpackedTile : StaticShapeTensorOf<[F16, BF16, F32, I8, I32]>;

#endif // MIRAGE_DIALECT_LAYOUT_IR_LAYOUTTYPES_TD
