//===- LayoutInterfaces.td - How layouts follow from each other -*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_IR_LAYOUTINTERFACES_TD
#define MIRAGE_DIALECT_LAYOUT_IR_LAYOUTINTERFACES_TD

include "mlir/IR/OpBase.td"

def Layout_TileLayoutOpInterface : OpInterface<"TileLayoutOpInterface"> {
  let description = [{
    Ops whose operands and results are tied together by their layouts: renaming
    ops, reductions, scans. The rule is written once, as a function of matrices;
    the verifier (layout_c12), layout assignment and the lowering all ask it.

    All results of an op have the same layout.
  }];
  let cppNamespace = "::mirage::layout";
  let methods = [
    InterfaceMethod<[{
      The layout of the results where operand number `operand` is in `layout`;
      null where the rule says nothing of it or there is none.
    }], "::mirage::layout::LinearLayoutAttr", "getResultLayout",
      (ins "unsigned":$operand, "::mirage::layout::LinearLayoutAttr":$layout), "", "return {};">,
    InterfaceMethod<[{
      The layout that operand number `operand` must have where the results are
      in `layout`; null where several or none would do.
    }], "::mirage::layout::LinearLayoutAttr", "getOperandLayout",
      (ins "unsigned":$operand, "::mirage::layout::LinearLayoutAttr":$layout), "", "return {};">
  ];
}

def Layout_GlobalAccessOpInterface : OpInterface<"GlobalAccessOpInterface"> {
  let description = [{
    Ops that read or write a tile of global memory at `getOffsets()`, one for each
    dim. An element of the tile exists if it lies inside the memory and below
    `getExisting()`.
  }];
  let cppNamespace = "::mirage::layout";
  let methods = [
    InterfaceMethod<"The memory.",
      "::mlir::Value", "getMemory">,
    InterfaceMethod<"The tile, in registers or in shared memory.",
      "::mlir::Value", "getTile">,
    InterfaceMethod<"Where the tile starts in the memory.",
      "::mlir::OperandRange", "getOffsets">,
    InterfaceMethod<"Extents that bound what exists of the tile, or none.",
      "::std::optional<::llvm::ArrayRef<int64_t>>", "getWithin">,
    InterfaceMethod<"For each dim the extent of what exists of the tile.",
      "::llvm::ArrayRef<int64_t>", "getExisting", (ins), "",
      [{
        return $_op.getWithin().value_or(
            ::mirage::layout::tileShapeOf($_op.getTile().getType()));
      }]>,
    InterfaceMethod<"The type of the memory.",
      "::mlir::MemRefType", "getMemoryType", (ins), "",
      "return ::llvm::cast<::mlir::MemRefType>($_op.getMemory().getType());">
  ];
}

#endif // MIRAGE_DIALECT_LAYOUT_IR_LAYOUTINTERFACES_TD
