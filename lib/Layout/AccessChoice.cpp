//===- AccessChoice.cpp - Instructions for a map to offsets ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AccessChoice.h"

#include "RegisterGroups.h"
#include "Subspace.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::SmallVector;

//===----------------------------------------------------------------------===//
// Register groups
//===----------------------------------------------------------------------===//

namespace {
/// Registers by address. Those with equal addresses differ by the kernel; the
/// first of them is the one without the leading bits of the kernel, so that
/// taking it is linear.
class RegisterAddresses {
public:
  explicit RegisterAddresses(ArrayRef<uint64_t> columns);

  unsigned count() const { return addresses.size(); }
  uint64_t address(unsigned reg) const { return addresses[reg]; }
  unsigned first(unsigned reg) const { return kernel.reduce(reg); }
  /// The first register with this address, if there is one.
  std::optional<unsigned> at(uint64_t address) const {
    uint64_t reg;
    if (!span.containsWord(address, &reg))
      return std::nullopt;
    return first(reg);
  }

private:
  F2Span span{64, 64};
  Subspace kernel;
  SmallVector<uint64_t, 64> addresses;
};
} // namespace

RegisterAddresses::RegisterAddresses(ArrayRef<uint64_t> columns) {
  for (uint64_t column : columns) {
    uint64_t relation;
    if (!span.insertWord(column, &relation))
      kernel.insert(relation);
  }
  addresses.resize(size_t{1} << columns.size(), 0);
  for (unsigned reg = 1; reg < addresses.size(); ++reg)
    addresses[reg] =
        addresses[reg & (reg - 1)] ^ columns[llvm::countr_zero(reg)];
}

SmallVector<unsigned, 16> detail::findCopies(ArrayRef<uint64_t> columns) {
  RegisterAddresses registers(columns);
  SmallVector<unsigned, 16> copyOf(registers.count());
  for (unsigned reg = 0; reg < copyOf.size(); ++reg)
    copyOf[reg] = registers.first(reg);
  return copyOf;
}

SmallVector<RegisterGroup, 8> detail::groupRegisters(ArrayRef<uint64_t> columns,
                                                     unsigned bits) {
  RegisterAddresses registers(columns);
  // Registers at the offsets within a group.
  SmallVector<unsigned, 16> within{0};
  for (unsigned bit = 0; bit < bits; ++bit) {
    std::optional<unsigned> reg = registers.at(uint64_t{1} << bit);
    if (!reg)
      return {};
    for (size_t i = 0, size = within.size(); i < size; ++i)
      within.push_back(within[i] ^ *reg);
  }
  uint64_t low = (uint64_t{1} << bits) - 1;
  SmallVector<RegisterGroup, 8> groups;
  SmallVector<bool, 64> done(registers.count(), false);
  for (unsigned reg = 0; reg < registers.count(); ++reg) {
    if (done[reg] || registers.first(reg) != reg)
      continue;
    uint64_t address = registers.address(reg);
    groups.emplace_back();
    groups.back().offset = address & ~low;
    for (uint64_t at = 0; at <= low; ++at) {
      unsigned member = registers.first(reg ^ within[at ^ (address & low)]);
      groups.back().registers.push_back(member);
      done[member] = true;
    }
  }
  return groups;
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

namespace {
class AccessChooser {
public:
  AccessChooser(const OffsetColumns &columns, unsigned elemBits,
                const TargetDescription &target,
                const SharedAccessOptions &options)
      : columns(columns), elemBits(elemBits), target(target), options(options) {
    for (uint64_t column : columns.registers)
      registerSpan.insertWord(column);
  }

  AccessChoice run() const;

private:
  AccessChoice chooseVector() const;
  std::optional<AccessChoice> chooseMatrix() const;
  std::optional<AccessChoice> chooseTransposed() const;
  bool splitRegisters(unsigned inWord, AccessChoice &choice) const;
  void price(AccessChoice &choice) const;
  bool repeatsRows(const AccessChoice &choice) const;
  uint64_t moves(ArrayRef<uint64_t> registers, uint64_t instructions) const;
  /// Or of all addresses the lanes (but `skipLanes`), warps, blocks reach.
  uint64_t touched(unsigned skipLanes) const;
  unsigned rowBits() const { return llvm::Log2_32(128 / elemBits); }
  unsigned elemsPerWord() const { return std::max(1u, 32 / elemBits); }

  const OffsetColumns &columns;
  unsigned elemBits;
  const TargetDescription &target;
  const SharedAccessOptions &options;
  F2Span registerSpan{64, 64};
};
} // namespace

uint64_t AccessChooser::touched(unsigned skipLanes) const {
  uint64_t bits = columns.constant;
  for (auto [index, column] : llvm::enumerate(columns.lanes))
    if (!((skipLanes >> index) & 1))
      bits |= column;
  for (uint64_t column : columns.warps)
    bits |= column;
  for (uint64_t column : columns.blocks)
    bits |= column;
  return bits;
}

/// What it takes to bring registers into memory order and back, given the
/// register at each bit of the vector. Narrow elements are packed, neighbouring
/// registers in a word: putting together a word of others takes a byte permute
/// for each further word that they come from (4 each), as does taking a word
/// apart for narrower accesses. A vector of words that are not neighbours is
/// not where they belong: those that must be neighbours there, or after it,
/// move (1 a word, since not all must).
uint64_t AccessChooser::moves(ArrayRef<uint64_t> registers,
                              uint64_t instructions) const {
  unsigned inWord = llvm::Log2_32(elemsPerWord());
  uint64_t words =
      std::max<uint64_t>(1, (instructions << registers.size()) >> inWord);
  uint64_t apart = instructions > words ? instructions - words : 0;
  bool wordsInOrder = true, inOrder = true;
  Subspace otherWords;
  for (auto [bit, reg] : llvm::enumerate(registers)) {
    bool here = reg == uint64_t{1} << bit;
    if (bit >= inWord) {
      inOrder &= here;
      continue;
    }
    wordsInOrder &= here;
    otherWords.insert(reg >> inWord);
  }
  uint64_t permutes = (uint64_t{1} << otherWords.rank()) - 1;
  return 4 * apart + (inOrder ? 0 : words) +
         (wordsInOrder ? 0 : 4 * words * std::max<uint64_t>(1, permutes));
}

AccessChoice AccessChooser::chooseVector() const {
  unsigned maxBits =
      options.maxVectorBits ? options.maxVectorBits : target.maxVectorBits;
  unsigned limit = maxBits > elemBits ? llvm::Log2_32(maxBits / elemBits) : 0;
  // Registers reach all of the low bits, nothing else touches them.
  uint64_t others = touched(0);
  AccessChoice choice;
  Vectors registers;
  for (; choice.vectorBits < limit; ++choice.vectorBits) {
    uint64_t unit = uint64_t{1} << choice.vectorBits, reg;
    if ((others & unit) || !registerSpan.containsWord(unit, &reg))
      break;
    registers.push_back(reg);
  }
  choice.instructions = uint64_t{1}
                        << (registerSpan.rank() - choice.vectorBits);
  choice.perAccess = vectorWavefronts(columns.lanes, 1u << choice.vectorBits,
                                      elemBits, target);
  choice.shuffling = moves(registers, choice.instructions);
  return choice;
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

/// Registers outside a word, moved to its first element; false if they touch
/// the rest of the row of 16 bytes, which belongs to lanes.
bool AccessChooser::splitRegisters(unsigned inWord,
                                   AccessChoice &choice) const {
  for (unsigned bit = 0; bit < inWord; ++bit) {
    uint64_t reg;
    if (!registerSpan.containsWord(uint64_t{1} << bit, &reg))
      return false;
    choice.wordRegisters.push_back(reg);
  }
  uint64_t row = (uint64_t{1} << rowBits()) - 1;
  uint64_t word = (uint64_t{1} << inWord) - 1;
  Subspace addresses;
  for (auto [bit, column] : llvm::enumerate(columns.registers)) {
    if (column & row & ~word)
      return false;
    if (addresses.insert(column & ~word))
      choice.otherRegisters.push_back(
          (uint64_t{1} << bit) ^
          applyColumns(choice.wordRegisters, column & word));
  }
  return true;
}

void AccessChooser::price(AccessChoice &choice) const {
  unsigned inside = choice.wordRegisters.size() + choice.matrixBits();
  choice.instructions = uint64_t{1} << (registerSpan.rank() - inside);
  choice.perAccess = matrixWavefronts(choice.rows, 1u << choice.matrixBits(),
                                      elemBits, target);
  // Every word is a register of the instruction: their order is free.
  choice.shuffling =
      moves(choice.wordRegisters, choice.instructions << choice.matrixBits());
}

/// The tile must divide the map from the left: registers within a word, then
/// lane bits 0 and 1 are the low bits of the offset (16 bytes); lane bits 2, 3,
/// 4 choose the row.
std::optional<AccessChoice> AccessChooser::chooseMatrix() const {
  unsigned inWord = rowBits() - 2;
  ArrayRef<uint64_t> lanes = columns.lanes;
  if (lanes[0] != uint64_t{1} << inWord || lanes[1] != uint64_t{2} << inWord ||
      (touched(0b00011) & ((uint64_t{1} << rowBits()) - 1)))
    return std::nullopt;
  AccessChoice choice;
  choice.op = SharedOp::Matrix;
  if (!splitRegisters(inWord, choice))
    return std::nullopt;
  choice.rows.append(lanes.begin() + 2, lanes.end());
  price(choice);
  return choice;
}

/// The instruction transposes units of 16 bits: of narrower elements registers
/// hold a unit. Lane bits 2, 3, 4 choose the unit of a row; lane bits 0 and 1
/// and one register bit, whichever has the fewest conflicts, choose the row.
std::optional<AccessChoice> AccessChooser::chooseTransposed() const {
  ArrayRef<uint64_t> lanes = columns.lanes;
  if (elemBits > 16)
    return std::nullopt;
  unsigned inUnit = rowBits() - 3;
  for (unsigned bit = 0; bit < 3; ++bit)
    if (lanes[2 + bit] != uint64_t{1} << (inUnit + bit))
      return std::nullopt;
  if (touched(0b11100) & ((uint64_t{1} << rowBits()) - 1))
    return std::nullopt;
  AccessChoice all;
  all.op = SharedOp::MatrixTransposed;
  if (!splitRegisters(inUnit, all))
    return std::nullopt;
  std::optional<AccessChoice> best;
  for (auto [index, reg] : llvm::enumerate(all.otherRegisters)) {
    AccessChoice choice = all;
    choice.otherRegisters.erase(choice.otherRegisters.begin() + index);
    choice.wordRegisters.push_back(reg);
    choice.rows = {applyColumns(columns.registers, reg), lanes[0], lanes[1]};
    price(choice);
    if (!best || std::pair(choice.wavefronts(), choice.shuffling) <
                     std::pair(best->wavefronts(), best->shuffling))
      best = std::move(choice);
  }
  return best;
}

/// Whether several lanes of a matrix instruction name the same row. Loads may;
/// what a row is after two stores at once, no manual says.
bool AccessChooser::repeatsRows(const AccessChoice &choice) const {
  Subspace addresses;
  auto isNew = [&](uint64_t address) { return addresses.insert(address); };
  return !llvm::all_of(choice.rows, isNew) ||
         !llvm::all_of(
             ArrayRef(choice.otherRegisters).take_front(choice.matrixBits()),
             [&](uint64_t reg) {
               return isNew(applyColumns(columns.registers, reg));
             });
}

AccessChoice AccessChooser::run() const {
  AccessChoice best = chooseVector();
  bool hasMatrix = options.isStore ? target.hasStmatrix : target.hasLdmatrix;
  if (!options.allowMatrix || !hasMatrix || columns.lanes.size() != 5 ||
      elemBits > 32)
    return best;
  auto cost = [](const AccessChoice &choice) {
    return std::tuple(choice.wavefronts(), choice.instructions,
                      choice.shuffling);
  };
  for (auto &other : {chooseMatrix(), chooseTransposed()})
    if (other && cost(*other) < cost(best) &&
        !(options.isStore && repeatsRows(*other)))
      best = *other;
  return best;
}

AccessChoice detail::chooseAccess(const OffsetColumns &columns,
                                  unsigned elemBits,
                                  const TargetDescription &target,
                                  const SharedAccessOptions &options) {
  return AccessChooser(columns, elemBits, target, options).run();
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

/// Register words of the matrices of each instruction.
static void addMatrixGroups(SharedAccess &access,
                            const RegisterAddresses &registers,
                            const AccessChoice &choice) {
  ArrayRef<uint64_t> inside =
      ArrayRef(choice.otherRegisters).take_front(choice.matrixBits());
  ArrayRef<uint64_t> outside =
      ArrayRef(choice.otherRegisters).drop_front(choice.matrixBits());
  for (uint64_t o = 0; o >> outside.size() == 0; ++o) {
    RegisterGroup group;
    uint64_t base = applyColumns(outside, o);
    group.offset = registers.address(base);
    for (uint64_t m = 0; m >> inside.size() == 0; ++m)
      for (uint64_t e = 0; e >> choice.wordRegisters.size() == 0; ++e)
        group.registers.push_back(
            registers.first(base ^ applyColumns(inside, m) ^
                            applyColumns(choice.wordRegisters, e)));
    access.groups.push_back(std::move(group));
  }
}

static LinearLayout threadMap(const OffsetColumns &columns,
                              ArrayRef<uint64_t> lanes, unsigned offsetBits) {
  Vectors all(lanes);
  all.append(columns.warps);
  all.append(columns.blocks);
  LinearLayout::Dims ins{{"lane", unsigned(lanes.size())},
                         {"warp", unsigned(columns.warps.size())},
                         {"block", unsigned(columns.blocks.size())}};
  return LinearLayout::fromMatrix(
      std::move(ins), {{"offset", offsetBits}},
      F2Matrix::fromColumns(offsetBits, all),
      offsetBits ? ArrayRef<uint64_t>(columns.constant) : ArrayRef<uint64_t>());
}

SharedAccess detail::buildAccess(const OffsetColumns &columns,
                                 const AccessChoice &choice, unsigned elemBits,
                                 unsigned offsetBits) {
  SharedAccess access;
  access.op = choice.op;
  access.perAccess = choice.perAccess;
  access.copyOf = findCopies(columns.registers);
  Vectors lanes(columns.lanes);
  if (choice.op == SharedOp::Vector) {
    access.vectorElems = 1u << choice.vectorBits;
    access.groups = groupRegisters(columns.registers, choice.vectorBits);
  } else {
    access.matrices = 1u << choice.matrixBits();
    access.vectorElems = access.matrices << choice.wordRegisters.size();
    addMatrixGroups(access, RegisterAddresses(columns.registers), choice);
    // The address of row r of matrix j is given by lane 8j + r.
    lanes.assign(choice.rows.begin(), choice.rows.end());
    for (unsigned i = 0; i < 2; ++i)
      lanes.push_back(
          i < choice.matrixBits()
              ? applyColumns(columns.registers, choice.otherRegisters[i])
              : 0);
  }
  access.thread = threadMap(columns, lanes, offsetBits);
  access.threadBits = columns.constant;
  for (const Vectors &list : {lanes, columns.warps, columns.blocks})
    for (uint64_t column : list)
      access.threadBits |= column;
  return access;
}
