//===- SymbolicBlocks.cpp - Tiles, accumulators and their tensors ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SymbolicRun.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::TileIndex;

//===----------------------------------------------------------------------===//
// Indices of block graphs
//===----------------------------------------------------------------------===//

LabelList SymbolicRun::digitsOf(int graph, llvm::ArrayRef<TileIndex> nest) {
  LabelList result;
  for (TileIndex index : nest) {
    int64_t extent = program.graphs[graph].extent(index);
    auto [it, isNew] = indexDigits.try_emplace(
        std::make_tuple(graph, index.isGrid(), index.number));
    if (isNew && extent > 1)
      it->second.push_back(context.addLabel(extent));
    result.append(it->second);
  }
  return result;
}

void SymbolicRun::splitIndex(LabelId label, int64_t high) {
  DigitMap map;
  map[label].digits = {context.addLabel(high),
                       context.addLabel(context.size(label) / high)};
  for (SymbolicTensor &tensor : tensors)
    tensor.cases = digits.substitute(tensor.cases, map);
  for (auto &entry : indexDigits)
    entry.second = DigitContext::substitute(entry.second, map);
  for (auto &entry : raggedTiles)
    entry.second.before = DigitContext::substitute(entry.second.before, map);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// Writes the digits `whole` of a dim as (nest, tile). Where a digit of the
/// nest is too large it is split, and the answer is to try again: `map` is
/// empty then.
bool SymbolicRun::alignCut(llvm::ArrayRef<LabelId> whole,
                           llvm::ArrayRef<LabelId> nest, LabelList &tile,
                           DigitMap &map) {
  int64_t left = 1; // what is left of the digit before `whole`
  LabelId current = noLabel;
  auto finish = [&] {
    if (left > 1) {
      tile.push_back(context.addLabel(left));
      map[current].digits.push_back(tile.back());
    }
  };
  for (LabelId index : nest) {
    if (left == 1) {
      if (whole.empty())
        return fail("a tile map that cuts more than there is");
      current = whole.front();
      whole = whole.drop_front();
      left = context.size(current);
      map[current] = IndexImage();
    }
    int64_t size = context.size(index);
    if (size % left == 0 && size != left) {
      splitIndex(index, left);
      map.clear();
      return true;
    }
    if (left % size != 0)
      return fail("a tile map that does not line up with how the tensor was "
                  "put together");
    map[current].digits.push_back(index);
    left /= size;
  }
  finish();
  tile.append(whole.begin(), whole.end());
  return true;
}

bool SymbolicRun::cutDim(const ProgramValue &value, size_t dim,
                         SymbolicTensor &tile) {
  const DimCut &cut = value.cut[dim];
  int64_t extent = program.values[value.source].shape[dim];
  for (unsigned attempt = 0; attempt < 64; ++attempt) {
    LabelList nest = digitsOf(value.graph, cut.indices);
    int64_t reach = digits.product(nest) * cut.tile;
    int64_t count = std::min(reach, extent - cut.shift);
    SymbolicTensor trial = tile;
    if (!takePart(trial, dim, cut.shift, count))
      return false;
    LabelList &dims = trial.dims[dim];
    DigitMap map;
    if (reach > count && !nest.empty()) {
      if (dims.size() != 1)
        return fail("a ragged cut of a dim that was put together");
      LabelId position = context.addLabel(cut.tile);
      raggedTiles[position] = {nest, count};
      map[dims[0]].digits = nest;
      map[dims[0]].digits.push_back(position);
      dims = {position};
    } else if (!nest.empty()) {
      LabelList positions;
      if (!alignCut(dims, nest, positions, map))
        return false;
      if (map.empty())
        continue;
      dims = positions;
    }
    trial.cases = digits.substitute(trial.cases, map);
    tile = std::move(trial);
    return true;
  }
  return fail("a tile map that does not line up with how the tensor was put "
              "together");
}

bool SymbolicRun::runTile(const ProgramValue &value, SymbolicTensor &result) {
  // A split of an index changes what earlier dims became: begin anew.
  for (size_t known = 0;;) {
    result = tensors[value.source];
    for (size_t dim = 0; dim < value.cut.size(); ++dim)
      if (!cutDim(value, dim, result))
        return false;
    size_t count = 0;
    for (auto &entry : indexDigits)
      count += entry.second.size();
    if (count == known)
      return true;
    known = count;
  }
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

bool SymbolicRun::runAccumulate(const ProgramValue &value,
                                SymbolicTensor &result) {
  result = tensors[value.source];
  int loop = program.values[value.source].loop;
  if (loop < 0)
    return fail("an accumulator of a value that does not change in its loop");
  LabelList over = digitsOf(value.graph, TileIndex::loop(loop));
  // A position that does not exist in the last iteration is skipped there.
  llvm::SmallVector<ExprId> indicators;
  DigitMap positions;
  for (LabelList &dim : result.dims)
    for (LabelId &label : dim) {
      const RaggedTile *tile = ragged(label);
      if (!tile || !llvm::any_of(over, [&](LabelId l) {
            return llvm::is_contained(tile->before, l);
          }))
        continue;
      if (tile->before != over)
        return fail("an accumulator of ragged tiles of several indices");
      LabelId position = context.addLabel(context.size(label));
      LabelList index = tile->before;
      index.push_back(position);
      indicators.push_back(digits.indicator(index, 0, tile->extent));
      positions[label].digits = {position};
      label = position;
    }
  result.cases = digits.substitute(result.cases, positions);
  if (!combineCases(value.reduction, over, indicators, result.cases))
    return false;
  for (GuardedExpr &entry : result.cases)
    entry.element = digits.merge(entry.element);
  return true;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

bool SymbolicRun::isFree(LabelId label, const SymbolicTensor &tensor) const {
  return llvm::any_of(tensor.cases, [&](const GuardedExpr &entry) {
    auto depends = [&](ExprId e) {
      return llvm::is_contained(context.expr(e).free, label);
    };
    return depends(entry.element) || llvm::any_of(entry.where, depends);
  });
}

bool SymbolicRun::assembleDim(const ProgramValue &value, size_t dim,
                              SymbolicTensor &result) {
  LabelList &dims = result.dims[dim];
  const DimCut &cut = value.cut[dim];
  int graph = program.values[value.source].graph;
  LabelList nest = digitsOf(graph, cut.indices);
  if (cut.shift != 0)
    return fail("a tile map that shifts a result");
  int64_t reach = digits.product(nest) * cut.tile;
  bool isRagged = reach > value.shape[dim] && !nest.empty();
  for (LabelId label : dims) {
    const RaggedTile *tile = ragged(label);
    bool fits = isRagged
                    ? !isFree(label, result) ||
                          (tile && *tile == RaggedTile{nest, value.shape[dim]})
                    : !tile;
    if (!fits)
      return fail("a result that is put together in another way than cut");
  }
  int64_t positions = digits.product(dims);
  if (nest.empty() ? positions != value.shape[dim] : positions != cut.tile)
    return fail("a result that is a part of what its tiles hold");
  if (reach < value.shape[dim])
    return fail("a tile map that does not cover a result");
  nest.append(dims);
  dims = nest;
  return true;
}

bool SymbolicRun::runAssemble(const ProgramValue &value,
                              SymbolicTensor &result) {
  int graph = program.values[value.source].graph;
  result = tensors[value.source];
  for (size_t dim = 0; dim < value.cut.size(); ++dim)
    if (!assembleDim(value, dim, result))
      return false;
  result.cases = digits.merge(result.cases, result.dims, value.shape);
  for (auto [list, extent] : llvm::zip_equal(result.dims, value.shape))
    if (digits.product(list) != extent)
      return fail("ragged tiles of something that is not tiled alike");
  for (auto &entry : indexDigits)
    if (std::get<0>(entry.first) == graph)
      for (LabelId label : entry.second)
        if (isFree(label, result))
          return fail("a result that depends on an index its map does not "
                      "name");
  return true;
}
