//===- MuGraphSuperoptimize.cpp - Search for a faster program -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CachedSearch.h"
#include "SearchFollower.h"
#include "mirage/Lowering/CandidateCheck.h"
#include "mirage/Search/ResultCache.h"
#include "mirage/Search/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

#include <thread>

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHSUPEROPTIMIZE
#include "mirage/Search/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

namespace {
class MuGraphSuperoptimize final
    : public mirage::impl::MuGraphSuperoptimizeBase<MuGraphSuperoptimize> {
public:
  using Base::Base;
  void getDependentDialects(DialectRegistry &registry) const override {
    Base::getDependentDialects(registry);
    getLoweringDialects(registry);
  }
  void runOnOperation() override;

private:
  FailureOr<search::SearchOptions> readOptions();
  FailureOr<ProgressMode> readProgress();
  std::unique_ptr<search::Checkpoint>
  openCheckpoint(ArrayRef<func::FuncOp> functions,
                 const search::SearchOptions &options);
  LogicalResult optimize(func::FuncOp function,
                         const search::SearchOptions &options,
                         const search::SearchState &state, raw_ostream &lines);
  LogicalResult optimizeAll(ArrayRef<func::FuncOp> functions,
                            const search::SearchOptions &options,
                            ProgressMode mode, raw_ostream &lines);
  LogicalResult writeReport(StringRef lines);
};
} // namespace

FailureOr<search::SearchOptions> MuGraphSuperoptimize::readOptions() {
  search::SearchOptions options;
  options.target = lookupTarget(target);
  if (!options.target)
    return getOperation().emitError()
           << "unknown target '" << target.getValue() << "', expected one of "
           << knownTargetNames();
  if (!(timeBudget >= 0))
    return getOperation().emitError()
           << "time-budget is " << timeBudget.getValue()
           << ", expected seconds, 0 or more";
  options.timeBudget = std::min(timeBudget.getValue(), 1e6);
  options.threads = threads != 0
                        ? std::min(threads.getValue(), 256u)
                        : std::max(1u, std::thread::hardware_concurrency());
  options.maxBlockOps = maxBlockOps;
  options.maxKernels = std::min(maxKernels.getValue(), 1024u);
  options.useBounds = bounds;
  options.testUsefulness = usefulness;
  options.topK = std::clamp(topK.getValue(), 1u, 64u);
  return options;
}

// Functions of the program level that are not done yet.
static bool isProgram(func::FuncOp function) {
  if (function.isExternal() ||
      function->hasAttr(MuGraphDialect::getImplementsAttrName()))
    return false;
  return llvm::any_of(function.getBody().getOps(), [](Operation &op) {
    return isa<MeaningOpInterface>(op);
  });
}

static void emitRemark(const llvm::json::Object &report,
                       func::FuncOp function) {
  auto options = remark::RemarkOpts::name("Superoptimize")
                     .category("search")
                     .function(function.getSymName());
  auto number = [](const llvm::json::Object *part, StringRef name) {
    return part ? part->getNumber(name).value_or(0) : 0;
  };
  const llvm::json::Object *winner = report.getObject("winner");
  double predicted = number(winner, "predicted_us");
  double input = number(report.getObject("input"), "predicted_us");
  if (predicted < input)
    remark::passed(function.getLoc(), options)
        << "searched "
        << remark::metric("states", int(number(&report, "states")))
        << remark::metric("kernels", int(number(winner, "kernels")))
        << remark::metric("predicted_us", float(predicted))
        << remark::metric("input_us", float(input));
  else
    remark::missed(function.getLoc(), options) << remark::reason(
        "{0}", report.getString("reason").value_or("nothing is faster"));
}

LogicalResult MuGraphSuperoptimize::optimize(
    func::FuncOp function, const search::SearchOptions &options,
    const search::SearchState &state, raw_ostream &lines) {
  std::string name = function.getSymName().str(), specName = name + ".spec";
  if (SymbolTable::lookupNearestSymbolFrom(
          function, StringAttr::get(&getContext(), specName)))
    return function.emitError()
           << "the input program is to be kept as @" << specName
           << ", but there is a symbol of that name already";
  SearchOutcome outcome = searchFunction(function, options, state, seed, cache);
  emitRemark(outcome.report, function);
  lines << outcome.reportText << "\n";
  func::FuncOp winner = outcome.winner.release();
  function.getOperation()->getBlock()->getOperations().insert(
      Block::iterator(function), winner);
  winner->setAttr(MuGraphDialect::getImplementsAttrName(),
                  FlatSymbolRefAttr::get(&getContext(), specName));
  function.setSymName(specName);
  function.setPrivate();
  return success();
}

FailureOr<ProgressMode> MuGraphSuperoptimize::readProgress() {
  auto mode = llvm::StringSwitch<std::optional<ProgressMode>>(progress)
                  .Case("auto", ProgressMode::Auto)
                  .Case("on", ProgressMode::On)
                  .Case("off", ProgressMode::Off)
                  .Default(std::nullopt);
  if (!mode)
    return getOperation().emitError() << "progress is '" << progress.getValue()
                                      << "', expected auto, on or off";
  return *mode;
}

std::unique_ptr<search::Checkpoint>
MuGraphSuperoptimize::openCheckpoint(ArrayRef<func::FuncOp> functions,
                                     const search::SearchOptions &options) {
  if (checkpoint.empty())
    return nullptr;
  std::string run;
  for (func::FuncOp function : functions)
    run += describeSearch(function, options);
  if (run.empty() && !functions.empty())
    getOperation().emitWarning()
        << "there is no checkpoint: the compiler's own file cannot be read";
  if (run.empty())
    return nullptr;
  auto result = std::make_unique<search::Checkpoint>(
      checkpoint, search::ResultCache::keyOf(run), functions.size());
  if (llvm::Error error = result->read())
    getOperation().emitWarning() << "the checkpoint '" << checkpoint.getValue()
                                 << "' is of no use, the search starts anew: "
                                 << llvm::toString(std::move(error));
  return result;
}

LogicalResult
MuGraphSuperoptimize::optimizeAll(ArrayRef<func::FuncOp> functions,
                                  const search::SearchOptions &options,
                                  ProgressMode mode, raw_ostream &lines) {
  std::unique_ptr<search::Checkpoint> kept = openCheckpoint(functions, options);
  ProgressLine line(llvm::errs(), mode);
  for (size_t number = 0; number < functions.size(); ++number) {
    func::FuncOp function = functions[number];
    line.start(function.getSymName(), options.timeBudget);
    SearchFollower follower(kept.get(), number, line);
    search::SearchOptions followed = options;
    followed.observer = &follower;
    search::SearchState state;
    if (kept)
      state = kept->state(number);
    if (failed(optimize(function, followed, state, lines)))
      return failure();
    if (!follower.failure().empty())
      function.emitWarning()
          << "the state of the search is not kept in '" << checkpoint.getValue()
          << "': " << follower.failure();
  }
  return success();
}

LogicalResult MuGraphSuperoptimize::writeReport(StringRef lines) {
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(report, &message);
  if (!file)
    return getOperation().emitError()
           << "the report cannot be written: " << message;
  file->os() << lines;
  file->keep();
  return success();
}

void MuGraphSuperoptimize::runOnOperation() {
  FailureOr<search::SearchOptions> options = readOptions();
  FailureOr<ProgressMode> mode = readProgress();
  if (failed(options) || failed(mode))
    return signalPassFailure();
  std::string text;
  llvm::raw_string_ostream lines(text);
  SmallVector<func::FuncOp> functions(llvm::make_filter_range(
      getOperation().getOps<func::FuncOp>(), isProgram));
  if (failed(optimizeAll(functions, *options, *mode, lines)))
    return signalPassFailure();
  if (!report.empty() && failed(writeReport(text)))
    signalPassFailure();
}
