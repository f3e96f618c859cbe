//===- MuGraphAttrs.td - Attributes of the mugraph dialect -*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHATTRS_TD
#define MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHATTRS_TD

include "mirage/Dialect/MuGraph/IR/MuGraphDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def MuGraph_ReduceKind : I32EnumAttr<"ReduceKind", "how a reduction combines", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Mean", 1, "mean">,
    I32EnumAttrCase<"Max", 2, "max">, I32EnumAttrCase<"Min", 3, "min">]> {
  let cppNamespace = "::mirage::mugraph";
  let genSpecializedAttr = 0;
}
def MuGraph_ReduceKindAttr
    : EnumAttr<MuGraph_Dialect, MuGraph_ReduceKind, "reduce_kind"> {
  let assemblyFormat = "$value";
}

def MuGraph_AccumulateKind
    : I32EnumAttr<"AccumulateKind", "how an accumulator combines iterations", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 2, "max">,
    I32EnumAttrCase<"Min", 3, "min">]> {
  let cppNamespace = "::mirage::mugraph";
  let genSpecializedAttr = 0;
}
def MuGraph_AccumulateKindAttr
    : EnumAttr<MuGraph_Dialect, MuGraph_AccumulateKind, "accumulate_kind"> {
  let assemblyFormat = "$value";
}

class MuGraph_Attr<string name, string attrMnemonic>
    : AttrDef<MuGraph_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def MuGraph_TileDimAttr : MuGraph_Attr<"TileDim", "tile_dim"> {
  let summary = "How one dim of a tensor is cut into tiles";
  let description = [{
    The element offset of the tile is `index * tile extent + shift`, where
    `index` nests the named indices, outermost first: `(g1, l0)` is
    `g1 * extent(l0) + l0`. No index (`_`) is index 0: the dim is not cut.
  }];
  let parameters = (ins
    ArrayRefParameter<"::mirage::mugraph::TileIndex", "outermost first">:$indices,
    "int64_t":$shift);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    bool isCut() const { return !getIndices().empty(); }
    bool dependsOn(TileIndex index) const {
      return ::llvm::is_contained(getIndices(), index);
    }
  }];
}

def MuGraph_TileMapAttr : MuGraph_Attr<"TileMap", "tile"> {
  let summary = "How a tensor is cut into tiles over grid and loops";
  let description = [{
    One entry for each dim of the tensor: `_` (not cut), an index `g0`..`g2` of
    the grid or `l0`, `l1`, .. of the loops, or a nest of them, each with an
    optional static shift in elements.

    ```mlir
    #mugraph.tile<[_, (g1, l0), l0 + 32]>
    ```

    Tiles are clipped: the part of a tile that hangs over the tensor does not
    exist. Reductions and contractions skip it and it is never written.
  }];
  let parameters = (ins
    ArrayRefParameter<"::mirage::mugraph::TileDimAttr", "one for each dim">:$dims);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getDims().size(); }
    TileDimAttr getDim(unsigned dim) const { return getDims()[dim]; }
    /// True if some dim is cut by `index`.
    bool dependsOn(TileIndex index) const {
      return ::llvm::any_of(getDims(), [&](TileDimAttr dim) {
        return dim.dependsOn(index);
      });
    }
    /// The loops that cut the tensor, ascending, each once.
    ::llvm::SmallVector<unsigned> getLoops() const;
  }];
}

def MuGraph_TileMapArrayAttr
    : TypedArrayAttrBase<MuGraph_TileMapAttr, "array of tile maps">;

#endif // MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHATTRS_TD
