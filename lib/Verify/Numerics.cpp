//===- Numerics.cpp - What equality over the reals leaves out -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Numerics.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

/// Steps along operands, so that long programs do not take forever.
static constexpr unsigned maxSteps = 10000;

namespace {

/// Follows values to what computes them, through kernels and their tiles.
class Tracer {
public:
  bool isAtMostZero(Value value);
  bool isSquares(Value value);

private:
  bool isAtLeastZero(Value value);
  /// The value that is stored, passed on or converted to make `value`.
  Value source(Value value);
  struct Multiple {
    Value base;
    double factor;
  };
  Multiple multipleOf(Value value);
  bool isMaximumOf(Value maximum, Value value) {
    return isMaximumOf(maximum, multipleOf(value), 1);
  }
  bool isMaximumOf(Value maximum, Multiple value, double factor);
  bool isSameComputation(Value a, Value b);
  bool isSpent() { return ++steps > maxSteps; }

  unsigned steps = 0;
};

} // namespace

Value Tracer::source(Value value) {
  while (!isSpent()) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (!isa<BlockGraphOp, ThreadGraphOp>(parent))
        return value;
      value = parent->getOperand(argument.getArgNumber());
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (isa<BlockGraphOp, ThreadGraphOp>(op))
      value = op->getRegion(0).front().getTerminator()->getOperand(
          cast<OpResult>(value).getResultNumber());
    else if (isa<CastOp, BroadcastOp, ReshapeOp>(op))
      value = op->getOperand(0);
    else
      return value;
  }
  return value;
}

bool Tracer::isSameComputation(Value a, Value b) {
  a = source(a);
  b = source(b);
  if (a == b)
    return true;
  Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (isSpent() || !x || !y || x->getName() != y->getName() ||
      x->getNumOperands() != y->getNumOperands() ||
      x->getAttrDictionary() != y->getAttrDictionary())
    return false;
  return llvm::all_of(
      llvm::zip_equal(x->getOperands(), y->getOperands()), [&](auto pair) {
        return isSameComputation(std::get<0>(pair), std::get<1>(pair));
      });
}

/// A value as a positive multiple of another one, which is none.
Tracer::Multiple Tracer::multipleOf(Value value) {
  Multiple result{source(value), 1};
  auto scale = result.base.getDefiningOp<MulScalarOp>();
  if (!scale || scale.getScalar().isNegative() || isSpent())
    return result;
  result = multipleOf(scale.getInput());
  result.factor *= scale.getScalar().convertToDouble();
  return result;
}

/// Whether `factor` times a maximum is at least the value: one in a tile, over
/// a loop, of it and others, or all of these.
bool Tracer::isMaximumOf(Value maximum, Multiple value, double factor) {
  constexpr double tolerance = 1e-6;
  Multiple whole = multipleOf(maximum);
  factor *= whole.factor;
  if (isSpent())
    return false;
  if (std::abs(factor - value.factor) <= tolerance * value.factor &&
      isSameComputation(whole.base, value.base))
    return true;
  Operation *op = whole.base.getDefiningOp();
  auto reduce = dyn_cast_or_null<ReduceOp>(op);
  auto accumulate = dyn_cast_or_null<AccumulateOp>(op);
  bool isMaximum = isa_and_nonnull<MaximumOp>(op) ||
                   (reduce && reduce.getKind() == ReduceKind::Max) ||
                   (accumulate && accumulate.getKind() == AccumulateKind::Max);
  return isMaximum && llvm::any_of(op->getOperands(), [&](Value operand) {
           return isMaximumOf(operand, value, factor);
         });
}

bool Tracer::isAtLeastZero(Value value) {
  Operation *op = source(value).getDefiningOp();
  if (!op || isSpent())
    return false;
  if (isa<SquareOp, AbsOp, ExpOp, SigmoidOp, ReluOp>(op))
    return true;
  if (auto scale = dyn_cast<MulScalarOp>(op))
    return scale.getScalar().isNegative() ? isAtMostZero(scale.getInput())
                                          : isAtLeastZero(scale.getInput());
  if (isa<ReduceOp, AccumulateOp>(op))
    return isAtLeastZero(op->getOperand(0));
  if (auto difference = dyn_cast<SubOp>(op))
    return isMaximumOf(difference.getLhs(), difference.getRhs());
  return false;
}

bool Tracer::isAtMostZero(Value value) {
  Operation *op = source(value).getDefiningOp();
  if (!op || isSpent())
    return false;
  if (auto difference = dyn_cast<SubOp>(op))
    return isMaximumOf(difference.getRhs(), difference.getLhs());
  if (auto negation = dyn_cast<NegOp>(op))
    return isAtLeastZero(negation.getInput());
  if (auto scale = dyn_cast<MulScalarOp>(op))
    return scale.getScalar().isNegative() ? isAtLeastZero(scale.getInput())
                                          : isAtMostZero(scale.getInput());
  return false;
}

/// A square, or a sum of squares.
bool Tracer::isSquares(Value value) {
  Operation *op = source(value).getDefiningOp();
  if (!op || isSpent())
    return false;
  if (auto product = dyn_cast<MulOp>(op))
    return product.getLhs() == product.getRhs();
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == ReduceKind::Sum && isSquares(reduce.getInput());
  if (auto accumulate = dyn_cast<AccumulateOp>(op))
    return isSquares(accumulate.getInput());
  return isa<SquareOp>(op);
}

namespace {
struct Counts {
  unsigned exponentials = 0, narrowSquares = 0, narrowCasts = 0;
  bool hasNarrow = false;
};
} // namespace

static Counts countRisks(func::FuncOp function) {
  auto isNarrow = [](Type type) { return getElementTypeOrSelf(type).isF16(); };
  Counts counts;
  counts.hasNarrow = llvm::any_of(function.getArgumentTypes(), isNarrow);
  function.walk([&](Operation *op) {
    counts.narrowCasts += isa<CastOp>(op) &&
                          isNarrow(op->getResult(0).getType()) &&
                          !isNarrow(op->getOperand(0).getType());
    counts.hasNarrow |= llvm::any_of(op->getResultTypes(), isNarrow);
    if (auto exponential = dyn_cast<ExpOp>(op))
      counts.exponentials += !Tracer().isAtMostZero(exponential.getInput());
    for (Value result : op->getResults())
      counts.narrowSquares +=
          isNarrow(result.getType()) && Tracer().isSquares(result);
  });
  return counts;
}

std::vector<std::string> mirage::verify::findRisks(func::FuncOp spec,
                                                   func::FuncOp candidate) {
  Counts before = countRisks(spec), after = countRisks(candidate);
  std::vector<std::string> risks;
  if (after.exponentials && !before.exponentials)
    risks.push_back(std::to_string(after.exponentials) +
                    " exp of values that may be large, where the "
                    "specification takes their maximum off first");
  if (after.narrowSquares && !before.narrowSquares)
    risks.push_back(std::to_string(after.narrowSquares) +
                    " squares or sums of squares in f16, of which the "
                    "specification has none");
  if (after.narrowCasts && !before.hasNarrow)
    risks.push_back(std::to_string(after.narrowCasts) +
                    " casts to f16, of which the specification has no values");
  return risks;
}
