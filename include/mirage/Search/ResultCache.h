//===- ResultCache.h - Results of searches, kept in a folder ----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A folder with one file for each result. Its name is the hash of all that the
// result depends on, so entries never have to be invalidated: what changes the
// result changes the name.
//
//   written whole    into a file of its own, which is then renamed: readers see
//                    nothing or all of it, whoever is killed when
//   found damaged    each entry begins with the hash of what follows; one that
//                    does not fit is a miss, and is written anew
//   shared           any number of processes: two that search for the same
//   thing
//                    write the same entry, and the last rename wins
//
// An entry is material to be checked, not to be trusted: the caller verifies
// what it gets.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_RESULTCACHE_H
#define MIRAGE_SEARCH_RESULTCACHE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>

namespace mirage::search {

class ResultCache {
public:
  explicit ResultCache(llvm::StringRef folder) : folder(folder) {}

  /// SHA-256 of `text` in hexadecimal digits: the key of an entry.
  static std::string keyOf(llvm::StringRef text);

  /// What was stored under `key`; nothing if it is not there or damaged.
  std::optional<std::string> lookup(llvm::StringRef key) const;

  /// Creates the folder if it is missing.
  llvm::Error store(llvm::StringRef key, llvm::StringRef content) const;

private:
  std::string pathOf(llvm::StringRef key) const;

  std::string folder;
};

/// Tells builds of the compiler apart: a hash of the program or library that
/// this code is in. Empty if that cannot be read; nothing may be cached then.
const std::string &compilerRevision();

} // namespace mirage::search

#endif // MIRAGE_SEARCH_RESULTCACHE_H
