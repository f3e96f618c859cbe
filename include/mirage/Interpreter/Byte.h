//===- Byte.h - Values whose data is symbolic -------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_INTERPRETER_BYTE_H
#define MIRAGE_INTERPRETER_BYTE_H

#include "llvm/ADT/SmallVector.h"

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>

namespace mirage::interpreter {

/// One byte of a value: a known number (of an address, a thread number, a
/// mask), byte `index` of the element with number `element` of a tensor, or
/// undefined. Code that moves data may move and drop bytes of any kind; it may
/// compute with known ones only.
class Byte {
public:
  Byte() = default; // undefined
  static Byte known(uint8_t number) { return Byte(Kind::Known, number, 0); }
  /// At most 2^26 elements of at most 16 bytes.
  static Byte data(uint32_t element, unsigned index) {
    assert(element < (1u << 26) && index < 16 && "does not fit a byte");
    return Byte(Kind::Data, element, index);
  }

  bool isKnown() const { return kind() == Kind::Known; }
  bool isData() const { return kind() == Kind::Data; }
  bool isUndefined() const { return kind() == Kind::Undefined; }
  bool isZero() const { return isKnown() && number() == 0; }
  uint8_t number() const { return payload(); }
  uint32_t element() const { return payload(); }
  unsigned index() const { return (bits >> 26) & 15; }

  bool operator==(Byte rhs) const { return bits == rhs.bits; }
  bool operator!=(Byte rhs) const { return bits != rhs.bits; }

private:
  enum class Kind : uint32_t { Undefined, Known, Data };
  Byte(Kind kind, uint32_t payload, unsigned index)
      : bits(static_cast<uint32_t>(kind) << 30 | index << 26 | payload) {}
  Kind kind() const { return static_cast<Kind>(bits >> 30); }
  uint32_t payload() const { return bits & ((1u << 26) - 1); }

  uint32_t bits = 0;
};

/// A value: the bytes of its parts one after the other, low bytes first,
/// without padding. An i1 is a byte; a pointer has four bytes (Machine.h).
using Datum = llvm::SmallVector<Byte, 4>;

/// `size` bytes of a number.
Datum knownDatum(uint64_t number, unsigned size);
/// All bytes of an element.
Datum elementDatum(uint32_t element, unsigned size);
/// The number, if all bytes are known and there are at most eight.
std::optional<uint64_t> numberOf(const Datum &datum);
/// "element 12", "bytes 2-3 of element 5, ...", "7", "undefined".
std::string describe(const Datum &datum);

} // namespace mirage::interpreter

#endif // MIRAGE_INTERPRETER_BYTE_H
