//===- Subspace.h - Spans of machine words ----------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_SUBSPACE_H
#define MIRAGE_LIB_LAYOUT_SUBSPACE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <cstdint>

namespace mirage::layout::detail {

/// A subspace of F2^64 that grows. For the inner loops of planning, where the
/// bookkeeping of F2Span is not needed.
class Subspace {
public:
  Subspace() = default;
  explicit Subspace(llvm::ArrayRef<uint64_t> vectors) { insertAll(vectors); }

  /// The vector modulo the subspace: 0 iff it is inside.
  uint64_t reduce(uint64_t vector) const {
    // Basis vectors are sorted by descending highest bit.
    for (uint64_t b : basis)
      vector = std::min(vector, vector ^ b);
    return vector;
  }
  bool contains(uint64_t vector) const { return reduce(vector) == 0; }
  /// True iff the vector was not inside.
  bool insert(uint64_t vector) {
    vector = reduce(vector);
    if (vector == 0)
      return false;
    basis.insert(std::lower_bound(basis.begin(), basis.end(), vector,
                                  std::greater<uint64_t>()),
                 vector);
    return true;
  }
  void insertAll(llvm::ArrayRef<uint64_t> vectors) {
    for (uint64_t vector : vectors)
      insert(vector);
  }
  unsigned rank() const { return basis.size(); }

private:
  llvm::SmallVector<uint64_t, 16> basis;
};

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_SUBSPACE_H
