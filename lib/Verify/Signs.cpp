//===- Signs.cpp - Values that are never negative -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Signs.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::verify;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

namespace {

/// Goes through the body of one piece.
class BodySigns {
public:
  /// `isNonNegative` of each operand.
  BodySigns(const Piece &piece, const std::vector<bool> &values)
      : piece(piece), values(values) {}

  /// The body without what changes nothing.
  ScalarExpr simplify();
  bool isNonNegative() const { return signs.back(); }
  bool isChanged() const { return changed; }

private:
  using Node = ScalarExpr::Node;
  bool signOf(const Node &node) const;
  bool isSquare(const Node &product) const;
  bool isAtMostZero(unsigned node) const {
    const Node &constant = piece.body.nodes()[node];
    return constant.kind == ScalarExpr::Kind::Constant &&
           constant.constant.numerator <= 0;
  }
  /// The argument that the node is equal to, if there is one.
  std::optional<unsigned> sameAs(const Node &node) const;

  const Piece &piece;
  const std::vector<bool> &values;
  std::vector<bool> signs;
  bool changed = false;
};

} // namespace

/// The product of a node, or of an element of a tensor, with itself.
bool BodySigns::isSquare(const Node &product) const {
  unsigned a = product.arguments[0], b = product.arguments[1];
  const Node &left = piece.body.nodes()[a], &right = piece.body.nodes()[b];
  if (a == b)
    return true;
  if (left.kind != ScalarExpr::Kind::Operand ||
      right.kind != ScalarExpr::Kind::Operand)
    return false;
  const OperandAccess &x = piece.operands[left.operand];
  const OperandAccess &y = piece.operands[right.operand];
  return x.value == y.value && x.map == y.map;
}

bool BodySigns::signOf(const Node &node) const {
  if (node.kind == ScalarExpr::Kind::Operand)
    return values[piece.operands[node.operand].value];
  if (node.kind == ScalarExpr::Kind::Constant)
    return node.constant.numerator >= 0;
  bool first = signs[node.arguments.front()];
  bool second = signs[node.arguments.back()];
  switch (node.function) {
  case ScalarFunction::Abs:
  case ScalarFunction::Exp:
  case ScalarFunction::Sqrt:
  case ScalarFunction::Rsqrt:
    return true;
  case ScalarFunction::Mul:
    return (first && second) || isSquare(node);
  case ScalarFunction::Add:
  case ScalarFunction::Div:
  case ScalarFunction::Min:
    return first && second;
  case ScalarFunction::Max:
    return first || second;
  case ScalarFunction::Pow:
  case ScalarFunction::Erf:
    return first;
  case ScalarFunction::Sub:
  case ScalarFunction::Neg:
  case ScalarFunction::Log:
    return false;
  }
  return false;
}

std::optional<unsigned> BodySigns::sameAs(const Node &node) const {
  if (node.kind != ScalarExpr::Kind::Apply)
    return std::nullopt;
  unsigned a = node.arguments.front(), b = node.arguments.back();
  if (node.function == ScalarFunction::Abs && signs[a])
    return a;
  if (node.function != ScalarFunction::Max)
    return std::nullopt;
  if (signs[a] && isAtMostZero(b))
    return a;
  if (signs[b] && isAtMostZero(a))
    return b;
  return std::nullopt;
}

ScalarExpr BodySigns::simplify() {
  std::vector<ScalarExpr> exprs;
  for (const Node &node : piece.body.nodes()) {
    signs.push_back(signOf(node));
    if (std::optional<unsigned> same = sameAs(node)) {
      exprs.push_back(exprs[*same]);
      changed = true;
      continue;
    }
    llvm::SmallVector<ScalarExpr, 2> arguments;
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      exprs.push_back(ScalarExpr::operand(node.operand));
      break;
    case ScalarExpr::Kind::Constant:
      exprs.push_back(ScalarExpr::constant(node.constant));
      break;
    case ScalarExpr::Kind::Apply:
      for (unsigned argument : node.arguments)
        arguments.push_back(exprs[argument]);
      exprs.push_back(ScalarExpr::apply(node.function, arguments));
      break;
    }
  }
  return exprs.back();
}

void mirage::verify::simplifySigns(TensorProgram &program) {
  std::vector<bool> isNonNegative;
  for (ProgramValue &value : program.values) {
    bool sign = value.kind != ProgramValue::Kind::Argument;
    if (sign && value.pieces.empty())
      sign = isNonNegative[value.source];
    for (Piece &piece : value.pieces) {
      BodySigns body(piece, isNonNegative);
      ScalarExpr simpler = body.simplify();
      sign &= body.isNonNegative();
      if (body.isChanged())
        piece.body = std::move(simpler);
    }
    isNonNegative.push_back(sign);
  }
}
