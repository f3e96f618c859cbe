//===- ResultCache.cpp - Results of searches, kept in a folder ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/ResultCache.h"

#include "CheckedFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <dlfcn.h>

using namespace mirage;
using namespace mirage::search;

// The form of entries; older ones are not understood.
static constexpr llvm::StringLiteral entryForm = "mirage-result-1";

std::string ResultCache::keyOf(llvm::StringRef text) { return hashOf(text); }

std::string ResultCache::pathOf(llvm::StringRef key) const {
  llvm::SmallString<256> path(folder);
  llvm::sys::path::append(path, key + ".entry");
  return path.str().str();
}

// With the key: an entry under another name is damaged too.
std::optional<std::string> ResultCache::lookup(llvm::StringRef key) const {
  llvm::ErrorOr<std::string> content = readChecked(pathOf(key), entryForm, key);
  if (!content)
    return std::nullopt;
  return std::move(*content);
}

llvm::Error ResultCache::store(llvm::StringRef key,
                               llvm::StringRef content) const {
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(error, "cannot create '" + folder + "'");
  return writeChecked(pathOf(key), entryForm, key, content);
}

static std::string hashOfOwnFile() {
  // The file that holds this variable, wherever the code is linked into.
  static const char anchor = 0;
  std::string path;
  Dl_info info;
  if (dladdr(&anchor, &info) && info.dli_fname &&
      llvm::StringRef(info.dli_fname).contains(".so"))
    path = info.dli_fname;
  else
    path = llvm::sys::fs::getMainExecutable(nullptr, nullptr);
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return {};
  auto hash =
      llvm::BLAKE3::hash(llvm::arrayRefFromStringRef((*file)->getBuffer()));
  return llvm::toHex(hash, /*LowerCase=*/true) + " LLVM " LLVM_VERSION_STRING;
}

const std::string &search::compilerRevision() {
  static const std::string revision = hashOfOwnFile();
  return revision;
}
