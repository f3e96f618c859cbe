//===- EmitProducts.cpp - Matrix products and softmax sums of a plan ------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanEmitter.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::Role;
using search::Rule;
using search::Step;

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

LabelList mirage::mugraph::matrixLabels(const LabelList &batch, LabelId a,
                                        LabelId b) {
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
      disorder(a->dims, matrixLabels(shape->batch, shape->rows, depth)) +
      disorder(b->dims, matrixLabels(shape->batch, depth, shape->columns));
  unsigned swapped =
      disorder(b->dims, matrixLabels(shape->batch, shape->columns, depth)) +
      disorder(a->dims, matrixLabels(shape->batch, depth, shape->rows));
  if (swapped < straight) {
    std::swap(a, b);
    std::swap(shape->rows, shape->columns);
  }
  Type type = matrixType();
  a->value = castTo(a->value, type);
  b->value = castTo(b->value, type);
  Value left = conform(*a, matrixLabels(shape->batch, shape->rows, depth), 2);
  Value right =
      conform(*b, matrixLabels(shape->batch, depth, shape->columns), 2);
  LabelList dims = matrixLabels(shape->batch, shape->rows, shape->columns);
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
    if (search::isSoftmax(step) && step.partial < 0 &&
        step.operands[0] == leader.operands[0] &&
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

// A numerator without its value, which the op gives, and the operand for it.
FailureOr<std::pair<TileValue, Value>>
PlanEmitter::planNumerator(const Step &step,
                           const search::ContractShape &shape) {
  FailureOr<TileValue> v = get(step.operands[1]);
  auto product =
      search::contractShape(plan.steps[step.operands[0]].labels,
                            plan.steps[step.operands[1]].labels, shape.depth);
  // A batch dim of the values alone has no place here.
  if (failed(v) || !product || product->rows != shape.rows ||
      llvm::any_of(product->batch, [&](LabelId label) {
        return !llvm::is_contained(shape.batch, label);
      }))
    return failure();
  v->value = castTo(v->value, matrixType());
  Value operand =
      conform(*v, matrixLabels(shape.batch, shape.depth, product->columns), 2);
  LabelList dims = matrixLabels(shape.batch, shape.rows, product->columns);
  return std::make_pair(
      TileValue{Value(), dims, v->scale * step.derivation.resultScale},
      operand);
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
  Value s =
      conform(*scores, matrixLabels(shape->batch, shape->rows, shape->depth));

  Type f32 = builder.getF32Type();
  SmallVector<Value> operands;
  SmallVector<Type> types;
  SmallVector<TileValue> results;
  for (uint32_t number : group) {
    if (plan.steps[number].derivation.rule == Rule::SoftmaxSum)
      continue;
    auto numerator = planNumerator(plan.steps[number], *shape);
    if (failed(numerator))
      return failure();
    results.push_back(numerator->first);
    operands.push_back(numerator->second);
    types.push_back(tileType(numerator->first.dims, f32));
    sums.push_back(number);
  }
  LabelList row = matrixLabels(shape->batch, shape->rows, noLabel);
  keepMaximum(group, s, row);
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
