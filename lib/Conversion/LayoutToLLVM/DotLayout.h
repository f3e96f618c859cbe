//===- DotLayout.h - A matrix product as instructions on registers --*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_DOTLAYOUT_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_DOTLAYOUT_H

#include "TileLowering.h"

namespace mirage {

/// A product cut into instructions. Elements are (row, column) packed into one
/// number.
struct DotLayout {
  MatrixInstruction instruction; ///< 1x1x1: a fused multiply-add.
  bool exchanged = false;        ///< computes the transposed product, b' a'.
  ThreadMap a, b, c;
  /// The first k of each instruction that adds to one tile of the result.
  llvm::SmallVector<uint64_t> depthStarts;

  /// One instruction: the registers of its operands and of the accumulator.
  struct Step {
    llvm::SmallVector<unsigned> a, b, c;
  };
  std::vector<Step> steps;
  /// See canonicalRegisters, of the result.
  llvm::SmallVector<unsigned> canonical;

  /// Fills in `steps`; fails where a thread lacks an element it needs.
  mlir::LogicalResult schedule();
};

/// The product on the target's matrix instruction, else as multiply-adds;
/// nothing where the layouts fit neither.
std::optional<DotLayout> planDot(layout::DotOp op, BlockShape block,
                                 const TargetInstructions &instructions);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_DOTLAYOUT_H
