//===- ProgressLine.cpp - A line for those who wait -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgressLine.h"

#include "llvm/Support/Format.h"

using namespace mirage;
using namespace mirage::mugraph;

static constexpr std::chrono::milliseconds refreshInterval(100);
static constexpr std::chrono::seconds longWork(1);
// So that the line fits a terminal; one that wraps does not overwrite itself.
static constexpr size_t longestName = 20;

ProgressLine::ProgressLine(llvm::raw_ostream &out, ProgressMode mode)
    : out(out), isOn(mode == ProgressMode::On ||
                     (mode == ProgressMode::Auto && out.is_displayed())),
      patience(mode == ProgressMode::On ? Clock::duration(0)
                                        : Clock::duration(longWork)) {}

ProgressLine::~ProgressLine() {
  if (isShown)
    out << "\n";
}

void ProgressLine::start(llvm::StringRef name, double seconds) {
  function = name.take_front(longestName).str();
  budget = seconds;
  last = {};
  began = Clock::now();
}

void ProgressLine::show(llvm::StringRef newStage) {
  stage = newStage.str();
  Clock::time_point now = Clock::now();
  if (isWanted(now))
    print(now);
}

void ProgressLine::show(llvm::function_ref<search::SearchProgress()> progress,
                        bool isLast) {
  Clock::time_point now = Clock::now();
  if (!isWanted(now) || (!isLast && now - printed < refreshInterval))
    return;
  last = progress();
  print(now);
}

void ProgressLine::print(Clock::time_point now) {
  auto seconds = [](Clock::duration time) {
    return std::chrono::duration<double>(time).count();
  };
  out << "\r@" << function << " " << stage << ": " << last.values << " values, "
      << last.derivations << " derivations, " << last.states << " states";
  if (last.bestSeconds)
    out << ", best " << llvm::format("%.1f", *last.bestSeconds * 1e6) << " us";
  out << ", " << llvm::format("%.1f", seconds(now - began)) << "/"
      << llvm::format("%g", budget) << " s\x1b[K";
  out.flush();
  printed = now;
  isShown = true;
}
