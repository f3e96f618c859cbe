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
#include <numeric>

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

int64_t mirage::layout::placeBuffers(llvm::MutableArrayRef<Buffer> buffers) {
  llvm::SmallVector<unsigned> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::SmallVector<unsigned> best = order;
  llvm::sort(best, [&](unsigned a, unsigned b) {
    return std::make_pair(-buffers[a].bytes, a) <
           std::make_pair(-buffers[b].bytes, b);
  });
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

int64_t mirage::layout::placeDisjoint(llvm::MutableArrayRef<Buffer> buffers) {
  int64_t offset = 0, size = 0;
  for (Buffer &buffer : buffers) {
    buffer.offset = offset;
    size = offset + buffer.bytes;
    offset = llvm::alignTo(size, sharedAlignment);
  }
  return size;
}
