//===- SymbolicRun.cpp - A program executed on expressions ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SymbolicRun.h"

#include "llvm/ADT/STLExtras.h"

#include <cstdlib>

using namespace mirage;
using namespace mirage::verify;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

/// Products are not multiplied out beyond this many terms.
static constexpr size_t maxTerms = 4096;
/// Powers of sums are multiplied out up to this many.
static constexpr size_t maxExpandedTerms = 64;

//===----------------------------------------------------------------------===//
// Scalar expressions
//===----------------------------------------------------------------------===//

bool SymbolicRun::constant(const mugraph::Rational &value, ExprId &result) {
  Rational exact = Rational::get(value.numerator, value.denominator);
  if (std::abs(value.exponent2) > 62)
    return fail("a constant that is too large or too small");
  Rational scale = int64_t{1} << std::abs(value.exponent2);
  exact = value.exponent2 < 0 ? exact / scale : exact * scale;
  if (!exact.isValid())
    return fail("a constant that is too large or too small");
  result = context.constant(exact);
  return true;
}

bool SymbolicRun::runBody(const Piece &piece, llvm::ArrayRef<ExprId> operands,
                          ExprId &result) {
  llvm::SmallVector<ExprId, 8> nodes;
  for (const ScalarExpr::Node &node : piece.body.nodes()) {
    ExprId value = 0;
    llvm::SmallVector<ExprId, 2> arguments;
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      value = operands[node.operand];
      break;
    case ScalarExpr::Kind::Constant:
      if (!constant(node.constant, value))
        return false;
      break;
    case ScalarExpr::Kind::Apply:
      for (unsigned argument : node.arguments)
        arguments.push_back(nodes[argument]);
      if (!apply(node.function, arguments, value))
        return false;
      break;
    }
    nodes.push_back(value);
  }
  result = nodes.back();
  return true;
}

bool SymbolicRun::multiply(ExprId a, ExprId b, ExprId &result) {
  size_t count = context.expr(a).terms.size() * context.expr(b).terms.size();
  if (count > maxTerms)
    return fail("an expression that grows too large");
  result = context.multiply(a, b);
  // (x - m)^2 in full, or the variance would have two forms.
  if (count <= maxExpandedTerms)
    result = context.expandPowers(result);
  return true;
}

bool SymbolicRun::apply(ScalarFunction function,
                        llvm::ArrayRef<ExprId> arguments, ExprId &result) {
  ExprId a = arguments.front(), b = arguments.back();
  switch (function) {
  case ScalarFunction::Add:
    result = context.add(a, b);
    return true;
  case ScalarFunction::Sub:
    result = context.subtract(a, b);
    return true;
  case ScalarFunction::Neg:
    result = context.scale(a, Rational(-1));
    return true;
  case ScalarFunction::Mul:
    return multiply(a, b, result);
  case ScalarFunction::Div:
    return multiply(a, context.power(b, Rational(-1)), result);
  case ScalarFunction::Exp:
    result = context.exp(a);
    return true;
  case ScalarFunction::Sqrt:
    result = context.power(a, Rational::get(1, 2));
    return true;
  case ScalarFunction::Rsqrt:
    result = context.power(a, Rational::get(-1, 2));
    return true;
  case ScalarFunction::Min: // min(a, b) = -max(-a, -b)
    a = context.scale(a, Rational(-1));
    b = context.scale(b, Rational(-1));
    result = context.scale(digits.maximumOf({a, b}), Rational(-1));
    return true;
  default:
    break;
  }
  result = digits.function(1 + static_cast<uint32_t>(function),
                           llvm::SmallVector<ExprId>(arguments));
  return true;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

bool SymbolicRun::runArgument(const ProgramValue &value,
                              SymbolicTensor &result) {
  if (like) {
    result.dims = like->tensors[like->program.arguments[value.argument]].dims;
  } else {
    for (int64_t extent : value.shape) {
      LabelList &list = result.dims.emplace_back();
      if (extent > 1)
        list.push_back(context.addLabel(extent));
    }
  }
  result.cases = {
      {{}, digits.access(value.argument, value.shape, result.dims)}};
  return true;
}

bool SymbolicRun::runValue(const ProgramValue &value, SymbolicTensor &result) {
  switch (value.kind) {
  case ProgramValue::Kind::Argument:
    return runArgument(value, result);
  case ProgramValue::Kind::Tile:
    return runTile(value, result);
  case ProgramValue::Kind::Pieces:
    return runPieces(value, result);
  case ProgramValue::Kind::Accumulate:
    return runAccumulate(value, result);
  case ProgramValue::Kind::Assemble:
    return runAssemble(value, result);
  }
  return false;
}

bool SymbolicRun::run() {
  for (const ProgramValue &value : program.values) {
    SymbolicTensor result;
    if (!runValue(value, result))
      return false;
    if (!context.isValid() ||
        llvm::any_of(result.cases, [&](const GuardedExpr &entry) {
          return context.expr(entry.element).terms.size() > maxTerms;
        }))
      return fail("an expression that grows too large");
    tensors.push_back(std::move(result));
  }
  return true;
}
