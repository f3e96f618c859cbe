//===- ComposeSums.cpp - Sums as matrix products and softmax sums ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Derivations that take two steps at once: a sum of products as a contraction,
// sums weighted with exp(s - max s) by the softmax monoid.

#include "Saturation.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace mirage;
using namespace mirage::search;

// S_l (a b) without the product, where a matrix product can do it.
void Saturation::addContractions() {
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    auto derivations = graph.values[id].derivations;
    for (const Derivation &outer : derivations) {
      if (outer.rule != Rule::Sum)
        continue;
      auto products = graph.values[outer.operands[0]].derivations;
      for (const Derivation &inner : products) {
        if (inner.rule != Rule::Multiply ||
            inner.operands[0] == inner.operands[1])
          continue;
        bool inBoth = llvm::all_of(inner.operands, [&](ValueId operand) {
          return llvm::is_contained(
              context.expr(graph.values[operand].expr).free, outer.label);
        });
        if (!inBoth)
          continue;
        Derivation contraction{Rule::Contract, inner.operands, {1, 1}};
        contraction.label = outer.label;
        contraction.resultScale = outer.resultScale * inner.resultScale;
        contraction.isWritten = outer.isWritten && inner.isWritten;
        addDerivation(id, std::move(contraction));
      }
    }
  }
}

// If `power` is exp(s - max_label s): s, as value and factor.
std::optional<Scaled> Saturation::boundedScores(ValueId power, LabelId label) {
  for (const Derivation &outer : graph.values[power].derivations) {
    if (outer.rule != Rule::Function ||
        outer.symbol != ExprContext::expFunction || outer.isUnsafe)
      continue;
    for (const Derivation &inner :
         graph.values[outer.operands[0]].derivations) {
      if (inner.rule != Rule::Add)
        continue;
      Coefficient factor = outer.scales[0] / inner.resultScale;
      for (unsigned i : {0u, 1u}) {
        Scaled scores{inner.operands[i], inner.scales[i] * factor};
        Scaled rest{inner.operands[1 - i], -(inner.scales[1 - i] * factor)};
        ExprId maximum =
            context.extremum(ExtremumKind::Max, exprOf(scores), {label});
        if (maximum == exprOf(rest) && maximum != exprOf(scores))
          return scores;
      }
    }
  }
  return std::nullopt;
}

void Saturation::addSoftmaxOf(ValueId id, const Derivation &derivation) {
  bool isSum = derivation.rule == Rule::Sum;
  if (!isSum && derivation.rule != Rule::Contract)
    return;
  for (unsigned i = 0; i < derivation.operands.size(); ++i) {
    auto scores = boundedScores(derivation.operands[i], derivation.label);
    if (!scores)
      continue;
    Derivation softmax = derivation;
    softmax.rule = isSum ? Rule::SoftmaxSum : Rule::SoftmaxContract;
    softmax.operands = {scores->value};
    softmax.scales = {scores->scale};
    if (!isSum) {
      softmax.operands.push_back(derivation.operands[1 - i]);
      softmax.scales.push_back(1);
    }
    // exp(..) is a value of scale 1: exp of something has coefficient 1.
    addDerivation(id, std::move(softmax));
  }
}

void Saturation::addSoftmax() {
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    auto derivations = graph.values[id].derivations;
    for (const Derivation &derivation : derivations)
      addSoftmaxOf(id, derivation);
  }
}
