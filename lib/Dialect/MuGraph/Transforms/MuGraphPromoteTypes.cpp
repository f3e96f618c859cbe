//===- MuGraphPromoteTypes.cpp - Compute everything in f64 ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHPROMOTETYPES
#include "mirage/Dialect/MuGraph/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage::mugraph;

/// `type` with elements of f64 if it is a tensor that programs work on.
static Type promote(Type type) {
  if (!isProgramTensor(type))
    return type;
  return cast<RankedTensorType>(type).clone(
      Float64Type::get(type.getContext()));
}

/// Extends the argument at the entry of the function.
static void promoteArgument(BlockArgument argument) {
  Type wide = promote(argument.getType());
  if (wide == argument.getType())
    return;
  OpBuilder builder = OpBuilder::atBlockBegin(argument.getOwner());
  auto cast = CastOp::create(builder, argument.getLoc(), wide, argument);
  argument.replaceAllUsesExcept(cast, cast);
}

static LogicalResult promoteBody(func::FuncOp function) {
  WalkResult result = function.getBody().walk([&](Operation *op) {
    if (!isa_and_nonnull<MuGraphDialect>(op->getDialect()) &&
        !isa<func::ReturnOp>(op)) {
      op->emitError("cannot be computed in f64, expected only ops of the "
                    "mugraph dialect and func.return");
      return WalkResult::interrupt();
    }
    for (Value value : op->getResults())
      value.setType(promote(value.getType()));
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        argument.setType(promote(argument.getType()));
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult mirage::mugraph::promoteToF64(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    FunctionType type = function.getFunctionType();
    SmallVector<Type> results;
    for (Type result : type.getResults())
      results.push_back(promote(result));
    function.setFunctionType(
        FunctionType::get(module.getContext(), type.getInputs(), results));
    if (function.isExternal())
      continue;
    if (failed(promoteBody(function)))
      return failure();
    for (BlockArgument argument : function.getArguments())
      promoteArgument(argument);
  }
  return success();
}

namespace {
struct MuGraphPromoteTypes final
    : mirage::impl::MuGraphPromoteTypesBase<MuGraphPromoteTypes> {
  void runOnOperation() override {
    if (failed(promoteToF64(getOperation())))
      signalPassFailure();
  }
};
} // namespace
