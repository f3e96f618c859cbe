//===- SegmentOps.h - Ops of a segment --------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_SEGMENTOPS_H
#define MIRAGE_LIB_SEARCH_SEGMENTOPS_H

#include "mirage/Search/Segment.h"

namespace mirage::search {

/// A dim of a tensor of a segment.
using TensorDim = std::pair<uint32_t, unsigned>;

struct CollectedOps {
  Segment segment; ///< without labels.
  /// Dims of parts that a concat would put side by side: of one size, and
  /// better one dim, as what both are computed from is then the same value.
  std::vector<std::pair<TensorDim, TensorDim>> alike;
};

/// The ops of the sources [first, last) that its results need, without slices
/// and concats. Fails, with the reason, if an op is opaque, or moves data in a
/// way that is no access of another op.
std::optional<CollectedOps> collectOps(const Program &program, unsigned first,
                                       unsigned last, std::string &reason);

} // namespace mirage::search

#endif // MIRAGE_LIB_SEARCH_SEGMENTOPS_H
