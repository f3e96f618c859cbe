//===- ImportValues.cpp - The values that a program computes itself -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The program's own steps as first values of a saturation. What they apply
// powers, functions and extrema to is noted, to be asked of other values.

#include "Saturation.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace mirage;
using namespace mirage::search;

std::optional<Scaled> Saturation::importNode(const ScalarNode &node,
                                             llvm::ArrayRef<Scaled> nodes,
                                             llvm::ArrayRef<Scaled> operands) {
  auto argument = [&](unsigned i) { return nodes[node.arguments[i]]; };
  switch (node.kind) {
  case ScalarNode::Kind::Operand:
    return operands[node.operand];
  case ScalarNode::Kind::Constant:
    return Scaled{0, node.constant};
  case ScalarNode::Kind::Add: {
    Scaled a = argument(0), b = argument(1);
    if (a.scale.isZero())
      return b;
    if (b.scale.isZero())
      return a;
    if (a.value == b.value)
      if (auto scale = a.scale.plus(b.scale))
        return Scaled{a.value, *scale};
    return addScaled(a, b, /*always=*/true);
  }
  case ScalarNode::Kind::Multiply: {
    Scaled a = argument(0), b = argument(1);
    if (a.value == 0)
      return Scaled{b.value, a.scale * b.scale};
    if (b.value == 0)
      return Scaled{a.value, a.scale * b.scale};
    return multiply(a, b, /*always=*/true);
  }
  case ScalarNode::Kind::Power:
  case ScalarNode::Kind::Exp: {
    Scaled base = argument(0);
    bool isPower = node.kind == ScalarNode::Kind::Power;
    if (isPower && base.value == 0)
      return Scaled{0, base.scale.power(node.constant)};
    Ask ask{isPower ? Rule::Power : Rule::Function, exprOf(base),
            isPower ? node.constant : Rational(1)};
    asks.push_back(ask);
    return apply(ask, base, /*always=*/true);
  }
  case ScalarNode::Kind::Function: {
    llvm::SmallVector<ExprId, 2> exprs;
    llvm::SmallVector<Scaled, 2> values;
    for (unsigned i = 0; i < node.arguments.size(); ++i)
      values.push_back(argument(i));
    if (node.function == maximumFunction)
      llvm::sort(values, [&](const Scaled &a, const Scaled &b) {
        return exprOf(a) < exprOf(b);
      });
    Derivation derivation{Rule::Function, {}, {}};
    derivation.symbol = node.function;
    for (const Scaled &value : values) {
      exprs.push_back(exprOf(value));
      derivation.operands.push_back(value.value);
      derivation.scales.push_back(value.scale);
      addGoal(exprs.back());
    }
    if (exprs.size() == 1)
      asks.push_back({Rule::Function, exprs[0], 1, node.function});
    return derive(context.function(node.function, exprs), std::move(derivation),
                  true);
  }
  }
  return std::nullopt;
}

std::optional<Scaled>
Saturation::importReduction(Scaled value, Reduction reduction,
                            llvm::ArrayRef<LabelId> labels) {
  std::optional<Scaled> result = value;
  for (LabelId label : labels) {
    if (!result || label == noLabel)
      continue;
    bool depends = llvm::is_contained(
        context.expr(graph.values[result->value].expr).free, label);
    if (reduction == Reduction::Sum) {
      if (!llvm::is_contained(summed, label))
        summed.push_back(label);
      if (depends)
        result = sum(*result, label, /*always=*/true);
      else
        result->scale = result->scale * Coefficient(context.size(label));
      continue;
    }
    if (!depends)
      continue;
    Ask ask{Rule::Extremum, exprOf(*result), 1,
            uint32_t(reduction == Reduction::Max ? ExtremumKind::Max
                                                 : ExtremumKind::Min),
            label};
    asks.push_back(ask);
    result = apply(ask, *result, /*always=*/true);
  }
  return result;
}

bool Saturation::importOp(const Op &op, const LabelList &labels) {
  llvm::SmallVector<Scaled, 2> operands;
  for (TensorId operand : op.operands)
    operands.push_back(tensorValues[operand]);
  std::vector<Scaled> nodes;
  for (const ScalarNode &node : op.body) {
    std::optional<Scaled> value = importNode(node, nodes, operands);
    if (!value || !value->scale.isValid())
      return false;
    nodes.push_back(*value);
  }
  LabelList reduced;
  for (unsigned dim = 0; dim < op.extents.size(); ++dim)
    if (!llvm::is_contained(op.resultDims, int(dim)))
      reduced.push_back(labels[dim]);
  std::optional<Scaled> result =
      importReduction(nodes.back(), op.reduction, reduced);
  if (!result)
    return false;
  tensorValues[op.result] = *result;
  return true;
}

bool Saturation::importProgram(std::string &reason) {
  const Segment &segment = graph.segment;
  insert(context.one());
  addDerivation(0, {Rule::Constant, {}, {}});
  tensorValues.resize(segment.tensors.size());
  for (uint32_t input : segment.inputs) {
    const SegmentTensor &tensor = segment.tensors[input];
    auto value = insert(context.access(tensor.symbol, tensor.labels));
    if (!value) {
      reason = "an input is not a value";
      return false;
    }
    Derivation derivation{Rule::Input, {}, {}};
    derivation.symbol = input;
    addDerivation(value->value, std::move(derivation));
    tensorValues[input] = *value;
  }
  for (auto [op, labels] : llvm::zip(segment.ops, segment.opLabels))
    if (!importOp(op, labels) || !context.isValid()) {
      reason = "op " + std::to_string(op.source) +
               " has a value that is zero or not exact";
      return false;
    }
  for (uint32_t output : segment.outputs) {
    Scaled value = tensorValues[output];
    graph.outputs.push_back({value.value, value.scale});
    addGoal(exprOf(value));
  }
  return true;
}

// Whether `e` is `least` or a maximum of it and others.
bool Saturation::isAtLeast(ExprId e, ExprId least) const {
  if (e == least)
    return true;
  const Expr &sum = context.expr(e);
  if (sum.terms.size() != 1 || !sum.terms[0].coefficient.isOne())
    return false;
  const Monomial &product = context.monomial(sum.terms[0].monomial);
  if (!product.bound.empty() || product.factors.size() != 1 ||
      !product.factors[0].exponent.isOne())
    return false;
  const Atom &atom = context.atom(product.factors[0].atom);
  return atom.kind == AtomKind::Function && atom.symbol == maximumFunction &&
         llvm::any_of(atom.arguments, [&](ExprId argument) {
           return isAtLeast(argument, least);
         });
}

// exp(a + m) under a sum over j becomes exp(a - max_j a), where m is what does
// not depend on j; the unbounded form stays as the last resort. Where -m is the
// maximum of that and others, both forms are safe and one is the other times
// exp(max_j a + m).
void Saturation::boundExponentials() {
  std::vector<Ask> bounded;
  for (Ask &ask : asks) {
    if (ask.rule != Rule::Function || ask.symbol != ExprContext::expFunction)
      continue;
    const Expr argument = context.expr(ask.argument);
    for (LabelId label : summed) {
      if (!llvm::is_contained(argument.free, label))
        continue;
      ExprId inner = context.zero();
      for (const Term &term : argument.terms)
        if (llvm::is_contained(context.monomial(term.monomial).free, label))
          inner = context.add(inner, context.fromTerm(term));
      ExprId maximum = context.extremum(ExtremumKind::Max, inner, {label});
      ExprId safe = context.subtract(inner, maximum);
      if (safe == ask.argument)
        continue;
      ExprId difference =
          context.add(maximum, context.subtract(ask.argument, inner));
      ExprId shift = context.subtract(inner, ask.argument);
      if (isAtLeast(shift, maximum)) {
        useful.addContext(difference);
        bounded.push_back(
            {Rule::Function, difference, 1, ExprContext::expFunction});
      } else {
        ask.isUnsafe = true;
      }
      useful.addContext(inner);
      useful.addContext(maximum);
      useful.addContext(safe);
      bounded.push_back(
          {Rule::Extremum, inner, 1, uint32_t(ExtremumKind::Max), label});
      bounded.push_back({Rule::Function, safe, 1, ExprContext::expFunction});
    }
  }
  asks.insert(asks.end(), bounded.begin(), bounded.end());
  // What was imported before its ask was known to be unsafe.
  for (Value &value : graph.values)
    for (Derivation &derivation : value.derivations)
      for (const Ask &ask : asks)
        if (ask.isUnsafe && derivation.rule == Rule::Function &&
            derivation.symbol == ExprContext::expFunction &&
            context.scale(graph.values[derivation.operands[0]].expr,
                          derivation.scales[0]) == ask.argument)
          derivation.isUnsafe = true;
}
