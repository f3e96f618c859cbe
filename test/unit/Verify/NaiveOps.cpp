//===- NaiveOps.cpp - Tensor ops as they are described --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NaiveOps.h"

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

std::optional<NaiveTensor>
mirage::runTensorOp(Operation *op, ArrayRef<const NaiveTensor *> operands) {
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
