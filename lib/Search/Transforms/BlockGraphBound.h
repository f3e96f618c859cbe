//===- BlockGraphBound.h - What a kernel takes at least ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_BLOCKGRAPHBOUND_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_BLOCKGRAPHBOUND_H

#include "mirage/Cost/KernelCost.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

namespace mirage::mugraph {

/// A time that `graph` is not predicted to beat, by the model that prices the
/// search's plans; with the number of threads that suits it best if it names
/// none. Counted is what the tiles show (loads, stores, products, scalar
/// functions) and, if they are known, the wavefronts of its lowered kernel.
/// Left out is what only the search estimates: what lives beside the operands
/// of a product, padded tiles of elementwise ops. Nothing if the graph fits no
/// multiprocessor, or its products not the registers.
std::optional<KernelCost> boundGraph(BlockGraphOp graph,
                                     const TargetDescription &target,
                                     bool isFirst,
                                     const std::optional<KernelCounts> &counts);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_BLOCKGRAPHBOUND_H
