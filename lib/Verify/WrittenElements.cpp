//===- WrittenElements.cpp - Who writes which element ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/TensorProgram.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;
using mugraph::TileIndex;

int64_t BlockGraph::tileOffset(const DimCut &cut,
                               const BlockPlace &place) const {
  int64_t number = 0;
  for (TileIndex index : cut.indices)
    number = number * extent(index) + place[index];
  return number * cut.tile + cut.shift;
}

/// Reversing the cut of each dim determines the indices named there. A
/// contradiction or an index out of range means that no tile has the element.
std::optional<BlockPlace>
BlockGraph::findTile(ArrayRef<DimCut> cuts,
                     MutableArrayRef<int64_t> index) const {
  BlockPlace place;
  SmallVector<TileIndex> known;
  for (auto [position, cut] : llvm::zip_equal(index, cuts)) {
    position -= cut.shift;
    if (position < 0)
      return std::nullopt;
    int64_t number = position / cut.tile;
    position %= cut.tile;
    for (TileIndex index : llvm::reverse(cut.indices)) {
      int64_t digit = number % extent(index);
      number /= extent(index);
      if (llvm::is_contained(known, index) && place[index] != digit)
        return std::nullopt;
      place[index] = digit;
      known.push_back(index);
    }
    if (number != 0)
      return std::nullopt;
  }
  return place;
}

std::optional<WriterOfElement>
TensorProgram::findWriter(const ProgramValue &value, int64_t element) const {
  const ProgramValue &tile = values[value.source];
  SmallVector<int64_t> index;
  for (int64_t stride : value.strides) {
    index.push_back(element / stride);
    element %= stride;
  }
  std::optional<BlockPlace> place =
      graphs[tile.graph].findTile(value.cut, index);
  if (!place)
    return std::nullopt;
  WriterOfElement writer{*place, 0};
  for (auto [position, stride] : llvm::zip_equal(index, tile.strides))
    writer.element += position * stride;
  return writer;
}

static std::string indexString(ArrayRef<int64_t> index) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(index, os);
  os << ']';
  return text;
}

/// The elements that are written form a box, or miss a corner if an index cuts
/// two dims; so it is enough to look at the corners.
static std::string findUnwritten(const TensorProgram &program,
                                 const ProgramValue &value) {
  unsigned rank = value.shape.size();
  for (uint64_t bits = 0; bits < (uint64_t{1} << rank); ++bits) {
    int64_t element = 0;
    SmallVector<int64_t> index(rank, 0);
    for (unsigned dim = 0; dim < rank; ++dim) {
      if (bits >> dim & 1)
        index[dim] = value.shape[dim] - 1;
      element += index[dim] * value.strides[dim];
    }
    if (!program.findWriter(value, element))
      return "no block writes element " + indexString(index) +
             " of a block graph's result";
  }
  return "";
}

/// A grid dim that the tile depends on but that the result's map does not name.
static std::string findManyWriters(const TensorProgram &program,
                                   const ProgramValue &value) {
  const ProgramValue &tile = program.values[value.source];
  const BlockGraph &owner = program.graphs[tile.graph];
  for (unsigned dim = 0; dim < 3; ++dim) {
    TileIndex index = TileIndex::grid(dim);
    if (!(tile.gridMask >> dim & 1) || owner.grid[dim] == 1 ||
        llvm::any_of(value.cut, [&](const DimCut &cut) {
          return llvm::is_contained(cut.indices, index);
        }))
      continue;
    return "blocks that differ in " + index.str() +
           " write different values to the same element of a block graph's "
           "result";
  }
  return "";
}

std::string TensorProgram::findWriteMistake() const {
  for (const ProgramValue &value : values) {
    if (value.kind != ProgramValue::Kind::Assemble)
      continue;
    if (value.shape.size() > 16)
      return "a block graph's result has more than 16 dims";
    std::string mistake = findUnwritten(*this, value);
    if (mistake.empty())
      mistake = findManyWriters(*this, value);
    if (!mistake.empty())
      return mistake;
  }
  return "";
}
