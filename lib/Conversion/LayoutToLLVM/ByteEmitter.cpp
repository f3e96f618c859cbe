//===- ByteEmitter.cpp - Numbers out of bytes -----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteEmitter.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace mirage;

static constexpr unsigned bytesPerWord = 4;

Value ByteEmitter::splat(Type vector, double value) {
  Type element = cast<VectorType>(vector).getElementType();
  return LLVM::ConstantOp::create(
      b, vector,
      DenseElementsAttr::get(cast<ShapedType>(vector),
                             Attribute(b.getFloatAttr(element, value))));
}

Value ByteEmitter::splatBits(Type vector, uint64_t bits) {
  unsigned width =
      cast<VectorType>(vector).getElementType().getIntOrFloatBitWidth();
  return LLVM::ConstantOp::create(
      b, vector,
      DenseElementsAttr::get(cast<ShapedType>(vector), APInt(width, bits)));
}

Value ByteEmitter::packWord(ValueRange bytes) {
  Type vector = VectorType::get(bytesPerWord, b.getI8Type());
  Value word = LLVM::PoisonOp::create(b, vector);
  // A poisoned byte would poison the whole word: repeat the last one.
  for (unsigned i = 0; i < bytesPerWord; ++i)
    word = LLVM::InsertElementOp::create(
        b, word, bytes[std::min<size_t>(i, bytes.size() - 1)],
        constantI32(b, i));
  return LLVM::BitcastOp::create(b, b.getI32Type(), word);
}

/// (word & mask) ^ flip: one instruction on NVIDIA.
Value ByteEmitter::bitwise(Value word, uint32_t mask, uint32_t flip) {
  auto constant = [&](uint32_t bits) {
    return constantI32(b, static_cast<int32_t>(bits));
  };
  if (mask != ~0u)
    word = LLVM::AndOp::create(b, word, constant(mask));
  return flip ? LLVM::XOrOp::create(b, word, constant(flip)) : word;
}

/// `count` values of type `element`, made of bytes of `word` and of `filler`:
/// pattern p >= 0 is byte p of the filler, -1 the next byte of the word.
Value ByteEmitter::spread(Value word, unsigned first, unsigned count,
                          uint32_t filler, ArrayRef<int32_t> pattern,
                          Type element) {
  Type bytes = VectorType::get(bytesPerWord, b.getI8Type());
  Value from = LLVM::BitcastOp::create(b, bytes, word);
  Value constant = LLVM::BitcastOp::create(
      b, bytes, constantI32(b, static_cast<int32_t>(filler)));
  SmallVector<int32_t> mask;
  for (unsigned i = 0; i < count; ++i)
    for (int32_t byte : pattern)
      mask.push_back(byte < 0 ? first + i : bytesPerWord + byte);
  Value moved = LLVM::ShuffleVectorOp::create(b, from, constant, mask);
  Type result = count == 1 ? element : Type(VectorType::get(count, element));
  return LLVM::BitcastOp::create(b, result, moved);
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value ByteEmitter::changeWidth(Value pair, Type to) {
  Type from = cast<VectorType>(pair.getType()).getElementType();
  if (from == to)
    return pair;
  Type wide = VectorType::get(2, b.getF32Type());
  if (!from.isF32())
    pair = LLVM::FPExtOp::create(b, wide, pair);
  if (to.isF32())
    return pair;
  return LLVM::FPTruncOp::create(b, VectorType::get(2, to), pair);
}

/// Pairs of bf16 numbers 2^7 + byte, less `bias` each: of bytes below 128 for
/// any bias. A byte of two's complement reaches the last bit of the exponent:
/// without it the number is 2^7 + its low 7 bits, and the exponent alone is 2^7
/// or, of negative bytes, 2^8, which is what must go. Each number is exact.
SmallVector<Value> ByteEmitter::toBFloats(ArrayRef<Value> words, unsigned count,
                                          std::optional<unsigned> bias) {
  Type pairs = VectorType::get(2, b.getBF16Type());
  SmallVector<Value> results;
  for (unsigned i = 0; i < count; i += 2) {
    Value bits = spread(words[i / bytesPerWord], i % bytesPerWord, 2, 0x43,
                        {-1, 0}, b.getIntegerType(16));
    bits = LLVM::BitcastOp::create(b, b.getI32Type(), bits);
    auto masked = [&](uint32_t mask) {
      return LLVM::BitcastOp::create(b, pairs, bitwise(bits, mask, 0));
    };
    Value number = masked(bias ? ~0u : 0xff7fff7f);
    Value excess = bias ? splat(pairs, 128.0 + *bias) : masked(0xff80ff80);
    llvm::append_range(
        results, unpackVector(b, LLVM::FSubOp::create(b, number, excess)));
  }
  results.truncate(count);
  return results;
}

SmallVector<Value> ByteEmitter::toFloats(ArrayRef<Value> words, unsigned count,
                                         unsigned bias, Type to) {
  SmallVector<Value> results;
  for (unsigned i = 0; i < count; i += 2) {
    Value word = words[i / bytesPerWord], pair;
    unsigned first = i % bytesPerWord;
    if (to.isF16()) {
      pair = spread(word, first, 2, 0x64, {-1, 0}, to);
      pair =
          LLVM::FSubOp::create(b, pair, splat(pair.getType(), 1024.0 + bias));
    } else {
      SmallVector<Value> parts;
      for (unsigned j = 0; j < 2; ++j)
        parts.push_back(spread(word, first + j, 1, 0x4b000000, {-1, 0, 1, 3},
                               b.getF32Type()));
      pair = packVector(b, parts);
      pair = LLVM::FSubOp::create(b, pair,
                                  splat(pair.getType(), 8388608.0 + bias));
      pair = changeWidth(pair, to);
    }
    llvm::append_range(results, unpackVector(b, pair));
  }
  results.truncate(count);
  return results;
}

SmallVector<Value> ByteEmitter::convertIntegers(ValueRange bytes, bool isSigned,
                                                Type to) {
  SmallVector<Value> words;
  for (size_t i = 0; i < bytes.size(); i += bytesPerWord)
    words.push_back(packWord(
        bytes.slice(i, std::min<size_t>(bytesPerWord, bytes.size() - i))));
  if (to.isBF16() && isSigned && hasPairsOfBFloats())
    return toBFloats(words, bytes.size(), std::nullopt);
  for (Value &word : words)
    word = bitwise(word, ~0u, isSigned ? 0x80808080 : 0);
  return toFloats(words, bytes.size(), isSigned ? 128 : 0, to);
}

SmallVector<Value> ByteEmitter::unpack(ValueRange bytes, bool isSigned,
                                       Type to) {
  // The low and the high halves as words of numbers from 0 to 15, signed ones
  // with 8 added.
  SmallVector<Value> halves[2];
  for (size_t i = 0; i < bytes.size(); i += bytesPerWord) {
    Value word = packWord(
        bytes.slice(i, std::min<size_t>(bytesPerWord, bytes.size() - i)));
    for (SmallVector<Value> &half : halves) {
      half.push_back(bitwise(word, 0x0f0f0f0f, isSigned ? 0x08080808 : 0));
      word = LLVM::LShrOp::create(b, word, constantI32(b, 4));
    }
  }
  SmallVector<Value> numbers[2], results;
  for (unsigned h = 0; h < 2; ++h)
    numbers[h] = to.isInteger()
                     ? toIntegers(halves[h], bytes.size(), isSigned, to)
                 : to.isBF16() && hasPairsOfBFloats()
                     ? toBFloats(halves[h], bytes.size(), isSigned ? 8 : 0)
                     : toFloats(halves[h], bytes.size(), isSigned ? 8 : 0, to);
  for (auto [low, high] : llvm::zip_equal(numbers[0], numbers[1]))
    results.append({low, high});
  return results;
}

SmallVector<Value> ByteEmitter::toIntegers(ArrayRef<Value> words,
                                           unsigned count, bool isSigned,
                                           Type to) {
  SmallVector<Value> results;
  for (Value word : words) {
    if (isSigned) {
      // No byte borrows from the next: each is at least 128 before.
      word = LLVM::OrOp::create(b, word, constantI32(b, int32_t(0x80808080)));
      word = LLVM::SubOp::create(b, word, constantI32(b, 0x08080808));
      word = bitwise(word, ~0u, 0x80808080);
    }
    for (Value byte : unpackVector(
             b, LLVM::BitcastOp::create(
                    b, VectorType::get(bytesPerWord, b.getI8Type()), word)))
      results.push_back(
          to.isInteger(8) ? byte : Value(LLVM::SExtOp::create(b, to, byte)));
  }
  results.truncate(count);
  return results;
}

//===----------------------------------------------------------------------===//
// 8-bit floats
//===----------------------------------------------------------------------===//

SmallVector<Value> ByteEmitter::extendFloats(ValueRange bytes, Type from,
                                             Type to) {
  SmallVector<Value> results;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    Value last = bytes[std::min(i + 1, bytes.size() - 1)];
    Value pair = packVector(b, {bytes[i], last});
    llvm::append_range(
        results, unpackVector(b, changeWidth(extendPair(pair, from), to)));
  }
  results.truncate(bytes.size());
  return results;
}

Value ByteEmitter::extendPair(Value pair, Type from) {
  if (Value native = instructions.extendFloat8(b, from, pair))
    return native;
  if (isa<Float8E4M3FNUZType, Float8E5M2FNUZType>(from))
    return extendFNUZ(pair, from);
  return extendHalfRange(pair, from);
}

/// Formats with the exponents and infinities of f16, or with fewer.
Value ByteEmitter::extendHalfRange(Value pair, Type from) {
  Value word = packWord(unpackVector(b, pair));
  Type f16 = b.getF16Type(), halves = VectorType::get(2, f16);
  Value high = spread(word, 0, 2, 0, {0, -1}, f16);
  if (isa<Float8E5M2Type>(from))
    return high;
  Value bits = LLVM::BitcastOp::create(b, b.getI32Type(), high);
  Value sign = bitwise(bits, 0x80008000, 0);
  Value magnitude =
      LLVM::LShrOp::create(b, bitwise(bits, 0x7f007f00, 0), constantI32(b, 1));
  // Exponents are biased by 7 and not by 15.
  Value number = LLVM::FMulOp::create(
      b,
      LLVM::BitcastOp::create(b, halves,
                              LLVM::OrOp::create(b, sign, magnitude)),
      splat(halves, 256.0));
  Type words = VectorType::get(2, b.getIntegerType(16));
  Value isNaN = LLVM::ICmpOp::create(
      b, LLVM::ICmpPredicate::eq, LLVM::BitcastOp::create(b, words, magnitude),
      splatBits(words, 0x3f80));
  return LLVM::SelectOp::create(
      b, isNaN, splat(halves, std::numeric_limits<double>::quiet_NaN()),
      number);
}

/// Formats without infinities whose NaN is the negative zero of others.
Value ByteEmitter::extendFNUZ(Value pair, Type from) {
  bool isE4 = isa<Float8E4M3FNUZType>(from);
  unsigned mantissa = isE4 ? 3 : 2, bias = isE4 ? 8 : 16;
  Type words = VectorType::get(2, b.getI32Type());
  Type floats = VectorType::get(2, b.getF32Type());
  Value bits = LLVM::ZExtOp::create(b, words, pair);
  Value sign = LLVM::ShlOp::create(
      b, LLVM::AndOp::create(b, bits, splatBits(words, 0x80)),
      splatBits(words, 24));
  Value magnitude = LLVM::ShlOp::create(
      b, LLVM::AndOp::create(b, bits, splatBits(words, 0x7f)),
      splatBits(words, 23 - mantissa));
  Value number = LLVM::FMulOp::create(
      b,
      LLVM::BitcastOp::create(b, floats,
                              LLVM::OrOp::create(b, sign, magnitude)),
      splat(floats, std::ldexp(1.0, 127 - bias)));
  Value isNaN = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, bits,
                                     splatBits(words, 0x80));
  return LLVM::SelectOp::create(
      b, isNaN, splat(floats, std::numeric_limits<double>::quiet_NaN()),
      number);
}

//===----------------------------------------------------------------------===//
// To 8-bit floats
//===----------------------------------------------------------------------===//

SmallVector<Value> ByteEmitter::truncateFloats(ValueRange values, Type to) {
  SmallVector<Value> results;
  for (size_t i = 0; i < values.size(); i += 2) {
    Value last = values[std::min(i + 1, values.size() - 1)];
    Value pair = packVector(b, {values[i], last});
    llvm::append_range(results, unpackVector(b, truncatePair(pair, to)));
  }
  results.truncate(values.size());
  return results;
}

/// bf16 goes through f32, exactly: one rounding in all.
Value ByteEmitter::truncatePair(Value pair, Type to) {
  if (getElementTypeOrSelf(pair).isBF16())
    pair = changeWidth(pair, b.getF32Type());
  if (Value native = instructions.truncateFloat8(b, to, pair))
    return native;
  return truncateBits(changeWidth(pair, b.getF32Type()), to);
}

/// The mantissa bits and the bias of the exponent of an 8-bit float.
static std::pair<unsigned, int> formatOf(Type type) {
  if (isa<Float8E4M3FNType, Float8E4M3FNUZType>(type))
    return {3, isa<Float8E4M3FNType>(type) ? 7 : 8};
  return {2, isa<Float8E5M2Type>(type) ? 15 : 16};
}

static uint32_t bitsOf(double value) {
  return llvm::bit_cast<uint32_t>(static_cast<float>(value));
}

/// On the bits of two f32.
Value ByteEmitter::truncateBits(Value pair, Type to) {
  bool hasNegativeZero = isFloat8(to, Float8Format::OCP);
  Type words = VectorType::get(2, b.getI32Type());
  Value bits = LLVM::BitcastOp::create(b, words, pair);
  Value magnitude = LLVM::AndOp::create(b, bits, splatBits(words, 0x7fffffff));
  Value sign = LLVM::AndOp::create(
      b, LLVM::LShrOp::create(b, bits, splatBits(words, 24)),
      splatBits(words, 0x80));
  Value number = roundMagnitude(magnitude, to);
  Value result = LLVM::OrOp::create(b, number, sign);
  if (!hasNegativeZero) {
    Value zero = splatBits(words, 0);
    Value isZero =
        LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, number, zero);
    result = LLVM::SelectOp::create(b, isZero, zero, result);
  }
  Value isNaN = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ugt, magnitude,
                                     splatBits(words, 0x7f800000));
  result = LLVM::SelectOp::create(
      b, isNaN, splatBits(words, hasNegativeZero ? 0x7f : 0x80), result);
  return LLVM::TruncOp::create(b, VectorType::get(2, b.getI8Type()), result);
}

/// The bits of two f32 without sign to those of 8-bit floats. Normal numbers
/// drop mantissa bits, and may carry into the exponent; for those below, the
/// sum with a number whose last bit is worth as much as theirs rounds.
Value ByteEmitter::roundMagnitude(Value magnitude, Type to) {
  auto [mantissa, bias] = formatOf(to);
  unsigned dropped = 23 - mantissa;
  Type words = VectorType::get(2, b.getI32Type());
  Type floats = VectorType::get(2, b.getF32Type());
  double largest =
      llvm::APFloat::getLargest(cast<FloatType>(to).getFloatSemantics())
          .convertToDouble();
  Value number =
      LLVM::UMinOp::create(b, magnitude, splatBits(words, bitsOf(largest)));
  Value odd = LLVM::AndOp::create(
      b, LLVM::LShrOp::create(b, number, splatBits(words, dropped)),
      splatBits(words, 1));
  // Half of the last bit that stays, less one, and the parity; less the
  // difference of the biases.
  uint32_t change = (uint32_t{1} << (dropped - 1)) - 1 -
                    (static_cast<uint32_t>(127 - bias) << 23);
  Value normal = LLVM::AddOp::create(
      b, LLVM::AddOp::create(b, number, splatBits(words, change)), odd);
  normal = LLVM::LShrOp::create(b, normal, splatBits(words, dropped));
  double step = std::ldexp(1.0, 24 - bias - static_cast<int>(mantissa));
  Value sum = LLVM::FAddOp::create(
      b, LLVM::BitcastOp::create(b, floats, number), splat(floats, step));
  Value subnormal =
      LLVM::SubOp::create(b, LLVM::BitcastOp::create(b, words, sum),
                          splatBits(words, bitsOf(step)));
  Value isSmall =
      LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ult, number,
                           splatBits(words, bitsOf(std::ldexp(1.0, 1 - bias))));
  return LLVM::SelectOp::create(b, isSmall, subnormal, normal);
}
