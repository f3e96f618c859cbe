//===- CandidateLayouts.h - Layouts that a tile may get ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_CANDIDATELAYOUTS_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_CANDIDATELAYOUTS_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Target/TargetDescription.h"

namespace mirage::layout {

/// The threads of a block.
struct BlockThreads {
  unsigned laneBits; ///< log2 of the lanes of a warp.
  unsigned warpBits; ///< log2 of the warps of the block.
};

/// The three layouts of a matrix product.
struct DotLayouts {
  LinearLayoutAttr a, b, accumulator;
};

/// How a tile of global memory lies there.
struct MemoryShape {
  llvm::SmallVector<int64_t> tile;
  llvm::SmallVector<int64_t> strides;  ///< in elements.
  llvm::SmallVector<int64_t> extents;  ///< of the memory.
  llvm::SmallVector<int64_t> existing; ///< of the tile.
  unsigned elementBits = 32;

  /// Dims of the tile, the one with the smallest stride first.
  llvm::SmallVector<unsigned> order() const;
  /// The widest access in elements that alignment, the ends of the memory and
  /// of what exists of the tile, and `maxBits` allow along the fastest dim.
  int64_t widestVector(unsigned maxBits) const;
};

/// Of a tile in row-major memory with these extents.
MemoryShape memoryShape(llvm::ArrayRef<int64_t> tile,
                        llvm::ArrayRef<int64_t> existing,
                        llvm::ArrayRef<int64_t> extents, unsigned elementBits);
/// Of the tile of a load or store.
MemoryShape memoryShapeOf(GlobalAccessOpInterface access);
/// As if the tile were all of a row-major tensor.
MemoryShape memoryShapeOf(mlir::RankedTensorType tile);

/// Threads along the dims in `order`, `vector` neighbours of the first dim in
/// each. With `rowsToWarps` a warp covers the first dim alone and the warps
/// split the others.
LinearLayoutAttr blockedLayout(mlir::MLIRContext *context,
                               llvm::ArrayRef<int64_t> shape,
                               llvm::ArrayRef<unsigned> order, int64_t vector,
                               BlockThreads threads, bool rowsToWarps);

/// Layouts in which a tile is read from or written to memory in wide, coalesced
/// accesses.
llvm::SmallVector<LinearLayoutAttr>
memoryLayouts(mlir::MLIRContext *context, const MemoryShape &memory,
              BlockThreads threads, const TargetDescription &target);

/// Layouts for a dot with operands of `operandType`: the target's matrix
/// instruction if it has one for them, else multiply-adds, over all ways to
/// arrange the warps. `loadedBits` is the narrowest width in which values of
/// the operands are loaded: lanes hold so many neighbours along K that each of
/// their loads fills a register.
llvm::SmallVector<DotLayouts>
dotLayouts(mlir::MLIRContext *context, int64_t rows, int64_t columns,
           int64_t depth, mlir::Type operandType, unsigned loadedBits,
           BlockThreads threads, const TargetDescription &target);

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_CANDIDATELAYOUTS_H
