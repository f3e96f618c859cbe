//===- AnySize.cpp - Proofs that hold for every size ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/AnySize.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/STLExtras.h"

#include <map>
#include <set>
#include <tuple>

using namespace mirage::verify;
using mirage::mugraph::Reduction;
using mirage::mugraph::TileIndex;

namespace {

/// A dim of a value, or an iteration dim of its op: (program, value, dim).
using Axis = std::tuple<unsigned, unsigned, int>;

class SizeAnalysis {
public:
  SizeAnalysis(const TensorProgram &spec, const TensorProgram &candidate)
      : programs{&spec, &candidate} {}

  std::vector<llvm::SmallVector<ArgumentDim>> run();

private:
  /// How a block graph cuts a class.
  struct Cut {
    llvm::SmallVector<TileIndex, 2> indices;
    int64_t tile = 1;
  };
  using Graph = std::pair<unsigned, int>;

  int64_t extent(const Axis &axis) const {
    auto [program, value, dim] = axis;
    return programs[program]->values[value].shape[dim];
  }
  void join(const Axis &a, const Axis &b) { classes.unionSets(a, b); }
  void exclude(const Axis &axis) { excluded.push_back(axis); }

  void follow(unsigned program, unsigned number);
  void followPiece(unsigned program, unsigned number, const Piece &piece);
  void followOperand(unsigned program, const Piece &piece,
                     const OperandAccess &access,
                     llvm::ArrayRef<Axis> iteration);
  void followCut(unsigned program, int graph, const Axis &whole,
                 const Axis &tile, const DimCut &cut);
  int64_t reachOf(unsigned program, int graph, const DimCut &cut) const;
  void joinPrograms();

  /// After all dims were followed.
  void excludeRepeated();
  void excludeSizes();
  void excludeIndices();
  std::set<Axis> leadersOf(llvm::ArrayRef<Axis> axes) {
    std::set<Axis> leaders;
    for (const Axis &axis : axes)
      leaders.insert(classes.getLeaderValue(axis));
    return leaders;
  }

  std::array<const TensorProgram *, 2> programs;
  llvm::EquivalenceClasses<Axis> classes;
  std::vector<Axis> excluded;
  /// The cuts of each graph, and the loops that are accumulated over.
  std::map<Graph, std::vector<std::pair<Axis, Cut>>> cuts;
  std::map<Graph, std::set<unsigned>> accumulated;
};

} // namespace

//===----------------------------------------------------------------------===//
// Following the dims
//===----------------------------------------------------------------------===//

void SizeAnalysis::followOperand(unsigned program, const Piece &piece,
                                 const OperandAccess &access,
                                 llvm::ArrayRef<Axis> iteration) {
  const ProgramValue &operand = programs[program]->values[access.value];
  for (int dim = 0; dim < int(operand.shape.size()); ++dim) {
    Axis axis{program, access.value, dim};
    auto [from, offset] =
        access.linear ? access.indices[dim] : std::pair<int, int64_t>(-1, 0);
    bool isWhole = access.linear && offset == 0 && from >= 0 &&
                   piece.extents[from] == operand.shape[dim];
    if (isWhole)
      join(axis, iteration[from]);
    else
      exclude(axis);
    if (access.linear && from >= 0 && !isWhole)
      exclude(iteration[from]);
  }
  if (!access.linear)
    for (const Axis &axis : iteration)
      exclude(axis);
}

void SizeAnalysis::followPiece(unsigned program, unsigned number,
                               const Piece &piece) {
  const ProgramValue &value = programs[program]->values[number];
  llvm::SmallVector<Axis> iteration;
  for (size_t dim = 0; dim < piece.extents.size(); ++dim) {
    // Iteration dims count down from -1, for each piece from a new number.
    int piecesBefore = &piece - value.pieces.data();
    iteration.push_back({program, number, -1 - int(dim) - 64 * piecesBefore});
    classes.insert(iteration.back());
  }
  for (const OperandAccess &access : piece.operands)
    if (access.used)
      followOperand(program, piece, access, iteration);
  for (unsigned dim : piece.reducedDims)
    exclude(iteration[dim]);
  for (size_t dim = 0; dim < value.shape.size(); ++dim) {
    Axis axis{program, number, dim};
    int from = piece.resultDims[dim];
    if (from >= 0 && piece.resultOffsets[dim] == 0 &&
        piece.extents[from] == value.shape[dim]) {
      join(axis, iteration[from]);
      continue;
    }
    exclude(axis);
    if (from >= 0)
      exclude(iteration[from]);
  }
}

/// How far the tiles of a dim reach.
int64_t SizeAnalysis::reachOf(unsigned program, int graph,
                              const DimCut &cut) const {
  int64_t reach = cut.tile;
  for (TileIndex index : cut.indices)
    reach *= programs[program]->graphs[graph].extent(index);
  return reach;
}

void SizeAnalysis::followCut(unsigned program, int graph, const Axis &whole,
                             const Axis &tile, const DimCut &cut) {
  auto &list = cuts[{program, graph}];
  if (cut.tile > 1 || cut.indices.empty()) {
    join(whole, tile);
  } else {
    // A tile of one element has no positions: dims belong together if the same
    // indices number their tiles.
    for (const auto &[other, way] : list)
      if (way.tile == 1 && way.indices == cut.indices)
        join(whole, other);
  }
  list.push_back({whole, {cut.indices, cut.tile}});
  bool isPadded = cut.indices.empty() && cut.tile != extent(whole);
  bool isPart = cut.shift != 0 || reachOf(program, graph, cut) < extent(whole);
  if (isPart || isPadded || cut.tile != extent(tile))
    exclude(whole);
}

void SizeAnalysis::follow(unsigned program, unsigned number) {
  const ProgramValue &value = programs[program]->values[number];
  for (int dim = 0; dim < int(value.shape.size()); ++dim) {
    Axis axis{program, number, dim}, source{program, value.source, dim};
    classes.insert(axis);
    if (value.graph < 0 && value.shape[dim] == 1)
      exclude(axis);
    switch (value.kind) {
    case ProgramValue::Kind::Argument:
    case ProgramValue::Kind::Pieces:
      break;
    case ProgramValue::Kind::Tile:
      followCut(program, value.graph, source, axis, value.cut[dim]);
      break;
    case ProgramValue::Kind::Accumulate:
      join(axis, source);
      break;
    case ProgramValue::Kind::Assemble:
      followCut(program, programs[program]->values[value.source].graph, axis,
                source, value.cut[dim]);
      break;
    }
  }
  for (const Piece &piece : value.pieces)
    followPiece(program, number, piece);
  if (value.kind == ProgramValue::Kind::Accumulate) {
    int loop = programs[program]->values[value.source].loop;
    if (loop >= 0)
      accumulated[{program, value.graph}].insert(loop);
  }
}

void SizeAnalysis::joinPrograms() {
  auto joinAll = [&](llvm::ArrayRef<unsigned> a, llvm::ArrayRef<unsigned> b) {
    for (auto [first, second] : llvm::zip_equal(a, b))
      for (int dim = 0; dim < int(programs[0]->values[first].shape.size());
           ++dim)
        join(Axis{0, first, dim}, Axis{1, second, dim});
  };
  joinAll(programs[0]->arguments, programs[1]->arguments);
  joinAll(programs[0]->results, programs[1]->results);
}

//===----------------------------------------------------------------------===//
// What is no map
//===----------------------------------------------------------------------===//

/// A position of a value would depend on two positions of the class.
void SizeAnalysis::excludeRepeated() {
  for (unsigned program : {0, 1})
    for (unsigned number = 0; number < programs[program]->values.size();
         ++number) {
      std::set<Axis> seen;
      size_t rank = programs[program]->values[number].shape.size();
      for (int dim = 0; dim < int(rank); ++dim) {
        Axis axis{program, number, dim};
        if (!seen.insert(classes.getLeaderValue(axis)).second)
          exclude(axis);
      }
    }
}

/// All whole dims of a class have one extent.
void SizeAnalysis::excludeSizes() {
  std::map<Axis, int64_t> extents;
  for (unsigned program : {0, 1})
    for (unsigned number = 0; number < programs[program]->values.size();
         ++number) {
      const ProgramValue &value = programs[program]->values[number];
      if (value.graph >= 0)
        continue;
      for (int dim = 0; dim < int(value.shape.size()); ++dim) {
        Axis axis{program, number, dim};
        int64_t known =
            extents.try_emplace(classes.getLeaderValue(axis), value.shape[dim])
                .first->second;
        if (known != value.shape[dim])
          exclude(axis);
      }
    }
}

/// A graph cuts a class in one way, into indices that cut nothing else, each
/// of which all its results have, and over none of which it accumulates.
void SizeAnalysis::excludeIndices() {
  for (auto &[graph, list] : cuts) {
    std::map<Axis, Cut> ways;
    std::map<std::pair<bool, unsigned>, Axis> owners;
    for (auto &[axis, cut] : list) {
      Axis leader = classes.getLeaderValue(axis);
      Cut &known = ways.try_emplace(leader, cut).first->second;
      if (known.tile != cut.tile || known.indices != cut.indices)
        exclude(axis);
      for (TileIndex index : cut.indices) {
        auto [owner, isNew] = owners.try_emplace(
            std::make_pair(index.isGrid(), index.number), leader);
        if (owner->second != leader) {
          exclude(axis);
          exclude(owner->second);
        }
        if (index.isLoop() && accumulated[graph].count(index.number))
          exclude(axis);
      }
    }
    auto [program, number] = graph;
    for (const ProgramValue &value : programs[program]->values) {
      if (value.kind != ProgramValue::Kind::Assemble ||
          programs[program]->values[value.source].graph != number)
        continue;
      std::set<std::pair<bool, unsigned>> written;
      for (const DimCut &cut : value.cut)
        for (TileIndex index : cut.indices)
          written.insert({index.isGrid(), index.number});
      for (auto &[index, owner] : owners)
        if (!written.count(index))
          exclude(owner);
    }
  }
}

std::vector<llvm::SmallVector<ArgumentDim>> SizeAnalysis::run() {
  for (unsigned program : {0, 1})
    for (unsigned number = 0; number < programs[program]->values.size();
         ++number)
      follow(program, number);
  joinPrograms();
  excludeRepeated();
  excludeSizes();
  excludeIndices();

  std::set<Axis> wrong = leadersOf(excluded);
  std::map<Axis, size_t> places;
  std::vector<llvm::SmallVector<ArgumentDim>> found;
  for (auto [argument, number] : llvm::enumerate(programs[0]->arguments))
    for (unsigned dim = 0; dim < programs[0]->values[number].shape.size();
         ++dim) {
      Axis leader = classes.getLeaderValue(Axis{0, number, dim});
      if (wrong.count(leader))
        continue;
      auto [place, isNew] = places.try_emplace(leader, found.size());
      if (isNew)
        found.emplace_back();
      found[place->second].push_back({unsigned(argument), dim});
    }
  return found;
}

std::vector<llvm::SmallVector<ArgumentDim>>
mirage::verify::findDimsOfAnySize(const TensorProgram &spec,
                                  const TensorProgram &candidate) {
  return SizeAnalysis(spec, candidate).run();
}
