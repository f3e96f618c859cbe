//===- ConversionPlan.cpp - From one register layout to another -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConversionDetail.h"
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
  if (exchanges && costOfExchange(plan) <= costOfShared(*shared))
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
