//===- GatherCost.cpp - What a gather costs -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/AxisPlans.h"

#include "llvm/Support/MathExtras.h"

using namespace mirage;
using namespace mirage::layout;

static constexpr unsigned wordBits = 32;

/// Narrow candidates share the words that travel; selects are one a value.
double mirage::layout::costInWarp(const GatherPlan &plan, unsigned elemBits,
                                  const TargetDescription &target) {
  const ExchangeCosts &costs = target.costs;
  double readers = uint64_t{1} << plan.ofPlace.inBits("register");
  uint64_t candidates = uint64_t{1} << plan.choices.size();
  uint64_t words = llvm::divideCeil(candidates * elemBits, wordBits);
  double wordsPerValue = llvm::divideCeil(elemBits, wordBits);
  double cost = costs.select * wordsPerValue * (candidates - 1);
  if (plan.crossesLanes)
    cost += costs.shuffle * words;
  return readers * cost;
}

/// Of 32 lanes with random banks about 3.5 meet in the same one of 32, the
/// expected maximum of 32 balls in 32 bins. The values are stored without
/// conflicts.
double mirage::layout::costThroughShared(const GatherPlan &plan,
                                         unsigned elemBits,
                                         const TargetDescription &target) {
  const ExchangeCosts &costs = target.costs;
  constexpr double randomConflicts = 3.5;
  double readers = uint64_t{1} << plan.ofPlace.inBits("register");
  double stored = uint64_t{1} << plan.ofPlace.outBits("register");
  double wordsPerValue = llvm::divideCeil(elemBits, wordBits);
  double wavefronts =
      wordsPerValue * target.warpSize / target.sharedBanks * costs.wavefront;
  return costs.blockBarrier + costs.sharedLatency +
         stored * (costs.sharedIssue + wavefronts) +
         readers * (costs.sharedIssue + randomConflicts * wavefronts);
}
