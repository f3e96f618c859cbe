//===- Report.h - The figures of the layout engine --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_BENCHMARK_LAYOUT_REPORT_H
#define MIRAGE_BENCHMARK_LAYOUT_REPORT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace mirage::benchmarks {

/// Fuzz of `rounds` random pairs, recorded conversions, swizzles, speed, as
/// Markdown. False if something is wrong.
bool writeReport(llvm::raw_ostream &os, uint64_t rounds, uint64_t seed,
                 llvm::StringRef machine);

} // namespace mirage::benchmarks

#endif // MIRAGE_BENCHMARK_LAYOUT_REPORT_H
