//===- GeneratedMutantsTest.cpp - Changes of what the search finds --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs of the examples are searched for kernels, the kernels are changed at
// random, and each changed kernel is judged twice: by running it
// (`NaiveExecution.h`) and by the verifier. What computes something else must
// not be accepted, and must not be proved either, tests or no tests; nor may
// the certificate of the kernel prove it. The certificates of proofs are
// checked.
//
// MIRAGE_MUTANTS is the number of mutants (1000), MIRAGE_SEED their seed, and
// with MIRAGE_SHOW those are printed that compute the same and were rejected:
// equal by a law that the verifier does not know.
//
//===----------------------------------------------------------------------===//

#include "NaiveExecution.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Search/Transforms/Passes.h"
#include "mirage/Support/GeneratedInputs.h"
#include "mirage/Verify/Certificate.h"
#include "mirage/Verify/Proof.h"
#include "mirage/Verify/Verify.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>
#include <set>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {

//===----------------------------------------------------------------------===//
// Changes
//===----------------------------------------------------------------------===//

/// Makes one random change of a function.
class Mutator {
public:
  Mutator(func::FuncOp function, std::mt19937_64 &random)
      : function(function), random(random) {
    function.walk([&](Operation *op) {
      if (!isa<func::FuncOp, func::ReturnOp>(op))
        ops.push_back(op);
    });
  }

  /// No op is left to change.
  bool isDone() const { return ops.empty(); }
  /// The name of the change, empty if it did not apply.
  std::string change();

private:
  size_t below(size_t count) { return random() % count; }
  template <typename Op>
  Op pick();
  Operation *replace(Operation *op, StringRef name);

  std::string swapOperands();
  std::string replaceOp();
  std::string dropOp();
  std::string insertOp();
  std::string rewire();
  std::string changeScalar();
  std::string changeKind();
  std::string changeLoop();
  std::string changeMap();
  std::string changeExtent();
  std::string swapInputs();
  std::string swapResults();
  std::string changeParts();

  func::FuncOp function;
  std::mt19937_64 &random;
  SmallVector<Operation *> ops;
};

} // namespace

static constexpr StringLiteral unaryOps[] = {
    "mugraph.exp",     "mugraph.square", "mugraph.neg",  "mugraph.silu",
    "mugraph.relu",    "mugraph.sqrt",   "mugraph.abs",  "mugraph.reciprocal",
    "mugraph.sigmoid", "mugraph.tanh",   "mugraph.rsqrt"};
static constexpr StringLiteral binaryOps[] = {
    "mugraph.add", "mugraph.sub",     "mugraph.mul",
    "mugraph.div", "mugraph.maximum", "mugraph.minimum"};

template <typename Op>
Op Mutator::pick() {
  SmallVector<Op> found;
  for (Operation *op : ops)
    if (auto match = dyn_cast<Op>(op))
      found.push_back(match);
  return found.empty() ? Op() : found[below(found.size())];
}

/// `op` by another of the same operands and types; its attributes are kept if
/// it is of the same kind.
Operation *Mutator::replace(Operation *op, StringRef name) {
  OperationState state(op->getLoc(), name);
  state.addOperands(op->getOperands());
  state.addTypes(op->getResultTypes());
  OpBuilder builder(op);
  Operation *other = builder.create(state);
  op->replaceAllUsesWith(other);
  op->erase();
  return other;
}

std::string Mutator::swapOperands() {
  Operation *op = ops[below(ops.size())];
  if (op->getNumOperands() != 2 || isa<BlockGraphOp, YieldOp>(op))
    return "";
  Value first = op->getOperand(0);
  op->setOperand(0, op->getOperand(1));
  op->setOperand(1, first);
  return "operands of " + op->getName().getStringRef().str() + " swapped";
}

std::string Mutator::replaceOp() {
  Operation *op = ops[below(ops.size())];
  StringRef name = op->getName().getStringRef();
  bool isUnary = llvm::is_contained(unaryOps, name);
  if (!isUnary && !llvm::is_contained(binaryOps, name))
    return "";
  StringRef other = isUnary ? unaryOps[below(std::size(unaryOps))]
                            : binaryOps[below(std::size(binaryOps))];
  std::string what = name.str() + " made " + other.str();
  replace(op, other);
  return what;
}

std::string Mutator::dropOp() {
  Operation *op = ops[below(ops.size())];
  if (op->getNumOperands() == 0 || op->getNumResults() != 1)
    return "";
  Value operand = op->getOperand(below(op->getNumOperands()));
  if (operand.getType() != op->getResult(0).getType())
    return "";
  std::string what = op->getName().getStringRef().str() + " dropped";
  op->getResult(0).replaceAllUsesWith(operand);
  op->erase();
  return what;
}

std::string Mutator::insertOp() {
  Operation *op = ops[below(ops.size())];
  if (op->getNumResults() != 1)
    return "";
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  StringRef name = unaryOps[below(std::size(unaryOps))];
  OperationState state(op->getLoc(), name);
  state.addOperands(op->getResult(0));
  state.addTypes(op->getResult(0).getType());
  Operation *inserted = builder.create(state);
  op->getResult(0).replaceAllUsesExcept(inserted->getResult(0), inserted);
  return name.str() + " put after " + op->getName().getStringRef().str();
}

/// An operand reads another value of its type that is there already.
std::string Mutator::rewire() {
  Operation *op = ops[below(ops.size())];
  if (op->getNumOperands() == 0)
    return "";
  unsigned number = below(op->getNumOperands());
  SmallVector<Value> others;
  auto consider = [&](Value value) {
    if (value.getType() == op->getOperand(number).getType() &&
        value != op->getOperand(number))
      others.push_back(value);
  };
  for (BlockArgument argument : op->getBlock()->getArguments())
    consider(argument);
  for (Operation &before : *op->getBlock()) {
    if (&before == op)
      break;
    for (Value result : before.getResults())
      consider(result);
  }
  if (others.empty())
    return "";
  op->setOperand(number, others[below(others.size())]);
  return "operand #" + std::to_string(number) + " of " +
         op->getName().getStringRef().str() + " reads another value";
}

std::string Mutator::changeScalar() {
  static constexpr double factors[] = {2, 0.5, -1, 1.015625, 0, 4096};
  double factor = factors[below(std::size(factors))];
  Builder builder(function.getContext());
  auto changed = [&](const llvm::APFloat &value) {
    return builder.getF64FloatAttr(value.convertToDouble() * factor);
  };
  if (below(2)) {
    if (auto scale = pick<MulScalarOp>())
      return scale.setScalarAttr(changed(scale.getScalar())), "a factor";
  } else if (auto shift = pick<AddScalarOp>()) {
    return shift.setScalarAttr(changed(shift.getScalar())), "a summand";
  }
  return "";
}

std::string Mutator::changeKind() {
  if (below(2)) {
    auto reduce = pick<ReduceOp>();
    if (!reduce)
      return "";
    reduce.setKind(static_cast<ReduceKind>(below(4)));
    return "kind of a reduction";
  }
  auto accumulate = pick<AccumulateOp>();
  static constexpr AccumulateKind kinds[] = {
      AccumulateKind::Sum, AccumulateKind::Max, AccumulateKind::Min};
  if (!accumulate)
    return "";
  accumulate.setKind(kinds[below(3)]);
  return "kind of an accumulator";
}

std::string Mutator::changeLoop() {
  auto accumulate = pick<AccumulateOp>();
  if (!accumulate)
    return "";
  accumulate.setLoop(below(3));
  return "loop of an accumulator";
}

/// One entry of a tile map: exchanged with another, dropped, shifted or cut by
/// another index.
std::string Mutator::changeMap() {
  auto graph = pick<BlockGraphOp>();
  if (!graph)
    return "";
  bool isInput = below(3) != 0;
  ArrayAttr maps = isInput ? graph.getInputMaps() : graph.getOutputMaps();
  unsigned number = below(maps.size());
  auto map = cast<TileMapAttr>(maps[number]);
  SmallVector<TileDimAttr> dims(map.getDims());
  if (dims.empty())
    return "";
  MLIRContext *context = graph.getContext();
  TileDimAttr &entry = dims[below(dims.size())];
  SmallVector<TileIndex> indices(entry.getIndices());
  int64_t shift = entry.getShift();
  switch (below(5)) {
  case 0:
    std::swap(entry, dims[below(dims.size())]);
    indices.assign(entry.getIndices().begin(), entry.getIndices().end());
    break;
  case 1:
    if (!indices.empty())
      indices.erase(indices.begin() + below(indices.size()));
    break;
  case 2:
    indices.insert(indices.begin() + below(indices.size() + 1),
                   below(2) ? TileIndex::grid(below(3))
                            : TileIndex::loop(below(2)));
    break;
  case 3:
    if (indices.size() > 1)
      std::swap(indices.front(), indices.back());
    else if (indices.size() == 1)
      indices[0] =
          below(2) ? TileIndex::grid(below(3)) : TileIndex::loop(below(2));
    break;
  case 4:
    shift += 1 + below(32);
    break;
  }
  entry = TileDimAttr::get(context, indices, shift);
  SmallVector<Attribute> changed(maps.getValue());
  changed[number] = TileMapAttr::get(context, dims);
  ArrayAttr all = ArrayAttr::get(context, changed);
  isInput ? graph.setInputMapsAttr(all) : graph.setOutputMapsAttr(all);
  return isInput ? "map of an operand" : "map of a result";
}

std::string Mutator::changeExtent() {
  auto graph = pick<BlockGraphOp>();
  if (!graph)
    return "";
  bool isGrid = graph.getLoops().empty() || below(2);
  SmallVector<int64_t> extents(isGrid ? graph.getGrid() : graph.getLoops());
  int64_t &extent = extents[below(extents.size())];
  int64_t changed[] = {extent + 1, extent - 1, extent * 2, extent / 2, 1};
  extent = std::max<int64_t>(1, changed[below(5)]);
  isGrid ? graph.setGrid(extents) : graph.setLoops(extents);
  return isGrid ? "extent of the grid" : "extent of a loop";
}

std::string Mutator::swapInputs() {
  auto graph = pick<BlockGraphOp>();
  if (!graph || graph->getNumOperands() < 2)
    return "";
  unsigned a = below(graph->getNumOperands());
  unsigned b = below(graph->getNumOperands());
  Value first = graph->getOperand(a), second = graph->getOperand(b);
  graph->setOperand(a, second);
  graph->setOperand(b, first);
  return "operands of a block graph";
}

/// A slice begins elsewhere, or parts are joined in another order.
std::string Mutator::changeParts() {
  if (auto concat = pick<ConcatOp>(); concat && below(2)) {
    unsigned a = below(concat->getNumOperands());
    unsigned b = below(concat->getNumOperands());
    Value first = concat->getOperand(a);
    concat->setOperand(a, concat->getOperand(b));
    if (below(2)) // else the part stands there twice
      concat->setOperand(b, first);
    return "parts of a concatenation";
  }
  auto slice = pick<SliceOp>();
  if (!slice)
    return "";
  SmallVector<int64_t> offsets(slice.getOffsets());
  int64_t &offset = offsets[below(offsets.size())];
  int64_t changed[] = {offset + 1, offset - 1, offset + 16, offset - 16};
  offset = std::max<int64_t>(0, changed[below(4)]);
  slice.setOffsets(offsets);
  return "offset of a slice";
}

std::string Mutator::swapResults() {
  auto yield = pick<YieldOp>();
  if (!yield || yield->getNumOperands() < 2)
    return "";
  unsigned a = below(yield->getNumOperands());
  unsigned b = below(yield->getNumOperands());
  Value first = yield->getOperand(a);
  yield->setOperand(a, yield->getOperand(b));
  yield->setOperand(b, first);
  return "results of a block graph";
}

std::string Mutator::change() {
  using Change = std::string (Mutator::*)();
  static constexpr Change changes[] = {
      &Mutator::swapOperands, &Mutator::replaceOp,    &Mutator::dropOp,
      &Mutator::insertOp,     &Mutator::rewire,       &Mutator::rewire,
      &Mutator::changeScalar, &Mutator::changeKind,   &Mutator::changeLoop,
      &Mutator::changeMap,    &Mutator::changeMap,    &Mutator::changeMap,
      &Mutator::changeExtent, &Mutator::changeExtent, &Mutator::swapInputs,
      &Mutator::swapResults,  &Mutator::changeParts,  &Mutator::changeParts};
  return (this->*changes[below(std::size(changes))])();
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static const char *const programs[] = {
    R"(func.func @rms_linear(%x: tensor<7x160xf32>, %w: tensor<160x136xf32>) -> tensor<7x136xf32> {
  %0 = mugraph.rms_norm %x : tensor<7x160xf32>
  %1 = mugraph.matmul %0, %w : (tensor<7x160xf32>, tensor<160x136xf32>) -> tensor<7x136xf32>
  return %1 : tensor<7x136xf32>
})",
    R"(func.func @gated(%x: tensor<8x128xf32>, %u: tensor<128x192xf32>, %w: tensor<128x192xf32>) -> tensor<8x192xf32> {
  %0 = mugraph.matmul %x, %u : (tensor<8x128xf32>, tensor<128x192xf32>) -> tensor<8x192xf32>
  %1 = mugraph.matmul %x, %w : (tensor<8x128xf32>, tensor<128x192xf32>) -> tensor<8x192xf32>
  %2 = mugraph.silu %0 : tensor<8x192xf32>
  %3 = mugraph.mul %2, %1 : (tensor<8x192xf32>, tensor<8x192xf32>) -> tensor<8x192xf32>
  return %3 : tensor<8x192xf32>
})",
    R"(func.func @lora(%x: tensor<16x128xf32>, %w: tensor<128x192xf32>, %a: tensor<128x16xf32>, %b: tensor<16x192xf32>) -> tensor<16x192xf32> {
  %0 = mugraph.matmul %x, %w : (tensor<16x128xf32>, tensor<128x192xf32>) -> tensor<16x192xf32>
  %1 = mugraph.matmul %x, %a : (tensor<16x128xf32>, tensor<128x16xf32>) -> tensor<16x16xf32>
  %2 = mugraph.matmul %1, %b : (tensor<16x16xf32>, tensor<16x192xf32>) -> tensor<16x192xf32>
  %3 = mugraph.add %0, %2 : (tensor<16x192xf32>, tensor<16x192xf32>) -> tensor<16x192xf32>
  return %3 : tensor<16x192xf32>
})",
    R"(func.func @residual(%x: tensor<9x512xf32>, %h: tensor<9x512xf32>, %alpha: tensor<9x512xf32>) -> tensor<9x512xf32> {
  %0 = mugraph.rms_norm %h : tensor<9x512xf32>
  %1 = mugraph.add %0, %x : (tensor<9x512xf32>, tensor<9x512xf32>) -> tensor<9x512xf32>
  %2 = mugraph.mul %alpha, %1 : (tensor<9x512xf32>, tensor<9x512xf32>) -> tensor<9x512xf32>
  %3 = mugraph.add %x, %2 : (tensor<9x512xf32>, tensor<9x512xf32>) -> tensor<9x512xf32>
  %4 = mugraph.rms_norm %3 : tensor<9x512xf32>
  return %4 : tensor<9x512xf32>
})",
    R"(func.func @attention(%q: tensor<2x24x32xf32>, %k: tensor<2x32x160xf32>, %v: tensor<2x160x32xf32>) -> tensor<2x24x32xf32> {
  %0 = mugraph.matmul %q, %k : (tensor<2x24x32xf32>, tensor<2x32x160xf32>) -> tensor<2x24x160xf32>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x24x160xf32>
  %2 = mugraph.matmul %1, %v : (tensor<2x24x160xf32>, tensor<2x160x32xf32>) -> tensor<2x24x32xf32>
  return %2 : tensor<2x24x32xf32>
})",
    R"(func.func @packed(%p: tensor<20x96xf32>) -> tensor<20x32xf32> {
  %q = mugraph.slice %p offsets = [0, 0] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %k = mugraph.slice %p offsets = [0, 32] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %v = mugraph.slice %p offsets = [0, 64] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %t = mugraph.transpose %k perm = [1, 0] : tensor<20x32xf32> -> tensor<32x20xf32>
  %0 = mugraph.matmul %q, %t : (tensor<20x32xf32>, tensor<32x20xf32>) -> tensor<20x20xf32>
  %1 = mugraph.softmax %0 dim = 1 : tensor<20x20xf32>
  %2 = mugraph.matmul %1, %v : (tensor<20x20xf32>, tensor<20x32xf32>) -> tensor<20x32xf32>
  return %2 : tensor<20x32xf32>
})",
    R"(func.func @lora_concat(%x: tensor<16x64xf32>, %w: tensor<64x128xf32>, %a: tensor<64x16xf32>, %b: tensor<16x128xf32>) -> tensor<16x128xf32> {
  %0 = mugraph.matmul %x, %a : (tensor<16x64xf32>, tensor<64x16xf32>) -> tensor<16x16xf32>
  %1 = mugraph.concat %x, %0 dim = 1 : (tensor<16x64xf32>, tensor<16x16xf32>) -> tensor<16x80xf32>
  %2 = mugraph.concat %w, %b dim = 0 : (tensor<64x128xf32>, tensor<16x128xf32>) -> tensor<80x128xf32>
  %3 = mugraph.matmul %1, %2 : (tensor<16x80xf32>, tensor<80x128xf32>) -> tensor<16x128xf32>
  return %3 : tensor<16x128xf32>
})",
    R"(func.func @rotary(%x: tensor<12x32xf32>, %c: tensor<12x16xf32>, %s: tensor<12x16xf32>) -> tensor<12x32xf32> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [12, 16] : tensor<12x32xf32> -> tensor<12x16xf32>
  %b = mugraph.slice %x offsets = [0, 16] sizes = [12, 16] : tensor<12x32xf32> -> tensor<12x16xf32>
  %0 = mugraph.mul %a, %c : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %1 = mugraph.mul %b, %s : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %2 = mugraph.sub %0, %1 : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %3 = mugraph.mul %b, %c : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %4 = mugraph.mul %a, %s : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %5 = mugraph.add %3, %4 : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %6 = mugraph.concat %2, %5 dim = 1 : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x32xf32>
  return %6 : tensor<12x32xf32>
})",
    R"(func.func @cache(%q: tensor<4x16xf32>, %k: tensor<30x16xf32>, %n: tensor<1x16xf32>, %v: tensor<30x16xf32>, %m: tensor<1x16xf32>) -> tensor<4x16xf32> {
  %0 = mugraph.concat %k, %n dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %1 = mugraph.concat %v, %m dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %2 = mugraph.transpose %0 perm = [1, 0] : tensor<31x16xf32> -> tensor<16x31xf32>
  %3 = mugraph.matmul %q, %2 : (tensor<4x16xf32>, tensor<16x31xf32>) -> tensor<4x31xf32>
  %4 = mugraph.softmax %3 dim = 1 : tensor<4x31xf32>
  %5 = mugraph.matmul %4, %1 : (tensor<4x31xf32>, tensor<31x16xf32>) -> tensor<4x16xf32>
  return %5 : tensor<4x16xf32>
})",
    R"(func.func @odd_parts(%x: tensor<17x13xf32>, %y: tensor<17x7xf32>, %z: tensor<17x13xf32>, %w: tensor<33x24xf32>) -> tensor<17x24xf32> {
  %0 = mugraph.concat %x, %y, %z dim = 1 : (tensor<17x13xf32>, tensor<17x7xf32>, tensor<17x13xf32>) -> tensor<17x33xf32>
  %1 = mugraph.exp %0 : tensor<17x33xf32>
  %2 = mugraph.matmul %1, %w : (tensor<17x33xf32>, tensor<33x24xf32>) -> tensor<17x24xf32>
  return %2 : tensor<17x24xf32>
})"};

namespace {

/// A program, what the search makes of it, and what it computes.
struct Base {
  OwningOpRef<ModuleOp> module;
  func::FuncOp spec, winner;
  std::vector<std::vector<NaiveTensor>> inputs;
  std::vector<std::vector<NaiveTensor>> expected;
  llvm::json::Object certificate;
};

struct Tally {
  unsigned malformed = 0, wrong = 0, equal = 0, equalProved = 0;
  unsigned equalRejected = 0;
};

class GeneratedMutants : public testing::Test {
protected:
  GeneratedMutants() {
    context.loadDialect<func::FuncDialect, MuGraphDialect>();
  }

  Base makeBase(const char *program);
  void judge(Base &base, std::mt19937_64 &random, Tally &tally);

  MLIRContext context;
  std::set<std::string> seen;
};

} // namespace

static std::vector<NaiveTensor> makeInputs(func::FuncOp function,
                                           uint64_t seed) {
  std::vector<NaiveTensor> inputs;
  for (auto [number, type] : llvm::enumerate(function.getArgumentTypes())) {
    NaiveTensor tensor(cast<RankedTensorType>(type).getShape());
    GeneratedInput elements(InputPattern::Random, seed, number);
    for (size_t i = 0; i < tensor.data.size(); ++i)
      tensor.data[i] = elements[i];
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

Base GeneratedMutants::makeBase(const char *program) {
  Base base;
  base.module = parseSourceString<ModuleOp>(program, &context);
  PassManager pm(&context);
  pm.addPass(createMuGraphSuperoptimize());
  EXPECT_TRUE(succeeded(pm.run(*base.module)));
  for (auto function : base.module->getOps<func::FuncOp>())
    (function.isPrivate() ? base.spec : base.winner) = function;
  for (uint64_t seed : {1, 2}) {
    base.inputs.push_back(makeInputs(base.spec, seed));
    std::string unknown;
    auto expected = runNaively(base.spec, base.inputs.back(), unknown);
    EXPECT_TRUE(expected.has_value()) << unknown;
    base.expected.push_back(std::move(*expected));
  }
  return base;
}

/// The largest difference relative to the largest element.
static double maxError(const NaiveTensor &got, const NaiveTensor &expected) {
  double largest = 0, error = 0;
  for (auto [a, b] : llvm::zip_equal(got.data, expected.data)) {
    largest = std::max(largest, std::fabs(b));
    double difference = std::fabs(a - b);
    error = std::isfinite(difference) ? std::max(error, difference) : INFINITY;
    if (!std::isfinite(error))
      break;
  }
  return error / largest;
}

static double maxError(const Base &base, func::FuncOp function,
                       std::string &unknown) {
  double error = 0;
  for (auto [inputs, expected] : llvm::zip_equal(base.inputs, base.expected)) {
    auto got = runNaively(function, inputs, unknown);
    if (!got)
      return NAN;
    for (auto [a, b] : llvm::zip_equal(*got, expected))
      error = std::max(error, maxError(a, b));
    if (error > 1e-6)
      break;
  }
  return error;
}

static bool isProvedAlone(func::FuncOp spec, func::FuncOp candidate,
                          llvm::json::Object *certificate = nullptr) {
  std::string reason;
  auto a = verify::TensorProgram::read(spec, reason);
  auto b = verify::TensorProgram::read(candidate, reason);
  return succeeded(a) && succeeded(b) && b->findWriteMistake().empty() &&
         verify::prove(*a, *b, reason, certificate);
}

/// What is wrong with the certificate, or nothing.
static std::string checkCertificate(func::FuncOp spec, func::FuncOp candidate,
                                    const llvm::json::Object &certificate) {
  std::string reason;
  auto a = verify::TensorProgram::read(spec, reason);
  auto b = verify::TensorProgram::read(candidate, reason);
  if (failed(a) || failed(b))
    return reason;
  llvm::Error error = certificate::check(*a, *b, certificate);
  return error ? llvm::toString(std::move(error)) : "";
}

/// Makes a mutant and compares the verdicts.
void GeneratedMutants::judge(Base &base, std::mt19937_64 &random,
                             Tally &tally) {
  OwningOpRef<ModuleOp> copy = base.module->clone();
  auto spec = copy->lookupSymbol<func::FuncOp>(base.spec.getSymName());
  auto mutant = copy->lookupSymbol<func::FuncOp>(base.winner.getSymName());
  std::string what;
  for (unsigned count = 1 + random() % 2; count > 0;) {
    Mutator mutator(mutant, random);
    if (mutator.isDone())
      break;
    std::string change = mutator.change();
    if (change.empty())
      continue;
    what += (what.empty() ? "" : ", ") + change;
    --count;
  }
  if (failed(mlir::verify(*copy))) {
    ++tally.malformed;
    return;
  }
  std::string text;
  llvm::raw_string_ostream(text) << mutant;
  if (!seen.insert(text).second)
    return;

  std::string unknown;
  double error = maxError(base, mutant, unknown);
  ASSERT_TRUE(unknown.empty()) << unknown;
  verify::Options options;
  options.seed = random();
  options.certificate = true;
  verify::Report report = verify::checkEquivalent(spec, mutant, options);
  if (error > 1e-6) {
    ++tally.wrong;
    EXPECT_FALSE(report.isAccepted())
        << what << ", error " << error << ", accepted as "
        << verify::stringify(report.status).str() << "\n"
        << text;
    // Proofs speak of values where both programs are defined.
    EXPECT_FALSE(std::isfinite(error) && isProvedAlone(spec, mutant))
        << what << ", error " << error << ", proved\n"
        << text;
    EXPECT_TRUE(!std::isfinite(error) ||
                !checkCertificate(spec, mutant, base.certificate).empty())
        << what << ", error " << error << ", certified\n"
        << text;
    return;
  }
  ++tally.equal;
  if (report.status == verify::Status::Proved) {
    ++tally.equalProved;
    EXPECT_EQ(checkCertificate(spec, mutant, *report.certificate), "")
        << what << "\n"
        << text;
  }
  if (!report.isAccepted()) {
    ++tally.equalRejected;
    if (getenv("MIRAGE_SHOW"))
      llvm::errs() << what << ": " << report.reason << "\n" << text << "\n";
  }
}

static uint64_t numberFrom(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST_F(GeneratedMutants, NoneIsAcceptedWrongly) {
  uint64_t count = numberFrom("MIRAGE_MUTANTS", 1000);
  uint64_t seed = numberFrom("MIRAGE_SEED", 1);
  std::mt19937_64 random(seed);
  std::vector<Base> bases;
  for (const char *program : programs) {
    bases.push_back(makeBase(program));
    std::string unknown;
    Base &base = bases.back();
    EXPECT_LT(maxError(base, base.winner, unknown), 1e-9) << unknown;
    EXPECT_TRUE(isProvedAlone(base.spec, base.winner, &base.certificate));
    EXPECT_EQ(checkCertificate(base.spec, base.winner, base.certificate), "");
  }
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  Tally tally;
  while (tally.wrong + tally.equal < count && !HasFatalFailure())
    judge(bases[random() % bases.size()], random, tally);
  llvm::outs() << "seed " << seed << ": " << tally.wrong << " wrong, "
               << tally.equal << " equal (" << tally.equalProved << " proved, "
               << tally.equalRejected << " rejected), " << tally.malformed
               << " malformed\n";
  EXPECT_GT(tally.wrong, count / 2);
  EXPECT_GT(tally.equalProved, tally.equal / 3);
}
