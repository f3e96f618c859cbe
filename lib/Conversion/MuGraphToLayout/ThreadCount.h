//===- ThreadCount.h - How many threads a kernel gets -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_THREADCOUNT_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_THREADCOUNT_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Target/TargetDescription.h"

namespace mirage {

/// Threads of a block for `graph`: at most as many as it says itself, or chosen
/// from the sizes of its tiles. Warps that could only repeat the products of
/// others are left out. Always a power of two of warps, since layouts split
/// tiles over warps by halves.
unsigned chooseThreadCount(mugraph::BlockGraphOp graph,
                           const TargetDescription &target);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_THREADCOUNT_H
