//===- SearchTotals.cpp - What a search did -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Search.h"

using namespace mirage;
using namespace mirage::search;

std::string ProgramSearch::reason() const {
  auto it = segments.find({0, program.numSources});
  if (it != segments.end())
    return it->second->record.reason;
  for (const Op &op : program.ops)
    if (op.isOpaque)
      return "op " + std::to_string(op.source) +
             " has no rule in the search's algebra";
  return "the program has " + std::to_string(program.numSources) +
         " ops, more than are tried as one kernel";
}

static void add(ExtractStatistics &sum, const ExtractStatistics &part) {
  sum.states += part.states;
  sum.candidates += part.candidates;
  sum.tilings += part.tilings;
  sum.byEstimate += part.byEstimate;
  sum.unstaged += part.unstaged;
  sum.bySplitBound += part.bySplitBound;
  sum.tooManyRegisters += part.tooManyRegisters;
  sum.tooLarge += part.tooLarge;
  sum.slower += part.slower;
  sum.thinned += part.thinned;
  sum.isExhaustive &= part.isExhaustive;
}

ProgramSearch::Totals ProgramSearch::totals() const {
  Totals totals;
  totals.extraction.isExhaustive = !stoppedEarly;
  for (const auto &entry : segments) {
    const SegmentRecord &record = entry.second->record;
    add(totals.extraction, record.extraction.statistics);
    totals.extraction.isExhaustive &= record.isSaturated;
    totals.values += record.values;
    totals.derivations += record.derivations;
    totals.useless += record.useless;
  }
  return totals;
}

SearchProgress ProgramSearch::progress() const {
  SearchProgress progress;
  progress.bestSeconds = bestSeconds;
  for (const auto &[range, record] : records) {
    const ExtractStatistics &statistics = record.extraction.statistics;
    progress.values += record.values;
    progress.derivations += record.derivations;
    progress.states += statistics.states + statistics.tilings;
    if (range != Range{0, program.numSources} || record.extraction.kept.empty())
      continue;
    double whole = record.extraction.kept.front().seconds;
    if (!bestSeconds || whole < *bestSeconds)
      progress.bestSeconds = whole;
  }
  return progress;
}
