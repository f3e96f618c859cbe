//===- ExchangeCost.cpp - What an exchange within a warp costs ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/RegisterExchange.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::layout;

/// Exchanges of half rows between two registers, where the target has one
/// instruction for it: a select of what is sent, a butterfly by the lane bit
/// that selects, and two selects of what is kept.
static bool isHalfSwap(const RegisterExchange &exchange, const ExchangeOp &op,
                       const TargetDescription &target) {
  if (!exchange.isButterfly || op.a < exchange.words.size() ||
      target.laneExchange(op.laneXor) != LaneExchange::HalfSwap)
    return false;
  const ExchangeOp &sent = exchange.ops[op.a - exchange.words.size()];
  return sent.kind == ExchangeOp::Select &&
         exchange.predicates[sent.predicate] ==
             ThreadPredicate{op.laneXor, 0, 0};
}

static double costOfShuffle(const RegisterExchange &exchange,
                            const ExchangeOp &op,
                            const TargetDescription &target) {
  const ExchangeCosts &costs = target.costs;
  if (!exchange.isButterfly)
    return costs.shuffle;
  // The selects are counted elsewhere.
  if (isHalfSwap(exchange, op, target))
    return costs.halfSwap - 3 * costs.select;
  return target.laneExchangeCost(op.laneXor);
}

double mirage::layout::costOfExchange(const RegisterExchange &exchange,
                                      const TargetDescription &target) {
  double shuffles = 0;
  for (const ExchangeOp &op : exchange.ops)
    if (op.kind == ExchangeOp::Shuffle)
      shuffles += costOfShuffle(exchange, op, target);
  double select = target.costs.select;
  return exchange.wordsPerValue() * (shuffles + select * exchange.selects()) +
         select * exchange.permutes();
}
