//===- Saturation.h - The state of a saturation -----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_SATURATION_H
#define MIRAGE_LIB_SEARCH_SATURATION_H

#include "mirage/Search/Values.h"

namespace mirage::search {

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
  bool isAtLeast(ExprId e, ExprId least) const;
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
    bool isLimited = options.testUsefulness;
    bool full = (isLimited && (graph.values.size() >= options.maxValues ||
                               graph.tested >= options.maxTested)) ||
                options.isOutOfTime();
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

} // namespace mirage::search

#endif // MIRAGE_LIB_SEARCH_SATURATION_H
