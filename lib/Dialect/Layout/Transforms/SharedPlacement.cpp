//===- SharedPlacement.cpp - Offsets for buffers that live at overlapping times
//===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedPlacement.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

using namespace mirage::layout;

/// An order that puts every buffer at the lowest free place reaches the optimum
/// for some permutation; beyond this many, one good order is used.
static constexpr size_t maxExact = 7;

/// The lowest place where `buffer` touches none of the placed ones.
static int64_t lowestPlace(const Buffer &buffer,
                           llvm::ArrayRef<const Buffer *> placed) {
  int64_t offset = 0;
  bool moved = true;
  while (moved) {
    moved = false;
    for (const Buffer *other : placed) {
      bool apart = offset + buffer.bytes <= other->offset ||
                   other->offset + other->bytes <= offset;
      if (apart || !buffer.overlaps(*other))
        continue;
      offset = llvm::alignTo(other->offset + other->bytes, sharedAlignment);
      moved = true;
    }
  }
  return offset;
}

static int64_t placeInOrder(llvm::MutableArrayRef<Buffer> buffers,
                            llvm::ArrayRef<unsigned> order) {
  llvm::SmallVector<const Buffer *> placed;
  int64_t size = 0;
  for (unsigned number : order) {
    Buffer &buffer = buffers[number];
    buffer.offset = lowestPlace(buffer, placed);
    placed.push_back(&buffer);
    size = std::max(size, buffer.offset + buffer.bytes);
  }
  return size;
}

static llvm::SmallVector<unsigned>
largestFirst(llvm::ArrayRef<Buffer> buffers) {
  llvm::SmallVector<unsigned> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::make_pair(-buffers[a].bytes, a) <
           std::make_pair(-buffers[b].bytes, b);
  });
  return order;
}

int64_t mirage::layout::placeBuffers(llvm::MutableArrayRef<Buffer> buffers) {
  llvm::SmallVector<unsigned> best = largestFirst(buffers), order(best);
  llvm::sort(order);
  int64_t size = placeInOrder(buffers, best);
  if (buffers.size() <= maxExact)
    do {
      int64_t tried = placeInOrder(buffers, order);
      if (tried < size) {
        size = tried;
        best = order;
      }
    } while (std::next_permutation(order.begin(), order.end()));
  return placeInOrder(buffers, best);
}

/// From the end of the one to the begin of the other.
static int64_t distance(const Buffer &a, const Buffer &b) {
  return std::max(a.begin - b.end, b.begin - a.end);
}

/// How far from `buffer` those are in use that have bytes from `offset` on.
static int64_t distanceAt(const Buffer &buffer, int64_t offset,
                          llvm::ArrayRef<const Buffer *> placed) {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Buffer *other : placed)
    if (offset < other->offset + other->bytes &&
        other->offset < offset + buffer.bytes)
      least = std::min(least, distance(buffer, *other));
  return least;
}

/// The place below `limit` whose other users are farthest off, if there is one
/// at all.
static std::optional<int64_t>
farthestPlace(const Buffer &buffer, llvm::ArrayRef<const Buffer *> placed,
              int64_t limit) {
  llvm::SmallVector<int64_t> offsets = {0};
  for (const Buffer *other : placed)
    offsets.push_back(
        llvm::alignTo(other->offset + other->bytes, sharedAlignment));
  llvm::sort(offsets);
  std::optional<int64_t> best;
  int64_t farthest = 0;
  for (int64_t offset : offsets) {
    int64_t far = distanceAt(buffer, offset, placed);
    if (offset + buffer.bytes > limit || far <= farthest)
      continue;
    best = offset;
    farthest = far;
  }
  return best;
}

int64_t mirage::layout::placeApart(llvm::MutableArrayRef<Buffer> buffers,
                                   int64_t limit) {
  int64_t needed = placeBuffers(buffers);
  llvm::SmallVector<Buffer> apart(buffers);
  llvm::SmallVector<const Buffer *> placed;
  int64_t size = 0;
  for (unsigned number : largestFirst(buffers)) {
    Buffer &buffer = apart[number];
    std::optional<int64_t> offset =
        farthestPlace(buffer, placed, std::max(limit, needed));
    if (!offset)
      return needed;
    buffer.offset = *offset;
    placed.push_back(&buffer);
    size = std::max(size, buffer.offset + buffer.bytes);
  }
  llvm::copy(apart, buffers.begin());
  return size;
}
