//===- Checkpoint.h - Searches that go on later -----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file with the states of the searches of one run, one for each function. It
// is written anew while they run, whole each time: a process may be killed at
// any moment, and the next one goes on from what was known a moment before.
//
// The file says what run it belongs to: a hash of all that the states depend
// on. How much time and how many threads there are is not part of that, so a
// run may go on with more of either.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_CHECKPOINT_H
#define MIRAGE_SEARCH_CHECKPOINT_H

#include "mirage/Search/Search.h"

#include "llvm/Support/Error.h"

#include <string>

namespace mirage::search {

class Checkpoint {
public:
  /// `key`: of the run, whose searches are `count`.
  Checkpoint(llvm::StringRef path, llvm::StringRef key, size_t count)
      : path(path), key(key), states(count) {}

  /// Reads the file, if there is one. If it is of no use, says why; the states
  /// are empty then.
  llvm::Error read();
  const SearchState &state(size_t number) const { return states[number]; }

  /// Writes the state of a search, unless the last write is only a moment ago.
  llvm::Error update(size_t number, llvm::function_ref<SearchState()> newState);
  llvm::Error write(size_t number, SearchState state);

private:
  std::string path, key;
  std::vector<SearchState> states;
  std::chrono::steady_clock::time_point lastWrite;
};

} // namespace mirage::search

#endif // MIRAGE_SEARCH_CHECKPOINT_H
