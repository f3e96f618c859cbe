//===- Npy.h - NumPy's array files ------------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The .npy format, versions 1 to 3 (numpy.lib.format). Files hold what NumPy
// itself writes for f16, f32, f64, bool and the signed integers. NumPy has no
// bf16 or 8-bit floats: as the package ml_dtypes does, these are written as
// raw bits of type 'V2' ('V1'), so that `numpy.load(f).view(numpy.uint16)` are
// the bits; 'u2' ('u1') is read as such bits too. Any float or integer file is
// read into a tensor of any float type, rounding to nearest, so a bf16 argument
// can simply be given as float32.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_NPY_H
#define MIRAGE_RUNTIME_NPY_H

#include "mirage/Runtime/HostTensor.h"

#include "llvm/Support/Error.h"

namespace mirage::runtime {

/// Reads `path` as a tensor of elements `kind` and of the given shape. Errors
/// name the file, what was expected and what it holds.
llvm::Expected<HostTensor> readNpy(llvm::StringRef path, ElementKind kind,
                                   llvm::ArrayRef<int64_t> shape);

/// The same for a file's bytes; `name` stands for it in errors.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef bytes, llvm::StringRef name,
                                    ElementKind kind,
                                    llvm::ArrayRef<int64_t> shape);

/// Writes `tensor` to `path`, which appears only when it is complete.
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_NPY_H
