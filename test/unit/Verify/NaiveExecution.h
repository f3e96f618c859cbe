//===- NaiveExecution.h - Programs run as their ops are described *- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whole tensors in f64, block by block, iteration by iteration, op by op. It
// shares nothing with the verifier: not the ops' `getMeaning`, not their
// decompositions, not the analysis of stages.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_VERIFY_NAIVEEXECUTION_H
#define MIRAGE_TEST_UNIT_VERIFY_NAIVEEXECUTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>
#include <vector>

namespace mirage {

struct NaiveTensor {
  llvm::SmallVector<int64_t> shape;
  std::vector<double> data;
  /// What hangs over a clipped tile does not exist.
  std::vector<char> exists;

  NaiveTensor() = default;
  explicit NaiveTensor(llvm::ArrayRef<int64_t> shape);
};

/// The results of `function`; none if it has an op that is not known here,
/// whose name is then in `unknown`.
std::optional<std::vector<NaiveTensor>>
runNaively(mlir::func::FuncOp function, llvm::ArrayRef<NaiveTensor> arguments,
           std::string &unknown);

} // namespace mirage

#endif // MIRAGE_TEST_UNIT_VERIFY_NAIVEEXECUTION_H
