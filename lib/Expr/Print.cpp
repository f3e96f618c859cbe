//===- Print.cpp - Expressions as text ------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Expr/Expression.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mirage;

std::string ExprContext::labelName(LabelId id) const {
  if (id == noLabel)
    return "_";
  const Label &l = labels[id];
  if (l.height == 0)
    return "i" + std::to_string(id);
  return "b" + std::to_string(l.height) + "." + std::to_string(l.number) + ":" +
         std::to_string(l.size);
}

std::string ExprContext::str(const Monomial &m) const {
  auto list = [&](llvm::ArrayRef<LabelId> ids) {
    return llvm::join(
        llvm::map_range(ids, [&](LabelId id) { return labelName(id); }), ",");
  };
  std::string text;
  if (!m.bound.empty())
    text += "S{" + list(m.bound) + "} ";
  for (const Factor &factor : m.factors) {
    const Atom &a = atoms[factor.atom];
    std::string arguments = llvm::join(
        llvm::map_range(a.arguments, [&](ExprId e) { return str(e); }), ", ");
    switch (a.kind) {
    case AtomKind::Access:
      text += "T" + std::to_string(a.symbol) + "[" + list(a.labels) + "]";
      break;
    case AtomKind::Function:
      text += (a.symbol == expFunction ? std::string("exp")
                                       : "f" + std::to_string(a.symbol)) +
              "(" + arguments + ")";
      break;
    case AtomKind::Sum:
      text += "(" + arguments + ")";
      break;
    case AtomKind::Extremum:
      text += (a.symbol == uint32_t(ExtremumKind::Max) ? "max{" : "min{") +
              list(a.labels) + "}(" + arguments + ")";
      break;
    }
    if (!factor.exponent.isOne()) {
      text += "^" + std::to_string(factor.exponent.numerator());
      if (!factor.exponent.isInteger())
        text += "/" + std::to_string(factor.exponent.denominator());
    }
    text += " ";
  }
  if (!text.empty())
    text.pop_back();
  return text;
}

std::string ExprContext::str(ExprId e) const {
  if (e == zeroId)
    return "0";
  std::string text;
  for (const Term &term : exprs[e].terms) {
    if (!text.empty())
      text += " + ";
    std::string factors = str(monomials[term.monomial]);
    if (!term.coefficient.isOne() || factors.empty())
      text += llvm::formatv("{0}", term.coefficient.toDouble()).str() +
              (factors.empty() ? "" : " ");
    text += factors;
  }
  return text;
}
