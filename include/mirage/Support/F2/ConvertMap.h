//===- ConvertMap.h - How far data travels between layouts ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two layouts S (source) and D (destination) of one tensor. A convert map C
// sends a place of D to a place of S with the same element: S o C = D. With
// replicas in S there are many: they form a coset C0 + ker S, and which one is
// taken decides whether data stays in the thread, the warp or the block.
//
// For a set K of labels let p_K keep the K part of a place and zero the rest.
// Some C leaves all labels of K alone iff
//
//   every basis of D xor S o p_K lies in the image of S over the other labels
//
// (and the same for the xor of the offsets, with p_K = 0). This is decided
// exactly; a sufficient condition on equal bases would miss cheap conversions.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SUPPORT_F2_CONVERTMAP_H
#define MIRAGE_SUPPORT_F2_CONVERTMAP_H

#include "mirage/Support/F2/LinearLayout.h"

namespace mirage {

/// How far the data of a conversion must travel, nearest first.
enum class ConvertReach {
  Nowhere, ///< every place already holds its element.
  Thread,  ///< registers are renamed.
  Warp,    ///< between lanes of one warp.
  Block,   ///< between warps of one block.
  Cluster  ///< between blocks.
};

llvm::StringRef stringifyReach(ConvertReach reach);

struct ConvertMap {
  LinearLayout map; ///< place of D -> place of S.
  ConvertReach reach = ConvertReach::Nowhere;
};

/// A C with S o C = D that leaves the labels `keep` unchanged and otherwise has
/// free variables 0; nothing if there is none. In labels of S and D must be the
/// same lists with equal sizes, except for labels that are not kept.
std::optional<LinearLayout>
solveConvertMap(const LinearLayout &source, const LinearLayout &destination,
                llvm::ArrayRef<llvm::StringRef> keep);

/// The convert map of nearest reach between register layouts (register, lane,
/// warp, block -> dims). A lane, warp or block label that is smaller on one
/// side is taken as replicated there. An error if the tensors differ or the
/// source does not hold every element of the destination.
llvm::Expected<ConvertMap> nearestConvertMap(const LinearLayout &source,
                                             const LinearLayout &destination);

} // namespace mirage

#endif // MIRAGE_SUPPORT_F2_CONVERTMAP_H
