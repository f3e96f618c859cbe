//===- ExchangeProgram.h - Clean-up of exchange programs --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_EXCHANGEPROGRAM_H
#define MIRAGE_LIB_LAYOUT_EXCHANGEPROGRAM_H

#include "mirage/Layout/RegisterExchange.h"

namespace mirage::layout::detail {

/// Drops ops that no result needs and renumbers.
void removeDeadOps(RegisterExchange &program);

/// Builds each 32-bit word of neighbouring narrow results by one permute of two
/// words, and takes selects between those words into it: a permute whose
/// selector depends on the predicate costs no more than a select.
void fusePermutes(RegisterExchange &program);

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_EXCHANGEPROGRAM_H
