//===- GeneratedInputs.cpp - Inputs made from a seed ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Support/GeneratedInputs.h"

using namespace mirage;

/// The output function of SplitMix64 (Steele, Lea, Flood 2014), used as a hash:
/// a bijection of 64 bits whose values over a counter pass statistical tests.
static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

GeneratedInput::GeneratedInput(InputPattern pattern, uint64_t seed,
                               uint64_t argument)
    : pattern(pattern), stream(mix(mix(seed) + argument)) {}

double GeneratedInput::operator[](uint64_t element) const {
  uint64_t bits = mix(stream + element);
  if (pattern == InputPattern::Integers)
    return static_cast<double>(bits % 5) - 2.0;
  return static_cast<double>(bits >> 11) * 0x1p-53 - 0.5;
}
