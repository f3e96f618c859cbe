//===- Segment.h - Consecutive ops as expressions ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The part of a program that shall become one kernel, with a label for each
// dim. Labels come from unification: dims that an op reads or writes together
// are one dim. Where this would make two dims of one tensor or op the same (as
// in X X^T), an operand is taken apart: its tensor, and the ops that compute
// it, are taken a second time with dims of their own.
//
// Slices and concats move no data here. A slice of an input is an input of its
// own, a part of the tensor; a slice of what an op computes is what the op
// computes from parts. An op on a concat runs part by part, and a sum (or a
// maximum) over the dim of a concat is the sum of sums over the parts,
//
//   S_k concat(X, Y)[m, k] W[k, n]
//     = S_i X[m, i] W[i, n] + S_j Y[m, j] W[a + j, n]
//
// so the other operands become parts too, and nothing is concatenated.
//
// A reshape that splits dims, as one of columns to heads, is an op on the split
// dims all the way up to the inputs, which are reshaped in memory.
//
// Results of one shape share the blocks of a kernel: their dims are one. Where
// they differ in size, as the queries and the keys of grouped heads, each is
// cut into as many tiles.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_SEGMENT_H
#define MIRAGE_SEARCH_SEGMENT_H

#include "mirage/Expr/Expression.h"
#include "mirage/Search/Program.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

#include <functional>
#include <numeric>
#include <optional>
#include <string>

namespace mirage::search {

/// A tensor of the program, perhaps with split dims, or the part of one that
/// starts at `offsets`.
struct SegmentTensor {
  TensorId tensor; ///< of the program.
  Extents offsets, shape;
  /// Parts with one symbol are the same part.
  uint32_t symbol;
  LabelList labels; ///< one a dim; `noLabel` for extent 1.
  /// What the tensor is reshaped to, if it is; `offsets` are in there.
  Extents view;

  int64_t elements() const {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1},
                           std::multiplies<>());
  }
  llvm::ArrayRef<int64_t> wholeShape(const Program &program) const {
    return view.empty() ? program.tensors[tensor].shape : view;
  }
  /// The dim in which this is a part only, if it is one.
  std::optional<unsigned> cutDim(const Program &program) const {
    llvm::ArrayRef<int64_t> whole = wholeShape(program);
    for (unsigned dim = 0; dim < shape.size(); ++dim)
      if (shape[dim] != whole[dim])
        return dim;
    return std::nullopt;
  }
};

struct Segment {
  /// Tensors of the segment; `ops` refer to these.
  std::vector<SegmentTensor> tensors;
  std::vector<Op> ops;
  /// Segment tensors. Outputs that are parts of one tensor follow each other,
  /// in order, and are put side by side along the dim in which they are parts.
  std::vector<uint32_t> inputs, outputs;
  /// Labels of the iteration dims of each op.
  std::vector<LabelList> opLabels;
  /// The widest element type that the program multiplies matrices in, as bits
  /// and as a tensor of the program that has it.
  unsigned matrixBits = 32;
  std::optional<TensorId> matrixTensor;
  /// Dims of results of several sizes that share a grid dim, which cuts each of
  /// them into as many tiles: for the smaller ones the label of the largest.
  llvm::DenseMap<LabelId, LabelId> leaders;

  /// The label that stands for the grid dim of this one.
  LabelId gridLabel(LabelId label) const {
    auto it = leaders.find(label);
    return it == leaders.end() ? label : it->second;
  }
  /// Do blocks along the grid dim of `label` have different parts of this?
  bool isCutBy(const LabelList &labels, LabelId label) const {
    return llvm::any_of(labels, [&](LabelId own) {
      return own != noLabel && gridLabel(own) == gridLabel(label);
    });
  }
  bool areOutputsCutBy(LabelId label) const {
    return llvm::all_of(outputs, [&](uint32_t output) {
      return isCutBy(tensors[output].labels, label);
    });
  }
};

/// Ops of the sources [first, last) with labels from `context`. Fails, with the
/// reason, if an op is opaque or the dims cannot be told apart.
std::optional<Segment> makeSegment(const Program &program, unsigned first,
                                   unsigned last, ExprContext &context,
                                   std::string &reason);

} // namespace mirage::search

#endif // MIRAGE_SEARCH_SEGMENT_H
