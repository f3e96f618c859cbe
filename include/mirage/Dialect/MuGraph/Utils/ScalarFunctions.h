//===- ScalarFunctions.h - Scalar expressions as ops and numbers -*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What lowerings need of the bodies of Meaning.h: one walk over an expression,
// and the op of each function.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_UTILS_SCALARFUNCTIONS_H
#define MIRAGE_DIALECT_MUGRAPH_UTILS_SCALARFUNCTIONS_H

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include "mlir/IR/Builders.h"

namespace mirage::mugraph {

/// The value of `expr`, where `operand(number)` is that of an operand,
/// `constant(Rational)` that of a constant, and `apply(ScalarFunction,
/// ArrayRef<T>)` that of a function.
template <typename T, typename OperandFn, typename ConstantFn, typename ApplyFn>
T evaluateScalar(const ScalarExpr &expr, OperandFn operand, ConstantFn constant,
                 ApplyFn apply) {
  llvm::SmallVector<T> values;
  for (const ScalarExpr::Node &node : expr.nodes()) {
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      values.push_back(operand(node.operand));
      break;
    case ScalarExpr::Kind::Constant:
      values.push_back(constant(node.constant));
      break;
    case ScalarExpr::Kind::Apply: {
      llvm::SmallVector<T, 2> arguments;
      for (unsigned number : node.arguments)
        arguments.push_back(values[number]);
      values.push_back(apply(node.function, llvm::ArrayRef<T>(arguments)));
      break;
    }
    }
  }
  return values.back();
}

/// The op of the arith or math dialect for `function` on floats, or on tensors
/// or vectors of them.
mlir::Value buildScalarFunction(mlir::OpBuilder &builder, mlir::Location loc,
                                ScalarFunction function,
                                llvm::ArrayRef<mlir::Value> arguments);

/// The number itself.
double applyScalarFunction(ScalarFunction function,
                           llvm::ArrayRef<double> arguments);

} // namespace mirage::mugraph

#endif // MIRAGE_DIALECT_MUGRAPH_UTILS_SCALARFUNCTIONS_H
