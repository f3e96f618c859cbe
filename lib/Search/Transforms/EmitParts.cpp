//===- EmitParts.cpp - Sums that several blocks share ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanEmitter.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::Role;
using search::Rule;
using search::Step;

// A split plan's first kernel stores the parts of its sums, the second one puts
// them together: its softmax sums with the weights exp(M_p - max_p M_p).

// All parts of a value with these labels.
RankedTensorType PlanEmitter::partialType(const LabelList &labels,
                                          Type element) const {
  SmallVector<int64_t> shape = {plan.splits};
  for (LabelId label : labels)
    shape.push_back(segment.context.size(label));
  return RankedTensorType::get(shape, element);
}

Type PlanEmitter::partElement(const Step &step) const {
  return search::partialBits(step, *segment.graph) < 32 ? matrixType()
                                                        : builder.getF32Type();
}

// What a part is multiplied with so that its type holds it.
Coefficient PlanEmitter::partScale(const Step &step) const {
  if (!partElement(step).isF16())
    return 1;
  LabelId label = step.derivation.label;
  int64_t keys = tileCount(label) / plan.splits * extent(label);
  return Coefficient(1) / Coefficient(int64_t(llvm::PowerOf2Ceil(keys)));
}

static LabelList withParts(LabelId first, const LabelList &labels) {
  LabelList result = {first};
  result.append(labels.begin(), labels.end());
  return result;
}

// The maximum of a block's part of the scores, if a later kernel needs it.
void PlanEmitter::keepMaximum(ArrayRef<uint32_t> group, Value scores,
                              const LabelList &row) {
  maxima.resize(plan.partials.size());
  for (auto [number, step] : llvm::enumerate(plan.partials)) {
    if (!llvm::is_contained(group, step) || owners[number] != number)
      continue;
    int64_t last = row.size() - 1;
    Value maximum =
        ReduceOp::create(builder, loc, tileType(row, builder.getF32Type()),
                         scores, ReduceKind::Max, ArrayRef<int64_t>{last});
    maximum =
        AccumulateOp::create(builder, loc, maximum.getType(), maximum,
                             AccumulateKind::Max, plan.steps[step].accumulate);
    maxima[number] = TileValue{maximum, row, 1};
  }
}

LogicalResult PlanEmitter::yieldPartials(SmallVectorImpl<Value> &yielded) {
  auto yield = [&](const TileValue &tile, const LabelList &labels,
                   Type element) {
    Value value = conform(tile, withParts(noLabel, labels), labels.size() + 1);
    yielded.push_back(castTo(value, element));
  };
  for (auto [number, step] : llvm::enumerate(plan.partials)) {
    FailureOr<TileValue> tile = get(step);
    if (failed(tile))
      return failure();
    Coefficient scale = tile->scale * partScale(plan.steps[step]);
    tile->value = exact(*tile, scale);
    parts[number].scale = scale;
    yield(*tile, plan.steps[step].labels, partElement(plan.steps[step]));
    if (owners[number] == number)
      yield(*maxima[number], parts[number].maximumLabels, builder.getF32Type());
  }
  return success();
}

Value PlanEmitter::reduceParts(const TileValue &tile, ReduceKind kind) {
  LabelList dims = tile.dims;
  dims.front() = noLabel;
  return ReduceOp::create(builder, loc, tileType(dims, builder.getF32Type()),
                          tile.value, kind, ArrayRef<int64_t>{0});
}

// exp(M_p - max_p M_p).
TileValue PlanEmitter::partWeights(const PartialTensor &part, Value maxima) {
  LabelList dims = withParts(partLabel, part.maximumLabels);
  Value &known = weights[maxima];
  if (!known) {
    Value highest = reduceParts({maxima, dims, 1}, ReduceKind::Max);
    Value below = SubOp::create(builder, loc, maxima, highest);
    known = ExpOp::create(builder, loc, below);
  }
  return {known, dims, 1};
}

FailureOr<TileValue> PlanEmitter::emitPartial(const Step &step) {
  const PartialTensor &part = parts[step.partial];
  TileValue tile{wide(partTiles[step.partial]),
                 withParts(partLabel, step.labels), part.scale};
  ReduceKind kind = ReduceKind::Sum;
  if (step.derivation.rule == Rule::Extremum)
    kind = step.derivation.symbol == uint32_t(ExtremumKind::Max)
               ? ReduceKind::Max
               : ReduceKind::Min;
  if (search::isSoftmax(step)) {
    TileValue weight = partWeights(part, maximumTiles[step.partial]);
    tile.value =
        MulOp::create(builder, loc, tile.value, conform(weight, tile.dims, 1));
  }
  tile.value = reduceParts(tile, kind);
  tile.dims.front() = noLabel;
  return tile;
}
