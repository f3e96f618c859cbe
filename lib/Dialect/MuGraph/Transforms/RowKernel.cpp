//===- RowKernel.cpp - Kernels for reductions, softmax and norms ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row kernel computes values that depend on one dim, the row, through
// reductions. Every value of the (decomposed) op has a level: the number of
// reductions, one after the other, that it needs. A reduction of level n + 1
// is a loop over the row that computes its operand and accumulates; values that
// still have the row dim are recomputed in each loop that needs them, from
// tiles that are read again; the last loop writes.
//
//     softmax of a long row:  l0: max        x -> m
//                             l1: sum        exp(x - m) -> s
//                             l2: write      exp(x - m) / s
//
//===----------------------------------------------------------------------===//

#include "DefaultKernels.h"
#include "KernelBuilder.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {
/// The reduced dims of an op on one tensor.
SmallVector<int64_t> rowDimsOf(Operation *op) {
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return SmallVector<int64_t>(reduce.getDims());
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return {static_cast<int64_t>(softmax.getDim())};
  return {type.getRank() - 1};
}

/// The rows of one op: the shape that is cut, and how.
struct Rows {
  ArrayRef<int64_t> shape;
  SmallVector<int64_t> rowDims;

  bool isRowDim(int64_t dim) const { return llvm::is_contained(rowDims, dim); }
  /// Elements of a row, each dim rounded up to a power of two.
  int64_t rowElements() const {
    int64_t elements = 1;
    for (int64_t dim : rowDims)
      elements *= static_cast<int64_t>(llvm::PowerOf2Ceil(shape[dim]));
    return elements;
  }
};

/// Tiles of `rowTile` elements of the row and as many rows as the budget takes
/// and as leave a block for each multiprocessor.
std::optional<TilePlan> planRows(const Rows &rows, int64_t rowTile,
                                 const TargetDescription &target) {
  SmallVector<int64_t> tiles(rows.shape.size(), 1);
  for (int64_t dim : rows.rowDims)
    tiles[dim] = rows.rowDims.size() == 1 ? rowTile
                                          : llvm::PowerOf2Ceil(rows.shape[dim]);
  int64_t left = std::max<int64_t>(tileBudget / rowTile, 1), count = 1;
  for (int64_t dim = 0; dim < static_cast<int64_t>(rows.shape.size()); ++dim)
    if (!rows.isRowDim(dim))
      count *= rows.shape[dim];
  left = std::min<int64_t>(left, llvm::bit_floor<uint64_t>(std::max<int64_t>(
                                     count / target.multiprocessors, 1)));
  for (int64_t dim = rows.shape.size(); dim-- > 0;) {
    if (rows.isRowDim(dim))
      continue;
    int64_t whole = llvm::PowerOf2Ceil(rows.shape[dim]);
    tiles[dim] = std::min(whole, left);
    left /= tiles[dim];
  }
  return TilePlan::create(rows.shape, tiles);
}

/// Builds the loops of a kernel whose rows do not fit a tile.
class RowLoops {
public:
  RowLoops(OpBuilder &builder, KernelBuilder &kernel, TilePlan plan,
           int64_t rowDim, int64_t rowExtent)
      : kernel(kernel), plan(std::move(plan)), rowDim(rowDim),
        rowExtent(rowExtent), context(builder.getContext()) {}

  /// The tile of `value` in loop `loop` (or anywhere, if it has no row dim).
  Value emit(Value value, unsigned loop);

  /// How many reductions, one after the other, `value` needs.
  unsigned level(Value value);
  bool hasRow(Value value) const;

private:
  Value emitInput(Value value, unsigned loop);
  Value emitReduce(ReduceOp op);

  KernelBuilder &kernel;
  TilePlan plan;
  int64_t rowDim, rowExtent;
  MLIRContext *context;
  DenseMap<std::pair<Value, unsigned>, Value> emitted;
  DenseMap<Value, unsigned> levels;

public:
  /// The ops that the kernel is built from; other values are inputs.
  SmallPtrSet<Operation *, 16> ops;
};
} // namespace

bool RowLoops::hasRow(Value value) const {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  int64_t own = rowDim - (plan.rank() - static_cast<int64_t>(shape.size()));
  return own >= 0 && shape[own] != 1;
}

unsigned RowLoops::level(Value value) {
  auto known = levels.find(value);
  if (known != levels.end())
    return known->second;
  Operation *op = value.getDefiningOp();
  unsigned result = 0;
  if (op && ops.contains(op)) {
    for (Value operand : op->getOperands())
      result = std::max(result, level(operand));
    result += isa<ReduceOp>(op);
  }
  levels[value] = result;
  return result;
}

Value RowLoops::emitInput(Value value, unsigned loop) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  TilePlan inLoop = plan;
  inLoop.cutByLoop(rowDim, loop);
  return kernel.addInput(value, inLoop.mapOf(shape, context),
                         plan.tileOf(shape));
}

Value RowLoops::emitReduce(ReduceOp op) {
  unsigned loop = level(op.getInput());
  Value input = emit(op.getInput(), loop);
  Type f32 = Float32Type::get(context);
  auto tileType = cast<RankedTensorType>(input.getType());
  bool wide = tileType.getElementType().getIntOrFloatBitWidth() >= 32;
  SmallVector<int64_t> shape(tileType.getShape());
  shape[rowDim] = 1;
  auto type =
      RankedTensorType::get(shape, wide ? tileType.getElementType() : f32);
  bool isMean = op.getKind() == ReduceKind::Mean;
  auto kind = isMean ? ReduceKind::Sum : op.getKind();
  OpBuilder &body = kernel.body();
  Location loc = op.getLoc();
  Value part =
      ReduceOp::create(body, loc, type, input, kind, ArrayRef<int64_t>{rowDim});
  auto combine = static_cast<AccumulateKind>(kind);
  Value result = AccumulateOp::create(body, loc, part.getType(), part, combine,
                                      static_cast<int64_t>(loop));
  if (isMean)
    result = MulScalarOp::create(body, loc, result,
                                 body.getF64FloatAttr(1.0 / rowExtent));
  return kernel.cast(result, op.getType().getElementType());
}

Value RowLoops::emit(Value value, unsigned loop) {
  Operation *op = value.getDefiningOp();
  auto key = std::pair(value, hasRow(value) ? loop : ~0u);
  if (Value known = emitted.lookup(key))
    return known;
  Value result;
  if (!op || !ops.contains(op)) {
    result = emitInput(value, loop);
  } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
    result = emitReduce(reduce);
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(emit(operand, loop));
    result = kernel.clone(
        op, operands,
        plan.tileOf(cast<RankedTensorType>(value.getType()).getShape()));
  }
  emitted[key] = result;
  return result;
}

/// A kernel with the row in one tile.
static Value buildWholeRows(OpBuilder &builder, Operation *op, TilePlan plan) {
  MLIRContext *context = builder.getContext();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  KernelBuilder kernel(builder, op->getLoc(), type, plan.grid());
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(operand.getType()).getShape();
    operands.push_back(kernel.addInput(operand, plan.mapOf(shape, context),
                                       plan.tileOf(shape)));
  }
  SmallVector<int64_t> tile = plan.tileOf(type.getShape());
  Value result = kernel.clone(op, operands, tile);
  return kernel.finish({}, {plan.mapOf(type.getShape(), context)}, result)
      .getResult(0);
}

/// A kernel with loops over the row, from the op's decomposition.
static FailureOr<Value> buildLongRows(OpBuilder &builder, Operation *op,
                                      TilePlan plan, int64_t rowDim,
                                      int64_t rowExtent) {
  MLIRContext *context = builder.getContext();
  // The primitive ops stand in the function only while they are read.
  Value root = op->getResult(0);
  Operation *before = op->getPrevNode();
  if (auto composite = cast<MeaningOpInterface>(op);
      failed(composite.getMeaning())) {
    FailureOr<Value> value = composite.decompose(builder);
    if (failed(value))
      return failure();
    root = *value;
  }
  SmallVector<Operation *> primitive;
  if (root == op->getResult(0)) {
    primitive.push_back(op);
  } else {
    Operation *next = before ? before->getNextNode() : &op->getBlock()->front();
    for (; next != op; next = next->getNextNode())
      primitive.push_back(next);
  }

  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  KernelBuilder kernel(builder, op->getLoc(), type, plan.grid());
  RowLoops loops(builder, kernel, plan, rowDim, rowExtent);
  loops.ops.insert(primitive.begin(), primitive.end());
  unsigned last = loops.level(root);
  bool writesRow = loops.hasRow(root);
  Value result = loops.emit(root, last);
  int64_t iterations = llvm::divideCeil(rowExtent, plan.tile(rowDim));
  TilePlan output = plan;
  output.cutByLoop(rowDim, last);
  BlockGraphOp graph =
      kernel.finish(SmallVector<int64_t>(last + writesRow, iterations),
                    {output.mapOf(type.getShape(), context)}, result);
  if (root != op->getResult(0))
    for (Operation *temporary : llvm::reverse(primitive))
      temporary->erase();
  return graph.getResult(0);
}

/// A reduction over several dims as one over all but the last of them, in f32,
/// and one over that.
static std::pair<Operation *, Operation *> splitReduce(OpBuilder &builder,
                                                       ReduceOp op) {
  SmallVector<int64_t> shape(op.getInput().getType().getShape());
  ArrayRef<int64_t> dims = op.getDims();
  for (int64_t dim : dims.drop_back())
    shape[dim] = 1;
  Type element = op.getType().getElementType();
  if (element.getIntOrFloatBitWidth() < 32)
    element = builder.getF32Type();
  auto first = ReduceOp::create(builder, op.getLoc(),
                                RankedTensorType::get(shape, element),
                                op.getInput(), op.getKind(), dims.drop_back());
  auto second =
      ReduceOp::create(builder, op.getLoc(), op.getType().clone(element), first,
                       op.getKind(), dims.take_back());
  return {first, second};
}

FailureOr<Value>
mirage::mugraph::buildRowKernel(OpBuilder &builder, Operation *op,
                                const TargetDescription &target) {
  Rows rows{cast<RankedTensorType>(op->getOperand(0).getType()).getShape(),
            rowDimsOf(op)};
  bool isLong = rows.rowElements() > 2 * tileBudget;
  int64_t rowTile = isLong ? tileBudget : rows.rowElements();
  if (isLong && rows.rowDims.size() > 1) {
    auto [first, second] = splitReduce(builder, cast<ReduceOp>(op));
    builder.setInsertionPoint(first);
    FailureOr<Value> partial = buildRowKernel(builder, first, target);
    if (failed(partial))
      return failure();
    first->getResult(0).replaceAllUsesWith(*partial);
    first->erase();
    builder.setInsertionPoint(second);
    FailureOr<Value> result = buildRowKernel(builder, second, target);
    second->erase();
    if (failed(result) || result->getType() == op->getResult(0).getType())
      return result;
    builder.setInsertionPointAfterValue(*result);
    auto narrow = CastOp::create(builder, op->getLoc(),
                                 op->getResult(0).getType(), *result);
    builder.setInsertionPoint(narrow);
    FailureOr<Value> rounded = buildPointwiseKernel(builder, narrow);
    narrow.erase();
    return rounded;
  }
  std::optional<TilePlan> plan = planRows(rows, rowTile, target);
  if (!plan)
    return op->emitOpError() << "has no default kernel: more than three dims "
                                "besides the reduced ones would be cut";
  if (!isLong) {
    for (int64_t dim : rows.rowDims)
      plan->leaveWhole(dim);
    return buildWholeRows(builder, op, *plan);
  }
  // The grid does not cut the row: the loops do.
  SmallVector<int64_t> extents(rows.shape), tiles;
  int64_t rowDim = rows.rowDims.front(), rowExtent = rows.shape[rowDim];
  extents[rowDim] = rowTile; // one tile, as far as the grid is concerned
  for (unsigned dim = 0; dim < plan->rank(); ++dim)
    tiles.push_back(plan->tile(dim));
  plan = TilePlan::create(extents, tiles);
  if (!plan)
    return op->emitOpError() << "has no default kernel: more than three dims "
                                "besides the reduced one would be cut";
  return buildLongRows(builder, op, *plan, rowDim, rowExtent);
}
