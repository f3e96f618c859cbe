//===- SearchTest.cpp - Tests of the whole search -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Search.h"
#include "SmallPrograms.h"

#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace mirage;
using namespace mirage::search;

namespace {
struct Searched {
  SearchOptions options;
  std::optional<ProgramSearch> search;
  std::vector<Kernel> kernels;

  explicit Searched(const ProgramBuilder &builder, unsigned threads = 1,
                    unsigned maxKernels = 0) {
    options.target = lookupTarget("sm_90a");
    options.threads = threads;
    options.maxKernels = maxKernels;
    search.emplace(builder.program, options);
    search->run();
    kernels = search->cheapest();
  }

  const KernelPlan &plan() { return *kernels[0].segment->plan(); }
  bool hasRule(Rule rule) {
    return llvm::any_of(plan().steps, [&](const Step &step) {
      return step.derivation.rule == rule;
    });
  }
  bool isFaster() {
    return search->seconds(kernels) < search->seconds(search->baseline());
  }
};
} // namespace

TEST(Search, NormAndLinearIsOneKernel) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), w = b.input(4096, 6144);
  b.output(b.matmul(b.rmsNorm(x), w));
  Searched s(b);
  ASSERT_EQ(s.kernels.size(), 1u);
  EXPECT_TRUE(s.isFaster());
  // One loop: the norm is applied behind the product.
  EXPECT_EQ(s.plan().loops.size(), 1u);
  EXPECT_GE(s.search->seconds(s.kernels), s.search->lowerBoundSeconds());
}

/// 96 columns for each of 128 blocks, on 132 multiprocessors.
TEST(Search, PartsAreNotAlwaysPowersOfTwo) {
  ProgramBuilder b;
  TensorId x = b.input(2, 4096), w = b.input(4096, 12288);
  b.output(b.matmul(b.rmsNorm(x), w));
  Searched s(b);
  ASSERT_EQ(s.kernels.size(), 1u);
  EXPECT_EQ(s.plan().work.blocks, 128);
  EXPECT_TRUE(llvm::any_of(s.plan().tiles,
                           [](auto entry) { return entry.second == 96; }));
}

TEST(Search, AttentionIsOneKernel) {
  ProgramBuilder b;
  TensorId q = b.input(256, 64), k = b.input(64, 4096), v = b.input(4096, 64);
  b.output(b.matmul(b.softmax(b.matmul(q, k)), v));
  Searched s(b);
  ASSERT_EQ(s.kernels.size(), 1u);
  EXPECT_TRUE(s.hasRule(Rule::SoftmaxContract));
  EXPECT_FALSE(s.hasRule(Rule::Function));
}

TEST(Search, LowRankUpdateIsOneKernel) {
  ProgramBuilder b;
  TensorId x = b.input(16, 256), w = b.input(256, 4096), a = b.input(256, 16),
           c = b.input(16, 4096);
  b.output(b.addition(b.matmul(x, w), b.matmul(b.matmul(x, a), c)));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
}

TEST(Search, NormOfResidualIsOneKernel) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), h = b.input(16, 4096),
           alpha = b.input(16, 4096);
  TensorId t = b.addition(b.rmsNorm(h), x);
  b.output(b.rmsNorm(b.addition(x, b.multiply(alpha, t))));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
}

TEST(Search, GatedProductIsOneKernel) {
  ProgramBuilder b;
  TensorId x = b.input(8, 4096), w1 = b.input(4096, 4096),
           w2 = b.input(4096, 4096);
  b.output(b.multiply(b.function(b.matmul(x, w1), 1), b.matmul(x, w2)));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
}

/// The mean's correction and beta are two more products with one row, which
/// share the loads of w.
TEST(Search, LayerNormAndLinearFitOneKernel) {
  for (int64_t rows : {8, 16, 17}) {
    ProgramBuilder b;
    TensorId x = b.input(rows, 4096), w = b.input(4096, 6144);
    TensorId gamma = b.input(1, 4096), beta = b.input(1, 4096);
    TensorId n = b.layerNorm(x, Rational::get(1, 100000));
    b.output(b.matmul(b.addition(b.multiply(n, gamma), beta), w));
    Searched s(b);
    ASSERT_EQ(s.kernels.size(), 1u) << rows << " rows";
    EXPECT_EQ(s.plan().loops.size(), 1u);
  }
}

// A product with one row is transposed: the row is repeated to the 8 columns of
// an instruction, not to its 16 rows.
TEST(Search, OneRowTakesTheShortSideOfAnInstruction) {
  ProgramBuilder b;
  TensorId x = b.input(1, 4096), w = b.input(4096, 6144);
  b.output(b.matmul(b.rmsNorm(x), w));
  Searched s(b);
  ASSERT_EQ(s.kernels.size(), 1u);
  const KernelWork &work = s.plan().work;
  EXPECT_EQ(work.matrixFlops * work.blocks, 2.0 * 8 * 4096 * 6144);
}

TEST(Search, LongSoftmax) {
  ProgramBuilder b;
  TensorId x = b.input(16, 32768);
  b.output(b.softmax(x));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
}

TEST(Search, ThreadsDoNotMatter) {
  ProgramBuilder b;
  TensorId x = b.input(16, 1024), w = b.input(1024, 1024);
  b.output(b.function(b.matmul(b.rmsNorm(x), w), 1));
  Searched one(b, 1), two(b, 2);
  ASSERT_EQ(one.kernels.size(), two.kernels.size());
  EXPECT_EQ(one.search->seconds(one.kernels), two.search->seconds(two.kernels));
}

TEST(Search, OpaqueOpsCut) {
  ProgramBuilder b;
  TensorId x = b.input(16, 64);
  b.output(b.exp(b.function(b.rmsNorm(x), 1)));
  b.program.ops[b.program.ops.size() - 2].isOpaque = true;
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 3u);
  EXPECT_FALSE(s.search->reason().empty());
}

TEST(Search, TwoLayersNeedTwoKernels) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), w1 = b.input(4096, 16384),
           w2 = b.input(16384, 4096);
  b.output(b.matmul(b.function(b.matmul(x, w1), 1), w2));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 2u);
}

// Few rows: blocks share the loop over the keys, and the softmax monoid puts
// their parts together.
TEST(Search, DecodingSplitsTheKeys) {
  ProgramBuilder b;
  TensorId q = b.input(4, 64), k = b.input(64, 8192), v = b.input(8192, 64);
  b.output(b.matmul(b.softmax(b.matmul(q, k)), v));
  Searched s(b);
  ASSERT_EQ(s.kernels.size(), 1u);
  EXPECT_GT(s.plan().splits, 1);
  ASSERT_TRUE(s.plan().combine);
  EXPECT_EQ(s.kernels[0].kernelCount(), 2u);
  EXPECT_TRUE(s.hasRule(Rule::SoftmaxContract));
  // Both sums are passed on in parts, and share one maximum.
  EXPECT_EQ(s.plan().partials.size(), 2u);
  auto owners = maximumOwners(s.plan());
  EXPECT_EQ(owners[0], owners[1]);
}

TEST(Search, FewKernelsMeanNoSplits) {
  ProgramBuilder b;
  TensorId x = b.input(16, 16384), w = b.input(16384, 128);
  b.output(b.matmul(x, w));
  Searched split(b);
  EXPECT_GT(split.plan().splits, 1);
  SearchOptions options = split.options;
  options.maxKernels = 1;
  ProgramSearch one(b.program, options);
  one.run();
  ASSERT_EQ(one.cheapest().size(), 1u);
  EXPECT_EQ(one.cheapest()[0].segment->plan()->splits, 1);
}

namespace {
class Optimality : public ::testing::TestWithParam<unsigned> {};

} // namespace

// With and without bounds the same cost; and what the bounded search says that
// nothing can beat, nothing beats.
TEST_P(Optimality, BoundsLoseNothing) {
  ProgramBuilder b = smallProgram(GetParam());
  SearchOptions options;
  options.target = lookupTarget("sm_90a");
  options.timeBudget = 1e6;
  ProgramSearch bounded(b.program, options);
  bounded.run();
  options.useBounds = false;
  ProgramSearch exhaustive(b.program, options);
  exhaustive.run();
  double found = bounded.seconds(bounded.cheapest());
  double least = exhaustive.seconds(exhaustive.cheapest());
  EXPECT_NEAR(found, least, 1e-12);
  EXPECT_TRUE(exhaustive.totals().extraction.isExhaustive);
  EXPECT_EQ(exhaustive.totals().extraction.byEstimate, 0u);
  // The program's own steps may be preferred to others that save next to
  // nothing.
  double gap = exhaustive.optimalityGap(exhaustive.cheapest());
  EXPECT_GE(gap, 0);
  EXPECT_LT(gap, 0.03);
  double fastest = least / (1 + gap);
  EXPECT_GE(fastest, exhaustive.lowerBoundSeconds());
  double claimed = bounded.optimalityGap(bounded.cheapest());
  EXPECT_LE(found / (1 + claimed), fastest * (1 + 1e-12));
  // As tight as it was when this was written, or tighter.
  EXPECT_LT(claimed, 0.5);
}

INSTANTIATE_TEST_SUITE_P(SmallPrograms, Optimality,
                         ::testing::Range(0u, numSmallPrograms));
