//===- KernelEmitter.h - A block graph as a kernel --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_KERNELEMITTER_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_KERNELEMITTER_H

#include "BlockStages.h"
#include "Product.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mirage {

/// Fills the body of one kernel with the tile program of one block graph: where
/// tiles lie, what is loaded, computed and stored in which stage, and how loops
/// carry accumulators.
class KernelEmitter {
public:
  /// `kernel` has one memref argument for each input and output of `graph` and
  /// an empty body; the terminator is added.
  KernelEmitter(mugraph::BlockGraphOp graph, mlir::gpu::GPUFuncOp kernel,
                const TargetDescription &target);

  llvm::LogicalResult run();

private:
  mlir::Value position(llvm::ArrayRef<mugraph::TileIndex> indices, int64_t tile,
                       int64_t shift);
  llvm::SmallVector<mlir::Value> offsets(mugraph::TileMapAttr map,
                                         llvm::ArrayRef<int64_t> tile);
  mlir::DenseI64ArrayAttr within(mugraph::TileMapAttr map,
                                 llvm::ArrayRef<int64_t> shape,
                                 llvm::ArrayRef<int64_t> memory);
  mlir::Value indexValue(mugraph::TileIndex index);

  llvm::LogicalResult emitStage(unsigned stage);
  llvm::LogicalResult emitLoop(unsigned stage);
  llvm::LogicalResult emitOps(llvm::ArrayRef<mlir::Operation *> ops);
  llvm::LogicalResult emitOp(mlir::Operation *op);
  llvm::LogicalResult emitThreadGraph(mugraph::ThreadGraphOp op);
  llvm::FailureOr<Tile> emitConcat(mugraph::ConcatOp op);
  llvm::FailureOr<Tile> emitSlice(mugraph::SliceOp op);
  void emitStores(llvm::ArrayRef<unsigned> numbers);

  /// Loads the tile of an input, moved by `shift` elements along its dims and
  /// with another extent where `shape` says so.
  Tile load(unsigned input, llvm::ArrayRef<int64_t> shape,
            llvm::ArrayRef<int64_t> shift);
  /// The tile of a value; an input is loaded when it is first asked for.
  Tile get(mlir::Value value);
  void loadSmallInputs();
  /// Loads, before a loop, the inputs that it reads but does not cut.
  void loadInvariantInputs(const BlockStages::Stage &stage, unsigned loop);
  /// Loads, first in a loop, the inputs that it cuts.
  void loadVariantInputs(const BlockStages::Stage &stage, unsigned loop);
  bool changesWith(mlir::Value input, unsigned loop);

  /// Number of values a loop carries for an accumulator.
  static unsigned numCarried(mlir::Operation *accumulate);
  llvm::SmallVector<mlir::Value> initialValues(mlir::Operation *accumulate);
  /// The carried values after one more iteration.
  llvm::FailureOr<llvm::SmallVector<mlir::Value>>
  nextValues(mlir::Operation *accumulate, mlir::ValueRange carried,
             unsigned loop);
  llvm::FailureOr<mlir::Value> nextValue(mugraph::AccumulateOp op,
                                         mlir::Value carried, unsigned loop);
  llvm::FailureOr<llvm::SmallVector<mlir::Value>>
  nextSoftmax(mugraph::AccumulateSoftmaxOp op, mlir::ValueRange carried);
  void carryProduct(mlir::Value result, const Product &product,
                    mlir::Value carried);
  void finishAccumulator(mlir::Operation *accumulate,
                         mlir::ValueRange finalValues, unsigned loop);

  mugraph::BlockGraphOp graph;
  mlir::gpu::GPUFuncOp kernel;
  mlir::OpBuilder builder;
  TileEmitter emitter;
  BlockStages stages;
  llvm::DenseMap<mlir::Value, Tile> tiles;
  llvm::DenseMap<mlir::Value, Product> products; ///< that accumulators sum up.
  llvm::SmallVector<mlir::Value> gridIds;
  mlir::Value loopIndex;
};

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_KERNELEMITTER_H
