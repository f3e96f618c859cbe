//===- SymbolicRun.h - A program executed on expressions --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `Proof.h` says what is done here and why it is exact.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_SYMBOLICRUN_H
#define MIRAGE_LIB_VERIFY_SYMBOLICRUN_H

#include "IndexDigits.h"
#include "mirage/Verify/TensorProgram.h"

#include <string>

namespace mirage::verify {

/// A value of a program: its element at an index that is written in `dims`. A
/// dim without digits has one position. One of the cases holds for each index;
/// there are several where something was concatenated.
struct SymbolicTensor {
  Cases cases;
  llvm::SmallVector<LabelList, 4> dims;
};

/// The label of positions of a tile that may hang over its dim: the index in
/// the dim is (before, label), and exists if it is below the extent.
struct RaggedTile {
  LabelList before;
  int64_t extent = 0;
  bool operator==(const RaggedTile &other) const {
    return before == other.before && extent == other.extent;
  }
};

/// Runs one program. Every method that can fail sets `reason`.
class SymbolicRun {
public:
  /// Reads the arguments under the labels that `like` has for them, if given.
  SymbolicRun(DigitContext &digits, const TensorProgram &program,
              const SymbolicRun *like)
      : digits(digits), context(digits.exprs()), program(program), like(like) {}

  bool run();
  const SymbolicTensor &result(unsigned number) const {
    return tensors[program.results[number]];
  }
  std::string reason;

  // What was found, for others to see.
  const TensorProgram &tensorProgram() const { return program; }
  llvm::ArrayRef<SymbolicTensor> allValues() const { return tensors; }
  /// The digits of a nest of indices of a block graph.
  LabelList digitsOf(int graph, llvm::ArrayRef<mugraph::TileIndex> nest);

private:
  bool fail(const char *why) {
    reason = why;
    return false;
  }

  bool runValue(const ProgramValue &value, SymbolicTensor &result);
  bool runArgument(const ProgramValue &value, SymbolicTensor &result);

  // Reading and writing parts: SymbolicParts.cpp.
  /// Takes the part [low, low + count) of a dim.
  bool takePart(SymbolicTensor &tensor, size_t dim, int64_t low, int64_t count);
  bool takeViews(const Piece &piece, std::vector<SymbolicTensor> &views);
  bool joinPieces(const ProgramValue &value,
                  llvm::MutableArrayRef<SymbolicTensor> parts,
                  SymbolicTensor &result);
  bool joinSeam(llvm::ArrayRef<SymbolicTensor> parts, size_t dim,
                const ProgramValue &value, LabelList &result,
                llvm::MutableArrayRef<DigitMap> maps,
                llvm::MutableArrayRef<Guard> guards);
  bool combineCases(mugraph::Reduction kind, llvm::ArrayRef<LabelId> over,
                    llvm::ArrayRef<ExprId> indicators, Cases &cases);

  // Ops: SymbolicOps.cpp.
  bool runPieces(const ProgramValue &value, SymbolicTensor &result);
  bool runPiece(const Piece &piece, const ProgramValue &value,
                SymbolicTensor &result);
  bool runReshape(const ProgramValue &value, SymbolicTensor &result);
  bool chooseDigits(const Piece &piece, llvm::ArrayRef<SymbolicTensor> views,
                    llvm::MutableArrayRef<LabelList> dims,
                    llvm::MutableArrayRef<bool> single);
  bool gatherDigits(const Piece &piece, llvm::ArrayRef<SymbolicTensor> views,
                    llvm::MutableArrayRef<std::vector<LabelList>> candidates,
                    llvm::MutableArrayRef<bool> single);
  bool unify(llvm::ArrayRef<LabelList> candidates, const LabelList &taken,
             LabelList &result);
  /// Writes the digits `coarse` in those of `fine`, into which they split.
  void splitInto(llvm::ArrayRef<LabelId> coarse, llvm::ArrayRef<LabelId> fine,
                 DigitMap &map) const;
  bool readOperand(const OperandAccess &access, const SymbolicTensor &view,
                   llvm::ArrayRef<LabelList> dims, Cases &result);
  bool applyToCases(const Piece &piece, llvm::ArrayRef<SymbolicTensor> views,
                    llvm::ArrayRef<LabelList> dims, Cases &result);
  bool reduce(const Piece &piece, llvm::ArrayRef<LabelList> dims,
              llvm::ArrayRef<bool> single, Cases &cases);
  /// The sum, or the maximum, where all indicators are 1.
  ExprId combine(bool isSum, ExprId e, llvm::ArrayRef<LabelId> over,
                 llvm::ArrayRef<ExprId> indicators);

  // Scalar expressions.
  bool runBody(const Piece &piece, llvm::ArrayRef<ExprId> operands,
               ExprId &result);
  bool apply(mugraph::ScalarFunction function, llvm::ArrayRef<ExprId> arguments,
             ExprId &result);
  bool multiply(ExprId a, ExprId b, ExprId &result);
  bool constant(const mugraph::Rational &value, ExprId &result);

  // Block graphs: SymbolicBlocks.cpp.
  bool runTile(const ProgramValue &value, SymbolicTensor &result);
  bool cutDim(const ProgramValue &value, size_t dim, SymbolicTensor &tile);
  bool alignCut(llvm::ArrayRef<LabelId> whole, llvm::ArrayRef<LabelId> nest,
                LabelList &tile, DigitMap &map);
  bool runAccumulate(const ProgramValue &value, SymbolicTensor &result);
  bool runAssemble(const ProgramValue &value, SymbolicTensor &result);
  bool assembleDim(const ProgramValue &value, size_t dim,
                   SymbolicTensor &result);
  /// Splits the label of an index of a block graph in all values so far.
  void splitIndex(LabelId label, int64_t high);
  const RaggedTile *ragged(LabelId label) const {
    auto it = raggedTiles.find(label);
    return it == raggedTiles.end() ? nullptr : &it->second;
  }
  /// True if the element depends on `label`.
  bool isFree(LabelId label, const SymbolicTensor &tensor) const;

  DigitContext &digits;
  ExprContext &context;
  const TensorProgram &program;
  const SymbolicRun *like;
  std::vector<SymbolicTensor> tensors;
  /// Of each block graph: the digits of its grid and loop indices.
  std::map<std::tuple<int, bool, unsigned>, LabelList> indexDigits;
  std::map<LabelId, RaggedTile> raggedTiles;
};

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_SYMBOLICRUN_H
