//===- KeyedHash.h - A seeded random function -------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_KEYEDHASH_H
#define MIRAGE_VERIFY_KEYEDHASH_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <array>
#include <cstdint>

namespace mirage::verify {

/// 128 bits of a hash.
using Digest = std::array<uint64_t, 2>;

/// A function from lists of words to 128 bits that nobody without the seed can
/// tell from a random one: SipHash-2-4 with a key that BLAKE3 derives from the
/// seed, the number of the test and a purpose. Inputs of a program and values
/// of uninterpreted functions come from it, so any of them can be computed
/// alone and in any order, and the same seed gives the same ones everywhere.
class KeyedHash {
public:
  KeyedHash(uint64_t seed, uint64_t test, llvm::StringRef purpose);

  KeyedHash(const Digest &key) : key(key) {}

  /// SipHash-2-4 with 128 bits of the words as little-endian bytes. Inline
  /// because random inputs are most of the work of a test.
  Digest operator()(llvm::ArrayRef<uint64_t> words) const;

private:
  struct State;
  Digest key;
};

/// The state of SipHash and its round (Aumasson and Bernstein, 2012).
struct KeyedHash::State {
  uint64_t v0, v1, v2, v3;

  static uint64_t rotate(uint64_t x, unsigned bits) {
    return x << bits | x >> (64 - bits);
  }
  void round() {
    v0 += v1;
    v2 += v3;
    v1 = rotate(v1, 13) ^ v0;
    v3 = rotate(v3, 16) ^ v2;
    v0 = rotate(v0, 32) + v3;
    v2 += v1;
    v1 = rotate(v1, 17) ^ v2;
    v3 = rotate(v3, 21) ^ v0;
    v2 = rotate(v2, 32);
  }
  void absorb(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  uint64_t squeeze() {
    for (int i = 0; i < 4; ++i)
      round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

inline Digest KeyedHash::operator()(llvm::ArrayRef<uint64_t> words) const {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee,
              key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  for (uint64_t word : words)
    state.absorb(word);
  state.absorb(static_cast<uint64_t>(words.size()) * 8 << 56);
  state.v2 ^= 0xee;
  uint64_t low = state.squeeze();
  state.v1 ^= 0xdd;
  return {low, state.squeeze()};
}

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_KEYEDHASH_H
