//===- OrderedJson.cpp - JSON with ordered, checked objects ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/OrderedJson.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

using namespace mirage::layout;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

static constexpr unsigned maxDepth = 64;

namespace mirage::layout {
/// Recursive descent; every method returns false after setting `message`.
class OrderedJsonParser {
public:
  explicit OrderedJsonParser(StringRef text) : text(text) {}
  Expected<OrderedJson> run();

private:
  bool parseValue(OrderedJson &value, unsigned depth);
  bool parseObject(OrderedJson &value, unsigned depth);
  bool parseArray(OrderedJson &value, unsigned depth);
  bool parseString(std::string &into);
  bool parseEscape(std::string &into);
  bool parseHex(uint32_t &code);
  bool parseNumber(OrderedJson &value);
  bool parseWord(OrderedJson &value);

  void skipSpace() {
    while (at < text.size() && StringRef(" \t\r\n").contains(text[at]))
      ++at;
  }
  bool take(char c) {
    skipSpace();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  bool fail(const Twine &what) {
    if (message.empty())
      message = what.str();
    return false;
  }

  StringRef text;
  size_t at = 0;
  std::string message;
};
} // namespace mirage::layout

Expected<OrderedJson> OrderedJsonParser::run() {
  OrderedJson value;
  // An answer repeats labels, and must be JSON itself.
  bool good = llvm::json::isUTF8(text, &at) ? parseValue(value, 0)
                                            : fail("the text is not UTF-8");
  skipSpace();
  if (good && at != text.size())
    good = fail("text after the end of the value");
  if (good)
    return value;
  StringRef before = text.take_front(at);
  size_t line = before.count('\n') + 1;
  size_t column = at - (before.rfind('\n') + 1) + 1;
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 "JSON, line " + Twine(line) + ", column " +
                                     Twine(column) + ": " + message);
}

bool OrderedJsonParser::parseValue(OrderedJson &value, unsigned depth) {
  skipSpace();
  if (depth > maxDepth)
    return fail("nested deeper than " + Twine(maxDepth) + " levels");
  if (at >= text.size())
    return fail("unexpected end of the text, expected a value");
  char c = text[at];
  if (c == '{')
    return parseObject(value, depth);
  if (c == '[')
    return parseArray(value, depth);
  if (c == '"') {
    value.valueKind = OrderedJson::Kind::String;
    return parseString(value.string);
  }
  if (c == '-' || llvm::isDigit(c))
    return parseNumber(value);
  return parseWord(value);
}

bool OrderedJsonParser::parseObject(OrderedJson &value, unsigned depth) {
  value.valueKind = OrderedJson::Kind::Object;
  ++at;
  if (take('}'))
    return true;
  llvm::StringSet<> keys;
  do {
    skipSpace();
    std::string key;
    if (at >= text.size() || text[at] != '"')
      return fail("expected a key in double quotes");
    if (!parseString(key))
      return false;
    if (!keys.insert(key).second)
      return fail("key '" + key + "' is repeated");
    if (!take(':'))
      return fail("expected ':' after the key '" + key + "'");
    OrderedJson member;
    if (!parseValue(member, depth + 1))
      return false;
    value.object.emplace_back(std::move(key), std::move(member));
  } while (take(','));
  return take('}') || fail("expected ',' or '}' in an object");
}

bool OrderedJsonParser::parseArray(OrderedJson &value, unsigned depth) {
  value.valueKind = OrderedJson::Kind::Array;
  ++at;
  if (take(']'))
    return true;
  do {
    value.array.emplace_back();
    if (!parseValue(value.array.back(), depth + 1))
      return false;
  } while (take(','));
  return take(']') || fail("expected ',' or ']' in an array");
}

bool OrderedJsonParser::parseString(std::string &into) {
  ++at;
  while (at < text.size() && text[at] != '"') {
    char c = text[at++];
    if (static_cast<unsigned char>(c) < 0x20)
      return fail("control character in a string");
    if (c != '\\')
      into.push_back(c);
    else if (!parseEscape(into))
      return false;
  }
  if (at >= text.size())
    return fail("unexpected end of the text in a string");
  ++at;
  return true;
}

bool OrderedJsonParser::parseHex(uint32_t &code) {
  StringRef digits = text.substr(at, 4);
  if (digits.size() != 4 || !llvm::all_of(digits, llvm::isHexDigit))
    return fail("expected four hexadecimal digits after \\u");
  digits.getAsInteger(16, code);
  at += 4;
  return true;
}

bool OrderedJsonParser::parseEscape(std::string &into) {
  static constexpr StringRef names = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  if (at >= text.size())
    return fail("unexpected end of the text in a string");
  char c = text[at++];
  if (size_t index = names.find(c); index != StringRef::npos) {
    into.push_back(meanings[index]);
    return true;
  }
  uint32_t code = 0;
  if (c != 'u')
    return fail("unknown escape in a string");
  if (!parseHex(code))
    return false;
  if (code >= 0xD800 && code < 0xDC00 && text.substr(at).starts_with("\\u")) {
    at += 2;
    uint32_t low = 0;
    if (!parseHex(low))
      return false;
    code = 0x10000 + ((code - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
  }
  char buffer[4];
  char *end = buffer;
  if (!llvm::ConvertCodePointToUTF8(code, end))
    return fail("no character has this code");
  into.append(buffer, end);
  return true;
}

bool OrderedJsonParser::parseNumber(OrderedJson &value) {
  value.valueKind = OrderedJson::Kind::Number;
  size_t start = at;
  auto digits = [&] {
    size_t first = at;
    while (at < text.size() && llvm::isDigit(text[at]))
      ++at;
    return at > first;
  };
  auto accept = [&](StringRef set) {
    bool found = at < text.size() && set.contains(text[at]);
    at += found;
    return found;
  };
  accept("-");
  bool good = digits();
  if (good && accept("."))
    good = digits();
  if (good && accept("eE")) {
    accept("+-");
    good = digits();
  }
  value.string = text.slice(start, at).str();
  return good || fail("malformed number");
}

bool OrderedJsonParser::parseWord(OrderedJson &value) {
  StringRef rest = text.substr(at);
  for (StringRef word : {"true", "false", "null"})
    if (rest.starts_with(word)) {
      at += word.size();
      value.valueKind =
          word == "null" ? OrderedJson::Kind::Null : OrderedJson::Kind::Boolean;
      value.boolean = word == "true";
      return true;
    }
  return fail("expected a value");
}

Expected<OrderedJson> OrderedJson::parse(StringRef text) {
  return OrderedJsonParser(text).run();
}

StringRef OrderedJson::kindName() const {
  static constexpr StringRef names[] = {"null",     "a boolean", "a number",
                                        "a string", "an array",  "an object"};
  return names[static_cast<unsigned>(valueKind)];
}

std::optional<uint64_t> OrderedJson::asUnsigned() const {
  uint64_t value = 0;
  if (valueKind != Kind::Number || StringRef(string).getAsInteger(10, value) ||
      value >> 63)
    return std::nullopt;
  return value;
}

const OrderedJson *OrderedJson::find(StringRef key) const {
  for (const auto &[name, value] : object)
    if (name == key)
      return &value;
  return nullptr;
}
