//===- Saturate.cpp - Find all useful values ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Values.h"

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

namespace {
/// A non-linear step of the program, to be applied to every value that is its
/// argument (up to scale and factors exp(-max)).
struct Ask {
  Rule rule; ///< Power, Function or Extremum.
  ExprId argument;
  Rational exponent = 1;
  uint32_t symbol = 0;
  LabelId label = noLabel;
  bool isUnsafe = false;
};

/// A value times a number.
struct Scaled {
  ValueId value = 0;
  Coefficient scale;
};

class Saturation {
public:
  Saturation(Segment segment, ExprContext &context,
             const SaturateOptions &options)
      : context(context), evaluator(context), useful(context),
        options(options) {
    graph.segment = std::move(segment);
  }

  std::optional<ValueGraph> run(std::string &reason);

private:
  // Import.
  bool importProgram(std::string &reason);
  bool importOp(const Op &op, const LabelList &labels);
  std::optional<Scaled> importNode(const ScalarNode &node,
                                   llvm::ArrayRef<Scaled> nodes,
                                   llvm::ArrayRef<Scaled> operands);
  std::optional<Scaled> importReduction(Scaled value, Reduction reduction,
                                        llvm::ArrayRef<LabelId> labels);
  void boundExponentials();
  void addGoal(ExprId e);

  // Values.
  ExprId exprOf(const Scaled &s) {
    return context.scale(graph.values[s.value].expr, s.scale);
  }
  std::optional<Scaled> lookup(ExprId e);
  std::optional<Scaled> insert(ExprId e);
  std::optional<Scaled> derive(ExprId e, Derivation derivation,
                               bool always = false);
  bool addDerivation(ValueId value, Derivation derivation);

  // Rules, as written.
  std::optional<Scaled> multiply(Scaled a, Scaled b, bool always);
  std::optional<Scaled> addScaled(Scaled a, Scaled b, bool always);
  std::optional<Scaled> apply(const Ask &ask, Scaled argument, bool always);
  std::optional<Scaled> sum(Scaled value, LabelId label, bool always);

  // Closure.
  void close();
  void expand(ValueId value);
  void applyAsks(ValueId value);
  void combine(ValueId a, ValueId b);
  bool mayMultiply(ValueId a, ValueId b);
  uint64_t heads(ExprId e);
  void addContractions();
  void addSoftmax();
  void addSoftmaxOf(ValueId value, const Derivation &derivation);
  std::optional<Scaled> boundedScores(ValueId power, LabelId label);

  bool isFull() {
    bool full = graph.values.size() >= options.maxValues ||
                graph.tested >= options.maxTested || options.isOutOfTime();
    graph.isComplete &= !full;
    return full;
  }

  ExprContext &context;
  Evaluator evaluator;
  Usefulness useful;
  SaturateOptions options;
  ValueGraph graph;
  std::map<Fingerprint, ValueId> byFingerprint;
  std::map<ExprId, std::optional<Scaled>> byExpr;
  std::vector<Scaled> tensorValues;
  std::vector<Ask> asks;
  LabelList summed; ///< labels that some op sums over.
  std::map<ExprId, uint64_t> headsOf;
};
} // namespace

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
    if (!always && useful.find(e).empty()) {
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
// Import
//===----------------------------------------------------------------------===//

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
    Derivation derivation{Rule::Function, {}, {}};
    derivation.symbol = node.function;
    for (unsigned i = 0; i < node.arguments.size(); ++i) {
      Scaled value = argument(i);
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
    auto value = insert(context.access(tensor.tensor, tensor.labels));
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

// exp(a + m) under a sum over j becomes exp(a - max_j a), where m is what does
// not depend on j; the unbounded form stays as the last resort.
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
      ask.isUnsafe = true;
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
