//===- SymbolicOps.cpp - Tensor ops on expressions ------------------------===//
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

/// Cases of one value, at most.
static constexpr size_t maxCases = 64;

//===----------------------------------------------------------------------===//
// Iteration dims
//===----------------------------------------------------------------------===//

/// Collects, for each iteration dim, the digits in which operands write it. A
/// dim is `single` if it runs over a padded tile of one element.
bool SymbolicRun::gatherDigits(
    const Piece &piece, llvm::ArrayRef<SymbolicTensor> views,
    llvm::MutableArrayRef<std::vector<LabelList>> candidates,
    llvm::MutableArrayRef<bool> single) {
  for (auto [access, view] : llvm::zip_equal(piece.operands, views))
    for (auto [index, list] : llvm::zip(access.indices, view.dims)) {
      int dim = index.first;
      if (!list.empty())
        candidates[dim].push_back(list);
      else if (dim >= 0 && piece.extents[dim] > 1)
        single[dim] = true;
    }
  for (auto [lists, isSingle] : llvm::zip_equal(candidates, single))
    if (isSingle && !lists.empty())
      return fail("an op on a padded tile of one element and a longer one");
  return true;
}

/// Sizes of digits into which the digits of both lists can be split; none if
/// there are no such.
static llvm::SmallVector<int64_t> refine(llvm::ArrayRef<int64_t> a,
                                         llvm::ArrayRef<int64_t> b) {
  llvm::SmallVector<int64_t> result;
  int64_t leftA = 1, leftB = 1;
  while (true) {
    if (leftA == 1 && !a.empty()) {
      leftA = a.front();
      a = a.drop_front();
    }
    if (leftB == 1 && !b.empty()) {
      leftB = b.front();
      b = b.drop_front();
    }
    if (leftA == 1 && leftB == 1)
      return result;
    int64_t piece = std::min(leftA, leftB);
    if (piece == 1 || leftA % piece != 0 || leftB % piece != 0)
      return {};
    result.push_back(piece);
    leftA /= piece;
    leftB /= piece;
  }
}

/// Digits in which all of `candidates` can be written; those of the first
/// where possible, because normal forms depend on them in the choice of scalar
/// factors.
bool SymbolicRun::unify(llvm::ArrayRef<LabelList> candidates,
                        const LabelList &taken, LabelList &result) {
  auto sizesOf = [&](const LabelList &list) {
    llvm::SmallVector<int64_t> sizes;
    for (LabelId label : list)
      sizes.push_back(context.size(label));
    return sizes;
  };
  const LabelList &first = candidates.front();
  const RaggedTile *firstTile = ragged(first.front());
  llvm::SmallVector<int64_t> sizes = sizesOf(first);
  for (const LabelList &list : candidates.drop_front()) {
    const RaggedTile *tile = ragged(list.front());
    if (!tile != !firstTile || (tile && !(*tile == *firstTile)))
      return fail("an op on dims that are cut differently");
    sizes = refine(sizes, sizesOf(list));
    if (sizes.empty())
      return fail("an op on dims that are cut differently");
  }
  bool isTaken = llvm::any_of(
      first, [&](LabelId label) { return llvm::is_contained(taken, label); });
  if (!isTaken && sizes == sizesOf(first)) {
    result = first;
    return true;
  }
  for (int64_t size : sizes)
    result.push_back(context.addLabel(size));
  if (firstTile)
    raggedTiles[result.front()] = RaggedTile(*firstTile);
  return true;
}

bool SymbolicRun::chooseDigits(const Piece &piece,
                               llvm::ArrayRef<SymbolicTensor> views,
                               llvm::MutableArrayRef<LabelList> dims,
                               llvm::MutableArrayRef<bool> single) {
  std::vector<std::vector<LabelList>> candidates(dims.size());
  if (!gatherDigits(piece, views, candidates, single))
    return false;
  LabelList taken;
  for (auto [lists, result] : llvm::zip_equal(candidates, dims)) {
    if (!lists.empty() && !unify(lists, taken, result))
      return false;
    taken.append(result);
  }
  return true;
}

void SymbolicRun::splitInto(llvm::ArrayRef<LabelId> coarse,
                            llvm::ArrayRef<LabelId> fine, DigitMap &map) const {
  for (LabelId label : coarse) {
    LabelList &pieces = map[label].digits;
    for (int64_t left = context.size(label); left > 1;) {
      pieces.push_back(fine.front());
      left /= context.size(fine.front());
      fine = fine.drop_front();
    }
  }
}

bool SymbolicRun::readOperand(const OperandAccess &access,
                              const SymbolicTensor &view,
                              llvm::ArrayRef<LabelList> dims, Cases &result) {
  DigitMap map;
  llvm::SmallVector<int> used;
  for (auto [index, list] : llvm::zip_equal(access.indices, view.dims)) {
    if (list.empty())
      continue;
    if (llvm::is_contained(used, index.first))
      return fail("an op on a diagonal");
    used.push_back(index.first);
    splitInto(list, dims[index.first], map);
  }
  result = digits.substitute(view.cases, map);
  return true;
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// The body on each combination of cases of the operands.
bool SymbolicRun::applyToCases(const Piece &piece,
                               llvm::ArrayRef<SymbolicTensor> views,
                               llvm::ArrayRef<LabelList> dims, Cases &result) {
  struct Combination {
    Guard where;
    llvm::SmallVector<ExprId> operands;
  };
  std::vector<Combination> all(1);
  for (auto [access, view] : llvm::zip_equal(piece.operands, views)) {
    Cases cases = {GuardedExpr()};
    if (access.used && !readOperand(access, view, dims, cases))
      return false;
    std::vector<Combination> finer;
    for (const Combination &combination : all)
      for (const GuardedExpr &entry : cases) {
        Combination next = combination;
        if (!digits.addConditions(next.where, entry.where))
          continue;
        next.operands.push_back(entry.element);
        finer.push_back(std::move(next));
      }
    all = std::move(finer);
    if (all.size() > maxCases)
      return fail("concatenations of too many parts");
  }
  for (Combination &combination : all) {
    GuardedExpr &entry = result.emplace_back();
    entry.where = std::move(combination.where);
    if (!runBody(piece, combination.operands, entry.element))
      return false;
  }
  return true;
}

bool SymbolicRun::runPiece(const Piece &piece, const ProgramValue &value,
                           SymbolicTensor &result) {
  std::vector<SymbolicTensor> views;
  llvm::SmallVector<LabelList> dims(piece.extents.size());
  llvm::SmallVector<bool> single(dims.size(), false);
  if (!takeViews(piece, views) || !chooseDigits(piece, views, dims, single) ||
      !applyToCases(piece, views, dims, result.cases))
    return false;
  for (auto [from, extent] : llvm::zip_equal(piece.resultDims, value.shape)) {
    LabelList list = from < 0 ? LabelList() : dims[from];
    int64_t size = from < 0 ? extent : piece.extents[from];
    // A new dim along which the value is the same.
    if (list.empty() && size > 1 && !(from >= 0 && single[from]))
      list.push_back(context.addLabel(size));
    result.dims.push_back(std::move(list));
  }
  return reduce(piece, dims, single, result.cases);
}

bool SymbolicRun::runPieces(const ProgramValue &value, SymbolicTensor &result) {
  if (value.isReshape && !value.pieces.front().operands.front().linear)
    return runReshape(value, result);
  std::vector<SymbolicTensor> parts(value.pieces.size());
  for (auto [piece, part] : llvm::zip_equal(value.pieces, parts))
    if (!runPiece(piece, value, part))
      return false;
  if (parts.size() > 1)
    return joinPieces(value, parts, result);
  result = std::move(parts.front());
  return llvm::all_of(value.pieces.front().resultOffsets,
                      [](int64_t offset) { return offset == 0; }) ||
         fail("an op that writes a part of its result");
}

ExprId SymbolicRun::combine(bool isSum, ExprId e, llvm::ArrayRef<LabelId> over,
                            llvm::ArrayRef<ExprId> indicators) {
  for (ExprId indicator : indicators)
    e = isSum ? context.multiply(e, indicator) : digits.mask(indicator, e);
  return isSum ? context.sum(e, over) : digits.maximum(e, over);
}

bool SymbolicRun::reduce(const Piece &piece, llvm::ArrayRef<LabelList> dims,
                         llvm::ArrayRef<bool> single, Cases &cases) {
  if (piece.reduction == Reduction::None)
    return true;
  LabelList over;
  llvm::SmallVector<ExprId> indicators;
  for (unsigned dim : piece.reducedDims) {
    if (dims[dim].empty() && piece.extents[dim] > 1 && !single[dim])
      return fail("a reduction of a dim that no operand has");
    over.append(dims[dim]);
    for (LabelId label : dims[dim])
      if (const RaggedTile *tile = ragged(label)) {
        LabelList index = tile->before;
        index.push_back(label);
        indicators.push_back(digits.indicator(index, 0, tile->extent));
      }
  }
  return combineCases(piece.reduction, over, indicators, cases);
}

/// Regroups the digits of all dims, in row-major order.
bool SymbolicRun::runReshape(const ProgramValue &value,
                             SymbolicTensor &result) {
  unsigned source = value.pieces.front().operands.front().value;
  const SymbolicTensor &tensor = tensors[source];
  /// Digits with their size; one that may not be split is a padded or ragged
  /// dim.
  struct Unit {
    LabelList labels;
    int64_t size;
    bool isSolid;
  };
  std::vector<Unit> units;
  for (auto [list, extent] :
       llvm::zip_equal(tensor.dims, program.values[source].shape)) {
    bool isSolid = digits.product(list) != extent ||
                   llvm::any_of(list, [&](LabelId l) { return ragged(l); });
    if (isSolid)
      units.push_back({list, extent, true});
    else
      for (LabelId label : list)
        units.push_back({{label}, context.size(label), false});
  }
  DigitMap map;
  size_t next = 0;
  for (int64_t extent : value.shape) {
    LabelList &list = result.dims.emplace_back();
    for (int64_t left = extent; left > 1;) {
      Unit &unit = units[next];
      if (left % unit.size == 0 && (!unit.isSolid || unit.size == extent)) {
        list.append(unit.labels);
        left /= unit.size;
        ++next;
        continue;
      }
      if (unit.isSolid || unit.size % left != 0)
        return fail("a reshape that does not line up with how its operand was "
                    "put together");
      LabelId high = context.addLabel(left);
      LabelId low = context.addLabel(unit.size / left);
      DigitMap split;
      split[unit.labels.front()].digits = {high, low};
      for (auto &entry : map)
        entry.second.digits =
            DigitContext::substitute(entry.second.digits, split);
      map.try_emplace(unit.labels.front(), IndexImage{{high, low}});
      list.push_back(high);
      unit = {{low}, context.size(low), false};
      left = 1;
    }
  }
  result.cases = digits.substitute(tensor.cases, map);
  return true;
}
