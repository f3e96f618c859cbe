//===- SmallFloats.h - Conversions of 16-bit floats -------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// f16 and bf16 as bit patterns, converted exactly or to nearest even, without
// instructions that not every host has.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_SMALLFLOATS_H
#define MIRAGE_LIB_SIMULATOR_SMALLFLOATS_H

#include "llvm/ADT/bit.h"

#include <cmath>
#include <cstdint>

namespace mirage::sim {

inline float halfToFloat(uint16_t half) {
  uint32_t bits = uint32_t{half} << 16;
  uint32_t sign = bits & 0x80000000u;
  uint32_t magnitude = bits + bits;
  // Normal numbers, infinities and NaN: move the exponent to the other bias by
  // a multiplication. Subnormal ones: place the mantissa below that of 0.5.
  float normal =
      llvm::bit_cast<float>((magnitude >> 4) + (0xe0u << 23)) * 0x1.0p-112f;
  float subnormal =
      llvm::bit_cast<float>((magnitude >> 17) | (126u << 23)) - 0.5f;
  float result = magnitude < (1u << 27) ? subnormal : normal;
  return llvm::bit_cast<float>(sign | llvm::bit_cast<uint32_t>(result));
}

inline uint16_t floatToHalf(float value) {
  // Let the f32 adder round at the place where f16 ends.
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint32_t doubled = bits + bits;
  uint32_t bias = doubled & 0xff000000u;
  if (bias < 0x71000000u)
    bias = 0x71000000u;
  float base = (std::fabs(value) * 0x1.0p+112f) * 0x1.0p-110f;
  base = llvm::bit_cast<float>((bias >> 1) + 0x07800000u) + base;
  uint32_t rounded = llvm::bit_cast<uint32_t>(base);
  uint32_t magnitude = ((rounded >> 13) & 0x7c00u) + (rounded & 0x0fffu);
  uint32_t sign = (bits >> 16) & 0x8000u;
  return sign | (doubled > 0xff000000u ? 0x7e00u : magnitude);
}

inline float bfloatToFloat(uint16_t bfloat) {
  return llvm::bit_cast<float>(uint32_t{bfloat} << 16);
}

inline uint16_t floatToBfloat(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  if (std::isnan(value))
    return (bits >> 16) | 0x40u;
  return (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
}

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_SMALLFLOATS_H
