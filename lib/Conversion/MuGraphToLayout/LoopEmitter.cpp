//===- LoopEmitter.cpp - Loops and accumulators of a kernel ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An accumulator is a monoid that an `scf.for` carries: a sum, a maximum or a
// minimum is one tile; the softmax-weighted sums are a maximum M, the sum of
// exp(s - M), and for each value operand the sum of exp(s - M) v. To combine it
// with another tile of scores, let M' be the larger maximum and scale what was
// there by exp(M - M'). M starts at the lowest finite number instead of
// -infinity, so that M - M' is never a difference of infinities.
//
// A sum of products is carried as the matrix instruction has it (Product.h).
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

static bool isAccumulator(Operation *op) {
  return isa<AccumulateOp, AccumulateSoftmaxOp>(op);
}

static SmallVector<int64_t> coverOf(Value value) {
  return coverShape(cast<RankedTensorType>(value.getType()).getShape());
}

static layout::ReduceKind kindOf(AccumulateOp op) {
  switch (op.getKind()) {
  case AccumulateKind::Sum:
    return layout::ReduceKind::Sum;
  case AccumulateKind::Max:
    return layout::ReduceKind::Max;
  case AccumulateKind::Min:
    return layout::ReduceKind::Min;
  }
  llvm_unreachable("unknown accumulator");
}

static double neutralOf(layout::ReduceKind kind) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (kind == layout::ReduceKind::Sum)
    return 0.0;
  return kind == layout::ReduceKind::Max ? -infinity : infinity;
}

/// The product that `op` sums up, if the sum can be taken inside the product's
/// own accumulator.
static MatmulOp summedProduct(Operation *op) {
  auto accumulate = dyn_cast<AccumulateOp>(op);
  if (!accumulate || accumulate.getKind() != AccumulateKind::Sum)
    return {};
  auto matmul = accumulate.getInput().getDefiningOp<MatmulOp>();
  return matmul && matmul->hasOneUse() ? matmul : MatmulOp();
}

/// Lets a loop carry another tile, starting with `initial`.
static void carryInstead(Value carried, Value initial) {
  auto argument = cast<BlockArgument>(carried);
  auto loop = cast<scf::ForOp>(argument.getOwner()->getParentOp());
  unsigned number = argument.getArgNumber() - loop.getNumInductionVars();
  loop.getInitArgsMutable()[number].assign(initial);
  argument.setType(initial.getType());
  loop.getResult(number).setType(initial.getType());
}

LogicalResult KernelEmitter::emitLoop(unsigned stage) {
  const BlockStages::Stage &content = stages.stages[stage];
  if (content.ops.empty() && content.stores.empty())
    return success();
  unsigned loop = BlockStages::loopNumber(stage);
  Location loc = emitter.loc = graph.getLoc();
  loadInvariantInputs(content, loop);

  SmallVector<Operation *> accumulators, others;
  for (Operation *op : content.ops)
    (isAccumulator(op) ? accumulators : others).push_back(op);
  for (Operation *op : accumulators)
    if (MatmulOp product = summedProduct(op))
      llvm::erase(others, product.getOperation());

  SmallVector<Value> initial;
  for (Operation *op : accumulators)
    llvm::append_range(initial, initialValues(op));
  auto bound = [&](int64_t number) {
    return arith::ConstantIndexOp::create(builder, loc, number);
  };
  auto forOp = scf::ForOp::create(
      builder, loc, bound(0), bound(graph.getLoops()[loop]), bound(1), initial);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(forOp.getBody());
  loopIndex = forOp.getInductionVar();
  loadVariantInputs(content, loop);
  if (failed(emitOps(others)))
    return failure();
  SmallVector<Value> next;
  ValueRange carried = forOp.getRegionIterArgs();
  for (Operation *op : accumulators) {
    unsigned count = numCarried(op);
    FailureOr<SmallVector<Value>> values =
        nextValues(op, carried.take_front(count), loop);
    if (failed(values))
      return failure();
    llvm::append_range(next, *values);
    carried = carried.drop_front(count);
  }
  emitStores(content.stores);
  if (!initial.empty())
    scf::YieldOp::create(builder, loc, next);
  ValueRange final = forOp.getResults();
  builder.setInsertionPointAfter(forOp);
  for (Operation *op : accumulators) {
    finishAccumulator(op, final.take_front(numCarried(op)), loop);
    final = final.drop_front(numCarried(op));
  }
  return success();
}

void KernelEmitter::loadVariantInputs(const BlockStages::Stage &stage,
                                      unsigned loop) {
  for (BlockArgument argument : graph.getBodyBlock()->getArguments())
    if (changesWith(argument, loop) &&
        llvm::any_of(argument.getUsers(), [&](Operation *user) {
          return llvm::is_contained(stage.ops, user) &&
                 !isa<SliceOp, ConcatOp>(user);
        }))
      get(argument);
}

unsigned KernelEmitter::numCarried(Operation *accumulate) {
  auto softmax = dyn_cast<AccumulateSoftmaxOp>(accumulate);
  return softmax ? 1 + softmax->getNumResults() : 1;
}

SmallVector<Value> KernelEmitter::initialValues(Operation *accumulate) {
  if (auto op = dyn_cast<AccumulateOp>(accumulate))
    return {emitter.splat(coverOf(op.getResult()), neutralOf(kindOf(op)))};
  auto op = cast<AccumulateSoftmaxOp>(accumulate);
  SmallVector<Value> values;
  values.push_back(emitter.splat(coverOf(op.getDenominator()),
                                 -double(std::numeric_limits<float>::max())));
  for (Value result : op->getResults())
    values.push_back(emitter.splat(coverOf(result), 0.0));
  return values;
}

FailureOr<SmallVector<Value>> KernelEmitter::nextValues(Operation *accumulate,
                                                        ValueRange carried,
                                                        unsigned loop) {
  emitter.loc = accumulate->getLoc();
  if (auto softmax = dyn_cast<AccumulateSoftmaxOp>(accumulate))
    return nextSoftmax(softmax, carried);
  FailureOr<Value> value =
      nextValue(cast<AccumulateOp>(accumulate), carried[0], loop);
  if (failed(value))
    return failure();
  return SmallVector<Value>{*value};
}

/// Notes that the accumulator of `result` is that of a product.
void KernelEmitter::carryProduct(Value result, const Product &product,
                                 Value carried) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(carried.getParentBlock()->getParentOp());
  carryInstead(carried, product.zero(emitter));
  products.try_emplace(result, product);
}

FailureOr<Value> KernelEmitter::nextValue(AccumulateOp op, Value carried,
                                          unsigned loop) {
  if (MatmulOp matmul = summedProduct(op)) {
    FailureOr<Product> product =
        Product::prepare(emitter, matmul, get(matmul.getLhs()),
                         get(matmul.getRhs()), coverOf(op.getResult()));
    if (failed(product))
      return failure();
    carryProduct(op.getResult(), *product, carried);
    return product->addTo(emitter, carried);
  }
  layout::ReduceKind kind = kindOf(op);
  Tile tile = get(op.getInput());
  tile.value = emitter.widen(tile.value);
  for (int64_t dim = 0; dim < tile.rank(); ++dim)
    if (tile.clips[dim] && tile.clips[dim]->dependsOn(TileIndex::loop(loop)))
      tile = emitter.mask(tile, dim, neutralOf(kind));
  tiles[op.getResult()] = tile;
  if (kind == layout::ReduceKind::Sum)
    return Value(
        arith::AddFOp::create(builder, emitter.loc, carried, tile.value));
  if (kind == layout::ReduceKind::Max)
    return Value(
        arith::MaximumFOp::create(builder, emitter.loc, carried, tile.value));
  return Value(
      arith::MinimumFOp::create(builder, emitter.loc, carried, tile.value));
}

FailureOr<SmallVector<Value>> KernelEmitter::nextSoftmax(AccumulateSoftmaxOp op,
                                                         ValueRange carried) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Location loc = emitter.loc;
  auto multiply = [&](Value a, Value b) -> Value {
    return arith::MulFOp::create(builder, loc, a, b);
  };
  Tile scores = get(op.getScores());
  int64_t last = scores.rank() - 1;
  scores.value = emitter.widen(scores.value);
  scores = emitter.mask(scores, last, -infinity);
  Value rowMaximum =
      emitter.reduce(layout::ReduceKind::Max, scores.value, last);
  Value maximum =
      arith::MaximumFOp::create(builder, loc, carried[0], rowMaximum);
  Value scale =
      emitter.exp(arith::SubFOp::create(builder, loc, carried[0], maximum));
  Tile weights = scores;
  weights.value = emitter.exp(arith::SubFOp::create(
      builder, loc, scores.value, emitter.broadcast(maximum, scores.shape())));
  for (std::optional<DimClip> &clip : weights.clips)
    if (clip)
      clip->filler = std::nullopt;
  if (weights.clips[last])
    weights.clips[last]->filler = 0.0; // exp(-infinity)

  Value sum = emitter.reduce(layout::ReduceKind::Sum, weights.value, last);
  SmallVector<Value> next = {
      maximum,
      arith::AddFOp::create(builder, loc, multiply(carried[1], scale), sum)};
  for (auto [number, input] : llvm::enumerate(op.getValues())) {
    Tile values = get(input);
    weights.declared = values.declared;
    Value numerator = op.getNumerators()[number], before = carried[2 + number];
    SmallVector<int64_t> shape = coverOf(numerator);
    FailureOr<Product> product =
        Product::prepare(emitter, op, weights, values, shape);
    if (failed(product))
      return failure();
    carryProduct(numerator, *product, before);
    Value factor =
        product->asAccumulator(emitter, emitter.broadcast(scale, shape));
    next.push_back(product->addTo(emitter, multiply(before, factor)));
  }
  Tile denominator = weights;
  denominator.clips[last] = std::nullopt;
  tiles[op.getDenominator()] = denominator;
  return next;
}

/// Binds the results of an accumulator to what the loop carried out. Their
/// clips are those of the combined tiles, but for dims cut by the loop: of
/// those some iteration had every element.
void KernelEmitter::finishAccumulator(Operation *accumulate,
                                      ValueRange finalValues, unsigned loop) {
  bool isSoftmax = isa<AccumulateSoftmaxOp>(accumulate);
  for (auto [number, result] : llvm::enumerate(accumulate->getResults())) {
    Tile &tile = tiles[result];
    Value final = finalValues[number + isSoftmax];
    tile.value = final;
    if (auto product = products.find(result); product != products.end())
      tile = product->second.finish(emitter, final);
    tile.declared = getElementTypeOrSelf(result.getType());
    for (std::optional<DimClip> &clip : tile.clips) {
      if (clip && clip->dependsOn(TileIndex::loop(loop)))
        clip = std::nullopt;
      else if (clip)
        clip->filler = std::nullopt;
    }
  }
}
