//===- RegisterExchange.cpp - Data movement within a warp -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExchangeProgram.h"
#include "RegisterGroups.h"
#include "Subspace.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/bit.h"

#include <cassert>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::SmallVector;

using Columns = SmallVector<uint64_t, 16>;

//===----------------------------------------------------------------------===//
// The map in blocks
//===----------------------------------------------------------------------===//

namespace {
/// The convert map as columns: per input bit the source register and lane.
/// "Thread" bits are lanes, then warps, then blocks.
struct BlockMap {
  Columns registerToRegister, registerToLane;  ///< A, D
  Columns threadToRegister, threadToLane;      ///< B, E
  uint64_t registerOffset = 0, laneOffset = 0; ///< a, b
  unsigned sourceBits = 0;                     ///< log2 of source registers.
  unsigned paddedBits = 0; ///< the same with bits that select nothing.
  unsigned laneBits = 0, warpBits = 0, blockBits = 0;
};

/// Register bits (destination j, source i) that are carried along unchanged and
/// untouched by anything else: their registers can share a word.
struct Packing {
  SmallVector<std::pair<unsigned, unsigned>, 2> bits;
};
} // namespace

static BlockMap splitMap(const LinearLayout &map) {
  BlockMap blocks;
  auto part = [&](llvm::StringRef in, llvm::StringRef out, Columns &into) {
    for (unsigned bit = 0; bit < map.inBits(in); ++bit)
      into.push_back(map.basis(in, bit, out));
  };
  part("register", "register", blocks.registerToRegister);
  part("register", "lane", blocks.registerToLane);
  for (llvm::StringRef in : {"lane", "warp", "block"}) {
    part(in, "register", blocks.threadToRegister);
    part(in, "lane", blocks.threadToLane);
  }
  for (auto [dim, number] : llvm::zip_equal(map.outDims(), map.offset())) {
    if (dim.name == "register")
      blocks.registerOffset = number;
    if (dim.name == "lane")
      blocks.laneOffset = number;
  }
  blocks.sourceBits = map.outBits("register");
  blocks.laneBits = map.inBits("lane");
  blocks.warpBits = map.inBits("warp");
  blocks.blockBits = map.inBits("block");
  return blocks;
}

static Packing findPacking(const BlockMap &map, unsigned elemBits) {
  Packing packing;
  unsigned room = elemBits < 32 ? llvm::countr_zero(32 / elemBits) : 0;
  for (unsigned j = 0; j < map.registerToRegister.size(); ++j) {
    uint64_t column = map.registerToRegister[j];
    if (packing.bits.size() == room)
      break;
    if (!llvm::has_single_bit(column) || map.registerToLane[j] != 0 ||
        (map.registerOffset & column))
      continue;
    bool alone = true;
    for (unsigned other = 0; other < map.registerToRegister.size(); ++other)
      alone &= other == j || !(map.registerToRegister[other] & column);
    for (uint64_t other : map.threadToRegister)
      alone &= !(other & column);
    if (alone)
      packing.bits.push_back({j, unsigned(llvm::countr_zero(column))});
  }
  return packing;
}

/// Takes the bits at the given positions out of a number.
static uint64_t squeeze(uint64_t x, ArrayRef<unsigned> removed) {
  uint64_t result = 0;
  unsigned at = 0;
  for (unsigned bit = 0; bit < 64; ++bit)
    if (!llvm::is_contained(removed, bit))
      result |= ((x >> bit) & 1) << at++;
  return result;
}

static uint64_t gather(uint64_t x, ArrayRef<unsigned> bits) {
  uint64_t result = 0;
  for (auto [index, bit] : llvm::enumerate(bits))
    result |= ((x >> bit) & 1) << index;
  return result;
}

//===----------------------------------------------------------------------===//
// One choice of F
//===----------------------------------------------------------------------===//

namespace {
/// Everything that follows from F.
struct Factoring {
  Columns f;            ///< thread -> register, at the sender.
  Columns p;            ///< destination register -> register.
  Columns k;            ///< thread -> register, at the receiver.
  uint64_t pOffset;     ///< constant of the result registers.
  F2Span image{64, 64}; ///< the registers that carry data; its generators ...
  Columns imageLane;    ///< ... and H of each.
  Columns g;            ///< thread -> lane.
  uint64_t gOffset;

  uint64_t h(uint64_t q) const {
    uint64_t sum;
    [[maybe_unused]] bool found = image.containsWord(q, &sum);
    assert(found && "a register that carries no data is read");
    return applyColumns(imageLane, sum);
  }
  void addImage(uint64_t q, uint64_t lane) {
    if (image.containsWord(q))
      return;
    image.insertWord(q);
    imageLane.push_back(lane);
  }
  bool isButterfly(unsigned laneBits) const;
  double estimate(unsigned laneBits, const TargetDescription &target) const;
};

/// Builds the program of one factoring, with common values shared and dead ones
/// never made.
class ProgramBuilder {
public:
  ProgramBuilder(const BlockMap &map, const Factoring &factoring);
  RegisterExchange build(unsigned destinationBits);

private:
  /// A step v[q] <- predicate ? v[q ^ registers] : v[q].
  struct Step {
    uint64_t registers;
    unsigned predicate;
  };
  SmallVector<Step> stepsOf(ArrayRef<uint64_t> threadToRegister);
  unsigned predicateFor(uint64_t threadMask);
  unsigned before(unsigned level, uint64_t q);
  unsigned shuffled(uint64_t q);
  unsigned after(unsigned level, uint64_t q);
  unsigned select(unsigned predicate, unsigned a, unsigned b);
  unsigned define(ExchangeOp op);

  /// Values by level and register, made when they are first asked for.
  struct Table {
    unsigned &at(unsigned level, uint64_t q) {
      return values[(size_t{level - 1} << bits) + q];
    }
    void resize(unsigned levels, unsigned registerBits) {
      bits = registerBits;
      values.assign(size_t{levels} << bits, none);
    }
    SmallVector<unsigned, 0> values;
    unsigned bits = 0;
  };
  static constexpr unsigned none = ~0u;

  const BlockMap &map;
  const Factoring &factoring;
  RegisterExchange program;
  SmallVector<Step> beforeSteps, afterSteps;
  /// (kind, predicate, lanes) and (a, b) of each instruction.
  llvm::DenseMap<std::pair<uint64_t, uint64_t>, unsigned> known;
  Table beforeValues, afterValues;
};
} // namespace

bool Factoring::isButterfly(unsigned laneBits) const {
  bool result = gOffset == 0;
  for (auto [bit, column] : llvm::enumerate(g))
    result &= column == (bit < laneBits ? uint64_t{1} << bit : 0);
  return result;
}

/// What the program costs if no instruction turns out to be shared. As many
/// registers go each of the ways that H knows.
double Factoring::estimate(unsigned laneBits,
                           const TargetDescription &target) const {
  double moved = uint64_t{1} << image.rank();
  unsigned steps = Subspace(f).rank() + Subspace(k).rank();
  double selects = target.costs.select * steps * moved;
  if (!isButterfly(laneBits))
    return selects + target.costs.shuffle * moved;
  SmallVector<uint64_t> ways = {0};
  Subspace lanes;
  for (uint64_t lane : imageLane)
    if (lanes.insert(lane))
      for (size_t i = 0, end = ways.size(); i < end; ++i)
        ways.push_back(ways[i] ^ lane);
  double shuffles = 0;
  for (uint64_t way : ArrayRef(ways).drop_front())
    shuffles += target.laneExchangeCost(way);
  return selects + shuffles * moved / ways.size();
}

ProgramBuilder::ProgramBuilder(const BlockMap &map, const Factoring &factoring)
    : map(map), factoring(factoring) {
  for (uint64_t q = 0; q >> map.sourceBits == 0; ++q)
    program.words.push_back({unsigned(q)});
  beforeSteps = stepsOf(factoring.f);
  afterSteps = stepsOf(factoring.k);
  beforeValues.resize(beforeSteps.size(), map.paddedBits);
  afterValues.resize(afterSteps.size(), map.paddedBits);
  Columns lanes(factoring.g);
  program.sourceLane = LinearLayout::fromMatrix(
      {{"lane", map.laneBits},
       {"warp", map.warpBits},
       {"block", map.blockBits}},
      {{"lane", map.laneBits}}, F2Matrix::fromColumns(map.laneBits, lanes),
      map.laneBits ? ArrayRef<uint64_t>(factoring.gOffset)
                   : ArrayRef<uint64_t>());
  program.isButterfly = factoring.isButterfly(map.laneBits);
}

unsigned ProgramBuilder::predicateFor(uint64_t threadMask) {
  auto bits = [&](unsigned start, unsigned count) {
    return (threadMask >> start) & ((uint64_t{1} << count) - 1);
  };
  ThreadPredicate predicate{bits(0, map.laneBits),
                            bits(map.laneBits, map.warpBits),
                            bits(map.laneBits + map.warpBits, map.blockBits)};
  auto *it = llvm::find(program.predicates, predicate);
  if (it == program.predicates.end()) {
    program.predicates.push_back(predicate);
    it = &program.predicates.back();
  }
  return it - program.predicates.begin();
}

/// A rank factorization: as few steps as the rank of the matrix.
SmallVector<ProgramBuilder::Step>
ProgramBuilder::stepsOf(ArrayRef<uint64_t> threadToRegister) {
  F2Matrix columns = F2Matrix::fromColumns(64, threadToRegister);
  SmallVector<unsigned> pivots = columns.pivotColumns();
  std::optional<F2Matrix> shares = columns.selectColumns(pivots).solve(columns);
  SmallVector<Step> steps;
  for (auto [index, pivot] : llvm::enumerate(pivots)) {
    uint64_t threads = 0;
    for (unsigned t = 0; t < threadToRegister.size(); ++t)
      if (shares->get(index, t))
        threads |= uint64_t{1} << t;
    steps.push_back({threadToRegister[pivot], predicateFor(threads)});
  }
  return steps;
}

unsigned ProgramBuilder::define(ExchangeOp op) {
  // Lanes are fewer than 2^8, kinds fewer than 2^2.
  uint64_t how = uint64_t{op.predicate} << 10 | op.laneXor << 2 | op.kind;
  auto [it, isNew] =
      known.try_emplace({how, uint64_t{op.a} << 32 | op.b},
                        program.words.size() + program.ops.size());
  if (isNew)
    program.ops.push_back(op);
  return it->second;
}

/// A select under the same predicate as an operand's picks that operand's side.
/// This removes the needless half of an exchange between two registers.
unsigned ProgramBuilder::select(unsigned predicate, unsigned a, unsigned b) {
  auto resolve = [&](unsigned value, bool side) {
    if (value < program.words.size())
      return value;
    const ExchangeOp &op = program.ops[value - program.words.size()];
    if (op.kind != ExchangeOp::Select || op.predicate != predicate)
      return value;
    return side ? op.a : op.b;
  };
  a = resolve(a, true);
  b = resolve(b, false);
  if (a == b)
    return a;
  ExchangeOp op{ExchangeOp::Select};
  op.a = a;
  op.b = b;
  op.predicate = predicate;
  return define(op);
}

unsigned ProgramBuilder::before(unsigned level, uint64_t q) {
  if (level == 0)
    return q & ((uint64_t{1} << map.sourceBits) - 1);
  unsigned &value = beforeValues.at(level, q);
  if (value != none)
    return value;
  const Step &step = beforeSteps[level - 1];
  unsigned a = before(level - 1, q ^ step.registers);
  unsigned b = before(level - 1, q);
  return value = select(step.predicate, a, b);
}

unsigned ProgramBuilder::shuffled(uint64_t q) {
  unsigned value = before(beforeSteps.size(), q);
  uint64_t laneXor = factoring.h(q);
  if (program.isButterfly && laneXor == 0)
    return value;
  ExchangeOp op{ExchangeOp::Shuffle};
  op.a = value;
  op.laneXor = laneXor;
  return define(op);
}

unsigned ProgramBuilder::after(unsigned level, uint64_t q) {
  if (level == 0)
    return shuffled(q);
  unsigned &value = afterValues.at(level, q);
  if (value != none)
    return value;
  const Step &step = afterSteps[level - 1];
  unsigned a = after(level - 1, q ^ step.registers);
  unsigned b = after(level - 1, q);
  return value = select(step.predicate, a, b);
}

RegisterExchange ProgramBuilder::build(unsigned destinationBits) {
  for (uint64_t r = 0; r >> destinationBits == 0; ++r) {
    uint64_t p = applyColumns(factoring.p, r) ^ factoring.pOffset;
    program.results.push_back({after(afterSteps.size(), p), 0});
  }
  removeDeadOps(program);
  return std::move(program);
}

//===----------------------------------------------------------------------===//
// All choices of F
//===----------------------------------------------------------------------===//

namespace {
/// Enumerates the legal F of least rank and keeps the cheapest program.
class ExchangeSearch {
public:
  ExchangeSearch(BlockMap map, const TargetDescription &target)
      : map(std::move(map)), target(target) {}
  RegisterExchange run();

private:
  void findCrossing();
  bool selectsEarly(unsigned threadBit) const;
  Columns senderMap(ArrayRef<uint64_t> targets, bool early) const;
  Factoring factor(ArrayRef<uint64_t> targets, bool early) const;
  void enumerate(llvm::SmallVectorImpl<uint64_t> &chosen);

  BlockMap map;
  const TargetDescription &target;
  Columns crossing; ///< basis of D(ker A): lane vectors that become registers.
  Columns missing;  ///< register vectors that complete im A.
  Subspace own;     ///< im A.
  /// Targets of the crossing vectors, and whether senders select what they can,
  /// with the estimated cost of the program.
  struct Choice {
    double estimate;
    size_t index;
    Columns targets;
    bool early;
  };
  std::vector<Choice> choices;
};
} // namespace

void ExchangeSearch::findCrossing() {
  F2Matrix a = F2Matrix::fromColumns(64, map.registerToRegister);
  F2Matrix kernel = a.kernel();
  Subspace lanes;
  for (unsigned c = 0; c < kernel.cols(); ++c) {
    uint64_t lane = applyColumns(map.registerToLane, kernel.column(c)[0]);
    if (lanes.insert(lane))
      crossing.push_back(lane);
  }
  // Prefer what destination lanes read: for permutations these are exactly the
  // registers that cross the other way.
  own.insertAll(map.registerToRegister);
  Subspace image = own;
  for (uint64_t vector : map.threadToRegister)
    if (image.insert(vector))
      missing.push_back(vector);
  // A thread that gets more values than it had reads the same register of many
  // lanes: bits that select nothing stand for the copies.
  unsigned needed = image.rank() - missing.size() + crossing.size();
  map.paddedBits = std::max(map.sourceBits, needed);
  for (unsigned bit = 0; bit < map.paddedBits; ++bit)
    if (image.insert(uint64_t{1} << bit))
      missing.push_back(uint64_t{1} << bit);
}

/// Whether a bit of the reading thread chooses a register, and the sender may
/// choose it instead: it knows the warp and the block, and of lanes with the
/// same data one can be asked for each register. Then fewer are shuffled.
bool ExchangeSearch::selectsEarly(unsigned threadBit) const {
  return !own.contains(map.threadToRegister[threadBit]) &&
         (threadBit >= map.laneBits || map.threadToLane[threadBit] != 0);
}

namespace {
/// A map from lanes to registers, given on some vectors; the first of dependent
/// ones count, and the rest of the lane bits go to 0.
class LaneMap {
public:
  explicit LaneMap(unsigned laneBits) : basis(laneBits, laneBits) {}

  void define(uint64_t lane, uint64_t image) {
    if (basis.containsWord(lane))
      return;
    basis.insertWord(lane);
    images.push_back(image);
  }
  Columns columns(unsigned laneBits) {
    for (unsigned bit = 0; bit < laneBits; ++bit)
      define(uint64_t{1} << bit, 0);
    Columns result;
    for (unsigned bit = 0; bit < laneBits; ++bit) {
      uint64_t sum;
      basis.containsWord(uint64_t{1} << bit, &sum);
      result.push_back(applyColumns(images, sum));
    }
    return result;
  }

private:
  F2Span basis;
  Columns images;
};
} // namespace

/// F with F crossing[i] = targets[i]. With `early`, K is 0 where it can be, and
/// F D stays what it was.
Columns ExchangeSearch::senderMap(ArrayRef<uint64_t> targets,
                                  bool early) const {
  LaneMap lanes(map.laneBits);
  for (auto [lane, target] : llvm::zip_equal(crossing, targets))
    lanes.define(lane, target);
  Columns f = lanes.columns(map.laneBits);
  f.resize(map.threadToRegister.size(), 0);
  if (!early)
    return f;
  LaneMap added(map.laneBits);
  for (uint64_t lane : map.registerToLane)
    added.define(lane, 0);
  auto missed = [&](unsigned bit) {
    return map.threadToRegister[bit] ^ applyColumns(f, map.threadToLane[bit]);
  };
  for (unsigned bit = 0; bit < map.laneBits; ++bit)
    if (selectsEarly(bit))
      added.define(map.threadToLane[bit], missed(bit));
  for (auto [column, more] : llvm::zip(f, added.columns(map.laneBits)))
    column ^= more;
  for (unsigned bit = map.laneBits; bit < f.size(); ++bit)
    if (selectsEarly(bit))
      f[bit] = missed(bit);
  return f;
}

Factoring ExchangeSearch::factor(ArrayRef<uint64_t> targets, bool early) const {
  Factoring result;
  result.f = senderMap(targets, early);
  auto sum = [&](ArrayRef<uint64_t> registers, ArrayRef<uint64_t> lanes) {
    Columns columns;
    for (auto [r, l] : llvm::zip_equal(registers, lanes))
      columns.push_back(r ^ applyColumns(result.f, l));
    return columns;
  };
  result.p = sum(map.registerToRegister, map.registerToLane);
  result.k = sum(map.threadToRegister, map.threadToLane);
  // Warps and blocks are the same at both ends.
  for (unsigned bit = map.laneBits; bit < result.k.size(); ++bit)
    result.k[bit] ^= result.f[bit];
  // q = P r + K l + a + F b; the sender at lane s = E l + D r + b adds F s.
  result.pOffset = map.registerOffset ^ applyColumns(result.f, map.laneOffset);
  // H on im P is given; beyond it, where K leads, it is free: take 0.
  for (auto [q, lane] : llvm::zip_equal(result.p, map.registerToLane))
    result.addImage(q, lane);
  for (uint64_t q : result.k)
    result.addImage(q, 0);
  result.addImage(result.pOffset, 0);
  for (auto [lane, q] : llvm::zip_equal(map.threadToLane, result.k))
    result.g.push_back(lane ^ result.h(q));
  result.gOffset = map.laneOffset ^ result.h(result.pOffset);
  return result;
}

void ExchangeSearch::enumerate(llvm::SmallVectorImpl<uint64_t> &chosen) {
  constexpr unsigned maxChoices = 64;
  if (choices.size() >= maxChoices)
    return;
  if (chosen.size() == crossing.size()) {
    for (bool early : {false, true})
      if (!early ||
          llvm::any_of(llvm::seq<unsigned>(0, map.threadToLane.size()),
                       [&](unsigned t) { return selectsEarly(t); }))
        choices.push_back({factor(chosen, early).estimate(map.laneBits, target),
                           choices.size(), Columns(ArrayRef(chosen)), early});
    return;
  }
  for (uint64_t target : missing)
    if (!llvm::is_contained(chosen, target)) {
      chosen.push_back(target);
      enumerate(chosen);
      chosen.pop_back();
    }
}

RegisterExchange ExchangeSearch::run() {
  findCrossing();
  SmallVector<uint64_t> chosen;
  enumerate(chosen);
  llvm::sort(choices, [](const Choice &a, const Choice &b) {
    return std::tie(a.estimate, a.index) < std::tie(b.estimate, b.index);
  });
  // Sharing can make up for a little of the estimate.
  constexpr size_t maxPrograms = 4;
  std::optional<RegisterExchange> best;
  double least = 0;
  for (const Choice &choice :
       ArrayRef(choices).take_front(std::min(maxPrograms, choices.size()))) {
    Factoring factoring = factor(choice.targets, choice.early);
    RegisterExchange program =
        ProgramBuilder(map, factoring).build(map.registerToRegister.size());
    double cost = costOfExchange(program, target);
    if (best && cost >= least)
      continue;
    best = std::move(program);
    least = cost;
  }
  assert(best && "a convert map has a factoring");
  return std::move(*best);
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// The map on words, without the packed bits.
static BlockMap removePacked(const BlockMap &map, ArrayRef<unsigned> from,
                             ArrayRef<unsigned> to) {
  BlockMap result = map;
  result.registerToRegister.clear();
  result.registerToLane.clear();
  for (unsigned j = 0; j < map.registerToRegister.size(); ++j)
    if (!llvm::is_contained(to, j)) {
      result.registerToRegister.push_back(
          squeeze(map.registerToRegister[j], from));
      result.registerToLane.push_back(map.registerToLane[j]);
    }
  for (uint64_t &column : result.threadToRegister)
    column = squeeze(column, from);
  result.registerOffset = squeeze(map.registerOffset, from);
  result.sourceBits = map.sourceBits - from.size();
  return result;
}

RegisterExchange layout::planRegisterExchange(const LinearLayout &map,
                                              unsigned elemBits,
                                              const TargetDescription &target,
                                              bool allowPermute) {
  BlockMap blocks = splitMap(map);
  Packing packing = findPacking(blocks, elemBits);
  SmallVector<unsigned> from, to; // source and destination bits in a word
  for (auto [j, i] : packing.bits) {
    to.push_back(j);
    from.push_back(i);
  }
  BlockMap reduced = removePacked(blocks, from, to);
  RegisterExchange program = ExchangeSearch(reduced, target).run();

  for (auto &word : program.words)
    word.assign(size_t{1} << from.size(), 0);
  for (uint64_t r = 0; r >> blocks.sourceBits == 0; ++r)
    program.words[squeeze(r, from)][gather(r, from)] = r;
  SmallVector<RegisterExchange::Result, 16> results;
  for (uint64_t r = 0; r >> blocks.registerToRegister.size() == 0; ++r)
    results.push_back(
        {program.results[squeeze(r, to)].value, unsigned(gather(r, to))});
  program.results = std::move(results);
  program.elemBits = elemBits;
  if (allowPermute && !program.isRenaming())
    fusePermutes(program);
  return program;
}
