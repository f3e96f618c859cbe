//===- SharedChoice.cpp - Swizzles chosen by exact cost -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/SharedChoice.h"

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
using llvm::Twine;

using Vectors = SmallVector<uint64_t, 16>;

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
  Vectors registers, lanes, warps;
  Subspace registerSpan;
  bool matrix; ///< the target has ldmatrix (stmatrix) for it.
};

/// A row of the memory: the low columns of the layout, and per side what it
/// touches in a phase.
struct Candidate {
  Vectors row;
  SmallVector<Vectors, 2> phases;
};

class SharedLayoutSearch {
public:
  SharedLayoutSearch(ArrayRef<SharedUser> users, unsigned elemBits,
                     const TargetDescription &target);
  Expected<SharedChoice> run();

private:
  void addRow(Vectors row);
  void proposeRows();
  void proposeRowsOf(const Side &side);
  Vectors commonRegisters() const;
  void fillWord(Vectors &row) const;

  SmallVector<Vectors, 2> phasesOf(const Side &side,
                                   ArrayRef<uint64_t> row) const;
  void tryRow(ArrayRef<uint64_t> row);
  void tryColumns(ArrayRef<uint64_t> row, ArrayRef<Vectors> phases);
  Vectors buildColumns(ArrayRef<uint64_t> row, ArrayRef<Vectors> phases) const;
  uint64_t pickSegment(ArrayRef<uint64_t> free, ArrayRef<Subspace> avoid,
                       const Subspace &used) const;
  uint64_t costOf(const SharedChoice &choice) const;

  ArrayRef<SharedUser> users;
  unsigned elemBits;
  const TargetDescription &target;
  SmallVector<Side, 2> sides;
  unsigned tileBits;
  unsigned rowBits;  ///< log2 elements of 16 bytes.
  unsigned wordBits; ///< log2 elements of 4 bytes.
  unsigned bankBits; ///< log2 elements of all banks.
  SmallVector<Vectors> rows;
  SmallVector<Vectors> tried;
  std::optional<SharedChoice> best;
  std::string reason;
};
} // namespace

static Vectors nonZero(ArrayRef<uint64_t> columns) {
  Vectors result;
  Subspace seen;
  for (uint64_t column : columns)
    if (seen.insert(column))
      result.push_back(column);
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
    side.registers = nonZero(columnsOf(user.registers, "register"));
    side.lanes.append(columnsOf(user.registers, "lane"));
    side.warps.append(columnsOf(user.registers, "warp"));
    side.registerSpan.insertAll(side.registers);
    side.matrix = user.allowMatrix && user.requiredVectorElems == 1 &&
                  side.lanes.size() == 5 && elemBits <= 32 &&
                  (user.isStore ? target.hasStmatrix : target.hasLdmatrix);
    sides.push_back(std::move(side));
  }
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Registers that every side has as registers.
Vectors SharedLayoutSearch::commonRegisters() const {
  Vectors common;
  for (uint64_t vector : sides.front().registers)
    if (llvm::all_of(sides, [&](const Side &side) {
          return side.registerSpan.contains(vector);
        }))
      common.push_back(vector);
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
      return llvm::is_contained(side.lanes, vector);
    });
  };
  for (const Side &side : sides)
    for (const Vectors &list : {side.registers, side.warps})
      for (uint64_t vector : list)
        if (notLane(vector))
          add(vector);
  for (unsigned bit = 0; bit < tileBits; ++bit)
    add(uint64_t{1} << bit);
}

void SharedLayoutSearch::addRow(Vectors row) {
  if (row.size() > rowBits)
    row.resize(rowBits);
  fillWord(row);
  if (Subspace(row).rank() == row.size() && !llvm::is_contained(rows, row))
    rows.push_back(std::move(row));
}

/// The rows one side would like best: its registers, common ones first; the
/// tile of ldmatrix; the tile of ldmatrix.trans.
void SharedLayoutSearch::proposeRowsOf(const Side &side) {
  Vectors own = commonRegisters();
  Subspace seen(own);
  for (uint64_t vector : side.registers)
    if (seen.insert(vector))
      own.push_back(vector);
  for (unsigned bits = rowBits + 1; bits-- > 0;)
    addRow(Vectors(ArrayRef(own).take_front(bits)));
  if (!side.matrix)
    return;
  unsigned inWord = rowBits - 2;
  if (own.size() >= inWord) {
    Vectors row(ArrayRef(own).take_front(inWord));
    row.append({side.lanes[0], side.lanes[1]});
    addRow(row);
  }
  if (elemBits == 16)
    addRow({side.lanes[2], side.lanes[3], side.lanes[4]});
}

void SharedLayoutSearch::proposeRows() {
  Vectors common = commonRegisters();
  for (unsigned bits = rowBits + 1; bits-- > 0;)
    addRow(Vectors(ArrayRef(common).take_front(bits)));
  for (const Side &side : sides)
    proposeRowsOf(side);
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

/// What a side touches together, for each way it may access this row.
SmallVector<Vectors, 2>
SharedLayoutSearch::phasesOf(const Side &side, ArrayRef<uint64_t> row) const {
  SmallVector<Vectors, 2> result;
  unsigned width = 0;
  while (width < row.size() && side.registerSpan.contains(row[width]))
    ++width;
  Vectors plain(row.take_front(width));
  for (uint32_t mask : target.phaseLaneMasks(elemBits << width))
    plain.push_back(applyColumns(side.lanes, mask));
  result.push_back(std::move(plain));
  if (!side.matrix || row.size() != rowBits)
    return result;
  ArrayRef<uint64_t> lanes = side.lanes;
  Vectors tile(row);
  if (row.take_back(2) == lanes.take_front(2)) {
    tile.append(lanes.begin() + 2, lanes.end());
    result.push_back(tile);
  }
  if (elemBits == 16 && row == lanes.drop_front(2))
    for (uint64_t vector : side.registers) {
      Vectors transposed = tile;
      transposed.append({vector, lanes[0], lanes[1]});
      result.push_back(transposed);
      break; // the access uses the first register bit for the row
    }
  return result;
}

/// A vector outside all of `avoid`: a single bit, a sum of two or three;
/// failing that, one outside as many as possible.
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

Vectors SharedLayoutSearch::buildColumns(ArrayRef<uint64_t> row,
                                         ArrayRef<Vectors> phases) const {
  // Bits of the tile that complete the row to a basis.
  Vectors free;
  Subspace used(row);
  for (unsigned bit = 0; bit < tileBits; ++bit)
    if (used.insert(uint64_t{1} << bit))
      free.push_back(uint64_t{1} << bit);

  SmallVector<Subspace, 2> avoid;
  for (const Vectors &phase : phases) {
    avoid.emplace_back(phase);
    avoid.back().insertAll(row.take_front(wordBits));
  }
  Subspace taken(row);
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
  Vectors columns(row);
  for (uint64_t vector : free)
    if (taken.insert(vector))
      columns.push_back(vector);
  columns.append(segments.rbegin(), segments.rend());
  return columns;
}

/// What it takes to bring registers into memory order: words whose elements are
/// not neighbouring registers have to be put together, and vectors of words
/// that are not neighbours do not come as they are from a vector load.
static uint64_t shufflingCost(const SharedAccess &access,
                              unsigned elemsPerWord) {
  uint64_t cost = 0;
  for (const RegisterGroup &group : access.groups) {
    ArrayRef<unsigned> registers = group.registers;
    bool inOrder = true;
    for (unsigned i = 0; i < registers.size(); ++i) {
      unsigned first = i - i % elemsPerWord;
      if (i == first && i + 1 < registers.size() && elemsPerWord > 1 &&
          registers[i + 1] != registers[i] + 1)
        cost += 4;
      inOrder &= registers[i] == registers[0] + i;
    }
    cost += access.op == SharedOp::Vector && !inOrder;
  }
  return cost;
}

uint64_t SharedLayoutSearch::costOf(const SharedChoice &choice) const {
  // A wavefront occupies the memory pipe, an instruction an issue slot.
  uint64_t cost = 0;
  for (auto [access, user] : llvm::zip_equal(choice.accesses, users)) {
    cost += 8 * access.wavefronts() + 4 * access.instructions() +
            shufflingCost(access, std::max(1u, 32 / elemBits));
    // Where it gains nothing, plain stores are simpler than stmatrix.
    if (user.isStore && access.op != SharedOp::Vector)
      cost += 2 * access.instructions();
  }
  return cost;
}

void SharedLayoutSearch::tryColumns(ArrayRef<uint64_t> row,
                                    ArrayRef<Vectors> phases) {
  Vectors columns = buildColumns(row, phases);
  if (llvm::is_contained(tried, columns))
    return;
  tried.push_back(columns);
  SharedChoice choice;
  choice.layout = LinearLayout::fromMatrix(
      {{"offset", tileBits}},
      LinearLayout::Dims(users.front().registers.outDims()),
      F2Matrix::fromColumns(tileBits, columns));
  for (const SharedUser &user : users) {
    SharedAccessOptions options;
    options.isStore = user.isStore;
    options.allowMatrix = user.allowMatrix && user.requiredVectorElems == 1;
    auto access = planSharedAccess(user.registers, choice.layout, elemBits,
                                   target, options);
    if (!access) {
      reason = llvm::toString(access.takeError());
      return;
    }
    if (access->vectorElems < user.requiredVectorElems) {
      reason = "no shared layout gives vectors of " +
               std::to_string(user.requiredVectorElems) + " elements to " +
               user.registers.toString();
      return;
    }
    choice.accesses.push_back(std::move(*access));
  }
  if (!best || costOf(choice) < costOf(*best))
    best = std::move(choice);
}

/// Every combination of the ways in which the sides may access the row.
void SharedLayoutSearch::tryRow(ArrayRef<uint64_t> row) {
  SmallVector<SmallVector<Vectors, 2>, 2> ways;
  size_t combinations = 1;
  for (const Side &side : sides) {
    ways.push_back(phasesOf(side, row));
    combinations *= ways.back().size();
  }
  for (size_t index = 0; index < std::min<size_t>(combinations, 16); ++index) {
    SmallVector<Vectors, 2> phases;
    size_t rest = index;
    for (const auto &way : ways) {
      phases.push_back(way[rest % way.size()]);
      rest /= way.size();
    }
    tryColumns(row, phases);
  }
}

Expected<SharedChoice> SharedLayoutSearch::run() {
  proposeRows();
  for (const Vectors &row : rows)
    tryRow(row);
  if (best)
    return std::move(*best);
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
