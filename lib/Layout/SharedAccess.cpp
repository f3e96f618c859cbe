//===- SharedAccess.cpp - Accesses to shared memory -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegisterGroups.h"
#include "Subspace.h"
#include "TileBuilder.h"

#include "llvm/ADT/DenseMap.h"
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

//===----------------------------------------------------------------------===//
// Register groups
//===----------------------------------------------------------------------===//

SmallVector<uint64_t> detail::columnsOf(const LinearLayout &layout,
                                        StringRef label) {
  SmallVector<uint64_t> columns;
  for (unsigned bit = 0; bit < layout.inBits(label); ++bit) {
    ArrayRef<uint64_t> words = layout.flatBasis(label, bit);
    columns.push_back(words.empty() ? 0 : words[0]);
  }
  return columns;
}

SmallVector<unsigned, 16> detail::findCopies(ArrayRef<uint64_t> columns) {
  llvm::DenseMap<uint64_t, unsigned> first;
  SmallVector<unsigned, 16> copyOf;
  for (unsigned r = 0; r >> columns.size() == 0; ++r)
    copyOf.push_back(
        first.try_emplace(applyColumns(columns, r), r).first->second);
  return copyOf;
}

SmallVector<RegisterGroup, 8> detail::groupRegisters(ArrayRef<uint64_t> columns,
                                                     unsigned bits) {
  SmallVector<unsigned, 16> copyOf = findCopies(columns);
  llvm::DenseMap<uint64_t, unsigned> groupOf;
  SmallVector<RegisterGroup, 8> groups;
  uint64_t low = (uint64_t{1} << bits) - 1;
  constexpr unsigned missing = ~0u;
  for (unsigned r = 0; r < copyOf.size(); ++r) {
    if (copyOf[r] != r)
      continue;
    uint64_t address = applyColumns(columns, r);
    auto [it, isNew] = groupOf.try_emplace(address & ~low, groups.size());
    if (isNew) {
      groups.emplace_back();
      groups.back().offset = address & ~low;
      groups.back().registers.assign(low + 1, missing);
    }
    groups[it->second].registers[address & low] = r;
  }
  for (const RegisterGroup &group : groups)
    if (llvm::is_contained(group.registers, missing))
      return {};
  return groups;
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

namespace {
/// Finds the instructions for one map register, lane, warp, block -> offset.
class SharedAccessPlanner {
public:
  SharedAccessPlanner(const LinearLayout &toOffset, unsigned elemBits,
                      const TargetDescription &target,
                      const SharedAccessOptions &options)
      : toOffset(toOffset), elemBits(elemBits), target(target),
        options(options), registers(columnsOf(toOffset, "register")),
        lanes(columnsOf(toOffset, "lane")), warps(columnsOf(toOffset, "warp")),
        blocks(columnsOf(toOffset, "block")),
        constant(toOffset.flatOffset().empty() ? 0 : toOffset.flatOffset()[0]) {
  }

  SharedAccess run();

private:
  SharedAccess planVector();
  std::optional<SharedAccess> planMatrix(bool transposed);
  bool addMatrixGroups(SharedAccess &access, ArrayRef<unsigned> wordBits,
                       ArrayRef<unsigned> otherBits);
  LinearLayout threadMap(ArrayRef<uint64_t> laneColumns) const;
  void finish(SharedAccess &access) const;
  /// Or of all addresses the lanes (but `skipLanes`), warps, blocks reach.
  uint64_t touched(unsigned skipLanes) const;

  const LinearLayout &toOffset;
  unsigned elemBits;
  const TargetDescription &target;
  const SharedAccessOptions &options;
  SmallVector<uint64_t> registers, lanes, warps, blocks;
  uint64_t constant;
};
} // namespace

uint64_t SharedAccessPlanner::touched(unsigned skipLanes) const {
  uint64_t bits = constant;
  for (auto [index, column] : llvm::enumerate(lanes))
    if (!((skipLanes >> index) & 1))
      bits |= column;
  for (uint64_t column : warps)
    bits |= column;
  for (uint64_t column : blocks)
    bits |= column;
  return bits;
}

LinearLayout
SharedAccessPlanner::threadMap(ArrayRef<uint64_t> laneColumns) const {
  SmallVector<uint64_t> columns(laneColumns);
  columns.append(warps.begin(), warps.end());
  columns.append(blocks.begin(), blocks.end());
  unsigned bits = toOffset.totalOutBits();
  LinearLayout::Dims ins{{"lane", unsigned(laneColumns.size())},
                         {"warp", unsigned(warps.size())},
                         {"block", unsigned(blocks.size())}};
  return LinearLayout::fromMatrix(ins, {{"offset", bits}},
                                  F2Matrix::fromColumns(bits, columns),
                                  toOffset.flatOffset());
}

void SharedAccessPlanner::finish(SharedAccess &access) const {
  access.copyOf = findCopies(registers);
  access.threadBits = constant;
  for (StringRef label : {"lane", "warp", "block"})
    for (uint64_t column : columnsOf(access.thread, label))
      access.threadBits |= column;
}

SharedAccess SharedAccessPlanner::planVector() {
  unsigned maxBits =
      options.maxVectorBits ? options.maxVectorBits : target.maxVectorBits;
  unsigned bits = maxBits > elemBits ? llvm::Log2_32(maxBits / elemBits) : 0;
  SharedAccess access;
  // Registers reach all of the low bits, nothing else touches them.
  uint64_t others = touched(0);
  Subspace span(registers);
  auto isLegal = [&](unsigned width) {
    for (unsigned bit = 0; bit < width; ++bit)
      if (!span.contains(uint64_t{1} << bit))
        return false;
    return (others & ((uint64_t{1} << width) - 1)) == 0;
  };
  while (bits > 0 && !isLegal(bits))
    --bits;
  access.groups = groupRegisters(registers, bits);
  access.vectorElems = 1u << bits;
  access.thread = threadMap(lanes);
  access.perAccess =
      vectorWavefronts(lanes, access.vectorElems, elemBits, target);
  finish(access);
  return access;
}

/// Register words of the matrices: `wordBits` are the register bits within a
/// 32-bit word, up to two of `otherBits` number the matrices of one
/// instruction.
bool SharedAccessPlanner::addMatrixGroups(SharedAccess &access,
                                          ArrayRef<unsigned> wordBits,
                                          ArrayRef<unsigned> otherBits) {
  unsigned matrixBits = std::min<size_t>(2, otherBits.size());
  ArrayRef<unsigned> inside = otherBits.take_front(matrixBits);
  ArrayRef<unsigned> outside = otherBits.drop_front(matrixBits);
  auto spread = [](uint64_t x, ArrayRef<unsigned> bits) {
    uint64_t result = 0;
    for (auto [index, bit] : llvm::enumerate(bits))
      result |= ((x >> index) & 1) << bit;
    return result;
  };
  for (uint64_t o = 0; o >> outside.size() == 0; ++o) {
    RegisterGroup group;
    uint64_t base = spread(o, outside);
    group.offset = applyColumns(registers, base);
    for (uint64_t m = 0; m >> inside.size() == 0; ++m)
      for (uint64_t e = 0; e >> wordBits.size() == 0; ++e)
        group.registers.push_back(base | spread(m, inside) |
                                  spread(e, wordBits));
    access.groups.push_back(std::move(group));
  }
  access.matrices = 1u << matrixBits;
  access.vectorElems = access.matrices << wordBits.size();
  return true;
}

/// The tile must divide the map from the left. Plain: registers within a word,
/// then lane bits 0 and 1 are the low bits of the offset (16 bytes), lane bits
/// 2, 3, 4 choose the row. Transposed (16 bits): lane bits 2, 3, 4 are the low
/// bits; one register bit and lane bits 0 and 1 choose the row.
std::optional<SharedAccess> SharedAccessPlanner::planMatrix(bool transposed) {
  if (lanes.size() != 5 || elemBits > 32 || elemBits < 8 ||
      (transposed && elemBits != 16))
    return std::nullopt;
  unsigned rowBits = llvm::Log2_32(128 / elemBits);
  unsigned inWord = rowBits - 2;
  uint64_t low = (uint64_t{1} << rowBits) - 1;
  SmallVector<unsigned> wordBits, otherBits;
  unsigned firstLane = transposed ? 2 : 0, numLanes = transposed ? 3 : 2;
  for (unsigned i = 0; i < numLanes; ++i)
    if (lanes[firstLane + i] != uint64_t{1} << (i + (transposed ? 0 : inWord)))
      return std::nullopt;
  if (touched(transposed ? 0b11100 : 0b00011) & low)
    return std::nullopt;
  if (!transposed)
    for (unsigned i = 0; i < inWord; ++i) {
      const auto *it = llvm::find(registers, uint64_t{1} << i);
      if (it == registers.end())
        return std::nullopt;
      wordBits.push_back(it - registers.begin());
    }
  for (auto [bit, column] : llvm::enumerate(registers)) {
    if (llvm::is_contained(wordBits, bit) || column == 0)
      continue;
    if (column & low)
      return std::nullopt;
    otherBits.push_back(bit);
  }
  if (F2Matrix::fromColumns(64, registers).rank() !=
      wordBits.size() + otherBits.size())
    return std::nullopt; // dependent registers: replicas that are not bits
  SmallVector<uint64_t> rows;
  if (transposed) {
    if (otherBits.empty())
      return std::nullopt;
    wordBits.push_back(otherBits.front());
    otherBits.erase(otherBits.begin());
    rows = {registers[wordBits[0]], lanes[0], lanes[1]};
  } else {
    rows = {lanes[2], lanes[3], lanes[4]};
  }
  SharedAccess access;
  access.op = transposed ? SharedOp::MatrixTransposed : SharedOp::Matrix;
  addMatrixGroups(access, wordBits, otherBits);
  SmallVector<uint64_t> addressLanes(rows);
  for (unsigned i = 0; i < 2; ++i)
    addressLanes.push_back(
        i < llvm::Log2_32(access.matrices) ? registers[otherBits[i]] : 0);
  access.thread = threadMap(addressLanes);
  access.perAccess = matrixWavefronts(rows, access.matrices, elemBits, target);
  finish(access);
  return access;
}

SharedAccess SharedAccessPlanner::run() {
  SharedAccess best = planVector();
  bool hasMatrix = options.isStore ? target.hasStmatrix : target.hasLdmatrix;
  if (!options.allowMatrix || !hasMatrix)
    return best;
  auto cost = [](const SharedAccess &access) {
    return std::make_pair(access.wavefronts(), access.instructions());
  };
  for (bool transposed : {false, true})
    if (auto matrix = planMatrix(transposed))
      if (cost(*matrix) < cost(best))
        best = std::move(*matrix);
  return best;
}

Expected<SharedAccess>
layout::planOffsetAccess(const LinearLayout &toOffset, unsigned elemBits,
                         const TargetDescription &target,
                         const SharedAccessOptions &options) {
  if (!llvm::has_single_bit(elemBits) || elemBits < 8 || elemBits > 128)
    return failure("elements of " + Twine(elemBits) +
                   " bits in shared memory, expected 8, 16, 32, 64 or 128");
  if (toOffset.totalOutBits() > 40)
    return failure("a shared layout of 2^" + Twine(toOffset.totalOutBits()) +
                   " elements does not fit in shared memory");
  if (toOffset.inBits("register") > maxRegisterBits)
    return failure("2^" + Twine(toOffset.inBits("register")) +
                   " registers a thread, expected at most 2^" +
                   Twine(maxRegisterBits));
  if (toOffset.inSize("lane") > target.warpSize)
    return failure("the layout has " + Twine(toOffset.inSize("lane")) +
                   " lanes, a warp of " + target.name + " has " +
                   Twine(target.warpSize));
  return SharedAccessPlanner(toOffset, elemBits, target, options).run();
}

Expected<LinearLayout> layout::placeToOffset(const LinearLayout &registers,
                                             const LinearLayout &shared) {
  if (registers.outDims() != shared.outDims())
    return failure("the register layout " + registers.toString() +
                   " and the shared layout " + shared.toString() +
                   " are of different tensors");
  if (!shared.hasIn("offset"))
    return failure("the shared layout " + shared.toString() +
                   " has no in label 'offset'");
  F2Vector difference(registers.flatOffset());
  for (auto [word, other] : llvm::zip_equal(difference, shared.flatOffset()))
    word ^= other;
  F2Matrix constant(registers.totalOutBits(), 0);
  constant.appendColumn(difference);
  std::optional<F2Matrix> columns = shared.matrix().solve(registers.matrix());
  std::optional<F2Matrix> offset = shared.matrix().solve(constant);
  if (!columns || !offset)
    return failure("the shared layout " + shared.toString() +
                   " does not hold every element of " + registers.toString());
  SmallVector<StringRef> ins;
  for (const LabelledDim &in : registers.inDims())
    ins.push_back(in.name);
  // With a cluster the other output is the block that has the element.
  return LinearLayout::fromMatrix(LinearLayout::Dims(registers.inDims()),
                                  LinearLayout::Dims(shared.inDims()),
                                  std::move(*columns), offset->column(0))
      .sublayout(ins, {"offset"});
}

Expected<SharedAccess>
layout::planSharedAccess(const LinearLayout &registers,
                         const LinearLayout &shared, unsigned elemBits,
                         const TargetDescription &target,
                         const SharedAccessOptions &options) {
  Expected<LinearLayout> toOffset = placeToOffset(registers, shared);
  if (!toOffset)
    return toOffset.takeError();
  return planOffsetAccess(*toOffset, elemBits, target, options);
}

std::string layout::sharedOpName(SharedOp op, bool isStore,
                                 const TargetDescription &target) {
  if (op == SharedOp::Vector) {
    if (target.isNVIDIA())
      return isStore ? "st.shared" : "ld.shared";
    return isStore ? "ds_write" : "ds_read";
  }
  std::string name = isStore ? "stmatrix" : "ldmatrix";
  return op == SharedOp::MatrixTransposed ? name + ".trans" : name;
}
