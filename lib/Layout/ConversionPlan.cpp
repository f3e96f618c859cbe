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
#include "llvm/Support/FormatVariadic.h"

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

unsigned ConversionPlan::shuffles() const {
  return exchange.shuffles() * exchange.wordsPerValue();
}

unsigned ConversionPlan::selects() const {
  return exchange.selects() * exchange.wordsPerValue();
}

unsigned ConversionPlan::permutes() const {
  return kind == ConversionKind::Noop ? 0 : exchange.permutes();
}

uint64_t ConversionPlan::instructions() const {
  return shuffles() + selects() + permutes() + shared.store.instructions() +
         shared.load.instructions();
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

/// The same map, where lanes of the source that hold copies are asked in turn:
/// each bit of a reading lane that chooses a register chooses a copy as well.
/// Nothing where there are no copies or they are asked already.
static std::optional<LinearLayout> spreadOverCopies(const LinearLayout &source,
                                                    const LinearLayout &map) {
  uint64_t copies = source.zeroBasisMask("lane");
  unsigned firstLane = map.inStart("lane");
  for (unsigned c = 0; c < map.totalInBits(); ++c)
    copies &= ~(map.matrix().column(c)[0] >> source.inStart("lane"));
  F2Matrix columns(map.totalOutBits(), 0);
  bool changed = false;
  for (unsigned c = 0; c < map.totalInBits(); ++c) {
    F2Vector place(map.matrix().column(c));
    bool isLane = c >= firstLane && c < firstLane + map.inBits("lane");
    bool isRegister =
        place[0] != 0 && place[0] >> source.inBits("register") == 0;
    if (isLane && isRegister && copies) {
      place[0] ^= (copies & -copies) << source.inStart("lane");
      copies &= copies - 1;
      changed = true;
    }
    columns.appendColumn(place);
  }
  if (!changed)
    return std::nullopt;
  return LinearLayout::fromMatrix(LinearLayout::Dims(map.inDims()),
                                  LinearLayout::Dims(map.outDims()),
                                  std::move(columns), map.flatOffset());
}

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

static double costOfBarrier(BarrierScope scope, const ExchangeCosts &costs) {
  switch (scope) {
  case BarrierScope::None:
    return 0;
  case BarrierScope::Warp:
    return costs.warpBarrier;
  case BarrierScope::Block:
    return costs.blockBarrier;
  case BarrierScope::Cluster:
    return costs.clusterBarrier;
  }
  llvm_unreachable("all scopes are covered");
}

/// Of several lanes with the same elements one stores, the others are idle.
static uint64_t wavefrontsOfStore(const SharedAccess &store, unsigned elemBits,
                                  const TargetDescription &target) {
  if (store.op != SharedOp::Vector)
    return store.wavefronts();
  SmallVector<uint64_t> lanes;
  for (unsigned bit = 0; bit < store.thread.inBits("lane"); ++bit)
    lanes.push_back(store.thread.basis("lane", bit, "offset"));
  return store.instructions() *
         vectorWavefronts(lanes, store.vectorElems, elemBits, target,
                          store.thread.zeroBasisMask("lane"))
             .count;
}

/// Repetitions wait once for the stores and once more for the loads before the
/// next stores.
static double costOfShared(const SharedConversion &shared, unsigned elemBits,
                           const TargetDescription &target) {
  const ExchangeCosts &costs = target.costs;
  uint64_t wavefronts = wavefrontsOfStore(shared.store, elemBits, target) +
                        shared.load.wavefronts();
  uint64_t accesses = shared.store.instructions() + shared.load.instructions();
  double wait = costs.sharedLatency + costOfBarrier(shared.barrier, costs);
  return costs.wavefront * wavefronts + costs.sharedIssue * accesses +
         wait * (2 * shared.repetitions - 1);
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

namespace {
/// Chooses between the kinds of plans for one pair.
class PlanChooser {
public:
  PlanChooser(const Pair &pair, const ConvertMap &nearest, unsigned elemBits,
              const TargetDescription &target, const ConversionOptions &options)
      : pair(pair), nearest(nearest), elemBits(elemBits), target(target),
        options(options) {}

  Expected<ConversionPlan> run();

private:
  Expected<ConversionPlan> choose();
  std::optional<ConversionPlan> planExchange();
  Expected<ConversionPlan> planThroughMemory();
  ConversionPlan emptyPlan(ConversionKind kind) const;
  void explain(ConversionPlan &plan);

  const Pair &pair;
  const ConvertMap &nearest;
  unsigned elemBits;
  const TargetDescription &target;
  const ConversionOptions &options;
  SmallVector<PlanAlternative, 3> considered; ///< possible or refused.
};
} // namespace

ConversionPlan PlanChooser::emptyPlan(ConversionKind kind) const {
  ConversionPlan plan;
  plan.kind = kind;
  plan.reach = nearest.reach;
  plan.elemBits = elemBits;
  return plan;
}

/// Within a warp, where the data allows it and the program has a sane size.
std::optional<ConversionPlan> PlanChooser::planExchange() {
  bool small = std::max(pair.source.inBits("register"),
                        pair.destination.inBits("register")) <= maxExchangeBits;
  bool inThread = nearest.reach <= ConvertReach::Thread;
  if (!inThread &&
      (nearest.reach > ConvertReach::Warp || !small || !options.allowShuffle))
    return std::nullopt;
  ConversionPlan plan = emptyPlan(ConversionKind::Register);
  LinearLayout map = convertMapInWarp(pair);
  plan.exchange =
      planRegisterExchange(map, elemBits, target, options.allowPermute);
  plan.cost = costOfExchange(plan.exchange, target);
  if (plan.exchange.shuffles())
    plan.kind = ConversionKind::Shuffle;
  std::optional<LinearLayout> spread = spreadOverCopies(pair.source, map);
  if (plan.exchange.shuffles() < 2 || !spread)
    return plan;
  RegisterExchange other =
      planRegisterExchange(*spread, elemBits, target, options.allowPermute);
  if (double cost = costOfExchange(other, target); cost < plan.cost) {
    plan.exchange = std::move(other);
    plan.cost = cost;
  }
  return plan;
}

Expected<ConversionPlan> PlanChooser::planThroughMemory() {
  if (nearest.reach == ConvertReach::Cluster) {
    Expected<ConversionPlan> plan =
        planCluster(pair, nearest.map, elemBits, target, options);
    if (plan)
      plan->cost = costOfShared(plan->shared, elemBits, target);
    return plan;
  }
  ConversionPlan plan = emptyPlan(ConversionKind::Shared);
  Expected<SharedConversion> shared =
      planShared(pair, nearest.reach, elemBits, target, options);
  if (!shared)
    return shared.takeError();
  plan.shared = std::move(*shared);
  plan.cost = costOfShared(plan.shared, elemBits, target);
  return plan;
}

static PlanAlternative alternativeOf(const ConversionPlan &plan) {
  PlanAlternative result;
  result.kind = plan.kind;
  result.possible = true;
  result.cost = plan.cost;
  result.instructions = plan.instructions();
  result.wavefronts =
      plan.shared.store.wavefronts() + plan.shared.load.wavefronts();
  return result;
}

Expected<ConversionPlan> PlanChooser::choose() {
  if (nearest.reach == ConvertReach::Nowhere) {
    ConversionPlan plan = emptyPlan(ConversionKind::Noop);
    plan.exchange = identityExchange(pair.destination.inBits("register"));
    considered.push_back(alternativeOf(plan));
    return plan;
  }
  std::optional<ConversionPlan> exchange = planExchange();
  if (exchange)
    considered.push_back(alternativeOf(*exchange));
  if (exchange && nearest.reach <= ConvertReach::Thread && !options.explain)
    return std::move(*exchange);
  Expected<ConversionPlan> memory = planThroughMemory();
  if (memory) {
    considered.push_back(alternativeOf(*memory));
    bool keep = exchange && (nearest.reach <= ConvertReach::Thread ||
                             exchange->cost <= memory->cost);
    return keep ? Expected<ConversionPlan>(std::move(*exchange))
                : std::move(memory);
  }
  if (!exchange)
    return memory.takeError();
  PlanAlternative refused;
  refused.kind = ConversionKind::Shared;
  refused.reason = llvm::toString(memory.takeError());
  considered.push_back(std::move(refused));
  return std::move(*exchange);
}

void PlanChooser::explain(ConversionPlan &plan) {
  for (auto kind :
       {ConversionKind::Noop, ConversionKind::Register, ConversionKind::Shuffle,
        ConversionKind::Shared, ConversionKind::Cluster}) {
    const auto *it = llvm::find_if(
        considered, [&](const auto &other) { return other.kind == kind; });
    PlanAlternative alternative;
    if (it != considered.end())
      alternative = *it;
    alternative.kind = kind;
    if (kind == plan.kind)
      ; // no reason against it
    else if (alternative.possible)
      alternative.reason = llvm::formatv("{0:f1} slots against {1:f1}",
                                         alternative.cost, plan.cost);
    else if (alternative.reason.empty())
      alternative.reason = whyNot(kind, nearest, options.allowShuffle);
    plan.alternatives.push_back(std::move(alternative));
  }
}

Expected<ConversionPlan> PlanChooser::run() {
  Expected<ConversionPlan> plan = choose();
  if (plan && options.explain)
    explain(*plan);
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
      PlanChooser(pair, *nearest, elemBits, target, options).run();
  if (plan && options.verify)
    plan->verified = verifyConversion(*plan, source, destination);
  return plan;
}
