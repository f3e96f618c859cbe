//===- AxisTest.cpp - Reductions, scans and gathers in any layout ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random shapes and layouts (replicas, bases that mix dims, tiles spread over
// the blocks of a cluster), executed and compared with loops over the tensor.
// Inputs are small integers, so that every order of combining gives the same
// result. MIRAGE_SEED replays a run.
//
//===----------------------------------------------------------------------===//

#include "ChipTest.h"
#include "Counts.h"

#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Layout/AxisPlans.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cstdlib>
#include <functional>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::test;

namespace {

using Shape = llvm::SmallVector<int64_t>;
using Combine = std::function<double(double, double)>;

struct Kind {
  const char *name;
  Combine combine;
  double neutral; ///< of f32.
  bool integers;  ///< on integers only.
};

int64_t toInt(double x) { return static_cast<int64_t>(x); }

const Kind kinds[] = {
    {"sum", [](double x, double y) { return x + y; }, 0, false},
    {"max", [](double x, double y) { return std::max(x, y); }, -INFINITY,
     false},
    {"min", [](double x, double y) { return std::min(x, y); }, INFINITY, false},
    {"and", [](double x, double y) { return toInt(x) & toInt(y); }, -1, true},
    {"or", [](double x, double y) { return toInt(x) | toInt(y); }, 0, true},
    {"xor", [](double x, double y) { return toInt(x) ^ toInt(y); }, 0, true}};

double neutralOf(const Kind &kind, llvm::StringRef type) {
  if (!std::isinf(kind.neutral) || type.front() != 'i')
    return kind.neutral;
  double greatest = type == "i8" ? 127 : 2147483647;
  return kind.neutral < 0 ? -greatest - 1 : greatest;
}

class Axis : public ChipTest {
protected:
  Axis() {
    const char *text = std::getenv("MIRAGE_SEED");
    seed = text ? std::strtoul(text, nullptr, 10) : std::random_device{}();
    random.seed(seed);
  }

  unsigned below(unsigned bound) { return random() % bound; }

  Shape randomShape() {
    Shape shape;
    for (unsigned d = 0, e = 1 + below(3); d < e; ++d)
      shape.push_back(int64_t{1} << below(5));
    return shape;
  }
  /// A kernel of one block, or of a cluster of up to four where the chip has
  /// them.
  unsigned randomBlockBits() {
    return GetParam().hasClusters && below(2) ? 1 + below(2) : 0;
  }
  LinearLayoutAttr layout(const Shape &shape, unsigned blockBits = 0) {
    return randomLayout(random, shape, GetParam().laneBits, 2,
                        /*mixed=*/below(2), blockBits);
  }
  std::string type(bool integers) {
    const char *types[] = {"i8", "i32", "f32", "f16", "bf16"};
    return types[below(integers ? 2 : 5)];
  }

  std::string offsets(size_t rank) {
    std::string text = "[";
    for (size_t d = 0; d < rank; ++d)
      text += d ? ", %c0" : "%c0";
    return text + "]";
  }
  std::string load(llvm::StringRef name, unsigned argument, const Shape &shape,
                   llvm::StringRef type, const std::string &tile) {
    return ("%" + name + " = layout.load %p").str() + std::to_string(argument) +
           offsets(shape.size()) + " : " + memref(shape, type) + " -> " + tile +
           "\n";
  }
  std::string store(unsigned argument, const Shape &shape, llvm::StringRef type,
                    const std::string &tile) {
    return "layout.store %y, %p" + std::to_string(argument) +
           offsets(shape.size()) + " : " + tile + ", " + memref(shape, type);
  }

  /// Runs `body` between loads of the inputs %x, %i and a store of %y.
  Kernel kernel(const std::string &body, unsigned blockBits) {
    Kernel result = kernelFromZero(body);
    result.blocks = 1u << blockBits;
    return result;
  }

  /// Runs the kernel and compares its counters with what is foretold of it, if
  /// anything is.
  std::optional<sim::Counters> runCounted(const Kernel &kernel,
                                          std::vector<Data *> data) {
    auto counters = run(kernel, std::move(data));
    auto predicted = predictCounts(kernel);
    if (counters && predicted) {
      ++foretold;
      expectEqual(*predicted, *counters);
    }
    return counters;
  }

  unsigned seed, foretold = 0;
  std::mt19937 random;
};

/// A tensor cut along an axis: element (outer, i, inner).
struct Cut {
  int64_t outer = 1, size, inner = 1;

  Cut(const Shape &shape, unsigned axis) : size(shape[axis]) {
    for (unsigned d = 0; d < axis; ++d)
      outer *= shape[d];
    for (unsigned d = axis + 1; d < shape.size(); ++d)
      inner *= shape[d];
  }
  int64_t elements() const { return outer * size * inner; }
  int64_t at(int64_t row, int64_t i) const {
    return (row / inner * size + i) * inner + row % inner;
  }
  int64_t rows() const { return outer * inner; }
};

TEST_P(Axis, Reductions) {
  unsigned shuffles = 0, acrossBlocks = 0;
  for (int i = 0; i < 40; ++i) {
    const Kind &kind = kinds[below(6)];
    Shape shape = randomShape(), reduced = shape;
    unsigned axis = below(shape.size());
    reduced[axis] = 1;
    unsigned blockBits = randomBlockBits();
    auto from = layout(shape, blockBits);
    std::string element = type(kind.integers);
    std::string t = tile(shape, element, from);
    std::string r = tile(reduced, element, from.reduceDim(axis));
    Kernel kernel = this->kernel(
        load("x", 0, shape, element, t) + "%y = layout.reduce " + kind.name +
            " %x axis = " + std::to_string(axis) + " : " + t + " -> " + r +
            "\n" + store(1, reduced, element, r),
        blockBits);
    kernel.memrefs = {memref(shape, element), memref(reduced, element)};
    SCOPED_TRACE(kernel.body + "\nMIRAGE_SEED=" + std::to_string(seed));
    Cut cut(shape, axis);
    Data x = Data::random(element, cut.elements(), random(), /*integers=*/true);
    Data y = Data::zeros(element, cut.rows());
    auto counters = runCounted(kernel, {&x, &y});
    ASSERT_TRUE(counters);
    shuffles += counters->shuffles;
    acrossBlocks += !planReduction(from.getLinear(), axis).blockSteps.empty();
    for (int64_t row = 0; row < cut.rows(); ++row) {
      double expected = x.values[cut.at(row, 0)];
      for (int64_t j = 1; j < cut.size; ++j)
        expected = kind.combine(expected, x.values[cut.at(row, j)]);
      ASSERT_EQ(y.values[row], expected) << "row " << row;
    }
  }
  EXPECT_GT(foretold, 0u);
  EXPECT_GT(shuffles, 0u);
  EXPECT_EQ(acrossBlocks > 0, GetParam().hasClusters);
}

/// Whether y at a later index takes the place of x: numpy's argmax and argmin.
bool takesLater(double x, double y, bool isMax) {
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(y) && !std::isnan(x);
  return isMax ? y > x : y < x;
}

TEST_P(Axis, ReductionsWithIndices) {
  unsigned acrossWarps = 0, acrossBlocks = 0, ofNaN = 0, ofTies = 0;
  for (int i = 0; i < 60; ++i) {
    bool isMax = below(2);
    Shape shape = randomShape(), reduced = shape;
    unsigned axis = below(shape.size());
    reduced[axis] = 1;
    unsigned blockBits = randomBlockBits();
    auto from = layout(shape, blockBits);
    std::string element = type(/*integers=*/false);
    std::string t = tile(shape, element, from);
    std::string r = tile(reduced, element, from.reduceDim(axis));
    std::string n = tile(reduced, "i32", from.reduceDim(axis));
    Kernel kernel = this->kernel(
        load("x", 0, shape, element, t) + "%y, %i = layout.reduce " +
            (isMax ? "max" : "min") + " %x axis = " + std::to_string(axis) +
            " : " + t + " -> " + r + ", " + n + "\n" +
            store(1, reduced, element, r) + "\nlayout.store %i, %p2" +
            offsets(shape.size()) + " : " + n + ", " + memref(reduced, "i32"),
        blockBits);
    kernel.memrefs = {memref(shape, element), memref(reduced, element),
                      memref(reduced, "i32")};
    SCOPED_TRACE(kernel.body + "\nMIRAGE_SEED=" + std::to_string(seed));
    Cut cut(shape, axis);
    Data x = Data::random(element, cut.elements(), random(), /*integers=*/true);
    // Numbers that are few, so that many are equal, zeros of both signs,
    // infinities and, seldom, NaN.
    if (element.front() != 'i') {
      const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN};
      for (double &value : x.values)
        if (below(8) == 0)
          value = special[below(below(4) ? 4 : 5)];
    }
    Data y = Data::zeros(element, cut.rows()),
         index = Data::zeros("i32", cut.rows());
    ASSERT_TRUE(runCounted(kernel, {&x, &y, &index}));
    ReductionPlan plan = planReduction(from.getLinear(), axis);
    acrossWarps += plan.warpBits > 0;
    acrossBlocks += !plan.blockSteps.empty();
    for (int64_t row = 0; row < cut.rows(); ++row) {
      int64_t best = 0;
      for (int64_t j = 1; j < cut.size; ++j) {
        ofTies += x.values[cut.at(row, best)] == x.values[cut.at(row, j)];
        if (takesLater(x.values[cut.at(row, best)], x.values[cut.at(row, j)],
                       isMax))
          best = j;
      }
      double expected = x.values[cut.at(row, best)];
      ASSERT_EQ(index.values[row], best) << "row " << row;
      ofNaN += std::isnan(expected);
      if (std::isnan(expected))
        ASSERT_TRUE(std::isnan(y.values[row]));
      else
        ASSERT_EQ(toBits(y.values[row], element), toBits(expected, element));
    }
  }
  EXPECT_GT(acrossWarps, 0u);
  EXPECT_GT(foretold, 0u);
  EXPECT_GT(ofNaN, 0u);
  EXPECT_GT(ofTies, 0u);
  EXPECT_EQ(acrossBlocks > 0, GetParam().hasClusters);
}

TEST_P(Axis, Scans) {
  unsigned countedAcrossWarps = 0, acrossBlocks = 0;
  for (int i = 0; i < 60; ++i) {
    const Kind &kind = kinds[below(6)];
    Shape shape = randomShape();
    unsigned axis = below(shape.size());
    bool exclusive = below(2), reverse = below(2);
    std::string element = type(kind.integers);
    unsigned blockBits = randomBlockBits();
    LinearLayoutAttr from = layout(shape, blockBits);
    std::string t = tile(shape, element, from);
    Kernel kernel = this->kernel(
        load("x", 0, shape, element, t) + "%y = layout.scan " + kind.name +
            " %x axis = " + std::to_string(axis) +
            (exclusive ? " exclusive" : "") + (reverse ? " reverse" : "") +
            " : " + t + "\n" + store(1, shape, element, t),
        blockBits);
    kernel.memrefs = {memref(shape, element), memref(shape, element)};
    SCOPED_TRACE(kernel.body + "\nMIRAGE_SEED=" + std::to_string(seed));
    Cut cut(shape, axis);
    Data x = Data::random(element, cut.elements(), random(), /*integers=*/true);
    Data y = Data::zeros(element, cut.elements());
    unsigned foretoldBefore = foretold;
    ASSERT_TRUE(runCounted(kernel, {&x, &y}));
    for (int64_t row = 0; row < cut.rows(); ++row) {
      double sum = neutralOf(kind, element);
      for (int64_t j = 0; j < cut.size; ++j) {
        int64_t at = cut.at(row, reverse ? cut.size - 1 - j : j);
        double next = kind.combine(sum, x.values[at]);
        ASSERT_EQ(y.values[at], exclusive ? sum : next) << "element " << at;
        sum = next;
      }
    }
    for (const ScanPlan::Step &step : planScan(from.getLinear(), axis).steps) {
      countedAcrossWarps +=
          step.reach == ScanPlan::Reach::Block && foretold > foretoldBefore;
      acrossBlocks += step.reach == ScanPlan::Reach::Cluster;
    }
  }
  EXPECT_GT(countedAcrossWarps, 0u);
  EXPECT_EQ(acrossBlocks > 0, GetParam().hasClusters);
}

/// `kind` along an axis, in place.
void scanNaively(const Kind &kind, const Cut &cut, bool reverse,
                 std::vector<double> &values) {
  for (int64_t row = 0; row < cut.rows(); ++row)
    for (int64_t j = 1; j < cut.size; ++j) {
      int64_t at = cut.at(row, reverse ? cut.size - 1 - j : j);
      int64_t before = cut.at(row, reverse ? cut.size - j : j - 1);
      values[at] = kind.combine(values[before], values[at]);
    }
}

/// Scans along two dims in a loop, all with the same scratch: the simulator
/// reports whoever overtakes a reader.
TEST_P(Axis, ScansOneAfterTheOther) {
  unsigned acrossBlocks = 0;
  for (int i = 0; i < 20; ++i) {
    Shape shape = randomShape();
    unsigned first = below(shape.size()), second = below(shape.size());
    unsigned blockBits = randomBlockBits();
    LinearLayoutAttr from = layout(shape, blockBits);
    std::string t = tile(shape, "i32", from);
    Kernel kernel = this->kernel(
        "%c1 = arith.constant 1 : index\n%c3 = arith.constant 3 : index\n" +
            load("x", 0, shape, "i32", t) +
            "%y = scf.for %i = %c0 to %c3 step %c1 iter_args(%v = %x) -> (" +
            t + ") {\n%a = layout.scan sum %v axis = " + std::to_string(first) +
            " : " + t + "\n%b = layout.scan max %a axis = " +
            std::to_string(second) + " reverse : " + t +
            "\nscf.yield %b : " + t + "\n}\n" + store(1, shape, "i32", t),
        blockBits);
    kernel.memrefs = {memref(shape, "i32"), memref(shape, "i32")};
    SCOPED_TRACE(kernel.body + "\nMIRAGE_SEED=" + std::to_string(seed));
    Cut cut(shape, first), secondCut(shape, second);
    Data x = Data::random("i32", cut.elements(), random(), /*integers=*/true);
    Data y = Data::zeros("i32", cut.elements());
    ASSERT_TRUE(runCounted(kernel, {&x, &y}));
    for (int n = 0; n < 3; ++n) {
      scanNaively(kinds[0], cut, /*reverse=*/false, x.values);
      scanNaively(kinds[1], secondCut, /*reverse=*/true, x.values);
    }
    ASSERT_EQ(y.values, x.values);
    acrossBlocks += planScan(from.getLinear(), first).lastShared() ==
                    ScanPlan::Reach::Cluster;
  }
  EXPECT_GT(foretold, 0u);
  EXPECT_EQ(acrossBlocks > 0, GetParam().hasClusters);
}

/// Drops the n-th barrier of the cluster (both halves); false if there is none.
bool dropClusterBarrier(mlir::gpu::GPUModuleOp module, unsigned n) {
  llvm::SmallVector<mlir::Operation *> arrivals, waits;
  module.walk([&](mlir::Operation *op) {
    if (llvm::isa<mlir::NVVM::ClusterArriveOp>(op))
      arrivals.push_back(op);
    if (llvm::isa<mlir::NVVM::ClusterWaitOp>(op))
      waits.push_back(op);
  });
  EXPECT_EQ(arrivals.size(), waits.size());
  if (n >= arrivals.size())
    return false;
  arrivals[n]->erase();
  waits[n]->erase();
  return true;
}

/// Columns go through the four blocks of a cluster, and through them again.
class ClusterScan : public testing::Test {
protected:
  static constexpr const char *text = R"(
    #t = #layout.linear<register = [[0, 1]], lane = [[1, 0], [2, 0], [4, 0],
      [8, 0], [0, 2]], block = [[16, 0], [32, 0]] -> [64, 4]>
    gpu.module @m {
      gpu.func @k(%x: memref<64x4xi32>, %y: memref<64x4xi32>) kernel attributes
          {known_block_size = array<i32: 32, 1, 1>} {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c2 = arith.constant 2 : index
        %0 = layout.load %x[%c0, %c0] : memref<64x4xi32> -> tensor<64x4xi32, #t>
        %1 = scf.for %i = %c0 to %c2 step %c1 iter_args(%v = %0)
            -> (tensor<64x4xi32, #t>) {
          %s = layout.scan sum %v axis = 0 {layout.offset = 0 : i64}
              : tensor<64x4xi32, #t>
          scf.yield %s : tensor<64x4xi32, #t>
        }
        layout.store %1, %y[%c0, %c0] : tensor<64x4xi32, #t>, memref<64x4xi32>
        gpu.return
      }
    })";

  mlir::OwningOpRef<mlir::ModuleOp> lower() {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context());
    mlir::PassManager passes(&context());
    ConvertLayoutToLLVMOptions options;
    options.target = target.name.str();
    passes.addPass(createConvertLayoutToLLVM(options));
    EXPECT_TRUE(module && succeeded(passes.run(*module)));
    return module;
  }

  /// Runs it on ones, without the n-th barrier of the cluster if `n` is given.
  bool run(std::optional<unsigned> n = std::nullopt) {
    errors.clear();
    mlir::ScopedDiagnosticHandler handler(&context(),
                                          [&](mlir::Diagnostic &diagnostic) {
                                            errors += diagnostic.str() + "\n";
                                            return mlir::success();
                                          });
    auto module = lower();
    auto device = *module->getOps<mlir::gpu::GPUModuleOp>().begin();
    EXPECT_TRUE(!n || dropClusterBarrier(device, *n));
    auto simulator = sim::Simulator::create(device, target);
    std::vector<int32_t> ones(sums.size(), 1);
    uint64_t bytes = sums.size() * sizeof(int32_t);
    return succeeded(simulator) &&
           succeeded((*simulator)
                         ->launch("k", {4}, {32}, 1024,
                                  {sim::Argument::input(ones.data(), bytes),
                                   sim::Argument::buffer(sums.data(), bytes)}));
  }

  const TargetDescription &target = *lookupTarget("sm_90a");
  std::vector<int32_t> sums = std::vector<int32_t>(64 * 4);
  std::string errors;
};

TEST_F(ClusterScan, SumsOfSums) {
  ASSERT_TRUE(run()) << errors;
  for (int row = 0; row < 64; ++row)
    for (int column = 0; column < 4; ++column)
      ASSERT_EQ(sums[row * 4 + column], (row + 1) * (row + 2) / 2);
}

TEST_F(ClusterScan, EachBarrierIsNeeded) {
  auto module = lower();
  auto device = *module->getOps<mlir::gpu::GPUModuleOp>().begin();
  EXPECT_FALSE(dropClusterBarrier(device, 2)) << "there are two";
  for (unsigned n : {0, 1}) {
    EXPECT_FALSE(run(n)) << n;
    EXPECT_NE(errors.find("barrier"), std::string::npos) << errors;
  }
}

TEST_P(Axis, Gathers) {
  unsigned inWarp = 0, inClusters = 0;
  for (int i = 0; i < 40; ++i) {
    Shape shape = randomShape(), wanted = shape;
    unsigned axis = below(shape.size());
    unsigned blockBits = randomBlockBits();
    // Often the same layout: then the gather may stay in the warp.
    bool same = below(2);
    if (!same)
      wanted[axis] = int64_t{1} << below(5);
    LinearLayoutAttr from, to;
    do {
      from = layout(shape, blockBits);
      to = same ? from : layout(wanted, blockBits);
    } while (!gathersWithinBlocks(from.getLinear(), to.getLinear(), axis));
    inClusters += blockBits > 0;
    std::string element = type(/*integers=*/false);
    std::string t = tile(shape, element, from);
    std::string n = tile(wanted, "i32", to), r = tile(wanted, element, to);
    Kernel kernel = this->kernel(
        load("x", 0, shape, element, t) + load("i", 1, wanted, "i32", n) +
            "%y = layout.gather %x[%i] axis = " + std::to_string(axis) + " : " +
            t + ", " + n + " -> " + r + "\n" + store(2, wanted, element, r),
        blockBits);
    kernel.memrefs = {memref(shape, element), memref(wanted, "i32"),
                      memref(wanted, element)};
    SCOPED_TRACE(kernel.body + "\nMIRAGE_SEED=" + std::to_string(seed));
    Cut cut(shape, axis), result(wanted, axis);
    Data x = Data::random(element, cut.elements(), random(), /*integers=*/true);
    Data index = Data::zeros("i32", result.elements());
    for (double &number : index.values)
      number = static_cast<int>(below(64)) - 32;
    Data y = Data::zeros(element, result.elements());
    // Nobody needs an index where there is one element.
    auto counters = cut.size == 1 ? run(kernel, {&x, &index, &y})
                                  : runCounted(kernel, {&x, &index, &y});
    ASSERT_TRUE(counters);
    inWarp += counters->barriers == 0;
    for (int64_t row = 0; row < result.rows(); ++row)
      for (int64_t j = 0; j < result.size; ++j) {
        int64_t number = toInt(index.values[result.at(row, j)]);
        number &= cut.size - 1;
        ASSERT_EQ(y.values[result.at(row, j)], x.values[cut.at(row, number)])
            << "row " << row << ", " << j;
      }
  }
  EXPECT_GT(foretold, 0u);
  EXPECT_GT(inWarp, 0u);
  EXPECT_EQ(inClusters > 0, GetParam().hasClusters);
}

INSTANTIATE_TEST_SUITE_P(Chips, Axis,
                         testing::Values(Chip{"sm_90a", 5, true},
                                         Chip{"gfx942", 6}),
                         nameOfChip);

} // namespace
