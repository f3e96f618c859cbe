//===- AccessModel.cpp - What one warp access costs in memory -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AccessModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

#include <algorithm>

using namespace mirage;
using namespace mirage::sim;

/// Splits the lanes of a warp into the cosets of the span of `masks`; each
/// phase is a set of lanes as bits.
static llvm::SmallVector<uint64_t, 8>
splitPhases(unsigned warpSize, llvm::ArrayRef<uint32_t> masks) {
  llvm::SmallVector<uint64_t, 8> phases;
  uint64_t placed = 0;
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    if (placed >> lane & 1)
      continue;
    uint64_t phase = 0;
    for (unsigned combination = 0; combination < 1u << masks.size();
         ++combination) {
      unsigned other = lane;
      for (unsigned i = 0; i < masks.size(); ++i)
        if (combination >> i & 1)
          other ^= masks[i];
      if (other < warpSize)
        phase |= uint64_t{1} << other;
    }
    phases.push_back(phase);
    placed |= phase;
  }
  return phases;
}

AccessModel::AccessModel(const TargetDescription &target)
    : banks(target.sharedBanks), warpSize(target.warpSize) {
  for (unsigned i = 0; i < phases.size(); ++i)
    phases[i] = splitPhases(warpSize, target.phaseLaneMasks(32u << i));
}

unsigned AccessModel::sectors(const uint64_t *addresses, uint64_t active,
                              unsigned bytes) const {
  llvm::SmallVector<uint64_t, 128> touched;
  for (uint64_t rest = active; rest; rest &= rest - 1) {
    uint64_t address = addresses[llvm::countr_zero(rest)];
    uint64_t last = (address + bytes - 1) / sectorBytes;
    for (uint64_t s = address / sectorBytes; s <= last; ++s)
      if (touched.empty() || touched.back() != s)
        touched.push_back(s);
  }
  if (!llvm::is_sorted(touched))
    llvm::sort(touched);
  return std::unique(touched.begin(), touched.end()) - touched.begin();
}

unsigned AccessModel::phaseWavefronts(llvm::ArrayRef<uint64_t> addresses,
                                      unsigned bytes) const {
  // A list of different words for each bank; most have one or none.
  struct Entry {
    uint64_t word;
    int next;
  };
  llvm::SmallVector<Entry, 64> entries;
  int first[64];
  uint8_t size[64] = {};
  std::fill_n(first, banks, -1);
  unsigned most = 0;
  auto add = [&](uint64_t word) {
    unsigned bank = word % banks;
    for (int i = first[bank]; i >= 0; i = entries[i].next)
      if (entries[i].word == word)
        return;
    entries.push_back({word, first[bank]});
    first[bank] = entries.size() - 1;
    most = std::max<unsigned>(most, ++size[bank]);
  };
  for (uint64_t address : addresses)
    for (uint64_t w = address / 4; w <= (address + bytes - 1) / 4; ++w)
      add(w);
  return most;
}

unsigned AccessModel::wavefronts(const uint64_t *addresses, uint64_t active,
                                 unsigned bytes) const {
  unsigned total = 0;
  llvm::SmallVector<uint64_t, 64> served;
  for (uint64_t phase : phases[bytes <= 4 ? 0 : bytes <= 8 ? 1 : 2]) {
    served.clear();
    for (uint64_t rest = phase & active; rest; rest &= rest - 1)
      served.push_back(addresses[llvm::countr_zero(rest)]);
    total += phaseWavefronts(served, bytes);
  }
  return total;
}

static unsigned countDifferent(const uint64_t *values, uint64_t active,
                               uint64_t (*project)(uint64_t)) {
  llvm::SmallVector<uint64_t, maxWarpSize> seen;
  for (uint64_t rest = active; rest; rest &= rest - 1)
    seen.push_back(project(values[llvm::countr_zero(rest)]));
  llvm::sort(seen);
  return std::unique(seen.begin(), seen.end()) - seen.begin();
}

unsigned AccessModel::copySectors(const uint64_t *ends, uint64_t active) const {
  return countDifferent(ends, active, [](uint64_t value) { return value; });
}

unsigned AccessModel::copyWavefronts(const uint64_t *ends,
                                     uint64_t active) const {
  return countDifferent(ends, active, CopyEnds::lines);
}
