//===- Inputs.h - What a program is run on ----------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_INPUTS_H
#define MIRAGE_RUNTIME_INPUTS_H

#include "mirage/Runtime/HostTensor.h"
#include "mirage/Support/GeneratedInputs.h"

#include "llvm/Support/Error.h"

namespace mirage::runtime {

/// Element type and shape of one argument or result.
struct TensorSpec {
  ElementKind kind;
  llvm::SmallVector<int64_t, 4> shape;
};

/// One tensor for each spec. Element i of argument n depends on (seed, n, i)
/// alone.
std::vector<HostTensor> makeInputs(llvm::ArrayRef<TensorSpec> specs,
                                   InputPattern pattern, uint64_t seed);

/// Reads `directory`/arg0.npy, arg1.npy, ...
llvm::Expected<std::vector<HostTensor>>
readInputs(llvm::ArrayRef<TensorSpec> specs, llvm::StringRef directory);

/// Writes `directory`/result0.npy, ...; makes the directory if need be.
llvm::Error writeOutputs(llvm::ArrayRef<HostTensor> results,
                         llvm::StringRef directory);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_INPUTS_H
