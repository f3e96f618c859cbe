//===- TextMutator.h - Structured changes of bracketed text -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// JSON and attributes alike are words, numbers and brackets. A mutation works
// on tokens and on balanced groups of them, so that most results are well
// formed and reach the code behind the parser: numbers become borderline ones,
// groups are dropped, doubled, or replaced by groups of other seeds. Now and
// then bytes are changed instead, or the text is cut off.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_FUZZ_TEXTMUTATOR_H
#define MIRAGE_TEST_FUZZ_TEXTMUTATOR_H

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mirage::fuzz {

class TextMutator {
public:
  TextMutator(std::vector<std::string> seeds, uint64_t seed);

  /// A seed with a few mutations.
  std::string next();

private:
  using Tokens = std::vector<std::string>;
  /// A token, or an opening bracket up to its closing one: [first, last).
  struct Group {
    size_t first, last;
  };

  size_t below(size_t bound) { return bound ? engine() % bound : 0; }
  Tokens tokenize(const std::string &text) const;
  Group randomGroup(const Tokens &tokens);
  std::string randomNumber();
  void drop(Tokens &tokens, Group group);
  void repeat(Tokens &tokens, Group group);
  void transplant(Tokens &tokens, Group group);
  void mutateTokens(Tokens &tokens);
  void mutateBytes(std::string &text);

  std::vector<Tokens> seeds;
  std::mt19937_64 engine;
};

} // namespace mirage::fuzz

#endif // MIRAGE_TEST_FUZZ_TEXTMUTATOR_H
