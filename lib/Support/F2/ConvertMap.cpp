//===- ConvertMap.cpp - How far data travels between layouts --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Support/F2/ConvertMap.h"

#include "LinearLayoutDetail.h"

#include <cassert>

using namespace mirage;
using namespace mirage::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;

StringRef mirage::stringifyReach(ConvertReach reach) {
  static constexpr llvm::StringLiteral names[] = {"nowhere", "thread", "warp",
                                                  "block", "cluster"};
  return names[static_cast<unsigned>(reach)];
}

namespace {
/// Solves S o C = D column by column with some labels kept.
class ConvertSolver {
public:
  ConvertSolver(const LinearLayout &source, ArrayRef<StringRef> keep)
      : source(source), span(source.totalOutBits(), source.totalInBits()) {
    unsigned column = 0;
    for (const LabelledDim &in : source.inDims())
      for (unsigned bit = 0; bit < in.bits; ++bit, ++column)
        if (!llvm::is_contained(keep, in.name)) {
          span.insert(source.matrix().column(column));
          generators.push_back(column);
        }
  }

  /// A place of S over the labels that are not kept with this image.
  std::optional<F2Vector> solve(ArrayRef<uint64_t> image) const {
    F2Vector combination;
    if (!span.contains(image, &combination))
      return std::nullopt;
    F2Vector place((source.totalInBits() + 63) / 64, 0);
    for (auto [index, column] : llvm::enumerate(generators))
      depositBits(place, column, extractBits(combination, index, 1));
    return place;
  }

private:
  const LinearLayout &source;
  F2Span span;
  llvm::SmallVector<unsigned> generators;
};
} // namespace

std::optional<LinearLayout>
mirage::solveConvertMap(const LinearLayout &source,
                        const LinearLayout &destination,
                        ArrayRef<StringRef> keep) {
  assert(source.outDims() == destination.outDims() && "different tensors");
  for (StringRef label : keep)
    if (source.inBits(label) != destination.inBits(label))
      return std::nullopt;
  ConvertSolver solver(source, keep);
  F2Matrix columns(source.totalInBits(), 0);
  for (const LabelledDim &in : destination.inDims())
    for (unsigned bit = 0; bit < in.bits; ++bit) {
      F2Vector image(destination.flatBasis(in.name, bit));
      bool kept = llvm::is_contained(keep, in.name);
      if (kept)
        xorWords(image, source.flatBasis(in.name, bit));
      std::optional<F2Vector> place = solver.solve(image);
      if (!place)
        return std::nullopt;
      if (kept)
        depositBits(*place, source.inStart(in.name) + bit, 1);
      columns.appendColumn(*place);
    }
  F2Vector image(destination.flatOffset());
  xorWords(image, source.flatOffset());
  std::optional<F2Vector> offset = solver.solve(image);
  if (!offset)
    return std::nullopt;
  return LinearLayout::fromMatrix(LinearLayout::Dims(destination.inDims()),
                                  LinearLayout::Dims(source.inDims()),
                                  std::move(columns), *offset);
}

Expected<ConvertMap>
mirage::nearestConvertMap(const LinearLayout &source,
                          const LinearLayout &destination) {
  if (source.outDims() != destination.outDims())
    return failure("the layouts are of different tensors: source is " +
                   source.toString() + ", destination is " +
                   destination.toString());
  static constexpr StringRef order[] = {"register", "lane", "warp", "block"};
  for (const LinearLayout *layout : {&source, &destination})
    for (const LabelledDim &in : layout->inDims())
      if (!llvm::is_contained(order, in.name))
        return failure("in label '" + in.name +
                       "' is none of register, lane, warp, block");
  LinearLayout s = source.withIns(order), d = destination.withIns(order);
  for (StringRef label : ArrayRef<StringRef>(order).drop_front()) {
    unsigned bits = std::max(s.inBits(label), d.inBits(label));
    s = s.padInWithZeros(label, bits);
    d = d.padInWithZeros(label, bits);
  }
  ArrayRef<StringRef> labels(order);
  static constexpr ConvertReach reaches[] = {
      ConvertReach::Nowhere, ConvertReach::Thread, ConvertReach::Warp,
      ConvertReach::Block, ConvertReach::Cluster};
  for (unsigned dropped = 0; dropped <= labels.size(); ++dropped)
    if (auto map = solveConvertMap(s, d, labels.drop_front(dropped)))
      return ConvertMap{std::move(*map), reaches[dropped]};
  return failure("the source layout " + source.toString() +
                 " does not hold every element of the destination");
}
