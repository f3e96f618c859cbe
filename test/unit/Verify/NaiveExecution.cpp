//===- NaiveExecution.cpp - Programs run as their ops are described -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NaiveExecution.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using Index = SmallVector<int64_t>;

NaiveTensor::NaiveTensor(ArrayRef<int64_t> shape) : shape(shape) {
  int64_t size = 1;
  for (int64_t extent : shape)
    size *= extent;
  data.assign(size, 0.0);
  exists.assign(size, 1);
}

static NaiveTensor makeLike(Value value) {
  return NaiveTensor(cast<RankedTensorType>(value.getType()).getShape());
}

/// Runs `step(index, number)` over all indices, in row-major order.
template <typename Step>
static void forEach(ArrayRef<int64_t> shape, Step step) {
  Index index(shape.size(), 0);
  for (int64_t number = 0;; ++number) {
    step(ArrayRef<int64_t>(index), number);
    size_t dim = shape.size();
    while (dim > 0 && ++index[dim - 1] == shape[dim - 1])
      index[--dim] = 0;
    if (dim == 0)
      return;
  }
}

static int64_t offsetOf(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t offset = 0;
  for (auto [i, extent] : llvm::zip_equal(index, shape))
    offset = offset * extent + i;
  return offset;
}

/// The element that a NumPy broadcast reads at `index`.
static int64_t broadcastOffset(ArrayRef<int64_t> index,
                               ArrayRef<int64_t> shape) {
  int64_t offset = 0;
  ArrayRef<int64_t> trailing = index.take_back(shape.size());
  for (auto [i, extent] : llvm::zip_equal(trailing, shape))
    offset = offset * extent + (extent == 1 ? 0 : i);
  return offset;
}

//===----------------------------------------------------------------------===//
// Tensor ops
//===----------------------------------------------------------------------===//

static std::optional<double> unary(Operation *op, double x) {
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case([&](ExpOp) { return std::exp(x); })
      .Case([&](LogOp) { return std::log(x); })
      .Case([&](SqrtOp) { return std::sqrt(x); })
      .Case([&](RsqrtOp) { return 1 / std::sqrt(x); })
      .Case([&](SquareOp) { return x * x; })
      .Case([&](NegOp) { return -x; })
      .Case([&](AbsOp) { return std::fabs(x); })
      .Case([&](ReciprocalOp) { return 1 / x; })
      .Case([&](ReluOp) { return x > 0 ? x : 0; })
      .Case([&](SiluOp) { return x / (1 + std::exp(-x)); })
      .Case([&](SigmoidOp) { return 1 / (1 + std::exp(-x)); })
      .Case([&](TanhOp) { return std::tanh(x); })
      .Case([&](CastOp) { return x; })
      .Case([&](MulScalarOp scalar) {
        return x * scalar.getScalar().convertToDouble();
      })
      .Case([&](AddScalarOp scalar) {
        return x + scalar.getScalar().convertToDouble();
      })
      .Default([](Operation *) { return std::nullopt; });
}

static std::optional<double> binary(Operation *op, double a, double b) {
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case([&](AddOp) { return a + b; })
      .Case([&](SubOp) { return a - b; })
      .Case([&](MulOp) { return a * b; })
      .Case([&](DivOp) { return a / b; })
      .Case([&](PowOp) { return std::pow(a, b); })
      .Case([&](MaximumOp) { return std::max(a, b); })
      .Case([&](MinimumOp) { return std::min(a, b); })
      .Default([](Operation *) { return std::nullopt; });
}

static std::optional<NaiveTensor>
runElementwise(Operation *op, ArrayRef<const NaiveTensor *> operands) {
  NaiveTensor result = makeLike(op->getResult(0));
  bool isKnown = true;
  forEach(result.shape, [&](ArrayRef<int64_t> index, int64_t number) {
    double values[2] = {0, 0};
    for (auto [i, operand] : llvm::enumerate(operands)) {
      int64_t offset = broadcastOffset(index, operand->shape);
      values[i] = operand->data[offset];
      result.exists[number] &= operand->exists[offset];
    }
    std::optional<double> value = operands.size() == 1
                                      ? unary(op, values[0])
                                      : binary(op, values[0], values[1]);
    isKnown &= value.has_value();
    result.data[number] = value.value_or(0);
  });
  return isKnown ? std::optional(result) : std::nullopt;
}

static NaiveTensor runMatmul(MatmulOp op, const NaiveTensor &a,
                             const NaiveTensor &b) {
  NaiveTensor result = makeLike(op.getResult());
  int64_t inner = a.shape.back();
  int64_t bStride = b.shape.back();
  forEach(result.shape, [&](ArrayRef<int64_t> index, int64_t number) {
    Index left(index), right(index);
    left.back() = 0;
    right[right.size() - 2] = 0;
    int64_t fromA = broadcastOffset(left, a.shape);
    int64_t fromB = broadcastOffset(right, b.shape);
    double sum = 0;
    bool any = false;
    for (int64_t k = 0; k < inner; ++k)
      if (a.exists[fromA + k] && b.exists[fromB + k * bStride]) {
        sum += a.data[fromA + k] * b.data[fromB + k * bStride];
        any = true;
      }
    result.data[number] = sum;
    result.exists[number] = any;
  });
  return result;
}

namespace {
/// Sums, maxima and minima of what exists.
struct Combination {
  bool isSum, isMax;
  void insert(NaiveTensor &result, int64_t at, double value) const {
    double &known = result.data[at];
    if (!result.exists[at])
      known = value;
    else if (isSum)
      known += value;
    else
      known = isMax ? std::max(known, value) : std::min(known, value);
    result.exists[at] = 1;
  }
};
} // namespace

static NaiveTensor runReduce(ReduceOp op, const NaiveTensor &x) {
  NaiveTensor result = makeLike(op.getResult());
  result.exists.assign(result.exists.size(), 0);
  bool isMean = op.getKind() == ReduceKind::Mean;
  Combination combination{isMean || op.getKind() == ReduceKind::Sum,
                          op.getKind() == ReduceKind::Max};
  std::vector<int64_t> counts(result.data.size(), 0);
  forEach(x.shape, [&](ArrayRef<int64_t> index, int64_t number) {
    if (!x.exists[number])
      return;
    int64_t at = broadcastOffset(index, result.shape);
    combination.insert(result, at, x.data[number]);
    ++counts[at];
  });
  // The mean is over the extents of the tile, existing or not.
  double extent = double(x.data.size()) / double(result.data.size());
  if (isMean)
    for (double &value : result.data)
      value /= extent;
  return result;
}

/// x / sqrt(mean x^2 + eps) along rows, after their mean is taken off if
/// `isCentred`.
static NaiveTensor runNorm(const NaiveTensor &x, bool isCentred, double eps,
                           const NaiveTensor *gamma, const NaiveTensor *beta) {
  NaiveTensor result = x;
  int64_t width = x.shape.back();
  for (size_t row = 0; row < x.data.size(); row += width) {
    double mean = 0, squares = 0;
    for (int64_t i = 0; i < width; ++i)
      mean += isCentred ? x.data[row + i] / width : 0;
    for (int64_t i = 0; i < width; ++i)
      squares += std::pow(x.data[row + i] - mean, 2) / width;
    for (int64_t i = 0; i < width; ++i)
      result.data[row + i] = (x.data[row + i] - mean) /
                                 std::sqrt(squares + eps) *
                                 (gamma ? gamma->data[i] : 1) +
                             (beta ? beta->data[i] : 0);
  }
  return result;
}

static NaiveTensor runSoftmax(SoftmaxOp op, const NaiveTensor &x) {
  NaiveTensor result = x;
  int64_t stride = 1, dim = op.getDim();
  for (int64_t extent : ArrayRef(x.shape).drop_front(dim + 1))
    stride *= extent;
  int64_t width = x.shape[dim];
  for (int64_t start = 0, e = x.data.size(); start < e; ++start) {
    if (start / stride % width != 0)
      continue;
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < width; ++i)
      largest = std::max(largest, x.data[start + i * stride]);
    for (int64_t i = 0; i < width; ++i)
      sum += std::exp(x.data[start + i * stride] - largest);
    for (int64_t i = 0; i < width; ++i)
      result.data[start + i * stride] =
          std::exp(x.data[start + i * stride] - largest) / sum;
  }
  return result;
}

static NaiveTensor runTranspose(TransposeOp op, const NaiveTensor &x) {
  NaiveTensor result = makeLike(op.getResult());
  forEach(result.shape, [&](ArrayRef<int64_t> index, int64_t number) {
    Index from(index.size());
    for (auto [dim, source] : llvm::enumerate(op.getPerm()))
      from[source] = index[dim];
    int64_t offset = offsetOf(from, x.shape);
    result.data[number] = x.data[offset];
    result.exists[number] = x.exists[offset];
  });
  return result;
}

static NaiveTensor runBroadcast(BroadcastOp op, const NaiveTensor &x) {
  NaiveTensor result = makeLike(op.getResult());
  forEach(result.shape, [&](ArrayRef<int64_t> index, int64_t number) {
    int64_t offset = broadcastOffset(index, x.shape);
    result.data[number] = x.data[offset];
    result.exists[number] = x.exists[offset];
  });
  return result;
}

static NaiveTensor runSlice(SliceOp op, const NaiveTensor &x) {
  NaiveTensor result = makeLike(op.getResult());
  forEach(result.shape, [&](ArrayRef<int64_t> index, int64_t number) {
    Index from(index);
    for (auto [position, offset] : llvm::zip_equal(from, op.getOffsets()))
      position += offset;
    int64_t offset = offsetOf(from, x.shape);
    result.data[number] = x.data[offset];
    result.exists[number] = x.exists[offset];
  });
  return result;
}

static NaiveTensor runConcat(ConcatOp op,
                             ArrayRef<const NaiveTensor *> operands) {
  NaiveTensor result = makeLike(op.getResult());
  forEach(result.shape, [&](ArrayRef<int64_t> index, int64_t number) {
    Index from(index);
    for (const NaiveTensor *operand : operands) {
      int64_t &position = from[op.getDim()];
      if (position < operand->shape[op.getDim()]) {
        result.data[number] = operand->data[offsetOf(from, operand->shape)];
        break;
      }
      position -= operand->shape[op.getDim()];
    }
  });
  return result;
}

static NaiveTensor runReshape(ReshapeOp op, const NaiveTensor &x) {
  NaiveTensor result = x;
  result.shape = Index(op.getType().getShape());
  return result;
}

static std::optional<NaiveTensor>
runTensorOp(Operation *op, ArrayRef<const NaiveTensor *> operands) {
  using Result = std::optional<NaiveTensor>;
  const NaiveTensor &x = *operands[0];
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](MatmulOp matmul) {
        return Result(runMatmul(matmul, x, *operands[1]));
      })
      .Case([&](ReduceOp reduce) { return Result(runReduce(reduce, x)); })
      .Case([&](SoftmaxOp softmax) { return Result(runSoftmax(softmax, x)); })
      .Case([&](RmsNormOp norm) {
        return Result(runNorm(x, false, norm.getEps().convertToDouble(),
                              operands.size() > 1 ? operands[1] : nullptr,
                              nullptr));
      })
      .Case([&](LayerNormOp norm) {
        return Result(runNorm(x, true, norm.getEps().convertToDouble(),
                              operands.size() > 1 ? operands[1] : nullptr,
                              operands.size() > 2 ? operands[2] : nullptr));
      })
      .Case([&](TransposeOp transpose) {
        return Result(runTranspose(transpose, x));
      })
      .Case([&](BroadcastOp broadcast) {
        return Result(runBroadcast(broadcast, x));
      })
      .Case([&](SliceOp slice) { return Result(runSlice(slice, x)); })
      .Case(
          [&](ConcatOp concat) { return Result(runConcat(concat, operands)); })
      .Case([&](ReshapeOp reshape) { return Result(runReshape(reshape, x)); })
      .Default([&](Operation *other) {
        return operands.size() <= 2 ? runElementwise(other, operands)
                                    : std::nullopt;
      });
}

//===----------------------------------------------------------------------===//
// Programs and block graphs
//===----------------------------------------------------------------------===//

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
