//===- SegmentOps.cpp - Ops without slices and concats --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SegmentOps.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <map>
#include <tuple>

using namespace mirage;
using namespace mirage::search;

namespace {

/// A tensor of the program that is never made: its parts follow each other
/// along a dim.
struct Concat {
  unsigned dim;
  llvm::SmallVector<uint32_t> parts; ///< tensors of the segment.
};

/// Indices of an iteration dim, from an offset on.
struct Range {
  int64_t offset, size;
};

class OpCollector {
public:
  explicit OpCollector(const Program &program) : program(program) {}

  std::optional<CollectedOps> run(unsigned first, unsigned last,
                             std::string &reason);

private:
  using Numbers = llvm::SmallVector<int64_t, 4>;

  bool addOp(const Op &op, std::string &reason);
  bool addSlice(const Op &op, std::string &reason);
  bool addConcat(const Op &op);
  bool addSplit(const Op &op, std::string &reason);
  uint32_t withUnitDims(uint32_t tensor, const Numbers &shape);
  std::optional<uint32_t> reshape(uint32_t tensor, const Numbers &shape);
  std::optional<Concat> reshape(const Concat &concat, const Numbers &coarse,
                                const Numbers &shape);
  bool addOpOnParts(const Op &op, std::string &reason);
  void findAlike(const Concat &concat);
  void addTotal(const Op &op, llvm::ArrayRef<uint32_t> parts);
  bool addOutputParts(const Op &op, const Concat &concat);
  bool findOutputs(unsigned first, unsigned last, std::string &reason);
  void dropUnused();

  uint32_t addTensor(TensorId tensor);
  uint32_t operandOf(TensorId tensor);
  uint32_t partOf(uint32_t tensor, Numbers offsets, Numbers shape);
  uint32_t addInputPart(SegmentTensor part);
  uint32_t partOfInput(uint32_t tensor, Numbers offsets, Numbers shape);
  std::optional<uint32_t> partOfConcat(const Concat &concat, Numbers offsets,
                                       Numbers shape);
  std::optional<uint32_t> split(uint32_t tensor,
                                const std::vector<Numbers> &digits);
  std::optional<uint32_t> splitInput(uint32_t tensor,
                                     const std::vector<Numbers> &digits);
  std::optional<uint32_t> splitOp(Op op, const std::vector<Numbers> &digits);
  uint32_t partAlong(uint32_t tensor, llvm::ArrayRef<int> dims,
                     const llvm::DenseMap<int, Range> &ranges);

  const Program &program;
  Segment segment;
  llvm::DenseMap<TensorId, uint32_t> local;
  llvm::DenseMap<TensorId, Concat> concats;
  /// Parts of what ops compute.
  std::map<std::tuple<uint32_t, Numbers, Numbers>, uint32_t> parts;
  std::map<std::pair<uint32_t, std::vector<Numbers>>, std::optional<uint32_t>>
      splits;
  std::vector<std::pair<TensorDim, TensorDim>> alike;
};
} // namespace

static std::string nameOf(const Op &op) {
  return "op " + std::to_string(op.source);
}

//===----------------------------------------------------------------------===//
// Tensors and their parts
//===----------------------------------------------------------------------===//

uint32_t OpCollector::addTensor(TensorId tensor) {
  const auto &shape = program.tensors[tensor].shape;
  SegmentTensor whole{tensor, {}, shape, tensor, {}, {}};
  whole.offsets.assign(shape.size(), 0);
  segment.tensors.push_back(std::move(whole));
  return segment.tensors.size() - 1;
}

uint32_t OpCollector::operandOf(TensorId tensor) {
  auto [it, isNew] = local.try_emplace(tensor, 0);
  if (isNew) {
    it->second = addTensor(tensor);
    segment.inputs.push_back(it->second);
  }
  return it->second;
}

// Each reader of a part has an input of its own, so that the same part can be
// read along different dims.
uint32_t OpCollector::partOfInput(uint32_t tensor, Numbers offsets,
                                  Numbers shape) {
  const SegmentTensor &whole = segment.tensors[tensor];
  SegmentTensor part{whole.tensor, offsets, shape, 0, {}, whole.view};
  for (auto [sum, offset] : llvm::zip(part.offsets, whole.offsets))
    sum += offset;
  return addInputPart(std::move(part));
}

uint32_t OpCollector::addInputPart(SegmentTensor part) {
  part.symbol = program.tensors.size() + segment.tensors.size();
  for (const SegmentTensor &other : segment.tensors)
    if (other.tensor == part.tensor && other.view == part.view &&
        other.offsets == part.offsets && other.shape == part.shape)
      part.symbol = other.symbol;
  segment.inputs.push_back(segment.tensors.size());
  segment.tensors.push_back(std::move(part));
  return segment.inputs.back();
}

// An operand of an op of which only `ranges` of the iteration dims are run.
uint32_t OpCollector::partAlong(uint32_t tensor, llvm::ArrayRef<int> dims,
                                const llvm::DenseMap<int, Range> &ranges) {
  Numbers shape = segment.tensors[tensor].shape, offsets(shape.size(), 0);
  for (auto [dim, iteration] : llvm::enumerate(dims))
    if (auto it = ranges.find(iteration); it != ranges.end()) {
      offsets[dim] = it->second.offset;
      shape[dim] = it->second.size;
    }
  return partOf(tensor, offsets, shape);
}

// A part of what an op computes is what the op computes from parts.
uint32_t OpCollector::partOf(uint32_t tensor, Numbers offsets, Numbers shape) {
  if (segment.tensors[tensor].shape == shape)
    return tensor;
  auto it = llvm::find_if(segment.ops,
                          [&](const Op &op) { return op.result == tensor; });
  if (it == segment.ops.end())
    return partOfInput(tensor, std::move(offsets), std::move(shape));
  auto [known, isNew] = parts.try_emplace({tensor, offsets, shape}, 0);
  if (!isNew)
    return known->second;
  Op op = *it;
  llvm::DenseMap<int, Range> ranges;
  for (auto [dim, iteration] : llvm::enumerate(op.resultDims))
    if (iteration >= 0) {
      ranges[iteration] = {offsets[dim], shape[dim]};
      op.extents[iteration] = shape[dim];
    }
  for (auto [operand, dims] : llvm::zip(op.operands, op.operandDims))
    operand = partAlong(operand, dims, ranges);
  op.result = known->second = segment.tensors.size();
  SegmentTensor part = segment.tensors[tensor];
  part.offsets = std::move(offsets);
  part.shape = std::move(shape);
  segment.tensors.push_back(std::move(part));
  segment.ops.push_back(std::move(op));
  return segment.ops.back().result;
}

//===----------------------------------------------------------------------===//
// Split dims
//===----------------------------------------------------------------------===//

// A dim is split in memory, if all of it is read.
std::optional<uint32_t>
OpCollector::splitInput(uint32_t tensor, const std::vector<Numbers> &digits) {
  const SegmentTensor &coarse = segment.tensors[tensor];
  llvm::ArrayRef<int64_t> whole = coarse.wholeShape(program);
  SegmentTensor fine{coarse.tensor, {}, {}, 0, {}, {}};
  for (auto [dim, sizes] : llvm::enumerate(digits)) {
    bool isSplit = sizes.size() > 1;
    if (isSplit && coarse.shape[dim] != whole[dim])
      return std::nullopt;
    fine.offsets.append(sizes.size(), 0);
    fine.shape.append(sizes);
    fine.view.append(sizes);
    if (!isSplit) {
      fine.offsets.back() = coarse.offsets[dim];
      fine.view.back() = whole[dim];
    }
  }
  return addInputPart(std::move(fine));
}

// Iteration dims of the result are split, and with them those of the operands.
std::optional<uint32_t>
OpCollector::splitOp(Op op, const std::vector<Numbers> &digits) {
  // No matrix product has two dims for its rows or columns.
  if (op.reduction != Reduction::None && op.operands.size() > 1)
    return std::nullopt;
  std::vector<Numbers> sizes;
  for (int64_t extent : op.extents)
    sizes.push_back({extent});
  for (auto [dim, iteration] : llvm::enumerate(op.resultDims))
    if (iteration >= 0)
      sizes[iteration] = digits[dim];
  llvm::SmallVector<int> first;
  op.extents.clear();
  for (const Numbers &list : sizes) {
    first.push_back(op.extents.size());
    op.extents.append(list);
  }
  auto renumber = [&](llvm::SmallVector<int, 4> &dims) {
    llvm::SmallVector<int, 4> fine;
    for (int iteration : dims)
      if (iteration < 0)
        fine.push_back(iteration);
      else
        for (unsigned i = 0; i < sizes[iteration].size(); ++i)
          fine.push_back(first[iteration] + i);
    dims = std::move(fine);
  };
  for (auto [operand, dims] : llvm::zip(op.operands, op.operandDims)) {
    std::vector<Numbers> own;
    for (auto [dim, iteration] : llvm::enumerate(dims))
      own.push_back(iteration < 0
                        ? Numbers{segment.tensors[operand].shape[dim]}
                        : sizes[iteration]);
    std::optional<uint32_t> fine = split(operand, own);
    if (!fine)
      return std::nullopt;
    operand = *fine;
    renumber(dims);
  }
  renumber(op.resultDims);
  SegmentTensor result = segment.tensors[op.result];
  result.shape.clear();
  for (const Numbers &list : digits)
    result.shape.append(list);
  result.offsets.assign(result.shape.size(), 0);
  op.result = segment.tensors.size();
  segment.tensors.push_back(std::move(result));
  segment.ops.push_back(std::move(op));
  return segment.ops.back().result;
}

// `digits` has the sizes for each dim, one or several.
std::optional<uint32_t>
OpCollector::split(uint32_t tensor, const std::vector<Numbers> &digits) {
  if (llvm::all_of(digits, [](const Numbers &d) { return d.size() == 1; }))
    return tensor;
  auto [known, isNew] = splits.try_emplace({tensor, digits}, std::nullopt);
  if (!isNew)
    return known->second;
  auto it = llvm::find_if(segment.ops,
                          [&](const Op &op) { return op.result == tensor; });
  return known->second = it == segment.ops.end() ? splitInput(tensor, digits)
                                                 : splitOp(*it, digits);
}

// The sizes of the parts that a reshape splits each dim into, without those of
// extent 1; nothing if it joins dims.
static std::optional<std::vector<llvm::SmallVector<int64_t, 4>>>
digitsOf(llvm::ArrayRef<int64_t> coarse, llvm::ArrayRef<int64_t> fine) {
  std::vector<llvm::SmallVector<int64_t, 4>> result;
  llvm::SmallVector<int64_t> rest(fine);
  llvm::erase(rest, 1);
  auto *next = rest.begin();
  for (int64_t extent : coarse) {
    auto &digits = result.emplace_back();
    int64_t product = 1;
    while (product < extent && next != rest.end()) {
      digits.push_back(*next);
      product *= *next++;
    }
    if (product != extent)
      return std::nullopt;
    if (digits.empty())
      digits.push_back(1);
  }
  return result;
}

// The same but for dims of extent 1.
uint32_t OpCollector::withUnitDims(uint32_t tensor, const Numbers &shape) {
  if (segment.tensors[tensor].shape == shape)
    return tensor;
  Op op;
  op.operands.push_back(tensor);
  op.operandDims.emplace_back();
  for (int64_t extent : segment.tensors[tensor].shape) {
    op.operandDims[0].push_back(extent == 1 ? -1 : int(op.extents.size()));
    if (extent != 1)
      op.extents.push_back(extent);
  }
  int next = 0;
  for (int64_t extent : shape)
    op.resultDims.push_back(extent == 1 ? -1 : next++);
  op.body.push_back(ScalarNode{ScalarNode::Kind::Operand});
  op.result = segment.tensors.size();
  SegmentTensor result = segment.tensors[tensor];
  result.shape = shape;
  result.offsets.assign(shape.size(), 0);
  segment.tensors.push_back(std::move(result));
  segment.ops.push_back(std::move(op));
  return segment.ops.back().result;
}

std::optional<uint32_t> OpCollector::reshape(uint32_t tensor,
                                             const Numbers &shape) {
  auto digits = digitsOf(segment.tensors[tensor].shape, shape);
  std::optional<uint32_t> fine;
  if (digits)
    fine = split(tensor, *digits);
  if (fine)
    fine = withUnitDims(*fine, shape);
  return fine;
}

// Part by part, if the dim of the concat stays as it is.
std::optional<Concat> OpCollector::reshape(const Concat &concat,
                                           const Numbers &coarse,
                                           const Numbers &shape) {
  auto digits = digitsOf(coarse, shape);
  if (!digits || (*digits)[concat.dim].size() != 1)
    return std::nullopt;
  size_t before = 0;
  for (const Numbers &list : llvm::ArrayRef(*digits).take_front(concat.dim))
    before += list.size() - llvm::count(list, 1);
  Concat result{0, {}};
  for (; before > 0 || shape[result.dim] == 1; ++result.dim)
    before -= shape[result.dim] != 1;
  for (uint32_t part : concat.parts) {
    Numbers own = shape;
    own[result.dim] = segment.tensors[part].shape[concat.dim];
    std::optional<uint32_t> fine = reshape(part, own);
    if (!fine)
      return std::nullopt;
    result.parts.push_back(*fine);
  }
  return result;
}

bool OpCollector::addSplit(const Op &op, std::string &reason) {
  TensorId operand = op.operands[0];
  const Numbers &shape = program.tensors[op.result].shape;
  reason = nameOf(op) + " splits dims of what the same kernel computes";
  if (auto concat = concats.find(operand); concat != concats.end()) {
    auto parts =
        reshape(concat->second, program.tensors[operand].shape, shape);
    if (parts)
      concats[op.result] = std::move(*parts);
    return parts.has_value();
  }
  std::optional<uint32_t> fine = reshape(operandOf(operand), shape);
  if (fine)
    local[op.result] = *fine;
  return fine.has_value();
}

//===----------------------------------------------------------------------===//
// Slices and concats
//===----------------------------------------------------------------------===//

// Nothing if it lies in several parts.
std::optional<uint32_t> OpCollector::partOfConcat(const Concat &concat,
                                                  Numbers offsets,
                                                  Numbers shape) {
  int64_t &offset = offsets[concat.dim], size = shape[concat.dim];
  for (uint32_t part : concat.parts) {
    int64_t extent = segment.tensors[part].shape[concat.dim];
    if (offset >= 0 && offset + size <= extent)
      return partOf(part, std::move(offsets), std::move(shape));
    offset -= extent;
  }
  return std::nullopt;
}

bool OpCollector::addSlice(const Op &op, std::string &reason) {
  const auto &shape = program.tensors[op.result].shape;
  auto concat = concats.find(op.operands[0]);
  std::optional<uint32_t> part;
  if (concat == concats.end())
    part = partOf(operandOf(op.operands[0]), op.offsets, shape);
  else
    part = partOfConcat(concat->second, op.offsets, shape);
  if (!part) {
    reason = nameOf(op) + " takes a part of several operands of a concat";
    return false;
  }
  local[op.result] = *part;
  return true;
}

// A part of a concat along the same dim is one too.
bool OpCollector::addConcat(const Op &op) {
  Concat result{unsigned(op.concatDim), {}};
  for (TensorId operand : op.operands) {
    auto inner = concats.find(operand);
    if (inner == concats.end())
      result.parts.push_back(operandOf(operand));
    else if (inner->second.dim == result.dim)
      llvm::append_range(result.parts, inner->second.parts);
    else
      return false;
  }
  findAlike(result);
  concats[op.result] = std::move(result);
  return true;
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

// The sum of `parts`, which are of the shape of the op's result.
void OpCollector::addTotal(const Op &op, llvm::ArrayRef<uint32_t> parts) {
  Op total;
  total.source = op.source;
  total.operands.assign(parts.begin(), parts.end());
  total.extents = program.tensors[op.result].shape;
  for (auto [dim, extent] : llvm::enumerate(total.extents))
    total.resultDims.push_back(extent == 1 ? -1 : int(dim));
  for (unsigned i = 0; i < parts.size(); ++i) {
    total.operandDims.push_back(total.resultDims);
    ScalarNode operand{ScalarNode::Kind::Operand};
    operand.operand = i;
    total.body.push_back(operand);
  }
  unsigned sum = 0;
  for (unsigned i = 1; i < parts.size(); ++i) {
    ScalarNode add{ScalarNode::Kind::Add};
    add.arguments = {sum, i};
    sum = total.body.size();
    total.body.push_back(add);
  }
  total.result = local[op.result] = addTensor(op.result);
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
// concat, along one that it sums over the sum of the parts' sums.
bool OpCollector::addOpOnParts(const Op &op, std::string &reason) {
  auto joined = joinedDim(op, segment, concats);
  if (!joined) {
    reason = nameOf(op) + " reads concats that do not line up";
    return false;
  }
  auto *position = llvm::find(op.resultDims, joined->iteration);
  bool isKept = position != op.resultDims.end();
  if (!isKept && op.reduction != Reduction::Sum) {
    reason = nameOf(op) + " does not sum over the dim of a concat";
    return false;
  }
  unsigned keptDim = isKept ? position - op.resultDims.begin() : 0;
  Concat results{keptDim, {}};
  int64_t offset = 0;
  for (auto [number, size] : llvm::enumerate(joined->sizes)) {
    Op part = op;
    part.extents[joined->iteration] = size;
    llvm::DenseMap<int, Range> ranges;
    ranges[joined->iteration] = {offset, size};
    for (auto [operand, dims] : llvm::zip(part.operands, part.operandDims)) {
      auto concat = concats.find(operand);
      operand = concat == concats.end()
                    ? partAlong(operandOf(operand), dims, ranges)
                    : concat->second.parts[number];
    }
    part.result = addTensor(op.result);
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
  if (op.isConcat()) {
    reason = nameOf(op) + " joins concats along another dim";
    return addConcat(op);
  }
  if (llvm::any_of(op.operands,
                   [&](TensorId t) { return concats.contains(t); }))
    return addOpOnParts(op, reason);
  Op copy = op;
  for (TensorId &operand : copy.operands)
    operand = operandOf(operand);
  copy.result = local[op.result] = addTensor(op.result);
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
