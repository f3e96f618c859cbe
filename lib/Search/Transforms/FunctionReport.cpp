//===- FunctionReport.cpp - What a search says of itself ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The JSON of the contract, and what explains the winner: the terms of the cost
// model for each of its kernels, beside those of the next best plan and of the
// input program, and what each rule removed from the search.

#include "CostReport.h"
#include "FunctionSearch.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::Kernel;

static void printBlock(llvm::json::OStream &json, const ExprContext &context,
                       const search::KernelPlan &plan) {
  auto tiles = [&](LabelId label) {
    return int64_t(
        llvm::divideCeil(context.size(label), plan.tiles.lookup(label)));
  };
  SmallVector<int64_t> grid(llvm::map_range(plan.grid, tiles));
  if (plan.splits > 1)
    grid.push_back(plan.splits);
  grid.resize(3, 1);
  SmallVector<int64_t> loops;
  for (const search::PlanLoop &loop : plan.loops)
    loops.push_back(tiles(loop.label) / plan.splits);
  json.object([&] {
    json.attribute("grid", llvm::json::Array(grid));
    json.attribute("threads", plan.threads);
    json.attribute(
        "loop", loops.empty()
                    ? 1
                    : std::accumulate(loops.begin(), loops.end(), int64_t{0}));
    json.attribute("loops", llvm::json::Array(loops));
    json.attribute("splits", plan.splits);
    json.attribute("shared_bytes", int64_t(plan.work.sharedBytes));
    if (plan.counts)
      printCounts(json, *plan.counts);
    printTerms(json, plan.cost);
  });
}

// Both kernels of a split plan.
static void printBlocks(llvm::json::OStream &json, const ExprContext &context,
                        const search::KernelPlan &plan) {
  printBlock(json, context, plan);
  if (plan.combine)
    printBlock(json, context, *plan.combine);
}

// The blocks of all kernels that the search has a plan for.
static void printAllBlocks(llvm::json::OStream &json,
                           ArrayRef<Kernel> kernels) {
  json.attributeArray("blocks", [&] {
    for (const Kernel &kernel : kernels)
      if (kernel.segment)
        printBlocks(json, kernel.segment->context, *kernel.segment->plan());
  });
}

static int64_t countKernels(ArrayRef<Kernel> kernels) {
  int64_t count = 0;
  for (const Kernel &kernel : kernels)
    count += kernel.kernelCount();
  return count;
}

// For each part of the program the plan that would be next.
static void printRunnersUp(llvm::json::OStream &json,
                           ArrayRef<Kernel> kernels) {
  json.attributeArray("runners_up", [&] {
    for (const Kernel &kernel : kernels) {
      const search::KernelPlan *next =
          kernel.segment ? kernel.segment->runnerUp() : nullptr;
      if (!next)
        continue;
      json.object([&] {
        json.attributeArray("ops", [&] {
          json.value(int64_t(kernel.first));
          json.value(int64_t(kernel.last));
        });
        json.attribute("kernels", int64_t(next->kernelCount()));
        json.attribute("predicted_us", next->seconds() * 1e6);
        json.attributeArray("blocks", [&] {
          printBlocks(json, kernel.segment->context, *next);
        });
      });
    }
  });
}

static size_t countStates(const search::SearchState &state) {
  size_t count = 0;
  for (const search::SegmentRecord &record : state.segments)
    count += record.extraction.statistics.states +
             record.extraction.statistics.tilings;
  return count;
}

void FunctionSearch::printTotals(llvm::json::OStream &json) const {
  search::ProgramSearch::Totals totals;
  if (search)
    totals = search->totals();
  const search::ExtractStatistics &extraction = totals.extraction;
  json.attribute("values", int64_t(totals.values));
  json.attribute("derivations", int64_t(totals.derivations));
  json.attribute("states", int64_t(extraction.states + extraction.tilings));
  json.attribute("pruned", int64_t(totals.pruned()));
  json.attributeObject("removed", [&] {
    json.attribute("useless_values", int64_t(totals.useless));
    json.attribute("choices_by_estimate", int64_t(extraction.byEstimate));
    json.attribute("choices_without_stages", int64_t(extraction.unstaged));
    json.attribute("splits_without_gain", int64_t(extraction.bySplitBound));
    json.attribute("tilings_out_of_registers",
                   int64_t(extraction.tooManyRegisters));
    json.attribute("tilings_too_large", int64_t(extraction.tooLarge));
    json.attribute("tilings_slower", int64_t(extraction.slower));
  });
  json.attribute("candidates", int64_t(extraction.candidates));
  json.attribute("equivalent", int64_t(equivalent));
  json.attribute("rejected", int64_t(rejected));
  if (!state.segments.empty())
    json.attribute("resumed_states", int64_t(countStates(state)));
  json.attribute("seconds", seconds);
  json.attribute("threads", options.threads);
  json.attribute("exhaustive", extraction.isExhaustive);
  json.attribute("optimality_gap",
                 search ? search->optimalityGap(kernels) : 0.0);
}

void FunctionSearch::printInput(llvm::json::OStream &json) const {
  json.attribute("kernels", countKernels(baseline));
  json.attribute("predicted_us", baselineSeconds * 1e6);
  printAllBlocks(json, baseline);
}

void FunctionSearch::printWinner(llvm::json::OStream &json) const {
  json.attribute("kernels", countKernels(kernels));
  json.attribute("predicted_us", winnerSeconds * 1e6);
  double bytes = 0;
  for (const Kernel &kernel : kernels)
    if (kernel.segment)
      bytes += kernel.segment->plan()->globalBytes();
  json.attribute("global_bytes", int64_t(bytes));
  printAllBlocks(json, kernels);
  json.attributeBegin("verification");
  report.print(json);
  json.attributeEnd();
  if (!layouts.empty())
    json.attribute("layouts", layouts);
}

void FunctionSearch::print(llvm::json::OStream &json) const {
  json.object([&] {
    json.attribute("function", func::FuncOp(function).getSymName());
    json.attribute("target", options.target->name);
    printTotals(json);
    if (!reason.empty())
      json.attribute("reason", reason);
    json.attributeObject("input", [&] { printInput(json); });
    json.attributeObject("winner", [&] { printWinner(json); });
    printRunnersUp(json, kernels);
  });
}
