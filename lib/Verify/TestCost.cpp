//===- TestCost.cpp - How long a random test takes ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From the result back, each value gets the extents of a box with all elements
// that are needed: those of the iteration dims that run over its dims, whole
// where they are reduced. The boxes of several users are joined, so the
// estimate may be too large.
//
//===----------------------------------------------------------------------===//

#include "RandomTests.h"

#include "llvm/Support/MathExtras.h"

using namespace mirage;
using namespace mirage::verify;

using Box = llvm::SmallVector<int64_t, 4>;

static void join(Box &box, llvm::ArrayRef<int64_t> other) {
  for (auto [own, extent] : llvm::zip_equal(box, other))
    own = std::max(own, extent);
}

static uint64_t volume(llvm::ArrayRef<int64_t> box) {
  uint64_t result = 1;
  for (int64_t extent : box)
    result = llvm::SaturatingMultiply(result, static_cast<uint64_t>(extent));
  return result;
}

/// The part of its iteration that a piece runs through.
static Box iterationOf(const Piece &piece, llvm::ArrayRef<int64_t> needed) {
  Box iteration(piece.extents.size(), 1);
  for (auto [dim, extent] : llvm::zip_equal(piece.resultDims, needed))
    if (dim >= 0)
      iteration[dim] = std::min(extent, piece.extents[dim]);
  for (unsigned dim : piece.reducedDims)
    iteration[dim] = piece.extents[dim];
  return iteration;
}

/// What a piece reads of an operand; of a reshape so many of its last elements.
static Box boxOf(const OperandAccess &access, llvm::ArrayRef<int64_t> iteration,
                 llvm::ArrayRef<int64_t> shape) {
  Box box(shape.size(), 1);
  if (access.linear) {
    for (auto [extent, index] : llvm::zip_equal(box, access.indices))
      extent = index.first < 0 ? 1 : iteration[index.first];
    return box;
  }
  uint64_t left = volume(iteration);
  for (size_t dim = shape.size(); dim-- > 0 && left > 1;) {
    box[dim] = std::min<uint64_t>(left, shape[dim]);
    left = llvm::divideCeil(left, static_cast<uint64_t>(shape[dim]));
  }
  return box;
}

uint64_t mirage::verify::estimateSteps(const TensorProgram &program) {
  if (!program.graphs.empty())
    return 0;
  std::vector<Box> needed;
  for (const ProgramValue &value : program.values)
    needed.emplace_back(value.shape.size(), 0);
  unsigned result = program.results.front();
  needed[result].assign(needed[result].size(), 1);
  uint64_t steps = 0;
  for (unsigned number = program.values.size(); number-- > 0;) {
    if (llvm::is_contained(needed[number], 0))
      continue;
    for (const Piece &piece : program.values[number].pieces) {
      Box iteration = iterationOf(piece, needed[number]);
      for (const OperandAccess &access : piece.operands)
        if (access.used) {
          llvm::ArrayRef<int64_t> shape = program.values[access.value].shape;
          join(needed[access.value], boxOf(access, iteration, shape));
          steps = llvm::SaturatingAdd(steps, volume(iteration));
        }
    }
  }
  return steps;
}
