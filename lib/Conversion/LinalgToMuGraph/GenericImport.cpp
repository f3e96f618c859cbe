//===- GenericImport.cpp - linalg.generic as tensor ops
//---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

#include <limits>

using namespace mlir;
using namespace mirage::mugraph;

namespace {
/// A reduction body: `combine(value, accumulator)`.
struct Combination {
  ReduceKind kind;
  Value value; ///< a scalar of the body.
};

class GenericImport {
public:
  GenericImport(OpBuilder &builder, linalg::GenericOp op)
      : builder(builder), op(op), loc(op.getLoc()),
        extents(op.getStaticLoopRanges()) {}

  Value run();

private:
  std::optional<Combination> matchCombination();
  Value contraction(const Combination &combination);
  Value pointwise(Value yielded);
  Value reduction(const Combination &combination);

  /// Input `number` with one dim for each loop, extent 1 where it has none, but
  /// for leading dims, which are left out.
  Value align(unsigned number);
  Value transpose(Value value, ArrayRef<int64_t> perm);
  Value reshape(Value value, ArrayRef<int64_t> shape);
  /// A value with the dims `loops`, in the order of the result.
  Value toResult(Value value, ArrayRef<int64_t> loops);
  /// `value` combined with what the output holds before.
  Value withInit(Value value, ReduceKind kind);

  bool isReduced(unsigned loop) {
    return op.getIteratorTypesArray()[loop] == utils::IteratorType::reduction;
  }
  std::optional<unsigned> inputOf(Value scalar);

  OpBuilder &builder;
  linalg::GenericOp op;
  Location loc;
  SmallVector<int64_t> extents;
};
} // namespace

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Value GenericImport::transpose(Value value, ArrayRef<int64_t> perm) {
  if (llvm::is_sorted(perm))
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape;
  for (int64_t dim : perm)
    shape.push_back(type.getDimSize(dim));
  return TransposeOp::create(builder, loc, type.clone(shape), value, perm);
}

Value GenericImport::reshape(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return ReshapeOp::create(builder, loc, type.clone(shape), value);
}

/// The loops that the results of `map` name, or nothing if it is not a list of
/// different loops.
static std::optional<SmallVector<int64_t>> loopsOf(AffineMap map) {
  if (!map.isProjectedPermutation())
    return std::nullopt;
  SmallVector<int64_t> loops;
  for (AffineExpr index : map.getResults())
    loops.push_back(cast<AffineDimExpr>(index).getPosition());
  return loops;
}

/// The permutation that sorts `loops`.
static SmallVector<int64_t> sortingPermutation(ArrayRef<int64_t> loops) {
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, loops.size()));
  llvm::sort(perm, [&](int64_t a, int64_t b) { return loops[a] < loops[b]; });
  return perm;
}

Value GenericImport::align(unsigned number) {
  SmallVector<int64_t> loops = *loopsOf(op.getIndexingMapsArray()[number]);
  Value value = transpose(op.getInputs()[number], sortingPermutation(loops));
  SmallVector<int64_t> shape(extents.size(), 1);
  for (int64_t loop : loops)
    shape[loop] = extents[loop];
  // Leading dims of extent 1 are implied.
  auto leading =
      llvm::find_if(shape, [](int64_t extent) { return extent != 1; });
  if (shape.size() > loops.size())
    shape.erase(shape.begin(), leading);
  return reshape(value, shape);
}

Value GenericImport::toResult(Value value, ArrayRef<int64_t> loops) {
  SmallVector<int64_t> target = *loopsOf(op.getIndexingMapsArray().back());
  SmallVector<int64_t> perm, shape;
  for (int64_t loop : target)
    perm.push_back(llvm::find(loops, loop) - loops.begin());
  value = transpose(value, perm);
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  auto now = cast<RankedTensorType>(value.getType());
  if (now.getShape() != type.getShape())
    value =
        BroadcastOp::create(builder, loc, now.clone(type.getShape()), value);
  if (now.getElementType() != type.getElementType())
    value = CastOp::create(builder, loc, type, value);
  return value;
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

std::optional<unsigned> GenericImport::inputOf(Value scalar) {
  if (auto widened = scalar.getDefiningOp<arith::ExtFOp>())
    scalar = widened.getIn();
  auto argument = dyn_cast<BlockArgument>(scalar);
  if (!argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= op.getInputs().size())
    return std::nullopt;
  return argument.getArgNumber();
}

std::optional<Combination> GenericImport::matchCombination() {
  Block *body = op.getBody();
  Value yielded = body->getTerminator()->getOperand(0);
  BlockArgument accumulator = body->getArguments().back();
  Operation *combine = yielded.getDefiningOp();
  if (!combine || combine->getNumOperands() != 2 || !accumulator.hasOneUse())
    return std::nullopt;
  ReduceKind kind;
  if (isa<arith::AddFOp>(combine))
    kind = ReduceKind::Sum;
  else if (isa<arith::MaximumFOp, arith::MaxNumFOp>(combine))
    kind = ReduceKind::Max;
  else if (isa<arith::MinimumFOp, arith::MinNumFOp>(combine))
    kind = ReduceKind::Min;
  else
    return std::nullopt;
  Value left = combine->getOperand(0), right = combine->getOperand(1);
  if (left == accumulator)
    return Combination{kind, right};
  if (right == accumulator)
    return Combination{kind, left};
  return std::nullopt;
}

Value GenericImport::withInit(Value value, ReduceKind kind) {
  Value init = op.getOutputs()[0];
  std::optional<double> number = constantNumber(init);
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    number = constantNumber(fill.getInputs()[0]);
  double least = -std::numeric_limits<float>::max();
  bool neutral = number && (kind == ReduceKind::Sum   ? *number == 0
                            : kind == ReduceKind::Max ? *number <= least
                                                      : *number >= -least);
  if (neutral)
    return value;
  if (number) // no tensor to combine with
    return {};
  switch (kind) {
  case ReduceKind::Max:
    return MaximumOp::create(builder, loc, value, init);
  case ReduceKind::Min:
    return MinimumOp::create(builder, loc, value, init);
  default:
    return AddOp::create(builder, loc, value, init);
  }
}

/// The body's value for all loops at once, each scalar op as an op on tensors.
Value GenericImport::pointwise(Value yielded) {
  DenseMap<Value, ImportedValue> values;
  for (unsigned number = 0; number < op.getInputs().size(); ++number)
    values[op.getBody()->getArgument(number)] = {align(number), std::nullopt};
  for (Operation &scalar : op.getBody()->without_terminator()) {
    if (!scalar.hasOneUse() && scalar.use_empty())
      continue;
    // The combination with the accumulator is not part of the value.
    if (llvm::is_contained(scalar.getOperands(),
                           op.getBody()->getArguments().back()))
      continue;
    SmallVector<ImportedValue> operands;
    for (Value operand : scalar.getOperands()) {
      if (std::optional<double> number = constantNumber(operand))
        operands.push_back({{}, number});
      else
        operands.push_back(values.lookup(operand));
    }
    auto result = importElementwise(builder, &scalar, operands);
    if (!result)
      return {};
    values[scalar.getResult(0)] = *result;
  }
  return values.lookup(yielded).tensor;
}

//===----------------------------------------------------------------------===//
// Whole ops
//===----------------------------------------------------------------------===//

/// A sum of products over one loop: loops of both inputs and the result are
/// batch dims, loops of one input and the result are its rows or columns.
Value GenericImport::contraction(const Combination &combination) {
  auto product = combination.value.getDefiningOp<arith::MulFOp>();
  if (!product || combination.kind != ReduceKind::Sum)
    return {};
  std::optional<unsigned> left = inputOf(product.getLhs());
  std::optional<unsigned> right = inputOf(product.getRhs());
  if (!left || !right || *left == *right)
    return {};
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<int64_t> a = *loopsOf(maps[*left]), b = *loopsOf(maps[*right]);
  SmallVector<int64_t> batch, rows, columns, depth;
  for (int64_t loop = 0; loop < static_cast<int64_t>(extents.size()); ++loop) {
    bool inA = llvm::is_contained(a, loop), inB = llvm::is_contained(b, loop);
    if (isReduced(loop)) {
      if (!inA || !inB)
        return {};
      depth.push_back(loop);
    } else if (inA && inB) {
      batch.push_back(loop);
    } else {
      (inA ? rows : columns).push_back(loop);
    }
  }
  if (rows.size() > 1 || columns.size() > 1 || depth.size() != 1)
    return {};

  auto order = [&](unsigned input, ArrayRef<int64_t> loops,
                   std::pair<ArrayRef<int64_t>, ArrayRef<int64_t>> matrix) {
    SmallVector<int64_t> wanted(batch), perm, shape;
    llvm::append_range(wanted, matrix.first);
    llvm::append_range(wanted, matrix.second);
    for (int64_t loop : wanted)
      perm.push_back(llvm::find(loops, loop) - loops.begin());
    for (int64_t loop : batch)
      shape.push_back(extents[loop]);
    for (ArrayRef<int64_t> part : {matrix.first, matrix.second})
      shape.push_back(part.empty() ? 1 : extents[part.front()]);
    return reshape(transpose(op.getInputs()[input], perm), shape);
  };
  Value lhs = order(*left, a, {rows, depth});
  Value rhs = order(*right, b, {depth, columns});
  auto lhsType = cast<RankedTensorType>(lhs.getType());
  if (lhsType.getElementType() !=
      cast<RankedTensorType>(rhs.getType()).getElementType())
    return {};
  SmallVector<int64_t> shape(lhsType.getShape().drop_back()), loops(batch);
  shape.push_back(columns.empty() ? 1 : extents[columns.front()]);
  Type element =
      cast<RankedTensorType>(op.getResult(0).getType()).getElementType();
  Value result = MatmulOp::create(
      builder, loc, RankedTensorType::get(shape, element), lhs, rhs);
  llvm::append_range(loops, rows);
  llvm::append_range(loops, columns);
  SmallVector<int64_t> kept;
  for (int64_t loop : loops)
    kept.push_back(extents[loop]);
  return toResult(reshape(result, kept), loops);
}

Value GenericImport::reduction(const Combination &combination) {
  Value value = pointwise(combination.value);
  if (!value)
    return {};
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> dims, loops, kept, reduced(extents);
  for (int64_t loop = 0; loop < static_cast<int64_t>(extents.size()); ++loop) {
    if (isReduced(loop)) {
      dims.push_back(loop);
      reduced[loop] = 1;
    } else {
      loops.push_back(loop);
      kept.push_back(extents[loop]);
    }
  }
  if (type.getShape() != ArrayRef<int64_t>(extents))
    value = BroadcastOp::create(builder, loc, type.clone(extents), value);
  value = ReduceOp::create(builder, loc, type.clone(reduced), value,
                           combination.kind, dims);
  return toResult(reshape(value, kept), loops);
}

Value GenericImport::run() {
  if (op.getNumResults() != 1 || !isProgramTensor(op.getResult(0).getType()))
    return {};
  for (Value input : op.getInputs())
    if (!isProgramTensor(input.getType()))
      return {};
  for (AffineMap map : op.getIndexingMapsArray())
    if (!loopsOf(map))
      return {};
  if (op.getNumParallelLoops() == op.getNumLoops()) {
    if (!op.getBody()->getArguments().back().use_empty())
      return {};
    Value value = pointwise(op.getBody()->getTerminator()->getOperand(0));
    auto loops = llvm::to_vector(llvm::seq<int64_t>(0, extents.size()));
    if (!value)
      return {};
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getShape() != ArrayRef<int64_t>(extents))
      value = BroadcastOp::create(builder, loc, type.clone(extents), value);
    return toResult(value, loops);
  }
  std::optional<Combination> combination = matchCombination();
  if (!combination)
    return {};
  Value value = contraction(*combination);
  if (!value)
    value = reduction(*combination);
  return value ? withInit(value, combination->kind) : Value();
}

Value mirage::mugraph::importGeneric(OpBuilder &builder, linalg::GenericOp op) {
  return GenericImport(builder, op).run();
}
