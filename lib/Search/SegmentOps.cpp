//===- SegmentOps.cpp - Ops without slices and concats --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SegmentOps.h"

#include "TensorParts.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mirage;
using namespace mirage::search;

// Parts have ops of their own, so many would be a large program.
static constexpr size_t maxParts = 8;

namespace {

/// A tensor of the program that is never made: its parts follow each other
/// along a dim.
struct Concat {
  unsigned dim;
  llvm::SmallVector<uint32_t> parts; ///< tensors of the segment.
};

class OpCollector {
public:
  explicit OpCollector(const Program &program) : program(program) {}

  std::optional<CollectedOps> run(unsigned first, unsigned last,
                                  std::string &reason);

private:
  bool addOp(const Op &op, std::string &reason);
  bool addSlice(const Op &op, std::string &reason);
  bool addConcat(const Op &op, std::string &reason);
  bool addSplit(const Op &op, std::string &reason);
  bool addOpOnParts(const Op &op, std::string &reason);
  void addTotal(const Op &op, llvm::ArrayRef<uint32_t> partial);
  void findAlike(const Concat &concat);
  bool findOutputs(unsigned first, unsigned last, std::string &reason);
  bool addOutputParts(const Op &op, const Concat &concat);
  void dropUnused();

  uint32_t operandOf(TensorId tensor);
  std::optional<uint32_t> partOf(const Concat &concat, Extents offsets,
                                 Extents shape);
  std::optional<Concat> reshape(const Concat &concat, const Extents &coarse,
                                const Extents &shape);

  const Program &program;
  Segment segment;
  TensorParts parts{program, segment};
  llvm::DenseMap<TensorId, uint32_t> local;
  llvm::DenseMap<TensorId, Concat> concats;
  std::vector<std::pair<TensorDim, TensorDim>> alike;
};
} // namespace

static std::string nameOf(const Op &op) {
  return "op " + std::to_string(op.source);
}

uint32_t OpCollector::operandOf(TensorId tensor) {
  auto [it, isNew] = local.try_emplace(tensor, 0);
  if (isNew) {
    it->second = parts.add(tensor);
    segment.inputs.push_back(it->second);
  }
  return it->second;
}

//===----------------------------------------------------------------------===//
// Slices, concats and split dims
//===----------------------------------------------------------------------===//

// Nothing if it lies in several parts.
std::optional<uint32_t> OpCollector::partOf(const Concat &concat,
                                            Extents offsets, Extents shape) {
  int64_t &offset = offsets[concat.dim], size = shape[concat.dim];
  for (uint32_t part : concat.parts) {
    int64_t extent = segment.tensors[part].shape[concat.dim];
    if (offset >= 0 && offset + size <= extent)
      return parts.part(part, std::move(offsets), std::move(shape));
    offset -= extent;
  }
  return std::nullopt;
}

bool OpCollector::addSlice(const Op &op, std::string &reason) {
  const auto &shape = program.tensors[op.result].shape;
  auto concat = concats.find(op.operands[0]);
  std::optional<uint32_t> part;
  if (concat == concats.end())
    part = parts.part(operandOf(op.operands[0]), op.offsets, shape);
  else
    part = partOf(concat->second, op.offsets, shape);
  if (!part) {
    reason = nameOf(op) + " takes a part of several operands of a concat";
    return false;
  }
  local[op.result] = *part;
  return true;
}

// A part of a concat along the same dim is one too.
bool OpCollector::addConcat(const Op &op, std::string &reason) {
  Concat result{unsigned(op.concatDim), {}};
  for (TensorId operand : op.operands) {
    auto inner = concats.find(operand);
    if (inner == concats.end()) {
      result.parts.push_back(operandOf(operand));
    } else if (inner->second.dim == result.dim) {
      llvm::append_range(result.parts, inner->second.parts);
    } else {
      reason = nameOf(op) + " joins what is joined along another dim";
      return false;
    }
  }
  if (result.parts.size() > maxParts) {
    reason = nameOf(op) + " joins more than " + std::to_string(maxParts) +
             " parts, and is better left a copy";
    return false;
  }
  findAlike(result);
  concats[op.result] = std::move(result);
  return true;
}

// Part by part, if the dim of the concat stays as it is.
std::optional<Concat> OpCollector::reshape(const Concat &concat,
                                           const Extents &coarse,
                                           const Extents &shape) {
  auto digits = splitDims(coarse, shape);
  if (!digits || (*digits)[concat.dim].size() != 1)
    return std::nullopt;
  size_t before = 0;
  for (const Extents &list : llvm::ArrayRef(*digits).take_front(concat.dim))
    before += list.size() - llvm::count(list, 1);
  Concat result{0, {}};
  for (; before > 0 || shape[result.dim] == 1; ++result.dim)
    before -= shape[result.dim] != 1;
  for (uint32_t part : concat.parts) {
    Extents own = shape;
    own[result.dim] = segment.tensors[part].shape[concat.dim];
    std::optional<uint32_t> fine = parts.reshape(part, own);
    if (!fine)
      return std::nullopt;
    result.parts.push_back(*fine);
  }
  return result;
}

bool OpCollector::addSplit(const Op &op, std::string &reason) {
  TensorId operand = op.operands[0];
  const Extents &coarse = program.tensors[operand].shape;
  const Extents &shape = program.tensors[op.result].shape;
  auto concat = concats.find(operand);
  if (concat == concats.end()) {
    if (auto fine = parts.reshape(operandOf(operand), shape)) {
      local[op.result] = *fine;
      return true;
    }
  } else if (auto fine = reshape(concat->second, coarse, shape)) {
    concats[op.result] = std::move(*fine);
    return true;
  }
  reason = nameOf(op) + " splits dims of what the same kernel computes";
  return false;
}

namespace {
/// The iteration dim along which operands of an op are concats, and the sizes
/// of the parts.
struct JoinedDim {
  int iteration;
  llvm::SmallVector<int64_t> sizes;
  bool operator==(const JoinedDim &other) const {
    return iteration == other.iteration && sizes == other.sizes;
  }
};
} // namespace

// Nothing if they are not the same for all of them.
static std::optional<JoinedDim>
joinedDim(const Op &op, const Segment &segment,
          const llvm::DenseMap<TensorId, Concat> &concats) {
  std::optional<JoinedDim> joined;
  for (auto [operand, dims] : llvm::zip(op.operands, op.operandDims)) {
    auto it = concats.find(operand);
    if (it == concats.end())
      continue;
    JoinedDim own{dims[it->second.dim], {}};
    for (uint32_t part : it->second.parts)
      own.sizes.push_back(segment.tensors[part].shape[it->second.dim]);
    if (own.iteration < 0 || (joined && !(*joined == own)))
      return std::nullopt;
    joined = std::move(own);
  }
  return joined;
}

// The sum or the maximum of `partial` results, which are of the shape of the
// op's.
void OpCollector::addTotal(const Op &op, llvm::ArrayRef<uint32_t> partial) {
  Op total;
  total.source = op.source;
  total.operands.assign(partial.begin(), partial.end());
  total.extents = program.tensors[op.result].shape;
  for (auto [dim, extent] : llvm::enumerate(total.extents))
    total.resultDims.push_back(extent == 1 ? -1 : int(dim));
  for (unsigned i = 0; i < partial.size(); ++i) {
    total.operandDims.push_back(total.resultDims);
    ScalarNode operand{ScalarNode::Kind::Operand};
    operand.operand = i;
    total.body.push_back(operand);
  }
  unsigned known = 0;
  for (unsigned i = 1; i < partial.size(); ++i) {
    ScalarNode both{ScalarNode::Kind::Add};
    if (op.reduction == Reduction::Max) {
      both.kind = ScalarNode::Kind::Function;
      both.function = maximumFunction;
    }
    both.arguments = {known, i};
    known = total.body.size();
    total.body.push_back(both);
  }
  total.result = local[op.result] = parts.add(op.result);
  segment.ops.push_back(std::move(total));
}

// Parts of one size.
void OpCollector::findAlike(const Concat &concat) {
  auto size = [&](uint32_t part) {
    return segment.tensors[part].shape[concat.dim];
  };
  for (auto [number, part] : llvm::enumerate(concat.parts))
    for (uint32_t other : llvm::ArrayRef(concat.parts).take_front(number))
      if (size(part) == size(other))
        alike.push_back({{other, concat.dim}, {part, concat.dim}});
}

// An op on concats runs part by part: along a dim of its result it makes a
// concat, along one that it reduces it puts the parts' results together.
bool OpCollector::addOpOnParts(const Op &op, std::string &reason) {
  auto joined = joinedDim(op, segment, concats);
  if (!joined) {
    reason = nameOf(op) + " reads concats that do not line up";
    return false;
  }
  auto *position = llvm::find(op.resultDims, joined->iteration);
  bool isKept = position != op.resultDims.end();
  if (!isKept && op.reduction == Reduction::Min) {
    reason = nameOf(op) + " takes the minimum over the dim of a concat";
    return false;
  }
  unsigned keptDim = isKept ? position - op.resultDims.begin() : 0;
  Concat results{keptDim, {}};
  int64_t offset = 0;
  for (auto [number, size] : llvm::enumerate(joined->sizes)) {
    Op part = op;
    part.extents[joined->iteration] = size;
    llvm::DenseMap<int, IndexRange> ranges;
    ranges[joined->iteration] = {offset, size};
    for (auto [operand, dims] : llvm::zip(part.operands, part.operandDims)) {
      auto concat = concats.find(operand);
      operand = concat == concats.end()
                    ? parts.partAlong(operandOf(operand), dims, ranges)
                    : concat->second.parts[number];
    }
    part.result = parts.add(op.result);
    if (isKept) {
      segment.tensors[part.result].offsets[keptDim] = offset;
      segment.tensors[part.result].shape[keptDim] = size;
    }
    results.parts.push_back(part.result);
    segment.ops.push_back(std::move(part));
    offset += size;
  }
  if (isKept)
    concats[op.result] = std::move(results);
  else
    addTotal(op, results.parts);
  return true;
}

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

bool OpCollector::addOp(const Op &op, std::string &reason) {
  if (op.isOpaque) {
    reason = nameOf(op) + " has no rule in the search's algebra";
    return false;
  }
  if (op.isSlice())
    return addSlice(op, reason);
  if (op.isSplit)
    return addSplit(op, reason);
  if (op.isConcat())
    return addConcat(op, reason);
  if (llvm::any_of(op.operands,
                   [&](TensorId t) { return concats.contains(t); }))
    return addOpOnParts(op, reason);
  Op copy = op;
  for (TensorId &operand : copy.operands)
    operand = operandOf(operand);
  copy.result = local[op.result] = parts.add(op.result);
  segment.ops.push_back(std::move(copy));
  return true;
}

// Parts of equal size can be put side by side in registers.
bool OpCollector::addOutputParts(const Op &op, const Concat &concat) {
  int64_t size = segment.tensors[concat.parts[0]].shape[concat.dim];
  if (!llvm::isPowerOf2_64(size) || !llvm::isPowerOf2_64(concat.parts.size()))
    return false;
  int64_t offset = 0;
  for (uint32_t part : concat.parts) {
    SegmentTensor &output = segment.tensors[part];
    if (output.shape[concat.dim] != size ||
        llvm::is_contained(segment.inputs, part) ||
        llvm::is_contained(segment.outputs, part))
      return false;
    output.tensor = op.result;
    output.offsets.assign(output.shape.size(), 0);
    output.offsets[concat.dim] = offset;
    segment.outputs.push_back(part);
    offset += size;
  }
  return true;
}

bool OpCollector::findOutputs(unsigned first, unsigned last,
                              std::string &reason) {
  llvm::DenseSet<TensorId> wanted(program.outputs.begin(),
                                  program.outputs.end());
  for (const Op &op : program.ops)
    if (op.source >= last)
      wanted.insert(op.operands.begin(), op.operands.end());
  for (const Op &op : program.ops) {
    if (op.source < first || op.source >= last || !wanted.contains(op.result))
      continue;
    if (auto concat = concats.find(op.result); concat != concats.end()) {
      if (!addOutputParts(op, concat->second)) {
        reason = nameOf(op) + " is a concat of other than equal parts, powers "
                              "of two, that the same kernel computes";
        return false;
      }
      continue;
    }
    auto known = local.find(op.result);
    if (known == local.end() ||
        llvm::is_contained(segment.inputs, known->second) ||
        llvm::is_contained(segment.outputs, known->second)) {
      reason = nameOf(op) + " is a copy that others read";
      return false;
    }
    // A part that is a tensor of the program by itself.
    SegmentTensor &output = segment.tensors[known->second];
    output.tensor = op.result;
    output.offsets.assign(output.shape.size(), 0);
    segment.outputs.push_back(known->second);
  }
  return true;
}

// Of what was only read in parts, the whole is not made.
void OpCollector::dropUnused() {
  llvm::DenseSet<uint32_t> used(segment.outputs.begin(), segment.outputs.end());
  for (const Op &op : llvm::reverse(segment.ops))
    if (used.contains(op.result))
      used.insert(op.operands.begin(), op.operands.end());
  llvm::erase_if(segment.ops,
                 [&](const Op &op) { return !used.contains(op.result); });
  llvm::erase_if(segment.inputs,
                 [&](uint32_t tensor) { return !used.contains(tensor); });
}

std::optional<CollectedOps> OpCollector::run(unsigned first, unsigned last,
                                             std::string &reason) {
  for (const Op &op : program.ops)
    if (op.source >= first && op.source < last && !addOp(op, reason))
      return std::nullopt;
  if (!findOutputs(first, last, reason))
    return std::nullopt;
  dropUnused();
  return CollectedOps{std::move(segment), std::move(alike)};
}

std::optional<CollectedOps> search::collectOps(const Program &program,
                                               unsigned first, unsigned last,
                                               std::string &reason) {
  return OpCollector(program).run(first, last, reason);
}
