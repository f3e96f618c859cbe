//===- SymbolicParts.cpp - Slices, concatenations and their cases ---------===//
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

//===----------------------------------------------------------------------===//
// Reading a part
//===----------------------------------------------------------------------===//

/// From the first digit on: one that is the same in the whole part is a
/// constant, and the first that is not must be whole multiples of the rest.
bool SymbolicRun::takePart(SymbolicTensor &tensor, size_t dim, int64_t low,
                           int64_t count) {
  LabelList &list = tensor.dims[dim];
  if (low == 0 && count >= digits.product(list))
    return true;
  if (count <= 0 || low + count > digits.product(list))
    return fail("a part that is not in its operand");
  if (llvm::any_of(list, [&](LabelId label) { return ragged(label); }))
    return fail("a part of a ragged tile");
  DigitMap map;
  llvm::ArrayRef<LabelId> rest(list);
  LabelList part;
  while (low > 0 || count < digits.product(rest)) {
    IndexImage &image = map[rest.front()];
    rest = rest.drop_front();
    int64_t unit = digits.product(rest);
    image.offset = low / unit;
    if (image.offset == (low + count - 1) / unit) {
      low %= unit;
      continue;
    }
    if (low % unit != 0 || count % unit != 0)
      return fail("a part that does not line up with how its operand was put "
                  "together");
    image.digits = {context.addLabel(count / unit)};
    part = image.digits;
    break;
  }
  part.append(rest.begin(), rest.end());
  list = std::move(part);
  tensor.cases = digits.substitute(tensor.cases, map);
  return true;
}

/// The operands of a piece, cut to what it reads.
bool SymbolicRun::takeViews(const Piece &piece,
                            std::vector<SymbolicTensor> &views) {
  for (const OperandAccess &access : piece.operands) {
    SymbolicTensor &view = views.emplace_back();
    if (!access.used)
      continue;
    if (!access.linear)
      return fail("an op that is not a permutation of dims");
    view = tensors[access.value];
    for (auto [i, index] : llvm::enumerate(access.indices)) {
      auto [dim, offset] = index;
      int64_t count = dim >= 0 ? piece.extents[dim] : 1;
      bool isWhole =
          offset == 0 && count == program.values[access.value].shape[i];
      if (!isWhole && !takePart(view, i, offset, count))
        return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Concatenations
//===----------------------------------------------------------------------===//

/// Writes the dim along which parts lie behind each other: a first digit that
/// counts through all of them, and further ones that all have in common.
bool SymbolicRun::joinSeam(llvm::ArrayRef<SymbolicTensor> parts, size_t dim,
                           const ProgramValue &value, LabelList &result,
                           llvm::MutableArrayRef<DigitMap> maps,
                           llvm::MutableArrayRef<Guard> guards) {
  auto longest = llvm::max_element(parts, [&](const auto &a, const auto &b) {
    return a.dims[dim].size() < b.dims[dim].size();
  });
  llvm::ArrayRef<LabelId> model = longest->dims[dim];
  llvm::ArrayRef<LabelId> common =
      model.drop_front(std::min<size_t>(1, model.size()));
  int64_t unit = digits.product(common);
  if (value.shape[dim] % unit != 0)
    return fail("a concatenation of parts that are put together differently");
  LabelId first = context.addLabel(value.shape[dim] / unit);
  result = {first};
  for (LabelId label : common)
    result.push_back(context.addLabel(context.size(label)));
  for (size_t number = 0; number < parts.size(); ++number) {
    const Piece &piece = value.pieces[number];
    llvm::ArrayRef<LabelId> own = parts[number].dims[dim];
    int from = piece.resultDims[dim];
    int64_t count = from < 0 ? 1 : piece.extents[from];
    int64_t low = piece.resultOffsets[dim];
    bool isUsable =
        digits.product(own) == count && low % unit == 0 && count % unit == 0 &&
        llvm::none_of(own, [&](LabelId label) { return ragged(label); });
    if (isUsable && own.size() > common.size())
      maps[number][own.front()] = {{first}, -low / unit};
    llvm::ArrayRef<LabelId> rest =
        own.take_back(std::min(common.size(), own.size()));
    if (!isUsable || rest.size() != common.size())
      return fail("a concatenation of parts that are put together differently");
    for (auto [label, target] :
         llvm::zip_equal(rest, llvm::ArrayRef(result).drop_front())) {
      if (context.size(label) != context.size(target))
        return fail("a concatenation of parts that are put together "
                    "differently");
      maps[number][label].digits = {target};
    }
    if (!digits.addCondition(
            guards[number],
            digits.indicator(first, low / unit, (low + count) / unit)))
      return fail("a concatenation of nothing");
  }
  return true;
}

/// Joins cases with the same element that lie behind each other.
static void joinEqualCases(DigitContext &digits, Cases &cases) {
  for (size_t i = 0; i < cases.size(); ++i)
    for (size_t j = cases.size(); --j > i;) {
      std::optional<Guard> both;
      if (cases[i].element == cases[j].element)
        both = digits.joinGuards(cases[i].where, cases[j].where);
      if (!both)
        continue;
      cases[i].where = std::move(*both);
      cases.erase(cases.begin() + j);
      j = cases.size();
    }
}

bool SymbolicRun::joinPieces(const ProgramValue &value,
                             llvm::MutableArrayRef<SymbolicTensor> parts,
                             SymbolicTensor &result) {
  llvm::SmallVector<DigitMap> maps(parts.size());
  llvm::SmallVector<Guard> guards(parts.size());
  LabelList taken;
  for (size_t dim = 0; dim < value.shape.size(); ++dim) {
    LabelList &list = result.dims.emplace_back();
    bool isSeam = llvm::any_of(value.pieces, [&](const Piece &piece) {
      int from = piece.resultDims[dim];
      return piece.resultOffsets[dim] != 0 ||
             (from < 0 ? 1 : piece.extents[from]) != value.shape[dim];
    });
    if (isSeam) {
      if (!joinSeam(parts, dim, value, list, maps, guards))
        return false;
      continue;
    }
    std::vector<LabelList> lists;
    for (const SymbolicTensor &part : parts)
      lists.push_back(part.dims[dim]);
    if (llvm::all_of(lists, [](const LabelList &l) { return l.empty(); }))
      continue;
    if (llvm::any_of(lists, [](const LabelList &l) { return l.empty(); }))
      return fail("a concatenation of padded tiles");
    if (!unify(lists, taken, list))
      return false;
    taken.append(list);
    for (auto [own, map] : llvm::zip_equal(lists, maps))
      splitInto(own, list, map);
  }
  for (auto [part, map, guard] : llvm::zip_equal(parts, maps, guards))
    for (GuardedExpr &entry : digits.substitute(part.cases, map))
      if (digits.addConditions(entry.where, guard))
        result.cases.push_back(std::move(entry));
  joinEqualCases(digits, result.cases);
  return true;
}

//===----------------------------------------------------------------------===//
// Reducing cases
//===----------------------------------------------------------------------===//

/// A condition on what is reduced becomes an indicator; the others remain.
bool SymbolicRun::combineCases(Reduction kind, llvm::ArrayRef<LabelId> over,
                               llvm::ArrayRef<ExprId> indicators,
                               Cases &cases) {
  bool isSum = kind == Reduction::Sum;
  Rational sign = kind == Reduction::Min ? -1 : 1; // min x = -max -x
  std::vector<Guard> outer, inner;
  llvm::SmallVector<ExprId> elements;
  for (const GuardedExpr &entry : cases) {
    Guard inside, outside;
    bool holds = digits.addConditions(inside, indicators);
    for (ExprId condition : entry.where) {
      bool isReduced = llvm::any_of(digits.labelsOf(condition), [&](LabelId l) {
        return llvm::is_contained(over, l);
      });
      holds =
          holds && digits.addCondition(isReduced ? inside : outside, condition);
    }
    if (!holds)
      continue;
    outer.push_back(std::move(outside));
    inner.push_back(std::move(inside));
    elements.push_back(context.scale(entry.element, sign));
  }
  if (elements.empty())
    return fail("a reduction of nothing");
  Cases result;
  for (Guard &cell : digits.cells(outer)) {
    llvm::SmallVector<ExprId> parts;
    for (auto [element, outside, inside] :
         llvm::zip_equal(elements, outer, inner)) {
      Guard both = cell;
      if (digits.addConditions(both, outside))
        parts.push_back(combine(isSum, element, over, inside));
    }
    if (parts.empty())
      continue;
    // Conditions of cases are taken in where they can be.
    if (cases.size() > 1)
      for (ExprId &part : parts)
        part = digits.merge(part);
    GuardedExpr &entry = result.emplace_back();
    entry.where = std::move(cell);
    if (!isSum) {
      entry.element = context.scale(digits.maximumOf(std::move(parts)), sign);
      continue;
    }
    entry.element = context.zero();
    for (ExprId part : parts)
      entry.element = context.add(entry.element, part);
  }
  cases = std::move(result);
  return true;
}
