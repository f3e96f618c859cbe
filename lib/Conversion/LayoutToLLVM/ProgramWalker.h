//===- ProgramWalker.h - Running the scalars of a tile program --*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a tile program does, and in which order, follows from its scalars:
// bounds of loops, conditions, offsets, slots. This runs them for one block,
// through loops and branches, and shows every other op to a derived class in
// the order in which it is executed. Tiles have no values here: a number that
// depends on one is unknown, and a derived class says what to do where control
// flow depends on such a number.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_PROGRAMWALKER_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_PROGRAMWALKER_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"

#include <array>
#include <limits>
#include <optional>

namespace mirage {

class ProgramWalker {
public:
  /// Of this block; loops run at most `tripLimit` times.
  explicit ProgramWalker(
      std::array<int64_t, 3> block,
      int64_t tripLimit = std::numeric_limits<int64_t>::max())
      : block(block), tripLimit(tripLimit) {}
  virtual ~ProgramWalker();

  llvm::LogicalResult run(mlir::Block &code);

protected:
  /// The runs of a loop.
  struct Trips {
    int64_t first, step, count;
  };

  /// An op without regions. Its results get their numbers afterwards.
  virtual llvm::LogicalResult visit(mlir::Operation *op) = 0;
  /// An op with regions that is neither loop nor branch.
  virtual llvm::LogicalResult visitOther(mlir::Operation *op) = 0;
  /// A branch whose condition is not known.
  virtual llvm::LogicalResult visitUnknown(mlir::scf::IfOp branch);
  /// The runs of a loop whose bounds are not known, or whose step is not a
  /// positive number.
  virtual llvm::FailureOr<Trips> guessTrips(mlir::scf::ForOp loop);
  /// The values `to` become those of `from`, all at once: arguments and results
  /// of loops and branches.
  virtual void assign(mlir::ValueRange to, mlir::ValueRange from);

  /// Runs one side of a branch.
  llvm::LogicalResult runRegion(mlir::scf::IfOp branch, mlir::Region &region);
  std::optional<int64_t> numberOf(mlir::Value value) const;

private:
  llvm::LogicalResult runOp(mlir::Operation &op);
  llvm::LogicalResult runLoop(mlir::scf::ForOp loop);
  llvm::LogicalResult runBranch(mlir::scf::IfOp branch);
  llvm::FailureOr<Trips> tripsOf(mlir::scf::ForOp loop);
  void evaluate(mlir::Operation *op);
  llvm::SmallVector<mlir::Attribute> fold(mlir::Operation *op);

  std::array<int64_t, 3> block;
  int64_t tripLimit;
  llvm::DenseMap<mlir::Value, mlir::Attribute> numbers;
};

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_PROGRAMWALKER_H
