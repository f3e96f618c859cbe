//===- Samples.cpp - Which output elements are compared -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Samples.h"

#include "ReachedOutput.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <set>

using namespace mirage::verify;

using Index = llvm::SmallVector<int64_t, 4>;

/// Adds the ends of the tiles by which a block graph cuts dim `dim` of
/// `result`.
static void addTileEnds(const TensorProgram &program, unsigned result,
                        unsigned dim, std::set<int64_t> &positions) {
  const ProgramValue &value = program.values[program.results[result]];
  if (value.kind != ProgramValue::Kind::Assemble)
    return;
  int64_t tile = value.cut[dim].tile;
  int64_t last = (value.shape[dim] - 1) / tile * tile;
  positions.insert({tile - 1, tile, last, tile / 2});
}

/// Positions of one dim where mistakes show.
static std::vector<int64_t> boundaries(const TensorProgram &spec,
                                       const TensorProgram &candidate,
                                       unsigned result, unsigned dim,
                                       int64_t extent) {
  std::set<int64_t> positions = {0, extent - 1};
  for (const TensorProgram *program : {&spec, &candidate})
    addTileEnds(*program, result, dim, positions);
  std::vector<int64_t> inside;
  for (int64_t position : positions)
    if (position >= 0 && position < extent)
      inside.push_back(position);
  return inside;
}

static void appendCorners(llvm::ArrayRef<int64_t> shape, unsigned result,
                          std::vector<Sample> &samples) {
  // Both ends first: with few samples these say most.
  unsigned rank = std::min<size_t>(shape.size(), 6);
  std::vector<unsigned> order;
  for (unsigned bits = 0; bits < (1u << rank); ++bits)
    order.push_back(bits);
  if (order.size() > 2)
    std::swap(order[1], order.back());
  for (unsigned bits : order) {
    Sample sample{result, Index(shape.size(), 0), false};
    for (unsigned dim = 0; dim < shape.size(); ++dim)
      if (dim >= rank || bits >> dim & 1)
        sample.index[dim] = shape[dim] - 1;
    sample.isEssential = bits == 0 || bits + 1 == order.size();
    samples.push_back(std::move(sample));
  }
}

/// Draws numbers below a bound.
using Draw = llvm::function_ref<int64_t(int64_t)>;

/// The first, the last and some other element of a piece of a value, in some
/// block and iteration.
static std::vector<ElementPlace> placesIn(const TensorProgram &program,
                                          unsigned number, const Piece &piece,
                                          Draw draw) {
  const ProgramValue &value = program.values[number];
  std::vector<ElementPlace> places(3);
  for (auto [from, offset] :
       llvm::zip_equal(piece.resultDims, piece.resultOffsets)) {
    int64_t size = from < 0 ? 1 : piece.extents[from];
    places[0].index.push_back(offset);
    places[1].index.push_back(offset + size - 1);
    places[2].index.push_back(offset + draw(size));
  }
  for (ElementPlace &element : places) {
    element.value = number;
    if (value.graph < 0)
      continue;
    const BlockGraph &graph = program.graphs[value.graph];
    for (unsigned dim = 0; dim < 3; ++dim)
      element.place.block[dim] = draw(graph.grid[dim]);
    if (value.loop >= 0)
      element.place.iteration = draw(graph.loops[value.loop]);
  }
  return places;
}

/// Outputs that depend on elements of each part of each value that is put
/// together from parts: wherever in the program it is, and however its indices
/// become those of a result. About `count` at most.
static void appendParts(const TensorProgram &program, unsigned count,
                        const KeyedHash &random, std::vector<Sample> &samples) {
  uint64_t draws = 0;
  auto draw = [&](int64_t extent) {
    return int64_t(random({draws++})[0] % uint64_t(extent));
  };
  std::vector<ElementPlace> places;
  for (auto [number, value] : llvm::enumerate(program.values))
    if (value.pieces.size() > 1)
      for (const Piece &piece : value.pieces)
        llvm::append_range(places, placesIn(program, number, piece, draw));
  ReachedOutput reached(program);
  for (const ElementPlace &element : places) {
    // Of too many a random choice.
    if (places.size() > count && draw(places.size()) >= int64_t(count))
      continue;
    if (std::optional<Sample> sample = reached.find(element))
      samples.push_back(std::move(*sample));
  }
}

std::vector<Sample>
mirage::verify::chooseSamples(const TensorProgram &spec,
                              const TensorProgram &candidate, unsigned count,
                              const KeyedHash &random) {
  std::vector<Sample> samples;
  for (const TensorProgram *program : {&spec, &candidate})
    appendParts(*program, count, random, samples);
  for (unsigned result = 0; result < spec.results.size(); ++result) {
    llvm::ArrayRef<int64_t> shape = spec.values[spec.results[result]].shape;
    appendCorners(shape, result, samples);
    std::vector<std::vector<int64_t>> special;
    for (unsigned dim = 0; dim < shape.size(); ++dim)
      special.push_back(boundaries(spec, candidate, result, dim, shape[dim]));
    for (uint64_t i = 0; i < count; ++i) {
      Sample sample{result, {}, false};
      for (uint64_t dim = 0; dim < shape.size(); ++dim) {
        Digest bits = random({result, i, dim});
        bool onBoundary = i % 2 == 0;
        sample.index.push_back(
            onBoundary ? special[dim][bits[0] % special[dim].size()]
                       : static_cast<int64_t>(bits[0] % shape[dim]));
      }
      samples.push_back(std::move(sample));
    }
  }
  // Each once, in the order of their first occurrence.
  std::set<std::pair<unsigned, std::vector<int64_t>>> seen;
  llvm::erase_if(samples, [&](const Sample &sample) {
    return !seen.insert(
                    {sample.result, std::vector<int64_t>(sample.index.begin(),
                                                         sample.index.end())})
                .second;
  });
  std::vector<Sample> ordered;
  for (bool essential : {true, false})
    for (const Sample &sample : samples)
      if (sample.isEssential == essential)
        ordered.push_back(sample);
  return ordered;
}
