//===- ByteEmitter.h - Numbers out of bytes ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// 8-bit floats, bytes and 4-bit integers as f16, bf16 or f32, exactly. All of
// it is arithmetic on whole registers:
//
// - An integer becomes a float by being put into the mantissa of a constant:
//   0x6400 | u is 1024 + u as f16 and 0x4b000000 | u is 2^23 + u as f32, for
//   0 <= u < 256. One byte permute makes it, one subtraction takes the constant
//   away again, and the bias that made u of a signed number with it. A bf16
//   has room for 0 <= u < 128 in 0x4300 | u; of two's complement the next bit
//   is that of the exponent (`toBFloats`).
// - An 8-bit float is a wider one with a smaller exponent: its bits moved to
//   where the wider one has its exponent, times a power of two. That holds for
//   subnormals too. f8E5M2 is the upper half of an f16 as it stands.
//
// Where the chip converts a format by itself, its instruction is used.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_BYTEEMITTER_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_BYTEEMITTER_H

#include "TileLowering.h"

#include <optional>

namespace mirage {

/// Converts lists of bytes (i8 values).
class ByteEmitter {
public:
  ByteEmitter(mlir::ImplicitLocOpBuilder &b,
              const TargetInstructions &instructions)
      : b(b), instructions(instructions) {}

  /// 8-bit floats of type `from` as `to`: f16, bf16 or f32.
  llvm::SmallVector<mlir::Value> extendFloats(mlir::ValueRange bytes,
                                              mlir::Type from, mlir::Type to);
  /// f16, bf16 or f32 as 8-bit floats of type `to`: rounded to nearest, ties to
  /// even; numbers too large, and infinities, become the largest.
  llvm::SmallVector<mlir::Value> truncateFloats(mlir::ValueRange values,
                                                mlir::Type to);
  /// Integers as f16, bf16 or f32.
  llvm::SmallVector<mlir::Value> convertIntegers(mlir::ValueRange bytes,
                                                 bool isSigned, mlir::Type to);
  /// The two 4-bit integers of each byte, the low one first, as f16, bf16, f32,
  /// i8 or i32.
  llvm::SmallVector<mlir::Value> unpack(mlir::ValueRange bytes, bool isSigned,
                                        mlir::Type to);

private:
  /// Four bytes in an i32; missing ones are undefined.
  mlir::Value packWord(mlir::ValueRange bytes);
  mlir::Value bitwise(mlir::Value word, uint32_t mask, uint32_t flip);
  mlir::Value spread(mlir::Value word, unsigned first, unsigned count,
                     uint32_t filler, llvm::ArrayRef<int32_t> pattern,
                     mlir::Type element);
  /// The bytes of words, less `bias`, as floats.
  llvm::SmallVector<mlir::Value> toFloats(llvm::ArrayRef<mlir::Value> words,
                                          unsigned count, unsigned bias,
                                          mlir::Type to);
  /// The same in bf16, in pairs: of bytes below 128, or, without a bias, of
  /// signed ones.
  llvm::SmallVector<mlir::Value> toBFloats(llvm::ArrayRef<mlir::Value> words,
                                           unsigned count,
                                           std::optional<unsigned> bias);
  /// Whether the target subtracts pairs of bf16.
  bool hasPairsOfBFloats() const {
    return instructions.target.vendor == Vendor::NVIDIA;
  }
  /// The bytes of words, less 8 if `isSigned`, as i8 or i32.
  llvm::SmallVector<mlir::Value> toIntegers(llvm::ArrayRef<mlir::Value> words,
                                            unsigned count, bool isSigned,
                                            mlir::Type to);
  /// Two 8-bit floats as a vector of f16 or f32.
  mlir::Value extendPair(mlir::Value pair, mlir::Type from);
  mlir::Value extendHalfRange(mlir::Value pair, mlir::Type from);
  mlir::Value extendFNUZ(mlir::Value pair, mlir::Type from);
  /// Two floats as a vector of two 8-bit floats.
  mlir::Value truncatePair(mlir::Value pair, mlir::Type to);
  mlir::Value truncateBits(mlir::Value pair, mlir::Type to);
  mlir::Value roundMagnitude(mlir::Value magnitude, mlir::Type to);
  /// A vector of two f16, bf16 or f32 as two of `to`, which has room for them.
  mlir::Value changeWidth(mlir::Value pair, mlir::Type to);
  mlir::Value splat(mlir::Type vector, double value);
  mlir::Value splatBits(mlir::Type vector, uint64_t bits);

  mlir::ImplicitLocOpBuilder &b;
  const TargetInstructions &instructions;
};

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_BYTEEMITTER_H
