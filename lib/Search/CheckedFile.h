//===- CheckedFile.h - Files that are whole or not there --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_CHECKEDFILE_H
#define MIRAGE_LIB_SEARCH_CHECKEDFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/ErrorOr.h"

#include <string>

namespace mirage::search {

/// SHA-256 in hexadecimal digits.
std::string hashOf(llvm::StringRef text);

/// Writes `content` behind the magic word `form` and a hash over `key` and
/// content. The file is written under another name and then renamed: whoever is
/// killed when, readers see the old content or the new one.
llvm::Error writeChecked(llvm::StringRef path, llvm::StringRef form,
                         llvm::StringRef key, llvm::StringRef content);

/// The content; `illegal_byte_sequence` if the file is another one or damaged.
llvm::ErrorOr<std::string>
readChecked(llvm::StringRef path, llvm::StringRef form, llvm::StringRef key);

} // namespace mirage::search

#endif // MIRAGE_LIB_SEARCH_CHECKEDFILE_H
