//===- CheckedFile.cpp - Files that are whole or not there ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckedFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mirage;
using namespace mirage::search;

static constexpr size_t hashDigits = 64;

std::string search::hashOf(llvm::StringRef text) {
  return llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)),
                     /*LowerCase=*/true);
}

llvm::Error search::writeChecked(llvm::StringRef path, llvm::StringRef form,
                                 llvm::StringRef key, llvm::StringRef content) {
  auto file = llvm::sys::fs::TempFile::create(path + ".%%%%%%%%");
  if (!file)
    return file.takeError();
  llvm::raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
  stream << form << " " << hashOf(key.str() + content.str()) << "\n" << content;
  stream.flush();
  if (std::error_code error = stream.error()) {
    stream.clear_error();
    return llvm::joinErrors(
        llvm::createStringError(error, "cannot write '" + path + "'"),
        file->discard());
  }
  return file->keep(path);
}

llvm::ErrorOr<std::string> search::readChecked(llvm::StringRef path,
                                               llvm::StringRef form,
                                               llvm::StringRef key) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false,
                                          /*IsVolatile=*/true);
  if (!file)
    return file.getError();
  const std::error_code damaged =
      std::make_error_code(std::errc::illegal_byte_sequence);
  llvm::StringRef text = (*file)->getBuffer();
  if (!text.consume_front(form) || !text.consume_front(" ") ||
      text.size() < hashDigits + 1 || text[hashDigits] != '\n')
    return damaged;
  llvm::StringRef content = text.drop_front(hashDigits + 1);
  if (text.take_front(hashDigits) != hashOf(key.str() + content.str()))
    return damaged;
  return content.str();
}
