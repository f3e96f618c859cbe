//===- Random.h - Random matrices and layouts for property tests -*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every property test draws from a seed that it prints on failure; MIRAGE_SEED
// in the environment replays one.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_F2_RANDOM_H
#define MIRAGE_TEST_UNIT_F2_RANDOM_H

#include "mirage/Support/F2/LinearLayout.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <random>

namespace mirage {
/// How GoogleTest prints a layout.
inline void PrintTo(const LinearLayout &layout, std::ostream *os) {
  *os << layout.toString();
}
} // namespace mirage

namespace mirage::testing {

class Random {
public:
  Random() {
    const char *text = std::getenv("MIRAGE_SEED");
    seed = text ? std::strtoull(text, nullptr, 10) : std::random_device{}();
    engine.seed(seed);
  }
  uint64_t below(uint64_t bound) { return bound ? engine() % bound : 0; }
  bool coin() { return engine() & 1; }

  F2Matrix matrix(unsigned rows, unsigned cols) {
    F2Matrix result(rows, cols);
    for (unsigned c = 0; c < cols; ++c)
      for (unsigned r = 0; r < rows; ++r)
        result.set(r, c, coin());
    return result;
  }

  F2Matrix invertible(unsigned size) {
    while (true)
      if (F2Matrix m = matrix(size, size); m.rank() == size)
        return m;
  }

  /// Up to three labels from `names` in order, each of at most `maxBits`.
  LinearLayout::Dims dims(std::vector<std::string> names, unsigned maxBits) {
    LinearLayout::Dims result;
    for (std::string &name : names)
      result.push_back({name, unsigned(below(maxBits + 1))});
    return result;
  }

  LinearLayout layout(LinearLayout::Dims ins, LinearLayout::Dims outs,
                      bool affine = false) {
    unsigned cols = 0, rows = 0;
    for (auto &dim : ins)
      cols += dim.bits;
    for (auto &dim : outs)
      rows += dim.bits;
    LinearLayout result =
        LinearLayout::fromMatrix(ins, outs, matrix(rows, cols));
    if (!affine)
      return result;
    std::vector<uint64_t> offset;
    for (auto &dim : outs)
      offset.push_back(below(dim.size()));
    return result.withOffset(offset);
  }

  /// A distributed layout: each bit of the tensor goes to a random label, and
  /// some zero bases are strewn in.
  LinearLayout distributed(llvm::ArrayRef<unsigned> dimBits, unsigned laneBits,
                           unsigned warpBits, unsigned blockBits = 0,
                           unsigned registerReplicas = 0) {
    std::vector<std::vector<uint64_t>> units;
    for (unsigned d = 0; d < dimBits.size(); ++d)
      for (unsigned bit = 0; bit < dimBits[d]; ++bit) {
        std::vector<uint64_t> unit(dimBits.size(), 0);
        unit[d] = uint64_t{1} << bit;
        units.push_back(unit);
      }
    std::shuffle(units.begin(), units.end(), engine);
    std::vector<LinearLayout::InBases> ins{
        {"register", {}}, {"lane", {}}, {"warp", {}}, {"block", {}}};
    std::vector<uint64_t> zero(dimBits.size(), 0);
    unsigned sizes[] = {0, laneBits, warpBits, blockBits};
    for (unsigned label = 1; label < 4; ++label)
      for (unsigned bit = 0; bit < sizes[label]; ++bit) {
        bool replica = units.empty() || below(6) == 0;
        ins[label].bases.push_back(replica ? zero : units.back());
        if (!replica)
          units.pop_back();
      }
    ins[0].bases = units;
    for (unsigned i = 0; i < registerReplicas; ++i)
      ins[0].bases.push_back(zero);
    std::shuffle(ins[0].bases.begin(), ins[0].bases.end(), engine);
    std::vector<LinearLayout::OutSize> outs;
    for (unsigned d = 0; d < dimBits.size(); ++d)
      outs.push_back({"dim" + std::to_string(d), uint64_t{1} << dimBits[d]});
    return llvm::cantFail(LinearLayout::create(ins, outs));
  }

  uint64_t seed;
  std::mt19937_64 engine;
};

/// Unwraps an Expected or fails the test with its message.
template <typename T>
std::optional<T> take(llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  ADD_FAILURE() << llvm::toString(value.takeError());
  return std::nullopt;
}

template <typename T>
std::string errorOf(llvm::Expected<T> value) {
  return value ? "" : llvm::toString(value.takeError());
}

} // namespace mirage::testing

#endif // MIRAGE_TEST_UNIT_F2_RANDOM_H
