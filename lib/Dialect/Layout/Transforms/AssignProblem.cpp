//===- AssignProblem.cpp - Layout assignment as an optimisation problem ---===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AssignProblem.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// Candidates of one node; more hardly ever help and cost time.
static constexpr unsigned maxCandidates = 24;
/// Trips of a loop whose bounds are not constant.
static constexpr int64_t unknownTrips = 8;

bool mirage::layout::isTile(Value value) {
  return isa<RankedTensorType>(value.getType());
}

bool mirage::layout::isSplat(Value value) {
  SplatElementsAttr splat;
  return matchPattern(value, m_Constant(&splat));
}

static RankedTensorType tileType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// The problem
//===----------------------------------------------------------------------===//

AssignProblem::AssignProblem(gpu::GPUFuncOp kernel, BlockThreads threads,
                             const TargetDescription &target)
    : kernel(kernel), threads(threads), target(target), costs(target) {
  addNodes(kernel.getBody().front(), 1);
  users.resize(list.size());
  for (auto [number, node] : llvm::enumerate(list))
    for (auto [operand, value] : llvm::enumerate(node.operands))
      if (std::optional<unsigned> producer = producerOf(value))
        users[*producer].push_back({number, operand});
  for (Node &node : list)
    addAnchors(node);
  spreadCandidates();
}

void AssignProblem::addNodes(Block &block, double weight) {
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      addLoop(loop, weight);
      continue;
    }
    if (op.hasTrait<OpTrait::IsTerminator>())
      continue;
    Node node(&op, std::nullopt, weight);
    llvm::copy_if(op.getResults(), std::back_inserter(node.results), isTile);
    llvm::copy_if(op.getOperands(), std::back_inserter(node.operands), isTile);
    bool takesPart = !node.operands.empty() || !node.results.empty();
    if (!takesPart || (node.results.size() == 1 && isSplat(node.results[0])))
      continue;
    for (Value result : node.results)
      producers[result] = list.size();
    list.push_back(std::move(node));
  }
}

void AssignProblem::addLoop(scf::ForOp loop, double weight) {
  for (unsigned number = 0; number < loop.getNumRegionIterArgs(); ++number) {
    if (!isTile(loop.getResult(number)))
      continue;
    Node node(loop, number, weight);
    node.results = {loop.getRegionIterArg(number), loop.getResult(number)};
    node.operands = {loop.getInitArgs()[number],
                     loop.getBody()->getTerminator()->getOperand(number)};
    for (Value result : node.results)
      producers[result] = list.size();
    list.push_back(std::move(node));
  }
  auto bound = [](OpFoldResult value) { return getConstantIntValue(value); };
  std::optional<int64_t> from = bound(loop.getLowerBound());
  std::optional<int64_t> to = bound(loop.getUpperBound());
  std::optional<int64_t> step = bound(loop.getStep());
  int64_t trips = unknownTrips;
  if (from && to && step && *step > 0)
    trips = std::max<int64_t>(1, (*to - *from + *step - 1) / *step);
  addNodes(*loop.getBody(), weight * trips);
}

std::optional<unsigned> AssignProblem::producerOf(Value value) const {
  auto found = producers.find(value);
  if (found == producers.end())
    return std::nullopt;
  return found->second;
}

//===----------------------------------------------------------------------===//
// The rules
//===----------------------------------------------------------------------===//

/// `layout` with the dims zeroed in which `op` grows its operand.
static LinearLayoutAttr broadcastOperand(BroadcastOp op,
                                         LinearLayoutAttr layout) {
  ArrayRef<int64_t> from = tileType(op.getValue()).getShape();
  ArrayRef<int64_t> to = layout.getShape();
  for (auto [dim, extent] : llvm::enumerate(from))
    if (extent != to[dim])
      layout = layout.reduceDim(dim);
  return layout;
}

LinearLayoutAttr mirage::layout::operandOfResult(Operation *op,
                                                 LinearLayoutAttr result) {
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    SmallVector<int64_t> inverse(transpose.getPerm().size());
    for (auto [to, from] : llvm::enumerate(transpose.getPerm()))
      inverse[from] = to;
    return result.transpose(inverse);
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return result.reshape(tileType(reshape.getValue()).getShape());
  if (auto broadcast = dyn_cast<BroadcastOp>(op))
    return broadcastOperand(broadcast, result);
  return {};
}

LinearLayoutAttr AssignProblem::resultLayout(unsigned number,
                                             LinearLayoutAttr choice) const {
  Operation *op = list[number].op;
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return choice.transpose(transpose.getPerm());
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return choice.reshape(tileType(reshape.getResult()).getShape());
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return choice.reduceDim(reduce.getAxis());
  return choice;
}

LinearLayoutAttr AssignProblem::wantedLayout(unsigned number, unsigned operand,
                                             LinearLayoutAttr choice) const {
  const Node &node = list[number];
  if (auto broadcast = dyn_cast<BroadcastOp>(node.op))
    return broadcastOperand(broadcast, choice);
  if (isa<DotOp>(node.op) && operand < 2) {
    DotLayouts fragments = node.fragments.lookup(choice);
    return operand == 0 ? fragments.a : fragments.b;
  }
  return choice;
}

LinearLayoutAttr AssignProblem::choiceForResult(unsigned number,
                                                LinearLayoutAttr layout) const {
  const Node &node = list[number];
  if (isa<TransposeOp, ReshapeOp>(node.op))
    return operandOfResult(node.op, layout);
  if (isa<ReduceOp>(node.op)) {
    for (LinearLayoutAttr candidate : node.candidates)
      if (resultLayout(number, candidate) == layout)
        return candidate;
    return {};
  }
  if (isa<DotOp>(node.op) && !node.fragments.contains(layout))
    return {};
  return layout;
}

LinearLayoutAttr
AssignProblem::choiceForOperand(unsigned number, unsigned operand,
                                LinearLayoutAttr layout) const {
  const Node &node = list[number];
  if (isa<BroadcastOp>(node.op)) {
    for (LinearLayoutAttr candidate : node.candidates)
      if (wantedLayout(number, operand, candidate) == layout)
        return candidate;
    return {};
  }
  if (isa<DotOp>(node.op) && (operand < 2 || !node.fragments.contains(layout)))
    return {};
  return layout;
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

static std::optional<MemoryShape> accessedMemory(Operation *op) {
  if (auto load = dyn_cast<LoadOp>(op))
    return memoryShapeOf(tileType(load.getResult()),
                         cast<MemRefType>(load.getSource().getType()));
  if (auto store = dyn_cast<StoreOp>(op))
    return memoryShapeOf(tileType(store.getValue()),
                         cast<MemRefType>(store.getDest().getType()));
  return std::nullopt;
}

void AssignProblem::addDotAnchors(Node &node) {
  auto dot = cast<DotOp>(node.op);
  RankedTensorType a = tileType(dot.getA()), c = tileType(dot.getResult());
  if (a.getRank() != 2)
    return;
  for (const DotLayouts &layouts :
       dotLayouts(kernel.getContext(), c.getDimSize(0), c.getDimSize(1),
                  a.getDimSize(1), a.getElementType(), threads, target)) {
    node.candidates.insert(layouts.accumulator);
    node.fragments.try_emplace(layouts.accumulator, layouts);
  }
}

void AssignProblem::addAnchors(Node &node) {
  if (isa<DotOp>(node.op))
    return addDotAnchors(node);
  MLIRContext *context = kernel.getContext();
  if (std::optional<MemoryShape> memory = accessedMemory(node.op)) {
    for (LinearLayoutAttr layout :
         memoryLayouts(context, *memory, threads, target))
      node.candidates.insert(layout);
    return;
  }
  // Everything else: as if it came from a row-major tensor of its own shape.
  if (isa<TransposeOp, ReshapeOp, BroadcastOp>(node.op))
    return;
  Value tile = isa<ReduceOp>(node.op) || node.results.empty() ? node.operands[0]
                                                              : node.results[0];
  RankedTensorType type = tileType(tile);
  MemoryShape memory = memoryShapeOf(
      type, MemRefType::get(type.getShape(), type.getElementType()));
  for (LinearLayoutAttr layout :
       memoryLayouts(context, memory, threads, target))
    node.candidates.insert(layout);
}

bool AssignProblem::addCandidate(unsigned number, LinearLayoutAttr layout) {
  Node &node = list[number];
  if (!layout || node.candidates.size() >= maxCandidates || isa<DotOp>(node.op))
    return false;
  return node.candidates.insert(layout);
}

/// Offers the candidates of a node to those it exchanges values with.
bool AssignProblem::spreadFrom(unsigned number) {
  bool changed = false;
  SmallVector<LinearLayoutAttr> candidates(list[number].candidates.begin(),
                                           list[number].candidates.end());
  for (LinearLayoutAttr choice : candidates) {
    for (auto [operand, value] : llvm::enumerate(list[number].operands))
      if (std::optional<unsigned> producer = producerOf(value))
        changed |= addCandidate(
            *producer,
            choiceForResult(*producer, wantedLayout(number, operand, choice)));
    LinearLayoutAttr result = resultLayout(number, choice);
    for (auto [user, operand] : users[number])
      changed |= addCandidate(user, choiceForOperand(user, operand, result));
  }
  return changed;
}

void AssignProblem::spreadCandidates() {
  // Twice the nodes is far beyond what a chain of any shape needs.
  bool changed = true;
  for (size_t round = 0; changed && round < 2 * list.size(); ++round) {
    changed = false;
    for (unsigned number = 0; number < list.size(); ++number)
      changed |= spreadFrom(number);
  }
}
