//===- SharedConversion.cpp - Conversions through shared memory -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConversionDetail.h"
#include "RegisterGroups.h"
#include "Subspace.h"
#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

SmallVector<unsigned> detail::columnsOfLabels(const LinearLayout &layout,
                                              ArrayRef<StringRef> labels) {
  SmallVector<unsigned> columns;
  unsigned column = 0;
  for (const LabelledDim &in : layout.inDims())
    for (unsigned bit = 0; bit < in.bits; ++bit, ++column)
      if (llvm::is_contained(labels, in.name))
        columns.push_back(column);
  return columns;
}

//===----------------------------------------------------------------------===//
// Through shared memory
//===----------------------------------------------------------------------===//

/// Both sides as seen by one block: the elements a block stores are the image
/// of its registers, lanes and warps, shifted by what its number (and the
/// offset) contribute. Coordinates of that image replace elements; the shift is
/// taken from both sides.
static std::optional<Pair> restrictToBlock(const Pair &pair) {
  const LinearLayout &s = pair.source, &d = pair.destination;
  F2Matrix local = s.matrix().selectColumns(
      columnsOfLabels(s, {"register", "lane", "warp"}));
  F2Matrix basis = local.selectColumns(local.pivotColumns());
  // Unit vectors where possible: coordinates then keep the order of elements.
  F2Matrix units(s.totalOutBits(), 0);
  F2Span span(s.totalOutBits(), basis.cols());
  for (unsigned c = 0; c < basis.cols(); ++c)
    span.insert(basis.column(c));
  F2Matrix identity = F2Matrix::identity(s.totalOutBits());
  for (unsigned c = 0; c < identity.cols(); ++c)
    if (span.contains(identity.column(c)))
      units.appendColumn(identity.column(c));
  if (units.cols() == basis.cols())
    basis = units;

  F2Matrix destination = d.matrix();
  unsigned start = d.inStart("block");
  for (unsigned bit = 0; bit < d.inBits("block"); ++bit)
    for (auto [a, b] : llvm::zip_equal(destination.column(start + bit),
                                       s.flatBasis("block", bit)))
      a ^= b;
  F2Matrix shift(s.totalOutBits(), 0);
  F2Vector difference(d.flatOffset());
  for (auto [a, b] : llvm::zip_equal(difference, s.flatOffset()))
    a ^= b;
  shift.appendColumn(difference);
  std::optional<F2Matrix> sourcePart = basis.solve(local);
  std::optional<F2Matrix> destinationPart = basis.solve(destination);
  std::optional<F2Matrix> shiftPart = basis.solve(shift);
  if (!sourcePart || !destinationPart || !shiftPart)
    return std::nullopt;
  // The source's block columns are 0 now.
  F2Matrix sourceColumns =
      sourcePart->concatColumns(F2Matrix(basis.cols(), s.inBits("block")));
  LinearLayout::Dims element{{"element", basis.cols()}};
  return Pair{LinearLayout::fromMatrix(LinearLayout::Dims(s.inDims()), element,
                                       std::move(sourceColumns)),
              LinearLayout::fromMatrix(LinearLayout::Dims(d.inDims()), element,
                                       std::move(*destinationPart),
                                       shiftPart->column(0))};
}

/// Whether some element is in several warps.
static bool isInSeveralWarps(const LinearLayout &layout) {
  Subspace elements(columnsOf(layout, "register"));
  elements.insertAll(columnsOf(layout, "lane"));
  return !llvm::all_of(columnsOf(layout, "warp"), [&](uint64_t column) {
    return elements.insert(column);
  });
}

/// A warp barrier is enough where each warp has a part of the scratch for
/// itself. In parts, the next one overwrites what other warps read.
static BarrierScope barrierOf(const Pair &pair, ConvertReach reach,
                              unsigned repetitions) {
  bool own = reach <= ConvertReach::Warp && repetitions == 1 &&
             !isInSeveralWarps(pair.source) &&
             !isInSeveralWarps(pair.destination);
  return own ? BarrierScope::Warp : BarrierScope::Block;
}

namespace {
/// Register bits that both sides loop over, so that only a part of the tile is
/// in the scratch at a time.
struct TileParts {
  /// Of the whole layouts, ascending in the order of splitting.
  SmallVector<unsigned> sourceBits, destinationBits;

  unsigned count() const { return 1u << sourceBits.size(); }
  /// Takes one bit of the tile out of both sides: a unit vector that is a
  /// register on both and that nothing else touches. False if there is none.
  bool split(Pair &pair);
  /// Repeats the groups of one part for all parts; `bits`: sourceBits or
  /// destinationBits.
  void expand(SharedAccess &access, ArrayRef<unsigned> bits) const;
};
} // namespace

/// The only column of `layout` with this bit of the element set, if it is a
/// register's and has no other bit.
static std::optional<unsigned> onlyRegisterWith(const LinearLayout &layout,
                                                unsigned bit) {
  std::optional<unsigned> found;
  uint64_t unit = uint64_t{1} << bit;
  if (layout.flatOffset()[0] & unit)
    return std::nullopt;
  for (unsigned c = 0; c < layout.totalInBits(); ++c) {
    uint64_t column = layout.matrix().column(c)[0];
    if (!(column & unit))
      continue;
    if (found || column != unit || c >= layout.inBits("register"))
      return std::nullopt;
    found = c;
  }
  return found;
}

static LinearLayout withoutBit(const LinearLayout &layout, unsigned reg,
                               unsigned bit) {
  LinearLayout removed = layout.removeInBits("register", uint64_t{1} << reg);
  SmallVector<unsigned> rows;
  for (unsigned row = 0; row < layout.totalOutBits(); ++row)
    if (row != bit)
      rows.push_back(row);
  uint64_t offset = layout.flatOffset()[0];
  uint64_t low = (uint64_t{1} << bit) - 1;
  offset = (offset & low) | ((offset >> 1) & ~low);
  return LinearLayout::fromMatrix(
      LinearLayout::Dims(removed.inDims()),
      {{"element", unsigned(rows.size())}}, removed.matrix().selectRows(rows),
      rows.empty() ? ArrayRef<uint64_t>() : ArrayRef<uint64_t>(offset));
}

bool TileParts::split(Pair &pair) {
  for (unsigned bit = pair.source.totalOutBits(); bit-- > 0;) {
    auto s = onlyRegisterWith(pair.source, bit);
    auto d = onlyRegisterWith(pair.destination, bit);
    if (!s || !d)
      continue;
    pair = {withoutBit(pair.source, *s, bit),
            withoutBit(pair.destination, *d, bit)};
    sourceBits.push_back(*s);
    destinationBits.push_back(*d);
    return true;
  }
  return false;
}

void TileParts::expand(SharedAccess &access, ArrayRef<unsigned> bits) const {
  // Bits were taken out one after the other: put them back in reverse.
  auto whole = [&](uint64_t reg, uint64_t part) {
    for (size_t i = bits.size(); i-- > 0;) {
      uint64_t low = (uint64_t{1} << bits[i]) - 1;
      reg = (reg & low) | ((reg & ~low) << 1) | ((part >> i) & 1) << bits[i];
    }
    return reg;
  };
  SmallVector<RegisterGroup, 8> groups;
  SmallVector<unsigned, 16> copyOf(access.copyOf.size() << bits.size());
  for (uint64_t part = 0; part < count(); ++part) {
    for (const RegisterGroup &group : access.groups) {
      groups.push_back(group);
      for (unsigned &reg : groups.back().registers)
        reg = whole(reg, part);
    }
    for (unsigned reg = 0; reg < access.copyOf.size(); ++reg)
      copyOf[whole(reg, part)] = whole(access.copyOf[reg], part);
  }
  access.groups = std::move(groups);
  access.copyOf = std::move(copyOf);
}

/// Rank of the words and of the banks that a phase of a vector access touches.
static std::string describeConflicts(const SharedAccess &access) {
  return "its lanes reach " +
         std::to_string(access.perAccess.count / access.perAccess.ideal) +
         " words of a bank in each phase";
}

/// Why elements are not moved in whole words of a bank.
static std::string describeNarrowWords(const Pair &local, unsigned accessBits) {
  Subspace both(columnsOf(local.source, "register"));
  unsigned rank = both.rank();
  Subspace destination(columnsOf(local.destination, "register"));
  rank += destination.rank();
  both.insertAll(columnsOf(local.destination, "register"));
  unsigned common = rank - both.rank();
  std::string start =
      "it moves " + std::to_string(accessBits) + " of the 32 bits of a bank: ";
  if (common == 0)
    return start + "no two elements share a thread on both sides";
  return start + "both sides have 2^" + std::to_string(common) +
         " elements in a thread, but wider words would take more permutes "
         "than they save wavefronts";
}

/// What keeps the traffic from one wavefront for each 128 bytes.
static std::string describeBound(const SharedConversion &shared,
                                 const Pair &local, unsigned elemBits) {
  std::string text;
  for (const SharedAccess *access : {&shared.store, &shared.load}) {
    unsigned bits = access->vectorElems * elemBits;
    std::string why;
    if (access->perAccess.extra() > 0)
      why = describeConflicts(*access);
    else if (bits < 32 && access->groups.size() > 1)
      why = describeNarrowWords(local, bits);
    else
      continue;
    text += (text.empty() ? "" : "; ") +
            std::string(access == &shared.store ? "store: " : "load: ") + why;
  }
  return text;
}

static Expected<SharedConversion>
planWholeTile(const Pair &local, unsigned elemBits,
              const TargetDescription &target,
              const ConversionOptions &options) {
  SharedUser users[2];
  users[0].registers = local.source;
  users[0].isStore = true;
  users[1].registers = local.destination;
  for (SharedUser &user : users)
    user.allowMatrix = options.allowMatrix;
  Expected<SharedChoice> choice = chooseSharedLayout(users, elemBits, target);
  if (!choice)
    return choice.takeError();
  SharedConversion shared;
  shared.layout = std::move(choice->layout);
  shared.store = std::move(choice->accesses[0]);
  shared.load = std::move(choice->accesses[1]);
  shared.scratchBytes =
      (uint64_t{1} << shared.layout.totalInBits()) * elemBits / 8;
  shared.bound = describeBound(shared, local, elemBits);
  return shared;
}

Expected<SharedConversion>
detail::planShared(const Pair &pair, ConvertReach reach, unsigned elemBits,
                   const TargetDescription &target,
                   const ConversionOptions &options) {
  std::optional<Pair> local = restrictToBlock(pair);
  if (!local)
    return failure("the conversion moves data between blocks of a cluster");
  uint64_t bytes = (uint64_t{1} << local->source.totalOutBits()) * elemBits / 8;
  TileParts parts;
  for (uint64_t part = bytes; part > target.sharedBytesPerBlock; part /= 2)
    if (!options.allowRepetitions || !parts.split(*local))
      return failure("the conversion needs " + Twine(part) +
                     " bytes of shared memory, a block on " + target.name +
                     " has " + Twine(target.sharedBytesPerBlock));
  Expected<SharedConversion> planned =
      planWholeTile(*local, elemBits, target, options);
  if (!planned)
    return planned.takeError();
  SharedConversion shared = std::move(*planned);
  shared.repetitions = parts.count();
  parts.expand(shared.store, parts.sourceBits);
  parts.expand(shared.load, parts.destinationBits);
  shared.barrier = barrierOf(pair, reach, shared.repetitions);
  return shared;
}

//===----------------------------------------------------------------------===//
// Between blocks
//===----------------------------------------------------------------------===//

/// Which block's scratch a place reads. Where the source has replicas over
/// blocks, the reader's own block is taken.
static LinearLayout sourceBlockOf(const LinearLayout &source,
                                  const LinearLayout &map) {
  SmallVector<StringRef> ins(registerLabels());
  LinearLayout result = map.sublayout(ins, {"block"});
  F2Matrix columns = result.matrix();
  uint64_t replicas = source.zeroBasisMask("block");
  for (unsigned bit = 0; bit < source.inBits("block"); ++bit)
    if ((replicas >> bit) & 1)
      for (unsigned c = 0; c < columns.cols(); ++c)
        columns.set(bit, c, c == result.inStart("block") + bit);
  F2Vector offset(result.flatOffset());
  for (uint64_t &word : offset)
    word &= ~replicas;
  return LinearLayout::fromMatrix(LinearLayout::Dims(result.inDims()),
                                  LinearLayout::Dims(result.outDims()),
                                  std::move(columns), offset);
}

/// The destination as if every element it reads were in its own block.
static LinearLayout readLocally(const Pair &pair, const LinearLayout &block) {
  const LinearLayout &s = pair.source, &d = pair.destination;
  F2Matrix blocks = s.matrix().selectColumns(columnsOfLabels(s, {"block"}));
  auto shifted = [&](ArrayRef<uint64_t> element, ArrayRef<uint64_t> number) {
    F2Vector result(element);
    for (auto [a, b] : llvm::zip_equal(result, blocks * number))
      a ^= b;
    return result;
  };
  F2Matrix columns(d.totalOutBits(), 0);
  for (unsigned c = 0; c < d.totalInBits(); ++c)
    columns.appendColumn(
        shifted(d.matrix().column(c), block.matrix().column(c)));
  // restrictToBlock adds the reader's own block; take it away beforehand.
  unsigned start = d.inStart("block");
  for (unsigned bit = 0; bit < d.inBits("block"); ++bit)
    for (auto [a, b] : llvm::zip_equal(columns.column(start + bit),
                                       s.flatBasis("block", bit)))
      a ^= b;
  return LinearLayout::fromMatrix(
      LinearLayout::Dims(d.inDims()), LinearLayout::Dims(d.outDims()),
      std::move(columns), shifted(d.flatOffset(), block.flatOffset()));
}

/// One output of the bits of both, the first in the low bits.
static LinearLayout stackOutputs(const LinearLayout &low,
                                 const LinearLayout &high) {
  unsigned lowBits = low.totalOutBits();
  unsigned bits = lowBits + high.totalOutBits();
  auto join = [&](ArrayRef<uint64_t> a, ArrayRef<uint64_t> b) {
    return (a.empty() ? 0 : a[0]) | (b.empty() ? 0 : b[0]) << lowBits;
  };
  SmallVector<uint64_t> columns;
  for (unsigned c = 0; c < low.totalInBits(); ++c)
    columns.push_back(join(low.matrix().column(c), high.matrix().column(c)));
  uint64_t offset = join(low.flatOffset(), high.flatOffset());
  return LinearLayout::fromMatrix(
      LinearLayout::Dims(low.inDims()), {{"offset", bits}},
      F2Matrix::fromColumns(bits, columns),
      bits ? ArrayRef<uint64_t>(offset) : ArrayRef<uint64_t>());
}

Expected<ConversionPlan> detail::planCluster(const Pair &pair,
                                             const LinearLayout &map,
                                             unsigned elemBits,
                                             const TargetDescription &target,
                                             const ConversionOptions &options) {
  ConversionPlan plan;
  plan.kind = ConversionKind::Cluster;
  plan.reach = ConvertReach::Cluster;
  plan.elemBits = elemBits;
  LinearLayout block = sourceBlockOf(pair.source, map);
  Pair local{pair.source, readLocally(pair, block)};
  ConversionOptions noMatrix = options;
  noMatrix.allowMatrix = false; // they cannot read another block's memory
  Expected<SharedConversion> shared =
      planShared(local, plan.reach, elemBits, target, noMatrix);
  if (!shared)
    return shared.takeError();
  if (shared->repetitions > 1)
    return failure("the conversion between blocks needs more than the " +
                   Twine(target.sharedBytesPerBlock) +
                   " bytes of shared memory that a block on " + target.name +
                   " has");
  plan.shared = std::move(*shared);
  // The block's number goes above the offset: a vector then comes from one
  // block, and equal offsets in different blocks are no copies.
  Expected<LinearLayout> offset =
      placeToOffset(restrictToBlock(local)->destination, plan.shared.layout);
  if (!offset)
    return offset.takeError();
  SharedAccessOptions loadOptions;
  loadOptions.allowMatrix = false;
  Expected<SharedAccess> load = planOffsetAccess(stackOutputs(*offset, block),
                                                 elemBits, target, loadOptions);
  if (!load)
    return load.takeError();
  plan.shared.load = std::move(*load);
  plan.shared.barrier = BarrierScope::Cluster;
  return plan;
}
