//===- HostTensor.h - Tensors in host memory --------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_RUNTIME_HOSTTENSOR_H
#define MIRAGE_RUNTIME_HOSTTENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mirage::runtime {

/// The element types that tensors of programs, files and kernels may have.
enum class ElementKind {
  F8E4M3FN,
  F8E5M2,
  F16,
  BF16,
  F32,
  F64,
  Bool,
  I8,
  I16,
  I32,
  I64
};

/// Bytes of one element.
unsigned elementBytes(ElementKind kind);

/// MLIR's spelling: "f16", "f8E4M3FN", "i1".
llvm::StringRef elementName(ElementKind kind);

bool isFloat(ElementKind kind);

/// Half a unit in the last place of 1.0: the largest relative error of
/// rounding to nearest. 0 for integers.
double unitRoundoff(ElementKind kind);

/// The bits of the bf16 nearest to `value`, ties to even.
uint16_t roundToBFloat(double value);

/// A dense row-major tensor. Values cross its interface as `double`, which
/// holds every element type but large `I64` exactly; writing rounds to nearest
/// even, once.
class HostTensor {
public:
  HostTensor() = default;
  /// Zeros.
  HostTensor(ElementKind kind, llvm::ArrayRef<int64_t> shape);

  ElementKind kind() const { return elementKind; }
  llvm::ArrayRef<int64_t> shape() const { return extents; }
  int64_t size() const;
  size_t byteSize() const { return storage.size(); }
  char *data() { return storage.data(); }
  const char *data() const { return storage.data(); }

  double get(int64_t index) const;
  void set(int64_t index, double value);

  /// The same values rounded to `kind`.
  HostTensor convert(ElementKind kind) const;

private:
  ElementKind elementKind = ElementKind::F32;
  llvm::SmallVector<int64_t, 4> extents;
  std::vector<char> storage;
};

/// "[16, 4096]".
std::string formatShape(llvm::ArrayRef<int64_t> shape);

} // namespace mirage::runtime

#endif // MIRAGE_RUNTIME_HOSTTENSOR_H
