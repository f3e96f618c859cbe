//===- SwizzleSearch.cpp - The fewest wavefronts of any layout ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bound that no shared layout can beat, by looking at all of them as far as
// it matters. The elements of one bank word are a coset of a subspace of the
// tile, of dimension 0, 1 or 2 for 32-, 16- and 8-bit elements, and any
// subspace can be it. One access of a side moves as many elements of a word of
// each lane as its registers have in that subspace; ldmatrix.trans moves whole
// words if the subspace lies in the lanes that become a row. A wavefront serves
// each lane once, so that a side needs
//
//   phases * registers / (elements of a word at once)
//
// wavefronts at least. All subspaces are tried. It shares nothing with the
// search of the compiler.
//
//===----------------------------------------------------------------------===//

#include "Catalogue.h"

#include "llvm/ADT/STLExtras.h"

#include <vector>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::benchmarks;

namespace {
/// The tile's vectors that one side has in its registers, as a table.
struct WordSide {
  WordSide(const LinearLayout &layout, bool isStore, unsigned elemBits,
           const TargetDescription &target);
  /// log2 of the elements of the span of two vectors that go together.
  unsigned together(uint64_t a, uint64_t b) const {
    unsigned inRegisters = registers[a] + registers[b] + registers[a ^ b];
    unsigned inRow = row[a] + row[b] + row[a ^ b];
    return inRow == 3 || inRegisters == 3 ? 2 : inRegisters ? 1 : 0;
  }
  uint64_t wavefronts(unsigned log2Elems) const { return most >> log2Elems; }

  std::vector<bool> registers, row;
  uint64_t most; ///< one element at a time.
};
} // namespace

static std::vector<bool> spanOf(const std::vector<uint64_t> &vectors,
                                unsigned bits) {
  std::vector<uint64_t> span{0};
  std::vector<bool> table(size_t{1} << bits, false);
  table[0] = true;
  for (uint64_t vector : vectors)
    if (!table[vector])
      for (size_t i = 0, size = span.size(); i < size; ++i) {
        span.push_back(span[i] ^ vector);
        table[span.back()] = true;
      }
  return table;
}

WordSide::WordSide(const LinearLayout &layout, bool isStore, unsigned elemBits,
                   const TargetDescription &target) {
  std::vector<uint64_t> registerVectors, rowVectors;
  for (unsigned bit = 0; bit < layout.inBits("register"); ++bit)
    registerVectors.push_back(layout.flatBasis("register", bit)[0]);
  bool hasMatrix = isStore ? target.hasStmatrix : target.hasLdmatrix;
  if (hasMatrix && elemBits == 16 && layout.inBits("lane") == 5)
    for (unsigned bit = 2; bit < 5; ++bit)
      rowVectors.push_back(layout.flatBasis("lane", bit)[0]);
  registers = spanOf(registerVectors, layout.totalOutBits());
  row = spanOf(rowVectors, layout.totalOutBits());
  uint64_t count = llvm::count(registers, true);
  most = count * (target.warpSize >> target.phaseLaneMasks(32).size());
}

uint64_t benchmarks::searchSwizzles(const LinearLayout &store,
                                    const LinearLayout &load, unsigned elemBits,
                                    const TargetDescription &target,
                                    uint64_t limit) {
  WordSide sides[] = {{store, true, elemBits, target},
                      {load, false, elemBits, target}};
  uint64_t size = uint64_t{1} << store.totalOutBits();
  uint64_t best = sides[0].most + sides[1].most;
  auto consider = [&](uint64_t a, uint64_t b) {
    uint64_t total = 0;
    for (const WordSide &side : sides)
      total += side.wavefronts(side.together(a, b));
    best = std::min(best, total);
  };
  if (elemBits == 16)
    for (uint64_t a = 1; a < size; ++a) {
      uint64_t total = 0;
      for (const WordSide &side : sides)
        total += side.wavefronts(side.registers[a] || side.row[a]);
      best = std::min(best, total);
    }
  if (elemBits == 8)
    for (uint64_t a = 1; a < size && best > limit; ++a)
      for (uint64_t b = a + 1; b < size; ++b)
        consider(a, b);
  return best;
}
