//===- BlockStages.h - When a block graph computes what ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block graph is a graph, a kernel is a sequence. With n loops the kernel has
// 2n + 1 stages:
//
//   stage 0      straight code before loop 0
//   stage 1      loop 0, once for each of its iterations
//   stage 2      straight code between loop 0 and loop 1
//   ...
//   stage 2n     straight code after the last loop
//
// The stage of an operation follows from what it reads: something that changes
// with loop i puts it into stage 2i + 1; the result of an accumulator over loop
// i is known from stage 2i + 2 on; everything else is computed as early as its
// operands allow.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_BLOCKSTAGES_H
#define MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_BLOCKSTAGES_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

namespace mirage {

/// The operations and stores of a block graph, stage by stage.
struct BlockStages {
  struct Stage {
    llvm::SmallVector<mlir::Operation *> ops; ///< in program order.
    llvm::SmallVector<unsigned> stores;       ///< numbers of yielded values.
  };
  llvm::SmallVector<Stage> stages;

  static bool isLoop(unsigned stage) { return stage % 2 == 1; }
  static unsigned loopNumber(unsigned stage) { return stage / 2; }
};

/// Fails, with a diagnostic at the operation, where a loop reads what a later
/// loop computes. Operations that no result needs are left out.
llvm::FailureOr<BlockStages> computeStages(mugraph::BlockGraphOp graph);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_MUGRAPHTOLAYOUT_BLOCKSTAGES_H
