//===- ConvertLinalgToMuGraph.cpp - Recognise tensor programs
//---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Import.h"

#include "mirage/Conversion/LinalgToMuGraph/LinalgToMuGraph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mirage {
#define GEN_PASS_DEF_CONVERTLINALGTOMUGRAPH
#include "mirage/Conversion/LinalgToMuGraph/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage::mugraph;

static Value importReshape(OpBuilder &builder, Operation *op) {
  return ReshapeOp::create(builder, op->getLoc(), op->getResult(0).getType(),
                           op->getOperand(0));
}

static Value importSlice(OpBuilder &builder, tensor::ExtractSliceOp op) {
  bool isStatic = llvm::none_of(op.getStaticOffsets(), ShapedType::isDynamic) &&
                  llvm::none_of(op.getStaticSizes(), ShapedType::isDynamic);
  bool isDense = llvm::all_of(op.getStaticStrides(),
                              [](int64_t stride) { return stride == 1; });
  if (!isStatic || !isDense)
    return {};
  auto type = cast<RankedTensorType>(op.getType());
  Value slice = SliceOp::create(builder, op.getLoc(),
                                type.clone(op.getStaticSizes()), op.getSource(),
                                op.getStaticOffsets(), op.getStaticSizes());
  if (slice.getType() == type)
    return slice;
  return ReshapeOp::create(builder, op.getLoc(), type, slice);
}

/// Elementwise `arith` and `math` ops on tensors.
static Value importTensorOp(OpBuilder &builder, Operation *op) {
  SmallVector<ImportedValue> operands;
  for (Value operand : op->getOperands()) {
    std::optional<double> number = constantNumber(operand);
    operands.push_back(number ? ImportedValue{{}, number}
                              : ImportedValue{operand, std::nullopt});
  }
  auto result = importElementwise(builder, op, operands);
  return result ? result->tensor : Value();
}

static Value importLinalg(IRRewriter &rewriter, linalg::LinalgOp op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op.getOperation()))
    return importGeneric(rewriter, generic);
  // A named op means what its generic form does; that form goes again.
  auto copy = cast<linalg::LinalgOp>(rewriter.clone(*op));
  FailureOr<linalg::GenericOp> generic =
      linalg::generalizeNamedOp(rewriter, copy);
  if (failed(generic)) {
    rewriter.eraseOp(copy);
    return {};
  }
  rewriter.setInsertionPoint(op);
  Value value = importGeneric(rewriter, *generic);
  rewriter.eraseOp(*generic);
  return value;
}

/// The mugraph form of `op`, or null.
static Value importOp(IRRewriter &rewriter, Operation *op) {
  if (op->getNumResults() != 1 || isa<MuGraphDialect>(op->getDialect()) ||
      !isProgramTensor(op->getResult(0).getType()))
    return {};
  // Inits stay until nothing uses them.
  if (isa<linalg::FillOp>(op))
    return {};
  for (Value operand : op->getOperands())
    if (isa<TensorType>(operand.getType()) &&
        !isProgramTensor(operand.getType()))
      return {};
  rewriter.setInsertionPoint(op);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
          [&](auto reshape) { return importReshape(rewriter, reshape); })
      .Case([&](tensor::ExtractSliceOp slice) {
        return importSlice(rewriter, slice);
      })
      .Case([&](tensor::ConcatOp concat) -> Value {
        return ConcatOp::create(rewriter, op->getLoc(), concat.getType(),
                                concat.getInputs(), concat.getDim());
      })
      .Case([&](linalg::SoftmaxOp softmax) -> Value {
        return SoftmaxOp::create(rewriter, op->getLoc(), softmax.getInput(),
                                 softmax.getDimension());
      })
      .Case([&](linalg::LinalgOp linalgOp) {
        return importLinalg(rewriter, linalgOp);
      })
      .Default([&](Operation *) { return importTensorOp(rewriter, op); });
}

/// Removes the ops of `root` that nothing uses, users first.
static void eraseDead(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op != root)
      ops.push_back(op);
  });
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      op->erase();
}

namespace {
struct ConvertLinalgToMuGraph final
    : mirage::impl::ConvertLinalgToMuGraphBase<ConvertLinalgToMuGraph> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<linalg::LinalgOp>(op)) {
        ops.push_back(op);
        return WalkResult::skip(); // the scalars of its body are its own
      }
      if (op->getNumRegions() == 0 && op->getDialect())
        ops.push_back(op);
      return WalkResult::advance();
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops)
      if (Value value = importOp(rewriter, op))
        if (value.getType() == op->getResult(0).getType())
          rewriter.replaceOp(op, value);
    eraseDead(getOperation());
  }
};
} // namespace
