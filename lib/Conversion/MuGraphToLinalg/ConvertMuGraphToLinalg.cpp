//===- ConvertMuGraphToLinalg.cpp - Run mugraph programs on the host
//--------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockGraphLowering.h"
#include "TensorLowering.h"

#include "mirage/Conversion/MuGraphToLinalg/MuGraphToLinalg.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mirage {
#define GEN_PASS_DEF_CONVERTMUGRAPHTOLINALG
#include "mirage/Conversion/MuGraphToLinalg/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage::mugraph;

/// What `value` was before it was extended, or itself: an op that works in a
/// wider type anyway reads the narrow tensor and extends each element.
static Value beforeExtension(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  if (!cast)
    return value;
  Type narrow = cast.getInput().getType().getElementType();
  Type wide = cast.getType().getElementType();
  bool exact =
      wide.getIntOrFloatBitWidth() >= 2 * narrow.getIntOrFloatBitWidth();
  return exact ? Value(cast.getInput()) : value;
}

static FailureOr<SmallVector<Value>> lowerOp(OpBuilder &builder,
                                             Operation *op) {
  if (auto graph = dyn_cast<BlockGraphOp>(op))
    return lowerBlockGraph(builder, graph);
  if (!isa<MeaningOpInterface>(op))
    return op->emitOpError("cannot be lowered to linalg outside a block graph");
  auto element =
      cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  SmallVector<LoweredTensor> operands;
  for (Value operand : op->getOperands()) {
    // The result's type is the least the op works in.
    bool looksThrough = element.getIntOrFloatBitWidth() >= 32 &&
                        !isa<ReshapeOp, SliceOp, ConcatOp>(op);
    operands.push_back(LoweredTensor::whole(
        looksThrough ? beforeExtension(operand) : operand));
  }
  TensorLowering lowering(builder, op->getLoc());
  FailureOr<LoweredTensor> result = lowering.lower(op, operands);
  if (failed(result))
    return failure();
  return SmallVector<Value>{result->value};
}

/// True for the ops of a kernel-level program; what is inside a block graph is
/// lowered with it.
static bool isKernelLevel(Operation *op) {
  return isa_and_nonnull<MuGraphDialect>(op->getDialect()) &&
         !op->getParentOfType<BlockGraphOp>();
}

LogicalResult mirage::mugraph::convertToLinalg(ModuleOp module) {
  if (failed(decomposeComposites(module)))
    return failure();
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isKernelLevel(op))
      ops.push_back(op);
  });
  OpBuilder builder(module.getContext());
  DenseMap<Value, Value> lowered;
  for (Operation *op : ops) {
    builder.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> values = lowerOp(builder, op);
    if (failed(values))
      return failure();
    for (auto [result, value] : llvm::zip_equal(op->getResults(), *values))
      lowered[result] = value;
  }
  // The mugraph ops were kept so that later ones could look at their operands.
  for (Operation *op : ops)
    for (Value result : op->getResults()) {
      Value value = lowered.lookup(result);
      while (Value further = lowered.lookup(value))
        value = further;
      result.replaceAllUsesWith(value);
    }
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  module.walk([](Operation *op) {
    op->removeDiscardableAttr(MuGraphDialect::getImplementsAttrName());
  });
  return success();
}

namespace {
struct ConvertMuGraphToLinalg final
    : mirage::impl::ConvertMuGraphToLinalgBase<ConvertMuGraphToLinalg> {
  using ConvertMuGraphToLinalgBase::ConvertMuGraphToLinalgBase;

  void runOnOperation() override {
    if ((promote && failed(promoteToF64(getOperation()))) ||
        failed(convertToLinalg(getOperation())))
      signalPassFailure();
  }
};
} // namespace
