//===- Reference.h - What a program means, computed on the host -*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The meaning of a kernel-level program is its lowering to linalg. It is
// compiled for the host and run once in either of two ways (see Compare.h).
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_REFERENCE_H
#define MIRAGE_RUNTIME_REFERENCE_H

#include "mirage/Runtime/HostTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mirage::runtime {

enum class Precision {
  /// Every float tensor, arguments and intermediate ones, is f64.
  Double,
  /// The program as written: f32 sums, each tensor rounded to its own type.
  Program
};

/// Runs a kernel-level `function`, which is not changed. With
/// `Precision::Double` float results are f64. Failures are diagnosed.
mlir::FailureOr<std::vector<HostTensor>>
runReference(mlir::func::FuncOp function, llvm::ArrayRef<HostTensor> inputs,
             Precision precision);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_REFERENCE_H
