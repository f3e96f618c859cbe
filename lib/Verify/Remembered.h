//===- Remembered.h - Which elements are not computed again -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_REMEMBERED_H
#define MIRAGE_LIB_VERIFY_REMEMBERED_H

#include "mirage/Verify/TensorProgram.h"

namespace mirage::verify {

/// Elements of a value over all blocks and iterations in which it differs.
int64_t familySize(const TensorProgram &program, const ProgramValue &value);

/// The values whose elements are worth a table. What a cheap operation makes,
/// to be read once, is not: tables of large values would be written and read
/// for nothing.
std::vector<bool> chooseRemembered(const TensorProgram &program);

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_REMEMBERED_H
