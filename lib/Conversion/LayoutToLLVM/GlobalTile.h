//===- GlobalTile.h - Vectors, alignment and masks of a tile in global memory
//--*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_GLOBALTILE_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_GLOBALTILE_H

#include "TileLowering.h"

namespace mirage {

/// What is known of an access at compile time.
struct GlobalTile {
  /// Reads `layout.divisors` and `layout.inside` from `op`.
  GlobalTile(mlir::Operation *op, mlir::MemRefType memory,
             layout::LinearLayoutAttr layout, BlockShape block);

  /// Register bits of the widest vectors of at most `maxBits`, nearest
  /// elements first.
  llvm::SmallVector<unsigned> planRun(unsigned maxBits) const;

  mlir::MemRefType memory;
  layout::LinearLayoutAttr layout;
  ThreadMap flat;
  llvm::SmallVector<ThreadMap> dims;
  llvm::SmallVector<int64_t> strides, divisors;
  llvm::SmallVector<bool> inside;

private:
  /// Elements of memory by which a register bit moves.
  uint64_t step(unsigned registerBit) const;
  bool maskAllows(unsigned bit, uint64_t size) const;
  bool aligned(uint64_t run, uint64_t size) const;
};

/// Emits addresses and masks. The builder must stay where values emitted
/// earlier dominate.
class GlobalTileEmitter {
public:
  GlobalTileEmitter(mlir::ImplicitLocOpBuilder &b, const GlobalTile &access,
                    ThreadEmitter &threads, mlir::Value pointer,
                    mlir::ValueRange offsets);

  /// One vector: its registers, its offset in elements, and its mask (null for
  /// inside). Runs with equal `maskKey` have the same mask.
  struct Run {
    llvm::SmallVector<unsigned> registers;
    mlir::Value dynamic;
    int64_t fixed;
    mlir::Value inside;
    llvm::SmallVector<int64_t> maskKey;
  };
  Run at(unsigned first, llvm::ArrayRef<unsigned> run);

  mlir::Value address(const Run &run);
  /// The same, or the start of the memory where the mask is false.
  mlir::Value safeAddress(const Run &run);

private:
  mlir::Value constant(int64_t value);
  mlir::Value dynamicIndex(unsigned dim, const MapEmitter::Number &number);
  mlir::Value dynamicOffset(llvm::ArrayRef<MapEmitter::Number> numbers);

  mlir::ImplicitLocOpBuilder &b;
  const GlobalTile &access;
  mlir::Value pointer;
  mlir::Type numberType;
  std::vector<MapEmitter> numbers;
  llvm::SmallVector<mlir::Value> starts;
  llvm::SmallVector<std::pair<llvm::SmallVector<uint64_t>, mlir::Value>>
      dynamicOffsets;
};

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_GLOBALTILE_H
