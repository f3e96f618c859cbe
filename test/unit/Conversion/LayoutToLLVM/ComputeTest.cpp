//===- ComputeTest.cpp - Products, reductions and functions ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChipTest.h"

#include <cmath>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::test;

namespace {

class Compute : public ChipTest {
protected:
  LinearLayoutAttr blocked(uint64_t rows, uint64_t columns) const {
    return attr(makeBlocked({rows, columns}, parent()));
  }
  BlockedParams parent() const {
    BlockedParams params;
    params.sizePerThread = {1, 4};
    params.threadsPerWarp = {amd() ? 8u : 4u, 8};
    params.warpsPerCTA = {2, 2};
    params.order = {1, 0};
    return params;
  }
  /// y = x w with x [m, k] and w [k, n], in tiles of 16 x 64 x 64.
  void matmul(llvm::StringRef type, int64_t m, int64_t k, int64_t n);
};

void Compute::matmul(llvm::StringRef type, int64_t m, int64_t k, int64_t n) {
  bool fma = type == "f32";
  uint64_t width = amd() ? 4 : 2;
  auto la = blocked(16, 64), lb = blocked(64, 64);
  auto oa = operand(DotOperand::A, 16, 64, width),
       ob = operand(DotOperand::B, 64, 64, width);
  auto oc = accumulator(16, 64);
  if (fma) {
    oc = la;
    oa = attr(makeBlockedOperand({16, 64}, DotOperand::A, parent()));
    ob = attr(makeBlockedOperand({64, 64}, DotOperand::B, parent()));
  }
  std::string ta = tile({16, 64}, type, la), tb = tile({64, 64}, type, lb);
  std::string da = tile({16, 64}, type, oa), db = tile({64, 64}, type, ob);
  std::string dc = tile({16, 64}, "f32", oc);
  std::string ms = memref({m, k}, type), mw = memref({k, n}, type);
  std::string my = memref({m, n}, "f32");
  Kernel kernel = this->kernel();
  kernel.blocks = (n + 63) / 64;
  kernel.memrefs = {ms, mw, my};
  kernel.body =
      "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
      "%c64 = arith.constant 64 : index\n%steps = arith.constant " +
      std::to_string((k + 63) / 64) +
      " : index\n%b = gpu.block_id x\n"
      "%n = arith.muli %b, %c64 : index\n"
      "%zero = arith.constant dense<0.0> : " +
      dc +
      "\n"
      "%sum = scf.for %i = %c0 to %steps step %c1 iter_args(%acc = %zero) -> "
      "(" +
      dc +
      ") {\n%k = arith.muli %i, %c64 : index\n"
      "%x = layout.load %p0[%c0, %k] : " +
      ms + " -> " + ta +
      "\n"
      "%w = layout.load %p1[%k, %n] : " +
      mw + " -> " + tb +
      "\n"
      "%xo = layout.convert %x : " +
      ta + " -> " + da +
      "\n"
      "%wo = layout.convert %w : " +
      tb + " -> " + db +
      "\n"
      "%d = layout.dot %xo, %wo, %acc : " +
      da + ", " + db + ", " + dc +
      "\n"
      "scf.yield %d : " +
      dc +
      "\n}\n"
      "layout.store %sum, %p2[%c0, %n] : " +
      dc + ", " + my;
  Data x = Data::random(type, m * k, 1, /*integers=*/true);
  Data w = Data::random(type, k * n, 2, /*integers=*/true);
  Data y = Data::zeros("f32", m * n);
  auto counters = run(kernel, {&x, &w, &y}, /*reuse=*/false);
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->mma == 0, fma);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += x.values[i * k + l] * w.values[l * n + j];
      ASSERT_EQ(y.values[i * n + j], sum) << "at " << i << ", " << j;
    }
}

TEST_P(Compute, MatmulF16) { matmul("f16", 16, 128, 128); }
TEST_P(Compute, MatmulBF16) { matmul("bf16", 16, 64, 64); }
TEST_P(Compute, MatmulF32) { matmul("f32", 16, 64, 64); }
TEST_P(Compute, MatmulRagged) { matmul("f16", 13, 100, 72); }
TEST_P(Compute, MatmulOdd) { matmul("bf16", 3, 33, 65); }

/// Rows of a 16 x 128 tile that hangs over 13 x 100, with every kind of
/// reduction of a softmax.
TEST_P(Compute, Softmax) {
  std::mt19937 random(5);
  for (int i = 0; i < 4; ++i) {
    llvm::SmallVector<int64_t> shape = {16, 128};
    auto layout = i == 0 ? accumulator(16, 128)
                         : randomLayout(random, shape, GetParam().laneBits, 2);
    auto reduced = layout.reduceDim(1);
    std::string t = tile(shape, "f32", layout);
    std::string r = tile({16, 1}, "f32", reduced);
    std::string m = memref({13, 100}, "f32");
    Kernel kernel = this->kernel();
    kernel.memrefs = {m, m};
    kernel.body = "%c0 = arith.constant 0 : index\n"
                  "%x = layout.load %p0[%c0, %c0] : " +
                  m + " -> " + t +
                  "\n"
                  "%s = layout.mask %x dim = 1 offset = %c0 extent = 100 "
                  "neutral = -inf : " +
                  t + "\n%m = layout.reduce max %s axis = 1 : " + t + " -> " +
                  r + "\n%mb = layout.broadcast %m : " + r + " -> " + t +
                  "\n%d = arith.subf %s, %mb : " + t +
                  "\n%e = math.exp %d : " + t +
                  "\n%sum = layout.reduce sum %e axis = 1 : " + t + " -> " + r +
                  "\n%sb = layout.broadcast %sum : " + r + " -> " + t +
                  "\n%y = arith.divf %e, %sb : " + t +
                  "\nlayout.store %y, %p1[%c0, %c0] : " + t + ", " + m;
    Data x = Data::random("f32", 13 * 100, 3), y = Data::zeros("f32", 1300);
    SCOPED_TRACE(kernel.body);
    ASSERT_TRUE(run(kernel, {&x, &y}));
    for (int row = 0; row < 13; ++row) {
      double sum = 0;
      for (int c = 0; c < 100; ++c)
        sum += std::exp(x.values[row * 100 + c]);
      for (int c = 0; c < 100; ++c)
        ASSERT_NEAR(y.values[row * 100 + c],
                    std::exp(x.values[row * 100 + c]) / sum, 1e-7);
    }
  }
}

/// Views, and a reduction over rows with replicas that must count once.
TEST_P(Compute, ViewsAndColumnSums) {
  std::mt19937 random(9);
  for (int i = 0; i < 4; ++i) {
    llvm::SmallVector<int64_t> shape = {32, 16};
    auto layout = randomLayout(random, shape, GetParam().laneBits, 2);
    auto flipped = layout.transpose({1, 0});
    auto split = flipped.reshape({16, 4, 8});
    auto summed = split.reduceDim(1);
    std::string m = memref({32, 16}, "f16"), o = memref({16, 1, 8}, "f16");
    Kernel kernel = this->kernel();
    kernel.memrefs = {m, o};
    std::string t = tile(shape, "f16", layout);
    std::string f = tile({16, 32}, "f16", flipped);
    std::string s = tile({16, 4, 8}, "f16", split);
    std::string r = tile({16, 1, 8}, "f16", summed);
    kernel.body = "%c0 = arith.constant 0 : index\n"
                  "%x = layout.load %p0[%c0, %c0] : " +
                  m + " -> " + t +
                  "\n%f = layout.transpose %x perm = [1, 0] : " + t + " -> " +
                  f + "\n%s = layout.reshape %f : " + f + " -> " + s +
                  "\n%r = layout.reduce sum %s axis = 1 : " + s + " -> " + r +
                  "\nlayout.store %r, %p1[%c0, %c0, %c0] : " + r + ", " + o;
    Data x = Data::random("f16", 512, 4, /*integers=*/true);
    Data y = Data::zeros("f16", 128);
    SCOPED_TRACE(kernel.body);
    ASSERT_TRUE(run(kernel, {&x, &y}));
    for (int a = 0; a < 16; ++a)
      for (int c = 0; c < 8; ++c) {
        double sum = 0;
        for (int b = 0; b < 4; ++b)
          sum += x.values[(b * 8 + c) * 16 + a];
        ASSERT_EQ(y.values[a * 8 + c], sum);
      }
  }
}

struct Function {
  const char *op;
  double (*exact)(double);
  double from, to, tolerance;
};

TEST_P(Compute, Functions) {
  const Function functions[] = {
      {"math.exp", std::exp, -20, 20, 3e-6},
      {"math.log", std::log, 0.01, 50, 1e-6},
      {"math.sqrt", std::sqrt, 0, 100, 1e-6},
      {"math.rsqrt", [](double x) { return 1 / std::sqrt(x); }, 0.01, 100,
       1e-6},
      {"math.tanh", std::tanh, -6, 6, 1e-6},
      {"math.erf", std::erf, -5, 5, 1e-6},
      {"math.absf", [](double x) { return std::fabs(x); }, -5, 5, 0},
      {"math.expm1", std::expm1, -1, 1, 2e-6},
      {"math.log1p", std::log1p, -0.5, 3, 2e-6}};
  std::string t = tile({4, 64}, "f32", blocked(4, 64)),
              m = memref({4, 64}, "f32");
  for (const Function &function : functions) {
    Kernel kernel = this->kernel();
    kernel.memrefs = {m, m};
    kernel.body = "%c0 = arith.constant 0 : index\n"
                  "%x = layout.load %p0[%c0, %c0] : " +
                  m + " -> " + t + "\n%y = " + function.op + " %x : " + t +
                  "\nlayout.store %y, %p1[%c0, %c0] : " + t + ", " + m;
    Data x = Data::random("f32", 256, 6), y = Data::zeros("f32", 256);
    for (double &value : x.values)
      value = fromBits(toBits(function.from + (value + 1) / 2 *
                                                  (function.to - function.from),
                              "f32"),
                       "f32");
    ASSERT_TRUE(run(kernel, {&x, &y})) << function.op;
    for (int i = 0; i < 256; ++i) {
      double exact = function.exact(x.values[i]);
      ASSERT_NEAR(y.values[i], exact,
                  function.tolerance * std::max(std::fabs(exact), 1e-1))
          << function.op << " of " << x.values[i];
    }
  }
}

TEST_P(Compute, Powers) {
  std::string t = tile({4, 4}, "f32", blocked(4, 4)), m = memref({4, 4}, "f32");
  Kernel kernel = this->kernel();
  kernel.memrefs = {m, m, m};
  kernel.body = "%c0 = arith.constant 0 : index\n"
                "%x = layout.load %p0[%c0, %c0] : " +
                m + " -> " + t + "\n%y = layout.load %p1[%c0, %c0] : " + m +
                " -> " + t + "\n%z = math.powf %x, %y : " + t +
                "\nlayout.store %z, %p2[%c0, %c0] : " + t + ", " + m;
  Data x{"f32", {2, 2, -2, -2, 0, 0, 3, 1.5, -1.5, 10, 0.5, 0.25, 7, 1, -3, 9}};
  Data y{"f32", {3, -1, 3, 2, 2, 0, 0, 2.5, -3, -2, 0.5, 0.5, 1, 8, 0, 0.5}};
  Data z = Data::zeros("f32", 16);
  ASSERT_TRUE(run(kernel, {&x, &y, &z}));
  for (int i = 0; i < 16; ++i) {
    double exact = std::pow(x.values[i], y.values[i]);
    EXPECT_NEAR(z.values[i], exact, 2e-6 * std::fabs(exact))
        << x.values[i] << " to the " << y.values[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Chips, Compute,
                         testing::Values(Chip{"sm_80", 5}, Chip{"sm_90a", 5},
                                         Chip{"gfx942", 6}),
                         nameOfChip);

} // namespace
