//===- KeyedHash.cpp - A seeded random function ---------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/KeyedHash.h"

#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/SipHash.h"

#include <cassert>
#include <cstring>

using namespace mirage::verify;

KeyedHash::KeyedHash(uint64_t seed, uint64_t test, llvm::StringRef purpose) {
  uint8_t numbers[16];
  llvm::support::endian::write64le(numbers, seed);
  llvm::support::endian::write64le(numbers + 8, test);
  llvm::BLAKE3 hasher;
  hasher.update(llvm::ArrayRef<uint8_t>(numbers));
  hasher.update(purpose);
  llvm::BLAKE3Result<16> result = hasher.final<16>();
  std::memcpy(key, result.data(), sizeof key);
}

Digest KeyedHash::operator()(llvm::ArrayRef<uint64_t> words) const {
  constexpr size_t maxWords = 8;
  assert(words.size() <= maxWords && "list too long");
  uint8_t input[8 * maxWords];
  for (size_t i = 0; i < words.size(); ++i)
    llvm::support::endian::write64le(input + 8 * i, words[i]);
  uint8_t output[16];
  llvm::getSipHash_2_4_128(llvm::ArrayRef<uint8_t>(input, 8 * words.size()),
                           key, output);
  return {llvm::support::endian::read64le(output),
          llvm::support::endian::read64le(output + 8)};
}
