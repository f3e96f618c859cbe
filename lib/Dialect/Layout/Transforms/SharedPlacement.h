//===- SharedPlacement.h - Offsets for buffers that live at overlapping times
//-*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_SHAREDPLACEMENT_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_SHAREDPLACEMENT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace mirage::layout {

/// A buffer that is in use from time `begin` to time `end`, both included.
struct Buffer {
  int64_t bytes = 0;
  int64_t begin = 0, end = 0;
  int64_t offset = 0; ///< the answer.

  bool overlaps(const Buffer &other) const {
    return begin <= other.end && other.begin <= end;
  }
};

/// Offsets must be multiples of this.
inline constexpr int64_t sharedAlignment = 128;

/// Places the buffers so that those in use at the same time do not overlap, and
/// returns the bytes needed in all. Each buffer goes to the lowest place that
/// is free, largest first; for up to 7 buffers all orders are tried, which
/// gives the smallest size there is.
int64_t placeBuffers(llvm::MutableArrayRef<Buffer> buffers);

/// The same within `limit` bytes, or within as many as are needed; and such
/// that buffers with common bytes are in use far apart, or there are none.
/// Between two uses of the same bytes must be a barrier: far apart there is
/// likely to be one already.
int64_t placeApart(llvm::MutableArrayRef<Buffer> buffers, int64_t limit);

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_SHAREDPLACEMENT_H
