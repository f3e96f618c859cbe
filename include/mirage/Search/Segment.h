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
// own, a part of the tensor. A sum over the dim of a concat is the sum of sums
// over the parts,
//
//   S_k concat(X, Y)[m, k] W[k, n] = S_i X[m, i] W[i, n] + S_j Y[m, j] W[a+j,
//   n]
//
// so the other operands become parts too, and nothing is concatenated.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_SEGMENT_H
#define MIRAGE_SEARCH_SEGMENT_H

#include "mirage/Expr/Expression.h"
#include "mirage/Search/Program.h"

#include <functional>
#include <numeric>
#include <optional>
#include <string>

namespace mirage::search {

/// A tensor of the program, or the part of one that starts at `offsets`.
struct SegmentTensor {
  TensorId tensor; ///< of the program.
  llvm::SmallVector<int64_t, 4> offsets, shape;
  /// Parts with one symbol are the same part.
  uint32_t symbol;
  LabelList labels; ///< one a dim; `noLabel` for extent 1.

  int64_t elements() const {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1},
                           std::multiplies<>());
  }
};

struct Segment {
  /// Tensors of the segment; `ops` refer to these.
  std::vector<SegmentTensor> tensors;
  std::vector<Op> ops;
  std::vector<uint32_t> inputs, outputs; ///< segment tensors.
  /// Labels of the iteration dims of each op.
  std::vector<LabelList> opLabels;
  /// The widest element type that the program multiplies matrices in, as bits
  /// and as a tensor of the program that has it.
  unsigned matrixBits = 32;
  std::optional<TensorId> matrixTensor;
};

/// Ops of the sources [first, last) with labels from `context`. Fails, with the
/// reason, if an op is opaque or the dims cannot be told apart.
std::optional<Segment> makeSegment(const Program &program, unsigned first,
                                   unsigned last, ExprContext &context,
                                   std::string &reason);

} // namespace mirage::search

#endif // MIRAGE_SEARCH_SEGMENT_H
