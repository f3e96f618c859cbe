//===- Meaning.cpp - What a tensor op computes
//------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace mirage::mugraph;

StringRef mirage::mugraph::stringify(ScalarFunction function) {
  switch (function) {
  case ScalarFunction::Add:
    return "add";
  case ScalarFunction::Sub:
    return "sub";
  case ScalarFunction::Mul:
    return "mul";
  case ScalarFunction::Div:
    return "div";
  case ScalarFunction::Pow:
    return "pow";
  case ScalarFunction::Max:
    return "max";
  case ScalarFunction::Min:
    return "min";
  case ScalarFunction::Neg:
    return "neg";
  case ScalarFunction::Abs:
    return "abs";
  case ScalarFunction::Exp:
    return "exp";
  case ScalarFunction::Log:
    return "log";
  case ScalarFunction::Sqrt:
    return "sqrt";
  case ScalarFunction::Rsqrt:
    return "rsqrt";
  case ScalarFunction::Erf:
    return "erf";
  }
  llvm_unreachable("unknown scalar function");
}

ScalarExpr ScalarExpr::operand(unsigned number) {
  ScalarExpr result;
  Node node{Kind::Operand};
  node.operand = number;
  result.list.push_back(node);
  return result;
}

ScalarExpr ScalarExpr::constant(Rational value) {
  ScalarExpr result;
  Node node{Kind::Constant};
  node.constant = value;
  result.list.push_back(node);
  return result;
}

ScalarExpr ScalarExpr::apply(ScalarFunction function,
                             ArrayRef<ScalarExpr> arguments) {
  ScalarExpr result;
  Node call{Kind::Apply};
  call.function = function;
  for (const ScalarExpr &argument : arguments) {
    unsigned base = result.list.size();
    for (Node node : argument.list) {
      for (unsigned &number : node.arguments)
        number += base;
      result.list.push_back(node);
    }
    call.arguments.push_back(result.list.size() - 1);
  }
  result.list.push_back(call);
  return result;
}

std::string ScalarExpr::str() const {
  SmallVector<std::string> text;
  for (const Node &node : list) {
    switch (node.kind) {
    case Kind::Operand:
      text.push_back("x" + std::to_string(node.operand));
      break;
    case Kind::Constant:
      text.push_back(node.constant.str());
      break;
    case Kind::Apply:
      std::string call = stringify(node.function).str() + "(";
      llvm::interleave(
          node.arguments, [&](unsigned number) { call += text[number]; },
          [&] { call += ", "; });
      text.push_back(call + ")");
      break;
    }
  }
  return text.back();
}

ScalarExpr mirage::mugraph::operator+(const ScalarExpr &a,
                                      const ScalarExpr &b) {
  return ScalarExpr::apply(ScalarFunction::Add, {a, b});
}
ScalarExpr mirage::mugraph::operator-(const ScalarExpr &a,
                                      const ScalarExpr &b) {
  return ScalarExpr::apply(ScalarFunction::Sub, {a, b});
}
ScalarExpr mirage::mugraph::operator*(const ScalarExpr &a,
                                      const ScalarExpr &b) {
  return ScalarExpr::apply(ScalarFunction::Mul, {a, b});
}
ScalarExpr mirage::mugraph::operator/(const ScalarExpr &a,
                                      const ScalarExpr &b) {
  return ScalarExpr::apply(ScalarFunction::Div, {a, b});
}
ScalarExpr mirage::mugraph::operator-(const ScalarExpr &a) {
  return ScalarExpr::apply(ScalarFunction::Neg, {a});
}

SmallVector<unsigned> MeaningPiece::reducedDims() const {
  SmallVector<unsigned> dims;
  for (unsigned dim = 0; dim < extents.size(); ++dim)
    if (!resultMap.isFunctionOfDim(dim))
      dims.push_back(dim);
  return dims;
}
