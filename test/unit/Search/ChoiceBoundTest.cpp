//===- ChoiceBoundTest.cpp - Tests of the bound of kernels ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/ChoiceBound.h"
#include "SmallPrograms.h"

#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

#include <random>

using namespace mirage;
using namespace mirage::search;

namespace {
/// Draws roles, prices what can be built with them, and compares.
class BoundFuzzer {
public:
  BoundFuzzer(const Program &program, unsigned seed)
      : program(program), random(seed) {
    std::string reason;
    auto segment = makeSegment(program, 0, program.numSources, context, reason);
    graph = saturate(std::move(*segment), context, {}, reason);
    options.target = lookupTarget(seed % 2 ? "sm_90a" : "gfx942");
    options.keep = 4;
  }

  void tryRoles();
  /// Of the times of the kernels that were priced to their bounds, the least.
  double tightest = 1e9;

private:
  Roles drawRoles();
  void check(KernelPlan plan, double least);

  const Program &program;
  std::mt19937 random;
  ExprContext context;
  std::optional<ValueGraph> graph;
  ExtractOptions options;
};
} // namespace

// Only what cuts all results may be a grid dim.
Roles BoundFuzzer::drawRoles() {
  Roles roles;
  for (const SegmentTensor &tensor : graph->segment.tensors)
    for (LabelId label : tensor.labels) {
      if (label == noLabel)
        continue;
      bool isCommon =
          llvm::all_of(graph->segment.outputs, [&](uint32_t output) {
            return llvm::is_contained(graph->segment.tensors[output].labels,
                                      label);
          });
      unsigned draw = random() % 4;
      roles[label] = isCommon && draw > 0 ? Role::Grid
                     : draw % 2           ? Role::Loop
                                          : Role::Whole;
    }
  return roles;
}

void BoundFuzzer::check(KernelPlan plan, double least) {
  ExtractStatistics statistics;
  if (!chooseTiles(plan, program, *graph, context, options, statistics))
    return;
  EXPECT_GE(plan.seconds(), least * (1 - 1e-9));
  tightest = std::min(tightest, plan.seconds() / least);
}

void BoundFuzzer::tryRoles() {
  ChoiceBound bound(program, *graph, context, *options.target);
  Roles roles = drawRoles();
  ExtractStatistics statistics;
  for (const Choice &choice :
       chooseDerivations(*graph, context, bound, roles, options, statistics)) {
    double least = bound.seconds(choice);
    EXPECT_GT(least, 0);
    // A part of a choice is bounded by no more than the whole.
    Choice part = choice;
    std::vector<ValueId> pending;
    for (auto entry : choice)
      if (random() % 2) {
        part.erase(entry.first);
        pending.push_back(entry.first);
      }
    EXPECT_LE(bound.seconds(part, pending), least * (1 + 1e-9));
    auto plan = schedule(*graph, context, roles, choice, options);
    if (!plan)
      continue;
    check(*plan, least);
    for (KernelPlan &split :
         splitLoops(*plan, *graph, context, choice, options))
      check(std::move(split), least);
  }
}

TEST(ChoiceBound, NoKernelIsFaster) {
  for (unsigned number = 0; number < numSmallPrograms; ++number) {
    double tightest = 1e9;
    for (unsigned seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE("program " + std::to_string(number) + ", seed " +
                   std::to_string(seed));
      Program program = smallProgram(number).program;
      BoundFuzzer fuzzer(program, seed);
      fuzzer.tryRoles();
      tightest = std::min(tightest, fuzzer.tightest);
    }
    // A bound of nothing would be one too.
    EXPECT_LT(tightest, 2.25) << "program " << number;
  }
}
