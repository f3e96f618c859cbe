//===- NaiveExecution.cpp - Programs run as their ops are described -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NaiveExecution.h"

#include "NaiveOps.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using Index = SmallVector<int64_t>;

namespace {

using Environment = llvm::DenseMap<Value, NaiveTensor>;

class Runner {
public:
  explicit Runner(std::string &unknown) : unknown(unknown) {}

  bool runOp(Operation &op, Environment &values);
  bool runBlockGraph(BlockGraphOp graph, Environment &values);

private:
  std::string &unknown;
};

/// One block of a block graph.
class BlockRunner {
public:
  BlockRunner(Runner &runner, BlockGraphOp graph, const Environment &outside,
              Environment &results, ArrayRef<int64_t> block)
      : runner(runner), graph(graph), outside(outside), results(results),
        block(block) {}

  bool run();

private:
  /// The loop in whose iterations a value changes, or -1.
  int loopOf(Value value);
  int loopOf(Operation &op);
  int64_t tileStart(TileMapAttr map, ArrayRef<int64_t> tile, unsigned dim);
  void load(unsigned number);
  void store(unsigned number);
  bool runOutsideLoops();
  bool runIteration(int loop);
  void accumulate(AccumulateOp op);
  void collect(AccumulateSoftmaxOp op);
  void finishSoftmax(AccumulateSoftmaxOp op);
  void finishLoop(int loop);

  Runner &runner;
  BlockGraphOp graph;
  const Environment &outside;
  Environment &results;
  ArrayRef<int64_t> block;
  SmallVector<int64_t> iteration = SmallVector<int64_t>(8, 0);
  Environment values;
  /// Accumulators whose loop has not ended.
  llvm::DenseMap<Operation *, NaiveTensor> sums;
  llvm::DenseMap<Operation *, std::vector<std::vector<NaiveTensor>>> parts;
};

} // namespace

int BlockRunner::loopOf(Operation &op) {
  if (isa<AccumulateOp, AccumulateSoftmaxOp>(op))
    return -1;
  int loop = -1;
  for (Value operand : op.getOperands())
    loop = std::max(loop, loopOf(operand));
  return loop;
}

int BlockRunner::loopOf(Value value) {
  if (Operation *op = value.getDefiningOp())
    return loopOf(*op);
  unsigned number = cast<BlockArgument>(value).getArgNumber();
  SmallVector<unsigned> loops = graph.getInputMap(number).getLoops();
  return loops.empty() ? -1 : static_cast<int>(loops.front());
}

int64_t BlockRunner::tileStart(TileMapAttr map, ArrayRef<int64_t> tile,
                               unsigned dim) {
  TileDimAttr entry = map.getDim(dim);
  int64_t number = 0;
  for (TileIndex index : entry.getIndices())
    number = number * graph.getExtent(index) +
             (index.isGrid() ? block[index.number] : iteration[index.number]);
  return number * tile[dim] + entry.getShift();
}

void BlockRunner::load(unsigned number) {
  BlockArgument argument = graph.getBodyBlock()->getArgument(number);
  const NaiveTensor &whole = outside.find(graph.getInputs()[number])->second;
  NaiveTensor tile = makeLike(argument);
  TileMapAttr map = graph.getInputMap(number);
  forEach(tile.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    Index from(index);
    for (unsigned dim = 0; dim < from.size(); ++dim) {
      from[dim] += tileStart(map, tile.shape, dim);
      if (from[dim] >= whole.shape[dim]) {
        tile.exists[at] = 0;
        return;
      }
    }
    tile.data[at] = whole.data[offsetOf(from, whole.shape)];
  });
  values[argument] = std::move(tile);
}

void BlockRunner::store(unsigned number) {
  const NaiveTensor &tile =
      values.find(graph.getYield().getValues()[number])->second;
  NaiveTensor &whole = results.find(graph.getOutputs()[number])->second;
  TileMapAttr map = graph.getOutputMap(number);
  forEach(tile.shape, [&](ArrayRef<int64_t> index, int64_t at) {
    Index to(index);
    for (unsigned dim = 0; dim < to.size(); ++dim) {
      to[dim] += tileStart(map, tile.shape, dim);
      if (to[dim] >= whole.shape[dim])
        return;
    }
    int64_t offset = offsetOf(to, whole.shape);
    whole.data[offset] = tile.exists[at] ? tile.data[at] : NAN;
  });
}

bool BlockRunner::runOutsideLoops() {
  for (Operation &op : graph.getBodyBlock()->without_terminator()) {
    bool isReady =
        loopOf(op) < 0 && !values.count(op.getResult(0)) &&
        !isa<AccumulateOp, AccumulateSoftmaxOp>(op) &&
        llvm::all_of(
            op.getOperands(),
            [&](Value operand) { return values.count(operand) != 0; });
    if (isReady && !runner.runOp(op, values))
      return false;
  }
  return true;
}

void BlockRunner::accumulate(AccumulateOp op) {
  const NaiveTensor &part = values.find(op.getInput())->second;
  auto [it, isNew] = sums.try_emplace(op, part);
  if (isNew)
    return;
  Combination combination{op.getKind() == AccumulateKind::Sum,
                          op.getKind() == AccumulateKind::Max};
  for (size_t i = 0; i < part.data.size(); ++i)
    if (part.exists[i])
      combination.insert(it->second, i, part.data[i]);
}

void BlockRunner::collect(AccumulateSoftmaxOp op) {
  std::vector<NaiveTensor> copies;
  for (Value operand : op->getOperands())
    copies.push_back(values.find(operand)->second);
  parts[op].push_back(std::move(copies));
}

void BlockRunner::finishSoftmax(AccumulateSoftmaxOp op) {
  std::vector<std::vector<NaiveTensor>> list = parts.lookup(op);
  NaiveTensor largest = makeLike(op.getDenominator());
  largest.data.assign(largest.data.size(), -INFINITY);
  auto rows = [&](auto step) {
    for (const std::vector<NaiveTensor> &operands : list)
      forEach(operands[0].shape, [&](ArrayRef<int64_t> index, int64_t at) {
        if (operands[0].exists[at])
          step(operands, index, broadcastOffset(index, largest.shape),
               operands[0].data[at]);
      });
  };
  rows([&](auto &, ArrayRef<int64_t>, int64_t row, double score) {
    largest.data[row] = std::max(largest.data[row], score);
  });
  for (OpResult result : op->getResults())
    values[result] = makeLike(result);
  rows([&](const std::vector<NaiveTensor> &operands, ArrayRef<int64_t> index,
           int64_t row, double score) {
    double weight = std::exp(score - largest.data[row]);
    values[op.getDenominator()].data[row] += weight;
    for (auto [number, result] : llvm::enumerate(op.getNumerators())) {
      const NaiveTensor &v = operands[number + 1];
      NaiveTensor &sum = values[result];
      int64_t width = sum.shape.back();
      // v is read at (.., j, d) with j the last index of the scores.
      Index at(index);
      at[at.size() - 2] = index.back();
      at.back() = 0;
      int64_t from = broadcastOffset(at, v.shape);
      Index to(index);
      to.back() = 0;
      int64_t into = offsetOf(to, sum.shape);
      for (int64_t d = 0; d < width; ++d)
        if (v.exists[from + d])
          sum.data[into + d] += weight * v.data[from + d];
    }
  });
}

bool BlockRunner::runIteration(int loop) {
  for (unsigned number = 0; number < graph.getInputs().size(); ++number)
    if (loopOf(graph.getBodyBlock()->getArgument(number)) == loop)
      load(number);
  for (Operation &op : graph.getBodyBlock()->without_terminator()) {
    if (auto sum = dyn_cast<AccumulateOp>(op)) {
      if (static_cast<int>(sum.getLoop()) == loop)
        accumulate(sum);
    } else if (auto softmax = dyn_cast<AccumulateSoftmaxOp>(op)) {
      if (static_cast<int>(softmax.getLoop()) == loop)
        collect(softmax);
    } else if (loopOf(op) == loop && !runner.runOp(op, values)) {
      return false;
    }
  }
  for (unsigned number = 0; number < graph.getOutputs().size(); ++number)
    if (loopOf(graph.getYield().getValues()[number]) == loop)
      store(number);
  return true;
}

void BlockRunner::finishLoop(int loop) {
  for (Operation &op : graph.getBodyBlock()->without_terminator()) {
    if (auto sum = dyn_cast<AccumulateOp>(op)) {
      if (static_cast<int>(sum.getLoop()) == loop)
        values[sum.getResult()] = sums.lookup(&op);
    } else if (auto softmax = dyn_cast<AccumulateSoftmaxOp>(op)) {
      if (static_cast<int>(softmax.getLoop()) == loop)
        finishSoftmax(softmax);
    }
  }
}

bool BlockRunner::run() {
  for (unsigned number = 0; number < graph.getInputs().size(); ++number)
    if (loopOf(graph.getBodyBlock()->getArgument(number)) < 0)
      load(number);
  if (!runOutsideLoops())
    return false;
  for (auto [loop, count] : llvm::enumerate(graph.getLoops())) {
    for (int64_t i = 0; i < count; ++i) {
      iteration[loop] = i;
      if (!runIteration(loop))
        return false;
    }
    finishLoop(loop);
    if (!runOutsideLoops())
      return false;
  }
  for (unsigned number = 0; number < graph.getOutputs().size(); ++number)
    if (loopOf(graph.getYield().getValues()[number]) < 0)
      store(number);
  return true;
}

bool Runner::runBlockGraph(BlockGraphOp graph, Environment &values) {
  Environment results;
  for (Value output : graph.getOutputs()) {
    NaiveTensor tensor = makeLike(output);
    tensor.data.assign(tensor.data.size(), NAN);
    results[output] = std::move(tensor);
  }
  bool isKnown = true;
  forEach(graph.getGrid(), [&](ArrayRef<int64_t> block, int64_t) {
    isKnown =
        isKnown && BlockRunner(*this, graph, values, results, block).run();
  });
  for (auto &entry : results)
    values[entry.first] = std::move(entry.second);
  return isKnown;
}

bool Runner::runOp(Operation &op, Environment &values) {
  if (auto graph = dyn_cast<BlockGraphOp>(op))
    return runBlockGraph(graph, values);
  SmallVector<const NaiveTensor *> operands;
  for (Value operand : op.getOperands())
    operands.push_back(&values.find(operand)->second);
  std::optional<NaiveTensor> result = runTensorOp(&op, operands);
  if (!result) {
    unknown = op.getName().getStringRef().str();
    return false;
  }
  values[op.getResult(0)] = std::move(*result);
  return true;
}

std::optional<std::vector<NaiveTensor>>
mirage::runNaively(func::FuncOp function, ArrayRef<NaiveTensor> arguments,
                   std::string &unknown) {
  Environment values;
  Block &body = function.getBody().front();
  for (auto [argument, tensor] :
       llvm::zip_equal(body.getArguments(), arguments))
    values[argument] = tensor;
  Runner runner(unknown);
  for (Operation &op : body.without_terminator())
    if (!runner.runOp(op, values))
      return std::nullopt;
  std::vector<NaiveTensor> results;
  for (Value result : body.getTerminator()->getOperands())
    results.push_back(values.find(result)->second);
  return results;
}
