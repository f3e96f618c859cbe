//===- ConversionReasons.cpp - Why a kind of plan cannot be
//-----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConversionDetail.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

using namespace mirage;
using namespace mirage::layout;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

/// The farthest label that changes on the way.
static StringRef farthestLabel(ConvertReach reach) {
  static constexpr StringRef labels[] = {"", "register", "lane", "warp",
                                         "block"};
  return labels[static_cast<unsigned>(reach)];
}

/// "lane bit 3 + warp bit 0" of a place.
static std::string describePlace(ArrayRef<LabelledDim> dims,
                                 ArrayRef<uint64_t> place) {
  llvm::SmallVector<std::string> parts;
  for (auto [dim, number] : llvm::zip_equal(dims, place))
    for (uint64_t rest = number; rest; rest &= rest - 1)
      parts.push_back(
          (dim.name + " bit " + Twine(llvm::countr_zero(rest))).str());
  return llvm::join(parts, " + ");
}

/// The first bit of the destination that `label` of the source does not follow
/// unchanged.
static std::string describeCrossing(const LinearLayout &map, StringRef label) {
  for (const LabelledDim &in : map.inDims())
    for (unsigned bit = 0; bit < in.bits; ++bit) {
      uint64_t own = in.name == label ? uint64_t{1} << bit : 0;
      if (map.basis(in.name, bit, label) == own)
        continue;
      std::string here = (in.name + " bit " + Twine(bit)).str();
      std::string there = describePlace(map.outDims(), map.basis(in.name, bit));
      return there.empty()
                 ? here + " of the destination chooses no bit of the "
                          "source"
                 : here + " of the destination is " + there + " of the source";
    }
  return "the layouts differ by an offset";
}

std::string layout::detail::whyNot(ConversionKind kind,
                                   const ConvertMap &nearest,
                                   bool allowShuffle) {
  ConvertReach reach = nearest.reach;
  switch (kind) {
  case ConversionKind::Noop:
    break;
  case ConversionKind::Register:
    if (reach == ConvertReach::Nowhere)
      return "every register already has its element";
    break;
  case ConversionKind::Shuffle:
    if (reach <= ConvertReach::Thread)
      return "no element crosses lanes";
    if (reach == ConvertReach::Warp)
      return allowShuffle ? "the threads have too many registers"
                          : "shuffles are not allowed";
    break;
  case ConversionKind::Shared:
    if (reach <= ConvertReach::Thread)
      return "no element leaves its thread";
    break;
  case ConversionKind::Cluster:
    return "no element crosses blocks";
  }
  StringRef label = farthestLabel(reach);
  return ("elements cross " + label +
          "s: " + describeCrossing(nearest.map, label))
      .str();
}
