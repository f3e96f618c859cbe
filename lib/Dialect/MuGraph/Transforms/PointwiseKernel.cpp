//===- PointwiseKernel.cpp - Kernels for elementwise and shape ops --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DefaultKernels.h"
#include "KernelBuilder.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage::mugraph;

Value mirage::mugraph::reshapeTo(OpBuilder &builder, Value value,
                                 ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return ReshapeOp::create(builder, value.getLoc(), type.clone(shape), value);
}

/// The dim of the iteration that operand dim `index` runs over, or nothing.
static std::optional<unsigned> dimOf(AffineExpr index) {
  if (auto sum = dyn_cast<AffineBinaryOpExpr>(index))
    index = sum.getLHS();
  if (auto dim = dyn_cast<AffineDimExpr>(index))
    return dim.getPosition();
  return std::nullopt;
}

/// Tiles of at most the budget: whole dims from the innermost out, then a part
/// of one, then single elements. The last dims of all tensors come first and
/// get 64 elements, so that each is read or written in long runs.
static SmallVector<int64_t> chooseTiles(const MeaningPiece &piece) {
  SmallVector<unsigned> order;
  auto add = [&](unsigned dim) {
    if (!llvm::is_contained(order, dim))
      order.push_back(dim);
  };
  unsigned rank = piece.extents.size();
  for (AffineMap map : piece.operandMaps)
    if (map.getNumResults() != 0)
      if (auto dim = dimOf(map.getResults().back()))
        add(*dim);
  if (rank != 0)
    add(rank - 1);
  size_t last = order.size();
  for (unsigned dim = rank; dim-- > 0;)
    add(dim);

  SmallVector<int64_t> tiles(rank, 1);
  int64_t left = tileBudget;
  for (auto [number, dim] : llvm::enumerate(order)) {
    int64_t whole = llvm::PowerOf2Ceil(piece.extents[dim]);
    // Several dims that want long runs share the budget.
    int64_t most =
        last > 1 && number < last ? std::min<int64_t>(left, 64) : left;
    tiles[dim] = std::min(whole, most);
    left /= tiles[dim];
  }
  return tiles;
}

FailureOr<Value> mirage::mugraph::buildPointwiseKernel(OpBuilder &builder,
                                                       MeaningOpInterface op) {
  FailureOr<Meaning> meaning = op.getMeaning();
  if (failed(meaning))
    return failure();
  const MeaningPiece &piece = meaning->pieces[0];
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<int64_t> tiles = chooseTiles(piece);
  std::optional<TilePlan> plan = TilePlan::create(type.getShape(), tiles);
  if (!plan)
    return op->emitOpError() << "on " << type
                             << " has no default kernel: more than three dims "
                                "would be cut into tiles of "
                             << tileBudget << " elements";

  MLIRContext *context = builder.getContext();
  KernelBuilder kernel(builder, op.getLoc(), type, plan->grid());
  SmallVector<Value> operands;
  for (auto [map, operand] :
       llvm::zip_equal(piece.operandMaps, op->getOperands())) {
    SmallVector<int64_t> tile;
    SmallVector<TileDimAttr> entries;
    SmallVector<int64_t> zero(piece.extents.size());
    SmallVector<int64_t> shifts(map.compose(zero));
    for (auto [index, shift] : llvm::zip_equal(map.getResults(), shifts)) {
      std::optional<unsigned> dim = dimOf(index);
      tile.push_back(dim ? plan->tile(*dim) : 1);
      entries.push_back(dim ? plan->entry(*dim, shift, context)
                            : TileDimAttr::get(context, {}, 0));
    }
    operands.push_back(
        kernel.addInput(operand, TileMapAttr::get(context, entries), tile));
  }
  // The map of a slice's operand says all that the slice does.
  Value result = isa<SliceOp>(op) ? operands[0]
                                  : kernel.clone(op, operands,
                                                 plan->tileOf(type.getShape()));
  BlockGraphOp graph =
      kernel.finish({}, {plan->mapOf(type.getShape(), context)}, result);
  return graph.getResult(0);
}
