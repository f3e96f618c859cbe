//===- TileArithmetic.cpp - Scalar bodies on tiles ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"

#include "mirage/Dialect/MuGraph/Utils/ScalarFunctions.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

Value mirage::emitScalarExpr(TileEmitter &emitter, const ScalarExpr &expr,
                             ArrayRef<Value> operands,
                             ArrayRef<int64_t> shape) {
  auto apply = [&](ScalarFunction function, ArrayRef<Value> arguments) {
    if (function == ScalarFunction::Exp)
      return emitter.exp(arguments[0]);
    return buildScalarFunction(emitter.builder, emitter.loc, function,
                               arguments);
  };
  return evaluateScalar<Value>(
      expr, [&](unsigned number) { return operands[number]; },
      [&](const mugraph::Rational &value) {
        return emitter.splat(shape, value.toDouble());
      },
      apply);
}

double mirage::foldScalarExpr(const ScalarExpr &expr,
                              ArrayRef<double> operands) {
  return evaluateScalar<double>(
      expr, [&](unsigned number) { return operands[number]; },
      [](const mugraph::Rational &value) { return value.toDouble(); },
      applyScalarFunction);
}
