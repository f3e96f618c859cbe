//===- BlockGraphLowering.cpp - Block graphs as loops on the host
//-----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One block after the other: a nest of `scf.for` over the grid carries the
// result tensors; inside it, the ops that run once, then each loop in turn with
// its accumulators and the results it stores. A tile is a slice of its tensor,
// cut off at the tensor's end, so that no op ever sees what does not exist.
//
//===----------------------------------------------------------------------===//

#include "BlockGraphLowering.h"
#include "TensorLowering.h"

#include "mirage/Dialect/MuGraph/IR/Stages.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <limits>

using namespace mlir;
using namespace mirage::mugraph;

namespace {
/// The tile of one operand or result in the current iteration.
struct TileBox {
  SmallVector<OpFoldResult> offsets, sizes;
};

class BlockLowering {
public:
  BlockLowering(OpBuilder &builder, BlockGraphOp graph, StageAnalysis stages)
      : builder(builder), loc(graph.getLoc()), graph(graph),
        stages(std::move(stages)), lowering(builder, loc) {}

  FailureOr<SmallVector<Value>> run();

private:
  /// A nest of loops over the grid from dim `dim` on.
  LogicalResult runGrid(unsigned dim);
  LogicalResult runBlock();
  LogicalResult runLoop(unsigned loop);
  /// The ops of one stage: of `loop`, or those that run once before it.
  LogicalResult runOnce(unsigned loop);
  LogicalResult runOp(Operation &op);
  LogicalResult runPrimitive(Operation &op);

  void loadArguments(std::optional<unsigned> loop);
  void storeResults(std::optional<unsigned> loop);

  /// The accumulators over a loop: their neutral states, a step, their results.
  SmallVector<LoweredTensor> initialStates(Operation &op);
  SmallVector<Value> step(Operation &op, ArrayRef<Value> states);
  SmallVector<Value> stepSoftmax(AccumulateSoftmaxOp op,
                                 ArrayRef<Value> states);
  void finish(Operation &op, ArrayRef<Value> states, scf::ForOp loop);

  TileBox boxOf(TileMapAttr map, RankedTensorType type, RankedTensorType tile);
  OpFoldResult indexOf(TileDimAttr dim);
  LoweredTensor lookup(Value value) { return values.lookup(value); }
  SmallVector<Operation *> accumulatorsOver(unsigned loop);

  OpBuilder &builder;
  Location loc;
  BlockGraphOp graph;
  StageAnalysis stages;
  TensorLowering lowering;
  DenseMap<Value, LoweredTensor> values;
  SmallVector<Value> gridIndices;
  Value loopIndex; // of the loop that is being built
  SmallVector<Value> results;
};
} // namespace

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

OpFoldResult BlockLowering::indexOf(TileDimAttr dim) {
  MLIRContext *context = builder.getContext();
  AffineExpr nest = getAffineConstantExpr(0, context);
  SmallVector<OpFoldResult> operands;
  for (TileIndex index : dim.getIndices()) {
    nest = nest * graph.getExtent(index) +
           getAffineSymbolExpr(operands.size(), context);
    operands.push_back(index.isGrid() ? gridIndices[index.number] : loopIndex);
  }
  return affine::makeComposedFoldedAffineApply(builder, loc, nest, operands);
}

TileBox BlockLowering::boxOf(TileMapAttr map, RankedTensorType type,
                             RankedTensorType tile) {
  TileBox box;
  AffineExpr s0 = getAffineSymbolExpr(0, builder.getContext());
  for (auto [dim, entry] : llvm::enumerate(map.getDims())) {
    int64_t size = tile.getDimSize(dim), extent = type.getDimSize(dim);
    OpFoldResult index = indexOf(entry);
    OpFoldResult offset = affine::makeComposedFoldedAffineApply(
        builder, loc, s0 * size + entry.getShift(), {index});
    box.offsets.push_back(offset);
    bool divides = graph.getExtent(entry) * size + entry.getShift() <= extent;
    if (divides) {
      box.sizes.push_back(builder.getIndexAttr(size));
      continue;
    }
    OpFoldResult rest = affine::makeComposedFoldedAffineApply(
        builder, loc, extent - s0, {offset});
    box.sizes.push_back(lowering.smaller(builder.getIndexAttr(size), rest));
  }
  return box;
}

void BlockLowering::loadArguments(std::optional<unsigned> loop) {
  for (BlockArgument argument : graph.getBodyBlock()->getArguments()) {
    if (stages.lookup(argument).loop != loop)
      continue;
    unsigned number = argument.getArgNumber();
    Value tensor = graph.getInputs()[number];
    RankedTensorType tile = graph.getInputTile(number);
    TileBox box = boxOf(graph.getInputMap(number),
                        cast<RankedTensorType>(tensor.getType()), tile);
    SmallVector<OpFoldResult> ones(box.sizes.size(), builder.getIndexAttr(1));
    Value slice = tensor::ExtractSliceOp::create(builder, loc, tensor,
                                                 box.offsets, box.sizes, ones);
    values[argument] = {slice, box.sizes,
                        SmallVector<int64_t>(tile.getShape())};
  }
}

void BlockLowering::storeResults(std::optional<unsigned> loop) {
  for (auto [number, yielded] : llvm::enumerate(graph.getYield().getValues())) {
    if (stages.lookup(yielded).loop != loop)
      continue;
    TileBox box = boxOf(graph.getOutputMap(number),
                        cast<RankedTensorType>(graph.getResultTypes()[number]),
                        graph.getOutputTile(number));
    LoweredTensor tile = lookup(yielded);
    for (auto [size, exists] : llvm::zip_equal(box.sizes, tile.sizes))
      size = lowering.smaller(size, exists);
    SmallVector<OpFoldResult> ones(box.sizes.size(), builder.getIndexAttr(1));
    results[number] = tensor::InsertSliceOp::create(
        builder, loc, lowering.prefix(tile, box.sizes).value, results[number],
        box.offsets, box.sizes, ones);
  }
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

SmallVector<Operation *> BlockLowering::accumulatorsOver(unsigned loop) {
  SmallVector<Operation *> accumulators;
  for (Operation &op : *graph.getBodyBlock())
    if (getAccumulatorLoop(&op) == loop)
      accumulators.push_back(&op);
  return accumulators;
}

/// States are whole tiles: which part of a tile exists may differ between the
/// iterations. For the softmax: the running maximum, then one for each result.
SmallVector<LoweredTensor> BlockLowering::initialStates(Operation &op) {
  double infinity = std::numeric_limits<double>::infinity();
  SmallVector<LoweredTensor> states;
  auto add = [&](Type type, double value) {
    auto tensor = cast<RankedTensorType>(type);
    states.push_back(
        lowering.filled(tensor.getShape(), tensor.getElementType(), value));
  };
  if (auto accumulate = dyn_cast<AccumulateOp>(op)) {
    double neutral = 0;
    if (accumulate.getKind() == AccumulateKind::Max)
      neutral = -infinity;
    else if (accumulate.getKind() == AccumulateKind::Min)
      neutral = infinity;
    add(accumulate.getType(), neutral);
    return states;
  }
  add(op.getResult(0).getType(), -infinity);
  for (Type type : op.getResultTypes())
    add(type, 0);
  return states;
}

SmallVector<Value> BlockLowering::step(Operation &op, ArrayRef<Value> states) {
  if (auto softmax = dyn_cast<AccumulateSoftmaxOp>(op))
    return stepSoftmax(softmax, states);
  auto accumulate = cast<AccumulateOp>(op);
  ScalarFunction function = ScalarFunction::Add;
  if (accumulate.getKind() == AccumulateKind::Max)
    function = ScalarFunction::Max;
  else if (accumulate.getKind() == AccumulateKind::Min)
    function = ScalarFunction::Min;
  LoweredTensor tile = lookup(accumulate.getInput());
  ScalarExpr body = ScalarExpr::apply(
      function, {ScalarExpr::operand(0), ScalarExpr::operand(1)});
  return {lowering.update(states[0], body, {tile}, tile.sizes)};
}

/// The monoid: with the maximum M' = max(M, max_j s) and c = exp(M - M'),
///   den' = c den + sum_j exp(s - M'),  num' = c num + sum_j exp(s - M') v.
/// Where all scores so far are -inf, 0 takes the place of M' in the exponents,
/// so that they are exp(-inf) = 0 and not undefined.
SmallVector<Value> BlockLowering::stepSoftmax(AccumulateSoftmaxOp op,
                                              ArrayRef<Value> states) {
  MLIRContext *context = builder.getContext();
  ScalarExpr x = ScalarExpr::operand(0), y = ScalarExpr::operand(1);
  ScalarExpr larger = ScalarExpr::apply(ScalarFunction::Max, {x, y});
  ScalarExpr power = ScalarExpr::apply(ScalarFunction::Exp, {x - y});
  // The most negative finite f32: below every score that is not -inf.
  ScalarExpr finite = ScalarExpr::apply(
      ScalarFunction::Max, {x, ScalarExpr::constant(Rational::fromDouble(
                                   std::numeric_limits<float>::lowest()))});

  LoweredTensor scores = lookup(op.getScores());
  Type element = scores.elementType();
  int64_t last = scores.shape.size() - 1;
  auto exponential = [&](const LoweredTensor &a, const LoweredTensor &b) {
    return lowering.elementwise(power, {a, b}, a.shape, element);
  };
  auto overScores = [&](Reduction reduction, const LoweredTensor &tensor) {
    MeaningPiece piece = reducePiece(tensor.shape, {last}, reduction, context);
    return lowering.apply(piece, {tensor}, element);
  };

  LoweredTensor row = overScores(Reduction::Max, scores);
  LoweredTensor before =
      lowering.prefix(LoweredTensor::whole(states[0]), row.sizes);
  LoweredTensor maximum =
      lowering.elementwise(larger, {before, row}, row.shape, element);
  LoweredTensor safe =
      lowering.elementwise(finite, {maximum}, row.shape, element);
  LoweredTensor scale = exponential(before, safe);
  LoweredTensor weights = exponential(scores, safe);

  SmallVector<LoweredTensor> sums = {overScores(Reduction::Sum, weights)};
  for (Value operand : op.getValues()) {
    LoweredTensor value = lookup(operand);
    LoweredTensor narrow =
        lowering.elementwise(x, {weights}, weights.shape, value.elementType());
    SmallVector<int64_t> shape(scores.shape);
    shape.back() = value.shape.back();
    sums.push_back(
        lowering.apply(matmulPiece(scores.shape, value.shape, shape, context),
                       {narrow, value}, element));
  }

  // In place, after all that read the old maximum.
  SmallVector<Value> next = {
      lowering.update(states[0], larger, {row}, row.sizes)};
  ScalarExpr rescaled = x * y + ScalarExpr::operand(2);
  for (auto [number, sum] : llvm::enumerate(sums))
    next.push_back(
        lowering.update(states[1 + number], rescaled, {scale, sum}, sum.sizes));
  return next;
}

/// After its loop an accumulator has the part of the tile that exists in some
/// iteration: an extent that is known outside of the loop holds for all.
void BlockLowering::finish(Operation &op, ArrayRef<Value> states,
                           scf::ForOp loop) {
  bool isSoftmax = isa<AccumulateSoftmaxOp>(op);
  for (OpResult result : op.getResults()) {
    LoweredTensor state =
        LoweredTensor::whole(states[result.getResultNumber() + isSoftmax]);
    LoweredTensor tile = lookup(op.getOperand(0));
    SmallVector<OpFoldResult> sizes(state.sizes);
    for (auto [dim, size] : llvm::enumerate(tile.sizes)) {
      // The last dim of the softmax's results is not that of the scores.
      auto value = dyn_cast<Value>(size);
      bool outside = value && !loop->isAncestor(value.getDefiningOp());
      if (outside && !(isSoftmax && dim + 1 == tile.sizes.size()))
        sizes[dim] = size;
    }
    values[result] = lowering.prefix(state, sizes);
  }
}

//===----------------------------------------------------------------------===//
// Ops and loops
//===----------------------------------------------------------------------===//

LogicalResult BlockLowering::runPrimitive(Operation &op) {
  SmallVector<LoweredTensor> operands;
  for (Value operand : op.getOperands())
    operands.push_back(lookup(operand));
  FailureOr<LoweredTensor> result = lowering.lower(&op, operands);
  if (failed(result))
    return failure();
  values[op.getResult(0)] = *result;
  return success();
}

LogicalResult BlockLowering::runOp(Operation &op) {
  auto thread = dyn_cast<ThreadGraphOp>(op);
  if (!thread)
    return runPrimitive(op);
  Block *body = thread.getBodyBlock();
  for (auto [argument, operand] :
       llvm::zip_equal(body->getArguments(), thread.getInputs()))
    values[argument] = lookup(operand);
  for (Operation &inner : body->without_terminator())
    if (failed(runPrimitive(inner)))
      return failure();
  for (auto [result, yielded] : llvm::zip_equal(
           thread.getResults(), body->getTerminator()->getOperands()))
    values[result] = lookup(yielded);
  return success();
}

LogicalResult BlockLowering::runOnce(unsigned loop) {
  for (Operation &op : graph.getBodyBlock()->without_terminator()) {
    if (op.getNumResults() == 0 || getAccumulatorLoop(&op))
      continue;
    Stage stage = stages.lookup(op.getResult(0));
    bool ready = stage.after < static_cast<int>(loop);
    bool done = values.contains(op.getResult(0));
    if (!stage.loop && ready && !done && failed(runOp(op)))
      return failure();
  }
  return success();
}

LogicalResult BlockLowering::runLoop(unsigned number) {
  SmallVector<Operation *> accumulators = accumulatorsOver(number);
  SmallVector<Value> carried(results);
  for (Operation *op : accumulators)
    for (const LoweredTensor &state : initialStates(*op))
      carried.push_back(state.value);
  auto bound = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto loop =
      scf::ForOp::create(builder, loc, bound(0),
                         bound(graph.getLoops()[number]), bound(1), carried);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    loopIndex = loop.getInductionVar();
    ArrayRef<BlockArgument> arguments = loop.getRegionIterArgs();
    results.assign(arguments.begin(), arguments.begin() + results.size());
    loadArguments(number);
    for (Operation &op : graph.getBodyBlock()->without_terminator()) {
      bool here = op.getNumResults() != 0 && !getAccumulatorLoop(&op) &&
                  stages.lookup(op.getResult(0)).loop == number;
      if (here && failed(runOp(op)))
        return failure();
    }
    storeResults(number);
    SmallVector<Value> next(results);
    for (Operation *op : accumulators) {
      size_t count = op->getNumResults() + isa<AccumulateSoftmaxOp>(op);
      SmallVector<Value> states(arguments.slice(next.size(), count));
      next.append(step(*op, states));
    }
    scf::YieldOp::create(builder, loc, next);
  }
  ResultRange outcome = loop.getResults();
  results.assign(outcome.begin(), outcome.begin() + results.size());
  size_t position = results.size();
  for (Operation *op : accumulators) {
    size_t count = op->getNumResults() + isa<AccumulateSoftmaxOp>(op);
    finish(*op, SmallVector<Value>(outcome.slice(position, count)), loop);
    position += count;
  }
  return success();
}

LogicalResult BlockLowering::runBlock() {
  values.clear();
  loadArguments(std::nullopt);
  unsigned loops = graph.getLoops().size();
  for (unsigned loop = 0; loop < loops; ++loop)
    if (failed(runOnce(loop)) || failed(runLoop(loop)))
      return failure();
  if (failed(runOnce(loops)))
    return failure();
  storeResults(std::nullopt);
  return success();
}

LogicalResult BlockLowering::runGrid(unsigned dim) {
  if (dim == graph.getGrid().size())
    return runBlock();
  auto bound = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto loop = scf::ForOp::create(
      builder, loc, bound(0), bound(graph.getGrid()[dim]), bound(1), results);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  gridIndices.push_back(loop.getInductionVar());
  results.assign(loop.getRegionIterArgs().begin(),
                 loop.getRegionIterArgs().end());
  if (failed(runGrid(dim + 1)))
    return failure();
  scf::YieldOp::create(builder, loc, results);
  results.assign(loop.getResults().begin(), loop.getResults().end());
  return success();
}

FailureOr<SmallVector<Value>> BlockLowering::run() {
  for (Type result : graph.getResultTypes()) {
    auto type = cast<RankedTensorType>(result);
    results.push_back(tensor::EmptyOp::create(builder, loc, type.getShape(),
                                              type.getElementType()));
  }
  if (failed(runGrid(0)))
    return failure();
  return results;
}

FailureOr<SmallVector<Value>>
mirage::mugraph::lowerBlockGraph(OpBuilder &builder, BlockGraphOp graph) {
  FailureOr<StageAnalysis> stages = StageAnalysis::compute(graph);
  if (failed(stages))
    return failure();
  OpBuilder::InsertionGuard guard(builder);
  return BlockLowering(builder, graph, *stages).run();
}
