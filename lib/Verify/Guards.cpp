//===- Guards.cpp - Where a case of an element holds ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexDigits.h"

#include "llvm/ADT/STLExtras.h"

#include <functional>
#include <set>

using namespace mirage;
using namespace mirage::verify;

/// Cells of one value, at most.
static constexpr size_t maxCells = 256;

const Atom &DigitContext::indicatorAtom(ExprId indicator) const {
  const Atom *atom = asAtom(indicator);
  assert(atom && isIndicator(form(*atom)) && "a condition is an indicator");
  return *atom;
}

llvm::ArrayRef<LabelId> DigitContext::labelsOf(ExprId indicator) const {
  return indicatorAtom(indicator).labels;
}

DigitRange DigitContext::rangeOf(const Atom &atom) const {
  const IndexForm &index = form(atom).dims.front();
  DigitRange range;
  range.labels = atom.labels;
  range.low = -index.offset;
  range.high = index.extent - index.offset;
  int64_t stride = 1;
  for (auto [label, own] : llvm::zip_equal(llvm::reverse(atom.labels),
                                           llvm::reverse(index.strides))) {
    range.isPlain &= own == stride;
    stride *= context.size(label);
  }
  return range;
}

/// True if both are conditions on the same number.
static bool isSameNumber(const Atom &a, const AccessForm &formA, const Atom &b,
                         const AccessForm &formB) {
  return a.labels == b.labels &&
         formA.dims.front().strides == formB.dims.front().strides;
}

bool DigitContext::addCondition(Guard &guard, ExprId condition) {
  if (condition == context.one())
    return true;
  // Anything else than a condition: zero, or too much was to be done.
  const Atom *added = asAtom(condition);
  if (!added || added->kind != AtomKind::Access || !isIndicator(form(*added)))
    return false;
  for (ExprId &known : guard) {
    const Atom a = indicatorAtom(known), b = *added;
    if (!isSameNumber(a, form(a), b, form(b)))
      continue;
    DigitRange x = rangeOf(a), y = rangeOf(b);
    AccessForm both = form(a);
    IndexForm &index = both.dims.front();
    index.offset = -std::max(x.low, y.low);
    index.extent = std::min(x.high, y.high) + index.offset;
    ExprId narrower = accessOf(std::move(both), a.labels);
    if (!asAtom(narrower))
      return false;
    known = narrower;
    llvm::sort(guard);
    return true;
  }
  guard.push_back(condition);
  llvm::sort(guard);
  return true;
}

bool DigitContext::addConditions(Guard &guard,
                                 llvm::ArrayRef<ExprId> conditions) {
  return llvm::all_of(conditions,
                      [&](ExprId e) { return addCondition(guard, e); });
}

Cases DigitContext::mapCases(const Cases &cases,
                             llvm::function_ref<ExprId(ExprId)> condition,
                             llvm::function_ref<ExprId(ExprId)> element) {
  Cases result;
  for (const GuardedExpr &entry : cases) {
    GuardedExpr changed;
    if (!llvm::all_of(entry.where, [&](ExprId e) {
          return addCondition(changed.where, condition(e));
        }))
      continue;
    changed.element = element(entry.element);
    result.push_back(std::move(changed));
  }
  return result;
}

DigitMap DigitContext::fixedBy(const Guard &guard) const {
  DigitMap fixed;
  for (ExprId condition : guard) {
    DigitRange range = rangeOf(indicatorAtom(condition));
    if (!range.isPlain || range.high - range.low != 1)
      continue;
    int64_t rest = range.low;
    for (LabelId label : llvm::reverse(range.labels)) {
      fixed[label].offset = rest % context.size(label);
      rest /= context.size(label);
    }
  }
  return fixed;
}

std::optional<Guard> DigitContext::joinGuards(const Guard &a, const Guard &b) {
  auto isIn = [](const Guard &guard) {
    return [&](ExprId e) { return llvm::is_contained(guard, e); };
  };
  Guard onlyA, onlyB, result;
  llvm::copy_if(a, std::back_inserter(result), isIn(b));
  llvm::copy_if(a, std::back_inserter(onlyA), std::not_fn(isIn(b)));
  llvm::copy_if(b, std::back_inserter(onlyB), std::not_fn(isIn(a)));
  if (onlyA.size() != 1 || onlyB.size() != 1)
    return std::nullopt;
  const Atom x = indicatorAtom(onlyA[0]), y = indicatorAtom(onlyB[0]);
  DigitRange first = rangeOf(x), second = rangeOf(y);
  if (!isSameNumber(x, form(x), y, form(y)) ||
      (first.high != second.low && second.high != first.low))
    return std::nullopt;
  AccessForm both = form(x);
  IndexForm &index = both.dims.front();
  index.offset = -std::min(first.low, second.low);
  index.extent = std::max(first.high, second.high) + index.offset;
  addCondition(result, accessOf(std::move(both), x.labels));
  return result;
}

std::vector<Guard> DigitContext::cells(llvm::ArrayRef<Guard> guards) {
  if (llvm::all_equal(guards))
    return {guards.front()};
  // The intervals between all bounds of each number.
  std::vector<ExprId> numbers; // a condition on each
  std::vector<std::set<int64_t>> bounds;
  for (const Guard &guard : guards)
    for (ExprId condition : guard) {
      const Atom &atom = indicatorAtom(condition);
      size_t at = 0;
      for (; at < numbers.size(); ++at) {
        const Atom &other = indicatorAtom(numbers[at]);
        if (isSameNumber(atom, form(atom), other, form(other)))
          break;
      }
      if (at == numbers.size()) {
        numbers.push_back(condition);
        bounds.emplace_back();
      }
      DigitRange range = rangeOf(atom);
      bounds[at].insert({range.low, range.high});
    }
  std::vector<Guard> result(1);
  for (auto [number, ends] : llvm::zip_equal(numbers, bounds)) {
    const Atom atom = indicatorAtom(number);
    std::vector<Guard> finer;
    int64_t low = std::numeric_limits<int64_t>::min() / 2;
    ends.insert(std::numeric_limits<int64_t>::max() / 2);
    for (int64_t high : ends) {
      AccessForm part = form(atom);
      part.dims.front().offset = -low;
      part.dims.front().extent = high - low;
      ExprId condition = accessOf(std::move(part), atom.labels);
      for (Guard cell : result)
        if (finer.size() < maxCells && addCondition(cell, condition))
          finer.push_back(std::move(cell));
      low = high;
    }
    result = std::move(finer);
  }
  llvm::erase_if(result, [&](const Guard &cell) {
    return llvm::none_of(
        guards, [&](Guard guard) { return addConditions(guard, cell); });
  });
  return result;
}
