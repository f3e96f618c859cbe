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

  Digest operator()(llvm::ArrayRef<uint64_t> words) const;

private:
  uint8_t key[16];
};

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_KEYEDHASH_H
