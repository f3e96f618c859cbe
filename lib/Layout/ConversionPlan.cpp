//===- ConversionPlan.cpp - From one register layout to another -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/ConversionPlan.h"

#include "RegisterGroups.h"
#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

StringRef layout::stringifyKind(ConversionKind kind) {
  static constexpr StringRef names[] = {"noop", "register", "shuffle", "shared",
                                        "cluster"};
  return names[static_cast<unsigned>(kind)];
}

StringRef layout::stringifyScope(BarrierScope scope) {
  static constexpr StringRef names[] = {"none", "warp", "block", "cluster"};
  return names[static_cast<unsigned>(scope)];
}

static unsigned wordsPerValue(unsigned elemBits) {
  return std::max(1u, elemBits / 32);
}

unsigned ConversionPlan::shuffles() const {
  return exchange.shuffles() * wordsPerValue(elemBits);
}

unsigned ConversionPlan::selects() const {
  return exchange.selects() * wordsPerValue(elemBits);
}

unsigned ConversionPlan::permutes() const {
  return kind == ConversionKind::Noop ? 0 : exchange.permutes();
}

//===----------------------------------------------------------------------===//
// Normal forms
//===----------------------------------------------------------------------===//

namespace {
/// Both layouts over register, lane, warp, block with equal numbers of lanes,
/// warps and blocks, dims flattened to one label "element".
struct Pair {
  LinearLayout source, destination;
};
} // namespace

static Pair normalize(const LinearLayout &source,
                      const LinearLayout &destination) {
  Pair pair{source.withIns(registerLabels()).flattenOuts("element"),
            destination.withIns(registerLabels()).flattenOuts("element")};
  for (StringRef label : {"lane", "warp", "block"}) {
    unsigned bits = std::max(source.inBits(label), destination.inBits(label));
    pair.source = pair.source.padInWithZeros(label, bits);
    pair.destination = pair.destination.padInWithZeros(label, bits);
  }
  return pair;
}

/// The in bits of the named labels, as generators of an equation.
static SmallVector<unsigned> columnsOfLabels(const LinearLayout &layout,
                                             ArrayRef<StringRef> labels) {
  SmallVector<unsigned> columns;
  unsigned column = 0;
  for (const LabelledDim &in : layout.inDims())
    for (unsigned bit = 0; bit < in.bits; ++bit, ++column)
      if (llvm::is_contained(labels, in.name))
        columns.push_back(column);
  return columns;
}

/// A place of `source` over the given columns that holds `element`, if any.
static std::optional<uint64_t> placeOf(const LinearLayout &source,
                                       ArrayRef<unsigned> columns,
                                       ArrayRef<uint64_t> element) {
  F2Matrix target(source.totalOutBits(), 0);
  target.appendColumn(element);
  std::optional<F2Matrix> sum =
      source.matrix().selectColumns(columns).solve(target);
  if (!sum)
    return std::nullopt;
  uint64_t place = 0;
  for (auto [index, column] : llvm::enumerate(columns))
    if (sum->get(index, 0))
      place |= uint64_t{1} << column;
  return place;
}

/// Of the convert maps within a warp one that moves little: each bit stays in
/// its thread if it can. `pair` must allow it.
static LinearLayout convertMapInWarp(const Pair &pair) {
  const LinearLayout &s = pair.source, &d = pair.destination;
  SmallVector<unsigned> near = columnsOfLabels(s, {"register"});
  SmallVector<unsigned> far = columnsOfLabels(s, {"register", "lane"});
  F2Matrix columns(s.totalInBits(), 0);
  auto append = [&](uint64_t place) { columns.appendColumn(place); };
  for (const LabelledDim &in : d.inDims())
    for (unsigned bit = 0; bit < in.bits; ++bit) {
      F2Vector element(d.flatBasis(in.name, bit));
      F2Vector stay(element);
      uint64_t own = 0;
      if (in.name != "register") {
        own = uint64_t{1} << (s.inStart(in.name) + bit);
        for (auto [a, b] : llvm::zip_equal(stay, s.flatBasis(in.name, bit)))
          a ^= b;
      }
      bool same = in.name == "register" && bit < s.inBits("register") &&
                  s.flatBasis(in.name, bit) == ArrayRef<uint64_t>(element);
      if (same)
        append(uint64_t{1} << bit);
      else if (auto place = placeOf(s, near, stay))
        append(*place ^ own);
      else if (in.name == "warp" || in.name == "block")
        append(*placeOf(s, far, stay) ^ own);
      else
        append(*placeOf(s, far, element));
    }
  F2Vector difference(d.flatOffset());
  for (auto [a, b] : llvm::zip_equal(difference, s.flatOffset()))
    a ^= b;
  auto offset = placeOf(s, near, difference);
  if (!offset)
    offset = placeOf(s, far, difference);
  return LinearLayout::fromMatrix(LinearLayout::Dims(d.inDims()),
                                  LinearLayout::Dims(s.inDims()),
                                  std::move(columns), *offset);
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

static BarrierScope barrierOf(const Pair &pair, ConvertReach reach) {
  bool replicated = pair.source.zeroBasisMask("warp") != 0 ||
                    pair.destination.zeroBasisMask("warp") != 0;
  return reach <= ConvertReach::Warp && !replicated ? BarrierScope::Warp
                                                    : BarrierScope::Block;
}

static Expected<SharedConversion>
planShared(const Pair &pair, ConvertReach reach, unsigned elemBits,
           const TargetDescription &target, const ConversionOptions &options) {
  std::optional<Pair> local = restrictToBlock(pair);
  if (!local)
    return failure("the conversion moves data between blocks of a cluster");
  SharedUser users[2];
  users[0].registers = local->source;
  users[0].isStore = true;
  users[1].registers = local->destination;
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
  shared.barrier = barrierOf(pair, reach);
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

static Expected<ConversionPlan>
planCluster(const Pair &pair, const LinearLayout &map, unsigned elemBits,
            const TargetDescription &target, const ConversionOptions &options) {
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

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

/// Rough issue slots a warp: a shuffle and a wavefront occupy the same pipe; a
/// select or a permute is half a slot; waiting for the stores and the barrier
/// is what shared memory costs beyond its traffic.
static double costOfExchange(const ConversionPlan &plan) {
  return plan.shuffles() + 0.5 * (plan.selects() + plan.permutes());
}

static double costOfShared(const SharedConversion &shared) {
  double barrier = shared.barrier == BarrierScope::Warp ? 4 : 24;
  return static_cast<double>(shared.store.wavefronts() +
                             shared.load.wavefronts()) +
         0.5 * static_cast<double>(shared.store.instructions() +
                                   shared.load.instructions()) +
         barrier + 20;
}

static llvm::Error checkConversion(const LinearLayout &source,
                                   const LinearLayout &destination,
                                   unsigned elemBits,
                                   const TargetDescription &target) {
  if (!llvm::has_single_bit(elemBits) || elemBits > 128)
    return failure("elements of " + Twine(elemBits) +
                   " bits, expected 1, 2, 4, ... 128");
  for (const LinearLayout *layout : {&source, &destination}) {
    if (layout->inBits("register") > maxRegisterBits)
      return failure("2^" + Twine(layout->inBits("register")) +
                     " registers a thread, expected at most 2^" +
                     Twine(maxRegisterBits));
    if (layout->inSize("lane") > target.warpSize)
      return failure("the layout has " + Twine(layout->inSize("lane")) +
                     " lanes, a warp of " + target.name + " has " +
                     Twine(target.warpSize));
    if (layout->inBits("warp") > 6 || layout->inBits("block") > 6)
      return failure("the layout has " + Twine(layout->inSize("warp")) +
                     " warps and " + Twine(layout->inSize("block")) +
                     " blocks, expected at most 64 of each");
    if (layout->totalOutBits() > 40)
      return failure("a tile of 2^" + Twine(layout->totalOutBits()) +
                     " elements");
  }
  return llvm::Error::success();
}

static RegisterExchange identityExchange(unsigned registerBits) {
  RegisterExchange exchange;
  for (unsigned r = 0; r >> registerBits == 0; ++r) {
    exchange.words.push_back({r});
    exchange.results.push_back({r, 0});
  }
  return exchange;
}

/// Beyond this a program of shuffles is longer than any trip through memory.
static constexpr unsigned maxExchangeBits = 9;

static Expected<ConversionPlan> choosePlan(const Pair &pair, ConvertReach reach,
                                           unsigned elemBits,
                                           const TargetDescription &target,
                                           const ConversionOptions &options) {
  ConversionPlan plan;
  plan.reach = reach;
  plan.elemBits = elemBits;
  if (reach == ConvertReach::Nowhere) {
    plan.exchange = identityExchange(pair.destination.inBits("register"));
    return plan;
  }
  bool inWarp = reach <= ConvertReach::Warp;
  bool small = std::max(pair.source.inBits("register"),
                        pair.destination.inBits("register")) <= maxExchangeBits;
  bool exchanges = reach <= ConvertReach::Thread ||
                   (inWarp && small && options.allowShuffle);
  if (exchanges) {
    plan.exchange = planRegisterExchange(convertMapInWarp(pair), elemBits,
                                         options.allowPermute);
    plan.kind = plan.exchange.shuffles() ? ConversionKind::Shuffle
                                         : ConversionKind::Register;
  }
  if (reach <= ConvertReach::Thread)
    return plan;
  Expected<SharedConversion> shared =
      planShared(pair, reach, elemBits, target, options);
  if (!shared) {
    if (!exchanges)
      return shared.takeError();
    llvm::consumeError(shared.takeError());
    return plan;
  }
  bool fits = shared->scratchBytes <= target.sharedBytesPerBlock;
  if (exchanges && (!fits || costOfExchange(plan) <= costOfShared(*shared)))
    return plan;
  plan.kind = ConversionKind::Shared;
  plan.exchange = {};
  plan.shared = std::move(*shared);
  return plan;
}

Expected<ConversionPlan>
layout::planConversion(const LinearLayout &source,
                       const LinearLayout &destination, unsigned elemBits,
                       const TargetDescription &target,
                       const ConversionOptions &options) {
  elemBits = std::max(elemBits, 8u);
  if (auto error = checkConversion(source, destination, elemBits, target))
    return std::move(error);
  Expected<ConvertMap> nearest = nearestConvertMap(source, destination);
  if (!nearest)
    return nearest.takeError();
  Pair pair = normalize(source, destination);
  Expected<ConversionPlan> plan =
      nearest->reach == ConvertReach::Cluster
          ? planCluster(pair, nearest->map, elemBits, target, options)
          : choosePlan(pair, nearest->reach, elemBits, target, options);
  if (plan)
    plan->verified = verifyConversion(*plan, source, destination);
  return plan;
}
