//===- CheckBlocks.cpp - Tiles, accumulators and results -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramChecker.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::certificate;
using mugraph::TileIndex;

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// The index in the tensor is the shift plus (nest, position). A tile that
/// hangs over the tensor does so in its last digit.
ProgramChecker::Mistake ProgramChecker::cutDim(const ProgramValue &value,
                                               size_t dim,
                                               const Digits &position,
                                               Substitution &by) {
  const DimCut &cut = value.cut[dim];
  const Digits &whole = source(value).dims[dim];
  int64_t room = program.values[value.source].shape[dim] - cut.shift;
  Digits index = digitsOf(value.graph, cut.indices);
  std::optional<int64_t> blocks = algebra.count(index);
  int64_t reach;
  if (cut.shift < 0 || room <= 0 || !blocks ||
      llvm::MulOverflow(*blocks, cut.tile, reach))
    return "its tiles are not in the tensor";
  std::optional<HangingTile> tile;
  if (reach > room && !index.empty()) {
    bool isPlain = whole.size() == 1 && position.size() == 1;
    if (!isPlain)
      return "a tile that hangs over does not line up with its dim";
    tile = HangingTile{index, room};
  }
  if (algebra.count(position) !=
      (index.empty() ? std::min(cut.tile, room) : cut.tile))
    return "the digits of a tile do not write it";
  for (Label label : position)
    if (!setHanging(label, tile))
      return "a tile hangs over in another way";
  index.append(position);
  return align(whole, cut.shift, index, by)
             ? nullptr
             : "a tile does not line up with its dim";
}

ProgramChecker::Mistake ProgramChecker::checkTile(const ProgramValue &value,
                                                  const Claim &claim) {
  Substitution by;
  for (size_t dim = 0; dim < value.cut.size(); ++dim)
    if (Mistake mistake = cutDim(value, dim, claim.dims[dim], by))
      return mistake;
  return compare(claim, claim.dims,
                 algebra.substitute(source(value).cases, by));
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

ProgramChecker::Mistake
ProgramChecker::checkAccumulate(const ProgramValue &value, const Claim &claim) {
  int loop = program.values[value.source].loop;
  if (loop < 0)
    return "an accumulator of what does not change in its loop";
  Combination combination;
  combination.kind = value.reduction;
  combination.over = digitsOf(value.graph, {TileIndex::loop(loop)});
  std::vector<Digits> dims = source(value).dims;
  Substitution positions;
  for (Digits &dim : dims)
    for (Label &label : dim) {
      const HangingTile *tile = hanging(label);
      if (!tile || llvm::none_of(combination.over, [&](Label l) {
            return llvm::is_contained(tile->before, l);
          }))
        continue;
      if (tile->before != combination.over)
        return "an accumulator of tiles that hang over several indices";
      // Each position exists in the first iteration.
      Label position = algebra.addLabel(algebra.size(label));
      if (!algebra.conjoin(combination.where, conditionOf(*tile, position)))
        return "an accumulator of nothing";
      positions[label] = Index{0, {{position, 1}}};
      label = position;
    }
  return compare(claim, dims,
                 algebra.substitute(source(value).cases, positions),
                 combination);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Each element of a result must be written by one block: all grid indices are
/// digits of its dims.
ProgramChecker::Mistake
ProgramChecker::checkWriters(const ProgramValue &value) const {
  int graph = program.values[value.source].graph;
  std::set<unsigned> written;
  for (const DimCut &cut : value.cut)
    for (TileIndex index : cut.indices) {
      unsigned key = 2 * index.number + index.isLoop();
      if (!written.insert(key).second)
        return "a result that is cut by an index twice";
    }
  for (unsigned dim = 0; dim < 3; ++dim)
    if (program.graphs[graph].grid[dim] > 1 && !written.count(2 * dim))
      return "a result that several blocks write";
  return nullptr;
}

ProgramChecker::Mistake ProgramChecker::checkAssemble(const ProgramValue &value,
                                                      const Claim &claim) {
  if (Mistake mistake = checkWriters(value))
    return mistake;
  int graph = program.values[value.source].graph;
  std::vector<Digits> dims;
  for (auto [cut, positions, extent] :
       llvm::zip_equal(value.cut, source(value).dims, value.shape)) {
    Digits &dim = dims.emplace_back(digitsOf(graph, cut.indices));
    std::optional<int64_t> count = algebra.count(dim);
    int64_t reach;
    if (cut.shift != 0 || !count ||
        llvm::MulOverflow(*count, cut.tile, reach) || reach < extent)
      return "its tiles are shifted or do not cover a dim";
    bool hangsOver = reach > extent && !dim.empty();
    for (Label label : positions) {
      const HangingTile *tile = hanging(label);
      if (tile && !(hangsOver && *tile == HangingTile{dim, extent}))
        return "tiles that hang over are put together in another way than cut";
    }
    if (algebra.count(positions) != (dim.empty() ? extent : cut.tile))
      return "it is a part of what its tiles hold";
    dim.append(positions);
  }
  for (auto [dim, extent] : llvm::zip_equal(claim.dims, value.shape))
    if (algebra.count(dim) != extent)
      return "the digits of a dim do not write its extent";
  for (const Case &entry : claim.cases)
    for (Label label : freeLabels(entry))
      if (indexLabels.count(label))
        return "a result that depends on an index that no dim names";
  return compare(claim, dims, source(value).cases, Combination(), value.shape);
}
