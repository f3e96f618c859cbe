//===- TensorProgram.h - A function as a graph of values --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the evaluation needs to know of a function, read from its ops once: a
// list of values, each either an input of the function, a tile of a tensor, the
// result of a loop nest (the *pieces* of `MeaningOpInterface`), an accumulator
// over a loop, or a tensor put together from the tiles of a block graph.
//
//   IR                            values
//   function argument             Argument
//   op with a meaning             Pieces
//   composite op                  decomposed first, in a copy of the function
//   block argument                Tile of the operand
//   accumulate K %v over l        Accumulate
//   accumulate_softmax            Pieces and Accumulate (ReadSoftmax.cpp)
//   result of a block graph       Assemble of the yielded tile
//   thread graph                  its ops, as if they stood outside
//
// Casts are left out, as element types are none of the verification's business,
// and abs and max that change nothing, because their operand is a square or the
// like.
//
// A value of a block graph is a family of tiles, one for each block and, if the
// value depends on a loop, for each iteration of it.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_TENSORPROGRAM_H
#define MIRAGE_VERIFY_TENSORPROGRAM_H

#include "mirage/Dialect/MuGraph/IR/Meaning.h"
#include "mirage/Dialect/MuGraph/IR/TileIndex.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace mirage::verify {

/// How a piece reads one operand: element number `base + sum strides * i` of
/// its iteration, or through `map` where the index is not linear (a reshape).
struct OperandAccess {
  unsigned value = 0;
  bool used = false;
  bool linear = true;
  /// Of a linear access: for each dim of the operand the iteration dim that
  /// runs over it (-1: none) and the offset.
  llvm::SmallVector<std::pair<int, int64_t>, 4> indices;
  int64_t base = 0;
  llvm::SmallVector<int64_t, 4> strides;
  mlir::AffineMap map;
};

/// One loop nest of a meaning, ready to run.
struct Piece {
  llvm::SmallVector<int64_t, 4> extents;
  llvm::SmallVector<unsigned, 2> reducedDims;
  mugraph::Reduction reduction = mugraph::Reduction::None;
  mugraph::ScalarExpr body = mugraph::ScalarExpr::operand(0);
  llvm::SmallVector<OperandAccess, 2> operands;
  /// Result index `d` is iteration dim `resultDims[d]` (or 0 for -1) plus
  /// `resultOffsets[d]`.
  llvm::SmallVector<int, 4> resultDims;
  llvm::SmallVector<int64_t, 4> resultOffsets;
};

/// How one dim is cut: offset = nest of `indices` times `tile` plus `shift`.
struct DimCut {
  llvm::SmallVector<mugraph::TileIndex, 2> indices;
  int64_t tile = 1;
  int64_t shift = 0;
};

struct ProgramValue {
  enum class Kind { Argument, Tile, Pieces, Accumulate, Assemble };
  Kind kind = Kind::Argument;
  llvm::SmallVector<int64_t, 4> shape;
  llvm::SmallVector<int64_t, 4> strides; ///< row-major, in elements.
  int64_t size = 1;
  int graph = -1;        ///< The block graph it belongs to; -1 at kernel level.
  int loop = -1;         ///< The loop that it depends on, or none.
  unsigned gridMask = 0; ///< Bit i: it depends on grid dim i.
  unsigned depth = 0;    ///< Longest chain of values below it.

  unsigned argument = 0;            ///< Argument: its number.
  unsigned source = 0;              ///< Tile, Accumulate, Assemble.
  llvm::SmallVector<DimCut, 4> cut; ///< Tile, Assemble.
  mugraph::Reduction reduction = mugraph::Reduction::Sum; ///< Accumulate.
  int64_t iterations = 1; ///< Accumulate: extent of the loop.
  llvm::SmallVector<Piece, 1> pieces;
  bool isReshape = false; ///< Pieces: the same elements in row-major order.
};

/// A thread block, and the iteration of a loop that it is in.
struct BlockPlace {
  std::array<int64_t, 3> block = {0, 0, 0};
  int64_t iteration = 0;

  int64_t &operator[](mugraph::TileIndex index) {
    return index.isGrid() ? block[index.number] : iteration;
  }
  int64_t operator[](mugraph::TileIndex index) const {
    return index.isGrid() ? block[index.number] : iteration;
  }
};

struct BlockGraph {
  std::array<int64_t, 3> grid = {1, 1, 1};
  llvm::SmallVector<int64_t, 2> loops;

  int64_t extent(mugraph::TileIndex index) const {
    return index.isGrid() ? grid[index.number] : loops[index.number];
  }
  /// Where the tile of a dim begins.
  int64_t tileOffset(const DimCut &cut, const BlockPlace &place) const;
  /// Whose tile has the element at `index`, which becomes the position in the
  /// tile; none if no tile has it. Indices that cut nothing are 0.
  std::optional<BlockPlace>
  findTile(llvm::ArrayRef<DimCut> cuts,
           llvm::MutableArrayRef<int64_t> index) const;
};

/// Who writes an element of an assembled tensor, and from where in its tile.
struct WriterOfElement {
  BlockPlace place;
  int64_t element = 0;
};

struct TensorProgram {
  std::vector<ProgramValue> values; ///< Operands come before users.
  std::vector<BlockGraph> graphs;
  llvm::SmallVector<unsigned> arguments;
  llvm::SmallVector<unsigned> results;

  /// Reads `function`; on failure `reason` says what stands in the way.
  static mlir::FailureOr<TensorProgram> read(mlir::func::FuncOp function,
                                             std::string &reason);

  /// The part of the program that computes `results` from its arguments and
  /// from the values `inputs` at kernel level, which become further arguments.
  TensorProgram part(llvm::ArrayRef<unsigned> inputs,
                     llvm::ArrayRef<unsigned> results) const;

  /// The block and iteration that write an element of an Assemble value, none
  /// if nobody does.
  std::optional<WriterOfElement> findWriter(const ProgramValue &value,
                                            int64_t element) const;
  /// What is wrong with the way block graphs put their results together:
  /// elements that nobody writes, or that several blocks write; empty if
  /// nothing is.
  std::string findWriteMistake() const;
};

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_TENSORPROGRAM_H
