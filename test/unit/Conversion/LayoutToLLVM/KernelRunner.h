//===- KernelRunner.h - Tile programs, lowered and executed -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_KERNELRUNNER_H
#define MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_KERNELRUNNER_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Simulator/Simulator.h"

#include "mlir/IR/MLIRContext.h"

#include <random>
#include <string>
#include <vector>

namespace mirage::test {

/// Element types by name: "f16", "bf16", "f32", "f8E4M3FN", ..., "i8", "i32".
uint64_t toBits(double value, llvm::StringRef type);
double fromBits(uint64_t bits, llvm::StringRef type);

/// An argument of a kernel, as numbers.
struct Data {
  std::string type;
  std::vector<double> values;

  static Data zeros(llvm::StringRef type, size_t size) {
    return {type.str(), std::vector<double>(size, 0.0)};
  }
  /// Rounded to the type, from [-1, 1], or small integers.
  static Data random(llvm::StringRef type, size_t size, unsigned seed,
                     bool integers = false);
};

/// A kernel @k(%p0, %p1, ...) in the dialects of a tile program.
struct Kernel {
  std::string target = "sm_90a";
  unsigned threads = 128;
  unsigned blocks = 1;
  std::vector<std::string> memrefs; ///< types of the arguments.
  std::string body;
};

/// Lowers and runs `kernel`; arguments are read and written. Shared memory is
/// handed out without reuse, or with all scratch at one place (`reuse`).
/// Returns the counters, or nothing after a diagnostic.
std::optional<sim::Counters> run(const Kernel &kernel, std::vector<Data *> data,
                                 bool reuse = true);

/// All dialects that a tile program may use.
mlir::MLIRContext &context();

/// A layout in its text form.
std::string text(layout::LinearLayoutAttr layout);
/// A tile type.
std::string tile(llvm::ArrayRef<int64_t> shape, llvm::StringRef type,
                 layout::LinearLayoutAttr layout);
std::string memref(llvm::ArrayRef<int64_t> shape, llvm::StringRef type);

/// A random layout: each bit of the element goes to a register, a lane, a warp
/// or a block, and some places are replicas. With `mixed` bases are sums of
/// bits.
layout::LinearLayoutAttr randomLayout(std::mt19937 &random,
                                      llvm::ArrayRef<int64_t> shape,
                                      unsigned laneBits, unsigned warpBits,
                                      bool mixed = false,
                                      unsigned blockBits = 0);

} // namespace mirage::test

#endif // MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_KERNELRUNNER_H
