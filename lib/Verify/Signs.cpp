//===- Signs.cpp - Values whose sign is known -----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Signs.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

namespace {

/// The signs that a number may have, wherever it is defined.
class Signs {
public:
  static Signs any() { return Signs({-1, 0, 1}); }
  static Signs nonNegative() { return Signs({0, 1}); }
  static Signs positive() { return Signs({1}); }
  static Signs of(int64_t number) {
    return Signs({number < 0 ? -1 : number > 0 ? 1 : 0});
  }
  Signs(std::initializer_list<int> signs) {
    for (int sign : signs)
      insert(sign);
  }

  bool has(int sign) const { return bits >> (sign + 1) & 1; }
  bool isNonNegative() const { return !has(-1); }
  bool isNonPositive() const { return !has(1); }
  bool isPositive() const { return isNonNegative() && !has(0); }
  Signs operator|(Signs other) const {
    other.bits |= bits;
    return other;
  }
  /// The signs of `function` of a number with a sign of each set.
  template <typename Function>
  static Signs combine(Signs a, Signs b, Function function) {
    Signs result({});
    for (int x : {-1, 0, 1})
      for (int y : {-1, 0, 1})
        if (a.has(x) && b.has(y))
          result = result | function(x, y);
    return result;
  }

private:
  void insert(int sign) { bits |= 1u << (sign + 1); }
  unsigned bits = 0;
};

/// Goes through the body of one piece.
class BodySigns {
public:
  /// The signs of the values that the piece reads.
  BodySigns(const Piece &piece, const std::vector<Signs> &values)
      : piece(piece), values(values) {
    for (const Node &node : piece.body.nodes())
      signs.push_back(signsOf(node));
  }

  /// The body without what changes nothing.
  ScalarExpr simplify();
  Signs result() const { return signs.back(); }
  bool isChanged() const { return changed; }
  /// Has it a root of what may be negative, or the like? What cannot be, may
  /// be 0 on many inputs if it is made from what has an order.
  bool hasPartialFunction(bool isOrdered) const;
  /// Does it divide by what may be 0?
  bool hasPartialQuotient() const;

private:
  using Node = ScalarExpr::Node;
  Signs signsOf(const Node &node) const;
  Signs signsOfCall(const Node &node) const;
  bool isSquare(const Node &product) const;
  bool isAtMostZero(unsigned node) const {
    const Node &constant = piece.body.nodes()[node];
    return constant.kind == ScalarExpr::Kind::Constant &&
           constant.constant.numerator <= 0;
  }
  /// What a node is instead of a magnitude or a maximum, if it is neither.
  std::optional<ScalarExpr> simpler(const Node &node,
                                    llvm::ArrayRef<ScalarExpr> exprs) const;

  const Piece &piece;
  const std::vector<Signs> &values;
  std::vector<Signs> signs;
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

Signs BodySigns::signsOf(const Node &node) const {
  switch (node.kind) {
  case ScalarExpr::Kind::Operand:
    return values[piece.operands[node.operand].value];
  case ScalarExpr::Kind::Constant:
    return Signs::of(node.constant.numerator);
  case ScalarExpr::Kind::Apply:
    return signsOfCall(node);
  }
  return Signs::any();
}

Signs BodySigns::signsOfCall(const Node &node) const {
  Signs a = signs[node.arguments.front()], b = signs[node.arguments.back()];
  auto add = [](int x, int y) {
    return x * y < 0 ? Signs::any() : Signs({x ? x : y});
  };
  switch (node.function) {
  case ScalarFunction::Exp:
  case ScalarFunction::Rsqrt:
    return Signs::positive();
  case ScalarFunction::Abs:
    return Signs::combine(a, a, [](int x, int) { return Signs({x * x}); });
  case ScalarFunction::Sqrt:
    return a.isPositive() ? a : Signs::nonNegative();
  case ScalarFunction::Mul:
    if (isSquare(node))
      return a.isPositive() ? a : Signs::nonNegative();
    return Signs::combine(a, b, [](int x, int y) { return Signs({x * y}); });
  case ScalarFunction::Div:
    return Signs::combine(
        a, b, [](int x, int y) { return y == 0 ? Signs({}) : Signs({x * y}); });
  case ScalarFunction::Add:
    return Signs::combine(a, b, add);
  case ScalarFunction::Sub:
    return Signs::combine(a, b, [&](int x, int y) { return add(x, -y); });
  case ScalarFunction::Neg:
    return Signs::combine(
        a, a, [](int x, int y) { return x == y ? Signs({-x}) : Signs({}); });
  case ScalarFunction::Min:
    return Signs::combine(a, b,
                          [](int x, int y) { return Signs({std::min(x, y)}); });
  case ScalarFunction::Max:
    return Signs::combine(a, b,
                          [](int x, int y) { return Signs({std::max(x, y)}); });
  case ScalarFunction::Erf:
    return a;
  case ScalarFunction::Pow:
    return a.isNonNegative() ? a : Signs::any();
  case ScalarFunction::Log:
    return Signs::any();
  }
  return Signs::any();
}

bool BodySigns::hasPartialFunction(bool isOrdered) const {
  return llvm::any_of(piece.body.nodes(), [&](const Node &node) {
    if (node.kind != ScalarExpr::Kind::Apply)
      return false;
    Signs argument = signs[node.arguments.front()];
    switch (node.function) {
    case ScalarFunction::Sqrt:
      return !argument.isNonNegative();
    case ScalarFunction::Rsqrt:
    case ScalarFunction::Log:
    case ScalarFunction::Pow:
      return !argument.isNonNegative() || (isOrdered && argument.has(0));
    default:
      return false;
    }
  });
}

bool BodySigns::hasPartialQuotient() const {
  return llvm::any_of(piece.body.nodes(), [&](const Node &node) {
    return node.kind == ScalarExpr::Kind::Apply &&
           node.function == ScalarFunction::Div &&
           signs[node.arguments.back()].has(0);
  });
}

std::optional<ScalarExpr>
BodySigns::simpler(const Node &node, llvm::ArrayRef<ScalarExpr> exprs) const {
  if (node.kind != ScalarExpr::Kind::Apply)
    return std::nullopt;
  unsigned a = node.arguments.front(), b = node.arguments.back();
  if (node.function == ScalarFunction::Abs) {
    if (signs[a].isNonNegative())
      return exprs[a];
    if (signs[a].isNonPositive())
      return ScalarExpr::apply(ScalarFunction::Neg, {exprs[a]});
  }
  if (node.function != ScalarFunction::Max)
    return std::nullopt;
  if (signs[a].isNonNegative() && isAtMostZero(b))
    return exprs[a];
  if (signs[b].isNonNegative() && isAtMostZero(a))
    return exprs[b];
  return std::nullopt;
}

ScalarExpr BodySigns::simplify() {
  std::vector<ScalarExpr> exprs;
  for (const Node &node : piece.body.nodes()) {
    if (std::optional<ScalarExpr> expr = simpler(node, exprs)) {
      exprs.push_back(std::move(*expr));
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

/// The signs of a combination of numbers with signs of a set.
static Signs afterReduction(Signs each, Reduction reduction) {
  bool mayCancel = reduction == Reduction::Sum && each.has(-1) && each.has(1);
  return mayCancel ? Signs::any() : each;
}

/// Calls `visit` with each piece of each value, operands first, and its signs.
/// `Program` may be const.
template <typename Program, typename Visit>
static void forEachPiece(Program &program, Visit visit) {
  std::vector<Signs> signs;
  for (auto &value : program.values) {
    Signs own({});
    if (value.kind == ProgramValue::Kind::Argument)
      own = Signs::any();
    else if (value.pieces.empty())
      own = afterReduction(signs[value.source],
                           value.kind == ProgramValue::Kind::Accumulate
                               ? value.reduction
                               : Reduction::None);
    for (auto &piece : value.pieces) {
      BodySigns body(piece, signs);
      own = own | afterReduction(body.result(), piece.reduction);
      visit(signs.size(), piece, body);
    }
    signs.push_back(own);
  }
}

void mirage::verify::simplifySigns(TensorProgram &program) {
  forEachPiece(program, [](size_t, Piece &piece, BodySigns &body) {
    ScalarExpr simpler = body.simplify();
    if (body.isChanged())
      piece.body = std::move(simpler);
  });
}

/// Is it made with a maximum, a minimum or a magnitude?
static bool hasOrder(const ProgramValue &value,
                     const std::vector<bool> &isOrdered) {
  auto isExtremum = [](Reduction reduction) {
    return reduction == Reduction::Max || reduction == Reduction::Min;
  };
  auto comparesNumbers = [](const ScalarExpr::Node &node) {
    return node.kind == ScalarExpr::Kind::Apply &&
           (node.function == ScalarFunction::Max ||
            node.function == ScalarFunction::Min ||
            node.function == ScalarFunction::Abs);
  };
  if (value.pieces.empty() && value.kind != ProgramValue::Kind::Argument)
    return isOrdered[value.source] ||
           (value.kind == ProgramValue::Kind::Accumulate &&
            isExtremum(value.reduction));
  return llvm::any_of(value.pieces, [&](const Piece &piece) {
    return isExtremum(piece.reduction) ||
           llvm::any_of(piece.body.nodes(), comparesNumbers) ||
           llvm::any_of(piece.operands, [&](const OperandAccess &access) {
             return access.used && isOrdered[access.value];
           });
  });
}

PartialFunctions
mirage::verify::findPartialFunctions(const TensorProgram &program) {
  PartialFunctions result;
  result.values.assign(program.values.size(), false);
  std::vector<bool> isOrdered;
  for (const ProgramValue &value : program.values)
    isOrdered.push_back(hasOrder(value, isOrdered));
  forEachPiece(program, [&](size_t number, const Piece &, BodySigns &body) {
    bool isQuotient = isOrdered[number] && body.hasPartialQuotient();
    result.hasQuotients |= isQuotient;
    if (isQuotient || body.hasPartialFunction(isOrdered[number]))
      result.values[number] = true;
  });
  return result;
}
