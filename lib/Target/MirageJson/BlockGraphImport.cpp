//===- BlockGraphImport.cpp - The block graph of a kernel node ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphImport.h"
#include "TensorOps.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/TypeUtilities.h"

#include <array>
#include <limits>

using namespace mlir;
using namespace mirage;
using mugraph::TileDimAttr;
using mugraph::TileIndex;
using mugraph::TileMapAttr;

namespace {

/// A value of the block graph.
struct TileValue {
  Value value;
  bool isAfterLoop = false;
};

class BlockGraphImport {
public:
  BlockGraphImport(OpBuilder &builder, const JsonPlace &node,
                   const TensorTable<Value> &tensors, const TensorReader &types)
      : builder(builder), node(node), tensors(tensors), types(types) {}

  FailureOr<SmallVector<Value>> run();

private:
  LogicalResult readSchedule(const JsonPlace &graph);
  FailureOr<SmallVector<int>> readMap(const JsonPlace &place, StringRef name,
                                      int64_t rank);
  TileMapAttr makeMap(ArrayRef<int> gridMap, int loopDim, int64_t rank);

  LogicalResult importOperator(const JsonPlace &place);
  LogicalResult importInput(const JsonPlace &place);
  LogicalResult importOutput(const JsonPlace &place);
  LogicalResult importTensorOp(const JsonPlace &place, StringRef name);
  LogicalResult importAccumulator(const JsonPlace &place, StringRef kind);
  FailureOr<SmallVector<TileValue>> readOperands(const JsonPlace &place);
  FailureOr<JsonPlace> onlyResult(const JsonPlace &place);
  void finish();

  bool changesInLoop(Value value);
  Value cast(Value value, Type element);
  /// f32, or wider.
  Type wide(Type element) {
    return element.getIntOrFloatBitWidth() < 32 ? builder.getF32Type()
                                                : element;
  }
  Type storageType() { return types.halfType; }
  Value accumulate(Location loc, Value value, mugraph::AccumulateKind kind);
  FailureOr<Value> accumulateAs(const JsonPlace &place, StringRef kind,
                                Value value);

  OpBuilder &builder;
  const JsonPlace &node;
  const TensorTable<Value> &tensors;
  const TensorReader &types;

  std::array<int64_t, 3> grid = {1, 1, 1};
  int64_t iterations = 1;
  int64_t threads = 0;
  int64_t dimx = 1;
  mugraph::BlockGraphOp graph;
  OpBuilder body{static_cast<MLIRContext *>(nullptr)};
  TensorTable<TileValue> tiles;
  DenseMap<std::pair<Value, Type>, Value> casts;
  DenseMap<Value, bool> changing;
  SmallVector<Value> inputs, yielded;
  SmallVector<TileMapAttr> inputMaps, outputMaps;
  SmallVector<Type> resultTypes;
};

} // namespace

static constexpr int64_t largestExtent = std::numeric_limits<int32_t>::max();
static constexpr StringLiteral gridNames[] = {"x", "y", "z"};

//===----------------------------------------------------------------------===//
// Grid, loop and maps
//===----------------------------------------------------------------------===//

LogicalResult BlockGraphImport::readSchedule(const JsonPlace &graphPlace) {
  FailureOr<JsonPlace> gridPlace = graphPlace.field("grid_dim");
  FailureOr<JsonPlace> blockPlace = failure();
  if (succeeded(gridPlace))
    blockPlace = graphPlace.field("block_dim");
  if (failed(blockPlace))
    return failure();
  threads = 1;
  for (auto [dim, name] : llvm::enumerate(gridNames)) {
    FailureOr<int64_t> blocks = gridPlace->integerField(name, 1, largestExtent);
    if (failed(blocks))
      return failure();
    FailureOr<int64_t> extent = blockPlace->integerField(name, 1, 1024);
    if (failed(extent))
      return failure();
    grid[dim] = *blocks;
    threads *= *extent;
  }
  FailureOr<int64_t> loop =
      graphPlace.integerField("forloop_range", 1, largestExtent);
  if (failed(loop))
    return failure();
  iterations = *loop;
  FailureOr<int64_t> group =
      graphPlace.integerField("reduction_dimx", 1, largestExtent);
  if (failed(group))
    return failure();
  dimx = *group;
  return success();
}

/// The data dim that each grid dim cuts, -1 for none.
FailureOr<SmallVector<int>> BlockGraphImport::readMap(const JsonPlace &place,
                                                      StringRef name,
                                                      int64_t rank) {
  FailureOr<JsonPlace> map = place.field(name);
  if (failed(map))
    return failure();
  SmallVector<int> dims;
  for (auto [number, gridName] : llvm::enumerate(gridNames)) {
    FailureOr<int64_t> dim = map->integerField(gridName, -1, rank - 1);
    if (failed(dim))
      return failure();
    dims.push_back(grid[number] == 1 ? -1 : *dim);
    if (dims.back() >= 0 &&
        llvm::is_contained(ArrayRef(dims).drop_back(), dims.back()))
      return map->error() << "cuts dim " << *dim
                          << " along two grid dims, expected at most one";
  }
  return dims;
}

TileMapAttr BlockGraphImport::makeMap(ArrayRef<int> gridMap, int loopDim,
                                      int64_t rank) {
  SmallVector<TileDimAttr> dims;
  for (int64_t dim = 0; dim < rank; ++dim) {
    SmallVector<TileIndex> nest;
    for (auto [number, cut] : llvm::enumerate(gridMap))
      if (cut == dim)
        nest.push_back(TileIndex::grid(number));
    if (loopDim == dim)
      nest.push_back(TileIndex::loop(0));
    dims.push_back(TileDimAttr::get(builder.getContext(), nest, 0));
  }
  return TileMapAttr::get(builder.getContext(), dims);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

bool BlockGraphImport::changesInLoop(Value value) {
  auto known = changing.find(value);
  if (known != changing.end())
    return known->second;
  Operation *op = value.getDefiningOp();
  bool changes = op && !isa<mugraph::AccumulateOp>(op) &&
                 llvm::any_of(op->getOperands(), [&](Value operand) {
                   return changesInLoop(operand);
                 });
  return changing[value] = changes;
}

Value BlockGraphImport::cast(Value value, Type element) {
  auto type = llvm::cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  Value &known = casts[{value, element}];
  if (!known)
    known = mugraph::CastOp::create(body, value.getLoc(), type.clone(element),
                                    value);
  return known;
}

Value BlockGraphImport::accumulate(Location loc, Value value,
                                   mugraph::AccumulateKind kind) {
  if (iterations == 1)
    return value;
  if (changesInLoop(value))
    return mugraph::AccumulateOp::create(body, loc, value.getType(), value,
                                         kind, 0);
  return kind == mugraph::AccumulateKind::Sum
             ? scaleBy(body, loc, value, iterations)
             : value;
}

FailureOr<SmallVector<TileValue>>
BlockGraphImport::readOperands(const JsonPlace &place) {
  FailureOr<std::vector<JsonPlace>> places =
      place.elementsField("input_tensors");
  if (failed(places))
    return failure();
  SmallVector<TileValue> operands;
  for (const JsonPlace &operand : *places) {
    FailureOr<TileValue> value = tiles.find(operand);
    if (failed(value))
      return failure();
    operands.push_back(*value);
  }
  return operands;
}

FailureOr<JsonPlace> BlockGraphImport::onlyResult(const JsonPlace &place) {
  FailureOr<std::vector<JsonPlace>> results =
      place.elementsField("output_tensors");
  if (failed(results))
    return failure();
  if (results->size() != 1)
    return place.error() << "makes " << results->size()
                         << " tensors, expected one";
  return results->front();
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

LogicalResult BlockGraphImport::importInput(const JsonPlace &place) {
  FailureOr<JsonPlace> tensor = place.field("dtensor");
  if (failed(tensor))
    return failure();
  FailureOr<Value> source = tensors.find(*tensor);
  if (failed(source))
    return failure();
  auto type = llvm::cast<RankedTensorType>(source->getType());
  FailureOr<SmallVector<int>> map = readMap(place, "input_map", type.getRank());
  if (failed(map))
    return failure();
  FailureOr<int64_t> loopDim =
      place.integerField("forloop_dim", -1, type.getRank() - 1);
  if (failed(loopDim))
    return failure();
  int cutByLoop = iterations == 1 ? -1 : *loopDim;
  SmallVector<int64_t> shape(type.getShape());
  for (auto [number, dim] : llvm::enumerate(*map))
    if (dim >= 0 && shape[dim] % grid[number] != 0)
      return place.error() << "cuts dim " << dim << " of extent " << shape[dim]
                           << " into " << grid[number]
                           << " blocks, expected a divisor of it";
    else if (dim >= 0)
      shape[dim] /= grid[number];
  if (cutByLoop >= 0 && shape[cutByLoop] % iterations != 0)
    return place.error() << "cuts dim " << cutByLoop << " of extent "
                         << shape[cutByLoop] << " into " << iterations
                         << " iterations, expected a divisor of it";
  if (cutByLoop >= 0)
    shape[cutByLoop] /= iterations;
  FailureOr<JsonPlace> result = onlyResult(place);
  if (failed(result))
    return failure();
  FailureOr<RankedTensorType> tile = types.type(*result);
  if (failed(tile) || failed(checkShape(*result, tile->getShape(), shape)))
    return failure();
  inputs.push_back(*source);
  inputMaps.push_back(makeMap(*map, cutByLoop, type.getRank()));
  Value argument =
      graph.getBodyBlock()->addArgument(type.clone(shape), place.location());
  changing[argument] = cutByLoop >= 0;
  return tiles.add(*result, {argument, false});
}

LogicalResult BlockGraphImport::importOutput(const JsonPlace &place) {
  FailureOr<SmallVector<TileValue>> operands = readOperands(place);
  if (failed(operands))
    return failure();
  if (operands->size() != 1)
    return place.error() << "stores " << operands->size()
                         << " tiles, expected one";
  auto [value, isAfterLoop] = operands->front();
  if (!isAfterLoop && iterations > 1)
    return place.error() << "stores a tile of the loop's iterations, expected "
                            "one that was accumulated over the loop";
  auto tile = llvm::cast<RankedTensorType>(value.getType());
  FailureOr<SmallVector<int>> map =
      readMap(place, "output_map", tile.getRank());
  FailureOr<JsonPlace> tensor = failure();
  if (succeeded(map))
    tensor = place.field("dtensor");
  if (failed(tensor))
    return failure();
  FailureOr<RankedTensorType> type = types.type(*tensor);
  if (failed(type))
    return failure();
  SmallVector<int64_t> shape(tile.getShape());
  for (auto [number, dim] : llvm::enumerate(*map))
    if (dim >= 0)
      shape[dim] *= grid[number];
  if (failed(checkShape(*tensor, type->getShape(), shape)))
    return failure();
  resultTypes.push_back(*type);
  outputMaps.push_back(makeMap(*map, -1, tile.getRank()));
  yielded.push_back(cast(value, type->getElementType()));
  return success();
}

LogicalResult BlockGraphImport::importTensorOp(const JsonPlace &place,
                                               StringRef name) {
  FailureOr<SmallVector<TileValue>> operands = readOperands(place);
  if (failed(operands))
    return failure();
  SmallVector<Value> values;
  bool isAfterLoop = !operands->empty() && operands->front().isAfterLoop;
  for (auto [number, operand] : llvm::enumerate(*operands)) {
    if (operand.isAfterLoop != isAfterLoop && iterations > 1)
      return place.error() << "operand #0 is " << (isAfterLoop ? "after" : "in")
                           << " the loop and operand #" << number << " is "
                           << (isAfterLoop ? "in it" : "after it")
                           << ", expected both in one place";
    Type element = getElementTypeOrSelf(operand.value.getType());
    bool isNarrow = isProduct(name) && !element.isF64();
    values.push_back(
        cast(operand.value, isNarrow ? storageType() : wide(element)));
  }
  FailureOr<JsonPlace> result = onlyResult(place);
  if (failed(result))
    return failure();
  FailureOr<RankedTensorType> type = types.type(*result);
  if (failed(type))
    return failure();
  RankedTensorType wideType = type->clone(wide(type->getElementType()));
  FailureOr<Value> value =
      buildTensorOp(body, place, name, values, wideType, dimx);
  if (failed(value))
    return failure();
  auto made = llvm::cast<RankedTensorType>(value->getType());
  if (failed(checkShape(*result, type->getShape(), made.getShape())))
    return failure();
  return tiles.add(*result, {*value, isAfterLoop});
}

FailureOr<Value> BlockGraphImport::accumulateAs(const JsonPlace &place,
                                                StringRef kind, Value value) {
  using mugraph::AccumulateKind;
  Location loc = place.location();
  int64_t last = llvm::cast<RankedTensorType>(value.getType()).getRank() - 1;
  if (kind == "nored" || kind == "no_red")
    return accumulate(loc, value, AccumulateKind::Sum);
  if (kind == "max")
    return accumulate(loc, value, AccumulateKind::Max);
  if (kind == "red_ld_sum")
    return accumulate(loc, sumOver(body, loc, value, last),
                      AccumulateKind::Sum);
  if (kind == "redtox_ld_sum") {
    FailureOr<Value> sums = sumGroups(body, place, value, last, dimx);
    if (failed(sums))
      return failure();
    return accumulate(loc, *sums, AccumulateKind::Sum);
  }
  if (kind.ends_with("rescale"))
    return place.error() << "the accumulator '" << kind
                         << "' depends on the order of iterations; the dialect "
                            "has no equal of it (accumulate_softmax states "
                            "what it is used for)";
  bool isRms = kind == "red_ld_rms";
  if (!isRms && kind != "red_ld_mean")
    return place.error() << "the accumulator '" << kind
                         << "' is not one that can be imported";
  if (isRms)
    value = mugraph::SquareOp::create(body, loc, value.getType(), value);
  value = accumulate(loc, sumOver(body, loc, value, last, /*isMean=*/true),
                     AccumulateKind::Sum);
  if (iterations > 1)
    value = scaleBy(body, loc, value, 1.0 / iterations);
  return isRms ? mugraph::SqrtOp::create(body, loc, value.getType(), value)
               : value;
}

LogicalResult BlockGraphImport::importAccumulator(const JsonPlace &place,
                                                  StringRef kind) {
  FailureOr<SmallVector<TileValue>> operands = readOperands(place);
  if (failed(operands))
    return failure();
  if (operands->size() != 1)
    return place.error() << "accumulates " << operands->size()
                         << " tiles, expected one";
  if (operands->front().isAfterLoop && iterations > 1)
    return place.error() << "accumulates a tile that was accumulated before";
  Value value = operands->front().value;
  value = cast(value, wide(getElementTypeOrSelf(value.getType())));
  FailureOr<Value> result = accumulateAs(place, kind, value);
  if (failed(result))
    return failure();
  FailureOr<JsonPlace> tensor = onlyResult(place);
  if (failed(tensor))
    return failure();
  FailureOr<RankedTensorType> type = types.type(*tensor);
  auto made = llvm::cast<RankedTensorType>(result->getType());
  if (failed(type) ||
      failed(checkShape(*tensor, type->getShape(), made.getShape())))
    return failure();
  return tiles.add(*tensor, {*result, true});
}

LogicalResult BlockGraphImport::importOperator(const JsonPlace &place) {
  FailureOr<std::string> name = readOpName(place, "tb_");
  if (failed(name))
    return failure();
  if (*name == "input")
    return importInput(place);
  if (*name == "output")
    return importOutput(place);
  StringRef kind = *name;
  if (kind.consume_front("forloop_accum_") || kind.consume_front("accum_"))
    return importAccumulator(place, kind);
  return importTensorOp(place, *name);
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

/// Puts operands, maps and results in place; the op is made again because its
/// result types were not known before.
void BlockGraphImport::finish() {
  mugraph::YieldOp::create(body, node.location(), yielded);
  ArrayRef<int64_t> extents = grid;
  while (extents.size() > 1 && extents.back() == 1)
    extents = extents.drop_back();
  SmallVector<int64_t> loops;
  if (iterations > 1)
    loops.push_back(iterations);
  auto whole = mugraph::BlockGraphOp::create(
      builder, node.location(), resultTypes, inputs, extents, loops, inputMaps,
      outputMaps, TypeRange());
  whole.setThreads(threads);
  whole.getBody().takeBody(graph.getBody());
  graph.erase();
  graph = whole;
}

FailureOr<SmallVector<Value>> BlockGraphImport::run() {
  FailureOr<JsonPlace> place = node.field("bgraph");
  if (failed(place) || failed(readSchedule(*place)))
    return failure();
  FailureOr<std::vector<JsonPlace>> operators =
      place->elementsField("operators");
  if (failed(operators))
    return failure();
  graph = mugraph::BlockGraphOp::create(builder, node.location(), TypeRange(),
                                        ValueRange(), grid, ArrayRef<int64_t>(),
                                        ArrayRef<TileMapAttr>(),
                                        ArrayRef<TileMapAttr>(), TypeRange());
  body = OpBuilder::atBlockEnd(graph.getBodyBlock());
  for (const JsonPlace &op : *operators)
    if (failed(importOperator(op)))
      return failure();
  if (yielded.empty())
    return place->error() << "has no tb_output_op, expected at least one";
  finish();
  return SmallVector<Value>(graph.getResults());
}

FailureOr<SmallVector<Value>>
mirage::importBlockGraph(OpBuilder &builder, const JsonPlace &node,
                         const TensorTable<Value> &tensors,
                         const TensorReader &types) {
  return BlockGraphImport(builder, node, tensors, types).run();
}
