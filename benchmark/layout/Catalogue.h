//===- Catalogue.h - Swizzles for all pairs of a catalogue ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_BENCHMARK_LAYOUT_CATALOGUE_H
#define MIRAGE_BENCHMARK_LAYOUT_CATALOGUE_H

#include "mirage/Layout/SharedChoice.h"

#include <optional>
#include <string>
#include <vector>

namespace mirage::benchmarks {

struct NamedLayout {
  std::string name;
  LinearLayout layout;
};

/// Two-dimensional layouts of one tile with elements of `elemBits` bits:
/// blocked by rows and by columns, accumulators and operands of mma, wgmma,
/// mfma and wmma, one with swizzled registers, one with replicas over warps.
std::vector<NamedLayout> catalogue(unsigned elemBits);

/// What became of one ordered pair.
struct SwizzleResult {
  std::string store, load, target;
  unsigned elemBits;
  std::string access; ///< "128/32": bits of the accesses, m for matrices.
  uint64_t wavefronts, extra;
  uint64_t leastWavefronts; ///< both sides alone, each with its best layout.
  /// Fewest wavefronts of any layout, by search; where there is something to
  /// search for.
  std::optional<uint64_t> searched;

  bool isIdeal() const { return extra == 0 && wavefronts == leastWavefronts; }
};

/// All pairs on those of the targets that have enough lanes.
std::vector<SwizzleResult>
runCatalogue(llvm::ArrayRef<unsigned> elemBits,
             llvm::ArrayRef<llvm::StringRef> targets);

/// The fewest wavefronts that any shared layout gives: the naive search
/// (SwizzleSearch.cpp). `limit`: stop where a layout needs no more than this.
uint64_t searchSwizzles(const LinearLayout &store, const LinearLayout &load,
                        unsigned elemBits, const TargetDescription &target,
                        uint64_t limit);

} // namespace mirage::benchmarks

#endif // MIRAGE_BENCHMARK_LAYOUT_CATALOGUE_H
