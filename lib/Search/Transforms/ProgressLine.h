//===- ProgressLine.h - A line for those who wait ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_PROGRESSLINE_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_PROGRESSLINE_H

#include "mirage/Search/Search.h"

#include "llvm/Support/raw_ostream.h"

#include <chrono>

namespace mirage::mugraph {

enum class ProgressMode {
  Off,
  On,  ///< at once, wherever the line goes.
  Auto ///< on a terminal, once it takes long.
};

/// What a search has come to, in one line that overwrites itself.
class ProgressLine {
public:
  ProgressLine(llvm::raw_ostream &out, ProgressMode mode);
  /// Ends the line, if there is one.
  ~ProgressLine();

  /// The function that is searched from now on, and its time.
  void start(llvm::StringRef function, double budget);
  void show(llvm::StringRef stage);
  void show(llvm::function_ref<search::SearchProgress()> progress,
            bool isLast = false);

private:
  using Clock = std::chrono::steady_clock;
  bool isWanted(Clock::time_point now) const {
    return isOn && now - began >= patience;
  }
  void print(Clock::time_point now);

  llvm::raw_ostream &out;
  bool isOn;
  Clock::duration patience; ///< before the first line.
  std::string function, stage;
  search::SearchProgress last;
  double budget = 0;
  Clock::time_point began, printed;
  bool isShown = false;
};

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_PROGRESSLINE_H
