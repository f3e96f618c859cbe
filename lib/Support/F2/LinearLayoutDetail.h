//===- LinearLayoutDetail.h - Helpers of LinearLayout -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SUPPORT_F2_LINEARLAYOUTDETAIL_H
#define MIRAGE_LIB_SUPPORT_F2_LINEARLAYOUTDETAIL_H

#include "mirage/Support/F2/LinearLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"

namespace mirage::detail {

inline llvm::Error failure(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

inline const LabelledDim *findDim(llvm::ArrayRef<LabelledDim> dims,
                                  llvm::StringRef name) {
  const auto *it = llvm::find_if(
      dims, [&](const LabelledDim &dim) { return dim.name == name; });
  return it == dims.end() ? nullptr : it;
}

inline unsigned totalBits(llvm::ArrayRef<LabelledDim> dims) {
  unsigned total = 0;
  for (const LabelledDim &dim : dims)
    total += dim.bits;
  return total;
}

/// `count` (< 64) bits of a vector from bit `start`.
inline uint64_t extractBits(llvm::ArrayRef<uint64_t> words, unsigned start,
                            unsigned count) {
  if (count == 0)
    return 0;
  unsigned word = start / 64, bit = start % 64;
  uint64_t value = words[word] >> bit;
  if (bit + count > 64)
    value |= words[word + 1] << (64 - bit);
  return value & ((uint64_t{1} << count) - 1);
}

/// Xors `value` into a vector at bit `start`.
inline void depositBits(llvm::MutableArrayRef<uint64_t> words, unsigned start,
                        uint64_t value) {
  if (value == 0)
    return;
  unsigned word = start / 64, bit = start % 64;
  words[word] ^= value << bit;
  if (bit > 0 && value >> (64 - bit))
    words[word + 1] ^= value >> (64 - bit);
}

inline void xorWords(llvm::MutableArrayRef<uint64_t> into,
                     llvm::ArrayRef<uint64_t> from) {
  for (auto [a, b] : llvm::zip_equal(into, from))
    a ^= b;
}

inline bool isZeroVector(llvm::ArrayRef<uint64_t> words) {
  return llvm::all_of(words, [](uint64_t word) { return word == 0; });
}

/// Index of the lowest set bit of a vector that is not zero.
inline unsigned lowestBitOf(llvm::ArrayRef<uint64_t> words) {
  unsigned index = 0;
  while (words[index] == 0)
    ++index;
  return index * 64 + llvm::countr_zero(words[index]);
}

} // namespace mirage::detail

#endif // MIRAGE_LIB_SUPPORT_F2_LINEARLAYOUTDETAIL_H
