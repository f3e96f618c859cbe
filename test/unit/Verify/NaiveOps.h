//===- NaiveOps.h - Tensor ops as they are described ------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_VERIFY_NAIVEOPS_H
#define MIRAGE_TEST_UNIT_VERIFY_NAIVEOPS_H

#include "NaiveExecution.h"

#include "mlir/IR/BuiltinTypes.h"

#include <algorithm>

namespace mirage {

inline NaiveTensor makeLike(mlir::Value value) {
  return NaiveTensor(
      llvm::cast<mlir::RankedTensorType>(value.getType()).getShape());
}

/// Runs `step(index, number)` over all indices, in row-major order.
template <typename Step>
void forEach(llvm::ArrayRef<int64_t> shape, Step step) {
  llvm::SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t number = 0;; ++number) {
    step(llvm::ArrayRef<int64_t>(index), number);
    size_t dim = shape.size();
    while (dim > 0 && ++index[dim - 1] == shape[dim - 1])
      index[--dim] = 0;
    if (dim == 0)
      return;
  }
}

inline int64_t offsetOf(llvm::ArrayRef<int64_t> index,
                        llvm::ArrayRef<int64_t> shape) {
  int64_t offset = 0;
  for (auto [i, extent] : llvm::zip_equal(index, shape))
    offset = offset * extent + i;
  return offset;
}

/// The element that a NumPy broadcast reads at `index`.
inline int64_t broadcastOffset(llvm::ArrayRef<int64_t> index,
                               llvm::ArrayRef<int64_t> shape) {
  int64_t offset = 0;
  llvm::ArrayRef<int64_t> trailing = index.take_back(shape.size());
  for (auto [i, extent] : llvm::zip_equal(trailing, shape))
    offset = offset * extent + (extent == 1 ? 0 : i);
  return offset;
}

/// Sums, maxima and minima of what exists.
struct Combination {
  bool isSum, isMax;
  void insert(NaiveTensor &result, int64_t at, double value) const {
    double &known = result.data[at];
    if (!result.exists[at])
      known = value;
    else if (isSum)
      known += value;
    else
      known = isMax ? std::max(known, value) : std::min(known, value);
    result.exists[at] = 1;
  }
};

/// The result of a tensor op; none for an op that is not known here.
std::optional<NaiveTensor>
runTensorOp(mlir::Operation *op, llvm::ArrayRef<const NaiveTensor *> operands);

} // namespace mirage

#endif // MIRAGE_TEST_UNIT_VERIFY_NAIVEOPS_H
