//===- ConversionFuzz.cpp - Random conversions, checked naively -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConversionFuzz.h"

#include <map>
#include <set>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

std::string FuzzPair::toString() const {
  return source.toString() + "\n  to " + destination.toString() + "\n  " +
         std::to_string(elemBits) + " bits on " + target->name.str();
}

/// A surjective layout: bits of the tensor are dealt to labels, with replicas
/// in between; then bases are mixed.
LinearLayout ConversionFuzz::makeLayout(const Sizes &sizes) {
  unsigned bits = 0;
  for (unsigned dim : sizes.dimBits)
    bits += dim;
  std::vector<uint64_t> units;
  for (unsigned bit = 0; bit < bits; ++bit)
    units.push_back(uint64_t{1} << bit);
  std::shuffle(units.begin(), units.end(), engine);
  auto deal = [&](unsigned count, unsigned replicaOdds) {
    std::vector<uint64_t> columns;
    for (unsigned i = 0; i < count; ++i) {
      bool isReplica = units.empty() || below(replicaOdds) == 0;
      columns.push_back(isReplica ? 0 : units.back());
      if (!isReplica)
        units.pop_back();
    }
    return columns;
  };
  std::vector<uint64_t> lanes = deal(sizes.lanes, 10);
  std::vector<uint64_t> warps = deal(sizes.warps, 6);
  std::vector<uint64_t> blocks = deal(sizes.blocks, 3);
  std::vector<uint64_t> registers = units;
  for (unsigned extra = below(4) == 0 ? 1 : 0; extra > 0; --extra)
    registers.push_back(0);
  std::shuffle(registers.begin(), registers.end(), engine);
  std::vector<uint64_t> columns;
  for (auto *list : {&registers, &lanes, &warps, &blocks})
    columns.insert(columns.end(), list->begin(), list->end());
  // Adding one basis to another keeps the span: swizzles, and replicas that are
  // no zero bases.
  unsigned mixes = below(2) ? 0 : below(2) ? 1 + below(3) : below(2 * bits + 1);
  for (unsigned i = 0; i < mixes && !columns.empty(); ++i) {
    size_t to = below(columns.size()), from = below(columns.size());
    if (to != from)
      columns[to] ^= columns[from];
  }
  LinearLayout::Dims ins{{"register", unsigned(registers.size())},
                         {"lane", sizes.lanes},
                         {"warp", sizes.warps},
                         {"block", sizes.blocks}};
  LinearLayout::Dims outs;
  for (unsigned dim = 0; dim < sizes.dimBits.size(); ++dim)
    outs.push_back({"dim" + std::to_string(dim), sizes.dimBits[dim]});
  uint64_t offset = below(5) == 0 ? below(uint64_t{1} << bits) : 0;
  return LinearLayout::fromMatrix(
      ins, outs, F2Matrix::fromColumns(bits, columns),
      bits ? llvm::ArrayRef<uint64_t>(offset) : llvm::ArrayRef<uint64_t>());
}

FuzzPair ConversionFuzz::next() {
  FuzzPair pair;
  llvm::ArrayRef<TargetDescription> targets = allTargets();
  pair.target = &targets[below(targets.size())];
  pair.elemBits = 8u << below(4);
  Sizes sizes;
  unsigned rest = 12;
  for (unsigned rank = 1 + below(3); rank > 0; --rank) {
    sizes.dimBits.push_back(below(std::min(rest, 7u) + 1));
    rest -= sizes.dimBits.back();
  }
  sizes.lanes = llvm::countr_zero(pair.target->warpSize);
  if (below(8) == 0)
    sizes.lanes -= 1 + below(2);
  sizes.warps = below(4);
  sizes.blocks = pair.target->hasWgmma && below(8) == 0;
  pair.source = makeLayout(sizes);
  // Destinations near the source need the nearer kinds.
  if (below(3) == 0)
    sizes.warps = pair.source.inBits("warp");
  pair.destination = makeLayout(sizes);
  if (below(4) == 0) {
    // The same warps, everything else anew.
    LinearLayout::Dims ins(pair.source.inDims());
    F2Matrix columns = pair.source.matrix();
    unsigned moved = pair.source.inBits("register") + sizes.lanes;
    std::vector<unsigned> order(columns.cols());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.begin() + moved, engine);
    pair.destination =
        LinearLayout::fromMatrix(ins, LinearLayout::Dims(pair.source.outDims()),
                                 columns.selectColumns(order));
  }
  pair.options.allowShuffle = below(4) != 0;
  pair.options.allowMatrix = below(8) != 0;
  pair.options.allowPermute = below(2);
  return pair;
}

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

/// Lanes served together, by the smallest lane of each phase.
static std::map<uint64_t, std::vector<uint64_t>>
phasesOf(unsigned accessBits, const TargetDescription &target) {
  std::set<uint64_t> span{0};
  for (uint32_t mask : target.phaseLaneMasks(accessBits)) {
    std::set<uint64_t> more;
    for (uint64_t lane : span)
      more.insert(lane ^ mask);
    span.insert(more.begin(), more.end());
  }
  std::map<uint64_t, std::vector<uint64_t>> phases;
  for (uint64_t lane = 0; lane < target.warpSize; ++lane) {
    uint64_t first = lane;
    for (uint64_t other : span)
      first = std::min(first, lane ^ other);
    phases[first].push_back(lane);
  }
  return phases;
}

/// The most different words in one bank.
static uint64_t mostWords(const std::vector<uint64_t> &addresses,
                          unsigned elems, unsigned elemBits,
                          const TargetDescription &target) {
  std::map<uint64_t, std::set<uint64_t>> banks;
  for (uint64_t address : addresses)
    for (unsigned byte = 0; byte < elems * elemBits / 8; ++byte) {
      uint64_t word = (address * elemBits / 8 + byte) / 4;
      banks[word % target.sharedBanks].insert(word);
    }
  uint64_t most = 0;
  for (const auto &[bank, words] : banks)
    most = std::max<uint64_t>(most, words.size());
  return most;
}

static uint64_t countGroup(const SharedAccess &access,
                           const RegisterGroup &group, uint64_t warp,
                           unsigned elemBits, const TargetDescription &target) {
  uint64_t lanes = access.thread.inSize("lane");
  auto address = [&](uint64_t lane) {
    return access.thread.applyFlat((lane % lanes) |
                                   warp << access.thread.inBits("lane")) ^
           group.offset;
  };
  uint64_t total = 0;
  if (access.op != SharedOp::Vector) {
    for (unsigned matrix = 0; matrix < access.matrices; ++matrix) {
      std::vector<uint64_t> rows;
      for (unsigned row = 0; row < 8; ++row)
        rows.push_back(address(8 * matrix + row));
      total += mostWords(rows, 128 / elemBits, elemBits, target);
    }
    return total;
  }
  for (const auto &[first, members] :
       phasesOf(access.vectorElems * elemBits, target)) {
    std::vector<uint64_t> addresses;
    for (uint64_t lane : members)
      addresses.push_back(address(lane));
    total += mostWords(addresses, access.vectorElems, elemBits, target);
  }
  return total;
}

std::optional<uint64_t>
testing::countWavefronts(const SharedAccess &access, unsigned elemBits,
                         const TargetDescription &target) {
  std::optional<uint64_t> result;
  for (uint64_t warp = 0; warp < access.thread.inSize("warp"); ++warp) {
    uint64_t total = 0;
    for (const RegisterGroup &group : access.groups)
      total += countGroup(access, group, warp, elemBits, target);
    if (result && *result != total)
      return std::nullopt;
    result = total;
  }
  return result;
}

std::string testing::checkPair(const FuzzPair &pair, FuzzCounts &counts) {
  ++counts.pairs;
  llvm::Expected<ConversionPlan> plan = planConversion(
      pair.source, pair.destination, pair.elemBits, *pair.target, pair.options);
  if (!plan) {
    ++counts.refused;
    return llvm::toString(plan.takeError());
  }
  ++counts.kinds[static_cast<unsigned>(plan->kind)];
  bool isRight = executeConversion(*plan, pair.source, pair.destination);
  if (!isRight || !plan->verified) {
    ++counts.wrong;
    return stringifyKind(plan->kind).str() + " plan: executed " +
           (isRight ? "right" : "wrong") + ", verified " +
           (plan->verified ? "right" : "wrong");
  }
  if (plan->kind < ConversionKind::Shared)
    return "";
  for (const SharedAccess *access : {&plan->shared.store, &plan->shared.load}) {
    // Reads of other blocks' memory are not banked with the own ones.
    if (plan->kind == ConversionKind::Cluster && access == &plan->shared.load)
      continue;
    auto counted = countWavefronts(*access, plan->elemBits, *pair.target);
    if (counted == access->wavefronts())
      continue;
    ++counts.wavefrontsDiffer;
    return std::to_string(access->wavefronts()) + " wavefronts, counted " +
           (counted ? std::to_string(*counted) : "differently by warp");
  }
  return "";
}
