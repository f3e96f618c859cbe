//===- ByteFloats.h - Floats of 8 bits --------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The formats of the OCP 8-bit floating point specification (NVIDIA, gfx950)
// and those without negative zero and infinities that gfx942 has.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_BYTEFLOATS_H
#define MIRAGE_LIB_SIMULATOR_BYTEFLOATS_H

#include <cstdint>

namespace mirage::sim {

enum class ByteFloat : uint32_t { E4M3, E5M2, E4M3FNUZ, E5M2FNUZ };

float byteFloatToFloat(uint8_t bits, ByteFloat format);

/// Rounds to nearest even. What is too large becomes the largest finite number
/// if `saturate`, else infinity or, in a format without it, NaN.
uint8_t floatToByteFloat(float value, ByteFloat format, bool saturate);

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_BYTEFLOATS_H
