//===- ConversionVerifier.cpp - Plans proved on basis vectors -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The value of a register is the number of its element. It is an affine
// function of the thread: a constant and one column per bit of lane, warp and
// block. Two affine functions are equal for all threads iff these are equal.
//
// Exchanges. A shuffle composes a value with an affine map of the lanes. A
// select of a and b under the predicate p is b + p (a + b), which is affine iff
// a + b takes one value on all threads where p holds; that is so for the
// selects of an exchange. Where it is not, nothing is claimed and the plan is
// executed.
//
// Shared memory. The stores define a relation between addresses and elements,
// given by affine generators: the bits of the thread, and each register. It is
// a function iff every relation between generators holds between their elements
// too. A load is right iff its address is a sum of generators with the sum of
// their elements equal to what is to be loaded. For sums of generators to be
// addresses that were really stored, the stored addresses must fill their
// affine span: their number tells.
//
// Barriers. Addresses are extended by the number of the writer (its warp, its
// block) as far as the barrier does not reach: a load is covered iff the reader
// itself is a writer of what it reads.
//
//===----------------------------------------------------------------------===//

#include "ConversionDetail.h"
#include "RegisterGroups.h"
#include "Subspace.h"

#include "mirage/Layout/NamedLayouts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

namespace {
/// Bits of lane, warp and block that both layouts are taken over.
struct ThreadSpace {
  unsigned lanes, warps, blocks;
  unsigned total() const { return lanes + warps + blocks; }
};

using Columns = SmallVector<uint64_t, 16>;

/// A register layout as columns of element numbers.
struct Elements {
  Elements(const LinearLayout &layout, ThreadSpace space);
  uint64_t at(unsigned reg) const {
    return applyColumns(registers, reg) ^ constant;
  }

  Columns registers, threads;
  uint64_t constant = 0;
};
} // namespace

Elements::Elements(const LinearLayout &layout, ThreadSpace space) {
  auto append = [&](StringRef label, Columns &into) {
    unsigned start = layout.inStart(label);
    for (unsigned bit = 0; bit < layout.inBits(label); ++bit)
      into.push_back(layout.totalOutBits() == 0
                         ? 0
                         : layout.matrix().column(start + bit)[0]);
  };
  append("register", registers);
  append("lane", threads);
  threads.resize(space.lanes, 0);
  append("warp", threads);
  threads.resize(space.lanes + space.warps, 0);
  append("block", threads);
  threads.resize(space.total(), 0);
  if (layout.totalOutBits() > 0)
    constant = layout.flatOffset()[0];
}

//===----------------------------------------------------------------------===//
// Exchanges
//===----------------------------------------------------------------------===//

namespace {
/// Runs a program on affine values.
class AffineProgram {
public:
  AffineProgram(const RegisterExchange &program, const Elements &source,
                ThreadSpace space)
      : program(program), source(source), space(space),
        stride(1 + space.total()) {}

  /// Nothing if some value is not affine.
  std::optional<bool> computes(const Elements &destination);

private:
  using Value = llvm::MutableArrayRef<uint64_t>; ///< constant, then columns.

  void addWords();
  bool addOp(const ExchangeOp &op);
  bool addChoice(unsigned a, unsigned b, unsigned predicate);
  void addShuffled(unsigned slot, const ExchangeOp &op);
  uint64_t predicateMask(unsigned predicate) const;
  unsigned slotOf(unsigned value, unsigned element) const {
    return firstSlot[value] + element;
  }
  Value slot(unsigned index) {
    return Value(storage).slice(size_t{index} * stride, stride);
  }
  Value newSlot() {
    storage.resize(storage.size() + stride);
    return slot(numSlots++);
  }

  const RegisterExchange &program;
  const Elements &source;
  ThreadSpace space;
  unsigned stride, numSlots = 0;
  SmallVector<unsigned, 64> firstSlot; ///< of each value; one per element.
  SmallVector<uint64_t, 0> storage;
  Columns senderColumns; ///< thread -> lane, of shuffles that are no butterfly.
  uint64_t senderConstant = 0;
};
} // namespace

void AffineProgram::addWords() {
  for (const auto &word : program.words) {
    firstSlot.push_back(numSlots);
    for (unsigned reg : word) {
      Value value = newSlot();
      value[0] = source.at(reg);
      llvm::copy(source.threads, value.begin() + 1);
    }
  }
}

/// The bits of the thread that a predicate adds up.
uint64_t AffineProgram::predicateMask(unsigned index) const {
  if (index >= program.predicates.size())
    return 0;
  const ThreadPredicate &p = program.predicates[index];
  auto part = [](uint64_t mask, unsigned bits, unsigned shift) {
    return (mask & ((uint64_t{1} << bits) - 1)) << shift;
  };
  return part(p.laneMask, space.lanes, 0) |
         part(p.warpMask, space.warps, space.lanes) |
         part(p.blockMask, space.blocks, space.lanes + space.warps);
}

/// predicate ? a : b.
bool AffineProgram::addChoice(unsigned aSlot, unsigned bSlot,
                              unsigned predicate) {
  Value value = newSlot();
  Value a = slot(aSlot), b = slot(bSlot);
  uint64_t mask = a.data() == b.data() ? 0 : predicateMask(predicate);
  llvm::copy(b, value.begin());
  if (mask == 0)
    return true;
  uint64_t slope = 0;
  bool isFirst = true;
  for (unsigned bit = 0; bit < space.total(); ++bit) {
    uint64_t difference = a[1 + bit] ^ b[1 + bit];
    if (!((mask >> bit) & 1)) {
      if (difference != 0)
        return false;
      continue;
    }
    if (!isFirst && difference != slope)
      return false;
    slope = difference;
    isFirst = false;
  }
  uint64_t whenTrue = a[0] ^ b[0] ^ slope;
  for (uint64_t rest = mask; rest; rest &= rest - 1)
    value[1 + llvm::countr_zero(rest)] ^= whenTrue;
  return true;
}

/// The value of another lane of the same warp.
void AffineProgram::addShuffled(unsigned fromSlot, const ExchangeOp &op) {
  Value value = newSlot();
  Value from = slot(fromSlot);
  ArrayRef<uint64_t> lanes = ArrayRef<uint64_t>(from).slice(1, space.lanes);
  llvm::copy(from, value.begin());
  value[0] ^= applyColumns(lanes, op.laneXor ^ senderConstant);
  if (program.isButterfly)
    return;
  for (unsigned bit = 0; bit < space.total(); ++bit) {
    uint64_t own = bit < space.lanes ? 0 : from[1 + bit];
    value[1 + bit] = own ^ applyColumns(lanes, senderColumns[bit]);
  }
}

bool AffineProgram::addOp(const ExchangeOp &op) {
  unsigned elements = firstSlot.size(); // of the new value: its index
  unsigned first = numSlots;
  if (op.kind == ExchangeOp::Permute) {
    unsigned full = op.whenTrue.size();
    auto chosen = [&](unsigned s) {
      return s < full ? slotOf(op.a, s) : slotOf(op.b, s - full);
    };
    for (auto [yes, no] : llvm::zip_equal(op.whenTrue, op.whenFalse))
      if (!addChoice(chosen(yes), chosen(no), op.predicate))
        return false;
  } else {
    unsigned count = (op.a + 1 < elements ? firstSlot[op.a + 1] : numSlots) -
                     firstSlot[op.a];
    for (unsigned e = 0; e < count; ++e) {
      if (op.kind == ExchangeOp::Shuffle)
        addShuffled(slotOf(op.a, e), op);
      else if (!addChoice(slotOf(op.a, e), slotOf(op.b, e), op.predicate))
        return false;
    }
  }
  firstSlot.push_back(first);
  return true;
}

std::optional<bool> AffineProgram::computes(const Elements &destination) {
  storage.reserve((program.words.size() + program.ops.size()) * stride);
  if (!program.isButterfly && program.shuffles() > 0) {
    const LinearLayout &sender = program.sourceLane;
    for (unsigned c = 0; c < sender.totalInBits(); ++c)
      senderColumns.push_back(space.lanes ? sender.matrix().column(c)[0] : 0);
    senderConstant = space.lanes ? sender.flatOffset()[0] : 0;
  }
  addWords();
  for (const ExchangeOp &op : program.ops)
    if (!addOp(op))
      return std::nullopt;
  for (auto [reg, result] : llvm::enumerate(program.results)) {
    Value value = slot(slotOf(result.value, result.element));
    if (value[0] != destination.at(reg) ||
        ArrayRef<uint64_t>(value).drop_front() !=
            ArrayRef<uint64_t>(destination.threads))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

namespace {
/// Where the registers of one access go: address bits of each thread bit, and
/// of each register of a group.
struct Addresses {
  Addresses(const SharedAccess &access, ThreadSpace space);
  uint64_t at(const RegisterGroup &group, unsigned index) const {
    unsigned matrix = index / perWord, element = index % perWord;
    uint64_t address = constant ^ group.offset;
    if (op == SharedOp::Vector)
      return address ^ index;
    address ^= applyColumns(rows, uint64_t{8} * matrix);
    if (op == SharedOp::Matrix)
      return address ^ element;
    return address ^ (element % perUnit()) ^
           applyColumns(rows, element / perUnit());
  }
  /// Elements of 16 bits, which matrices are transposed by.
  unsigned perUnit() const { return perWord / 2; }

  SharedOp op;
  unsigned perWord;
  Columns rows; ///< of the lane that gives an address.
  Columns threads;
  uint64_t constant;
};

/// A relation between addresses and elements, by generators.
class AddressGraph {
public:
  /// False if it is no function any more.
  bool insert(uint64_t address, uint64_t element) {
    reduce(address, element);
    if (address == 0)
      return element == 0;
    basis.push_back({address, element, llvm::countr_zero(address)});
    return true;
  }
  bool contains(uint64_t address, uint64_t element) const {
    reduce(address, element);
    return address == 0 && element == 0;
  }

private:
  struct Entry {
    uint64_t address, element;
    int pivot;
  };
  void reduce(uint64_t &address, uint64_t &element) const {
    for (const Entry &entry : basis) {
      uint64_t taken = -((address >> entry.pivot) & 1);
      address ^= entry.address & taken;
      element ^= entry.element & taken;
    }
  }

  SmallVector<Entry, 32> basis;
};

/// Proves one plan through shared memory, part by part.
class SharedProof {
public:
  SharedProof(const ConversionPlan &plan, const Elements &source,
              const Elements &destination, ThreadSpace space);
  /// Nothing if the stored addresses do not fill their span.
  std::optional<bool> run();

private:
  std::optional<bool> provePart(unsigned part);
  bool store(ArrayRef<RegisterGroup> groups);
  bool load(ArrayRef<RegisterGroup> groups) const;
  bool fillsSpan(ArrayRef<uint64_t> points) const;
  bool copiesAreRight() const;
  ArrayRef<RegisterGroup> groupsOf(const SharedAccess &access,
                                   unsigned part) const {
    size_t size = access.groups.size() / plan.shared.repetitions;
    return ArrayRef(access.groups).slice(part * size, size);
  }
  uint64_t writerOf(unsigned threadBit) const;

  const ConversionPlan &plan;
  const Elements &source, &destination;
  ThreadSpace space;
  Addresses stores, loads;
  // An address has the offset, the block whose memory it is, the writer (as far
  // as it matters), and a bit that tells points from differences.
  unsigned memoryShift, writerShift;
  uint64_t pointBit;
  AddressGraph graph; ///< without the writer.
  Subspace directions, stored;
  SmallVector<uint64_t, 64> points;
};
} // namespace

/// PTX ISA, ldmatrix: the row r of matrix j is at the address of lane 8j + r;
/// plain, lane l has word l % 4 of row l / 4; transposed, rows 2(l % 4) and the
/// next of column l / 4.
Addresses::Addresses(const SharedAccess &access, ThreadSpace space)
    : op(access.op), perWord(access.vectorElems / access.matrices) {
  Columns all;
  const LinearLayout &thread = access.thread;
  auto append = [&](StringRef label, unsigned bits) {
    unsigned start = thread.inStart(label);
    for (unsigned bit = 0; bit < bits; ++bit)
      all.push_back(bit < thread.inBits(label) && thread.totalOutBits() > 0
                        ? thread.matrix().column(start + bit)[0]
                        : 0);
  };
  append("lane", space.lanes);
  append("warp", space.warps);
  append("block", space.blocks);
  threads = all;
  if (op != SharedOp::Vector)
    rows.assign(all.begin(), all.begin() + 5);
  if (op == SharedOp::Matrix) {
    threads[0] = perWord;
    threads[1] = 2 * perWord;
    std::copy(rows.begin(), rows.begin() + 3, threads.begin() + 2);
  } else if (op == SharedOp::MatrixTransposed) {
    threads[0] = rows[1];
    threads[1] = rows[2];
    for (unsigned bit = 0; bit < 3; ++bit)
      threads[2 + bit] = uint64_t{perUnit()} << bit;
  }
  constant = thread.totalOutBits() > 0 ? thread.flatOffset()[0] : 0;
}

SharedProof::SharedProof(const ConversionPlan &plan, const Elements &source,
                         const Elements &destination, ThreadSpace space)
    : plan(plan), source(source), destination(destination), space(space),
      stores(plan.shared.store, space), loads(plan.shared.load, space) {
  memoryShift = plan.shared.layout.totalInBits();
  writerShift = memoryShift + space.blocks;
  pointBit = uint64_t{1} << (writerShift + space.warps + space.blocks);
}

/// What a bit of the thread adds to the number of the writer that the barrier
/// does not reach beyond.
uint64_t SharedProof::writerOf(unsigned threadBit) const {
  if (threadBit < space.lanes)
    return 0;
  bool isWarp = threadBit < space.lanes + space.warps;
  bool matters = isWarp ? plan.shared.barrier < BarrierScope::Block
                        : plan.shared.barrier < BarrierScope::Cluster;
  return matters ? uint64_t{1} << (writerShift + threadBit - space.lanes) : 0;
}

/// Blocks store into their own memory.
bool SharedProof::store(ArrayRef<RegisterGroup> groups) {
  auto memoryOf = [&](unsigned bit) {
    unsigned firstBlock = space.lanes + space.warps;
    return bit < firstBlock ? 0
                            : uint64_t{1} << (memoryShift + bit - firstBlock);
  };
  for (unsigned bit = 0; bit < space.total(); ++bit) {
    uint64_t address = stores.threads[bit] ^ memoryOf(bit);
    if (!graph.insert(address, source.threads[bit]))
      return false;
    directions.insert(address ^ writerOf(bit));
  }
  stored = directions;
  for (const RegisterGroup &group : groups)
    for (auto [index, reg] : llvm::enumerate(group.registers)) {
      uint64_t point = stores.at(group, index) ^ pointBit;
      if (!graph.insert(point, source.at(reg)))
        return false;
      points.push_back(directions.reduce(point));
      stored.insert(point);
    }
  return true;
}

/// Whether the points, modulo the directions, are all of their affine span.
bool SharedProof::fillsSpan(ArrayRef<uint64_t> points) const {
  SmallVector<uint64_t, 64> distinct(points);
  llvm::sort(distinct);
  distinct.erase(llvm::unique(distinct), distinct.end());
  unsigned dimension = stored.rank() - directions.rank() - 1;
  return dimension < 32 && distinct.size() == size_t{1} << dimension;
}

bool SharedProof::load(ArrayRef<RegisterGroup> groups) const {
  bool remote = plan.kind == ConversionKind::Cluster;
  unsigned firstBlock = space.lanes + space.warps;
  for (unsigned bit = 0; bit < space.total(); ++bit) {
    uint64_t address = loads.threads[bit];
    if (!remote && bit >= firstBlock)
      address ^= uint64_t{1} << (memoryShift + bit - firstBlock);
    if (!graph.contains(address, destination.threads[bit]) ||
        !stored.contains(address ^ writerOf(bit)))
      return false;
  }
  for (const RegisterGroup &group : groups)
    for (auto [index, reg] : llvm::enumerate(group.registers)) {
      uint64_t point = loads.at(group, index) ^ pointBit;
      if (!graph.contains(point, destination.at(reg)) ||
          !stored.contains(point))
        return false;
    }
  return true;
}

bool SharedProof::copiesAreRight() const {
  const SharedAccess &load = plan.shared.load;
  SmallVector<bool, 64> loaded(load.copyOf.size(), false);
  for (const RegisterGroup &group : load.groups)
    for (unsigned reg : group.registers)
      loaded[reg] = true;
  for (auto [reg, copy] : llvm::enumerate(load.copyOf))
    if (!loaded[copy] || destination.at(reg) != destination.at(copy))
      return false;
  return true;
}

std::optional<bool> SharedProof::provePart(unsigned part) {
  graph = {};
  directions = {};
  points.clear();
  if (!store(groupsOf(plan.shared.store, part)))
    return false;
  if (!fillsSpan(points))
    return std::nullopt;
  return load(groupsOf(plan.shared.load, part));
}

std::optional<bool> SharedProof::run() {
  if (plan.shared.barrier == BarrierScope::None || !copiesAreRight())
    return false;
  for (unsigned part = 0; part < plan.shared.repetitions; ++part) {
    std::optional<bool> isRight = provePart(part);
    if (!isRight || !*isRight)
      return isRight;
  }
  return true;
}

//===----------------------------------------------------------------------===//

static std::optional<bool> provePlan(const ConversionPlan &plan,
                                     const LinearLayout &source,
                                     const LinearLayout &destination) {
  auto bits = [&](StringRef label) {
    return std::max(source.inBits(label), destination.inBits(label));
  };
  ThreadSpace space{bits("lane"), bits("warp"), bits("block")};
  Elements from(source, space), to(destination, space);
  if (plan.kind == ConversionKind::Shared ||
      plan.kind == ConversionKind::Cluster)
    return SharedProof(plan, from, to, space).run();
  return AffineProgram(plan.exchange, from, space).computes(to);
}

bool layout::verifyConversion(const ConversionPlan &plan,
                              const LinearLayout &source,
                              const LinearLayout &destination) {
  if (!isWellFormed(plan, source, destination))
    return false;
  if (std::optional<bool> isRight = provePlan(plan, source, destination))
    return *isRight;
  return executeConversion(plan, source, destination);
}
