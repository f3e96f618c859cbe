//===- ByteFloats.cpp - Floats of 8 bits ----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteFloats.h"

#include "llvm/ADT/APFloat.h"

#include <array>

using namespace mirage::sim;
using llvm::APFloat;

static const llvm::fltSemantics &semantics(ByteFloat format) {
  switch (format) {
  case ByteFloat::E4M3:
    return APFloat::Float8E4M3FN();
  case ByteFloat::E5M2:
    return APFloat::Float8E5M2();
  case ByteFloat::E4M3FNUZ:
    return APFloat::Float8E4M3FNUZ();
  case ByteFloat::E5M2FNUZ:
    return APFloat::Float8E5M2FNUZ();
  }
  return APFloat::Float8E4M3FN();
}

static std::array<float, 256> decodeAll(ByteFloat format) {
  std::array<float, 256> values;
  for (unsigned bits = 0; bits < 256; ++bits) {
    APFloat value(semantics(format), llvm::APInt(8, bits));
    bool lost;
    value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
    values[bits] = value.convertToFloat();
  }
  return values;
}

float mirage::sim::byteFloatToFloat(uint8_t bits, ByteFloat format) {
  static const std::array<float, 256> values[] = {
      decodeAll(ByteFloat::E4M3), decodeAll(ByteFloat::E5M2),
      decodeAll(ByteFloat::E4M3FNUZ), decodeAll(ByteFloat::E5M2FNUZ)};
  return values[unsigned(format)][bits];
}

uint8_t mirage::sim::floatToByteFloat(float value, ByteFloat format,
                                      bool saturate) {
  APFloat result(value);
  bool isNumber = !result.isNaN(), isNegative = result.isNegative(), lost;
  result.convert(semantics(format), APFloat::rmNearestTiesToEven, &lost);
  bool isTooLarge = isNumber && !result.isFinite();
  if (isTooLarge && saturate)
    result = APFloat::getLargest(semantics(format), isNegative);
  if (!isNumber && saturate) // PTX: the canonical NaN
    return 0x7f;
  return result.bitcastToAPInt().getZExtValue();
}
