//===- MuGraphDecompose.cpp - Softmax and norms in primitive ops
//------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHDECOMPOSE
#include "mirage/Dialect/MuGraph/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage::mugraph;

LogicalResult mirage::mugraph::decomposeComposites(Operation *root) {
  SmallVector<MeaningOpInterface> composites;
  root->walk([&](MeaningOpInterface op) {
    if (failed(op.getMeaning()))
      composites.push_back(op);
  });
  OpBuilder builder(root->getContext());
  for (MeaningOpInterface op : composites) {
    builder.setInsertionPoint(op);
    FailureOr<Value> value = op.decompose(builder);
    if (failed(value))
      return op.emitError("has neither a meaning nor a decomposition");
    op->getResult(0).replaceAllUsesWith(*value);
    op.erase();
  }
  return success();
}

namespace {
struct MuGraphDecompose final
    : mirage::impl::MuGraphDecomposeBase<MuGraphDecompose> {
  void runOnOperation() override {
    if (failed(decomposeComposites(getOperation())))
      signalPassFailure();
  }
};
} // namespace
