//===- ConversionFuzz.h - Random conversions, checked naively ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random pairs of layouts of one tensor, and checks of their plans that share
// nothing with the planner: execution on element numbers, and counting words by
// bank. Used by the unit tests and by the benchmark.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_LAYOUT_CONVERSIONFUZZ_H
#define MIRAGE_TEST_UNIT_LAYOUT_CONVERSIONFUZZ_H

#include "mirage/Layout/ConversionPlan.h"

#include <random>

namespace mirage::testing {

struct FuzzPair {
  LinearLayout source, destination;
  unsigned elemBits;
  const TargetDescription *target;
  layout::ConversionOptions options;

  std::string toString() const;
};

/// Tensors of up to 2^12 elements of 8 to 64 bits in 1 to 8 warps of 32 or 64
/// lanes; replicas in registers, lanes and warps; bases that are sums of bits;
/// offsets; now and then two blocks.
class ConversionFuzz {
public:
  explicit ConversionFuzz(uint64_t seed) : engine(seed) {}
  FuzzPair next();
  uint64_t below(uint64_t bound) { return bound ? engine() % bound : 0; }

private:
  struct Sizes {
    llvm::SmallVector<unsigned, 3> dimBits;
    unsigned lanes, warps, blocks;
  };
  LinearLayout makeLayout(const Sizes &sizes);

  std::mt19937_64 engine;
};

/// Wavefronts of all accesses of a side by the first warp, counted by putting
/// every word of every lane into its bank; nothing if warps differ.
std::optional<uint64_t> countWavefronts(const layout::SharedAccess &access,
                                        unsigned elemBits,
                                        const TargetDescription &target);

/// What is wrong with the plan of a pair; empty if nothing is. Counts kinds.
struct FuzzCounts {
  uint64_t pairs = 0, refused = 0, wrong = 0, wavefrontsDiffer = 0;
  uint64_t kinds[5] = {};
};
std::string checkPair(const FuzzPair &pair, FuzzCounts &counts);

} // namespace mirage::testing

#endif // MIRAGE_TEST_UNIT_LAYOUT_CONVERSIONFUZZ_H
