//===- EmitPlan.cpp - From the search to a block graph --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanEmitter.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::Role;
using search::Rule;
using search::Step;

TileDimAttr PlanEmitter::dimOf(LabelId label, int loop, int64_t shift) const {
  SmallVector<TileIndex, 1> indices;
  TileIndex part = TileIndex::grid(plan.grid.size());
  if (label == partLabel) {
    if (plan.splits > 1)
      indices.push_back(part);
  } else if (label != noLabel) {
    Role role = plan.roles.lookup(label);
    auto *grid = llvm::find(plan.grid, segment.graph->segment.gridLabel(label));
    if (role == Role::Grid && grid != plan.grid.end())
      indices.push_back(TileIndex::grid(grid - plan.grid.begin()));
    if (role == Role::Loop && plan.splits > 1)
      indices.push_back(part);
    if (role == Role::Loop)
      indices.push_back(TileIndex::loop(loop));
  }
  return TileDimAttr::get(builder.getContext(), indices, shift);
}

TileMapAttr PlanEmitter::mapOf(const LabelList &labels, int loop,
                               ArrayRef<int64_t> shifts) const {
  SmallVector<TileDimAttr> dims;
  for (auto [dim, label] : llvm::enumerate(labels))
    dims.push_back(dimOf(label, loop, shifts.empty() ? 0 : shifts[dim]));
  return TileMapAttr::get(builder.getContext(), dims);
}

int64_t PlanEmitter::tileCount(LabelId label) const {
  return llvm::divideCeil(segment.context.size(label),
                          plan.tiles.lookup(label));
}

// A tensor of the program, reshaped as the segment sees it.
Value PlanEmitter::viewOf(const search::SegmentTensor &tensor,
                          const ValueMap &values) {
  Value whole = values.lookup(tensor.tensor);
  if (tensor.view.empty())
    return whole;
  for (ReshapeOp known : views)
    if (known.getInput() == whole &&
        known.getType().getShape() == ArrayRef(tensor.view))
      return known;
  auto type = cast<RankedTensorType>(whole.getType());
  return views.emplace_back(
      ReshapeOp::create(builder, loc, type.clone(tensor.view), whole));
}

void PlanEmitter::addInput(uint32_t number, const ValueMap &values,
                           Signature &signature) {
  const Step &step = plan.steps[number];
  const search::SegmentTensor &tensor =
      segment.graph->segment.tensors[step.derivation.symbol];
  signature.inputs.push_back(viewOf(tensor, values));
  signature.inputMaps.push_back(
      mapOf(tensor.labels, step.loop, tensor.offsets));
  signature.tileTypes.push_back(
      tileType(tensor.labels, program.typeOf(tensor.tensor).getElementType()));
  signature.bind.push_back([this, number, &tensor](Value argument) {
    tiles[number] = TileValue{argument, tensor.labels, 1};
  });
}

void PlanEmitter::addPart(Value tensor, const LabelList &labels,
                          Signature &signature,
                          std::function<void(Value)> bind) {
  LabelList dims = {partLabel};
  dims.append(labels.begin(), labels.end());
  signature.inputs.push_back(tensor);
  signature.inputMaps.push_back(mapOf(dims, -1));
  signature.tileTypes.push_back(tileType(dims, elementType(tensor)));
  signature.bind.push_back(std::move(bind));
}

// A part's tile, and once that of the maximum it refers to.
void PlanEmitter::addPartialInput(uint32_t number, Signature &signature) {
  unsigned partial = plan.steps[number].partial;
  const PartialTensor &part = parts[partial];
  partTiles.resize(parts.size());
  maximumTiles.resize(parts.size());
  addPart(part.value, plan.steps[number].labels, signature,
          [this, partial](Value tile) { partTiles[partial] = tile; });
  if (part.maximum && !llvm::is_contained(signature.inputs, part.maximum))
    addPart(part.maximum, part.maximumLabels, signature,
            [this, maximum = part.maximum](Value tile) {
              for (auto [other, place] : llvm::zip(parts, maximumTiles))
                if (other.maximum == maximum)
                  place = tile;
            });
}

void PlanEmitter::addResults(Signature &signature) {
  for (const search::PlanOutput &output : plan.outputs) {
    if (isFurtherPart(output))
      continue;
    const search::SegmentTensor &tensor = tensorOf(output);
    signature.outputMaps.push_back(
        mapOf(tensor.labels, plan.steps[output.step].loop));
    signature.resultTypes.push_back(program.typeOf(tensor.tensor));
  }
  auto addPartialResult = [&](const LabelList &labels, Type element) {
    LabelList dims = {partLabel};
    dims.append(labels.begin(), labels.end());
    signature.outputMaps.push_back(mapOf(dims, -1));
    signature.resultTypes.push_back(partialType(labels, element));
  };
  for (auto [number, step] : llvm::enumerate(plan.partials)) {
    PartialTensor &part = parts.emplace_back();
    addPartialResult(plan.steps[step].labels, partElement(plan.steps[step]));
    if (owners[number] != number)
      continue;
    part.maximumLabels = search::maximumLabels(plan, plan.steps[step]);
    addPartialResult(part.maximumLabels, builder.getF32Type());
  }
}

BlockGraphOp PlanEmitter::createGraph(const ValueMap &values) {
  SmallVector<int64_t> grid, loops;
  for (LabelId label : plan.grid)
    grid.push_back(tileCount(label));
  if (plan.splits > 1 || grid.empty())
    grid.push_back(plan.splits);
  for (const search::PlanLoop &loop : plan.loops)
    loops.push_back(tileCount(loop.label) / plan.splits);

  Signature signature;
  for (auto [number, step] : llvm::enumerate(plan.steps)) {
    if (step.partial >= 0)
      addPartialInput(number, signature);
    else if (step.derivation.rule == Rule::Input)
      addInput(number, values, signature);
  }
  addResults(signature);
  auto graph = BlockGraphOp::create(
      builder, loc, signature.resultTypes, signature.inputs, grid, loops,
      signature.inputMaps, signature.outputMaps, signature.tileTypes);
  graph.setThreads(plan.threads);
  for (auto [bind, argument] :
       llvm::zip(signature.bind, graph.getBodyBlock()->getArguments()))
    bind(argument);
  return graph;
}

FailureOr<Value> PlanEmitter::emitOutput(const search::PlanOutput &output) {
  const search::SegmentTensor &tensor = tensorOf(output);
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

LogicalResult PlanEmitter::emitYield() {
  SmallVector<Value> yielded, parts;
  for (auto [number, output] : llvm::enumerate(plan.outputs)) {
    FailureOr<Value> value = emitOutput(output);
    if (failed(value))
      return failure();
    parts.push_back(*value);
    bool isLast = number + 1 == plan.outputs.size() ||
                  !isFurtherPart(plan.outputs[number + 1]);
    if (!isLast)
      continue;
    if (auto dim = tensorOf(output).cutDim(program.program)) {
      auto type = cast<RankedTensorType>(parts.front().getType());
      SmallVector<int64_t> shape(type.getShape());
      shape[*dim] *= parts.size();
      parts = {ConcatOp::create(builder, loc, type.clone(shape), parts, *dim)};
    }
    yielded.append(parts);
    parts.clear();
  }
  if (failed(yieldPartials(yielded)))
    return failure();
  YieldOp::create(builder, loc, yielded);
  return success();
}

void PlanEmitter::bindResults(BlockGraphOp graph, ValueMap &values) {
  auto results = graph.getResults().begin();
  for (const search::PlanOutput &output : plan.outputs)
    if (!isFurtherPart(output))
      values[tensorOf(output).tensor] = *results++;
  for (unsigned number = 0; number < plan.partials.size(); ++number) {
    parts[number].value = *results++;
    if (!owners[number])
      continue;
    PartialTensor &owner = parts[*owners[number]];
    if (owners[number] == number)
      owner.maximum = *results++;
    parts[number].maximum = owner.maximum;
    parts[number].maximumLabels = owner.maximumLabels;
  }
}

void PlanEmitter::drop(BlockGraphOp graph) {
  graph.erase();
  for (ReshapeOp view : views)
    view.erase();
}

BlockGraphOp PlanEmitter::run(ValueMap &values, std::string &reason) {
  OpBuilder::InsertionGuard guard(builder);
  BlockGraphOp graph = createGraph(values);
  builder.setInsertionPointToEnd(graph.getBodyBlock());
  if (failed(emitYield())) {
    reason = "a step of the plan has no op";
    drop(graph);
    return {};
  }
  // A plan that breaks a rule of the dialect is dropped, not reported.
  ScopedDiagnosticHandler handler(builder.getContext(), [&](Diagnostic &d) {
    if (reason.empty())
      reason = d.str();
    return success();
  });
  if (failed(verify(graph))) {
    drop(graph);
    return {};
  }
  bindResults(graph, values);
  return graph;
}

LogicalResult mirage::mugraph::emitPlan(
    OpBuilder &builder, Location loc, const ImportedProgram &program,
    const search::SegmentResult &segment, const search::KernelPlan &plan,
    llvm::DenseMap<search::TensorId, Value> &values, std::string &reason) {
  PlanEmitter first(builder, loc, program, segment, plan);
  BlockGraphOp graph = first.run(values, reason);
  if (!graph || !plan.combine)
    return success(graph != nullptr);
  PlanEmitter second(builder, loc, program, segment, *plan.combine);
  second.setPartials(first.partials(), plan.splits);
  if (second.run(values, reason))
    return success();
  graph.erase();
  return failure();
}
