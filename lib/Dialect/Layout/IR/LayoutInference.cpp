//===- LayoutInference.cpp - How layouts follow from each other -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One rule an op, as a function of matrices; the closure rules themselves are
// methods of the attribute. Shapes have been verified before.
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mirage::layout;

#include "mirage/Dialect/Layout/IR/LayoutInterfaces.cpp.inc"

static ArrayRef<int64_t> shapeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

LinearLayoutAttr ReduceOp::getResultLayout(unsigned, LinearLayoutAttr layout) {
  return layout.reduceDim(getAxis());
}

/// Many layouts reduce to one.
LinearLayoutAttr ReduceOp::getOperandLayout(unsigned, LinearLayoutAttr) {
  return {};
}

LinearLayoutAttr ScanOp::getResultLayout(unsigned, LinearLayoutAttr layout) {
  return layout;
}

LinearLayoutAttr ScanOp::getOperandLayout(unsigned, LinearLayoutAttr layout) {
  return layout;
}

/// The source may be anywhere; each index meets its element in its own place.
LinearLayoutAttr GatherOp::getResultLayout(unsigned operand,
                                           LinearLayoutAttr layout) {
  return operand == 1 ? layout : LinearLayoutAttr();
}

LinearLayoutAttr GatherOp::getOperandLayout(unsigned operand,
                                            LinearLayoutAttr layout) {
  return operand == 1 ? layout : LinearLayoutAttr();
}

//===----------------------------------------------------------------------===//
// Layouts and shapes
//===----------------------------------------------------------------------===//

/// The operand's follows from the result's and not the other way round.
LinearLayoutAttr BroadcastOp::getResultLayout(unsigned, LinearLayoutAttr) {
  return {};
}

LinearLayoutAttr BroadcastOp::getOperandLayout(unsigned,
                                               LinearLayoutAttr layout) {
  for (auto [dim, size] : llvm::enumerate(shapeOf(getValue())))
    if (size != layout.getShape()[dim])
      layout = layout.reduceDim(dim);
  return layout;
}

LinearLayoutAttr TransposeOp::getResultLayout(unsigned,
                                              LinearLayoutAttr layout) {
  return layout.transpose(getPerm());
}

LinearLayoutAttr TransposeOp::getOperandLayout(unsigned,
                                               LinearLayoutAttr layout) {
  SmallVector<int64_t> inverse(getPerm().size());
  for (auto [to, from] : llvm::enumerate(getPerm()))
    inverse[from] = to;
  return layout.transpose(inverse);
}

LinearLayoutAttr ReshapeOp::getResultLayout(unsigned, LinearLayoutAttr layout) {
  return layout.reshape(shapeOf(getResult()));
}

LinearLayoutAttr ReshapeOp::getOperandLayout(unsigned,
                                             LinearLayoutAttr layout) {
  return layout.reshape(shapeOf(getValue()));
}

LinearLayoutAttr JoinOp::getResultLayout(unsigned, LinearLayoutAttr layout) {
  return layout.joinLast();
}

LinearLayoutAttr JoinOp::getOperandLayout(unsigned, LinearLayoutAttr layout) {
  LinearLayoutAttr operand = layout.splitLast();
  return operand && operand.joinLast() == layout ? operand : LinearLayoutAttr();
}

LinearLayoutAttr SplitOp::getResultLayout(unsigned, LinearLayoutAttr layout) {
  return layout.splitLast();
}

/// The register bit that is removed may be any.
LinearLayoutAttr SplitOp::getOperandLayout(unsigned, LinearLayoutAttr) {
  return {};
}

LinearLayoutAttr UnpackOp::getResultLayout(unsigned, LinearLayoutAttr layout) {
  return layout.unpackDim(getAxis());
}

/// Undone as a split of the pairs, where that gives the layout back.
LinearLayoutAttr UnpackOp::getOperandLayout(unsigned, LinearLayoutAttr layout) {
  SmallVector<int64_t> pairs(layout.getShape()), order;
  int64_t axis = getAxis(), rank = layout.getRank();
  pairs[axis] /= 2;
  pairs.insert(pairs.begin() + axis + 1, 2);
  for (int64_t dim = 0; dim <= rank; ++dim)
    if (dim != axis + 1)
      order.push_back(dim);
  order.push_back(axis + 1);
  LinearLayoutAttr operand = layout.reshape(pairs).transpose(order).splitLast();
  return operand && operand.unpackDim(axis) == layout ? operand
                                                      : LinearLayoutAttr();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// layout_c12: `got` of `what` must be `expected`, which follows from `source`.
static LogicalResult expectLayout(Operation *op, const char *what,
                                  const char *source, LinearLayoutAttr got,
                                  LinearLayoutAttr expected) {
  if (got == expected)
    return success();
  auto diag = op->emitOpError() << "layout of the " << what << " is ";
  got ? diag << got : diag << "missing";
  return diag << ", expected " << expected << ", as follows from the " << source
              << " (layout_c12)";
}

LogicalResult mirage::layout::verifyLayouts(TileLayoutOpInterface op) {
  LinearLayoutAttr result = getLayout(op->getResult(0).getType());
  for (OpOperand &operand : op->getOpOperands()) {
    LinearLayoutAttr layout = getLayout(operand.get().getType());
    unsigned number = operand.getOperandNumber();
    LinearLayoutAttr forward =
        layout ? op.getResultLayout(number, layout) : LinearLayoutAttr();
    LinearLayoutAttr backward =
        result ? op.getOperandLayout(number, result) : LinearLayoutAttr();
    LogicalResult holds = success();
    if (forward)
      holds = expectLayout(op, "result", "operand", result, forward);
    else if (backward)
      holds = expectLayout(op, "operand", "result", layout, backward);
    else if (!layout != !result)
      holds = op->emitOpError() << "has a layout on only one of operand #"
                                << number << " and its result (layout_c12)";
    if (failed(holds))
      return failure();
  }
  return success();
}
