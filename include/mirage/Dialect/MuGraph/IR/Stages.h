//===- Stages.h - When the values of a block graph are computed --*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_STAGES_H
#define MIRAGE_DIALECT_MUGRAPH_IR_STAGES_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace mirage::mugraph {

/// When a value of a block graph is computed: in each iteration of `loop`, or
/// once if there is none; and not before the loop `after` has ended (-1: it
/// needs no accumulator).
struct Stage {
  std::optional<unsigned> loop;
  int after = -1;
};

/// The stages of all values that a block graph's body defines (not those
/// inside thread graphs: a thread graph has the stage of its results).
class StageAnalysis {
public:
  /// Fails, with a diagnostic at the op, where a value depends on two loops or
  /// on the outcome of a loop that does not come before its own (mugraph_c17),
  /// or an accumulator's operand does not depend on its loop (mugraph_c18).
  static llvm::FailureOr<StageAnalysis> compute(BlockGraphOp graph);

  Stage lookup(mlir::Value value) const { return stages.lookup(value); }

private:
  llvm::LogicalResult visit(mlir::Operation &op);
  llvm::FailureOr<Stage> operandStage(mlir::Operation &op) const;

  llvm::DenseMap<mlir::Value, Stage> stages;
};

/// The loop of an accumulator op, or nothing if `op` is none.
std::optional<unsigned> getAccumulatorLoop(mlir::Operation *op);

} // namespace mirage::mugraph

#endif // MIRAGE_DIALECT_MUGRAPH_IR_STAGES_H
