//===- Report.cpp - The figures of the layout engine ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "Cases.h"
#include "Catalogue.h"
#include "ConversionFuzz.h"

#include "llvm/Support/FormatVariadic.h"

#include <ctime>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::benchmarks;
using namespace mirage::testing;
using llvm::formatv;
using llvm::raw_ostream;

//===----------------------------------------------------------------------===//
// Fuzz
//===----------------------------------------------------------------------===//

static bool reportFuzz(raw_ostream &os, uint64_t rounds, uint64_t seed) {
  ConversionFuzz fuzz(seed);
  FuzzCounts counts;
  std::string first;
  for (uint64_t round = 0; round < rounds; ++round) {
    FuzzPair pair = fuzz.next();
    std::string error = checkPair(pair, counts);
    if (!error.empty() && first.empty())
      first = formatv("round {0}: {1}\n{2}\n", round, error, pair.toString());
  }
  os << formatv(
            "## Random pairs\n\n{0} pairs, seed {1}: {2} wrong, {3} refused, "
            "{4} with other wavefronts than counted by bank.\n",
            counts.pairs, seed, counts.wrong, counts.refused,
            counts.wavefrontsDiffer)
     << formatv("Kinds: {0} noop, {1} register, {2} shuffle, {3} shared, {4} "
                "cluster.\n",
                counts.kinds[0], counts.kinds[1], counts.kinds[2],
                counts.kinds[3], counts.kinds[4])
     << first << "\n";
  return first.empty();
}

//===----------------------------------------------------------------------===//
// Recorded conversions
//===----------------------------------------------------------------------===//

/// "8 shuffles, 16 selects" or "8 x 128 st.shared, ...": what a plan takes.
static std::string describe(const ConversionPlan &plan,
                            const TargetDescription &target) {
  if (plan.kind < ConversionKind::Shared)
    return formatv("{0} shuffles, {1} selects, {2} permutes", plan.shuffles(),
                   plan.selects(), plan.permutes());
  auto side = [&](const SharedAccess &access, bool isStore) {
    return formatv("{0} x {1} {2} ({3} wavefronts)", access.instructions(),
                   access.vectorElems * plan.elemBits,
                   sharedOpName(access.op, isStore, target),
                   access.wavefronts())
        .str();
  };
  return side(plan.shared.store, true) + ", " + side(plan.shared.load, false) +
         ", " + stringifyScope(plan.shared.barrier).str() + " barrier";
}

static std::string describe(const llvm::json::Object &figures) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::json::Value(llvm::json::Object(figures));
  for (char &c : text)
    if (c == '"' || c == '{' || c == '}')
      c = ' ';
  return text;
}

static void reportCases(raw_ostream &os) {
  os << "## Recorded conversions\n\n| case | ours | theirs |\n|---|---|---|\n";
  for (const ConvertCase &pair : recordedCases()) {
    ConversionPlan plan = llvm::cantFail(planConversion(
        pair.source, pair.destination, pair.elemBits, *pair.target));
    os << formatv("| {0} | {1}: {2} | {3} |\n", pair.name,
                  stringifyKind(plan.kind), describe(plan, *pair.target),
                  describe(pair.theirs));
  }
  os << "\n";
}

//===----------------------------------------------------------------------===//
// Swizzles
//===----------------------------------------------------------------------===//

static bool reportCatalogue(raw_ostream &os) {
  std::vector<SwizzleResult> results =
      runCatalogue({8, 16, 32}, {"sm_90a", "gfx942", "gfx950"});
  unsigned conflicts = 0, fewest = 0;
  for (const SwizzleResult &result : results) {
    conflicts += result.extra > 0;
    fewest += result.isIdeal() || result.searched == result.wavefronts;
  }
  os << formatv(
            "## Swizzles\n\nAll ordered pairs of 12 layouts of 64 x 64, at 8, "
            "16 and 32 bits, on sm_90a, gfx942 and gfx950: {0} pairs.\n"
            "{1} have bank conflicts on a side. {2} have the fewest "
            "wavefronts that any layout gives\n(an exhaustive search over "
            "what shares a word); the others, listed here, have more\n"
            "wavefronts for fewer permutes. Accesses in bits, m and t for "
            "matrices.\n\n",
            results.size(), conflicts, fewest)
     << "| store | load | target | bits | accesses | wavefronts | fewest |\n"
     << "|---|---|---|---|---|---|---|\n";
  for (const SwizzleResult &result : results)
    if (!result.isIdeal() && result.searched != result.wavefronts)
      os << formatv("| {0} | {1} | {2} | {3} | {4} | {5} | {6} |\n",
                    result.store, result.load, result.target, result.elemBits,
                    result.access, result.wavefronts, *result.searched);
  os << "\n";
  return conflicts == 0;
}

//===----------------------------------------------------------------------===//
// Speed
//===----------------------------------------------------------------------===//

/// Median of the processor time of one call, over batches.
template <typename Work>
static double microseconds(Work work) {
  constexpr int batches = 21, calls = 100;
  std::vector<double> times;
  for (int batch = 0; batch < batches; ++batch) {
    std::clock_t start = std::clock();
    for (int call = 0; call < calls; ++call)
      work();
    times.push_back(1e6 * (std::clock() - start) / CLOCKS_PER_SEC / calls);
  }
  llvm::sort(times);
  return times[batches / 2];
}

static void reportPlans(raw_ostream &os, llvm::StringRef name,
                        const std::vector<ConvertCase> &cases) {
  for (bool verify : {false, true}) {
    std::vector<double> times;
    ConversionOptions options;
    options.verify = verify;
    for (const ConvertCase &pair : cases)
      times.push_back(microseconds([&] {
        llvm::consumeError(planConversion(pair.source, pair.destination,
                                          pair.elemBits, *pair.target, options)
                               .takeError());
      }));
    llvm::sort(times);
    os << formatv("| plan {0}, {1} | {2:f1} (worst {3:f1}) |\n",
                  verify ? "with verification" : "only", name,
                  times[times.size() / 2], times.back());
  }
}

static void reportSpeed(raw_ostream &os) {
  ConvertCase pair = largeCases().front();
  LinearLayout inverse = llvm::cantFail(pair.source.invert());
  os << "## Speed\n\n| what | microseconds, median |\n|---|---|\n"
     << formatv("| compose, 128 x 128 in 8 warps | {0:f2} |\n",
                microseconds(
                    [&] { llvm::cantFail(pair.destination.compose(inverse)); }))
     << formatv("| invert, the same | {0:f2} |\n",
                microseconds([&] { llvm::cantFail(pair.source.invert()); }));
  reportPlans(os, "recorded conversions", recordedCases());
  reportPlans(os, "128 x 128 in 8 warps", largeCases());
}

bool benchmarks::writeReport(raw_ostream &os, uint64_t rounds, uint64_t seed,
                             llvm::StringRef machine) {
  char date[16];
  std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof(date), "%Y-%m-%d", std::gmtime(&now));
  os << "# Layout engine: last results\n\nDate: " << date
     << "\nMachine: " << machine << "\n\n";
  reportSpeed(os);
  os << "\n";
  bool isRight = reportFuzz(os, rounds, seed);
  reportCases(os);
  return reportCatalogue(os) && isRight;
}
