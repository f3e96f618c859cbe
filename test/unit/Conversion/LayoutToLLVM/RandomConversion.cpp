//===- RandomConversion.cpp - Pairs of layouts to convert between ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomConversion.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace mirage;
using namespace mirage::test;

using Columns = std::vector<uint64_t>;

std::string RandomConversion::describe() const {
  std::string text;
  llvm::raw_string_ostream(text)
      << target->name << ", " << warps << " warps, " << blocks << " blocks, "
      << elementBits << " bits\n  " << source << "\n  " << destination;
  return text;
}

namespace {
/// Bits of the element, dealt out to the labels of a layout.
class Dealer {
public:
  Dealer(std::mt19937 &random, unsigned bits) : random(random), bits(bits) {
    for (unsigned bit = 0; bit < bits; ++bit)
      left.push_back(uint64_t{1} << bit);
    std::shuffle(left.begin(), left.end(), random);
  }

  bool oneIn(unsigned n) { return random() % n == 0; }
  void mix() {
    for (unsigned i = 0; left.size() > 1 && i < bits; ++i) {
      size_t to = random() % left.size(), from = random() % left.size();
      if (to != from)
        left[to] ^= left[from];
    }
  }
  Columns take(unsigned count) {
    Columns columns;
    for (unsigned i = 0; i < count; ++i) {
      bool replica = left.empty() || oneIn(8);
      columns.push_back(replica ? 0 : left.back());
      if (!replica)
        left.pop_back();
    }
    return columns;
  }
  Columns rest() {
    Columns columns = std::move(left);
    if (oneIn(6))
      columns.push_back(0);
    std::shuffle(columns.begin(), columns.end(), random);
    return columns;
  }
  /// Takes these columns out of what is left: only what is independent of them
  /// stays.
  void remove(const Columns &used) {
    for (uint64_t column : used)
      isNew(column);
    Columns kept;
    for (uint64_t column : left)
      if (isNew(column))
        kept.push_back(column);
    left = std::move(kept);
  }

private:
  /// Whether a column is independent of all before.
  bool isNew(uint64_t column) {
    for (uint64_t vector : basis)
      column = std::min(column, column ^ vector);
    if (column)
      basis.push_back(column);
    return column != 0;
  }

  std::mt19937 &random;
  unsigned bits;
  Columns left, basis;
};
} // namespace

static LinearLayout makeLayout(unsigned bits, const Columns (&parts)[4]) {
  LinearLayout::Dims ins;
  Columns all;
  const char *labels[] = {"register", "lane", "warp", "block"};
  for (unsigned i = 0; i < 4; ++i) {
    ins.push_back({labels[i], static_cast<unsigned>(parts[i].size())});
    all.insert(all.end(), parts[i].begin(), parts[i].end());
  }
  return LinearLayout::fromMatrix(ins, {{"dim0", bits}},
                                  F2Matrix::fromColumns(bits, all));
}

RandomConversion test::randomConversion(std::mt19937 &random, bool clusters,
                                        llvm::StringRef chip) {
  llvm::ArrayRef<TargetDescription> chips = allTargets();
  RandomConversion pair;
  do
    pair.target = &chips[random() % chips.size()];
  while ((clusters && pair.target->maxClusterBlocks < 4) ||
         (!chip.empty() && pair.target->name != chip));
  pair.warps = 1u << random() % 4;
  pair.blocks = clusters ? 2u << random() % 2 : 1;
  pair.elementBits = 8u << random() % 4;
  unsigned lanes = llvm::Log2_32(pair.target->warpSize);
  unsigned bits = 5 + random() % 8;
  Columns parts[2][4]; // register, lane, warp, block
  unsigned stay = random() % 4;
  bool mixed = random() % 3 == 0;
  for (unsigned side = 0; side < 2; ++side) {
    Dealer dealer(random, bits);
    if (mixed)
      dealer.mix();
    // What the destination keeps of the source: blocks, warps, lanes.
    unsigned sizes[] = {0, lanes, llvm::Log2_32(pair.warps),
                        llvm::Log2_32(pair.blocks)};
    unsigned kept = side == 1 ? stay : 0;
    for (unsigned label = 3, n = 0; label > 0 && n < kept; --label, ++n) {
      parts[1][label] = parts[0][label];
      dealer.remove(parts[0][label]);
    }
    for (unsigned label = 3 - kept; label > 0; --label)
      parts[side][label] = dealer.take(sizes[label]);
    parts[side][0] = dealer.rest();
  }
  pair.source = makeLayout(bits, parts[0]);
  pair.destination = makeLayout(bits, parts[1]);
  return pair;
}

llvm::Expected<layout::ConversionPlan>
test::planOf(const RandomConversion &pair) {
  return layout::planConversion(pair.source, pair.destination, pair.elementBits,
                                *pair.target);
}

layout::LinearLayoutAttr test::shuffleInBlocks(std::mt19937 &random,
                                               layout::LinearLayoutAttr from) {
  using layout::PlaceDim;
  using Bases = layout::LinearLayoutAttr::Bases;
  auto basesOf = [&](PlaceDim place) { return Bases(from.getBases(place)); };
  Bases all;
  for (PlaceDim place : {PlaceDim::Register, PlaceDim::Lane, PlaceDim::Warp})
    llvm::append_range(all, basesOf(place));
  std::shuffle(all.begin(), all.end(), random);
  Bases blocks = basesOf(PlaceDim::Block);
  for (auto &block : blocks)
    if (random() % 2)
      for (auto [part, other] :
           llvm::zip_equal(block, all[random() % all.size()]))
        part ^= other;
  auto take = [&](PlaceDim place) {
    Bases taken(all.end() - basesOf(place).size(), all.end());
    all.resize(all.size() - taken.size());
    return taken;
  };
  Bases lanes = take(PlaceDim::Lane), warps = take(PlaceDim::Warp);
  return layout::LinearLayoutAttr::getRegisters(
      from.getContext(), from.getShape(), all, lanes, warps, blocks);
}
