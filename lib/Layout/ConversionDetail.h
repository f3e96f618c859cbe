//===- ConversionDetail.h - Pieces of the conversion planner ----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_CONVERSIONDETAIL_H
#define MIRAGE_LIB_LAYOUT_CONVERSIONDETAIL_H

#include "mirage/Layout/ConversionPlan.h"

namespace mirage::layout::detail {

/// Both layouts over register, lane, warp, block with equal numbers of lanes,
/// warps and blocks, dims flattened to one label "element".
struct Pair {
  LinearLayout source, destination;
};

/// The in bits of the named labels, as generators of an equation.
llvm::SmallVector<unsigned>
columnsOfLabels(const LinearLayout &layout,
                llvm::ArrayRef<llvm::StringRef> labels);

/// Whether every index of a plan is in range and its accesses are aligned: what
/// has to hold before it is run.
bool isWellFormed(const ConversionPlan &plan, const LinearLayout &source,
                  const LinearLayout &destination);

/// Why the data cannot move by a plan of this kind.
std::string whyNot(ConversionKind kind, const ConvertMap &nearest,
                   bool allowShuffle);

/// Through the scratch of the own block; the pair must allow it.
llvm::Expected<SharedConversion>
planShared(const Pair &pair, ConvertReach reach, unsigned elemBits,
           const TargetDescription &target, const ConversionOptions &options);

/// Through the scratch of other blocks; `map` is a convert map of the pair.
llvm::Expected<ConversionPlan>
planCluster(const Pair &pair, const LinearLayout &map, unsigned elemBits,
            const TargetDescription &target, const ConversionOptions &options);

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_CONVERSIONDETAIL_H
