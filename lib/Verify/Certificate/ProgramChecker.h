//===- ProgramChecker.h - Does each claim on a program follow? --*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A claim is true if each of its cases is: for all labels of its dims and of
// the indices of block graphs that meet the conditions, and for which the
// position exists, the element is the formula. It is usable if moreover exactly
// one case holds for each position. What an op computes is found from the cases
// of its operands, one combination at a time, and each combination that is
// compatible with a claimed case must be what is claimed.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_CERTIFICATE_PROGRAMCHECKER_H
#define MIRAGE_LIB_VERIFY_CERTIFICATE_PROGRAMCHECKER_H

#include "Claims.h"

#include "mirage/Verify/TensorProgram.h"

namespace mirage::certificate {

using verify::DimCut;
using verify::OperandAccess;
using verify::Piece;
using verify::ProgramValue;
using verify::TensorProgram;

/// A position in a tile that exists only where the number written by `before`
/// and the position is below `extent`.
struct HangingTile {
  Digits before;
  int64_t extent = 0;
  bool operator==(const HangingTile &other) const {
    return before == other.before && extent == other.extent;
  }
};

/// What becomes of the cases of an operand.
struct Combination {
  mugraph::Reduction kind = mugraph::Reduction::None;
  Digits over;
  Conditions where; ///< Of the positions that are combined.
};

/// Checks the claims on the values of one program, each from those on its
/// operands. The methods return what is wrong, or nothing.
class ProgramChecker {
public:
  using Mistake = const char *;

  ProgramChecker(Algebra &algebra, const TensorProgram &program,
                 const ProgramClaims &claims)
      : algebra(algebra), program(program), claims(claims) {}

  llvm::Error check(llvm::StringRef name);
  /// Does `claim` say the same as the claim on value `number`?
  bool isSameClaim(const Claim &claim, unsigned number);

private:
  Mistake checkClaim(const ProgramValue &value, const Claim &claim);
  Mistake checkValue(const ProgramValue &value, const Claim &claim);
  Mistake checkArgument(const ProgramValue &value, const Claim &claim);

  // Ops: CheckOps.cpp.
  Mistake checkPieces(const ProgramValue &value, const Claim &claim);
  Mistake checkPiece(const ProgramValue &value, const Piece &piece,
                     const Claim &claim, Conditions &part);
  Mistake placePart(const ProgramValue &value, const Piece &piece, size_t dim,
                    const Claim &claim, const Digits &digits,
                    Substitution &toResult, Conditions &part);
  Mistake checkReshape(const ProgramValue &value, const Claim &claim);
  Mistake chooseDigits(const Piece &piece, std::vector<Digits> &iteration);
  Mistake joinDigits(std::vector<int64_t> sizes, const HangingTile *tile,
                     std::optional<Digits> &iteration);
  std::vector<Case> readOperand(const OperandAccess &access,
                                const std::vector<Digits> &iteration);
  Mistake applyToCases(const Piece &piece, const std::vector<Digits> &iteration,
                       std::vector<Case> &result);
  Formula applyBody(const Piece &piece, llvm::ArrayRef<Formula> operands);
  Formula applyFunction(mugraph::ScalarFunction function,
                        llvm::ArrayRef<Formula> operands);

  // Block graphs: CheckBlocks.cpp.
  Mistake checkTile(const ProgramValue &value, const Claim &claim);
  Mistake cutDim(const ProgramValue &value, size_t dim, const Digits &position,
                 Substitution &by);
  Mistake checkAccumulate(const ProgramValue &value, const Claim &claim);
  Mistake checkAssemble(const ProgramValue &value, const Claim &claim);
  Mistake checkWriters(const ProgramValue &value) const;

  // Indices and claims: CheckClaims.cpp.
  Mistake checkIndices();
  Mistake checkLabels(const ProgramValue &value, const Claim &claim) const;
  Mistake checkCases(const Claim &claim);
  /// Is the claim what `computed` says at `dims`? A dim of extent n may be
  /// written by digits that hang over where `extents` says so.
  Mistake compare(const Claim &claim, const std::vector<Digits> &dims,
                  const std::vector<Case> &computed,
                  const Combination &combination = Combination(),
                  llvm::ArrayRef<int64_t> extents = {});
  Mistake compareCase(const Case &claimed, const Conditions &given,
                      const std::vector<Case> &computed,
                      const Binding &binding);
  bool isSameAt(const Formula &claimed, const Formula &computed,
                const Substitution &numbers, Binding binding);
  Mistake combine(const Combination &combination, const Conditions &given,
                  std::vector<Case> &cases);
  static std::set<Label> freeLabels(const Case &entry);
  bool bindDim(const Digits &claimed, llvm::ArrayRef<Label> computed,
               std::optional<int64_t> extent, Binding &binding);
  /// `coarse` as `offset` plus the number that `fine` writes, which must line
  /// up.
  bool align(llvm::ArrayRef<Label> coarse, int64_t offset,
             llvm::ArrayRef<Label> fine, Substitution &by);
  bool alignWhole(llvm::ArrayRef<Label> coarse, llvm::ArrayRef<Label> fine,
                  Substitution &by) {
    return algebra.count(coarse) == algebra.count(fine) &&
           align(coarse, 0, fine, by);
  }
  /// Do the digits write all positions of the extent, each of which exists?
  bool isFull(const Digits &dim, int64_t extent) const;
  bool setHanging(Label label, const std::optional<HangingTile> &tile) {
    return tiles.try_emplace(label, tile).first->second == tile;
  }
  const HangingTile *hanging(Label label) const {
    auto it = tiles.find(label);
    return it == tiles.end() || !it->second ? nullptr : &*it->second;
  }
  /// The condition under which a position exists.
  Below conditionOf(const HangingTile &tile, Label position);
  Digits digitsOf(int graph, llvm::ArrayRef<mugraph::TileIndex> nest) const;
  const Claim &source(const ProgramValue &value) const {
    return claims.values[value.source];
  }

  Algebra &algebra;
  const TensorProgram &program;
  const ProgramClaims &claims;
  /// Of labels of dims: whether they hang over, for all values alike.
  std::map<Label, std::optional<HangingTile>> tiles;
  std::set<Label> indexLabels;
};

} // namespace mirage::certificate

#endif // MIRAGE_LIB_VERIFY_CERTIFICATE_PROGRAMCHECKER_H
