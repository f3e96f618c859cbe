//===- SharedPlacementTest.cpp - Places of buffers in shared memory -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedPlacement.h"

#include "gtest/gtest.h"

#include <random>
#include <vector>

using namespace mirage::layout;

namespace {

bool shareBytes(const Buffer &a, const Buffer &b) {
  return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

std::vector<Buffer> randomBuffers(std::mt19937 &random) {
  std::vector<Buffer> buffers(1 + random() % 10);
  for (Buffer &buffer : buffers) {
    buffer.bytes = 1 + random() % 4096;
    buffer.begin = random() % 20;
    buffer.end = buffer.begin + random() % 3;
  }
  return buffers;
}

TEST(SharedPlacement, WhoLivesTogetherLiesApart) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<Buffer> buffers = randomBuffers(random), apart = buffers;
    int64_t needed = placeBuffers(buffers), limit = random() % 16384;
    int64_t size = placeApart(apart, limit);
    EXPECT_LE(size, std::max(needed, limit));
    for (const auto *placed : {&buffers, &apart})
      for (const Buffer &a : *placed) {
        EXPECT_EQ(a.offset % sharedAlignment, 0);
        EXPECT_LE(a.offset + a.bytes, placed == &apart ? size : needed);
        for (const Buffer &b : *placed)
          EXPECT_FALSE(&a != &b && a.overlaps(b) && shareBytes(a, b));
      }
  }
}

/// With room for two of them, scratches take turns; with room for all they have
/// nothing in common; without, they share.
TEST(SharedPlacement, ScratchesTakeTurns) {
  std::vector<Buffer> scratches;
  for (int64_t time = 0; time < 4; ++time)
    scratches.push_back({128, time, time, 0});
  EXPECT_EQ(placeApart(scratches, 256), 256);
  for (unsigned i = 0; i + 1 < scratches.size(); ++i)
    EXPECT_FALSE(shareBytes(scratches[i], scratches[i + 1])) << i;
  EXPECT_EQ(placeApart(scratches, 1024), 512);
  EXPECT_EQ(placeApart(scratches, 0), 128);
}

} // namespace
