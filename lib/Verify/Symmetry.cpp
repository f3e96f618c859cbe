//===- Symmetry.cpp - Which outputs stand for all -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Symmetry.h"

#include "llvm/ADT/STLExtras.h"

#include <map>
#include <set>
#include <tuple>

using namespace mirage::verify;
using mirage::mugraph::TileIndex;

namespace {

/// Positions that are permuted together.
struct Class {
  unsigned parent;
  int64_t extent;
  bool rigid = false;
  std::set<int64_t> tiles; ///< Extents of tiles, below the whole extent.
};

/// A dim of a value: a whole class, or the positions in its tiles.
struct Axis {
  unsigned number = 0;
  int64_t tile = 0; ///< 0: the whole class.
};

/// An index over tiles acts on the digit of weight `weight` of a class.
struct Digit {
  unsigned number;
  int64_t weight;
};

class Symmetry {
public:
  Symmetry(const TensorProgram &spec, const TensorProgram &candidate)
      : programs{&spec, &candidate} {}

  /// Follows all dims.
  void analyze();
  /// Positions of dim `dim` of a result, one in each orbit; empty: too many.
  std::vector<int64_t> positions(unsigned result, unsigned dim, size_t limit);
  /// The class of a dim of a result.
  unsigned classOf(unsigned result, unsigned dim) {
    return find(resultAxis(0, result, dim).number);
  }

private:
  using Axes = llvm::SmallVector<Axis, 4>;

  Axis makeClass(int64_t extent, bool rigid = false);
  unsigned find(unsigned number);
  void freeze(Axis axis) { classes[find(axis.number)].rigid = true; }
  void unify(Axis a, Axis b);

  void followProgram(unsigned program);
  Axes followPieces(unsigned program, const ProgramValue &value);
  void followOperand(const Piece &piece, const OperandAccess &access,
                     const ProgramValue &operand, const Axes &axes,
                     llvm::MutableArrayRef<std::optional<Axis>> iteration);
  Axes followTile(unsigned program, const ProgramValue &value);
  Axes followAssemble(unsigned program, const ProgramValue &value);
  void cutClass(unsigned program, int graph, const DimCut &cut, Axis axis);
  void settle();
  void settleClass(Class &entry);

  Axis resultAxis(unsigned program, unsigned result, unsigned dim) {
    return axes[program][programs[program]->results[result]][dim];
  }

  std::array<const TensorProgram *, 2> programs;
  std::vector<Class> classes;
  std::array<std::vector<Axes>, 2> axes;
  /// (program, graph, grid or loop, number) and the digits that it acts on.
  std::map<std::tuple<unsigned, int, bool, unsigned>, std::vector<Digit>>
      digits;
};

} // namespace

Axis Symmetry::makeClass(int64_t extent, bool rigid) {
  unsigned number = classes.size();
  classes.push_back({number, extent, rigid, {}});
  return {number, 0};
}

unsigned Symmetry::find(unsigned number) {
  while (classes[number].parent != number)
    number = classes[number].parent = classes[classes[number].parent].parent;
  return number;
}

/// Both axes are read through one iteration dim.
void Symmetry::unify(Axis a, Axis b) {
  unsigned i = find(a.number), j = find(b.number);
  if (i == j && a.tile == b.tile)
    return;
  bool mergeable = i != j && a.tile == 0 && b.tile == 0 &&
                   classes[i].extent == classes[j].extent;
  if (!mergeable) {
    freeze(a);
    freeze(b);
    return;
  }
  classes[j].parent = i;
  classes[i].rigid |= classes[j].rigid;
  classes[i].tiles.insert(classes[j].tiles.begin(), classes[j].tiles.end());
}

//===----------------------------------------------------------------------===//
// Following the dims
//===----------------------------------------------------------------------===//

void Symmetry::followOperand(
    const Piece &piece, const OperandAccess &access,
    const ProgramValue &operand, const Axes &axes,
    llvm::MutableArrayRef<std::optional<Axis>> iteration) {
  if (!access.used)
    return;
  for (auto [dim, expr] : llvm::enumerate(access.map.getResults())) {
    if (operand.shape[dim] == 1)
      continue;
    auto position = llvm::dyn_cast<mlir::AffineDimExpr>(expr);
    bool whole =
        position && piece.extents[position.getPosition()] == operand.shape[dim];
    if (!whole) {
      freeze(axes[dim]);
      expr.walk([&](mlir::AffineExpr part) {
        if (auto used = llvm::dyn_cast<mlir::AffineDimExpr>(part)) {
          std::optional<Axis> &axis = iteration[used.getPosition()];
          if (!axis)
            axis = makeClass(piece.extents[used.getPosition()]);
          freeze(*axis);
        }
      });
      continue;
    }
    std::optional<Axis> &axis = iteration[position.getPosition()];
    if (!axis)
      axis = axes[dim];
    else
      unify(*axis, axes[dim]);
  }
}

Symmetry::Axes Symmetry::followPieces(unsigned program,
                                      const ProgramValue &value) {
  Axes result;
  for (const Piece &piece : value.pieces) {
    llvm::SmallVector<std::optional<Axis>> iteration(piece.extents.size());
    for (const OperandAccess &access : piece.operands)
      followOperand(piece, access, programs[program]->values[access.value],
                    axes[program][access.value], iteration);
    for (size_t dim = 0; dim < value.shape.size(); ++dim) {
      int from = piece.resultDims[dim];
      Axis axis = from >= 0 && iteration[from] ? *iteration[from]
                                               : makeClass(value.shape[dim]);
      bool whole = value.shape[dim] == 1 ||
                   (from >= 0 && piece.extents[from] == value.shape[dim]);
      if (!whole) {
        freeze(axis);
        axis = makeClass(value.shape[dim], /*rigid=*/true);
      }
      if (result.size() <= dim)
        result.push_back(axis);
      else
        unify(result[dim], axis);
    }
  }
  return result;
}

/// A class is cut into tiles, and the indices of `cut` number them.
void Symmetry::cutClass(unsigned program, int graph, const DimCut &cut,
                        Axis axis) {
  if (cut.shift != 0)
    freeze(axis);
  classes[find(axis.number)].tiles.insert(cut.tile);
  int64_t weight = cut.tile;
  for (TileIndex index : llvm::reverse(cut.indices)) {
    digits[{program, graph, index.isGrid(), index.number}].push_back(
        {axis.number, weight});
    weight *= programs[program]->graphs[graph].extent(index);
    if (weight < classes[find(axis.number)].extent)
      classes[find(axis.number)].tiles.insert(weight);
  }
}

Symmetry::Axes Symmetry::followTile(unsigned program,
                                    const ProgramValue &value) {
  Axes result;
  for (auto [dim, cut] : llvm::enumerate(value.cut)) {
    Axis axis = axes[program][value.source][dim];
    if (cut.indices.empty() && cut.shift == 0) {
      result.push_back(axis);
      continue;
    }
    cutClass(program, value.graph, cut, axis);
    result.push_back({axis.number, cut.tile});
  }
  return result;
}

Symmetry::Axes Symmetry::followAssemble(unsigned program,
                                        const ProgramValue &value) {
  int graph = programs[program]->values[value.source].graph;
  Axes result;
  for (auto [dim, cut] : llvm::enumerate(value.cut)) {
    Axis tile = axes[program][value.source][dim];
    bool isTileOfWhole = tile.tile == cut.tile && cut.shift == 0 &&
                         classes[find(tile.number)].extent == value.shape[dim];
    if (cut.indices.empty() && cut.shift == 0 && tile.tile == 0) {
      result.push_back(tile);
    } else if (isTileOfWhole) {
      cutClass(program, graph, cut, {tile.number, 0});
      result.push_back({tile.number, 0});
    } else if (cut.tile == 1 && cut.shift == 0) {
      // Tiles of one element: only the index counts.
      Axis axis = makeClass(value.shape[dim]);
      cutClass(program, graph, cut, axis);
      result.push_back(axis);
    } else {
      freeze(tile);
      Axis axis = makeClass(value.shape[dim], /*rigid=*/true);
      cutClass(program, graph, cut, axis);
      result.push_back(axis);
    }
  }
  return result;
}

void Symmetry::followProgram(unsigned program) {
  for (const ProgramValue &value : programs[program]->values) {
    Axes result;
    switch (value.kind) {
    case ProgramValue::Kind::Argument:
      // The candidate's arguments are those of the specification.
      if (program == 1) {
        result = axes[0][programs[0]->arguments[value.argument]];
        break;
      }
      for (int64_t extent : value.shape)
        result.push_back(makeClass(extent));
      break;
    case ProgramValue::Kind::Tile:
      result = followTile(program, value);
      break;
    case ProgramValue::Kind::Accumulate:
      result = axes[program][value.source];
      break;
    case ProgramValue::Kind::Pieces:
      result = followPieces(program, value);
      break;
    case ProgramValue::Kind::Assemble:
      result = followAssemble(program, value);
      break;
    }
    axes[program].push_back(std::move(result));
  }
}

//===----------------------------------------------------------------------===//
// Orbits
//===----------------------------------------------------------------------===//

/// Tile extents must form a chain that divides the extent; one of them may be
/// clipped instead.
void Symmetry::settleClass(Class &entry) {
  int64_t previous = 1;
  bool clipped = false, chain = true;
  for (int64_t tile : entry.tiles) {
    if (tile >= entry.extent)
      continue;
    chain &= tile % previous == 0;
    clipped |= entry.extent % tile != 0;
    previous = tile;
  }
  if (!chain || (clipped && entry.tiles.size() > 1))
    entry.rigid = true;
}

void Symmetry::settle() {
  for (Class &entry : classes)
    settleClass(entry);
  // Freezing a class may leave an index with a digit of a rigid class; then the
  // index must stay, and with it all that it cuts.
  for (bool changed = true; changed;) {
    changed = false;
    for (auto &entry : digits) {
      llvm::ArrayRef<Digit> list = entry.second;
      bool same = llvm::all_of(list, [&](const Digit &digit) {
        return find(digit.number) == find(list.front().number) &&
               digit.weight == list.front().weight &&
               !classes[find(digit.number)].rigid;
      });
      if (same)
        continue;
      for (const Digit &digit : list) {
        bool &rigid = classes[find(digit.number)].rigid;
        changed |= !rigid;
        rigid = true;
      }
    }
  }
}

void Symmetry::analyze() {
  followProgram(0);
  followProgram(1);
  const TensorProgram &spec = *programs[0];
  for (unsigned result = 0; result < spec.results.size(); ++result)
    for (unsigned dim = 0; dim < spec.values[spec.results[result]].shape.size();
         ++dim) {
      Axis a = resultAxis(0, result, dim), b = resultAxis(1, result, dim);
      if (spec.values[spec.results[result]].shape[dim] > 1)
        unify(a, b);
    }
  settle();
}

std::vector<int64_t> Symmetry::positions(unsigned result, unsigned dim,
                                         size_t limit) {
  const Class &entry = classes[classOf(result, dim)];
  std::vector<int64_t> list = {0};
  if (entry.rigid) {
    if (entry.extent > static_cast<int64_t>(limit))
      return {};
    for (int64_t i = 1; i < entry.extent; ++i)
      list.push_back(i);
    return list;
  }
  for (int64_t tile : entry.tiles)
    if (tile < entry.extent && entry.extent % tile != 0) {
      int64_t rest = entry.extent % tile;
      list.push_back(rest);
      list.push_back(entry.extent - 1);
    }
  return list;
}

std::optional<std::vector<Sample>> mirage::verify::orbitRepresentatives(
    const TensorProgram &spec, const TensorProgram &candidate, unsigned limit) {
  Symmetry symmetry(spec, candidate);
  symmetry.analyze();
  std::vector<Sample> samples;
  for (unsigned result = 0; result < spec.results.size(); ++result) {
    llvm::ArrayRef<int64_t> shape = spec.values[spec.results[result]].shape;
    std::vector<Sample> partial = {{result, {}, /*isEssential=*/true}};
    std::set<unsigned> seen;
    for (unsigned dim = 0; dim < shape.size(); ++dim) {
      if (shape[dim] > 1 && !seen.insert(symmetry.classOf(result, dim)).second)
        return std::nullopt;
      std::vector<int64_t> positions =
          shape[dim] == 1 ? std::vector<int64_t>{0}
                          : symmetry.positions(result, dim, limit);
      std::vector<Sample> extended;
      for (const Sample &sample : partial)
        for (int64_t position : positions) {
          extended.push_back(sample);
          extended.back().index.push_back(position);
        }
      partial = std::move(extended);
      if (partial.empty() || samples.size() + partial.size() > limit)
        return std::nullopt;
    }
    samples.insert(samples.end(), partial.begin(), partial.end());
  }
  return samples;
}
