//===- RandomChange.cpp - Functions changed at random --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomChange.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {

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

std::string mirage::verify::changeAtRandom(func::FuncOp function,
                                           std::mt19937_64 &random) {
  while (true) {
    Mutator mutator(function, random);
    if (mutator.isDone())
      return "";
    if (std::string what = mutator.change(); !what.empty())
      return what;
  }
}
