//===- MuGraphOutlineKernels.cpp - A kernel for each op -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DefaultKernels.h"

#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHOUTLINEKERNELS
#include "mirage/Dialect/MuGraph/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

static int64_t product(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= extent;
  return result;
}

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Simpler ops first
//===----------------------------------------------------------------------===//

/// An op on tensors of rank above 3 where neighbouring dims are treated alike,
/// as the same op on fewer dims between reshapes, which cost nothing. Returns
/// the op on fewer dims, or null.
static Operation *collapse(OpBuilder &builder, Operation *op,
                           ArrayRef<int64_t> shape) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(shapeOf(operand) == shapeOf(op->getOperand(0))
                           ? reshapeTo(builder, operand, shape)
                           : operand);
  Operation *copy = builder.clone(*op);
  copy->setOperands(operands);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  copy->getResult(0).setType(type.clone(shape));
  Value result = reshapeTo(builder, copy->getResult(0), type.getShape());
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
  return copy;
}

/// [outer, row, inner] with the dims before and after `dim` joined.
static SmallVector<int64_t> aroundDim(ArrayRef<int64_t> shape, int64_t dim) {
  return {product(shape.take_front(dim)), shape[dim],
          product(shape.drop_front(dim + 1))};
}

/// `op` itself or its form on at most three dims, where there is one.
static Operation *simplifyRank(OpBuilder &builder, Operation *op) {
  builder.setInsertionPoint(op);
  ArrayRef<int64_t> shape = shapeOf(op->getResult(0));
  if (shape.size() <= 3)
    return op;
  if (op->hasTrait<Elementwise>() &&
      llvm::all_of(op->getOperands(),
                   [&](Value operand) { return shapeOf(operand) == shape; }))
    return collapse(builder, op, {product(shape.drop_back()), shape.back()});
  if (auto softmax = dyn_cast<SoftmaxOp>(op)) {
    Operation *simple =
        collapse(builder, op, aroundDim(shape, softmax.getDim()));
    cast<SoftmaxOp>(simple).setDim(1);
    return simple;
  }
  if (isa<RmsNormOp, LayerNormOp>(op))
    return collapse(builder, op, {product(shape.drop_back()), shape.back()});
  auto reduce = dyn_cast<ReduceOp>(op);
  if (!reduce || reduce.getDims().size() != 1)
    return op;
  int64_t dim = reduce.getDims().front();
  SmallVector<int64_t> to = aroundDim(shapeOf(reduce.getInput()), dim);
  Value input = reshapeTo(builder, reduce.getInput(), to);
  to[1] = 1;
  auto simple =
      ReduceOp::create(builder, op->getLoc(), reduce.getType().clone(to), input,
                       reduce.getKind(), ArrayRef<int64_t>{1});
  op->getResult(0).replaceAllUsesWith(reshapeTo(builder, simple, shape));
  op->erase();
  return simple;
}

/// True if `op` keeps all elements in row-major order.
static bool keepsOrder(TransposeOp op) {
  SmallVector<int64_t> moved;
  for (int64_t dim : op.getPerm())
    if (shapeOf(op.getInput())[dim] != 1)
      moved.push_back(dim);
  return llvm::is_sorted(moved);
}

/// A concat along a dim behind others as one of transposed tensors along the
/// first dim, which the host does by copying one tensor after the other.
static void concatInFront(OpBuilder &builder, ConcatOp op,
                          SmallVectorImpl<Operation *> &worklist) {
  SmallVector<int64_t> perm = {static_cast<int64_t>(op.getDim())};
  for (int64_t dim = 0; dim < op.getType().getRank(); ++dim)
    if (dim != perm.front())
      perm.push_back(dim);
  SmallVector<int64_t> back(perm.size());
  for (auto [to, from] : llvm::enumerate(perm))
    back[from] = to;
  auto transpose = [&](Value value, ArrayRef<int64_t> perm) {
    SmallVector<int64_t> shape;
    for (int64_t dim : perm)
      shape.push_back(shapeOf(value)[dim]);
    auto type = cast<RankedTensorType>(value.getType()).clone(shape);
    auto result = TransposeOp::create(builder, op.getLoc(), type, value, perm);
    worklist.push_back(result);
    return result;
  };
  builder.setInsertionPoint(op);
  SmallVector<Value> inputs;
  for (Value input : op.getInputs())
    inputs.push_back(transpose(input, perm));
  SmallVector<int64_t> shape;
  for (int64_t dim : perm)
    shape.push_back(op.getType().getDimSize(dim));
  Value joined = ConcatOp::create(builder, op.getLoc(),
                                  op.getType().clone(shape), inputs, 0);
  op.getResult().replaceAllUsesWith(transpose(joined, back));
  op.erase();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Replaces `op` by a kernel, or by simpler ops that it adds to the worklist.
static LogicalResult outline(OpBuilder &builder, Operation *op,
                             const TargetDescription &target,
                             SmallVectorImpl<Operation *> &worklist) {
  if (auto concat = dyn_cast<ConcatOp>(op)) {
    ArrayRef<int64_t> shape = concat.getType().getShape();
    if (product(shape.take_front(concat.getDim())) != 1)
      concatInFront(builder, concat, worklist);
    return success();
  }
  if (auto transpose = dyn_cast<TransposeOp>(op);
      transpose && keepsOrder(transpose)) {
    builder.setInsertionPoint(op);
    Value view = reshapeTo(builder, transpose.getInput(), shapeOf(transpose));
    op->getResult(0).replaceAllUsesWith(view);
    op->erase();
    return success();
  }
  op = simplifyRank(builder, op);
  builder.setInsertionPoint(op);
  Operation *before = op->getPrevNode();
  FailureOr<Value> value;
  if (auto matmul = dyn_cast<MatmulOp>(op))
    value = buildMatmulKernel(builder, matmul, target);
  else if (isa<ReduceOp, SoftmaxOp, RmsNormOp, LayerNormOp>(op))
    value = buildRowKernel(builder, op, target);
  else
    value = buildPointwiseKernel(builder, cast<MeaningOpInterface>(op));
  if (failed(value))
    return failure();
  // A matrix product may have added a broadcast of its operand.
  Operation *added = before ? before->getNextNode() : &op->getBlock()->front();
  for (; added != op; added = added->getNextNode())
    if (isa<BroadcastOp>(added))
      worklist.push_back(added);
  op->getResult(0).replaceAllUsesWith(*value);
  op->erase();
  return success();
}

LogicalResult mirage::mugraph::outlineKernels(func::FuncOp function,
                                              const TargetDescription &target) {
  SmallVector<Operation *> worklist;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<BlockGraphOp>(op))
      return WalkResult::skip();
    if (isa<MeaningOpInterface>(op) && !isa<ReshapeOp>(op))
      worklist.push_back(op);
    return WalkResult::advance();
  });
  std::reverse(worklist.begin(), worklist.end());
  OpBuilder builder(function.getContext());
  while (!worklist.empty())
    if (failed(outline(builder, worklist.pop_back_val(), target, worklist)))
      return failure();
  return success();
}

namespace {
struct MuGraphOutlineKernels final
    : mirage::impl::MuGraphOutlineKernelsBase<MuGraphOutlineKernels> {
  using MuGraphOutlineKernelsBase::MuGraphOutlineKernelsBase;

  void runOnOperation() override {
    const TargetDescription *chip = lookupTarget(target);
    if (!chip) {
      getOperation().emitError("unknown target '")
          << target << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    // What others claim to implement is a specification and stays as it is.
    llvm::StringSet<> specifications;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (auto name = function->getAttrOfType<FlatSymbolRefAttr>(
              MuGraphDialect::getImplementsAttrName()))
        specifications.insert(name.getValue());
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!specifications.contains(function.getName()) &&
          failed(outlineKernels(function, *chip)))
        return signalPassFailure();
  }
};
} // namespace
