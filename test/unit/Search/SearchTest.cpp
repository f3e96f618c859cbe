//===- SearchTest.cpp - Tests of the whole search -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Search.h"
#include "ProgramBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mirage;
using namespace mirage::search;

namespace {
struct Searched {
  SearchOptions options;
  std::optional<ProgramSearch> search;
  std::vector<Kernel> kernels;

  explicit Searched(const ProgramBuilder &builder, unsigned threads = 1) {
    options.target = lookupTarget("sm_90a");
    options.threads = threads;
    auto start = std::chrono::steady_clock::now();
    search.emplace(builder.program, options);
    search->run();
    kernels = search->best();
    double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    llvm::outs() << "search " << seconds << " s, " << kernels.size()
                 << " kernels, " << search->seconds(kernels) * 1e6
                 << " us, baseline "
                 << search->seconds(search->baseline()) * 1e6 << " us, bound "
                 << search->lowerBoundSeconds() * 1e6 << " us\n";
    for (const Kernel &kernel : kernels)
      print(kernel);
  }

  static void print(const Kernel &kernel) {
    if (!kernel.segment) {
      llvm::outs() << " source " << kernel.first << " as it is\n";
      return;
    }
    const KernelPlan &plan = *kernel.segment->plan();
    const ExprContext &c = kernel.segment->context;
    llvm::outs() << " kernel " << kernel.first << ".." << kernel.last
                 << ": blocks " << plan.work.blocks << " threads "
                 << plan.threads << " shared " << plan.work.sharedBytes
                 << " registers " << plan.work.registersPerThread << "\n";
    for (auto [label, role] : plan.roles)
      llvm::outs() << "  i" << label << " size " << c.size(label) << " "
                   << (role == Role::Grid   ? "grid"
                       : role == Role::Loop ? "loop"
                                            : "whole")
                   << " tile " << plan.tiles.lookup(label) << "\n";
    for (auto [number, step] : llvm::enumerate(plan.steps)) {
      llvm::outs() << "  s" << number << " = "
                   << stringify(step.derivation.rule);
      for (uint32_t operand : step.operands)
        llvm::outs() << " s" << operand;
      if (step.loop >= 0)
        llvm::outs() << " in l" << step.loop;
      if (step.accumulate >= 0)
        llvm::outs() << " accumulate";
      llvm::outs() << "\n";
    }
    const KernelCost &cost = plan.cost;
    llvm::outs() << "  us: global " << cost.global * 1e6 << " cache "
                 << cost.cache * 1e6 << " latency " << cost.latency * 1e6
                 << " matrix " << cost.matrix * 1e6 << " vector "
                 << cost.vector * 1e6 << " special " << cost.special * 1e6
                 << " fixed " << cost.fixed * 1e6 << "\n";
  }
};
} // namespace

TEST(Search, NormAndLinearIsOneKernel) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), w = b.input(4096, 6144);
  b.output(b.matmul(b.rmsNorm(x), w));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
}

TEST(Search, AttentionIsOneKernel) {
  ProgramBuilder b;
  TensorId q = b.input(256, 64), k = b.input(64, 4096), v = b.input(4096, 64);
  b.output(b.matmul(b.softmax(b.matmul(q, k)), v));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
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

TEST(Search, LayerNormAndLinearIsOneKernel) {
  ProgramBuilder b;
  TensorId x = b.input(17, 2560), w = b.input(2560, 6144);
  TensorId gamma = b.input(1, 2560), beta = b.input(1, 2560);
  TensorId n = b.layerNorm(x, Rational::get(1, 100000));
  b.output(b.matmul(b.addition(b.multiply(n, gamma), beta), w));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
}

TEST(Search, LongSoftmax) {
  ProgramBuilder b;
  TensorId x = b.input(16, 32768);
  b.output(b.softmax(x));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 1u);
}

TEST(Search, TwoLayersNeedTwoKernels) {
  ProgramBuilder b;
  TensorId x = b.input(16, 4096), w1 = b.input(4096, 16384),
           w2 = b.input(16384, 4096);
  b.output(b.matmul(b.function(b.matmul(x, w1), 1), w2));
  Searched s(b);
  EXPECT_EQ(s.kernels.size(), 2u);
}
