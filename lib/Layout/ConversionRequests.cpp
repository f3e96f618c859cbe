//===- ConversionRequests.cpp - Conversions and conflicts in JSON ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RequestReader.h"

#include "mirage/Layout/ConversionPlan.h"
#include "mirage/Layout/LayoutRequests.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Which bits move
//===----------------------------------------------------------------------===//

/// "dim0 bit 2 + dim1 bit 0" or, with `between` a space, "lane 3 + register 0".
static std::string namedBits(ArrayRef<LabelledDim> dims,
                             ArrayRef<uint64_t> numbers, StringRef between) {
  llvm::SmallVector<std::string> parts;
  for (auto [dim, number] : llvm::zip_equal(dims, numbers))
    for (uint64_t rest = number; rest; rest &= rest - 1)
      parts.push_back(
          (dim.name + between + llvm::Twine(llvm::countr_zero(rest))).str());
  return llvm::join(parts, " + ");
}

/// For every bit of a destination place that is taken from elsewhere:
/// "dim0 bit 2: lane 3 -> register 1". `map` sends a place of the destination
/// to the place of the source that it is taken from.
static std::vector<std::string> bitsThatMove(const LinearLayout &map,
                                             const LinearLayout &destination) {
  std::vector<std::string> moves;
  for (const LabelledDim &in : destination.inDims())
    for (unsigned bit = 0; bit < in.bits; ++bit) {
      auto element = destination.basis(in.name, bit);
      auto place = map.basis(in.name, bit);
      std::string from = namedBits(map.outDims(), place, " ");
      std::string to = in.name + " " + std::to_string(bit);
      bool isReplica = llvm::all_of(element, [](uint64_t n) { return n == 0; });
      if (!isReplica && from != to)
        moves.push_back(namedBits(destination.outDims(), element, " bit ") +
                        ": " + from + " -> " + to);
    }
  return moves;
}

//===----------------------------------------------------------------------===//
// convert
//===----------------------------------------------------------------------===//

namespace {
/// A conversion that was asked for and its plan.
struct PlannedRequest {
  ConversionPlan plan;
  const TargetDescription *target = nullptr;
  std::vector<std::string> moves;

  bool usesMemory() const { return plan.kind >= ConversionKind::Shared; }
};
} // namespace

/// Success iff the source holds what every basis of the destination names.
static llvm::Error checkHolds(const LinearLayout &source,
                              const LinearLayout &destination) {
  if (source.outDims() != destination.outDims())
    return llvm::Error::success(); // said better by the planner
  F2Span span(source.totalOutBits(), source.totalInBits());
  for (unsigned column = 0; column < source.totalInBits(); ++column)
    span.insert(source.matrix().column(column));
  for (const LabelledDim &in : destination.inDims())
    for (unsigned bit = 0; bit < in.bits; ++bit)
      if (!span.contains(destination.flatBasis(in.name, bit)))
        return llvm::make_error<NoAnswer>(
            ("'src' does not hold every element of 'dst': basis " +
             llvm::Twine(bit) + " of '" + in.name + "' of 'dst', " +
             namedBits(destination.outDims(), destination.basis(in.name, bit),
                       " bit ") +
             ", is no sum of bases of 'src'")
                .str());
  return llvm::Error::success();
}

static Expected<PlannedRequest> planRequest(const OrderedJson &request) {
  RequestReader reader(request);
  LinearLayout source = reader.registers("src");
  LinearLayout destination = reader.registers("dst");
  unsigned bits = reader.elemBits();
  PlannedRequest result;
  result.target = reader.target();
  if (llvm::Error error = reader.error())
    return std::move(error);
  destination = inOrderOf(destination, source);
  if (llvm::Error error = checkHolds(source, destination))
    return std::move(error);
  ConversionOptions options;
  options.explain = true;
  Expected<ConversionPlan> plan =
      planConversion(source, destination, bits, *result.target, options);
  if (!plan)
    return noAnswer(plan.takeError());
  Expected<ConvertMap> nearest = nearestConvertMap(source, destination);
  if (!nearest)
    return noAnswer(nearest.takeError());
  result.plan = std::move(*plan);
  result.moves = bitsThatMove(nearest->map, destination);
  return result;
}

static void writeAccess(llvm::json::OStream &json,
                        const PlannedRequest &request, bool isStore) {
  const ConversionPlan &plan = request.plan;
  const SharedAccess &access = isStore ? plan.shared.store : plan.shared.load;
  bool used = request.usesMemory();
  unsigned bits =
      access.groups.empty() ? 0 : access.vectorElems * plan.elemBits;
  json.attribute(isStore ? "stores" : "loads",
                 used ? access.instructions() : 0);
  json.attribute(isStore ? "store_bits" : "load_bits", used ? bits : 0);
  json.attribute(isStore ? "store_op" : "load_op",
                 used ? sharedOpName(access.op, isStore, *request.target)
                      : "none");
}

static void writeMemory(llvm::json::OStream &json,
                        const PlannedRequest &request) {
  const SharedConversion &memory = request.plan.shared;
  bool used = request.usesMemory();
  writeAccess(json, request, /*isStore=*/true);
  writeAccess(json, request, /*isStore=*/false);
  auto number = [&](StringRef key, uint64_t value) {
    json.attribute(key, used ? value : 0);
  };
  number("store_wavefronts", memory.store.wavefronts());
  number("load_wavefronts", memory.load.wavefronts());
  number("ideal_store_wavefronts", memory.store.idealWavefronts());
  number("ideal_load_wavefronts", memory.load.idealWavefronts());
  number("scratch_bytes", memory.scratchBytes);
  number("repetitions", memory.repetitions);
  json.attribute("barrier",
                 stringifyScope(used ? memory.barrier : BarrierScope::None));
}

static void writeAlternative(llvm::json::OStream &json,
                             const PlanAlternative &alternative) {
  json.object([&] {
    json.attribute("kind", stringifyKind(alternative.kind));
    json.attribute("possible", alternative.possible);
    if (alternative.possible) {
      json.attribute("cost", alternative.cost);
      json.attribute("instructions", alternative.instructions);
      json.attribute("wavefronts", alternative.wavefronts);
    }
    json.attribute("reason", alternative.reason);
  });
}

static std::string planLine(const PlannedRequest &request) {
  const ConversionPlan &plan = request.plan;
  return jsonLine([&](llvm::json::OStream &json) {
    json.attribute("kind", stringifyKind(plan.kind));
    json.attribute("shuffles", plan.shuffles());
    json.attribute("selects", plan.selects());
    json.attribute("permutes", plan.permutes());
    writeMemory(json, request);
    json.attribute("reach", stringifyReach(plan.reach));
    json.attribute("verified", plan.verified);
    json.attribute("cost", plan.cost);
    json.attributeArray("alternatives", [&] {
      for (const PlanAlternative &alternative : plan.alternatives)
        writeAlternative(json, alternative);
    });
    json.attributeArray("moves", [&] {
      for (const std::string &move : request.moves)
        json.value(move);
    });
    if (!plan.shared.bound.empty())
      json.attribute("bound", plan.shared.bound);
  });
}

Expected<std::string> detail::answerConvert(const OrderedJson &request) {
  Expected<PlannedRequest> planned = planRequest(request);
  if (!planned)
    return planned.takeError();
  return planLine(*planned);
}

//===----------------------------------------------------------------------===//
// convert, in words
//===----------------------------------------------------------------------===//

static StringRef reachSentence(ConvertReach reach) {
  switch (reach) {
  case ConvertReach::Nowhere:
    return "Every place already holds its element.";
  case ConvertReach::Thread:
    return "Every thread already holds its elements, in other registers.";
  case ConvertReach::Warp:
    return "Elements have to cross lanes, and none has to leave its warp.";
  case ConvertReach::Block:
    return "Elements have to cross warps, and none has to leave its block.";
  case ConvertReach::Cluster:
    return "Elements have to cross blocks.";
  }
  llvm_unreachable("all reaches are covered");
}

static std::string accessSentence(const PlannedRequest &request, bool isStore) {
  const ConversionPlan &plan = request.plan;
  const SharedAccess &access = isStore ? plan.shared.store : plan.shared.load;
  return llvm::formatv(
      "  {0} {1} of {2} bits, {3} wavefronts a warp ({4} would be ideal)\n",
      access.instructions(), sharedOpName(access.op, isStore, *request.target),
      access.vectorElems * plan.elemBits, access.wavefronts(),
      access.idealWavefronts());
}

static std::string planSentences(const PlannedRequest &request) {
  const ConversionPlan &plan = request.plan;
  std::string text = llvm::formatv(
      "Plan: {0}, {1:F1} issue slots of a warp{2}.\n", stringifyKind(plan.kind),
      plan.cost,
      plan.verified ? ", verified on every register, lane and warp" : "");
  if (plan.kind == ConversionKind::Shuffle ||
      plan.kind == ConversionKind::Register)
    text += llvm::formatv("  {0} shuffles, {1} selects, {2} byte permutes\n",
                          plan.shuffles(), plan.selects(), plan.permutes());
  if (!request.usesMemory())
    return text;
  text += accessSentence(request, /*isStore=*/true);
  text += accessSentence(request, /*isStore=*/false);
  text += llvm::formatv("  {0} bytes of scratch, {1} trips, barrier: {2}\n",
                        plan.shared.scratchBytes, plan.shared.repetitions,
                        stringifyScope(plan.shared.barrier));
  if (!plan.shared.bound.empty())
    text +=
        "  more wavefronts than the ideal ones: " + plan.shared.bound + "\n";
  return text;
}

Expected<std::string> layout::explainConversion(const OrderedJson &json) {
  Expected<PlannedRequest> planned = planRequest(json);
  if (!planned)
    return planned.takeError();
  std::string text = reachSentence(planned->plan.reach).str() + "\n";
  if (!planned->moves.empty())
    text += "Bits that move (element: source place -> destination place):\n";
  for (const std::string &move : planned->moves)
    text += "  " + move + "\n";
  text += planSentences(*planned);
  bool first = true;
  for (const PlanAlternative &alternative : planned->plan.alternatives) {
    if (alternative.kind == planned->plan.kind)
      continue;
    if (std::exchange(first, false))
      text += "Other kinds:\n";
    text += ("  " + stringifyKind(alternative.kind) + ": ").str();
    if (alternative.possible)
      text += llvm::formatv("{0:F1} slots, {1} instructions a thread, {2} "
                            "wavefronts",
                            alternative.cost, alternative.instructions,
                            alternative.wavefronts);
    else
      text += "impossible: " + alternative.reason;
    text += "\n";
  }
  return text;
}

//===----------------------------------------------------------------------===//
// conflicts
//===----------------------------------------------------------------------===//

namespace {
/// Why an access takes its wavefronts (BankConflicts.h): of the words that one
/// phase touches, 2^wordRank are different and lie in 2^bankRank banks.
struct ConflictCertificate {
  uint64_t phases = 0, lanesPerPhase = 0;
  unsigned wordRank = 0, bankRank = 0;
};
} // namespace

/// Columns of the map from the lanes of a phase and the words of a vector to
/// the word address, as a matrix.
static F2Matrix wordMatrix(const SharedAccess &access, unsigned elemBits,
                           const TargetDescription &target) {
  llvm::SmallVector<uint64_t> words;
  auto append = [&](uint64_t offset) {
    words.push_back(offset * elemBits / 32);
  };
  for (uint32_t mask : target.phaseLaneMasks(access.vectorElems * elemBits)) {
    uint64_t offset = 0;
    for (unsigned bit = 0; bit < access.thread.inBits("lane"); ++bit)
      if (mask >> bit & 1)
        offset ^= access.thread.basis("lane", bit)[0];
    append(offset);
  }
  for (uint64_t element = 1; element < access.vectorElems; element *= 2)
    append(element);
  return F2Matrix::fromColumns(64, words);
}

static ConflictCertificate certify(const SharedAccess &access,
                                   unsigned elemBits,
                                   const TargetDescription &target) {
  F2Matrix words = wordMatrix(access, elemBits, target);
  auto bankRows = llvm::to_vector(
      llvm::seq<unsigned>(0, llvm::countr_zero(target.sharedBanks)));
  ConflictCertificate certificate;
  certificate.lanesPerPhase =
      uint64_t{1}
      << target.phaseLaneMasks(access.vectorElems * elemBits).size();
  certificate.phases = target.warpSize / certificate.lanesPerPhase;
  certificate.wordRank = words.rank();
  certificate.bankRank = words.selectRows(bankRows).rank();
  return certificate;
}

Expected<std::string> detail::answerConflicts(const OrderedJson &request) {
  RequestReader reader(request);
  LinearLayout registers = reader.registers("registers");
  LinearLayout shared = reader.shared("shared");
  unsigned bits = reader.elemBits();
  const TargetDescription *target = reader.target();
  if (llvm::Error error = reader.error())
    return std::move(error);
  SharedAccessOptions options;
  options.allowMatrix = false;
  Expected<SharedAccess> access = planSharedAccess(
      registers, inOrderOf(shared, registers), bits, *target, options);
  if (!access)
    return noAnswer(access.takeError());
  const Wavefronts &each = access->perAccess;
  ConflictCertificate why = certify(*access, bits, *target);
  return jsonLine([&](llvm::json::OStream &json) {
    json.attribute("load_wavefronts", each.count);
    json.attribute("store_wavefronts", each.count);
    json.attribute("ideal", each.ideal);
    json.attribute("extra", each.extra());
    json.attribute("vector_elems", access->vectorElems);
    json.attribute("accesses", access->instructions());
    // wavefronts = phases * 2^(rank_words - rank_banks)
    json.attributeObject("certificate", [&] {
      json.attribute("phases", why.phases);
      json.attribute("lanes_per_phase", why.lanesPerPhase);
      json.attribute("rank_words", why.wordRank);
      json.attribute("rank_banks", why.bankRank);
    });
  });
}
