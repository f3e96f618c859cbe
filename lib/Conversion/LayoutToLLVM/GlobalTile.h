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

/// Which indices along a dim exist: none if `outside`, else those that pass the
/// checks that are left for run time, against the ends of the memory and of the
/// tile.
struct Cover {
  bool outside = false, checkMemory = false, checkTile = false;
};

/// What is known of an access at compile time.
struct GlobalTile {
  /// Reads what AccessAnalysis.cpp left on `op`.
  GlobalTile(layout::GlobalAccessOpInterface op,
             layout::LinearLayoutAttr layout, BlockShape block);

  /// Register bits of the widest vectors of at most `maxBits`, nearest
  /// elements first.
  llvm::SmallVector<unsigned> planRun(unsigned maxBits) const;

  /// The indices along `dim` of one register, over all threads of all blocks.
  Cover cover(unsigned dim, unsigned registerIndex) const;

  mlir::MemRefType memory;
  layout::LinearLayoutAttr layout;
  ThreadMap flat;
  llvm::SmallVector<ThreadMap> dims;
  llvm::SmallVector<int64_t> existing; ///< of the tile, by dim.
  llvm::SmallVector<int64_t> strides, divisors, lowest, highest;
  llvm::SmallVector<bool> inside;

private:
  /// Elements of memory by which a register bit moves.
  uint64_t step(unsigned registerBit) const;
  bool maskIsUniform(uint64_t run) const;
  bool aligned(uint64_t run, uint64_t size) const;
};

/// How an asynchronous copy is cut into vectors that are consecutive in global
/// and in shared memory.
struct AsyncCopyShape {
  GlobalTile tile;
  ThreadMap offsets;                  ///< in shared memory, in elements.
  llvm::SmallVector<unsigned> run;    ///< register bits of a vector.
  llvm::SmallVector<unsigned> starts; ///< the first register of each vector.

  unsigned elementBytes() const {
    return tile.memory.getElementTypeBitWidth() / 8;
  }
  /// Of a vector.
  unsigned bytes() const { return elementBytes() << run.size(); }
  /// Whether there is an instruction for it, or a load and a store do it.
  bool isAsync(const TargetDescription &target) const {
    return target.hasAsyncCopy && bytes() >= 4;
  }
  /// Bits of the thread's number in its block: threads with one of them set
  /// leave the copy to others of their block, which have the same elements.
  uint64_t idle;
};
/// Fails with a diagnostic where the layouts do not fit each other.
llvm::FailureOr<AsyncCopyShape> planAsyncCopy(layout::AsyncCopyOp op,
                                              BlockShape block,
                                              const TargetDescription &target);

/// Emits the copy from the memory at `source`, with the tile at `starts` (index
/// values), to the shared tile at `base`.
void emitAsyncCopy(mlir::ImplicitLocOpBuilder &b,
                   const TargetInstructions &instructions,
                   const AsyncCopyShape &shape, mlir::Value source,
                   mlir::ValueRange starts, mlir::Value base);

/// Emits addresses and masks. The builder must stay where values emitted
/// earlier dominate.
class GlobalTileEmitter {
public:
  GlobalTileEmitter(mlir::ImplicitLocOpBuilder &b, const GlobalTile &access,
                    ThreadEmitter &threads, mlir::Value pointer,
                    mlir::ValueRange offsets);

  /// One vector: its registers, its offset in elements, and its mask (null for
  /// inside, or where `outside` says that no thread has an element of it).
  struct Run {
    llvm::SmallVector<unsigned> registers;
    mlir::Value dynamic;
    int64_t fixed;
    mlir::Value inside;
    bool outside = false;
    /// What decides the mask: for each masked dim its number and the part of
    /// the index that is the run's own.
    llvm::SmallVector<int64_t> maskKey;
  };
  Run at(unsigned first, llvm::ArrayRef<unsigned> run);

  /// All runs that hold some canonical register; those in one group share their
  /// mask.
  std::vector<llvm::SmallVector<Run>>
  maskGroups(llvm::ArrayRef<unsigned> canonical, llvm::ArrayRef<unsigned> run);

  mlir::Value address(const Run &run);

private:
  void addMask(Run &run, unsigned dim, const MapEmitter::Number &place,
               Cover cover);
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
