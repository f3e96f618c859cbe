//===- ConversionExecutor.cpp - Plans executed on element numbers ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plan is run for every block, warp, lane and register with the number of its
// element as the value. The instructions mean here what the manuals say of
// them, not what the planner meant. Nothing is assumed to be linear: this is
// the oracle of the verifier (ConversionVerifier.cpp), which is.
//
//===----------------------------------------------------------------------===//

#include "ConversionDetail.h"

#include "mirage/Layout/NamedLayouts.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

static constexpr uint64_t nothing = ~uint64_t{0};

namespace {
/// A register layout as a table of element numbers.
class Places {
public:
  Places(const LinearLayout &layout, unsigned laneBits, unsigned warpBits,
         unsigned blockBits) {
    LinearLayout padded = layout.withIns(registerLabels());
    padded = padded.padInWithZeros("lane", laneBits);
    padded = padded.padInWithZeros("warp", warpBits);
    map = padded.padInWithZeros("block", blockBits).flattenOuts("element");
    start[0] = map.inStart("lane");
    start[1] = map.inStart("warp");
    start[2] = map.inStart("block");
  }
  uint64_t element(uint64_t reg, uint64_t lane, uint64_t warp,
                   uint64_t block) const {
    return map.applyFlat(reg | lane << start[0] | warp << start[1] |
                         block << start[2]);
  }
  unsigned registers() const { return 1u << map.inBits("register"); }

private:
  LinearLayout map;
  unsigned start[3];
};

/// The scratch memory of one block.
struct Scratch {
  SmallVector<uint64_t> elements;
  SmallVector<uint64_t> writers; ///< set of the warps that stored here.
};

class Executor {
public:
  Executor(const ConversionPlan &plan, const LinearLayout &source,
           const LinearLayout &destination);
  bool run();

private:
  bool runExchange(uint64_t warp, uint64_t block);
  bool runShared();
  bool storeBlock(uint64_t block, unsigned part, Scratch &scratch);
  bool runPart(unsigned part);
  bool coversRegisters() const;
  ArrayRef<RegisterGroup> groupsOf(const SharedAccess &access,
                                   unsigned part) const {
    size_t size = access.groups.size() / plan.shared.repetitions;
    return ArrayRef(access.groups).slice(part * size, size);
  }
  bool loadBlock(uint64_t block, unsigned part, ArrayRef<Scratch> scratches);
  bool isOrdered(const Scratch &scratch, uint64_t at, uint64_t from,
                 uint64_t warp, uint64_t block) const;
  uint64_t threadOffset(const SharedAccess &access, uint64_t lane,
                        uint64_t warp, uint64_t block) const;
  uint64_t offsetOf(const SharedAccess &access, const RegisterGroup &group,
                    unsigned index, uint64_t lane, uint64_t warp,
                    uint64_t block) const;
  SmallVector<uint64_t> numbersToCheck(unsigned bits) const;

  const ConversionPlan &plan;
  unsigned laneBits, warpBits, blockBits;
  Places source, destination;
  bool exhaustive;
};
} // namespace

static unsigned maxBits(const LinearLayout &a, const LinearLayout &b,
                        StringRef label) {
  return std::max(a.inBits(label), b.inBits(label));
}

Executor::Executor(const ConversionPlan &plan, const LinearLayout &s,
                   const LinearLayout &d)
    : plan(plan), laneBits(maxBits(s, d, "lane")),
      warpBits(maxBits(s, d, "warp")), blockBits(maxBits(s, d, "block")),
      source(s, laneBits, warpBits, blockBits),
      destination(d, laneBits, warpBits, blockBits),
      exhaustive(maxBits(s, d, "register") + laneBits + warpBits + blockBits <=
                 20) {}

/// All numbers; for very large layouts 0 and the single bits, which suffice for
/// labels on which a plan depends through an affine map only.
SmallVector<uint64_t> Executor::numbersToCheck(unsigned bits) const {
  SmallVector<uint64_t> numbers{0};
  if (exhaustive) {
    for (uint64_t n = 1; n >> bits == 0; ++n)
      numbers.push_back(n);
  } else {
    for (unsigned bit = 0; bit < bits; ++bit)
      numbers.push_back(uint64_t{1} << bit);
  }
  return numbers;
}

bool Executor::run() {
  if (plan.kind == ConversionKind::Shared ||
      plan.kind == ConversionKind::Cluster)
    return runShared();
  for (uint64_t block : numbersToCheck(blockBits))
    for (uint64_t warp : numbersToCheck(warpBits))
      if (!runExchange(warp, block))
        return false;
  return true;
}

static bool odd(uint64_t x) { return llvm::popcount(x) & 1; }

using Word = SmallVector<uint64_t, 4>;

static bool isTaken(const RegisterExchange &exchange, const ExchangeOp &op,
                    uint64_t lane, uint64_t warp, uint64_t block) {
  if (exchange.predicates.empty())
    return false;
  const ThreadPredicate &p = exchange.predicates[op.predicate];
  return odd(lane & p.laneMask) ^ odd(warp & p.warpMask) ^
         odd(block & p.blockMask);
}

static Word permute(const Word &a, const Word &b, ArrayRef<unsigned> selector) {
  Word result;
  unsigned full = selector.size();
  for (unsigned s : selector)
    result.push_back(s < full ? a[s] : b[s - full]);
  return result;
}

bool Executor::runExchange(uint64_t warp, uint64_t block) {
  const RegisterExchange &exchange = plan.exchange;
  unsigned lanes = 1u << laneBits;
  // values[v][lane]
  std::vector<std::vector<Word>> values;
  for (const auto &word : exchange.words) {
    std::vector<Word> row(lanes);
    for (unsigned lane = 0; lane < lanes; ++lane)
      for (unsigned reg : word) {
        if (reg >= source.registers())
          return false;
        row[lane].push_back(source.element(reg, lane, warp, block));
      }
    values.push_back(std::move(row));
  }
  for (const ExchangeOp &op : exchange.ops) {
    std::vector<Word> row(lanes);
    for (unsigned lane = 0; lane < lanes; ++lane) {
      if (op.kind != ExchangeOp::Shuffle) {
        bool taken = isTaken(exchange, op, lane, warp, block);
        if (op.kind == ExchangeOp::Select)
          row[lane] = values[taken ? op.a : op.b][lane];
        else
          row[lane] = permute(values[op.a][lane], values[op.b][lane],
                              taken ? op.whenTrue : op.whenFalse);
        continue;
      }
      uint64_t from =
          exchange.isButterfly
              ? lane
              : exchange.sourceLane.applyFlat(lane | warp << laneBits |
                                              block << (laneBits + warpBits));
      row[lane] = values[op.a][from ^ op.laneXor];
    }
    values.push_back(std::move(row));
  }
  if (exchange.results.size() != destination.registers())
    return false;
  for (unsigned lane = 0; lane < lanes; ++lane)
    for (auto [reg, result] : llvm::enumerate(exchange.results))
      if (values[result.value][lane][result.element] !=
          destination.element(reg, lane, warp, block))
        return false;
  return true;
}

uint64_t Executor::threadOffset(const SharedAccess &access, uint64_t lane,
                                uint64_t warp, uint64_t block) const {
  unsigned lanes = access.thread.inBits("lane");
  unsigned warps = access.thread.inBits("warp");
  return access.thread.applyFlat(lane | warp << lanes |
                                 block << (lanes + warps));
}

/// Where the element of `group.registers[index]` of a lane is. Matrices: PTX
/// ISA, ldmatrix: row r of matrix j is at the address of lane 8j + r; plain,
/// lane l has word l % 4 of row l / 4; transposed, rows 2(l % 4) and the next
/// of column l / 4.
uint64_t Executor::offsetOf(const SharedAccess &access,
                            const RegisterGroup &group, unsigned index,
                            uint64_t lane, uint64_t warp,
                            uint64_t block) const {
  if (access.op == SharedOp::Vector)
    return (threadOffset(access, lane, warp, block) ^ group.offset) + index;
  unsigned perWord = access.vectorElems / access.matrices;
  unsigned matrix = index / perWord, element = index % perWord;
  if (access.op == SharedOp::Matrix)
    return (threadOffset(access, 8 * matrix + lane / 4, warp, block) ^
            group.offset) +
           (lane % 4) * perWord + element;
  unsigned perUnit = perWord / 2; // units of 16 bits
  unsigned row = 2 * (lane % 4) + element / perUnit;
  return (threadOffset(access, 8 * matrix + row, warp, block) ^ group.offset) +
         (lane / 4) * perUnit + element % perUnit;
}

bool Executor::storeBlock(uint64_t block, unsigned part, Scratch &scratch) {
  const SharedAccess &store = plan.shared.store;
  for (uint64_t warp = 0; warp >> warpBits == 0; ++warp)
    for (uint64_t lane = 0; lane >> laneBits == 0; ++lane)
      for (const RegisterGroup &group : groupsOf(store, part))
        for (auto [index, reg] : llvm::enumerate(group.registers)) {
          uint64_t at = offsetOf(store, group, index, lane, warp, block);
          uint64_t value = source.element(reg, lane, warp, block);
          if (at >= scratch.elements.size() ||
              (scratch.writers[at] && scratch.elements[at] != value))
            return false;
          scratch.elements[at] = value;
          scratch.writers[at] |= uint64_t{1} << warp;
        }
  return true;
}

/// Whether the barrier makes the reader wait for a writer of what it reads.
bool Executor::isOrdered(const Scratch &scratch, uint64_t at, uint64_t from,
                         uint64_t warp, uint64_t block) const {
  switch (plan.shared.barrier) {
  case BarrierScope::None:
    return false;
  case BarrierScope::Warp:
    return from == block && (scratch.writers[at] >> warp) & 1;
  case BarrierScope::Block:
    return from == block;
  case BarrierScope::Cluster:
    return true;
  }
  llvm_unreachable("all scopes are covered");
}

bool Executor::loadBlock(uint64_t block, unsigned part,
                         ArrayRef<Scratch> scratches) {
  const SharedAccess &load = plan.shared.load;
  bool remote = plan.kind == ConversionKind::Cluster;
  unsigned scratchBits = plan.shared.layout.totalInBits();
  for (uint64_t warp : numbersToCheck(warpBits))
    for (uint64_t lane = 0; lane >> laneBits == 0; ++lane)
      for (const RegisterGroup &group : groupsOf(load, part))
        for (auto [index, reg] : llvm::enumerate(group.registers)) {
          uint64_t at = offsetOf(load, group, index, lane, warp, block);
          uint64_t from = remote ? at >> scratchBits : block;
          at &= remote ? (uint64_t{1} << scratchBits) - 1 : at;
          if (from >= scratches.size() ||
              at >= scratches[from].elements.size() ||
              scratches[from].elements[at] !=
                  destination.element(reg, lane, warp, block) ||
              !isOrdered(scratches[from], at, from, warp, block))
            return false;
        }
  return true;
}

/// Every register is loaded or a copy, in all threads, of one that is.
bool Executor::coversRegisters() const {
  const SharedAccess &load = plan.shared.load;
  SmallVector<bool> loaded(destination.registers(), false);
  for (const RegisterGroup &group : load.groups)
    for (unsigned reg : group.registers)
      loaded[reg] = true;
  for (unsigned reg = 0; reg < destination.registers(); ++reg) {
    unsigned copy = load.copyOf[reg];
    // Both are linear in the thread alike, so that one thread speaks for all.
    if (!loaded[copy] ||
        destination.element(reg, 0, 0, 0) != destination.element(copy, 0, 0, 0))
      return false;
  }
  return true;
}

bool Executor::runPart(unsigned part) {
  uint64_t size = uint64_t{1} << plan.shared.layout.totalInBits();
  std::vector<Scratch> scratches(size_t{1} << blockBits);
  bool remote = plan.kind == ConversionKind::Cluster;
  SmallVector<uint64_t> blocks = numbersToCheck(blockBits);
  for (uint64_t block = 0; block < scratches.size(); ++block)
    if (remote || llvm::is_contained(blocks, block)) {
      scratches[block].elements.assign(size, nothing);
      scratches[block].writers.assign(size, 0);
      if (!storeBlock(block, part, scratches[block]))
        return false;
    }
  return llvm::all_of(blocks, [&](uint64_t block) {
    return loadBlock(block, part, scratches);
  });
}

bool Executor::runShared() {
  if (!coversRegisters())
    return false;
  for (unsigned part = 0; part < plan.shared.repetitions; ++part)
    if (!runPart(part))
      return false;
  return true;
}

bool layout::executeConversion(const ConversionPlan &plan,
                               const LinearLayout &source,
                               const LinearLayout &destination) {
  return isWellFormed(plan, source, destination) &&
         Executor(plan, source, destination).run();
}
