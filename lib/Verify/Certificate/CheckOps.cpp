//===- CheckOps.cpp - What ops compute -----------------------------------===//
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
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

//===----------------------------------------------------------------------===//
// Iteration dims
//===----------------------------------------------------------------------===//

/// Sizes of the coarsest digits that both lists can be written in; none if
/// there are no such.
static std::optional<std::vector<int64_t>> refine(std::vector<int64_t> a,
                                                  std::vector<int64_t> b) {
  std::vector<int64_t> result;
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    int64_t size = std::min(a[i], b[j]);
    if (size == 1 || a[i] % size != 0 || b[j] % size != 0)
      return std::nullopt;
    result.push_back(size);
    i += (a[i] /= size) == 1;
    j += (b[j] /= size) == 1;
  }
  if (i != a.size() || j != b.size())
    return std::nullopt;
  return result;
}

/// Sizes of digits that write the part [offset, offset + count) of a dim; none
/// if they would not line up with the dim's.
static std::optional<std::vector<int64_t>>
sizesOfPart(std::vector<int64_t> dim, int64_t offset, int64_t count) {
  int64_t unit = 1;
  for (int64_t size : dim)
    unit *= size;
  for (size_t i = 0; i < dim.size() && unit != count; ++i) {
    unit /= dim[i];
    bool isConstant = offset / unit == (offset + count - 1) / unit;
    if (!isConstant && (offset % unit != 0 || count % unit != 0))
      return std::nullopt;
    dim[i] = isConstant ? 1 : count / unit;
    offset = isConstant ? offset % unit : 0;
    if (!isConstant)
      break;
  }
  llvm::erase(dim, 1);
  return dim;
}

/// Fresh labels for an iteration dim in which digits of `sizes` can be written,
/// and what was chosen for earlier operands.
ProgramChecker::Mistake
ProgramChecker::joinDigits(std::vector<int64_t> sizes, const HangingTile *tile,
                           std::optional<Digits> &iteration) {
  if (iteration) {
    const HangingTile *other =
        iteration->empty() ? nullptr : hanging(iteration->back());
    if (!tile != !other || (tile && !(*tile == *other)))
      return "its operands hang over differently";
    std::vector<int64_t> chosen;
    for (Label label : *iteration)
      chosen.push_back(algebra.size(label));
    std::optional<std::vector<int64_t>> both = refine(sizes, chosen);
    if (!both)
      return "its operands are cut differently";
    sizes = std::move(*both);
  }
  if (tile && sizes.size() != 1)
    return "its operands are cut differently";
  std::optional<HangingTile> kept;
  if (tile)
    kept = *tile;
  iteration.emplace();
  for (int64_t size : sizes)
    iteration->push_back(algebra.addLabel(size));
  if (kept)
    setHanging(iteration->front(), kept);
  return nullptr;
}

ProgramChecker::Mistake
ProgramChecker::chooseDigits(const Piece &piece,
                             std::vector<Digits> &iteration) {
  std::vector<std::optional<Digits>> chosen(piece.extents.size());
  for (const OperandAccess &access : piece.operands) {
    if (!access.used)
      continue;
    if (!access.linear)
      return "an op that is not a permutation of dims";
    std::set<int> seen;
    for (auto [i, index] : llvm::enumerate(access.indices)) {
      auto [dim, offset] = index;
      int64_t extent = program.values[access.value].shape[i];
      int64_t count = dim < 0 ? 1 : piece.extents[dim];
      const Digits &digits = claims.values[access.value].dims[i];
      std::optional<std::vector<int64_t>> sizes(std::in_place);
      for (Label label : digits)
        sizes->push_back(algebra.size(label));
      if (offset != 0 || count != extent) {
        if (!isFull(digits, extent) || offset < 0 || offset + count > extent)
          return "an op on a part of a tile that hangs over";
        sizes = sizesOfPart(std::move(*sizes), offset, count);
      }
      if (!sizes)
        return "a part that does not line up with its operand";
      if (dim < 0)
        continue;
      if (!seen.insert(dim).second)
        return "an op on a diagonal";
      if (Mistake mistake = joinDigits(
              std::move(*sizes),
              digits.empty() ? nullptr : hanging(digits.back()), chosen[dim]))
        return mistake;
    }
  }
  for (auto [extent, digits] : llvm::zip_equal(piece.extents, chosen)) {
    Digits &list = iteration.emplace_back();
    if (digits)
      list = *digits;
    else if (extent > 1)
      list.push_back(algebra.addLabel(extent));
  }
  return nullptr;
}

std::vector<Case>
ProgramChecker::readOperand(const OperandAccess &access,
                            const std::vector<Digits> &iteration) {
  const Claim &claim = claims.values[access.value];
  Substitution by;
  for (auto [dim, index] : llvm::zip_equal(claim.dims, access.indices))
    if (!align(dim, index.second,
               index.first < 0 ? Digits() : iteration[index.first], by))
      algebra.setProblem("its operands are cut differently");
  return algebra.substitute(claim.cases, by);
}

//===----------------------------------------------------------------------===//
// Scalar expressions
//===----------------------------------------------------------------------===//

Formula ProgramChecker::applyFunction(ScalarFunction function,
                                      llvm::ArrayRef<Formula> operands) {
  const Formula &a = operands.front(), &b = operands.back();
  switch (function) {
  case ScalarFunction::Add:
    return Algebra::add(a, b);
  case ScalarFunction::Sub:
    return Algebra::add(a, Algebra::scale(b, -1));
  case ScalarFunction::Neg:
    return Algebra::scale(a, -1);
  case ScalarFunction::Mul:
    return algebra.multiply(a, b);
  case ScalarFunction::Div:
    return algebra.multiply(a, algebra.power(b, -1));
  case ScalarFunction::Exp:
    return Algebra::exp(a);
  case ScalarFunction::Sqrt:
    return algebra.power(a, Fraction(1, 2));
  case ScalarFunction::Rsqrt:
    return algebra.power(a, Fraction(-1, 2));
  case ScalarFunction::Max:
    return algebra.maximumOf(operands);
  case ScalarFunction::Min:
    return Algebra::scale(
        algebra.maximumOf({Algebra::scale(a, -1), Algebra::scale(b, -1)}), -1);
  default:
    break;
  }
  Factor factor;
  factor.kind = Factor::Kind::Apply;
  factor.symbol = unsigned(function);
  for (const Formula &operand : operands)
    factor.operands.push_back(share(operand));
  return Algebra::ofFactor(std::move(factor));
}

static Scalar exactly(const mugraph::Rational &value) {
  Fraction result(value.numerator, value.denominator);
  for (int i = 0; i < std::abs(value.exponent2); ++i)
    result *= value.exponent2 < 0 ? Fraction(1, 2) : Fraction(2);
  return result;
}

Formula ProgramChecker::applyBody(const Piece &piece,
                                  llvm::ArrayRef<Formula> operands) {
  std::vector<Formula> nodes;
  for (const ScalarExpr::Node &node : piece.body.nodes()) {
    std::vector<Formula> arguments;
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      nodes.push_back(operands[node.operand]);
      break;
    case ScalarExpr::Kind::Constant:
      nodes.push_back(Algebra::constant(exactly(node.constant)));
      break;
    case ScalarExpr::Kind::Apply:
      for (unsigned argument : node.arguments)
        arguments.push_back(nodes[argument]);
      nodes.push_back(applyFunction(node.function, arguments));
      break;
    }
  }
  return nodes.back();
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// Combinations of cases of the operands, at most.
static constexpr size_t maxCases = 256;

/// The body on each combination of cases of the operands.
ProgramChecker::Mistake
ProgramChecker::applyToCases(const Piece &piece,
                             const std::vector<Digits> &iteration,
                             std::vector<Case> &result) {
  using Operands = std::vector<Formula>;
  std::vector<std::pair<Conditions, Operands>> all(1);
  for (const OperandAccess &access : piece.operands) {
    std::vector<Case> cases(1);
    if (access.used)
      cases = readOperand(access, iteration);
    std::vector<std::pair<Conditions, Operands>> finer;
    for (const auto &[where, operands] : all)
      for (const Case &entry : cases) {
        Conditions both = where;
        if (!algebra.conjoin(both, entry.where))
          continue;
        finer.emplace_back(std::move(both), operands);
        finer.back().second.push_back(entry.element);
      }
    if (finer.size() > maxCases)
      return "its operands have too many cases";
    all = std::move(finer);
  }
  for (auto &[where, operands] : all)
    result.push_back({std::move(where), applyBody(piece, operands)});
  return nullptr;
}

/// The index of a part in the result: the claim's own digits, from an offset
/// on.
ProgramChecker::Mistake
ProgramChecker::placePart(const ProgramValue &value, const Piece &piece,
                          size_t dim, const Claim &claim, const Digits &digits,
                          Substitution &toResult, Conditions &part) {
  int from = piece.resultDims[dim];
  int64_t count = from < 0 ? 1 : piece.extents[from];
  int64_t offset = piece.resultOffsets[dim];
  const Digits &whole = claim.dims[dim];
  if (!isFull(digits, count) || algebra.count(whole) != value.shape[dim] ||
      (!digits.empty() && !align(digits, -offset, whole, toResult)))
    return "its parts do not line up";
  Below inside{count, algebra.number(whole)};
  inside.at.offset -= offset;
  return algebra.conjoin(part, inside) ? nullptr : "a part of nothing";
}

ProgramChecker::Mistake ProgramChecker::checkPiece(const ProgramValue &value,
                                                   const Piece &piece,
                                                   const Claim &claim,
                                                   Conditions &part) {
  std::vector<Digits> iteration, dims;
  std::vector<Case> cases;
  if (Mistake mistake = chooseDigits(piece, iteration))
    return mistake;
  if (Mistake mistake = applyToCases(piece, iteration, cases))
    return mistake;
  Substitution toResult;
  for (auto [dim, from] : llvm::enumerate(piece.resultDims)) {
    Digits digits = from < 0 ? Digits() : iteration[from];
    bool isWhole = piece.resultOffsets[dim] == 0 &&
                   (from < 0 ? 1 : piece.extents[from]) == value.shape[dim];
    dims.push_back(isWhole ? digits : claim.dims[dim]);
    if (isWhole)
      continue;
    if (Mistake mistake =
            placePart(value, piece, dim, claim, digits, toResult, part))
      return mistake;
  }
  std::vector<Case> placed;
  for (Case &entry : algebra.substitute(cases, toResult))
    if (algebra.conjoin(entry.where, part))
      placed.push_back(std::move(entry));
  Combination combination;
  combination.kind = piece.reduction;
  for (unsigned dim : piece.reducedDims)
    for (Label label : iteration[dim]) {
      combination.over.push_back(label);
      const HangingTile *tile = hanging(label);
      if (tile &&
          !algebra.conjoin(combination.where, conditionOf(*tile, label)))
        return "a reduction of nothing";
    }
  return compare(claim, dims, placed, combination);
}

ProgramChecker::Mistake ProgramChecker::checkPieces(const ProgramValue &value,
                                                    const Claim &claim) {
  if (value.isReshape && !value.pieces.front().operands.front().linear)
    return checkReshape(value, claim);
  std::vector<Conditions> parts;
  for (const Piece &piece : value.pieces)
    if (Mistake mistake = checkPiece(value, piece, claim, parts.emplace_back()))
      return mistake;
  return algebra.isPartition(parts, Conditions())
             ? nullptr
             : "an op that does not write each element once";
}

/// The same elements in row-major order: the digits of all dims, in a row, are
/// the same. A dim with positions that do not exist stays a dim.
ProgramChecker::Mistake ProgramChecker::checkReshape(const ProgramValue &value,
                                                     const Claim &claim) {
  unsigned number = value.pieces.front().operands.front().value;
  const Claim &operand = claims.values[number];
  Digits before, after;
  for (auto [dim, extent] :
       llvm::zip_equal(operand.dims, program.values[number].shape)) {
    if (!isFull(dim, extent))
      return "a reshape of tiles that hang over";
    before.append(dim);
  }
  for (auto [dim, extent] : llvm::zip_equal(claim.dims, value.shape)) {
    if (!isFull(dim, extent))
      return "a reshape of tiles that hang over";
    after.append(dim);
  }
  Substitution by;
  if (!alignWhole(before, after, by))
    return "a reshape that does not line up";
  return compare(claim, claim.dims, algebra.substitute(operand.cases, by));
}
