//===- Segment.cpp - Consecutive ops as expressions -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Segment.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::search;

// Operands that are taken apart before a segment is given up.
static constexpr unsigned maxCopies = 16;

namespace {
class SegmentBuilder {
public:
  SegmentBuilder(const Program &program, ExprContext &context)
      : program(program), context(context) {}

  bool collect(unsigned first, unsigned last, std::string &reason);
  bool unify(std::string &reason);
  Segment finish();

private:
  bool addOp(const Op &op, std::string &reason);
  bool addSlice(const Op &op, std::string &reason);
  bool addSumOfParts(const Op &op, std::string &reason);
  uint32_t addTensor(TensorId tensor);
  uint32_t addResult(const Op &op) {
    return local[op.result] = addTensor(op.result);
  }
  uint32_t operandOf(TensorId tensor);
  std::optional<uint32_t> partOf(TensorId tensor,
                                 llvm::ArrayRef<int64_t> offsets,
                                 llvm::ArrayRef<int64_t> shape);
  std::optional<uint32_t> operandPart(const Op &op, unsigned operand, int dim,
                                      unsigned part, int64_t offset,
                                      int64_t size);
  uint32_t copyTensor(uint32_t tensor);
  void findMatrixType();
  void joinOutputs();
  bool findOutputs(unsigned first, unsigned last, std::string &reason);
  std::optional<size_t> findClash();
  unsigned dimClass(uint32_t tensor, unsigned dim) const {
    return firstDim[tensor] + dim;
  }

  const Program &program;
  ExprContext &context;
  Segment segment;
  llvm::DenseMap<TensorId, uint32_t> local;
  llvm::DenseMap<TensorId, const Op *> concats;
  using Dim = std::pair<uint32_t, unsigned>;
  std::vector<std::pair<Dim, Dim>> joined; ///< dims of different results.
  std::vector<unsigned> firstDim, firstIteration;
  llvm::IntEqClasses classes;
};
} // namespace

static std::string nameOf(const Op &op) {
  return "op " + std::to_string(op.source);
}

uint32_t SegmentBuilder::addTensor(TensorId tensor) {
  const auto &shape = program.tensors[tensor].shape;
  SegmentTensor whole{tensor, {}, shape, tensor, {}};
  whole.offsets.assign(shape.size(), 0);
  segment.tensors.push_back(std::move(whole));
  return segment.tensors.size() - 1;
}

uint32_t SegmentBuilder::operandOf(TensorId tensor) {
  auto [it, isNew] = local.try_emplace(tensor, 0);
  if (isNew) {
    it->second = addTensor(tensor);
    segment.inputs.push_back(it->second);
  }
  return it->second;
}

// A part of an input, as an input; nothing for a part of what an op computes.
std::optional<uint32_t> SegmentBuilder::partOf(TensorId tensor,
                                               llvm::ArrayRef<int64_t> offsets,
                                               llvm::ArrayRef<int64_t> shape) {
  auto known = local.find(tensor);
  SegmentTensor part{tensor, {}, {}, 0, {}};
  part.offsets.assign(offsets.begin(), offsets.end());
  part.shape.assign(shape.begin(), shape.end());
  if (known != local.end()) {
    if (!llvm::is_contained(segment.inputs, known->second))
      return std::nullopt;
    const SegmentTensor &whole = segment.tensors[known->second];
    part.tensor = whole.tensor;
    for (auto [sum, offset] : llvm::zip(part.offsets, whole.offsets))
      sum += offset;
  }
  part.symbol = program.tensors.size() + segment.tensors.size();
  for (const SegmentTensor &other : segment.tensors)
    if (other.tensor == part.tensor && other.offsets == part.offsets &&
        other.shape == part.shape)
      part.symbol = other.symbol;
  segment.inputs.push_back(segment.tensors.size());
  segment.tensors.push_back(std::move(part));
  return segment.inputs.back();
}

bool SegmentBuilder::findOutputs(unsigned first, unsigned last,
                                 std::string &reason) {
  llvm::DenseSet<TensorId> wanted(program.outputs.begin(),
                                  program.outputs.end());
  for (const Op &op : program.ops)
    if (op.source >= last)
      wanted.insert(op.operands.begin(), op.operands.end());
  for (const Op &op : program.ops)
    if (op.source >= first && op.source < last && wanted.contains(op.result) &&
        (op.isSlice() || op.isConcat())) {
      reason = nameOf(op) + " is a copy that others read";
      return false;
    }
  for (const Op &op : segment.ops)
    if (wanted.contains(segment.tensors[op.result].tensor) &&
        local.lookup(segment.tensors[op.result].tensor) == op.result)
      segment.outputs.push_back(op.result);
  return true;
}

// The sum of its operands, of this shape.
static void finishTotal(Op &total, llvm::ArrayRef<int64_t> shape) {
  total.extents.assign(shape.begin(), shape.end());
  for (auto [dim, extent] : llvm::enumerate(shape))
    total.resultDims.push_back(extent == 1 ? -1 : int(dim));
  for (unsigned i = 0; i < total.operands.size(); ++i) {
    total.operandDims.push_back(total.resultDims);
    ScalarNode operand{ScalarNode::Kind::Operand};
    operand.operand = i;
    total.body.push_back(operand);
  }
  unsigned sum = 0;
  for (unsigned i = 1; i < total.operands.size(); ++i) {
    ScalarNode add{ScalarNode::Kind::Add};
    add.arguments = {sum, i};
    sum = total.body.size();
    total.body.push_back(add);
  }
}

bool SegmentBuilder::addSlice(const Op &op, std::string &reason) {
  auto part =
      partOf(op.operands[0], op.offsets, program.tensors[op.result].shape);
  if (!part) {
    reason = nameOf(op) + " takes a part of what the same kernel computes";
    return false;
  }
  local[op.result] = *part;
  return true;
}

// Operand number `operand` as part number `part` of a sum: the indices from
// `offset` on of the iteration dim `dim`.
std::optional<uint32_t>
SegmentBuilder::operandPart(const Op &op, unsigned operand, int dim,
                            unsigned part, int64_t offset, int64_t size) {
  TensorId tensor = op.operands[operand];
  if (auto concat = concats.find(tensor); concat != concats.end())
    return operandOf(concat->second->operands[part]);
  auto *position = llvm::find(op.operandDims[operand], dim);
  if (position == op.operandDims[operand].end())
    return operandOf(tensor);
  auto shape = program.tensors[tensor].shape;
  llvm::SmallVector<int64_t, 4> offsets(shape.size(), 0);
  unsigned cut = position - op.operandDims[operand].begin();
  offsets[cut] = offset;
  shape[cut] = size;
  return partOf(tensor, offsets, shape);
}

// The dims of the tensors that an op's concats join: the iteration dim, if it
// is the same for all of them, and the extents of the parts.
static std::optional<std::pair<int, llvm::SmallVector<int64_t>>>
joinedDim(const Op &op, const Program &program,
          const llvm::DenseMap<TensorId, const Op *> &concats) {
  std::optional<std::pair<int, llvm::SmallVector<int64_t>>> joined;
  for (auto [operand, dims] : llvm::zip(op.operands, op.operandDims)) {
    auto it = concats.find(operand);
    if (it == concats.end())
      continue;
    const Op &concat = *it->second;
    llvm::SmallVector<int64_t> extents;
    for (TensorId part : concat.operands)
      extents.push_back(program.tensors[part].shape[concat.concatDim]);
    std::pair<int, llvm::SmallVector<int64_t>> own{dims[concat.concatDim],
                                                   std::move(extents)};
    if (own.first < 0 || (joined && *joined != own))
      return std::nullopt;
    joined = std::move(own);
  }
  return joined;
}

bool SegmentBuilder::addSumOfParts(const Op &op, std::string &reason) {
  auto joined = joinedDim(op, program, concats);
  if (!joined || op.reduction != Reduction::Sum ||
      llvm::is_contained(op.resultDims, joined->first)) {
    reason = nameOf(op) + " does not sum over the dim of a concat";
    return false;
  }
  auto [dim, extents] = *joined;
  Op total;
  total.source = op.source;
  int64_t offset = 0;
  for (auto [number, size] : llvm::enumerate(extents)) {
    Op part = op;
    part.extents[dim] = size;
    for (unsigned i = 0; i < op.operands.size(); ++i) {
      auto operand = operandPart(op, i, dim, number, offset, size);
      if (!operand) {
        reason = nameOf(op) + " needs a part of what the same kernel computes";
        return false;
      }
      part.operands[i] = *operand;
    }
    part.result = addTensor(op.result);
    total.operands.push_back(part.result);
    segment.ops.push_back(std::move(part));
    offset += size;
  }
  finishTotal(total, program.tensors[op.result].shape);
  total.result = addResult(op);
  segment.ops.push_back(std::move(total));
  return true;
}

bool SegmentBuilder::addOp(const Op &op, std::string &reason) {
  if (op.isOpaque) {
    reason = nameOf(op) + " has no rule in the search's algebra";
    return false;
  }
  if (op.isSlice())
    return addSlice(op, reason);
  if (op.isConcat()) {
    concats[op.result] = &op;
    return true;
  }
  if (llvm::any_of(op.operands,
                   [&](TensorId t) { return concats.contains(t); }))
    return addSumOfParts(op, reason);
  Op copy = op;
  for (TensorId &operand : copy.operands)
    operand = operandOf(operand);
  copy.result = addResult(op);
  segment.ops.push_back(std::move(copy));
  return true;
}

bool SegmentBuilder::collect(unsigned first, unsigned last,
                             std::string &reason) {
  for (const Op &op : program.ops)
    if (op.source >= first && op.source < last && !addOp(op, reason))
      return false;
  return findOutputs(first, last, reason);
}

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

// Results of one shape share the blocks of a kernel: their dims become one
// where nothing speaks against it.
void SegmentBuilder::joinOutputs() {
  for (size_t i = 1; i < segment.outputs.size(); ++i) {
    uint32_t first = segment.outputs[0], other = segment.outputs[i];
    auto &shape = segment.tensors[first].shape;
    if (shape != segment.tensors[other].shape)
      continue;
    for (unsigned dim = 0; dim < shape.size(); ++dim) {
      joined.push_back({{first, dim}, {other, dim}});
      if (findClash()) {
        joined.pop_back();
        findClash();
      }
    }
  }
}

bool SegmentBuilder::unify(std::string &reason) {
  for (unsigned copies = 0; copies <= maxCopies; ++copies) {
    std::optional<size_t> clash = findClash();
    if (!clash) {
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
  return std::move(segment);
}

std::optional<Segment> search::makeSegment(const Program &program,
                                           unsigned first, unsigned last,
                                           ExprContext &context,
                                           std::string &reason) {
  SegmentBuilder builder(program, context);
  if (!builder.collect(first, last, reason) || !builder.unify(reason))
    return std::nullopt;
  return builder.finish();
}
