//===- ReferenceTests.cpp - Programs executed by upstream MLIR
//--------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs programs through the reference pipeline. Single ops are compared with
// the C++ standard library, block graphs with the kernel-level program that
// they claim to equal.
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/MuGraphToLinalg/MuGraphToLinalg.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"
#include "mirage/Target/TargetDescription.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"
#include "gtest/gtest.h"

#include <cmath>
#include <functional>
#include <limits>

using namespace mlir;

namespace {

/// A memref descriptor of any rank, and its memory.
struct Buffer {
  std::vector<char> bytes;
  std::vector<int64_t> descriptor;
  int64_t elements = 1;

  explicit Buffer(RankedTensorType type) {
    elements = type.getNumElements();
    bytes.resize(elements * type.getElementTypeBitWidth() / 8);
    auto address = reinterpret_cast<int64_t>(bytes.data());
    descriptor = {address, address, 0};
    ArrayRef<int64_t> shape = type.getShape();
    descriptor.insert(descriptor.end(), shape.begin(), shape.end());
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t dim = shape.size(); dim-- > 1;)
      strides[dim - 1] = strides[dim] * shape[dim];
    descriptor.insert(descriptor.end(), strides.begin(), strides.end());
  }
  template <typename T>
  T *data() {
    return reinterpret_cast<T *>(bytes.data());
  }
};

using Values = std::vector<double>;

/// Numbers between -1 and 1 without pattern, exact in f32.
Values noise(size_t count, unsigned seed) {
  Values values;
  uint32_t state = 2654435761u * (seed + 1);
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    values.push_back(static_cast<int>(state >> 16) / 32768.0 - 1);
  }
  return values;
}

class ReferenceTest : public testing::Test {
protected:
  ReferenceTest() {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    DialectRegistry registry;
    registerAllDialects(registry);
    registerAllExtensions(registry);
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    registry.insert<mirage::mugraph::MuGraphDialect>();
    context.appendDialectRegistry(registry);
  }

  /// The results of function `name` of a program in f32 or f64 on `inputs`.
  std::vector<Values> run(StringRef source, StringRef name,
                          const std::vector<Values> &inputs,
                          bool outline = false) {
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(source, &context);
    if (!module)
      return {};
    if (outline && (failed(mirage::mugraph::outlineKernels(
                        module->lookupSymbol<func::FuncOp>(name),
                        *mirage::lookupTarget("sm_90a"))) ||
                    failed(verify(*module))))
      return {};
    FunctionType type =
        module->lookupSymbol<func::FuncOp>(name).getFunctionType();
    if (failed(mirage::mugraph::lowerToReference(*module)))
      return {};
    auto engine = ExecutionEngine::create(*module);
    if (!engine) {
      llvm::consumeError(engine.takeError());
      return {};
    }
    std::vector<Buffer> buffers;
    for (auto [input, argument] : llvm::zip_equal(inputs, type.getInputs())) {
      buffers.emplace_back(cast<RankedTensorType>(argument));
      for (int64_t i = 0; i < buffers.back().elements; ++i)
        buffers.back().data<float>()[i] = input[i % input.size()];
    }
    Type f64 = Float64Type::get(&context);
    for (Type result : type.getResults())
      buffers.emplace_back(cast<RankedTensorType>(result).clone(f64));
    std::vector<void *> pointers;
    for (Buffer &buffer : buffers)
      pointers.push_back(buffer.descriptor.data());
    SmallVector<void *> arguments;
    for (void *&pointer : pointers)
      arguments.push_back(&pointer);
    if (llvm::Error error = (*engine)->invokePacked(
            ("_mlir_ciface_" + name).str(), arguments)) {
      llvm::consumeError(std::move(error));
      return {};
    }
    std::vector<Values> results;
    for (size_t i = inputs.size(); i < buffers.size(); ++i) {
      double *data = buffers[i].data<double>();
      results.emplace_back(data, data + buffers[i].elements);
    }
    return results;
  }

  /// The only result of a function @f with `signature`, body `op`.
  Values runOne(StringRef arguments, StringRef op, StringRef result,
                const std::vector<Values> &inputs) {
    std::string source =
        llvm::formatv("func.func @f({0}) -> {2} {{ %r = {1} return %r : {2} }",
                      arguments, op, result);
    std::vector<Values> results = run(source, "f", inputs);
    return results.empty() ? Values() : results.front();
  }

  /// @block and @spec of `source` agree.
  void expectEqual(StringRef source, const std::vector<Values> &inputs) {
    std::vector<Values> expected = run(source, "spec", inputs);
    std::vector<Values> actual = run(source, "block", inputs);
    ASSERT_EQ(expected.size(), 1u);
    ASSERT_EQ(actual.size(), 1u);
    ASSERT_EQ(expected[0].size(), actual[0].size());
    for (size_t i = 0; i < expected[0].size(); ++i)
      ASSERT_NEAR(expected[0][i], actual[0][i], 1e-11) << "element " << i;
  }

  /// Function @f of `source` means the same with a kernel for each op.
  void expectOutlines(StringRef source) {
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(source, &context);
    ASSERT_TRUE(module);
    std::vector<Values> inputs;
    for (Type type : module->lookupSymbol<func::FuncOp>("f").getArgumentTypes())
      inputs.push_back(
          noise(cast<RankedTensorType>(type).getNumElements(), inputs.size()));
    std::vector<Values> expected = run(source, "f", inputs);
    std::vector<Values> actual = run(source, "f", inputs, /*outline=*/true);
    ASSERT_EQ(expected.size(), 1u);
    ASSERT_EQ(actual.size(), 1u);
    ASSERT_EQ(expected[0].size(), actual[0].size());
    for (size_t i = 0; i < expected[0].size(); ++i)
      ASSERT_NEAR(expected[0][i], actual[0][i],
                  1e-11 * (1 + std::fabs(expected[0][i])))
          << "element " << i;
  }

  MLIRContext context;
};

TEST_F(ReferenceTest, Unary) {
  std::vector<std::pair<std::string, std::function<double(double)>>> ops = {
      {"exp", [](double x) { return std::exp(x); }},
      {"log", [](double x) { return std::log(x); }},
      {"sqrt", [](double x) { return std::sqrt(x); }},
      {"rsqrt", [](double x) { return 1 / std::sqrt(x); }},
      {"square", [](double x) { return x * x; }},
      {"neg", [](double x) { return -x; }},
      {"abs", [](double x) { return std::fabs(x); }},
      {"reciprocal", [](double x) { return 1 / x; }},
      {"relu", [](double x) { return std::max(x, 0.0); }},
      {"silu", [](double x) { return x / (1 + std::exp(-x)); }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"erf", [](double x) { return std::erf(x); }},
      {"gelu",
       [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2))); }},
  };
  Values x = {0.25, 0.5, 1, 2, 3.5, -0.25, -1, -3};
  for (auto &[name, function] : ops) {
    Values y =
        runOne("%x: tensor<8xf32>", "mugraph." + name + " %x : tensor<8xf32>",
               "tensor<8xf32>", {x});
    ASSERT_EQ(y.size(), 8u) << name;
    for (int i = 0; i < 8; ++i) {
      double expected = function(x[i]);
      if (!std::isnan(expected))
        EXPECT_NEAR(y[i], expected, 1e-14 * (1 + std::fabs(expected))) << name;
    }
  }
}

TEST_F(ReferenceTest, UnaryWithAttributes) {
  Values x = {-3, -0.5, 0.5, 3};
  Values gelu =
      runOne("%x: tensor<4xf32>",
             "mugraph.gelu %x {approximate = \"tanh\"} : tensor<4xf32>",
             "tensor<4xf32>", {x});
  Values clamp =
      runOne("%x: tensor<4xf32>",
             "mugraph.clamp %x min = -1.0 max = 0.25 : tensor<4xf32>",
             "tensor<4xf32>", {x});
  Values scaled =
      runOne("%x: tensor<4xf32>", "mugraph.mul_scalar %x, 0.1 : tensor<4xf32>",
             "tensor<4xf32>", {x});
  ASSERT_EQ(gelu.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    double inner = std::sqrt(2 / M_PI) * (x[i] + 0.044715 * std::pow(x[i], 3));
    EXPECT_NEAR(gelu[i], x[i] / 2 * (1 + std::tanh(inner)), 1e-14);
    EXPECT_EQ(clamp[i], std::min(std::max(x[i], -1.0), 0.25));
    EXPECT_NEAR(scaled[i], x[i] * 0.1, 1e-15);
  }
}

TEST_F(ReferenceTest, BinaryBroadcasts) {
  Values y = runOne("%a: tensor<2x1xf32>, %b: tensor<3xf32>",
                    "mugraph.sub %a, %b : (tensor<2x1xf32>, tensor<3xf32>) -> "
                    "tensor<2x3xf32>",
                    "tensor<2x3xf32>", {{10, 20}, {1, 2, 3}});
  EXPECT_EQ(y, (Values{9, 8, 7, 19, 18, 17}));
}

TEST_F(ReferenceTest, MatmulBroadcastsBatch) {
  Values y = runOne("%a: tensor<2x1x2xf32>, %b: tensor<2x2xf32>",
                    "mugraph.matmul %a, %b : (tensor<2x1x2xf32>, "
                    "tensor<2x2xf32>) -> tensor<2x1x2xf32>",
                    "tensor<2x1x2xf32>", {{1, 2, 3, 4}, {5, 6, 7, 8}});
  EXPECT_EQ(y, (Values{19, 22, 43, 50}));
}

TEST_F(ReferenceTest, Reductions) {
  auto reduce = [&](StringRef kind, StringRef dims, StringRef type) {
    return runOne("%x: tensor<2x3xf32>",
                  ("mugraph.reduce " + kind + " %x dims = " + dims +
                   " : tensor<2x3xf32> -> " + type)
                      .str(),
                  type, {{1, 5, 3, -1, 0, 4}});
  };
  EXPECT_EQ(reduce("sum", "[1]", "tensor<2x1xf32>"), (Values{9, 3}));
  EXPECT_EQ(reduce("max", "[0]", "tensor<1x3xf32>"), (Values{1, 5, 4}));
  EXPECT_EQ(reduce("min", "[0, 1]", "tensor<1x1xf32>"), (Values{-1}));
  EXPECT_EQ(reduce("mean", "[0, 1]", "tensor<1x1xf32>"), (Values{2}));
}

TEST_F(ReferenceTest, SoftmaxAndNorms) {
  Values x = {1, 2, 4, 100};
  Values softmax = runOne("%x: tensor<1x4xf32>",
                          "mugraph.softmax %x dim = 1 : tensor<1x4xf32>",
                          "tensor<1x4xf32>", {x});
  Values rms = runOne("%x: tensor<1x4xf32>, %g: tensor<4xf32>",
                      "mugraph.rms_norm %x, %g {eps = 0.5 : f64} : "
                      "tensor<1x4xf32>, tensor<4xf32>",
                      "tensor<1x4xf32>", {x, {1, 2, 3, 4}});
  Values layer = runOne("%x: tensor<1x4xf32>, %g: tensor<4xf32>",
                        "mugraph.layer_norm %x, %g, %g : tensor<1x4xf32>, "
                        "tensor<4xf32>, tensor<4xf32>",
                        "tensor<1x4xf32>", {x, {1, 2, 3, 4}});
  double sum = 0, squares = 0, mean = 107.0 / 4, variance = 0;
  for (double v : x) {
    sum += std::exp(v - 100);
    squares += v * v / 4;
    variance += (v - mean) * (v - mean) / 4;
  }
  ASSERT_EQ(softmax.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    double g = i + 1;
    EXPECT_NEAR(softmax[i], std::exp(x[i] - 100) / sum, 1e-15);
    EXPECT_NEAR(rms[i], x[i] / std::sqrt(squares + 0.5) * g, 1e-12);
    EXPECT_NEAR(layer[i], (x[i] - mean) / std::sqrt(variance) * g + g, 1e-12);
  }
}

TEST_F(ReferenceTest, ShapeOps) {
  Values x = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(runOne("%x: tensor<2x3xf32>",
                   "mugraph.transpose %x perm = [1, 0] : tensor<2x3xf32> -> "
                   "tensor<3x2xf32>",
                   "tensor<3x2xf32>", {x}),
            (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(runOne("%x: tensor<2x3x1xf32>",
                   "mugraph.transpose %x perm = [1, 2, 0] : tensor<2x3x1xf32> "
                   "-> tensor<3x1x2xf32>",
                   "tensor<3x1x2xf32>", {x}),
            (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(runOne("%x: tensor<2x3xf32>",
                   "mugraph.reshape %x : tensor<2x3xf32> -> tensor<3x1x2xf32>",
                   "tensor<3x1x2xf32>", {x}),
            x);
  EXPECT_EQ(
      runOne("%x: tensor<1x2xf32>",
             "mugraph.broadcast %x : tensor<1x2xf32> -> tensor<2x2x2xf32>",
             "tensor<2x2x2xf32>", {x}),
      (Values{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(runOne("%x: tensor<2x3xf32>",
                   "mugraph.slice %x offsets = [1, 1] sizes = [1, 2] : "
                   "tensor<2x3xf32> -> tensor<1x2xf32>",
                   "tensor<1x2xf32>", {x}),
            (Values{4, 5}));
  EXPECT_EQ(runOne("%x: tensor<2x1xf32>, %y: tensor<2x2xf32>",
                   "mugraph.concat %x, %y dim = 1 : (tensor<2x1xf32>, "
                   "tensor<2x2xf32>) -> tensor<2x3xf32>",
                   "tensor<2x3xf32>", {{0, 1}, {2, 3, 4, 5}}),
            (Values{0, 2, 3, 1, 4, 5}));
}

TEST_F(ReferenceTest, ResultsMayBeArgumentsOrEqual) {
  std::vector<Values> results =
      run("func.func @f(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, "
          "tensor<2xf32>) { %0 = mugraph.neg %x : tensor<2xf32> return %x, %0, "
          "%0 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32> }",
          "f", {{1, 2}});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0], (Values{1, 2}));
  EXPECT_EQ(results[1], (Values{-1, -2}));
  EXPECT_EQ(results[2], (Values{-1, -2}));
}

// Rows, columns and the contracted dim are all cut off at their ends.
TEST_F(ReferenceTest, BlockGraphWithClippedTiles) {
  expectEqual(R"(
    func.func @spec(%x: tensor<5x13xf32>, %w: tensor<13x11xf32>) -> tensor<5x11xf32> {
      %0 = mugraph.rms_norm %x {eps = 1.0e-3 : f64} : tensor<5x13xf32>
      %1 = mugraph.matmul %0, %w : (tensor<5x13xf32>, tensor<13x11xf32>) -> tensor<5x11xf32>
      return %1 : tensor<5x11xf32>
    }
    func.func @block(%x: tensor<5x13xf32>, %w: tensor<13x11xf32>) -> tensor<5x11xf32> {
      %y = mugraph.block_graph grid = [3, 3] loops = [4]
             ins(%x tile [g1, l0] : tensor<5x13xf32>, %w tile [l0, g0] : tensor<13x11xf32>)
             outs(tile [g1, g0] : tensor<5x11xf32>) {
      ^bb0(%xt: tensor<2x4xf32>, %wt: tensor<4x4xf32>):
        %m = mugraph.matmul %xt, %wt : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
        %s = mugraph.square %xt : tensor<2x4xf32>
        %r = mugraph.reduce sum %s dims = [1] : tensor<2x4xf32> -> tensor<2x1xf32>
        %am = mugraph.accumulate sum %m over l0 : tensor<2x4xf32>
        %ar = mugraph.accumulate sum %r over l0 : tensor<2x1xf32>
        %o = mugraph.thread_graph ins(%am, %ar : tensor<2x4xf32>, tensor<2x1xf32>) outs(tensor<2x4xf32>) {
        ^bb0(%a: tensor<2x4xf32>, %b: tensor<2x1xf32>):
          %c = mugraph.mul_scalar %b, 0.076923076923076927 : tensor<2x1xf32>
          %d = mugraph.add_scalar %c, 1.0e-3 : tensor<2x1xf32>
          %e = mugraph.rsqrt %d : tensor<2x1xf32>
          %f = mugraph.mul %a, %e : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
          mugraph.yield %f : tensor<2x4xf32>
        }
        mugraph.yield %o : tensor<2x4xf32>
      }
      return %y : tensor<5x11xf32>
    })",
              {noise(65, 1), noise(143, 2)});
}

// The softmax monoid over 10 keys in tiles of 4; a second head from the grid.
TEST_F(ReferenceTest, BlockGraphAttention) {
  expectEqual(R"(
    func.func @spec(%q: tensor<2x5x3xf32>, %k: tensor<2x3x10xf32>, %v: tensor<2x10x6xf32>) -> tensor<2x5x6xf32> {
      %0 = mugraph.matmul %q, %k : (tensor<2x5x3xf32>, tensor<2x3x10xf32>) -> tensor<2x5x10xf32>
      %1 = mugraph.mul_scalar %0, 50.0 : tensor<2x5x10xf32>
      %2 = mugraph.softmax %1 dim = 2 : tensor<2x5x10xf32>
      %3 = mugraph.matmul %2, %v : (tensor<2x5x10xf32>, tensor<2x10x6xf32>) -> tensor<2x5x6xf32>
      return %3 : tensor<2x5x6xf32>
    }
    func.func @block(%q: tensor<2x5x3xf32>, %k: tensor<2x3x10xf32>, %v: tensor<2x10x6xf32>) -> tensor<2x5x6xf32> {
      %y = mugraph.block_graph grid = [2, 2] loops = [3]
             ins(%q tile [g1, g0, _] : tensor<2x5x3xf32>, %k tile [g1, _, l0] : tensor<2x3x10xf32>,
                 %v tile [g1, l0, _] : tensor<2x10x6xf32>)
             outs(tile [g1, g0, _] : tensor<2x5x6xf32>) {
      ^bb0(%qt: tensor<1x4x3xf32>, %kt: tensor<1x3x4xf32>, %vt: tensor<1x4x6xf32>):
        %s = mugraph.matmul %qt, %kt : (tensor<1x4x3xf32>, tensor<1x3x4xf32>) -> tensor<1x4x4xf32>
        %t = mugraph.mul_scalar %s, 50.0 : tensor<1x4x4xf32>
        %den, %num = mugraph.accumulate_softmax %t, %vt over l0
          : (tensor<1x4x4xf32>, tensor<1x4x6xf32>) -> (tensor<1x4x1xf32>, tensor<1x4x6xf32>)
        %o = mugraph.div %num, %den : (tensor<1x4x6xf32>, tensor<1x4x1xf32>) -> tensor<1x4x6xf32>
        mugraph.yield %o : tensor<1x4x6xf32>
      }
      return %y : tensor<2x5x6xf32>
    })",
              {noise(30, 1), noise(60, 2), noise(120, 3)});
}

// A whole first tile of scores is masked with -inf, and single ones later.
TEST_F(ReferenceTest, BlockGraphAttentionWithMask) {
  double infinity = std::numeric_limits<double>::infinity();
  Values mask(10, 0.0);
  for (int key : {0, 1, 2, 3, 6, 9})
    mask[key] = -infinity;
  expectEqual(R"(
    func.func @spec(%s: tensor<3x10xf32>, %m: tensor<1x10xf32>, %v: tensor<10x2xf32>) -> tensor<3x2xf32> {
      %0 = mugraph.add %s, %m : (tensor<3x10xf32>, tensor<1x10xf32>) -> tensor<3x10xf32>
      %1 = mugraph.softmax %0 dim = 1 : tensor<3x10xf32>
      %2 = mugraph.matmul %1, %v : (tensor<3x10xf32>, tensor<10x2xf32>) -> tensor<3x2xf32>
      return %2 : tensor<3x2xf32>
    }
    func.func @block(%s: tensor<3x10xf32>, %m: tensor<1x10xf32>, %v: tensor<10x2xf32>) -> tensor<3x2xf32> {
      %y = mugraph.block_graph grid = [1] loops = [3]
             ins(%s tile [_, l0] : tensor<3x10xf32>, %m tile [_, l0] : tensor<1x10xf32>, %v tile [l0, _] : tensor<10x2xf32>)
             outs(tile [_, _] : tensor<3x2xf32>) {
      ^bb0(%st: tensor<3x4xf32>, %mt: tensor<1x4xf32>, %vt: tensor<4x2xf32>):
        %t = mugraph.add %st, %mt : (tensor<3x4xf32>, tensor<1x4xf32>) -> tensor<3x4xf32>
        %den, %num = mugraph.accumulate_softmax %t, %vt over l0
          : (tensor<3x4xf32>, tensor<4x2xf32>) -> (tensor<3x1xf32>, tensor<3x2xf32>)
        %o = mugraph.div %num, %den : (tensor<3x2xf32>, tensor<3x1xf32>) -> tensor<3x2xf32>
        mugraph.yield %o : tensor<3x2xf32>
      }
      return %y : tensor<3x2xf32>
    })",
              {noise(30, 7), mask, noise(20, 8)});
}

// A softmax in two passes over the row: the second loop uses what the first
// has accumulated and stores in each iteration.
TEST_F(ReferenceTest, BlockGraphWithTwoLoops) {
  expectEqual(R"(
    func.func @spec(%x: tensor<3x10xf32>) -> tensor<3x10xf32> {
      %0 = mugraph.softmax %x dim = 1 : tensor<3x10xf32>
      return %0 : tensor<3x10xf32>
    }
    func.func @block(%x: tensor<3x10xf32>) -> tensor<3x10xf32> {
      %y = mugraph.block_graph grid = [2] loops = [3, 3, 5]
             ins(%x tile [g0, l0] : tensor<3x10xf32>, %x tile [g0, l1] : tensor<3x10xf32>,
                 %x tile [g0, l2] : tensor<3x10xf32>)
             outs(tile [g0, l2] : tensor<3x10xf32>) {
      ^bb0(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>, %c: tensor<2x2xf32>):
        %r = mugraph.reduce max %a dims = [1] : tensor<2x4xf32> -> tensor<2x1xf32>
        %m = mugraph.accumulate max %r over l0 : tensor<2x1xf32>
        %d = mugraph.sub %b, %m : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
        %e = mugraph.exp %d : tensor<2x4xf32>
        %f = mugraph.reduce sum %e dims = [1] : tensor<2x4xf32> -> tensor<2x1xf32>
        %s = mugraph.accumulate sum %f over l1 : tensor<2x1xf32>
        %g = mugraph.sub %c, %m : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
        %h = mugraph.exp %g : tensor<2x2xf32>
        %o = mugraph.div %h, %s : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
        mugraph.yield %o : tensor<2x2xf32>
      }
      return %y : tensor<3x10xf32>
    })",
              {noise(30, 4)});
}

// Sums of whole tiles over iterations, with a last tile that has fewer rows.
TEST_F(ReferenceTest, BlockGraphAccumulatesTilesThatEnd) {
  expectEqual(R"(
    func.func @spec(%x: tensor<10x3xf32>) -> tensor<4x3xf32> {
      %0 = mugraph.slice %x offsets = [0, 0] sizes = [4, 3] : tensor<10x3xf32> -> tensor<4x3xf32>
      %1 = mugraph.slice %x offsets = [4, 0] sizes = [4, 3] : tensor<10x3xf32> -> tensor<4x3xf32>
      %2 = mugraph.slice %x offsets = [8, 0] sizes = [2, 3] : tensor<10x3xf32> -> tensor<2x3xf32>
      %3 = mugraph.slice %x offsets = [0, 0] sizes = [2, 3] : tensor<10x3xf32> -> tensor<2x3xf32>
      %z = mugraph.sub %3, %3 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
      %4 = mugraph.concat %2, %z dim = 0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
      %5 = mugraph.add %0, %1 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
      %6 = mugraph.add %5, %4 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
      return %6 : tensor<4x3xf32>
    }
    func.func @block(%x: tensor<10x3xf32>) -> tensor<4x3xf32> {
      %y = mugraph.block_graph grid = [1] loops = [3]
             ins(%x tile [l0, _] : tensor<10x3xf32>) outs(tile [_, _] : tensor<4x3xf32>) {
      ^bb0(%a: tensor<4x3xf32>):
        %s = mugraph.accumulate sum %a over l0 : tensor<4x3xf32>
        mugraph.yield %s : tensor<4x3xf32>
      }
      return %y : tensor<4x3xf32>
    })",
              {noise(30, 5)});
}

// Nested indices and a shift: the right half of a tensor, copied.
TEST_F(ReferenceTest, BlockGraphWithNestsAndShifts) {
  expectEqual(R"(
    func.func @spec(%x: tensor<6x10xf32>) -> tensor<6x5xf32> {
      %0 = mugraph.slice %x offsets = [0, 5] sizes = [6, 5] : tensor<6x10xf32> -> tensor<6x5xf32>
      return %0 : tensor<6x5xf32>
    }
    func.func @block(%x: tensor<6x10xf32>) -> tensor<6x5xf32> {
      %y = mugraph.block_graph grid = [3] loops = [2]
             ins(%x tile [(g0, l0), _ + 5] : tensor<6x10xf32>) outs(tile [(g0, l0), _] : tensor<6x5xf32>) {
      ^bb0(%a: tensor<1x5xf32>):
        mugraph.yield %a : tensor<1x5xf32>
      }
      return %y : tensor<6x5xf32>
    })",
              {noise(60, 6)});
}

TEST_F(ReferenceTest, OutlinedPointwise) {
  expectOutlines(R"(
    func.func @f(%x: tensor<17x100xf32>, %y: tensor<100xf32>, %z: tensor<17x1xf32>) -> tensor<17x100xf32> {
      %0 = mugraph.add %x, %y : (tensor<17x100xf32>, tensor<100xf32>) -> tensor<17x100xf32>
      %1 = mugraph.sub %z, %0 : (tensor<17x1xf32>, tensor<17x100xf32>) -> tensor<17x100xf32>
      %2 = mugraph.exp %1 : tensor<17x100xf32>
      return %2 : tensor<17x100xf32>
    })");
  expectOutlines(R"(
    func.func @f(%x: tensor<3x2x5x7xf32>, %y: tensor<2x1x7xf32>) -> tensor<3x2x5x7xf32> {
      %0 = mugraph.silu %x : tensor<3x2x5x7xf32>
      %1 = mugraph.mul %0, %y : (tensor<3x2x5x7xf32>, tensor<2x1x7xf32>) -> tensor<3x2x5x7xf32>
      return %1 : tensor<3x2x5x7xf32>
    })");
  expectOutlines(R"(
    func.func @f(%x: tensor<f32>) -> tensor<f32> {
      %0 = mugraph.exp %x : tensor<f32>
      return %0 : tensor<f32>
    })");
}

TEST_F(ReferenceTest, OutlinedShapeOps) {
  expectOutlines(R"(
    func.func @f(%x: tensor<100x70xf32>) -> tensor<70x100xf32> {
      %0 = mugraph.transpose %x perm = [1, 0] : tensor<100x70xf32> -> tensor<70x100xf32>
      return %0 : tensor<70x100xf32>
    })");
  expectOutlines(R"(
    func.func @f(%x: tensor<4x6x10xf32>, %y: tensor<4x6x3xf32>) -> tensor<60x12xf32> {
      %0 = mugraph.slice %x offsets = [1, 0, 3] sizes = [2, 6, 5] : tensor<4x6x10xf32> -> tensor<2x6x5xf32>
      %1 = mugraph.broadcast %0 : tensor<2x6x5xf32> -> tensor<2x2x6x5xf32>
      %2 = mugraph.reshape %1 : tensor<2x2x6x5xf32> -> tensor<12x10xf32>
      %3 = mugraph.transpose %2 perm = [1, 0] : tensor<12x10xf32> -> tensor<10x12xf32>
      %4 = mugraph.reshape %3 : tensor<10x12xf32> -> tensor<1x10x1x12xf32>
      %5 = mugraph.transpose %4 perm = [2, 1, 0, 3] : tensor<1x10x1x12xf32> -> tensor<1x10x1x12xf32>
      %6 = mugraph.reshape %5 : tensor<1x10x1x12xf32> -> tensor<10x12xf32>
      %7 = mugraph.concat %6, %6, %6, %6, %6, %6 dim = 0 : (tensor<10x12xf32>, tensor<10x12xf32>, tensor<10x12xf32>, tensor<10x12xf32>, tensor<10x12xf32>, tensor<10x12xf32>) -> tensor<60x12xf32>
      return %7 : tensor<60x12xf32>
    })");
  expectOutlines(R"(
    func.func @f(%x: tensor<2x3x4xf32>, %y: tensor<2x3x5xf32>) -> tensor<2x3x9xf32> {
      %0 = mugraph.concat %x, %y dim = 2 : (tensor<2x3x4xf32>, tensor<2x3x5xf32>) -> tensor<2x3x9xf32>
      return %0 : tensor<2x3x9xf32>
    })");
}

TEST_F(ReferenceTest, OutlinedRows) {
  for (StringRef op : {"softmax %x dim = 1", "softmax %x dim = 0",
                       "rms_norm %x {eps = 1.0e-5 : f64}",
                       "layer_norm %x {eps = 1.0e-5 : f64}"})
    expectOutlines(llvm::formatv("func.func @f(%x: tensor<17x100xf32>) -> "
                                 "tensor<17x100xf32> {{ %0 = mugraph.{0} : "
                                 "tensor<17x100xf32> return %0 : "
                                 "tensor<17x100xf32> }",
                                 op)
                       .str());
  expectOutlines(R"(
    func.func @f(%x: tensor<2x3x4x5xf32>, %g: tensor<5xf32>) -> tensor<2x3x1x5xf32> {
      %0 = mugraph.softmax %x dim = 2 : tensor<2x3x4x5xf32>
      %1 = mugraph.layer_norm %0, %g, %g {eps = 0.5 : f64} : tensor<2x3x4x5xf32>, tensor<5xf32>, tensor<5xf32>
      %2 = mugraph.reduce mean %1 dims = [2] : tensor<2x3x4x5xf32> -> tensor<2x3x1x5xf32>
      return %2 : tensor<2x3x1x5xf32>
    })");
}

// Rows longer than a tile: loops over the row, with a last tile cut off.
TEST_F(ReferenceTest, OutlinedLongRows) {
  for (StringRef op :
       {"softmax %x dim = 1", "rms_norm %x, %g {eps = 1.0e-5 : f64}",
        "layer_norm %x, %g, %g {eps = 1.0e-5 : f64}"}) {
    std::string types = "tensor<2x10000xf32>";
    for (size_t i = 0; i < op.count("%g"); ++i)
      types += ", tensor<10000xf32>";
    expectOutlines(
        llvm::formatv("func.func @f(%x: tensor<2x10000xf32>, %g: "
                      "tensor<10000xf32>) -> tensor<2x10000xf32> {{ %0 = "
                      "mugraph.{0} : {1} return %0 : tensor<2x10000xf32> }",
                      op, types)
            .str());
  }
  for (StringRef kind : {"sum", "mean", "max", "min"})
    expectOutlines(
        llvm::formatv("func.func @f(%x: tensor<9001x3xf32>) -> tensor<1x3xf32> "
                      "{{ %0 = mugraph.reduce {0} %x dims = [0] : "
                      "tensor<9001x3xf32> -> tensor<1x3xf32> return %0 : "
                      "tensor<1x3xf32> }",
                      kind)
            .str());
  expectOutlines(R"(
    func.func @f(%x: tensor<120x130xf32>) -> tensor<1x1xf32> {
      %0 = mugraph.reduce mean %x dims = [0, 1] : tensor<120x130xf32> -> tensor<1x1xf32>
      return %0 : tensor<1x1xf32>
    })");
}

TEST_F(ReferenceTest, OutlinedMatmul) {
  auto matmul = [&](StringRef a, StringRef b, StringRef c) {
    expectOutlines(llvm::formatv("func.func @f(%a: tensor<{0}xf32>, %b: "
                                 "tensor<{1}xf32>) -> tensor<{2}xf32> {{ %0 = "
                                 "mugraph.matmul %a, %b : (tensor<{0}xf32>, "
                                 "tensor<{1}xf32>) -> tensor<{2}xf32> return "
                                 "%0 : tensor<{2}xf32> }",
                                 a, b, c)
                       .str());
  };
  matmul("17x100", "100x70", "17x70");
  matmul("5x7", "7x3", "5x3");
  matmul("1x128", "128x1", "1x1");
  matmul("3x70x20", "3x20x80", "3x70x80");
  matmul("2x3x5x7", "2x3x7x4", "2x3x5x4");
  matmul("2x3x5x7", "7x4", "2x3x5x4");
  matmul("2x1x5x7", "3x7x4", "2x3x5x4");
}

} // namespace
