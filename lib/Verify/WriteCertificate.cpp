//===- WriteCertificate.cpp - Normal forms as claims ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WriteCertificate.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::verify;
using mugraph::TileIndex;
namespace json = llvm::json;

namespace {

class Writer {
public:
  explicit Writer(const DigitContext &digits)
      : digits(digits), context(digits.exprs()) {}

  json::Object claim(const SymbolicTensor &tensor);
  json::Object program(SymbolicRun &run);
  json::Array takeNodes() { return std::move(nodes); }
  json::Array takeLabels() { return std::move(labelSizes); }

private:
  int64_t label(LabelId id);
  json::Array list(llvm::ArrayRef<LabelId> labels);
  json::Array lists(llvm::ArrayRef<LabelList> dims);
  int64_t formula(ExprId e);
  int64_t atom(AtomId id);
  /// The one atom of a condition.
  AtomId atomOf(ExprId condition) const {
    const Term &term = context.expr(condition).terms.front();
    return context.monomial(term.monomial).factors.front().atom;
  }
  json::Array index(const IndexForm &form, llvm::ArrayRef<LabelId> labels);
  json::Object access(const Atom &atom);
  json::Object term(const Term &term);
  json::Object maximum(const Atom &atom);
  int64_t append(json::Object node) {
    nodes.push_back(std::move(node));
    return nodes.size() - 1;
  }

  const DigitContext &digits;
  const ExprContext &context;
  json::Array nodes, labelSizes;
  std::map<LabelId, int64_t> labelNumbers;
  std::map<ExprId, int64_t> formulas;
  std::map<AtomId, int64_t> atoms;
};

} // namespace

int64_t Writer::label(LabelId id) {
  auto [it, isNew] = labelNumbers.try_emplace(id, labelSizes.size());
  if (isNew)
    labelSizes.push_back(context.size(id));
  return it->second;
}

json::Array Writer::list(llvm::ArrayRef<LabelId> labels) {
  json::Array result;
  for (LabelId id : labels)
    result.push_back(label(id));
  return result;
}

json::Array Writer::lists(llvm::ArrayRef<LabelList> dims) {
  json::Array result;
  for (const LabelList &dim : dims)
    result.push_back(list(dim));
  return result;
}

/// The offset, then label and stride of each digit.
json::Array Writer::index(const IndexForm &form,
                          llvm::ArrayRef<LabelId> labels) {
  json::Array result{form.offset};
  for (auto [id, stride] : llvm::zip_equal(labels, form.strides)) {
    result.push_back(label(id));
    result.push_back(stride);
  }
  return result;
}

json::Object Writer::access(const Atom &atom) {
  const AccessForm &form = digits.form(atom);
  llvm::ArrayRef<LabelId> labels = atom.labels;
  if (DigitContext::isIndicator(form))
    return json::Object{{"below", form.dims.front().extent},
                        {"at", index(form.dims.front(), labels)}};
  json::Array indices;
  for (const IndexForm &dim : form.dims) {
    indices.push_back(index(dim, labels.take_front(dim.strides.size())));
    labels = labels.drop_front(dim.strides.size());
  }
  return json::Object{{"read", form.tensor}, {"at", std::move(indices)}};
}

static llvm::StringRef functionName(uint32_t symbol) {
  if (symbol == ExprContext::expFunction)
    return stringify(mugraph::ScalarFunction::Exp);
  if (symbol > 1 + static_cast<uint32_t>(mugraph::ScalarFunction::Erf))
    return "mask"; // outside a maximum it is no function
  return stringify(mugraph::ScalarFunction(symbol - 1));
}

/// The operand of a maximum may be a mask.
json::Object Writer::maximum(const Atom &maximum) {
  llvm::SmallVector<ExprId> masks;
  ExprId operand = digits.takeMasks(maximum.arguments[0], masks);
  json::Array where;
  for (ExprId mask : masks)
    where.push_back(atom(atomOf(mask)));
  return json::Object{{"max", formula(operand)},
                      {"over", list(maximum.labels)},
                      {"where", std::move(where)}};
}

int64_t Writer::atom(AtomId id) {
  if (auto it = atoms.find(id); it != atoms.end())
    return it->second;
  const Atom &atom = context.atom(id);
  json::Object node;
  switch (atom.kind) {
  case AtomKind::Access:
    node = access(atom);
    break;
  case AtomKind::Function: {
    json::Array operands;
    for (ExprId argument : atom.arguments)
      operands.push_back(formula(argument));
    node = json::Object{{"apply", functionName(atom.symbol)},
                        {"to", std::move(operands)}};
    break;
  }
  case AtomKind::Sum:
    node = json::Object{{"group", formula(atom.arguments[0])}};
    break;
  case AtomKind::Extremum:
    node = maximum(atom);
    break;
  }
  return atoms[id] = append(std::move(node));
}

json::Object Writer::term(const Term &term) {
  const Monomial &monomial = context.monomial(term.monomial);
  Rational rational = term.coefficient.rationalPart();
  json::Object result{
      {"scale", json::Array{rational.numerator(), rational.denominator()}},
      {"over", list(monomial.bound)}};
  json::Array roots, factors;
  for (const Coefficient::Radical &radical : term.coefficient.radicalPart())
    roots.push_back(json::Array{radical.base, radical.exponent.numerator(),
                                radical.exponent.denominator()});
  if (!roots.empty())
    result["roots"] = std::move(roots);
  for (const Factor &factor : monomial.factors)
    factors.push_back(json::Array{atom(factor.atom),
                                  factor.exponent.numerator(),
                                  factor.exponent.denominator()});
  result["factors"] = std::move(factors);
  return result;
}

int64_t Writer::formula(ExprId e) {
  if (auto it = formulas.find(e); it != formulas.end())
    return it->second;
  json::Array terms;
  for (const Term &summand : context.expr(e).terms)
    terms.push_back(term(summand));
  return formulas[e] = append(json::Object{{"terms", std::move(terms)}});
}

json::Object Writer::claim(const SymbolicTensor &tensor) {
  json::Array cases;
  for (const GuardedExpr &entry : tensor.cases) {
    json::Array conditions;
    for (ExprId condition : entry.where)
      conditions.push_back(atom(atomOf(condition)));
    cases.push_back(json::Object{{"where", std::move(conditions)},
                                 {"is", formula(entry.element)}});
  }
  return json::Object{{"dims", lists(tensor.dims)},
                      {"cases", std::move(cases)}};
}

json::Object Writer::program(SymbolicRun &run) {
  json::Array graphs, values;
  for (auto [number, graph] : llvm::enumerate(run.tensorProgram().graphs)) {
    json::Array grid, loops;
    for (unsigned dim = 0; dim < 3; ++dim)
      grid.push_back(list(run.digitsOf(number, TileIndex::grid(dim))));
    for (unsigned loop = 0; loop < graph.loops.size(); ++loop)
      loops.push_back(list(run.digitsOf(number, TileIndex::loop(loop))));
    graphs.push_back(
        json::Object{{"grid", std::move(grid)}, {"loops", std::move(loops)}});
  }
  for (const SymbolicTensor &tensor : run.allValues())
    values.push_back(claim(tensor));
  return json::Object{{"graphs", std::move(graphs)},
                      {"values", std::move(values)}};
}

json::Object
mirage::verify::writeCertificate(const DigitContext &digits, SymbolicRun &spec,
                                 SymbolicRun &candidate,
                                 llvm::ArrayRef<SymbolicTensor> results) {
  Writer writer(digits);
  json::Object certificate;
  certificate["spec"] = writer.program(spec);
  certificate["candidate"] = writer.program(candidate);
  json::Array claims;
  for (const SymbolicTensor &result : results)
    claims.push_back(writer.claim(result));
  certificate["results"] = std::move(claims);
  certificate["nodes"] = writer.takeNodes();
  certificate["labels"] = writer.takeLabels();
  return certificate;
}
