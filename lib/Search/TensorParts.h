//===- TensorParts.h - Parts of tensors, split dims -------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An op reads a tensor whole and as it is. What reads a part of one, or one
// with a dim split into several, has a tensor of its own for that: of an input
// the part in memory, and of what an op computes what the same op computes from
// parts or split tensors.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TENSORPARTS_H
#define MIRAGE_LIB_SEARCH_TENSORPARTS_H

#include "mirage/Search/Segment.h"

#include <map>
#include <tuple>

namespace mirage::search {

/// Indices of an iteration dim, from an offset on.
struct IndexRange {
  int64_t offset, size;
};

/// Adds tensors, and the ops that compute them, to a segment. All tensors are
/// named by their number in it.
class TensorParts {
public:
  TensorParts(const Program &program, Segment &segment)
      : program(program), segment(segment) {}

  /// A tensor of the program, without what computes it.
  uint32_t add(TensorId tensor);
  uint32_t part(uint32_t tensor, Extents offsets, Extents shape);
  /// An operand, with iteration dims `dims`, of an op of which only `ranges`
  /// of the iteration dims are run.
  uint32_t partAlong(uint32_t tensor, llvm::ArrayRef<int> dims,
                     const llvm::DenseMap<int, IndexRange> &ranges);
  /// Nothing if dims are joined, or split that cannot be.
  std::optional<uint32_t> reshape(uint32_t tensor, const Extents &shape);

private:
  using Digits = std::vector<Extents>;

  uint32_t addInput(SegmentTensor part);
  /// The result of `op` in place of `instead`, with another shape.
  uint32_t addResult(Op op, uint32_t instead, Extents offsets, Extents shape);
  uint32_t partOfInput(uint32_t tensor, Extents offsets, Extents shape);
  std::optional<uint32_t> split(uint32_t tensor, const Digits &digits);
  std::optional<uint32_t> splitInput(uint32_t tensor, const Digits &digits);
  std::optional<uint32_t> splitOp(Op op, const Digits &digits);
  uint32_t withUnitDims(uint32_t tensor, const Extents &shape);
  /// The op that computes a tensor, or null for an input.
  const Op *producer(uint32_t tensor) const;

  const Program &program;
  Segment &segment;
  /// Of what ops compute, each part once.
  std::map<std::tuple<uint32_t, Extents, Extents>, uint32_t> parts;
  std::map<std::pair<uint32_t, Digits>, std::optional<uint32_t>> splits;
};

} // namespace mirage::search

#endif // MIRAGE_LIB_SEARCH_TENSORPARTS_H
