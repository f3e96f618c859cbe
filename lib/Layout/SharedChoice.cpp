//===- SharedChoice.cpp - Swizzles chosen by exact cost -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/SharedChoice.h"

#include "AccessChoice.h"
#include "RegisterGroups.h"
#include "Subspace.h"
#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

uint64_t SharedChoice::wavefronts() const {
  uint64_t total = 0;
  for (const SharedAccess &access : accesses)
    total += access.wavefronts();
  return total;
}

uint64_t SharedChoice::extraWavefronts() const {
  uint64_t total = 0;
  for (const SharedAccess &access : accesses)
    total += access.wavefronts() - access.idealWavefronts();
  return total;
}

namespace {
/// One user, its vectors flattened to bits of the tile.
struct Side {
  OffsetColumns columns; ///< of elements, not of offsets yet.
  Vectors registers;     ///< independent ones.
  Subspace registerSpan;
  SharedAccessOptions options;
  unsigned requiredVectorElems;
  Vectors line; ///< what lanes move along in a line of global memory.
  bool matrix;  ///< the target has ldmatrix (stmatrix) for it.
};

/// What a side touches together if it accesses a row in one way, and the least
/// that this costs.
struct Way {
  Vectors phase;
  uint64_t cost;
};

/// The low columns of a layout; `owner` is the side whose vectors it serves.
struct Row {
  Vectors columns;
  unsigned owner;
  SmallVector<SmallVector<Way, 2>, 2> ways; ///< of each side.
  uint64_t bound;                           ///< no layout with it costs less.
  size_t index;                             ///< among the proposed rows.
};

class SharedLayoutSearch {
public:
  SharedLayoutSearch(ArrayRef<SharedUser> users, unsigned elemBits,
                     const TargetDescription &target);
  Expected<SharedChoice> run();

private:
  void addRow(Vectors columns, unsigned owner);
  void addPrefixes(ArrayRef<uint64_t> columns, unsigned owner);
  void proposeRows();
  void proposeRowsOf(unsigned owner);
  Vectors commonRegisters() const;
  void fillWord(Vectors &row) const;

  SmallVector<Way, 2> waysOf(const Side &side, ArrayRef<uint64_t> row) const;
  uint64_t leastCost(const Side &side, unsigned perAccessBits,
                     uint64_t wavefronts) const;
  void tryRow(const Row &row);
  void tryColumns(const Row &row, ArrayRef<const Vectors *> phases,
                  bool keepLines);
  Vectors freeColumns(const Row &row) const;
  Vectors lineColumns(const Row &row) const;
  Vectors buildColumns(const Row &row, ArrayRef<const Vectors *> phases,
                       bool keepLines) const;
  uint64_t pickSegment(ArrayRef<uint64_t> free, ArrayRef<Subspace> avoid,
                       const Subspace &used) const;
  uint64_t costOf(const Side &side, const OffsetColumns &offsets,
                  const AccessChoice &access) const;
  SharedChoice build() const;

  ArrayRef<SharedUser> users;
  unsigned elemBits;
  const TargetDescription &target;
  SmallVector<Side, 2> sides;
  unsigned tileBits;
  unsigned rowBits;  ///< log2 elements of 16 bytes.
  unsigned wordBits; ///< log2 elements of 4 bytes.
  unsigned bankBits; ///< log2 elements of all banks.
  SmallVector<Row, 8> rows;

  /// The cheapest layout so far: its columns, and how each side accesses it.
  Vectors best;
  SmallVector<OffsetColumns, 2> bestOffsets;
  SmallVector<AccessChoice, 2> bestAccesses;
  uint64_t bestCost = ~uint64_t{0};
  std::string reason;
};
} // namespace

static Vectors independent(ArrayRef<uint64_t> columns) {
  Vectors result;
  Subspace seen;
  for (uint64_t column : columns)
    if (seen.insert(column))
      result.push_back(column);
  return result;
}

/// A basis of the vectors in both spans, of `first`'s vectors where possible.
static Vectors intersect(ArrayRef<uint64_t> first, ArrayRef<uint64_t> second) {
  Subspace other(second);
  Vectors result;
  Subspace seen;
  for (uint64_t vector : first)
    if (other.contains(vector) && seen.insert(vector))
      result.push_back(vector);
  // A relation between the two lists is a vector of both.
  F2Span span(64, 64);
  for (uint64_t vector : first)
    span.insertWord(vector);
  uint64_t own = (uint64_t{1} << first.size()) - 1, relation;
  for (uint64_t vector : second)
    if (!span.insertWord(vector, &relation)) {
      uint64_t both = applyColumns(first, relation & own);
      if (seen.insert(both))
        result.push_back(both);
    }
  return result;
}

SharedLayoutSearch::SharedLayoutSearch(ArrayRef<SharedUser> users,
                                       unsigned elemBits,
                                       const TargetDescription &target)
    : users(users), elemBits(elemBits), target(target),
      tileBits(users.front().registers.totalOutBits()) {
  auto bitsOf = [&](unsigned total) {
    return total > elemBits ? llvm::Log2_32(total / elemBits) : 0;
  };
  rowBits = bitsOf(target.maxVectorBits);
  wordBits = bitsOf(32);
  bankBits = bitsOf(target.sharedBanks * 32);
  for (const SharedUser &user : users) {
    Side side;
    auto columns = [&](StringRef label) {
      return Vectors(columnsOf(user.registers, label));
    };
    side.columns = {columns("register"), columns("lane"), columns("warp"),
                    columns("block"),
                    tileBits ? user.registers.flatOffset()[0] : 0};
    side.registers = independent(side.columns.registers);
    side.registerSpan.insertAll(side.registers);
    side.requiredVectorElems = user.requiredVectorElems;
    for (auto [lane, vector] : llvm::enumerate(side.columns.lanes))
      if (user.lineLanes >> lane & 1)
        side.line.push_back(vector);
    side.options.isStore = user.isStore;
    side.options.allowMatrix =
        user.allowMatrix && user.requiredVectorElems == 1;
    side.matrix = side.options.allowMatrix && side.columns.lanes.size() == 5 &&
                  elemBits <= 32 &&
                  (user.isStore ? target.hasStmatrix : target.hasLdmatrix);
    sides.push_back(std::move(side));
  }
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Vectors that every side has in its registers.
Vectors SharedLayoutSearch::commonRegisters() const {
  Vectors common = sides.front().registers;
  for (const Side &side : ArrayRef(sides).drop_front())
    common = intersect(common, side.registers);
  return common;
}

/// Elements that share a word should not be split over lanes of one side: fill
/// a narrow row with what is a register or a warp on every side.
void SharedLayoutSearch::fillWord(Vectors &row) const {
  Subspace used(row);
  auto add = [&](uint64_t vector) {
    if (row.size() < std::min(wordBits, tileBits) && used.insert(vector))
      row.push_back(vector);
  };
  auto notLane = [&](uint64_t vector) {
    return llvm::none_of(sides, [&](const Side &side) {
      return llvm::is_contained(side.columns.lanes, vector);
    });
  };
  for (const Side &side : sides)
    for (const Vectors *list : {&side.registers, &side.columns.warps})
      for (uint64_t vector : *list)
        if (notLane(vector))
          add(vector);
  for (unsigned bit = 0; bit < tileBits; ++bit)
    add(uint64_t{1} << bit);
}

void SharedLayoutSearch::addRow(Vectors columns, unsigned owner) {
  if (columns.size() > rowBits)
    columns.resize(rowBits);
  if (columns.size() < wordBits)
    fillWord(columns);
  if (llvm::any_of(rows,
                   [&](const Row &row) { return row.columns == columns; }) ||
      Subspace(columns).rank() != columns.size())
    return;
  Row row{std::move(columns), owner, {}, 0, rows.size()};
  for (const Side &side : sides) {
    row.ways.push_back(waysOf(side, row.columns));
    uint64_t least = ~uint64_t{0};
    for (const Way &way : row.ways.back())
      least = std::min(least, way.cost);
    row.bound += least;
  }
  rows.push_back(std::move(row));
}

void SharedLayoutSearch::addPrefixes(ArrayRef<uint64_t> columns,
                                     unsigned owner) {
  for (size_t bits = std::min<size_t>(rowBits, columns.size()) + 1; bits-- > 0;)
    addRow(Vectors(columns.take_front(bits)), owner);
}

/// The rows one side would like best: its registers, common ones first; then
/// those that are lanes of another side, whose narrow accesses then cover all
/// of the row; the tile of ldmatrix; the tile of ldmatrix.trans.
void SharedLayoutSearch::proposeRowsOf(unsigned owner) {
  const Side &side = sides[owner];
  Vectors common = commonRegisters(), crossing;
  for (const Side &other : sides)
    if (&other != &side)
      crossing.append(intersect(side.registers, other.columns.lanes));
  auto ordered = [&](ArrayRef<const Vectors *> lists) {
    Vectors all;
    for (const Vectors *list : lists)
      all.append(*list);
    return independent(all);
  };
  Vectors own = ordered({&common, &side.registers});
  addPrefixes(own, owner);
  addPrefixes(ordered({&common, &crossing, &side.registers}), owner);
  addPrefixes(ordered({&crossing, &side.registers}), owner);
  if (!side.matrix)
    return;
  ArrayRef<uint64_t> lanes = side.columns.lanes;
  unsigned inWord = rowBits - 2;
  if (own.size() >= inWord) {
    Vectors row(ArrayRef(own).take_front(inWord));
    row.append({lanes[0], lanes[1]});
    addRow(row, owner);
  }
  unsigned inUnit = rowBits - 3; // of 16 bits
  if (elemBits <= 16 && own.size() >= inUnit) {
    Vectors row(ArrayRef(own).take_front(inUnit));
    row.append({lanes[2], lanes[3], lanes[4]});
    addRow(row, owner);
  }
}

void SharedLayoutSearch::proposeRows() {
  addPrefixes(commonRegisters(), 0);
  for (unsigned owner = 0; owner < sides.size(); ++owner)
    proposeRowsOf(owner);
  llvm::sort(rows, [&](const Row &a, const Row &b) {
    return std::pair(a.bound, a.index) < std::pair(b.bound, b.index);
  });
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

/// A wavefront occupies the memory pipe, an instruction an issue slot. Where it
/// gains nothing, plain stores are simpler than stmatrix.
static uint64_t priceOf(uint64_t wavefronts, uint64_t instructions,
                        bool isStoredMatrix) {
  return 8 * wavefronts + (isStoredMatrix ? 6 : 4) * instructions;
}

/// Wavefronts of one copy instruction: pairs of a line of global memory and a
/// line of shared memory.
static uint64_t wavefrontsOfCopy(const OffsetColumns &offsets,
                                 uint64_t lineLanes, unsigned bankBits) {
  Subspace sharedLines;
  unsigned globalLines = 0;
  for (auto [lane, offset] : llvm::enumerate(offsets.lanes))
    if (lineLanes >> lane & 1)
      sharedLines.insert(offset >> bankBits);
    else
      ++globalLines;
  return uint64_t{1} << (globalLines + sharedLines.rank());
}

uint64_t SharedLayoutSearch::costOf(const Side &side,
                                    const OffsetColumns &offsets,
                                    const AccessChoice &access) const {
  if (uint64_t lanes = users[&side - sides.data()].lineLanes)
    return priceOf(access.instructions *
                       wavefrontsOfCopy(offsets, lanes, bankBits),
                   access.instructions, false);
  return priceOf(access.wavefronts(), access.instructions,
                 side.options.isStore && access.op != SharedOp::Vector) +
         access.shuffling;
}

/// The cost of accesses of 2^bits registers each, without conflicts.
uint64_t SharedLayoutSearch::leastCost(const Side &side, unsigned bits,
                                       uint64_t wavefronts) const {
  uint64_t count = uint64_t{1}
                   << (side.registers.size() -
                       std::min<size_t>(bits, side.registers.size()));
  return priceOf(count * wavefronts, count, false);
}

/// Each way in which a side may access this row.
SmallVector<Way, 2> SharedLayoutSearch::waysOf(const Side &side,
                                               ArrayRef<uint64_t> row) const {
  SmallVector<Way, 2> result;
  ArrayRef<uint64_t> lanes = side.columns.lanes;
  unsigned width = 0;
  while (width < row.size() && side.registerSpan.contains(row[width]))
    ++width;
  Vectors plain(row.take_front(width));
  ArrayRef<uint32_t> masks = target.phaseLaneMasks(elemBits << width);
  for (uint32_t mask : masks)
    plain.push_back(applyColumns(lanes, mask));
  result.push_back({std::move(plain),
                    leastCost(side, width, target.warpSize >> masks.size())});
  if (!side.matrix || row.size() != rowBits)
    return result;
  auto add = [&](std::initializer_list<uint64_t> rowNumber, unsigned inWord) {
    unsigned matrices = std::min<unsigned>(2, side.registers.size() - inWord);
    Vectors phase(row);
    phase.append(rowNumber);
    result.push_back(
        {std::move(phase), leastCost(side, inWord + matrices, 1u << matrices)});
  };
  unsigned inWord = rowBits - 2;
  if (row.take_back(2) == lanes.take_front(2) &&
      llvm::all_of(row.drop_back(2), [&](uint64_t vector) {
        return side.registerSpan.contains(vector);
      }))
    add({lanes[2], lanes[3], lanes[4]}, inWord);
  if (elemBits <= 16 && row.take_back(3) == lanes.drop_front(2) &&
      width >= row.size() - 3)
    for (uint64_t vector : side.registers)
      if (!llvm::is_contained(row, vector))
        add({vector, lanes[0], lanes[1]}, inWord);
  return result;
}

/// Vectors that complete the row to a basis. What the owner's lanes and warps
/// move along comes first: then they leave the row's bits of an offset alone,
/// even where bases are sums of bits.
Vectors SharedLayoutSearch::freeColumns(const Row &row) const {
  Vectors free;
  Subspace used(row.columns);
  auto add = [&](uint64_t vector) {
    if (used.insert(vector))
      free.push_back(vector);
  };
  for (unsigned i = 0; i < sides.size(); ++i) {
    const Side &side = sides[(row.owner + i) % sides.size()];
    for (const Vectors *list :
         {&side.columns.lanes, &side.columns.warps, &side.columns.blocks})
      for (uint64_t vector : *list)
        add(vector);
  }
  for (const Side &side : sides)
    for (uint64_t vector : side.registers)
      add(vector);
  for (unsigned bit = 0; bit < tileBits; ++bit)
    add(uint64_t{1} << bit);
  llvm::sort(free);
  return free;
}

/// A vector outside all of `avoid`: a free one, a sum of two or three; failing
/// that, one outside as many as possible. For two sides sums of two suffice: if
/// x is outside the one and y outside the other, then one of x, y, x + y is
/// outside both.
uint64_t SharedLayoutSearch::pickSegment(ArrayRef<uint64_t> free,
                                         ArrayRef<Subspace> avoid,
                                         const Subspace &used) const {
  uint64_t bestVector = 0;
  size_t bestScore = 0;
  auto consider = [&](uint64_t vector) {
    if (used.contains(vector))
      return false;
    size_t score = 1 + llvm::count_if(avoid, [&](const Subspace &space) {
                     return !space.contains(vector);
                   });
    if (score > bestScore) {
      bestScore = score;
      bestVector = vector;
    }
    return bestScore == avoid.size() + 1;
  };
  // From the top: high bits of the tile are more likely loops over registers.
  for (size_t i = free.size(); i-- > 0;)
    if (consider(free[i]))
      return bestVector;
  for (size_t i = free.size(); i-- > 0;)
    for (size_t j = i; j-- > 0;)
      if (consider(free[i] ^ free[j]))
        return bestVector;
  if (avoid.size() > 2)
    for (size_t i = free.size(); i-- > 0;)
      for (size_t j = i; j-- > 0;)
        for (size_t k = j; k-- > 0;)
          if (consider(free[i] ^ free[j] ^ free[k]))
            return bestVector;
  return bestVector;
}

/// The row, and behind it what copies move along in a line, as far as the banks
/// reach.
Vectors SharedLayoutSearch::lineColumns(const Row &row) const {
  Vectors columns(row.columns);
  Subspace used(row.columns);
  for (const Side &side : sides)
    for (uint64_t vector : side.line)
      if (columns.size() < bankBits && used.insert(vector))
        columns.push_back(vector);
  return columns;
}

Vectors SharedLayoutSearch::buildColumns(const Row &row,
                                         ArrayRef<const Vectors *> phases,
                                         bool keepLines) const {
  Vectors free = freeColumns(row);
  SmallVector<Subspace, 2> avoid;
  for (auto [side, phase] : llvm::zip_equal(sides, phases)) {
    // Copies of whole lines have no conflicts.
    if (keepLines && !side.line.empty())
      continue;
    avoid.emplace_back(*phase);
    avoid.back().insertAll(
        ArrayRef(row.columns)
            .take_front(std::min<size_t>(wordBits, row.columns.size())));
  }
  Vectors columns = keepLines ? lineColumns(row) : row.columns;
  Subspace taken(columns);
  Vectors segments;
  for (unsigned bits = bankBits; bits < tileBits; ++bits) {
    uint64_t vector = pickSegment(free, avoid, taken);
    if (vector == 0)
      break;
    segments.push_back(vector);
    taken.insert(vector);
    for (Subspace &space : avoid)
      space.insert(vector);
  }
  for (uint64_t vector : free)
    if (taken.insert(vector))
      columns.push_back(vector);
  columns.append(segments.rbegin(), segments.rend());
  return columns;
}

static OffsetColumns toOffsets(const OffsetColumns &elements,
                               const F2Span &layout) {
  auto offset = [&](uint64_t element) {
    uint64_t sum;
    layout.containsWord(element, &sum);
    return sum;
  };
  auto all = [&](const Vectors &columns) {
    return Vectors(llvm::map_range(columns, offset));
  };
  return {all(elements.registers), all(elements.lanes), all(elements.warps),
          all(elements.blocks), offset(elements.constant)};
}

void SharedLayoutSearch::tryColumns(const Row &row,
                                    ArrayRef<const Vectors *> phases,
                                    bool keepLines) {
  Vectors columns = buildColumns(row, phases, keepLines);
  F2Span layout(64, 64);
  for (uint64_t column : columns)
    layout.insertWord(column);
  SmallVector<OffsetColumns, 2> offsets;
  SmallVector<AccessChoice, 2> accesses;
  uint64_t cost = 0;
  for (auto [index, side] : llvm::enumerate(sides)) {
    offsets.push_back(toOffsets(side.columns, layout));
    accesses.push_back(
        chooseAccess(offsets.back(), elemBits, target, side.options));
    const AccessChoice &access = accesses.back();
    if (access.op == SharedOp::Vector &&
        1u << access.vectorBits < side.requiredVectorElems) {
      reason = "no shared layout gives vectors of " +
               std::to_string(side.requiredVectorElems) + " elements to " +
               users[index].registers.toString();
      return;
    }
    cost += costOf(side, offsets.back(), access);
  }
  if (cost >= bestCost)
    return;
  bestCost = cost;
  best = std::move(columns);
  bestOffsets = std::move(offsets);
  bestAccesses = std::move(accesses);
}

/// Every combination of the ways in which the sides may access the row.
void SharedLayoutSearch::tryRow(const Row &row) {
  constexpr size_t maxCombinations = 16;
  bool hasLines =
      llvm::any_of(sides, [](const Side &side) { return !side.line.empty(); });
  size_t combinations = 1;
  for (const auto &ways : row.ways)
    combinations *= ways.size();
  for (size_t index = 0; index < std::min(combinations, maxCombinations);
       ++index) {
    SmallVector<const Vectors *, 2> phases;
    uint64_t bound = 0;
    size_t rest = index;
    for (const auto &ways : row.ways) {
      const Way &way = ways[rest % ways.size()];
      phases.push_back(&way.phase);
      bound += way.cost;
      rest /= ways.size();
    }
    if (bound < bestCost)
      for (bool keepLines : {true, false})
        if (!keepLines || hasLines)
          tryColumns(row, phases, keepLines);
  }
}

SharedChoice SharedLayoutSearch::build() const {
  SharedChoice choice;
  choice.layout = LinearLayout::fromMatrix(
      {{"offset", tileBits}},
      LinearLayout::Dims(users.front().registers.outDims()),
      F2Matrix::fromColumns(tileBits, best));
  for (auto [offsets, access] : llvm::zip_equal(bestOffsets, bestAccesses))
    choice.accesses.push_back(buildAccess(offsets, access, elemBits, tileBits));
  return choice;
}

Expected<SharedChoice> SharedLayoutSearch::run() {
  proposeRows();
  for (const Row &row : rows)
    if (row.bound < bestCost)
      tryRow(row);
  if (!bestAccesses.empty())
    return build();
  return failure(reason);
}

Expected<SharedChoice>
layout::chooseSharedLayout(ArrayRef<SharedUser> users, unsigned elemBits,
                           const TargetDescription &target) {
  if (users.empty())
    return failure("a shared layout needs at least one user");
  if (!llvm::has_single_bit(elemBits) || elemBits < 8 || elemBits > 128)
    return failure("elements of " + Twine(elemBits) +
                   " bits in shared memory, expected 8, 16, 32, 64 or 128");
  for (const SharedUser &user : users) {
    if (user.registers.outDims() != users.front().registers.outDims())
      return failure("the users of a shared layout are of different tensors: " +
                     users.front().registers.toString() + " and " +
                     user.registers.toString());
    if (user.registers.inSize("lane") > target.warpSize)
      return failure("the layout has " + Twine(user.registers.inSize("lane")) +
                     " lanes, a warp of " + target.name + " has " +
                     Twine(target.warpSize));
    if (user.registers.totalOutBits() > 40)
      return failure("a tile of 2^" + Twine(user.registers.totalOutBits()) +
                     " elements does not fit in shared memory");
    if (user.registers.inBits("register") > maxRegisterBits)
      return failure("2^" + Twine(user.registers.inBits("register")) +
                     " registers a thread, expected at most 2^" +
                     Twine(maxRegisterBits));
  }
  return SharedLayoutSearch(users, elemBits, target).run();
}
