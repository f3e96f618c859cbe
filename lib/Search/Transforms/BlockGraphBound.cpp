//===- BlockGraphBound.cpp - What a kernel takes at least -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockGraphBound.h"

#include "../WorkCounter.h"
#include "mirage/Dialect/MuGraph/IR/Stages.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

static double elementsOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getNumElements();
}

/// Tiles are computed as wide as the powers of two that cover them.
static double coverOf(Value tile) {
  double count = 1;
  for (int64_t extent : cast<RankedTensorType>(tile.getType()).getShape())
    count *= double(llvm::PowerOf2Ceil(extent));
  return count;
}

static double bitsOf(Type type) {
  return cast<RankedTensorType>(type).getElementTypeBitWidth();
}

/// Bytes of a tile that are consecutive in memory.
static double runBytes(RankedTensorType tile, RankedTensorType whole) {
  double bytes = bitsOf(whole) / 8;
  for (auto [cut, extent] :
       llvm::reverse(llvm::zip(tile.getShape(), whole.getShape()))) {
    bytes *= std::min(cut, extent);
    if (cut < extent)
      break;
  }
  return bytes;
}

static Value withoutViews(Value value) {
  while (Operation *view = value.getDefiningOp()) {
    if (!isa<mugraph::ReshapeOp, mugraph::TransposeOp>(view))
      break;
    value = view->getOperand(0);
  }
  return value;
}

namespace {
/// The work of a block graph for a number of threads.
class BoundCounter {
public:
  BoundCounter(BlockGraphOp graph, const StageAnalysis &stages,
               const TargetDescription &target, unsigned threads)
      : graph(graph), stages(stages), target(target) {
    work.threads = threads;
  }

  /// Nothing if the products do not fit the registers.
  std::optional<KernelWork> count();

private:
  double executions(Value value) {
    std::optional<unsigned> loop = stages.lookup(value).loop;
    return loop ? graph.getLoops()[*loop] : 1;
  }
  void countInputs();
  void countStores();
  void countOp(Operation &op, double times);
  /// A product as it is computed.
  struct ProductSides {
    double rows, columns, depth, batch;
    search::WarpGrid warps;
  };
  ProductSides sidesOf(Value left, Value result);
  void countProduct(const ProductSides &sides, Value left, Value right,
                    double times);
  void countOperand(Value operand);
  void countScalars(double elements, bool isFunction, double times);
  void countRows(Value value, unsigned reductions, double times);
  bool isFragmentsOnly(Value operand);
  void countRegisters(const ProductSides &sides, Value left, Value right);

  BlockGraphOp graph;
  const StageAnalysis &stages;
  const TargetDescription &target;
  KernelWork work;
  llvm::SmallPtrSet<Value, 8> operands;  ///< of products, in shared memory.
  llvm::SmallPtrSet<Value, 8> exchanged; ///< between warps.
  double slotBytes = 0; ///< of operands that an iteration loads.
  double registers = 0; ///< of a thread, for the largest product.
};
} // namespace

void BoundCounter::countInputs() {
  llvm::SmallPtrSet<Value, 4> seen;
  for (auto [number, input] : llvm::enumerate(graph.getInputs())) {
    RankedTensorType tile = graph.getInputTile(number);
    auto whole = cast<RankedTensorType>(input.getType());
    double clipped = bitsOf(whole) / 8;
    for (auto [cut, extent] : llvm::zip(tile.getShape(), whole.getShape()))
      clipped *= std::min(cut, extent);
    double run = runBytes(tile, whole);
    work.loadBytes += clipped * wasteOfRuns(run) *
                      executions(graph.getBodyBlock()->getArgument(number));
    if (!seen.insert(input).second)
      continue;
    double bytes = elementsOf(input) * bitsOf(whole) / 8;
    work.uniqueLoadBytes += bytes;
    work.uniqueLoadCost += bytes * memoryWasteOfRuns(run);
  }
}

void BoundCounter::countStores() {
  for (auto [number, output] : llvm::enumerate(graph.getOutputs())) {
    auto whole = cast<RankedTensorType>(output.getType());
    work.storeBytes +=
        elementsOf(output) * bitsOf(whole) / 8 / work.blocks *
        wasteOfRuns(runBytes(graph.getOutputTile(number), whole));
  }
}

// A step keeps all threads busy, however small its tile is.
void BoundCounter::countScalars(double elements, bool isFunction,
                                double times) {
  double count = std::max<double>(elements, work.threads) * times;
  work.vectorOps += 2 * count;
  if (isFunction)
    work.specialOps += count;
}

// An operand of a product goes through shared memory.
void BoundCounter::countOperand(Value operand) {
  if (!operands.insert(operand).second)
    return;
  bool isLoaded =
      isa<BlockArgument>(operand) && stages.lookup(operand).loop.has_value();
  (isLoaded ? slotBytes : work.sharedBytes) +=
      coverOf(operand) * bitsOf(operand.getType()) / 8;
}

// A composite op over rows: each reduction reads what an elementwise op made.
void BoundCounter::countRows(Value value, unsigned reductions, double times) {
  double elements = coverOf(value);
  double rows =
      elements / cast<RankedTensorType>(value.getType()).getShape().back();
  for (unsigned i = 0; i < reductions; ++i) {
    countScalars(elements, false, times);
    countScalars(elements, false, times);
    work.vectorOps += 32 * rows;
    work.barriers += 2 * times;
  }
  countScalars(rows, true, times);
  countScalars(elements, false, times);
}

// Whether a loop loads it to shared memory, and it is read as fragments only.
bool BoundCounter::isFragmentsOnly(Value operand) {
  return target.hasAsyncCopy && isa<BlockArgument>(operand) &&
         stages.lookup(operand).loop.has_value() &&
         llvm::all_of(operand.getUsers(), [](Operation *user) {
           return isa<MatmulOp, AccumulateSoftmaxOp>(user);
         });
}

// Operands as they come, and as fragments of each warp.
void BoundCounter::countRegisters(const ProductSides &sides, Value left,
                                  Value right) {
  double depth = std::min(sides.depth, search::maxFragmentDepth);
  double fragments = (sides.rows / sides.warps.alongRows +
                      sides.columns / sides.warps.alongColumns) *
                     depth / target.warpSize / 2;
  double held = 0;
  for (Value operand : {left, right})
    if (!isFragmentsOnly(operand))
      held += coverOf(operand) * bitsOf(operand.getType()) / 32;
  registers = std::max(registers, held / work.threads + fragments);
}

BoundCounter::ProductSides BoundCounter::sidesOf(Value left, Value result) {
  auto side = [&](int64_t extent, double least) {
    return std::max(double(llvm::PowerOf2Ceil(extent)), least);
  };
  auto shape = cast<RankedTensorType>(result.getType()).getShape();
  double edge = search::matrixEdge(target);
  ProductSides sides;
  sides.rows = side(shape[shape.size() - 2], edge);
  sides.columns = side(shape.back(), edge);
  sides.depth = side(cast<RankedTensorType>(left.getType()).getShape().back(),
                     search::minMatrixTile);
  sides.batch = 1;
  for (int64_t extent : shape.drop_back(2))
    sides.batch *= extent;
  sides.warps =
      search::warpGrid(sides.rows, sides.columns, work.threads, target);
  return sides;
}

// An operand that was computed gets to other warps through shared memory.
void BoundCounter::countProduct(const ProductSides &sides, Value left,
                                Value right, double times) {
  double flops =
      2 * times * sides.batch * sides.rows * sides.columns * sides.depth;
  bool isWide = bitsOf(right.getType()) > 16;
  (isWide ? work.vectorOps : work.matrixFlops) += flops;
  if (isWide)
    return;
  double readers[2] = {sides.warps.alongColumns, sides.warps.alongRows};
  for (auto [operand, others] : llvm::zip(ValueRange{left, right}, readers))
    if (!isa<BlockArgument>(withoutViews(operand)) && others > 1 &&
        exchanged.insert(operand).second)
      work.barriers += times;
}

/// The maximum of scores that a softmax accumulates has anyway.
static bool isMaximumOfSoftmax(ReduceOp reduce) {
  return reduce.getKind() == ReduceKind::Max &&
         llvm::any_of(reduce.getInput().getUsers(), [&](Operation *user) {
           auto softmax = dyn_cast<AccumulateSoftmaxOp>(user);
           return softmax && softmax.getScores() == reduce.getInput();
         });
}

void BoundCounter::countOp(Operation &op, double times) {
  llvm::TypeSwitch<Operation &>(op)
      .Case([&](MatmulOp product) {
        Value left = product.getLhs(), right = product.getRhs();
        ProductSides sides = sidesOf(left, product.getResult());
        countProduct(sides, left, right, times);
        countOperand(left);
        countOperand(right);
        if (bitsOf(right.getType()) <= 16)
          countRegisters(sides, left, right);
      })
      .Case([&](AccumulateSoftmaxOp softmax) {
        double count = coverOf(softmax.getScores()) * times;
        work.specialOps += count;
        work.vectorOps += 6 * count;
        work.barriers += 2 * times;
        for (auto [value, sum] :
             llvm::zip(softmax.getValues(), softmax.getNumerators())) {
          countProduct(sidesOf(softmax.getScores(), sum), softmax.getScores(),
                       value, times);
          countOperand(value);
        }
      })
      .Case([&](ReduceOp reduce) {
        if (isMaximumOfSoftmax(reduce))
          return;
        countScalars(coverOf(reduce.getInput()), false, times);
        work.vectorOps += 32 * coverOf(reduce.getResult());
        // What a loop accumulates is reduced across threads behind it.
        bool isLate = llvm::all_of(reduce->getUsers(), [](Operation *user) {
          return isa<AccumulateOp>(user);
        });
        work.barriers += isLate ? 2 : 2 * times;
      })
      .Case([&](RmsNormOp norm) { countRows(norm.getInput(), 1, times); })
      .Case<SoftmaxOp, LayerNormOp>(
          [&](auto rows) { countRows(rows.getInput(), 2, times); })
      .Case([&](DivOp quotient) {
        countScalars(coverOf(quotient.getRhs()), true, times);
        countScalars(coverOf(quotient.getResult()), false, times);
      })
      .Case<AddOp, SubOp, MulOp, MaximumOp, MinimumOp, SquareOp>([&](auto sum) {
        countScalars(coverOf(sum.getResult()), false, times);
      })
      .Case<ExpOp, LogOp, SqrtOp, RsqrtOp, ReciprocalOp, SiluOp, SigmoidOp,
            TanhOp, ErfOp, GeluOp, PowOp>([&](auto function) {
        countScalars(coverOf(function.getResult()), true, times);
      });
}

std::optional<KernelWork> BoundCounter::count() {
  for (int64_t extent : graph.getGrid())
    work.blocks *= extent;
  for (int64_t trips : graph.getLoops()) {
    work.rounds += trips;
    work.barriers += trips; // of the ring of its loads
  }
  countInputs();
  countStores();
  for (Operation &op : graph.getBodyBlock()->without_terminator()) {
    if (op.getNumResults() == 0)
      continue;
    // An accumulator runs in the loop that it ends.
    std::optional<unsigned> loop = getAccumulatorLoop(&op);
    double times = loop ? graph.getLoops()[*loop] : executions(op.getResult(0));
    if (auto thread = dyn_cast<ThreadGraphOp>(op))
      for (Operation &inner : thread.getBodyBlock()->without_terminator())
        countOp(inner, times);
    else
      countOp(op, times);
  }
  LoadRing ring = ringOf(slotBytes, work, target);
  work.sharedBytes += ring.slots * slotBytes;
  work.stages = ring.inFlight;
  if (registers > search::maxLiveRegisters)
    return std::nullopt;
  work.registersPerThread = search::baseRegisters + registers;
  return work;
}

std::optional<KernelCost>
mirage::mugraph::boundGraph(BlockGraphOp graph, const TargetDescription &target,
                            bool isFirst,
                            const std::optional<KernelCounts> &counts) {
  FailureOr<StageAnalysis> stages = StageAnalysis::compute(graph);
  if (failed(stages))
    return std::nullopt;
  SmallVector<unsigned> numbers = {64, 128, 256, 512, 1024};
  if (std::optional<uint64_t> threads = graph.getThreads())
    numbers = {unsigned(*threads)};
  std::optional<KernelCost> best;
  for (unsigned threads : numbers) {
    auto work = BoundCounter(graph, *stages, target, threads).count();
    if (!work)
      continue;
    if (counts)
      work->wavefronts = counts->sharedWavefronts() / work->blocks;
    std::optional<KernelCost> cost = priceKernel(*work, target, isFirst);
    if (cost && (!best || cost->seconds < best->seconds))
      best = cost;
  }
  return best;
}
