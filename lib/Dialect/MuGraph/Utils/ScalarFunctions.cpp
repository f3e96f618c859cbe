//===- ScalarFunctions.cpp - Scalar expressions as ops and numbers --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/Utils/ScalarFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace mirage::mugraph;

Value mirage::mugraph::buildScalarFunction(OpBuilder &b, Location loc,
                                           ScalarFunction function,
                                           ArrayRef<Value> x) {
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
    return math::ExpOp::create(b, loc, x[0]);
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

double mirage::mugraph::applyScalarFunction(ScalarFunction function,
                                            ArrayRef<double> x) {
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
