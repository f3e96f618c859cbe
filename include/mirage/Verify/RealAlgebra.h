//===- RealAlgebra.h - Real arithmetic in floating point --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_REALALGEBRA_H
#define MIRAGE_VERIFY_REALALGEBRA_H

#include "mirage/Support/GeneratedInputs.h"
#include "mirage/Verify/FieldAlgebra.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallVector.h"

namespace mirage::verify {

struct RealValue {
  double value = 0;
  /// `FieldValue::Absent` and `Unwritten`; `Poison` if something on the way is
  /// not defined: a division by zero, the root of a negative number.
  uint8_t flags = 0;

  bool has(FieldValue::Flag flag) const { return flags & flag; }
  static RealValue absent() { return {0, FieldValue::Absent}; }
};

/// The functions themselves, in f64. It shows people a difference that the
/// fields have found; it never decides about one.
class RealAlgebra {
public:
  using Value = RealValue;

  /// Inputs as `mirage-run --inputs=.. --seed=..` makes them, rounded to the
  /// element types.
  RealAlgebra(InputPattern pattern, uint64_t seed,
              llvm::ArrayRef<const llvm::fltSemantics *> elementTypes);

  RealValue input(uint64_t input, uint64_t element) const;
  RealValue constant(const mugraph::Rational &value) const {
    return {value.toDouble(), 0};
  }
  RealValue apply(mugraph::ScalarFunction function,
                  llvm::ArrayRef<RealValue> arguments) const;

  RealValue add(const RealValue &a, const RealValue &b) const {
    return {a.value + b.value, merge(a, b)};
  }
  RealValue mul(const RealValue &a, const RealValue &b) const {
    return {a.value * b.value, merge(a, b)};
  }
  RealValue neg(const RealValue &a) const { return {-a.value, a.flags}; }

  struct MaximumSet {
    RealValue largest;
    bool isEmpty = true;
  };
  void insert(MaximumSet &set, const RealValue &element) const;
  RealValue maximum(const MaximumSet &set) const { return set.largest; }

private:
  static uint8_t merge(const RealValue &a, const RealValue &b) {
    return a.flags | b.flags;
  }

  llvm::SmallVector<GeneratedInput> inputs;
  llvm::SmallVector<const llvm::fltSemantics *> elementTypes;
};

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_REALALGEBRA_H
