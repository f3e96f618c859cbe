//===- SearchFollower.h - Keeps and shows where a search is -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_SEARCHFOLLOWER_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_SEARCHFOLLOWER_H

#include "ProgressLine.h"
#include "mirage/Search/Checkpoint.h"

namespace mirage::mugraph {

/// Follows the search of one function of a run.
class SearchFollower final : public search::SearchObserver {
public:
  /// `checkpoint` may be null.
  SearchFollower(search::Checkpoint *checkpoint, size_t number,
                 ProgressLine &line)
      : checkpoint(checkpoint), number(number), line(line) {}

  bool keepsState() const override { return checkpoint != nullptr; }
  void onStage(llvm::StringRef name) override { line.show(name); }
  void onStep(const search::ProgramSearch &search) override;
  void onEnd(const search::ProgramSearch &search) override;

  /// Why the last write failed; empty if it did not.
  const std::string &failure() const { return writeFailure; }

private:
  void note(llvm::Error error);

  search::Checkpoint *checkpoint;
  size_t number;
  ProgressLine &line;
  std::string writeFailure;
};

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_SEARCHFOLLOWER_H
