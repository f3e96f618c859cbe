//===- OrderedJson.h - JSON with ordered, checked objects -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reader of JSON for layout specifications. Unlike llvm::json it keeps the
// order of an object's keys (the labels of a layout are ordered), refuses
// repeated keys (a repeated label is an error) and limits the depth, so that
// hostile nesting cannot overflow the stack.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_ORDEREDJSON_H
#define MIRAGE_LAYOUT_ORDEREDJSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mirage::layout {

class OrderedJson {
public:
  enum class Kind { Null, Boolean, Number, String, Array, Object };

  /// Parses one value; errors give line and column.
  static llvm::Expected<OrderedJson> parse(llvm::StringRef text);

  Kind kind() const { return valueKind; }
  /// "a number", "an object", ...
  llvm::StringRef kindName() const;

  bool asBoolean() const { return boolean; }
  /// Text of a string, or of a number as it was written.
  llvm::StringRef text() const { return string; }
  /// A number that is a non-negative integer below 2^63.
  std::optional<uint64_t> asUnsigned() const;
  const std::vector<OrderedJson> &elements() const { return array; }
  const std::vector<std::pair<std::string, OrderedJson>> &members() const {
    return object;
  }
  /// The member of this name, or null.
  const OrderedJson *find(llvm::StringRef key) const;

private:
  friend class OrderedJsonParser;
  Kind valueKind = Kind::Null;
  bool boolean = false;
  std::string string;
  std::vector<OrderedJson> array;
  std::vector<std::pair<std::string, OrderedJson>> object;
};

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_ORDEREDJSON_H
