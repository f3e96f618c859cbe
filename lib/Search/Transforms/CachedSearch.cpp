//===- CachedSearch.cpp - A search, or its result from a folder -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CachedSearch.h"

#include "FunctionSearch.h"
#include "mirage/Search/ResultCache.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"

#include <chrono>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using Clock = std::chrono::steady_clock;

std::string
mirage::mugraph::describeSearch(func::FuncOp function,
                                const search::SearchOptions &options) {
  if (search::compilerRevision().empty())
    return {};
  std::string text;
  llvm::raw_string_ostream out(text);
  out << search::compilerRevision() << "\n"
      << options.target->name << " max-block-ops=" << options.maxBlockOps
      << " max-kernels=" << options.maxKernels << " top-k=" << options.topK
      << " max-segment=" << options.maxSegment
      << " whole-first=" << options.wholeFirst
      << " bounds=" << options.useBounds
      << " usefulness=" << options.testUsefulness << "\n";
  OwningOpRef<func::FuncOp> copy = function.clone();
  copy->setSymName("f");
  copy->print(out, OpPrintingFlags().printGenericOpForm().useLocalScope());
  return text;
}

namespace {
enum class Retest { Passed, Failed, TooLarge };
} // namespace

// A few samples, one test, as far as a few milliseconds go: where one element
// of the result needs all of a large intermediate tensor, that is not far.
static Retest retest(func::FuncOp spec, func::FuncOp winner, uint64_t seed) {
  verify::Options options;
  options.seed = seed;
  options.proof = false;
  options.minTests = options.maxTests = 1;
  options.samples = 4;
  options.softSteps = 20'000;
  options.hardSteps = 400'000;
  verify::Report report = verify::checkEquivalent(spec, winner, options);
  if (report.isAccepted())
    return Retest::Passed;
  return report.status == verify::Status::Undecided ? Retest::TooLarge
                                                    : Retest::Failed;
}

static OwningOpRef<func::FuncOp> parseWinner(func::FuncOp function,
                                             StringRef text) {
  // What does not parse is a miss, and nobody's mistake.
  ScopedDiagnosticHandler quiet(function.getContext(),
                                [](Diagnostic &) { return success(); });
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(text, ParserConfig(function.getContext()));
  if (!module || !llvm::hasSingleElement(module->getOps<func::FuncOp>()))
    return {};
  func::FuncOp winner = *module->getOps<func::FuncOp>().begin();
  winner->remove();
  winner.setSymName(function.getSymName());
  winner->walk([&](Operation *op) { op->setLoc(function.getLoc()); });
  return winner;
}

static std::optional<SearchOutcome> restore(func::FuncOp function,
                                            StringRef content, uint64_t seed) {
  auto start = Clock::now();
  llvm::Expected<llvm::json::Value> entry = llvm::json::parse(content);
  if (!entry) {
    llvm::consumeError(entry.takeError());
    return std::nullopt;
  }
  llvm::json::Object *fields = entry->getAsObject();
  std::optional<StringRef> text =
      fields ? fields->getString("winner") : std::nullopt;
  llvm::json::Object *report = fields ? fields->getObject("report") : nullptr;
  if (!text || !report)
    return std::nullopt;
  OwningOpRef<func::FuncOp> winner = parseWinner(function, *text);
  if (!winner || winner->getFunctionType() != function.getFunctionType())
    return std::nullopt;
  Retest outcome = Retest::TooLarge;
  if (fields->getBoolean("retest").value_or(true))
    outcome = retest(function, *winner, seed);
  if (outcome == Retest::Failed)
    return std::nullopt;
  (*report)["function"] = function.getSymName();
  (*report)["cache"] = "hit";
  (*report)["retest"] =
      outcome == Retest::Passed ? "passed" : "more work than a hit may take";
  (*report)["seconds"] =
      std::chrono::duration<double>(Clock::now() - start).count();
  std::string line =
      llvm::formatv("{0}", llvm::json::Value(llvm::json::Object(*report)));
  return SearchOutcome{std::move(winner), std::move(*report), std::move(line)};
}

// With a note whether hits can test the winner: finding out that they cannot
// would take them longer than all the rest.
static std::string printEntry(func::FuncOp function,
                              const SearchOutcome &outcome, uint64_t seed) {
  std::string text;
  llvm::raw_string_ostream out(text);
  OwningOpRef<func::FuncOp> winner = outcome.winner.get().clone();
  winner->setSymName("f");
  winner->print(out, OpPrintingFlags().useLocalScope());
  bool canTest =
      retest(function, outcome.winner.get(), seed) != Retest::TooLarge;
  llvm::json::Object entry{{"winner", std::move(text)},
                           {"retest", canTest},
                           {"report", llvm::json::Object(outcome.report)}};
  return llvm::formatv("{0}", llvm::json::Value(std::move(entry))).str();
}

static SearchOutcome runSearch(func::FuncOp function,
                               const search::SearchOptions &options,
                               const search::SearchState &state, uint64_t seed,
                               bool &isComplete) {
  FunctionSearch search(function, options, state, seed);
  search.run();
  isComplete = search.isComplete();
  std::string text;
  llvm::raw_string_ostream out(text);
  {
    llvm::json::OStream json(out);
    search.print(json);
  }
  auto report = llvm::json::parse(text);
  assert(report && "a report is JSON");
  return {search.buildWinner(), std::move(*report->getAsObject()), text};
}

SearchOutcome mirage::mugraph::searchFunction(
    func::FuncOp function, const search::SearchOptions &options,
    const search::SearchState &state, uint64_t seed, StringRef cacheFolder) {
  bool isComplete = false;
  std::string description =
      cacheFolder.empty() ? "" : describeSearch(function, options);
  if (description.empty())
    return runSearch(function, options, state, seed, isComplete);
  search::ResultCache cache(cacheFolder);
  std::string key = search::ResultCache::keyOf(
      llvm::formatv("{0}\ntime-budget={1} seed={2}", description,
                    options.timeBudget, seed)
          .str());
  if (std::optional<std::string> content = cache.lookup(key))
    if (auto outcome = restore(function, *content, seed))
      return std::move(*outcome);
  SearchOutcome outcome = runSearch(function, options, state, seed, isComplete);
  // What a spent budget cut short is not what another run would find.
  if (isComplete)
    if (llvm::Error error =
            cache.store(key, printEntry(function, outcome, seed)))
      function.emitWarning()
          << "the result is not kept: " << llvm::toString(std::move(error));
  return outcome;
}
