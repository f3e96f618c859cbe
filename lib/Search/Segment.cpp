//===- Segment.cpp - Consecutive ops as expressions -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Segment.h"

#include "SegmentOps.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::search;

// Operands that are taken apart before a segment is given up.
static constexpr unsigned maxCopies = 16;

namespace {
/// Finds which dims of ops are the same.
class SegmentBuilder {
public:
  SegmentBuilder(CollectedOps ops, const Program &program, ExprContext &context)
      : program(program), context(context), segment(std::move(ops.segment)),
        alike(std::move(ops.alike)) {}

  bool unify(std::string &reason);
  Segment finish();

private:
  uint32_t copyTensor(uint32_t tensor);
  void findMatrixType();
  void findLeaders();
  void findLeader(unsigned dim);
  void joinOutputs();
  void joinIfPossible(TensorDim a, TensorDim b);
  std::optional<size_t> findClash();
  unsigned dimClass(uint32_t tensor, unsigned dim) const {
    return firstDim[tensor] + dim;
  }

  const Program &program;
  ExprContext &context;
  Segment segment;
  std::vector<std::pair<TensorDim, TensorDim>> alike, joined;
  std::vector<unsigned> firstDim, firstIteration;
  llvm::IntEqClasses classes;
};
} // namespace

// A second instance of a tensor and of all that computes it. The new ops go
// right behind the originals, so that the order stays valid.
uint32_t SegmentBuilder::copyTensor(uint32_t tensor) {
  uint32_t copy = segment.tensors.size();
  segment.tensors.push_back(SegmentTensor(segment.tensors[tensor]));
  auto it = llvm::find_if(segment.ops,
                          [&](const Op &op) { return op.result == tensor; });
  if (it == segment.ops.end()) {
    segment.inputs.push_back(copy);
    return copy;
  }
  Op op = *it;
  for (TensorId &operand : op.operands)
    operand = copyTensor(operand);
  op.result = copy;
  it = llvm::find_if(segment.ops,
                     [&](const Op &o) { return o.result == tensor; });
  segment.ops.insert(it + 1, std::move(op));
  return copy;
}

// Joins the dims of each op in turn; returns the first op that makes two dims
// of one tensor or one op the same.
std::optional<size_t> SegmentBuilder::findClash() {
  firstDim.clear();
  firstIteration.clear();
  unsigned count = 0;
  for (const SegmentTensor &tensor : segment.tensors) {
    firstDim.push_back(count);
    count += tensor.shape.size();
  }
  for (const Op &op : segment.ops) {
    firstIteration.push_back(count);
    count += op.extents.size();
  }
  classes = llvm::IntEqClasses(count);
  auto join = [&](unsigned op, uint32_t tensor, llvm::ArrayRef<int> dims) {
    for (auto [dim, iteration] : llvm::enumerate(dims))
      if (iteration >= 0)
        classes.join(dimClass(tensor, dim), firstIteration[op] + iteration);
  };
  auto areDistinct = [&](unsigned first, llvm::ArrayRef<int64_t> extents) {
    llvm::SmallVector<unsigned, 4> seen;
    for (auto [dim, extent] : llvm::enumerate(extents)) {
      unsigned leader = classes.findLeader(first + dim);
      if (extent != 1 && llvm::is_contained(seen, leader))
        return false;
      if (extent != 1)
        seen.push_back(leader);
    }
    return true;
  };
  for (auto [a, b] : joined)
    classes.join(dimClass(a.first, a.second), dimClass(b.first, b.second));
  for (auto [number, op] : llvm::enumerate(segment.ops)) {
    for (auto [operand, dims] : llvm::zip(op.operands, op.operandDims))
      join(number, operand, dims);
    join(number, op.result, op.resultDims);
    for (size_t i = 0; i <= number; ++i)
      if (!areDistinct(firstIteration[i], segment.ops[i].extents))
        return number;
    for (size_t i = 0; i < segment.tensors.size(); ++i)
      if (!areDistinct(firstDim[i], segment.tensors[i].shape))
        return number;
  }
  return std::nullopt;
}

void SegmentBuilder::joinIfPossible(TensorDim a, TensorDim b) {
  joined.push_back({a, b});
  if (findClash()) {
    joined.pop_back();
    findClash();
  }
}

// Results of one shape share the blocks of a kernel: their dims become one
// where nothing speaks against it.
void SegmentBuilder::joinOutputs() {
  for (size_t i = 1; i < segment.outputs.size(); ++i) {
    uint32_t first = segment.outputs[0], other = segment.outputs[i];
    auto &shape = segment.tensors[first].shape;
    if (shape != segment.tensors[other].shape)
      continue;
    for (unsigned dim = 0; dim < shape.size(); ++dim)
      joinIfPossible({first, dim}, {other, dim});
  }
}

bool SegmentBuilder::unify(std::string &reason) {
  for (unsigned copies = 0; copies <= maxCopies; ++copies) {
    std::optional<size_t> clash = findClash();
    if (!clash) {
      for (auto [a, b] : alike)
        joinIfPossible(a, b);
      joinOutputs();
      return true;
    }
    if (segment.ops[*clash].operands.size() < 2)
      break;
    uint32_t result = segment.ops[*clash].result;
    uint32_t copy = copyTensor(segment.ops[*clash].operands.back());
    auto it = llvm::find_if(segment.ops,
                            [&](const Op &op) { return op.result == result; });
    it->operands.back() = copy;
  }
  reason = "its dims cannot be told apart";
  return false;
}

// The element type of contractions: what the program's matrix products use.
void SegmentBuilder::findMatrixType() {
  for (const Op &op : segment.ops) {
    bool isProduct = op.reduction == Reduction::Sum && op.body.size() == 3 &&
                     op.body.back().kind == ScalarNode::Kind::Multiply &&
                     op.operands.size() == 2;
    if (!isProduct)
      continue;
    TensorId tensor = segment.tensors[op.operands[0]].tensor;
    unsigned bits = program.tensors[tensor].elementBits;
    if (segment.matrixTensor && bits <= segment.matrixBits)
      continue;
    segment.matrixBits = bits;
    segment.matrixTensor = tensor;
  }
}

// The labels of a dim of the results follow the largest, if its size is a
// multiple of theirs and nothing has two of them.
void SegmentBuilder::findLeader(unsigned dim) {
  LabelList labels;
  for (uint32_t output : segment.outputs) {
    LabelId label = segment.tensors[output].labels[dim];
    if (label == noLabel)
      return;
    if (!llvm::is_contained(labels, label))
      labels.push_back(label);
  }
  LabelId leader = *llvm::max_element(labels, [&](LabelId a, LabelId b) {
    return context.size(a) < context.size(b);
  });
  auto areApart = [&](const LabelList &list) {
    return llvm::count_if(list, [&](LabelId label) {
             return llvm::is_contained(labels, label);
           }) <= 1;
  };
  bool mayShare = llvm::all_of(segment.opLabels, areApart) &&
                  llvm::all_of(labels, [&](LabelId label) {
                    return context.size(leader) % context.size(label) == 0;
                  });
  if (mayShare)
    for (LabelId label : labels)
      if (label != leader)
        segment.leaders[label] = leader;
}

void SegmentBuilder::findLeaders() {
  auto rank = [&](uint32_t output) {
    return segment.tensors[output].shape.size();
  };
  unsigned dims = rank(segment.outputs.front());
  if (llvm::all_of(segment.outputs,
                   [&](uint32_t output) { return rank(output) == dims; }))
    for (unsigned dim = 0; dim < dims; ++dim)
      findLeader(dim);
}

Segment SegmentBuilder::finish() {
  findMatrixType();
  llvm::DenseMap<unsigned, LabelId> labels;
  auto labelOf = [&](unsigned dim, int64_t extent) {
    if (extent == 1)
      return noLabel;
    auto [it, isNew] = labels.try_emplace(classes.findLeader(dim), 0);
    if (isNew)
      it->second = context.addLabel(extent);
    return it->second;
  };
  for (auto [number, tensor] : llvm::enumerate(segment.tensors))
    for (auto [dim, extent] : llvm::enumerate(tensor.shape))
      tensor.labels.push_back(labelOf(dimClass(number, dim), extent));
  for (auto [number, op] : llvm::enumerate(segment.ops)) {
    LabelList &list = segment.opLabels.emplace_back();
    for (auto [dim, extent] : llvm::enumerate(op.extents))
      list.push_back(labelOf(firstIteration[number] + dim, extent));
  }
  findLeaders();
  return std::move(segment);
}

std::optional<Segment> search::makeSegment(const Program &program,
                                           unsigned first, unsigned last,
                                           ExprContext &context,
                                           std::string &reason) {
  std::optional<CollectedOps> ops = collectOps(program, first, last, reason);
  if (!ops)
    return std::nullopt;
  SegmentBuilder builder(std::move(*ops), program, context);
  if (!builder.unify(reason))
    return std::nullopt;
  return builder.finish();
}
