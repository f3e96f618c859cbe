//===- Saturate.cpp - Find all useful values ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Saturation.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace mirage;
using namespace mirage::search;

llvm::StringRef search::stringify(Rule rule) {
  static constexpr llvm::StringLiteral names[] = {
      "input",           "constant", "multiply", "add",      "power",
      "function",        "sum",      "contract", "extremum", "softmax_sum",
      "softmax_contract"};
  return names[unsigned(rule)];
}

// Terms of a goal with powers of sums multiplied out; larger ones are left.
static constexpr size_t maxExpandedGoal = 3;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

// The value that `e` is a multiple of, if it is there.
std::optional<Scaled> Saturation::lookup(ExprId e) {
  if (auto it = byExpr.find(e); it != byExpr.end())
    return it->second;
  std::optional<Fingerprint> print = evaluator.fingerprint(e);
  if (!print)
    return std::nullopt;
  auto it = byFingerprint.find(*print);
  if (it == byFingerprint.end())
    return std::nullopt;
  std::optional<Scaled> result;
  if (auto ratio = evaluator.ratio(e, graph.values[it->second].expr))
    result = Scaled{it->second, *ratio};
  return byExpr[e] = result;
}

std::optional<Scaled> Saturation::insert(ExprId e) {
  if (context.isZero(e))
    return std::nullopt;
  if (auto found = lookup(e))
    return found;
  auto [normal, scale] = context.normalizeScale(e);
  std::optional<Fingerprint> print = evaluator.fingerprint(normal);
  if (!print || byFingerprint.count(*print))
    return std::nullopt;
  ValueId id = graph.values.size();
  byFingerprint[*print] = id;
  graph.values.push_back({normal, {}});
  return byExpr[e] = Scaled{id, scale};
}

static bool sameDerivation(const Derivation &a, const Derivation &b) {
  return a.rule == b.rule && a.operands == b.operands && a.label == b.label &&
         a.exponent == b.exponent && a.symbol == b.symbol;
}

bool Saturation::addDerivation(ValueId id, Derivation derivation) {
  Value &value = graph.values[id];
  bool known = llvm::any_of(value.derivations, [&](const Derivation &other) {
    return sameDerivation(other, derivation);
  });
  if (known || llvm::is_contained(derivation.operands, id))
    return false;
  value.derivations.push_back(std::move(derivation));
  ++graph.numDerivations;
  return true;
}

// Records that `e` comes from `derivation`, if it is useful (or `always`).
std::optional<Scaled> Saturation::derive(ExprId e, Derivation derivation,
                                         bool always) {
  if (!context.isValid() || context.isZero(e))
    return std::nullopt;
  std::optional<Scaled> found = lookup(e);
  if (!found) {
    ++graph.tested;
    if (!always && options.testUsefulness && useful.find(e).empty()) {
      ++graph.rejected;
      return std::nullopt;
    }
    found = insert(e);
  }
  if (!found)
    return std::nullopt;
  derivation.resultScale = found->scale;
  derivation.isWritten = always;
  addDerivation(found->value, std::move(derivation));
  return found;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

std::optional<Scaled> Saturation::multiply(Scaled a, Scaled b, bool always) {
  if (a.value > b.value)
    std::swap(a, b);
  ExprId product =
      context.multiply(graph.values[a.value].expr, graph.values[b.value].expr);
  Derivation derivation{Rule::Multiply, {a.value, b.value}, {1, 1}};
  auto result = derive(product, std::move(derivation), always);
  if (result)
    result->scale = result->scale * a.scale * b.scale;
  return result;
}

std::optional<Scaled> Saturation::addScaled(Scaled a, Scaled b, bool always) {
  if (a.value > b.value)
    std::swap(a, b);
  ExprId total = context.add(exprOf(a), exprOf(b));
  return derive(total, {Rule::Add, {a.value, b.value}, {a.scale, b.scale}},
                always);
}

std::optional<Scaled> Saturation::apply(const Ask &ask, Scaled argument,
                                        bool always) {
  ExprId e = exprOf(argument), result;
  switch (ask.rule) {
  case Rule::Power:
    result = context.power(e, ask.exponent);
    break;
  case Rule::Function:
    result = context.function(ask.symbol, {e});
    break;
  default:
    result = context.extremum(ExtremumKind(ask.symbol), e, {ask.label});
    break;
  }
  Derivation derivation{ask.rule, {argument.value}, {argument.scale}};
  derivation.exponent = ask.exponent;
  derivation.symbol = ask.symbol;
  derivation.label = ask.label;
  derivation.isUnsafe = ask.isUnsafe;
  return derive(result, std::move(derivation), always);
}

std::optional<Scaled> Saturation::sum(Scaled value, LabelId label,
                                      bool always) {
  const ExprId e = graph.values[value.value].expr;
  Derivation derivation{Rule::Sum, {value.value}, {1}};
  derivation.label = label;
  auto result = derive(context.sum(e, {label}), std::move(derivation), always);
  if (result)
    result->scale = result->scale * value.scale;
  return result;
}

//===----------------------------------------------------------------------===//
// Closure
//===----------------------------------------------------------------------===//

void Saturation::applyAsks(ValueId id) {
  ExprId expr = graph.values[id].expr;
  ExprId stripped = useful.strip(expr);
  for (size_t i = 0; i < asks.size() && !isFull(); ++i) {
    const Ask ask = asks[i];
    if (auto scale = evaluator.ratio(ask.argument, expr)) {
      apply(ask, {id, *scale}, false);
      continue;
    }
    if (ask.rule != Rule::Power)
      continue;
    // A power of the same thing, but for a factor exp(max).
    ExprId wanted = useful.strip(ask.argument);
    if (wanted != ask.argument || stripped != expr)
      if (auto scale = evaluator.ratio(wanted, stripped))
        apply(ask, {id, *scale}, false);
  }
}

// One bit for each kind of factor of the first term.
uint64_t Saturation::heads(ExprId e) {
  auto [it, isNew] = headsOf.try_emplace(e, 0);
  if (!isNew || context.isZero(e))
    return it->second;
  uint64_t bits = 0;
  const Monomial &first =
      context.monomial(context.expr(e).terms.front().monomial);
  for (const Factor &factor : first.factors) {
    const Atom &atom = context.atom(factor.atom);
    bits |= uint64_t{1} << (field::mix(unsigned(atom.kind), atom.symbol) % 64);
  }
  return headsOf[e] = bits;
}

// A necessary condition: the factors of one are left where the other occurs.
bool Saturation::mayMultiply(ValueId a, ValueId b) {
  uint64_t wanted = heads(useful.strip(graph.values[b].expr));
  return llvm::any_of(useful.find(graph.values[a].expr),
                      [&](const Occurrence &occurrence) {
                        return (wanted & ~heads(occurrence.quotient)) == 0;
                      });
}

void Saturation::combine(ValueId a, ValueId b) {
  if (isFull())
    return;
  if (!options.testUsefulness) {
    multiply({a, 1}, {b, 1}, false);
    addScaled({a, 1}, {b, 1}, false);
    return;
  }
  if (a != 0 && b != 0 && mayMultiply(a, b))
    multiply({a, 1}, {b, 1}, false);
  // Sums: equal quotients, different terms.
  auto left = useful.find(graph.values[a].expr);
  auto right = useful.find(graph.values[b].expr);
  for (const Occurrence &x : left)
    for (const Occurrence &y : right) {
      bool fits = x.context == y.context && x.quotient == y.quotient &&
                  x.labels == y.labels && (x.terms & y.terms) == 0;
      if (fits && a != b && !isFull())
        addScaled({a, x.scale}, {b, y.scale}, false);
    }
}

void Saturation::expand(ValueId id) {
  applyAsks(id);
  LabelList free = context.expr(graph.values[id].expr).free;
  for (LabelId label : free)
    if (!isFull())
      sum({id, 1}, label, false);
  for (ValueId other = 0; other <= id && !isFull(); ++other)
    combine(id, other);
}

void Saturation::close() {
  // Values that the program names are useful as contexts of themselves.
  for (const Ask &ask : asks)
    addGoal(ask.argument);
  for (ValueId id = 0; id < graph.values.size() && !isFull(); ++id)
    expand(id);
}

// As written, and multiplied out where that stays small: x - mean(x) divides
// the first form of a variance and x^2 the second.
void Saturation::addGoal(ExprId e) {
  useful.addContext(e);
  ExprId expanded = context.expandPowers(e);
  if (context.expr(expanded).terms.size() <= maxExpandedGoal)
    useful.addContext(expanded);
}

std::optional<ValueGraph> Saturation::run(std::string &reason) {
  if (!importProgram(reason))
    return std::nullopt;
  boundExponentials();
  close();
  addContractions();
  addSoftmax();
  if (!context.isValid()) {
    reason = "an exact number does not fit 64 bits";
    return std::nullopt;
  }
  return std::move(graph);
}

std::optional<ValueGraph> search::saturate(Segment segment,
                                           ExprContext &context,
                                           const SaturateOptions &options,
                                           std::string &reason) {
  return Saturation(std::move(segment), context, options).run(reason);
}
