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

using namespace mirage::verify;

KeyedHash::KeyedHash(uint64_t seed, uint64_t test, llvm::StringRef purpose) {
  uint8_t numbers[16];
  llvm::support::endian::write64le(numbers, seed);
  llvm::support::endian::write64le(numbers + 8, test);
  llvm::BLAKE3 hasher;
  hasher.update(llvm::ArrayRef<uint8_t>(numbers));
  hasher.update(purpose);
  llvm::BLAKE3Result<16> result = hasher.final<16>();
  key = {llvm::support::endian::read64le(result.data()),
         llvm::support::endian::read64le(result.data() + 8)};
}
