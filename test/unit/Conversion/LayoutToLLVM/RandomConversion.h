//===- RandomConversion.h - Pairs of layouts to convert between -*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_RANDOMCONVERSION_H
#define MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_RANDOMCONVERSION_H

#include "mirage/Conversion/LayoutToLLVM/ConversionCode.h"

#include <random>

namespace mirage::test {

/// What one conversion of the fuzz tests is about.
struct RandomConversion {
  const TargetDescription *target;
  unsigned warps, blocks, elementBits;
  LinearLayout source, destination;

  ConversionSite site() const { return {*target, warps, blocks}; }
  mlir::Type element(mlir::MLIRContext *context) const {
    return mlir::IntegerType::get(context, elementBits);
  }
  std::string describe() const;
};

/// A conversion of up to 2^12 elements of 8 to 64 bits on 1 to 8 warps (and,
/// with `clusters`, 2 or 4 blocks). Layouts are distributed, or have sums of
/// bits as bases; registers, lanes, warps and blocks may hold replicas. Pairs
/// are made so that all reaches occur: the destination often keeps the blocks,
/// warps and lanes of the source. For any chip, or the one named.
RandomConversion randomConversion(std::mt19937 &random, bool clusters = false,
                                  llvm::StringRef chip = "");

/// The plan that the lowering makes of it.
llvm::Expected<layout::ConversionPlan> planOf(const RandomConversion &pair);

/// Another layout in which each block of a cluster has the same elements: the
/// other bases change places, and are added to those of the blocks.
layout::LinearLayoutAttr shuffleInBlocks(std::mt19937 &random,
                                         layout::LinearLayoutAttr from);

} // namespace mirage::test

#endif // MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_RANDOMCONVERSION_H
