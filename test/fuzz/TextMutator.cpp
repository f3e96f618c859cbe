//===- TextMutator.cpp - Structured changes of bracketed text -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextMutator.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

using namespace mirage::fuzz;
using llvm::StringRef;

TextMutator::TextMutator(std::vector<std::string> texts, uint64_t seed)
    : engine(seed) {
  for (const std::string &text : texts)
    seeds.push_back(tokenize(text));
}

static bool isWordCharacter(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '.' || c == '-' || c == '#' ||
         c == '!';
}

TextMutator::Tokens TextMutator::tokenize(const std::string &text) const {
  Tokens tokens;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    if (text[at] == '"') {
      end = text.find('"', end);
      end = end == std::string::npos ? text.size() : end + 1;
    } else if (isWordCharacter(text[at])) {
      while (end < text.size() && isWordCharacter(text[end]))
        ++end;
    }
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

TextMutator::Group TextMutator::randomGroup(const Tokens &tokens) {
  size_t first = below(tokens.size());
  StringRef opening("[{<(");
  if (first >= tokens.size() || !opening.contains(tokens[first][0]))
    return {first, std::min(first + 1, tokens.size())};
  size_t depth = 0, at = first;
  do {
    depth += opening.contains(tokens[at][0]);
    depth -= StringRef("]})>").contains(tokens[at][0]) && depth > 0;
    ++at;
  } while (depth > 0 && at < tokens.size());
  return {first, at};
}

std::string TextMutator::randomNumber() {
  static const char *const borderline[] = {"-1",
                                           "0.5",
                                           "2147483648",
                                           "4611686018427387904",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "18446744073709551616",
                                           "1e9",
                                           "1e400",
                                           "0x10",
                                           "-9223372036854775808"};
  constexpr size_t count = sizeof(borderline) / sizeof(borderline[0]);
  switch (below(8)) {
  case 0:
    return borderline[below(count)];
  case 1:
    return std::to_string(uint64_t{1} << below(64));
  case 2:
    return std::to_string(below(130));
  default:
    return std::to_string(uint64_t{1} << below(8) >> below(2));
  }
}

/// A number at or behind `at`, or the end.
static size_t numberFrom(const std::vector<std::string> &tokens, size_t at) {
  while (at < tokens.size() && !llvm::isDigit(tokens[at][0]))
    ++at;
  return at;
}

/// Removes a group and one comma beside it.
void TextMutator::drop(Tokens &tokens, Group group) {
  if (group.last < tokens.size() && tokens[group.last] == ",")
    ++group.last;
  else if (group.first > 0 && tokens[group.first - 1] == ",")
    --group.first;
  tokens.erase(tokens.begin() + group.first, tokens.begin() + group.last);
}

/// Writes a group several times, mostly in a list.
void TextMutator::repeat(Tokens &tokens, Group group) {
  Tokens copy(tokens.begin() + group.first, tokens.begin() + group.last);
  if (below(8))
    copy.insert(copy.begin(), ",");
  for (size_t times = below(8) ? 1 : below(80); times > 0; --times)
    tokens.insert(tokens.begin() + group.last, copy.begin(), copy.end());
}

/// Replaces a group by one of a seed, if possible with the same bracket.
void TextMutator::transplant(Tokens &tokens, Group group) {
  const Tokens &other = seeds[below(seeds.size())];
  Group there = randomGroup(other);
  for (int tries = 0; tries < 20 && group.first < tokens.size() &&
                      other[there.first] != tokens[group.first];
       ++tries)
    there = randomGroup(other);
  Tokens copy(other.begin() + there.first, other.begin() + there.last);
  tokens.erase(tokens.begin() + group.first, tokens.begin() + group.last);
  tokens.insert(tokens.begin() + group.first, copy.begin(), copy.end());
}

void TextMutator::mutateTokens(Tokens &tokens) {
  Group here = randomGroup(tokens);
  size_t number = numberFrom(tokens, here.first);
  size_t other = numberFrom(tokens, below(tokens.size()));
  switch (below(10)) {
  case 0:
    return drop(tokens, here);
  case 1:
    return repeat(tokens, here);
  case 2:
    return transplant(tokens, here);
  case 3:
    if (number < tokens.size() && other < tokens.size())
      std::swap(tokens[number], tokens[other]);
    return;
  case 4: // anything for anything
    if (other < tokens.size() && here.first < tokens.size())
      std::swap(tokens[here.first], tokens[other]);
    return;
  default:
    if (number < tokens.size())
      tokens[number] = randomNumber();
  }
}

void TextMutator::mutateBytes(std::string &text) {
  size_t at = below(text.size());
  switch (below(4)) {
  case 0:
    text.resize(at);
    break;
  case 1:
    text.insert(at, 1, static_cast<char>(below(256)));
    break;
  case 2:
    text.insert(at, below(200), "[{<(\"\\"[below(6)]);
    break;
  default:
    if (!text.empty())
      text[at] = static_cast<char>(below(256));
  }
}

std::string TextMutator::next() {
  Tokens tokens = seeds[below(seeds.size())];
  for (size_t times = 1 + below(4); times > 0; --times)
    mutateTokens(tokens);
  std::string text = llvm::join(tokens, "");
  for (size_t times = below(6) ? 0 : 1 + below(3); times > 0; --times)
    mutateBytes(text);
  return text;
}
