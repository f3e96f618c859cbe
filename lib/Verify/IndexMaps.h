//===- IndexMaps.h - Index maps with known extents --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_INDEXMAPS_H
#define MIRAGE_LIB_VERIFY_INDEXMAPS_H

#include "mlir/IR/AffineMap.h"

namespace mirage::verify {

/// The same map over an iteration space of these extents, simpler where they
/// allow it: a reshape that only adds or drops unit dims becomes a permutation.
mlir::AffineMap simplifyIndices(mlir::AffineMap map,
                                llvm::ArrayRef<int64_t> extents);

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_INDEXMAPS_H
