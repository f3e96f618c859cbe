//===- EmitPlan.cpp - From the search to a block graph --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The search's values are known up to a factor and have labels in place of
// dims. Here each step becomes an op on tiles: a `TileValue` says which label
// each dim of the tile belongs to and by which factor it differs from the
// value. Factors are applied only where an exact number is needed: in sums, in
// arguments of functions, and in results.

#include "EmitPlan.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::KernelPlan;
using search::Role;
using search::Rule;
using search::Step;

namespace {
struct TileValue {
  Value value;
  LabelList dims;    ///< label of each dim; `noLabel` for extent 1.
  Coefficient scale; ///< the tile is scale * value.
};

class PlanEmitter {
public:
  PlanEmitter(OpBuilder &builder, Location loc, const ImportedProgram &program,
              const search::SegmentResult &segment, const KernelPlan &plan)
      : builder(builder), loc(loc), program(program), segment(segment),
        plan(plan), tiles(plan.steps.size()) {}

  LogicalResult run(llvm::DenseMap<search::TensorId, Value> &values,
                    std::string &reason);

private:
  // The op around.
  TileMapAttr mapOf(const LabelList &labels, int loop) const;
  TileDimAttr dimOf(LabelId label, int loop) const;
  BlockGraphOp createGraph(llvm::DenseMap<search::TensorId, Value> &values);
  FailureOr<Value> emitOutput(const search::PlanOutput &output);

  // Tiles.
  int64_t extent(LabelId label) const {
    return label == noLabel ? 1 : plan.tiles.lookup(label);
  }
  RankedTensorType tileType(const LabelList &dims, Type element) const;
  Type elementType(Value value) const {
    return cast<RankedTensorType>(value.getType()).getElementType();
  }
  Value castTo(Value value, Type element);
  Value wide(Value value) { return castTo(value, builder.getF32Type()); }
  Value scaled(Value value, const Coefficient &factor);
  Value exact(const TileValue &tile, const Coefficient &scale);
  Value conform(const TileValue &tile, const LabelList &target,
                size_t leastRank = ~size_t{0});
  LabelList commonDims(const TileValue &a, const TileValue &b) const;

  // Steps.
  FailureOr<TileValue> get(uint32_t step);
  FailureOr<TileValue> emit(const Step &step);
  FailureOr<TileValue> emitMultiply(const Step &step);
  FailureOr<TileValue> emitAdd(const Step &step);
  FailureOr<TileValue> emitAddConstant(const Step &step, unsigned constant);
  FailureOr<TileValue> emitPower(const Step &step);
  FailureOr<TileValue> emitFunction(const Step &step);
  FailureOr<TileValue> emitReduce(const Step &step);
  FailureOr<TileValue> emitContract(const Step &step);
  SmallVector<uint32_t> softmaxGroup(const Step &leader) const;
  std::optional<search::ContractShape>
  softmaxShape(const TileValue &scores, ArrayRef<uint32_t> group) const;
  LogicalResult emitSoftmax(uint32_t first);
  Value accumulate(const Step &step, Value value);
  bool isConstant(uint32_t step) const {
    return plan.steps[step].derivation.rule == Rule::Constant;
  }
  Type matrixType() const;

  OpBuilder &builder;
  Location loc;
  const ImportedProgram &program;
  const search::SegmentResult &segment;
  const KernelPlan &plan;
  std::vector<std::optional<TileValue>> tiles;
  llvm::DenseMap<std::pair<Value, Type>, Value> casts;
};
} // namespace

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

RankedTensorType PlanEmitter::tileType(const LabelList &dims,
                                       Type element) const {
  SmallVector<int64_t> shape;
  for (LabelId label : dims)
    shape.push_back(extent(label));
  return RankedTensorType::get(shape, element);
}

Value PlanEmitter::castTo(Value value, Type element) {
  if (elementType(value) == element)
    return value;
  Value &known = casts[{value, element}];
  if (!known) {
    auto type = cast<RankedTensorType>(value.getType());
    known = CastOp::create(builder, loc, type.clone(element), value);
  }
  return known;
}

Value PlanEmitter::scaled(Value value, const Coefficient &factor) {
  if (factor.isOne())
    return value;
  if (factor == Coefficient(-1))
    return NegOp::create(builder, loc, wide(value));
  return MulScalarOp::create(builder, loc, wide(value),
                             builder.getF64FloatAttr(factor.toDouble()));
}

// The tile of `scale` times the value, in f32.
Value PlanEmitter::exact(const TileValue &tile, const Coefficient &scale) {
  return scaled(wide(tile.value), scale / tile.scale);
}

// The tile with its dims where `target` has them; labels of `target` that it
// does not have become dims of extent 1, or are missing in front if the user
// broadcasts operands of `leastRank` or more.
Value PlanEmitter::conform(const TileValue &tile, const LabelList &target,
                           size_t leastRank) {
  LabelList wanted;
  SmallVector<int64_t> order;
  for (LabelId label : target) {
    auto *it = llvm::find(tile.dims, label);
    bool isThere = label != noLabel && it != tile.dims.end();
    wanted.push_back(isThere ? label : noLabel);
    if (isThere)
      order.push_back(it - tile.dims.begin());
  }
  while (wanted.size() > std::max(tile.dims.size(), leastRank) &&
         wanted.front() == noLabel)
    wanted.erase(wanted.begin());
  if (wanted == tile.dims)
    return tile.value;
  Value value = tile.value;
  LabelList dims = tile.dims;
  if (!llvm::is_sorted(order)) {
    // Bring the labelled dims into order; dims of extent 1 go to the front.
    SmallVector<int64_t> perm;
    for (auto [dim, label] : llvm::enumerate(tile.dims))
      if (label == noLabel)
        perm.push_back(dim);
    perm.append(order);
    dims.clear();
    for (int64_t dim : perm)
      dims.push_back(tile.dims[dim]);
    value = TransposeOp::create(
        builder, loc, tileType(dims, elementType(value)), value, perm);
  }
  if (dims == wanted)
    return value;
  return ReshapeOp::create(builder, loc, tileType(wanted, elementType(value)),
                           value);
}

// Dims for an elementwise op: those of the tile with more labels, and in place
// of its unit dims, or in front, what only the other one has.
LabelList PlanEmitter::commonDims(const TileValue &a,
                                  const TileValue &b) const {
  auto count = [](const TileValue &tile) {
    return llvm::count_if(tile.dims, [](LabelId l) { return l != noLabel; });
  };
  bool isFirst = count(a) != count(b) ? count(a) > count(b)
                                      : a.dims.size() >= b.dims.size();
  LabelList dims = isFirst ? a.dims : b.dims;
  const LabelList &other = isFirst ? b.dims : a.dims;
  for (auto [position, label] : llvm::enumerate(other)) {
    if (label == noLabel || llvm::is_contained(dims, label))
      continue;
    size_t fromBack = other.size() - position;
    if (fromBack <= dims.size() && dims[dims.size() - fromBack] == noLabel)
      dims[dims.size() - fromBack] = label;
    else
      dims.insert(dims.begin(), label);
  }
  return dims;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

FailureOr<TileValue> PlanEmitter::get(uint32_t number) {
  if (tiles[number])
    return *tiles[number];
  const Step &step = plan.steps[number];
  if (step.derivation.rule == Rule::SoftmaxSum ||
      step.derivation.rule == Rule::SoftmaxContract) {
    if (failed(emitSoftmax(number)))
      return failure();
    return *tiles[number];
  }
  FailureOr<TileValue> tile = emit(step);
  if (failed(tile))
    return failure();
  tiles[number] = *tile;
  return tile;
}

FailureOr<TileValue> PlanEmitter::emit(const Step &step) {
  switch (step.derivation.rule) {
  case Rule::Multiply:
    return emitMultiply(step);
  case Rule::Add:
    return emitAdd(step);
  case Rule::Power:
    return emitPower(step);
  case Rule::Function:
    return emitFunction(step);
  case Rule::Sum:
  case Rule::Extremum:
    return emitReduce(step);
  case Rule::Contract:
    return emitContract(step);
  default:
    return failure(); // a constant has no tile
  }
}

Value PlanEmitter::accumulate(const Step &step, Value value) {
  if (step.accumulate < 0)
    return value;
  AccumulateKind kind = AccumulateKind::Sum;
  if (step.derivation.rule == Rule::Extremum)
    kind = step.derivation.symbol == uint32_t(ExtremumKind::Max)
               ? AccumulateKind::Max
               : AccumulateKind::Min;
  return AccumulateOp::create(builder, loc, value.getType(), value, kind,
                              step.accumulate);
}

FailureOr<TileValue> PlanEmitter::emitMultiply(const Step &step) {
  FailureOr<TileValue> a = get(step.operands[0]), b = get(step.operands[1]);
  if (failed(a) || failed(b))
    return failure();
  Coefficient scale = a->scale * b->scale * step.derivation.resultScale;
  if (step.operands[0] == step.operands[1])
    return TileValue{SquareOp::create(builder, loc, wide(a->value)), a->dims,
                     scale};
  LabelList dims = commonDims(*a, *b);
  a->value = wide(a->value);
  b->value = wide(b->value);
  Value product =
      MulOp::create(builder, loc, conform(*a, dims, 1), conform(*b, dims, 1));
  return TileValue{product, dims, scale};
}

// a + c, where c is a number.
FailureOr<TileValue> PlanEmitter::emitAddConstant(const Step &step,
                                                  unsigned constant) {
  FailureOr<TileValue> tile = get(step.operands[1 - constant]);
  if (failed(tile))
    return failure();
  Coefficient part = step.derivation.scales[1 - constant];
  Coefficient number = step.derivation.scales[constant] * tile->scale / part;
  Value sum = AddScalarOp::create(builder, loc, wide(tile->value),
                                  builder.getF64FloatAttr(number.toDouble()));
  return TileValue{sum, tile->dims,
                   tile->scale / part * step.derivation.resultScale};
}

// s_a a + s_b b: one operand is scaled to fit the other, the one with fewer
// elements.
FailureOr<TileValue> PlanEmitter::emitAdd(const Step &step) {
  for (unsigned i : {0u, 1u})
    if (isConstant(step.operands[i]))
      return emitAddConstant(step, i);
  FailureOr<TileValue> a = get(step.operands[0]), b = get(step.operands[1]);
  if (failed(a) || failed(b))
    return failure();
  Coefficient scaleA = step.derivation.scales[0] / a->scale;
  Coefficient scaleB = step.derivation.scales[1] / b->scale;
  LabelList dims = commonDims(*a, *b);
  a->value = wide(a->value);
  b->value = wide(b->value);
  if (plan.steps[step.operands[0]].labels.size() <
      plan.steps[step.operands[1]].labels.size()) {
    std::swap(a, b);
    std::swap(scaleA, scaleB);
  }
  // a + ratio b
  Coefficient ratio = scaleB / scaleA;
  bool isDifference = ratio.isNegative();
  b->value = scaled(b->value, isDifference ? -ratio : ratio);
  Value left = conform(*a, dims, 1), right = conform(*b, dims, 1);
  Value sum = isDifference ? Value(SubOp::create(builder, loc, left, right))
                           : Value(AddOp::create(builder, loc, left, right));
  return TileValue{sum, dims, step.derivation.resultScale / scaleA};
}

FailureOr<TileValue> PlanEmitter::emitPower(const Step &step) {
  FailureOr<TileValue> base = get(step.operands[0]);
  if (failed(base))
    return failure();
  mirage::Rational exponent = step.derivation.exponent;
  // Roots are taken of exactly what the program takes them of, so that no
  // irrational factor is left over; other powers of whatever is there.
  Coefficient scale =
      exponent.isInteger() ? base->scale : step.derivation.scales[0];
  Value x = exact(*base, scale);
  Value result;
  if (exponent == mirage::Rational(2))
    result = SquareOp::create(builder, loc, x);
  else if (exponent == mirage::Rational(-1))
    result = ReciprocalOp::create(builder, loc, x);
  else if (exponent == mirage::Rational::get(1, 2))
    result = SqrtOp::create(builder, loc, x);
  else if (exponent == mirage::Rational::get(-1, 2))
    result = RsqrtOp::create(builder, loc, x);
  else
    return failure();
  Coefficient factor = (scale / step.derivation.scales[0]).power(exponent) *
                       step.derivation.resultScale;
  return TileValue{result, base->dims, factor};
}

FailureOr<TileValue> PlanEmitter::emitFunction(const Step &step) {
  SmallVector<TileValue> arguments;
  for (auto [operand, scale] :
       llvm::zip(step.operands, step.derivation.scales)) {
    if (isConstant(operand))
      return failure();
    FailureOr<TileValue> tile = get(operand);
    if (failed(tile))
      return failure();
    tile->value = exact(*tile, scale);
    arguments.push_back(*tile);
  }
  LabelList dims = arguments[0].dims;
  for (const TileValue &argument : arguments)
    dims = commonDims({Value(), dims, 1}, argument);
  SmallVector<Value> operands;
  for (const TileValue &argument : arguments)
    operands.push_back(
        conform(argument, dims, arguments.size() > 1 ? 1 : dims.size()));
  auto done = [&](Value value) {
    return TileValue{value, dims, step.derivation.resultScale};
  };
  if (step.derivation.symbol == ExprContext::expFunction)
    return done(ExpOp::create(builder, loc, operands[0]));
  Operation *prototype = program.functions[step.derivation.symbol];
  OperationState state(loc, prototype->getName());
  state.addOperands(operands);
  state.addTypes(tileType(dims, builder.getF32Type()));
  state.addAttributes(prototype->getAttrs());
  return done(builder.create(state)->getResult(0));
}

FailureOr<TileValue> PlanEmitter::emitReduce(const Step &step) {
  FailureOr<TileValue> tile = get(step.operands[0]);
  if (failed(tile))
    return failure();
  bool isSum = step.derivation.rule == Rule::Sum;
  Value x = isSum ? wide(tile->value) : exact(*tile, step.derivation.scales[0]);
  ReduceKind kind = ReduceKind::Sum;
  if (!isSum)
    kind = step.derivation.symbol == uint32_t(ExtremumKind::Max)
               ? ReduceKind::Max
               : ReduceKind::Min;
  auto *dim = llvm::find(tile->dims, step.derivation.label);
  if (dim == tile->dims.end())
    return failure();
  int64_t position = dim - tile->dims.begin();
  LabelList dims = tile->dims;
  dims[position] = noLabel;
  Value reduced =
      ReduceOp::create(builder, loc, tileType(dims, builder.getF32Type()), x,
                       kind, ArrayRef<int64_t>{position});
  Coefficient scale = step.derivation.resultScale;
  if (isSum)
    scale = scale * tile->scale;
  return TileValue{accumulate(step, reduced), dims, scale};
}

Type PlanEmitter::matrixType() const {
  std::optional<search::TensorId> tensor = segment.graph->segment.matrixTensor;
  if (!tensor)
    return Float32Type::get(builder.getContext());
  return program.typeOf(*tensor).getElementType();
}

// How many of the dims of `wanted` are out of order in `dims`.
static unsigned disorder(const LabelList &dims, const LabelList &wanted) {
  unsigned count = 0;
  for (size_t i = 0; i < wanted.size(); ++i)
    for (size_t j = i + 1; j < wanted.size(); ++j)
      if (wanted[i] != noLabel && wanted[j] != noLabel)
        count += llvm::find(dims, wanted[i]) > llvm::find(dims, wanted[j]);
  return count;
}

static LabelList concat(const LabelList &batch, LabelId a, LabelId b) {
  LabelList result = batch;
  result.push_back(a);
  result.push_back(b);
  return result;
}

FailureOr<TileValue> PlanEmitter::emitContract(const Step &step) {
  FailureOr<TileValue> a = get(step.operands[0]), b = get(step.operands[1]);
  if (failed(a) || failed(b))
    return failure();
  LabelId depth = step.derivation.label;
  const LabelList &labelsA = plan.steps[step.operands[0]].labels;
  const LabelList &labelsB = plan.steps[step.operands[1]].labels;
  auto shape = search::contractShape(labelsA, labelsB, depth);
  if (!shape)
    return failure();
  // a b or b^T a^T: as the dims lie.
  unsigned straight =
      disorder(a->dims, concat(shape->batch, shape->rows, depth)) +
      disorder(b->dims, concat(shape->batch, depth, shape->columns));
  unsigned swapped =
      disorder(b->dims, concat(shape->batch, shape->columns, depth)) +
      disorder(a->dims, concat(shape->batch, depth, shape->rows));
  if (swapped < straight) {
    std::swap(a, b);
    std::swap(shape->rows, shape->columns);
  }
  Type type = matrixType();
  a->value = castTo(a->value, type);
  b->value = castTo(b->value, type);
  Value left = conform(*a, concat(shape->batch, shape->rows, depth), 2);
  Value right = conform(*b, concat(shape->batch, depth, shape->columns), 2);
  LabelList dims = concat(shape->batch, shape->rows, shape->columns);
  Value product = MatmulOp::create(
      builder, loc, tileType(dims, builder.getF32Type()), left, right);
  return TileValue{accumulate(step, product), dims,
                   a->scale * b->scale * step.derivation.resultScale};
}

// The steps that one softmax accumulator computes: all with these scores.
SmallVector<uint32_t> PlanEmitter::softmaxGroup(const Step &leader) const {
  SmallVector<uint32_t> group;
  for (uint32_t number = 0; number < plan.steps.size(); ++number) {
    const Step &step = plan.steps[number];
    bool isSoftmax = step.derivation.rule == Rule::SoftmaxSum ||
                     step.derivation.rule == Rule::SoftmaxContract;
    if (isSoftmax && step.operands[0] == leader.operands[0] &&
        step.accumulate == leader.accumulate &&
        step.derivation.label == leader.derivation.label &&
        step.derivation.scales[0] == leader.derivation.scales[0])
      group.push_back(number);
  }
  return group;
}

// The row label of the scores: the one that the values do not have; without
// values the innermost. All others are batch labels.
std::optional<search::ContractShape>
PlanEmitter::softmaxShape(const TileValue &scores,
                          ArrayRef<uint32_t> group) const {
  const Step &leader = plan.steps[group.front()];
  search::ContractShape shape;
  shape.depth = leader.derivation.label;
  for (LabelId label : scores.dims)
    if (label != shape.depth && label != noLabel)
      shape.rows = label;
  for (uint32_t number : group) {
    const Step &step = plan.steps[number];
    if (step.derivation.rule == Rule::SoftmaxSum)
      continue;
    auto product =
        search::contractShape(plan.steps[step.operands[0]].labels,
                              plan.steps[step.operands[1]].labels, shape.depth);
    if (!product)
      return std::nullopt;
    shape.rows = product->rows;
    break;
  }
  for (LabelId label : scores.dims)
    if (label != shape.depth && label != shape.rows && label != noLabel)
      shape.batch.push_back(label);
  return shape;
}

// All sums with the same scores come from one op.
LogicalResult PlanEmitter::emitSoftmax(uint32_t first) {
  const Step &leader = plan.steps[first];
  SmallVector<uint32_t> group = softmaxGroup(leader), sums;
  FailureOr<TileValue> scores = get(leader.operands[0]);
  if (failed(scores))
    return failure();
  auto shape = softmaxShape(*scores, group);
  if (!shape)
    return failure();
  scores->value = exact(*scores, leader.derivation.scales[0]);
  Value s = conform(*scores, concat(shape->batch, shape->rows, shape->depth));

  Type f32 = builder.getF32Type();
  SmallVector<Value> operands;
  SmallVector<Type> types;
  SmallVector<TileValue> results;
  for (uint32_t number : group) {
    const Step &step = plan.steps[number];
    if (step.derivation.rule == Rule::SoftmaxSum)
      continue;
    FailureOr<TileValue> v = get(step.operands[1]);
    auto product = search::contractShape(plan.steps[step.operands[0]].labels,
                                         plan.steps[step.operands[1]].labels,
                                         shape->depth);
    // A batch dim of the values alone has no place here.
    if (failed(v) || !product || product->rows != shape->rows ||
        llvm::any_of(product->batch, [&](LabelId label) {
          return !llvm::is_contained(shape->batch, label);
        }))
      return failure();
    v->value = castTo(v->value, matrixType());
    operands.push_back(
        conform(*v, concat(shape->batch, shape->depth, product->columns), 2));
    LabelList dims = concat(shape->batch, shape->rows, product->columns);
    types.push_back(tileType(dims, f32));
    results.push_back({Value(), dims, v->scale * step.derivation.resultScale});
    sums.push_back(number);
  }
  LabelList row = concat(shape->batch, shape->rows, noLabel);
  auto op = AccumulateSoftmaxOp::create(builder, loc, tileType(row, f32), types,
                                        s, operands, leader.accumulate);
  for (auto [number, result, value] :
       llvm::zip(sums, results, op.getNumerators())) {
    result.value = value;
    tiles[number] = result;
  }
  for (uint32_t number : group)
    if (plan.steps[number].derivation.rule == Rule::SoftmaxSum)
      tiles[number] = TileValue{op.getDenominator(), row,
                                plan.steps[number].derivation.resultScale};
  return success();
}

//===----------------------------------------------------------------------===//
// The op around
//===----------------------------------------------------------------------===//

TileDimAttr PlanEmitter::dimOf(LabelId label, int loop) const {
  SmallVector<TileIndex, 1> indices;
  if (label != noLabel) {
    Role role = plan.roles.lookup(label);
    auto *grid = llvm::find(plan.grid, label);
    if (role == Role::Grid && grid != plan.grid.end())
      indices.push_back(TileIndex::grid(grid - plan.grid.begin()));
    else if (role == Role::Loop)
      indices.push_back(TileIndex::loop(loop));
  }
  return TileDimAttr::get(builder.getContext(), indices, 0);
}

TileMapAttr PlanEmitter::mapOf(const LabelList &labels, int loop) const {
  SmallVector<TileDimAttr> dims;
  for (LabelId label : labels)
    dims.push_back(dimOf(label, loop));
  return TileMapAttr::get(builder.getContext(), dims);
}

BlockGraphOp
PlanEmitter::createGraph(llvm::DenseMap<search::TensorId, Value> &values) {
  const ExprContext &context = segment.context;
  auto tileCount = [&](LabelId label) {
    int64_t tile = plan.tiles.lookup(label);
    return (context.size(label) + tile - 1) / tile;
  };
  SmallVector<int64_t> grid, loops;
  for (LabelId label : plan.grid)
    grid.push_back(tileCount(label));
  if (grid.empty())
    grid.push_back(1);
  for (const search::PlanLoop &loop : plan.loops)
    loops.push_back(tileCount(loop.label));

  SmallVector<Value> inputs;
  SmallVector<TileMapAttr> inputMaps, outputMaps;
  SmallVector<Type> tileTypes, resultTypes;
  SmallVector<uint32_t> arguments;
  for (auto [number, step] : llvm::enumerate(plan.steps)) {
    if (step.derivation.rule != Rule::Input)
      continue;
    const search::SegmentTensor &tensor =
        segment.graph->segment.tensors[step.derivation.symbol];
    inputs.push_back(values.lookup(tensor.tensor));
    inputMaps.push_back(mapOf(tensor.labels, step.loop));
    tileTypes.push_back(tileType(
        tensor.labels, program.typeOf(tensor.tensor).getElementType()));
    arguments.push_back(number);
  }
  for (const search::PlanOutput &output : plan.outputs) {
    const search::SegmentTensor &tensor =
        segment.graph->segment.tensors[output.tensor];
    outputMaps.push_back(mapOf(tensor.labels, plan.steps[output.step].loop));
    resultTypes.push_back(program.typeOf(tensor.tensor));
  }
  auto graph = BlockGraphOp::create(builder, loc, resultTypes, inputs, grid,
                                    loops, inputMaps, outputMaps, tileTypes);
  graph.setThreads(plan.threads);
  for (auto [i, number] : llvm::enumerate(arguments)) {
    const Step &step = plan.steps[number];
    tiles[number] = TileValue{
        graph.getBodyBlock()->getArgument(i),
        segment.graph->segment.tensors[step.derivation.symbol].labels, 1};
  }
  return graph;
}

FailureOr<Value> PlanEmitter::emitOutput(const search::PlanOutput &output) {
  const search::SegmentTensor &tensor =
      segment.graph->segment.tensors[output.tensor];
  FailureOr<TileValue> tile = get(output.step);
  if (failed(tile))
    return failure();
  Type element = program.typeOf(tensor.tensor).getElementType();
  if (!(output.scale / tile->scale).isOne())
    tile->value = exact(*tile, output.scale);
  Value value = conform(*tile, tensor.labels);
  RankedTensorType type = tileType(tensor.labels, elementType(value));
  if (value.getType() != type)
    value = BroadcastOp::create(builder, loc, type, value);
  return castTo(value, element);
}

LogicalResult PlanEmitter::run(llvm::DenseMap<search::TensorId, Value> &values,
                               std::string &reason) {
  OpBuilder::InsertionGuard guard(builder);
  BlockGraphOp graph = createGraph(values);
  builder.setInsertionPointToEnd(graph.getBodyBlock());
  SmallVector<Value> yielded;
  for (const search::PlanOutput &output : plan.outputs) {
    FailureOr<Value> value = emitOutput(output);
    if (failed(value)) {
      reason = "a step of the plan has no op";
      graph.erase();
      return failure();
    }
    yielded.push_back(*value);
  }
  YieldOp::create(builder, loc, yielded);
  // A plan that breaks a rule of the dialect is dropped, not reported.
  ScopedDiagnosticHandler handler(builder.getContext(), [&](Diagnostic &d) {
    if (reason.empty())
      reason = d.str();
    return success();
  });
  if (failed(verify(graph))) {
    graph.erase();
    return failure();
  }
  for (auto [output, result] : llvm::zip(plan.outputs, graph.getResults()))
    values[segment.graph->segment.tensors[output.tensor].tensor] = result;
  return success();
}

LogicalResult mirage::mugraph::emitPlan(
    OpBuilder &builder, Location loc, const ImportedProgram &program,
    const search::SegmentResult &segment, const KernelPlan &plan,
    llvm::DenseMap<search::TensorId, Value> &values, std::string &reason) {
  return PlanEmitter(builder, loc, program, segment, plan).run(values, reason);
}
