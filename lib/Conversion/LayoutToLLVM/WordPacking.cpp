//===- WordPacking.cpp - Narrow values in words ---------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WordPacking.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mirage;

static unsigned bitsOf(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getNumElements() * vector.getElementTypeBitWidth();
  return type.getIntOrFloatBitWidth();
}

//===----------------------------------------------------------------------===//
// Where a value comes from
//===----------------------------------------------------------------------===//

namespace {
/// A value that is some bytes of a word: of word `index` of `source`.
struct Origin {
  Value source;
  unsigned index, byte;

  bool isSameWord(const Origin &other) const {
    return source == other.source && index == other.index;
  }
};
} // namespace

/// Looks through casts between a vector and the words that it was made of.
static Value withoutCasts(Value vector) {
  while (auto cast = vector.getDefiningOp<LLVM::BitcastOp>())
    vector = cast.getArg();
  return vector;
}

static std::optional<Origin> originOf(Value value) {
  auto extract = value.getDefiningOp<LLVM::ExtractElementOp>();
  APInt position;
  if (!extract ||
      !matchPattern(extract.getPosition(), m_ConstantInt(&position)))
    return std::nullopt;
  Value source = withoutCasts(extract.getVector());
  unsigned bits = bitsOf(source.getType());
  if (bits != 16 && bits % 32 != 0)
    return std::nullopt;
  unsigned byte = position.getZExtValue() * bitsOf(value.getType()) / 8;
  return Origin{source, byte / 4, byte % 4};
}

static Value wordOf(ImplicitLocOpBuilder &b, const Origin &origin) {
  Type i32 = b.getI32Type();
  unsigned bits = bitsOf(origin.source.getType());
  auto cast = [&](Type type) {
    Value source = origin.source;
    return source.getType() == type
               ? source
               : Value(LLVM::BitcastOp::create(b, type, source));
  };
  if (bits == 16)
    return LLVM::ZExtOp::create(b, i32, cast(b.getIntegerType(16)));
  if (bits == 32)
    return cast(i32);
  return LLVM::ExtractElementOp::create(
      b, cast(VectorType::get(bits / 32, i32)), constantI32(b, origin.index));
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

static std::optional<SmallVector<Origin, 4>> originsOf(ValueRange values) {
  SmallVector<Origin, 4> origins;
  for (Value value : values) {
    std::optional<Origin> origin = originOf(value);
    if (!origin)
      return std::nullopt;
    origins.push_back(*origin);
  }
  return origins;
}

/// One permute for each word after the first: it keeps the values that are in
/// place and adds those of its word.
static Value permuteWords(ImplicitLocOpBuilder &b,
                          const TargetInstructions &instructions,
                          ArrayRef<Origin> origins, unsigned bytesEach) {
  SmallVector<Origin, 4> words;
  for (const Origin &origin : origins)
    if (llvm::none_of(
            words, [&](const Origin &word) { return word.isSameWord(origin); }))
      words.push_back(origin);
  bool inPlace = true;
  for (auto [index, origin] : llvm::enumerate(origins))
    inPlace &= origin.byte == index * bytesEach;
  Value result = wordOf(b, words.front());
  if (words.size() == 1 && inPlace)
    return result;
  // Before the first permute the values of the first word are where they were.
  auto permute = [&](const Origin &added, bool isFirst) {
    SmallVector<unsigned, 4> bytes;
    for (auto [index, origin] : llvm::enumerate(origins))
      for (unsigned byte = 0; byte < bytesEach; ++byte) {
        unsigned at = origin.byte + byte;
        if (origin.isSameWord(added))
          bytes.push_back(4 + at);
        else
          bytes.push_back(isFirst && origin.isSameWord(words.front())
                              ? at
                              : index * bytesEach + byte);
      }
    while (bytes.size() < 4)
      bytes.push_back(bytes.size());
    Value selector = constantBits(b, instructions.byteSelector(bytes));
    result = instructions.permuteBytes(b, result, wordOf(b, added), selector);
  };
  if (words.size() == 1)
    permute(words.front(), true);
  for (auto [index, word] : llvm::enumerate(ArrayRef(words).drop_front()))
    permute(word, index == 0);
  return result;
}

Value mirage::packWord(ImplicitLocOpBuilder &b,
                       const TargetInstructions &instructions,
                       ValueRange values) {
  unsigned bits = bitsOf(values.front().getType());
  if (std::optional<SmallVector<Origin, 4>> origins = originsOf(values))
    return permuteWords(b, instructions, *origins, bits / 8);
  unsigned all = bits * values.size();
  Value packed = LLVM::BitcastOp::create(
      b, b.getIntegerType(all),
      values.size() == 1 ? values.front() : packVector(b, values));
  return all == 32 ? packed
                   : Value(LLVM::ZExtOp::create(b, b.getI32Type(), packed));
}

SmallVector<Value> mirage::packWords(ImplicitLocOpBuilder &b,
                                     const TargetInstructions &instructions,
                                     ValueRange values) {
  size_t perWord = 32 / bitsOf(values.front().getType());
  SmallVector<Value> words;
  for (size_t i = 0; i < values.size(); i += perWord)
    words.push_back(
        packWord(b, instructions,
                 values.slice(i, std::min(perWord, values.size() - i))));
  return words;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Type mirage::memoryType(Type element, unsigned size) {
  if (size == 1)
    return element;
  if (size == 2 && bitsOf(element) == 8)
    return IntegerType::get(element.getContext(), 16);
  return VectorType::get(size, element);
}

Value mirage::toMemory(ImplicitLocOpBuilder &b,
                       const TargetInstructions &instructions,
                       ValueRange values) {
  unsigned bits = bitsOf(values.front().getType());
  if (values.size() == 1)
    return values.front();
  if (bits >= 32 || !originsOf(values))
    return packVector(b, values);
  if (bits * values.size() == 16)
    return LLVM::TruncOp::create(b, b.getIntegerType(16),
                                 packWord(b, instructions, values));
  SmallVector<Value> words = packWords(b, instructions, values);
  return words.size() == 1 ? words.front() : packVector(b, words);
}

SmallVector<Value> mirage::fromMemory(ImplicitLocOpBuilder &b, Type element,
                                      unsigned size, Value loaded) {
  if (size == 1)
    return {loaded};
  Type vector = VectorType::get(size, element);
  if (loaded.getType() != vector)
    loaded = LLVM::BitcastOp::create(b, vector, loaded);
  return unpackVector(b, loaded);
}
