//===- RealAlgebra.cpp - Real arithmetic in floating point ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/RealAlgebra.h"

#include <algorithm>
#include <cmath>

using namespace mirage;
using namespace mirage::verify;
using mugraph::ScalarFunction;

RealAlgebra::RealAlgebra(InputPattern pattern, uint64_t seed,
                         llvm::ArrayRef<const llvm::fltSemantics *> types)
    : elementTypes(types) {
  for (size_t argument = 0; argument < types.size(); ++argument)
    inputs.emplace_back(pattern, seed, argument);
}

RealValue RealAlgebra::input(uint64_t input, uint64_t element) const {
  llvm::APFloat value(inputs[input][element]);
  bool losesInfo;
  value.convert(*elementTypes[input], llvm::APFloat::rmNearestTiesToEven,
                &losesInfo);
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &losesInfo);
  return {value.convertToDouble(), 0};
}

void RealAlgebra::insert(MaximumSet &set, const RealValue &element) const {
  uint8_t flags = set.largest.flags | element.flags;
  if (set.isEmpty || element.value > set.largest.value ||
      std::isnan(element.value))
    set.largest = element;
  set.largest.flags = flags;
  set.isEmpty = false;
}

static double evaluate(ScalarFunction function, double a, double b) {
  switch (function) {
  case ScalarFunction::Add:
    return a + b;
  case ScalarFunction::Sub:
    return a - b;
  case ScalarFunction::Mul:
    return a * b;
  case ScalarFunction::Div:
    return a / b;
  case ScalarFunction::Pow:
    return std::pow(a, b);
  case ScalarFunction::Max:
    return std::max(a, b);
  case ScalarFunction::Min:
    return std::min(a, b);
  case ScalarFunction::Neg:
    return -a;
  case ScalarFunction::Abs:
    return std::fabs(a);
  case ScalarFunction::Exp:
    return std::exp(a);
  case ScalarFunction::Log:
    return std::log(a);
  case ScalarFunction::Sqrt:
    return std::sqrt(a);
  case ScalarFunction::Rsqrt:
    return 1 / std::sqrt(a);
  case ScalarFunction::Erf:
    return std::erf(a);
  }
  return std::nan("");
}

/// Is a function not defined there?
static bool isUndefined(ScalarFunction function, double a, double b) {
  switch (function) {
  case ScalarFunction::Div:
    return b == 0;
  case ScalarFunction::Sqrt:
    return a < 0;
  case ScalarFunction::Rsqrt:
  case ScalarFunction::Log:
    return a <= 0;
  case ScalarFunction::Pow:
    return std::isnan(std::pow(a, b)) && !std::isnan(a) && !std::isnan(b);
  default:
    return false;
  }
}

RealValue RealAlgebra::apply(ScalarFunction function,
                             llvm::ArrayRef<RealValue> arguments) const {
  const RealValue &a = arguments.front(), &b = arguments.back();
  RealValue result{evaluate(function, a.value, b.value), merge(a, b)};
  if (isUndefined(function, a.value, b.value))
    result.flags |= FieldValue::Poison;
  return result;
}
