//===- AssignProblemTest.cpp - Assignment against enumeration -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AssignProblem.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// Writes random tile programs of a few operations: loads, arithmetic, views,
/// reductions, products, loops, branches; what nobody uses is stored.
class ProgramWriter {
public:
  explicit ProgramWriter(std::mt19937 &random) : random(random) {}

  std::string write() {
    for (int i = 0; i < 2; ++i)
      load(pickShape());
    for (unsigned left = 2 + random() % 4; left > 0; --left)
      step();
    for (size_t i = 0; i < tiles.size(); ++i)
      if (!tiles[i].used)
        text += "layout.store " + tiles[i].name + ", %out" + tiles[i].shape +
                "[%c0, %c0] : tensor<" + tiles[i].shape + "xf32>, memref<" +
                tiles[i].shape + "xf32>\n";
    return R"(
      gpu.module @m {
        gpu.func @k(%in16x32: memref<16x32xf32>, %in32x16: memref<32x16xf32>,
                    %out16x32: memref<16x32xf32>, %out32x16: memref<32x16xf32>) kernel
            attributes {known_block_size = array<i32: 64, 1, 1>} {
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : index
          %c4 = arith.constant 4 : index
          %b = gpu.block_id x
          %yes = arith.cmpi eq, %b, %c0 : index
    )" + text +
           "gpu.return\n}\n}\n";
  }

private:
  struct Tile {
    std::string name, shape;
    bool used = false;
  };

  std::string pickShape() { return random() % 2 ? "16x32" : "32x16"; }
  std::string fresh() { return "%v" + std::to_string(count++); }
  std::string type(const std::string &shape) {
    return "tensor<" + shape + "xf32>";
  }

  std::string define(const std::string &shape) {
    tiles.push_back({fresh(), shape});
    return tiles.back().name;
  }
  Tile pick() {
    Tile &tile = tiles[random() % tiles.size()];
    tile.used = true;
    return tile;
  }
  Tile pickLike(const std::string &shape) {
    std::vector<Tile *> fitting;
    for (Tile &tile : tiles)
      if (tile.shape == shape)
        fitting.push_back(&tile);
    Tile &tile = *fitting[random() % fitting.size()];
    tile.used = true;
    return tile;
  }

  void load(const std::string &shape) {
    text += define(shape) + " = layout.load %in" + shape +
            "[%c0, %c0] : memref<" + shape + "xf32> -> " + type(shape) + "\n";
  }

  void step() {
    Tile a = pick();
    std::string t = type(a.shape);
    switch (random() % 6) {
    case 0: {
      Tile b = pickLike(a.shape);
      text += define(a.shape) + " = arith.addf " + a.name + ", " + b.name +
              " : " + t + "\n";
      return;
    }
    case 1:
      text += define(a.shape) + " = math.exp " + a.name + " : " + t + "\n";
      return;
    case 2: {
      std::string turned = a.shape == "16x32" ? "32x16" : "16x32";
      text += define(turned) + " = layout.transpose " + a.name +
              " perm = [1, 0] : " + t + " -> " + type(turned) + "\n";
      return;
    }
    case 3: {
      std::string small = a.shape == "16x32" ? "16x1" : "32x1";
      std::string sum = fresh();
      text += sum + " = layout.reduce sum " + a.name + " axis = 1 : " + t +
              " -> " + type(small) + "\n" + define(a.shape) +
              " = layout.broadcast " + sum + " : " + type(small) + " -> " + t +
              "\n";
      return;
    }
    case 4: {
      Tile b = pickLike(a.shape);
      std::string acc = fresh(), sum = fresh();
      text += define(a.shape) +
              " = scf.for %i = %c0 to %c4 step %c1 iter_args(" + acc + " = " +
              a.name + ") -> " + t + " {\n" + sum + " = arith.mulf " + acc +
              ", " + b.name + " : " + t + "\nscf.yield " + sum + " : " + t +
              "\n}\n";
      return;
    }
    case 5: {
      Tile b = pickLike(a.shape);
      std::string other = fresh();
      text += define(a.shape) + " = scf.if %yes -> " + t + " {\nscf.yield " +
              a.name + " : " + t + "\n} else {\n" + other + " = math.exp " +
              b.name + " : " + t + "\nscf.yield " + other + " : " + t + "\n}\n";
      return;
    }
    }
  }

  std::mt19937 &random;
  std::vector<Tile> tiles;
  unsigned count = 0;
  std::string text;
};

class AssignProblemTest : public testing::Test {
protected:
  AssignProblemTest() {
    context.loadDialect<LayoutDialect, gpu::GPUDialect, scf::SCFDialect,
                        arith::ArithDialect, math::MathDialect>();
  }

  gpu::GPUFuncOp parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    gpu::GPUFuncOp kernel;
    if (module)
      module->walk([&](gpu::GPUFuncOp op) { kernel = op; });
    return kernel;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

/// Choices that there are; too many are not counted.
size_t countChoices(const AssignProblem &problem, size_t most) {
  size_t count = 1;
  for (const AssignProblem::Node &node : problem.nodes()) {
    count *= node.candidates.size();
    if (count > most)
      return most + 1;
  }
  return count;
}

double enumerate(AssignProblem &problem) {
  AssignProblem::Choices choices;
  for (const AssignProblem::Node &node : problem.nodes())
    choices.push_back(node.candidates.front());
  SmallVector<unsigned> at(choices.size(), 0);
  double least = problem.cost(choices);
  while (true) {
    unsigned number = 0;
    for (; number < at.size(); ++number) {
      const auto &candidates = problem.nodes()[number].candidates;
      at[number] = at[number] + 1 < candidates.size() ? at[number] + 1 : 0;
      choices[number] = candidates[at[number]];
      if (at[number] != 0)
        break;
    }
    if (number == at.size())
      return least;
    least = std::min(least, problem.cost(choices));
  }
}

/// No other choice of candidates is cheaper, on both vendors.
TEST_F(AssignProblemTest, EqualsEnumeration) {
  const unsigned seed = 1125;
  std::mt19937 random(seed);
  constexpr size_t mostChoices = 20000;
  unsigned compared = 0, withLoops = 0;
  size_t enumerated = 0;
  for (int number = 0; number < 100; ++number) {
    std::string text = ProgramWriter(random).write();
    SCOPED_TRACE("seed " + std::to_string(seed) + ", program " +
                 std::to_string(number) + ":\n" + text);
    gpu::GPUFuncOp kernel = parse(text);
    ASSERT_TRUE(kernel);
    bool isNVIDIA = number % 2 == 0;
    const TargetDescription &target =
        *lookupTarget(isNVIDIA ? "sm_90a" : "gfx942");
    BlockThreads threads{isNVIDIA ? 5u : 6u, isNVIDIA ? 1u : 0u};
    AssignProblem problem(kernel, threads, target, /*maxCandidates=*/4);
    if (countChoices(problem, mostChoices) > mostChoices)
      continue;
    auto solution = problem.solve();
    ASSERT_TRUE(succeeded(solution));
    EXPECT_TRUE(solution->isOptimal());
    double least = enumerate(problem);
    EXPECT_NEAR(solution->cost, least, 1e-9 * least);
    EXPECT_NEAR(problem.cost(solution->choices), least, 1e-9 * least);
    ++compared;
    enumerated += countChoices(problem, mostChoices);
    withLoops += text.find("scf.for") != std::string::npos;
  }
  EXPECT_GT(compared, 20u);
  EXPECT_GT(withLoops, 5u);
  EXPECT_GT(enumerated, 10000u) << compared;
}

/// With all candidates the answer is still proved to be the cheapest.
TEST_F(AssignProblemTest, ProvedWithAllCandidates) {
  const unsigned seed = 3;
  std::mt19937 random(seed);
  for (int number = 0; number < 4; ++number) {
    std::string text = ProgramWriter(random).write();
    SCOPED_TRACE("seed " + std::to_string(seed) + ":\n" + text);
    gpu::GPUFuncOp kernel = parse(text);
    ASSERT_TRUE(kernel);
    AssignProblem problem(kernel, {5, 1}, *lookupTarget("sm_90a"));
    auto solution = problem.solve();
    ASSERT_TRUE(succeeded(solution));
    EXPECT_TRUE(solution->isOptimal())
        << solution->cost << " against " << solution->bound;
  }
}

/// A conversion whose scratch does not fit is not one.
TEST_F(AssignProblemTest, ScratchMustFit) {
  const TargetDescription &target = *lookupTarget("sm_90a");
  auto blocked = [&](ArrayRef<unsigned> order) {
    return blockedLayout(&context, {64, 64}, order, 4, {5, 2}, false);
  };
  LinearLayoutAttr rows = blocked({1, 0}), columns = blocked({0, 1});
  EXPECT_LT(LayoutCost(target, 1 << 16).conversion(rows, columns, 32), 1e6);
  EXPECT_GT(LayoutCost(target, 1 << 10).conversion(rows, columns, 32), 1e6);
}

} // namespace
