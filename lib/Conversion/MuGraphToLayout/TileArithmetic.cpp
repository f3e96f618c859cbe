//===- TileArithmetic.cpp - Scalar bodies on tiles ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

/// One function application on tiles.
static Value emitFunction(TileEmitter &emitter, ScalarFunction function,
                          ArrayRef<Value> x) {
  OpBuilder &b = emitter.builder;
  Location loc = emitter.loc;
  switch (function) {
  case ScalarFunction::Add:
    return arith::AddFOp::create(b, loc, x[0], x[1]);
  case ScalarFunction::Sub:
    return arith::SubFOp::create(b, loc, x[0], x[1]);
  case ScalarFunction::Mul:
    return arith::MulFOp::create(b, loc, x[0], x[1]);
  case ScalarFunction::Div:
    return arith::DivFOp::create(b, loc, x[0], x[1]);
  case ScalarFunction::Pow:
    return math::PowFOp::create(b, loc, x[0], x[1]);
  case ScalarFunction::Max:
    return arith::MaximumFOp::create(b, loc, x[0], x[1]);
  case ScalarFunction::Min:
    return arith::MinimumFOp::create(b, loc, x[0], x[1]);
  case ScalarFunction::Neg:
    return arith::NegFOp::create(b, loc, x[0]);
  case ScalarFunction::Abs:
    return math::AbsFOp::create(b, loc, x[0]);
  case ScalarFunction::Exp:
    return emitter.exp(x[0]);
  case ScalarFunction::Log:
    return math::LogOp::create(b, loc, x[0]);
  case ScalarFunction::Sqrt:
    return math::SqrtOp::create(b, loc, x[0]);
  case ScalarFunction::Rsqrt:
    return math::RsqrtOp::create(b, loc, x[0]);
  case ScalarFunction::Erf:
    return math::ErfOp::create(b, loc, x[0]);
  }
  llvm_unreachable("unknown scalar function");
}

static double foldFunction(ScalarFunction function, ArrayRef<double> x) {
  switch (function) {
  case ScalarFunction::Add:
    return x[0] + x[1];
  case ScalarFunction::Sub:
    return x[0] - x[1];
  case ScalarFunction::Mul:
    return x[0] * x[1];
  case ScalarFunction::Div:
    return x[0] / x[1];
  case ScalarFunction::Pow:
    return std::pow(x[0], x[1]);
  case ScalarFunction::Max:
    return std::max(x[0], x[1]);
  case ScalarFunction::Min:
    return std::min(x[0], x[1]);
  case ScalarFunction::Neg:
    return -x[0];
  case ScalarFunction::Abs:
    return std::fabs(x[0]);
  case ScalarFunction::Exp:
    return std::exp(x[0]);
  case ScalarFunction::Log:
    return std::log(x[0]);
  case ScalarFunction::Sqrt:
    return std::sqrt(x[0]);
  case ScalarFunction::Rsqrt:
    return 1.0 / std::sqrt(x[0]);
  case ScalarFunction::Erf:
    return std::erf(x[0]);
  }
  llvm_unreachable("unknown scalar function");
}

Value mirage::emitScalarExpr(TileEmitter &emitter, const ScalarExpr &expr,
                             ArrayRef<Value> operands,
                             ArrayRef<int64_t> shape) {
  SmallVector<Value> values;
  for (const ScalarExpr::Node &node : expr.nodes()) {
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      values.push_back(operands[node.operand]);
      break;
    case ScalarExpr::Kind::Constant:
      values.push_back(emitter.splat(shape, node.constant.toDouble()));
      break;
    case ScalarExpr::Kind::Apply: {
      SmallVector<Value, 2> arguments;
      for (unsigned argument : node.arguments)
        arguments.push_back(values[argument]);
      values.push_back(emitFunction(emitter, node.function, arguments));
      break;
    }
    }
  }
  return values.back();
}

double mirage::foldScalarExpr(const ScalarExpr &expr,
                              ArrayRef<double> operands) {
  SmallVector<double> values;
  for (const ScalarExpr::Node &node : expr.nodes()) {
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      values.push_back(operands[node.operand]);
      break;
    case ScalarExpr::Kind::Constant:
      values.push_back(node.constant.toDouble());
      break;
    case ScalarExpr::Kind::Apply: {
      SmallVector<double, 2> arguments;
      for (unsigned argument : node.arguments)
        arguments.push_back(values[argument]);
      values.push_back(foldFunction(node.function, arguments));
      break;
    }
    }
  }
  return values.back();
}
