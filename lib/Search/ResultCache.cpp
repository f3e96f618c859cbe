//===- ResultCache.cpp - Results of searches, kept in a folder ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/ResultCache.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

#include <dlfcn.h>

using namespace mirage;
using namespace mirage::search;

// The form of entries; older ones are not understood.
static constexpr llvm::StringLiteral entryMagic = "mirage-result-1 ";
static constexpr size_t hashDigits = 64;

std::string ResultCache::keyOf(llvm::StringRef text) {
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)),
                     /*LowerCase=*/true);
}

std::string ResultCache::pathOf(llvm::StringRef key) const {
  llvm::SmallString<256> path(folder);
  llvm::sys::path::append(path, key + ".entry");
  return path.str().str();
}

std::optional<std::string> ResultCache::lookup(llvm::StringRef key) const {
  auto file = llvm::MemoryBuffer::getFile(pathOf(key), /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false,
                                          /*IsVolatile=*/true);
  if (!file)
    return std::nullopt;
  llvm::StringRef text = (*file)->getBuffer();
  if (!text.consume_front(entryMagic) || text.size() < hashDigits + 1 ||
      text[hashDigits] != '\n')
    return std::nullopt;
  llvm::StringRef content = text.drop_front(hashDigits + 1);
  // With the key: an entry under another name is damaged too.
  if (text.take_front(hashDigits) != keyOf(key.str() + content.str()))
    return std::nullopt;
  return content.str();
}

llvm::Error ResultCache::store(llvm::StringRef key,
                               llvm::StringRef content) const {
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(error, "cannot create '" + folder + "'");
  auto file = llvm::sys::fs::TempFile::create(pathOf(key) + ".%%%%%%%%");
  if (!file)
    return file.takeError();
  llvm::raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
  stream << entryMagic << keyOf(key.str() + content.str()) << "\n" << content;
  stream.flush();
  if (std::error_code error = stream.error()) {
    stream.clear_error();
    return llvm::joinErrors(
        llvm::createStringError(error, "cannot write '" + pathOf(key) + "'"),
        file->discard());
  }
  return file->keep(pathOf(key));
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
