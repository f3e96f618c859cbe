//===- RandomChange.h - Functions changed at random -------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_VERIFY_RANDOMCHANGE_H
#define MIRAGE_TEST_UNIT_VERIFY_RANDOMCHANGE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <random>
#include <string>

namespace mirage::verify {

/// Makes one random change of an op, an operand, a number or a tile map. The
/// function may be invalid afterwards. The answer says what was changed; it is
/// empty if there is nothing to change.
std::string changeAtRandom(mlir::func::FuncOp function,
                           std::mt19937_64 &random);

} // namespace mirage::verify

#endif // MIRAGE_TEST_UNIT_VERIFY_RANDOMCHANGE_H
