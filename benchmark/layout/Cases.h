//===- Cases.h - Conversions that are measured ------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_BENCHMARK_LAYOUT_CASES_H
#define MIRAGE_BENCHMARK_LAYOUT_CASES_H

#include "mirage/Layout/ConversionPlan.h"

#include "llvm/Support/JSON.h"

namespace mirage::benchmarks {

/// A pair of layouts to convert between.
struct ConvertCase {
  std::string name;
  LinearLayout source, destination;
  unsigned elemBits;
  const TargetDescription *target;
  llvm::json::Object theirs; ///< recorded figures of another compiler, if any.
};

/// The conversions of a file of recorded cases; an empty path: of the tree.
std::vector<ConvertCase> recordedCases(llvm::StringRef path = "");

/// 128 x 128 in 8 warps: what kernels convert between.
std::vector<ConvertCase> largeCases();

} // namespace mirage::benchmarks

#endif // MIRAGE_BENCHMARK_LAYOUT_CASES_H
