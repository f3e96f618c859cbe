//===- Byte.cpp - Values whose data is symbolic ---------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Interpreter/Byte.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage::interpreter;

Datum mirage::interpreter::knownDatum(uint64_t number, unsigned size) {
  Datum datum;
  for (unsigned i = 0; i < size; ++i)
    datum.push_back(Byte::known(i < 8 ? number >> (8 * i) : 0));
  return datum;
}

Datum mirage::interpreter::elementDatum(uint32_t element, unsigned size) {
  Datum datum;
  for (unsigned i = 0; i < size; ++i)
    datum.push_back(Byte::data(element, i));
  return datum;
}

std::optional<uint64_t> mirage::interpreter::numberOf(const Datum &datum) {
  if (datum.size() > 8)
    return std::nullopt;
  uint64_t number = 0;
  for (auto [index, byte] : llvm::enumerate(datum)) {
    if (!byte.isKnown())
      return std::nullopt;
    number |= uint64_t{byte.number()} << (8 * index);
  }
  return number;
}

static std::string describe(Byte byte) {
  if (byte.isUndefined())
    return "undefined";
  if (byte.isKnown())
    return std::to_string(byte.number());
  return "byte " + std::to_string(byte.index()) + " of element " +
         std::to_string(byte.element());
}

std::string mirage::interpreter::describe(const Datum &datum) {
  if (!datum.empty() && datum[0].isData() &&
      datum == elementDatum(datum[0].element(), datum.size()))
    return "element " + std::to_string(datum[0].element());
  if (llvm::all_of(datum, [](Byte byte) { return byte.isUndefined(); }))
    return "undefined";
  if (std::optional<uint64_t> number = numberOf(datum))
    return std::to_string(*number);
  std::string text;
  for (Byte byte : datum)
    text += (text.empty() ? "" : ", ") + ::describe(byte);
  return text;
}
