//===- SaturateTest.cpp - Tests of saturation -----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramBuilder.h"
#include "mirage/Search/Values.h"

#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace mirage;
using namespace mirage::search;

namespace {
struct Saturated {
  ExprContext context;
  std::optional<ValueGraph> graph;
  std::string reason;

  explicit Saturated(const Program &program) {
    auto segment = makeSegment(program, 0, program.numSources, context, reason);
    if (segment)
      graph = saturate(std::move(*segment), context, {}, reason);
  }
  bool hasRule(ValueId value, Rule rule) {
    return llvm::any_of(graph->values[value].derivations,
                        [&](const Derivation &d) { return d.rule == rule; });
  }
};
} // namespace

TEST(Saturate, NormBehindMatmul) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), w = b.input(4096, 6144);
  b.output(b.matmul(b.rmsNorm(x), w));
  Saturated s(b.program);
  ASSERT_TRUE(s.graph) << s.reason;
  // (x w) * rsqrt: a product, although the program has none at its end.
  EXPECT_TRUE(s.hasRule(s.graph->outputs[0].first, Rule::Multiply));
  EXPECT_TRUE(s.hasRule(s.graph->outputs[0].first, Rule::Contract));
  EXPECT_LT(s.graph->values.size(), 20u);
  EXPECT_TRUE(s.graph->isComplete);
}

TEST(Saturate, LayerNormAndLinear) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), w = b.input(4096, 6144);
  TensorId gamma = b.input(1, 4096), beta = b.input(1, 4096);
  TensorId n = b.layerNorm(x, Rational::get(1, 100000));
  b.output(b.matmul(b.addition(b.multiply(n, gamma), beta), w));
  Saturated s(b.program);
  ASSERT_TRUE(s.graph) << s.reason;
  // The variance from S x^2 and S x: a difference of sums over the row.
  bool hasOnePass = false;
  for (const Value &value : s.graph->values)
    for (const Derivation &d : value.derivations)
      hasOnePass |= d.rule == Rule::Add && !d.isWritten &&
                    s.context.expr(value.expr).free.size() == 1;
  EXPECT_TRUE(hasOnePass);
  EXPECT_TRUE(s.graph->isComplete);
}

TEST(Saturate, SafeSoftmaxBehindMatmul) {
  ProgramBuilder b;
  TensorId q = b.input(256, 64), k = b.input(64, 4096), v = b.input(4096, 64);
  b.output(b.matmul(b.softmax(b.matmul(q, k)), v));
  Saturated s(b.program);
  ASSERT_TRUE(s.graph) << s.reason;
  bool hasMonoid = false;
  for (ValueId id = 0; id < s.graph->values.size(); ++id)
    hasMonoid |= s.hasRule(id, Rule::SoftmaxContract);
  EXPECT_TRUE(hasMonoid);
}

TEST(Saturate, PlainSoftmaxGetsItsMaximum) {
  ProgramBuilder b;
  TensorId q = b.input(256, 64), k = b.input(64, 4096), v = b.input(4096, 64);
  TensorId e = b.exp(b.matmul(q, k));
  b.output(b.matmul(b.divide(e, b.reduce(e, Reduction::Sum)), v));
  Saturated s(b.program);
  ASSERT_TRUE(s.graph) << s.reason;
  bool hasMonoid = false, hasUnsafe = false;
  for (ValueId id = 0; id < s.graph->values.size(); ++id) {
    hasMonoid |= s.hasRule(id, Rule::SoftmaxContract);
    for (const Derivation &d : s.graph->values[id].derivations)
      hasUnsafe |= d.isUnsafe;
  }
  EXPECT_TRUE(hasMonoid);
  EXPECT_TRUE(hasUnsafe);
}

TEST(Saturate, LowRankUpdate) {
  ProgramBuilder b;
  TensorId x = b.input(16, 256), w = b.input(256, 4096), a = b.input(256, 16),
           c = b.input(16, 4096);
  b.output(b.addition(b.matmul(x, w), b.matmul(b.matmul(x, a), c)));
  Saturated s(b.program);
  ASSERT_TRUE(s.graph) << s.reason;
  // x (w + a c) and x w + (x a) c.
  EXPECT_TRUE(s.hasRule(s.graph->outputs[0].first, Rule::Contract));
  EXPECT_TRUE(s.hasRule(s.graph->outputs[0].first, Rule::Add));
}

TEST(Saturate, NormOfResidual) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), h = b.input(16, 4096),
           alpha = b.input(16, 4096);
  TensorId t = b.addition(b.rmsNorm(h), x);
  b.output(b.rmsNorm(b.addition(x, b.multiply(alpha, t))));
  Saturated s(b.program);
  ASSERT_TRUE(s.graph) << s.reason;
  EXPECT_TRUE(s.graph->isComplete);
  EXPECT_LT(s.graph->values.size(), 60u);
}

TEST(Saturate, GatedProduct) {
  ProgramBuilder b;
  TensorId x = b.input(8, 4096), w1 = b.input(4096, 4096),
           w2 = b.input(4096, 4096);
  b.output(b.multiply(b.function(b.matmul(x, w1), 1), b.matmul(x, w2)));
  Saturated s(b.program);
  ASSERT_TRUE(s.graph) << s.reason;
}
