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

/// Shared memory that the buffers of the kernel leave for scratch.
static int64_t freeShared(gpu::GPUFuncOp kernel,
                          const TargetDescription &target) {
  int64_t bytes = target.sharedBytesPerBlock;
  kernel.walk([&](AllocSharedOp op) { bytes -= op.getType().getBytes(); });
  return bytes;
}

AssignProblem::AssignProblem(gpu::GPUFuncOp kernel, BlockThreads threads,
                             const TargetDescription &target,
                             unsigned maxCandidates)
    : kernel(kernel), threads(threads), target(target),
      maxCandidates(maxCandidates), costs(target, freeShared(kernel, target)) {
  addNodes(kernel.getBody().front(), 1);
  addUsers();
  for (Node &node : list)
    addAnchors(node);
  spreadCandidates();
}

/// The nodes are numbered in the order of the program: who uses a value before
/// it is defined is an iteration argument.
void AssignProblem::addUsers() {
  users.resize(list.size());
  DenseMap<Value, size_t> numbers;
  for (auto [number, exchange] : llvm::enumerate(exchanges))
    numbers[exchange.value] = number;
  for (auto [number, node] : llvm::enumerate(list))
    for (auto [operand, value] : llvm::enumerate(node.operands))
      if (std::optional<unsigned> producer = producerOf(value)) {
        users[*producer].push_back({number, operand});
        exchanges[numbers.lookup(value)].users.push_back({number, operand});
      }
}

void AssignProblem::addNode(Node node, ArrayRef<double> resultWeights) {
  for (auto [result, weight] : llvm::zip_equal(node.results, resultWeights)) {
    producers[result] = list.size();
    exchanges.push_back({result, unsigned(list.size()), {}, weight});
  }
  list.push_back(std::move(node));
}

void AssignProblem::addNodes(Block &block, double weight) {
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      addLoop(loop, weight);
    else if (auto branch = dyn_cast<scf::IfOp>(op))
      addBranch(branch, weight);
    else if (!op.hasTrait<OpTrait::IsTerminator>())
      addOperation(op, weight);
  }
}

void AssignProblem::addOperation(Operation &op, double weight) {
  Node node(&op, std::nullopt, weight);
  llvm::copy_if(op.getResults(), std::back_inserter(node.results), isTile);
  llvm::copy_if(op.getOperands(), std::back_inserter(node.operands), isTile);
  bool takesPart = !node.operands.empty() || !node.results.empty();
  if (!takesPart || (node.results.size() == 1 && isSplat(node.results[0])))
    return;
  SmallVector<double> weights(node.results.size(), weight);
  addNode(std::move(node), weights);
}

int64_t mirage::layout::tripsOf(scf::ForOp loop) {
  std::optional<int64_t> from = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> to = getConstantIntValue(loop.getUpperBound());
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  if (!from || !to || !step || *step <= 0)
    return unknownTrips;
  return std::max<int64_t>(1, (*to - *from + *step - 1) / *step);
}

void AssignProblem::addLoop(scf::ForOp loop, double weight) {
  double inside = weight * tripsOf(loop);
  for (unsigned number = 0; number < loop.getNumRegionIterArgs(); ++number) {
    if (!isTile(loop.getResult(number)))
      continue;
    Node node(loop, number, weight);
    node.results = {loop.getRegionIterArg(number), loop.getResult(number)};
    node.operands = {loop.getInitArgs()[number],
                     loop.getBody()->getTerminator()->getOperand(number)};
    addNode(std::move(node), {inside, weight});
  }
  addNodes(*loop.getBody(), inside);
}

void AssignProblem::addBranch(scf::IfOp branch, double weight) {
  addNodes(*branch.thenBlock(), weight);
  if (!branch.elseBlock())
    return;
  addNodes(*branch.elseBlock(), weight);
  for (unsigned number = 0; number < branch.getNumResults(); ++number) {
    if (!isTile(branch.getResult(number)))
      continue;
    Node node(branch, number, weight);
    node.results = {branch.getResult(number)};
    for (Block *block : {branch.thenBlock(), branch.elseBlock()})
      node.operands.push_back(block->getTerminator()->getOperand(number));
    addNode(std::move(node), {weight});
  }
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

LinearLayoutAttr mirage::layout::operandOfResult(Operation *op,
                                                 LinearLayoutAttr result) {
  if (auto rule = dyn_cast<TileLayoutOpInterface>(op))
    return rule.getOperandLayout(0, result);
  return {};
}

/// The operand whose layout is the choice; nothing where it is the result's.
static std::optional<unsigned> choosingOperand(Operation *op) {
  if (isa<TransposeOp, ReshapeOp, ReduceOp, JoinOp, SplitOp, UnpackOp>(op))
    return 0;
  return std::nullopt;
}

LinearLayoutAttr
AssignProblem::remember(Rule rule, unsigned number, LinearLayoutAttr layout,
                        function_ref<LinearLayoutAttr()> answer) const {
  auto [entry, isNew] =
      rules.try_emplace({number, static_cast<unsigned>(rule), layout});
  if (isNew)
    entry->second = answer();
  return entry->second;
}

LinearLayoutAttr AssignProblem::resultLayout(unsigned number,
                                             LinearLayoutAttr choice) const {
  Operation *op = list[number].op;
  std::optional<unsigned> operand = choosingOperand(op);
  if (!operand)
    return choice;
  return remember(Rule::Result, number, choice, [&] {
    return cast<TileLayoutOpInterface>(op).getResultLayout(*operand, choice);
  });
}

/// Where a gather reads from may be in any layout: in that of its indices, if
/// the tiles are of one shape.
static LinearLayoutAttr gatherSource(GatherOp op, LinearLayoutAttr choice,
                                     BlockThreads threads,
                                     const TargetDescription &target) {
  RankedTensorType source = tileType(op.getSource());
  if (source.getShape() == choice.getShape())
    return choice;
  MemoryShape memory = memoryShapeOf(source);
  return memoryLayouts(op.getContext(), memory, threads, target).front();
}

LinearLayoutAttr AssignProblem::wantedLayout(unsigned number, unsigned operand,
                                             LinearLayoutAttr choice) const {
  const Node &node = list[number];
  if (isa<BroadcastOp>(node.op))
    return remember(Rule::Wanted, number, choice,
                    [&] { return operandOfResult(node.op, choice); });
  if (auto gather = dyn_cast<GatherOp>(node.op); gather && operand == 0)
    return remember(Rule::Wanted, number, choice, [&] {
      return gatherSource(gather, choice, threads, target);
    });
  if (isa<DotOp>(node.op) && operand < 2) {
    DotLayouts fragments = node.fragments.lookup(choice);
    return operand == 0 ? fragments.a : fragments.b;
  }
  return choice;
}

LinearLayoutAttr AssignProblem::choiceForResult(unsigned number,
                                                LinearLayoutAttr layout) const {
  const Node &node = list[number];
  if (isa<TransposeOp, ReshapeOp, JoinOp, UnpackOp>(node.op))
    return remember(Rule::Operand, number, layout,
                    [&] { return operandOfResult(node.op, layout); });
  if (isa<SplitOp>(node.op))
    return layout.joinLast();
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
  if (isa<GatherOp>(node.op) && operand == 0)
    return {};
  if (isa<SplitOp>(node.op) && !layout.splitLast())
    return {};
  return layout;
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

static std::optional<MemoryShape> accessedMemory(Operation *op) {
  if (auto access = dyn_cast<GlobalAccessOpInterface>(op))
    return memoryShapeOf(access);
  return std::nullopt;
}

/// The narrowest width that `value` has on its way from memory.
static unsigned loadedBits(Value value) {
  unsigned bits = getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<arith::ExtFOp, arith::SIToFPOp, arith::UIToFPOp,
                       arith::ExtSIOp, ConvertOp, UnpackOp>(op))
    return bits;
  constexpr unsigned packedBits = 4;
  if (isa<UnpackOp>(op))
    return packedBits;
  return std::min(bits, loadedBits(op->getOperand(0)));
}

void AssignProblem::addDotAnchors(Node &node) {
  auto dot = cast<DotOp>(node.op);
  RankedTensorType a = tileType(dot.getA()), c = tileType(dot.getResult());
  if (a.getRank() != 2)
    return;
  for (const DotLayouts &layouts :
       dotLayouts(kernel.getContext(), c.getDimSize(0), c.getDimSize(1),
                  a.getDimSize(1), a.getElementType(),
                  std::min(loadedBits(dot.getA()), loadedBits(dot.getB())),
                  threads, target)) {
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
  bool splits = isa<SplitOp>(node.op);
  bool fromOperand =
      (choosingOperand(node.op) && !splits) || node.results.empty();
  RankedTensorType type =
      tileType(fromOperand ? node.operands[0] : node.results[0]);
  MemoryShape memory = memoryShapeOf(type);
  for (LinearLayoutAttr layout :
       memoryLayouts(context, memory, threads, target))
    node.candidates.insert(splits ? layout.joinLast() : layout);
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
