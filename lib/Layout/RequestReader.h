//===- RequestReader.h - Fields of the requests about layouts ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_REQUESTREADER_H
#define MIRAGE_LIB_LAYOUT_REQUESTREADER_H

#include "mirage/Layout/OrderedJson.h"
#include "mirage/Support/F2/LinearLayout.h"
#include "mirage/Target/TargetDescription.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace mirage::layout::detail {

/// Reads the fields of one request. The first error is kept and later reads
/// return defaults, so that a request reads all it needs and checks once.
class RequestReader {
public:
  explicit RequestReader(const OrderedJson &request) : request(request) {}

  LinearLayout layout(llvm::StringRef key);
  /// A layout of registers: in labels register, lane, warp, block.
  LinearLayout registers(llvm::StringRef key);
  /// A layout of shared memory: with an in label offset.
  LinearLayout shared(llvm::StringRef key);
  /// At least 8: narrower elements are widened when they are moved.
  unsigned elemBits();
  /// Never null without an error.
  const TargetDescription *target();
  llvm::Error error();

private:
  void fail(const llvm::Twine &text);

  const OrderedJson &request;
  std::string message;
};

/// `layout` with its out labels in the order of `like`, if they are the same.
LinearLayout inOrderOf(const LinearLayout &layout, const LinearLayout &like);

/// The error of an operation on layouts that are fine by themselves.
llvm::Error noAnswer(llvm::Error error);

/// One object as a line; `members` writes what is in it.
template <typename Members>
std::string jsonLine(Members members) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  json.object([&] { members(json); });
  return text;
}

llvm::Expected<std::string> answerConvert(const OrderedJson &request);
llvm::Expected<std::string> answerConflicts(const OrderedJson &request);

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_REQUESTREADER_H
