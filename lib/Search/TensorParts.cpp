//===- TensorParts.cpp - Parts of tensors, split dims ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorParts.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::search;

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

uint32_t TensorParts::add(TensorId tensor) {
  const auto &shape = program.tensors[tensor].shape;
  SegmentTensor whole{tensor, {}, shape, tensor, {}, {}};
  whole.offsets.assign(shape.size(), 0);
  segment.tensors.push_back(std::move(whole));
  return segment.tensors.size() - 1;
}

const Op *TensorParts::producer(uint32_t tensor) const {
  auto it = llvm::find_if(segment.ops,
                          [&](const Op &op) { return op.result == tensor; });
  return it == segment.ops.end() ? nullptr : &*it;
}

// Each reader of a part has an input of its own, so that the same part can be
// read along different dims.
uint32_t TensorParts::partOfInput(uint32_t tensor, Extents offsets,
                                  Extents shape) {
  const SegmentTensor &whole = segment.tensors[tensor];
  SegmentTensor part{whole.tensor, offsets, shape, 0, {}, whole.view};
  for (auto [sum, offset] : llvm::zip(part.offsets, whole.offsets))
    sum += offset;
  return addInput(std::move(part));
}

uint32_t TensorParts::addInput(SegmentTensor part) {
  part.symbol = program.tensors.size() + segment.tensors.size();
  for (const SegmentTensor &other : segment.tensors)
    if (other.tensor == part.tensor && other.view == part.view &&
        other.offsets == part.offsets && other.shape == part.shape)
      part.symbol = other.symbol;
  segment.inputs.push_back(segment.tensors.size());
  segment.tensors.push_back(std::move(part));
  return segment.inputs.back();
}

uint32_t TensorParts::addResult(Op op, uint32_t instead, Extents offsets,
                                Extents shape) {
  SegmentTensor result = segment.tensors[instead];
  result.offsets = std::move(offsets);
  result.shape = std::move(shape);
  op.result = segment.tensors.size();
  segment.tensors.push_back(std::move(result));
  segment.ops.push_back(std::move(op));
  return segment.ops.back().result;
}

// An operand of an op of which only `ranges` of the iteration dims are run.
uint32_t TensorParts::partAlong(uint32_t tensor, llvm::ArrayRef<int> dims,
                                const llvm::DenseMap<int, IndexRange> &ranges) {
  Extents shape = segment.tensors[tensor].shape, offsets(shape.size(), 0);
  for (auto [dim, iteration] : llvm::enumerate(dims))
    if (auto it = ranges.find(iteration); it != ranges.end()) {
      offsets[dim] = it->second.offset;
      shape[dim] = it->second.size;
    }
  return part(tensor, offsets, shape);
}

// A part of what an op computes is what the op computes from parts.
uint32_t TensorParts::part(uint32_t tensor, Extents offsets, Extents shape) {
  if (segment.tensors[tensor].shape == shape)
    return tensor;
  const Op *maker = producer(tensor);
  if (!maker)
    return partOfInput(tensor, std::move(offsets), std::move(shape));
  auto [known, isNew] = parts.try_emplace({tensor, offsets, shape}, 0);
  if (!isNew)
    return known->second;
  Op op = *maker;
  llvm::DenseMap<int, IndexRange> ranges;
  for (auto [dim, iteration] : llvm::enumerate(op.resultDims))
    if (iteration >= 0) {
      ranges[iteration] = {offsets[dim], shape[dim]};
      op.extents[iteration] = shape[dim];
    }
  for (auto [operand, dims] : llvm::zip(op.operands, op.operandDims))
    operand = partAlong(operand, dims, ranges);
  return known->second = addResult(std::move(op), tensor, std::move(offsets),
                                   std::move(shape));
}

//===----------------------------------------------------------------------===//
// Split dims
//===----------------------------------------------------------------------===//

std::optional<std::vector<Extents>>
search::splitDims(llvm::ArrayRef<int64_t> coarse,
                  llvm::ArrayRef<int64_t> fine) {
  std::vector<Extents> result;
  Extents rest(fine);
  llvm::erase(rest, 1);
  auto *next = rest.begin();
  for (int64_t extent : coarse) {
    Extents &digits = result.emplace_back();
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

// A dim is split in memory, if all of it is read.
std::optional<uint32_t> TensorParts::splitInput(uint32_t tensor,
                                                const Digits &digits) {
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
  return addInput(std::move(fine));
}

// Iteration dims of the result are split, and with them those of the operands.
std::optional<uint32_t> TensorParts::splitOp(Op op, const Digits &digits) {
  // No matrix product has two dims for its rows or columns.
  if (op.reduction != Reduction::None && op.operands.size() > 1)
    return std::nullopt;
  std::vector<Extents> sizes;
  for (int64_t extent : op.extents)
    sizes.push_back({extent});
  for (auto [dim, iteration] : llvm::enumerate(op.resultDims))
    if (iteration >= 0)
      sizes[iteration] = digits[dim];
  llvm::SmallVector<int> first;
  op.extents.clear();
  for (const Extents &list : sizes) {
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
    std::vector<Extents> own;
    for (auto [dim, iteration] : llvm::enumerate(dims))
      own.push_back(iteration < 0 ? Extents{segment.tensors[operand].shape[dim]}
                                  : sizes[iteration]);
    std::optional<uint32_t> fine = split(operand, own);
    if (!fine)
      return std::nullopt;
    operand = *fine;
    renumber(dims);
  }
  renumber(op.resultDims);
  Extents shape;
  for (const Extents &list : digits)
    shape.append(list);
  uint32_t coarse = op.result;
  return addResult(std::move(op), coarse, Extents(shape.size(), 0), shape);
}

// `digits` has the sizes for each dim, one or several.
std::optional<uint32_t> TensorParts::split(uint32_t tensor,
                                           const Digits &digits) {
  if (llvm::all_of(digits, [](const Extents &d) { return d.size() == 1; }))
    return tensor;
  auto [known, isNew] = splits.try_emplace({tensor, digits}, std::nullopt);
  if (!isNew)
    return known->second;
  const Op *maker = producer(tensor);
  return known->second =
             maker ? splitOp(*maker, digits) : splitInput(tensor, digits);
}

// The same but for dims of extent 1.
uint32_t TensorParts::withUnitDims(uint32_t tensor, const Extents &shape) {
  if (segment.tensors[tensor].shape == shape)
    return tensor;
  Op op;
  if (const Op *maker = producer(tensor))
    op.source = maker->source;
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
  return addResult(std::move(op), tensor, Extents(shape.size(), 0), shape);
}

std::optional<uint32_t> TensorParts::reshape(uint32_t tensor,
                                             const Extents &shape) {
  auto digits = splitDims(segment.tensors[tensor].shape, shape);
  std::optional<uint32_t> fine;
  if (digits)
    fine = split(tensor, *digits);
  if (fine)
    fine = withUnitDims(*fine, shape);
  return fine;
}
