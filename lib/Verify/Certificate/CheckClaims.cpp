//===- CheckClaims.cpp - Is a claim what was computed? --------------------===//
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
using mugraph::TileIndex;

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Digits ProgramChecker::digitsOf(int graph,
                                llvm::ArrayRef<TileIndex> nest) const {
  Digits result;
  for (TileIndex index : nest)
    result.append(index.isGrid() ? claims.graphs[graph].grid[index.number]
                                 : claims.graphs[graph].loops[index.number]);
  return result;
}

/// The indices of block graphs are written by digits of their own.
ProgramChecker::Mistake ProgramChecker::checkIndices() {
  if (claims.graphs.size() != program.graphs.size())
    return "it has another number of block graphs";
  for (auto [graph, claim] : llvm::zip_equal(program.graphs, claims.graphs)) {
    if (claim.grid.size() != 3 || claim.loops.size() != graph.loops.size())
      return "it has block graphs of other indices";
    llvm::SmallVector<int64_t> extents(graph.grid.begin(), graph.grid.end());
    extents.append(graph.loops.begin(), graph.loops.end());
    std::vector<Digits> lists(claim.grid);
    llvm::append_range(lists, claim.loops);
    for (auto [extent, digits] : llvm::zip_equal(extents, lists)) {
      if (algebra.count(digits) != extent)
        return "the digits of an index do not write its extent";
      for (Label label : digits)
        if (!indexLabels.insert(label).second)
          return "two indices share a digit";
    }
  }
  return nullptr;
}

ProgramChecker::Mistake ProgramChecker::checkLabels(const ProgramValue &value,
                                                    const Claim &claim) const {
  if (claim.dims.size() != value.shape.size())
    return "it has another rank";
  std::set<Label> seen;
  for (const Digits &dim : claim.dims)
    for (Label label : dim)
      if (indexLabels.count(label) || !seen.insert(label).second)
        return "its dims share a digit with each other or with an index";
  return nullptr;
}

bool ProgramChecker::isFull(const Digits &dim, int64_t extent) const {
  return algebra.count(dim) == extent &&
         llvm::none_of(dim, [&](Label l) { return hanging(l) != nullptr; });
}

Below ProgramChecker::conditionOf(const HangingTile &tile, Label position) {
  Digits index = tile.before;
  index.push_back(position);
  return Below{tile.extent, algebra.number(index)};
}

/// From the first digit on: one that is the same for all of `fine` is a
/// constant, and the first that is not counts in whole multiples of the rest.
bool ProgramChecker::align(llvm::ArrayRef<Label> coarse, int64_t offset,
                           llvm::ArrayRef<Label> fine, Substitution &by) {
  for (; coarse.size() > 1; coarse = coarse.drop_front()) {
    std::optional<int64_t> unit = algebra.count(coarse.drop_front());
    std::optional<int64_t> reach = algebra.count(fine);
    if (!unit || !reach)
      return false;
    if (offset >= 0 && offset / *unit == (offset + *reach - 1) / *unit) {
      by[coarse.front()] = Index{offset / *unit, {}};
      offset %= *unit;
      continue;
    }
    size_t split = fine.size();
    int64_t product = 1;
    while (split > 0 && product < *unit)
      product *= algebra.size(fine[--split]);
    if (product != *unit || offset % *unit != 0)
      return false;
    Index &image = by[coarse.front()] = algebra.number(fine.take_front(split));
    image.offset = offset / *unit;
    fine = fine.drop_front(split);
    offset = 0;
  }
  if (coarse.empty())
    return offset == 0 && fine.empty();
  Index &image = by[coarse.front()] = algebra.number(fine);
  image.offset = offset;
  return true;
}

bool ProgramChecker::bindDim(const Digits &claimed,
                             llvm::ArrayRef<Label> computed,
                             std::optional<int64_t> extent, Binding &binding) {
  std::optional<int64_t> count = algebra.count(computed);
  if (extent && count && *count > *extent) {
    if (claimed.size() != 1 || algebra.size(claimed.front()) != *extent)
      return false;
    binding.known[claimed.front()] = algebra.number(computed);
    return setHanging(claimed.front(), std::nullopt);
  }
  if (!alignWhole(claimed, computed, binding.known))
    return false;
  for (Label label : claimed) {
    std::optional<HangingTile> tile;
    const Index &image = binding.known[label];
    for (auto [digit, stride] : image.digits)
      if (const HangingTile *hangs = hanging(digit)) {
        if (extent || image.digits.size() > 1)
          return false;
        tile = *hangs;
      }
    if (!setHanging(label, tile))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Cases
//===----------------------------------------------------------------------===//

/// One case must hold at each position that exists.
ProgramChecker::Mistake ProgramChecker::checkCases(const Claim &claim) {
  Conditions domain;
  std::vector<Conditions> cases;
  for (const Digits &dim : claim.dims)
    for (Label label : dim)
      if (const HangingTile *tile = hanging(label))
        (void)algebra.conjoin(domain, conditionOf(*tile, label));
  for (const Case &entry : claim.cases)
    cases.push_back(entry.where);
  return algebra.isPartition(cases, domain)
             ? nullptr
             : "its cases leave something out or overlap";
}

/// Combines what the cases that are compatible with `given` have for each index
/// that is combined; `given` must decide the conditions on the others.
ProgramChecker::Mistake ProgramChecker::combine(const Combination &combination,
                                                const Conditions &given,
                                                std::vector<Case> &cases) {
  bool isSum = combination.kind == Reduction::Sum;
  Scalar sign = combination.kind == Reduction::Min ? -1 : 1;
  std::vector<Formula> parts;
  for (const Case &entry : cases) {
    Conditions inside = combination.where, outside = given;
    bool holds = true;
    for (const Below &condition : entry.where) {
      bool isCombined = llvm::any_of(condition.at.digits, [&](auto &digit) {
        return llvm::is_contained(combination.over, digit.first);
      });
      holds &= algebra.conjoin(isCombined ? inside : outside, condition);
    }
    if (!holds)
      continue;
    if (outside != given)
      return "its cases are not those of its operands";
    parts.push_back(isSum ? algebra.sum(entry.element, combination.over, inside)
                          : algebra.maximum(Algebra::scale(entry.element, sign),
                                            combination.over, inside));
  }
  if (parts.empty())
    return "a case of nothing";
  Formula whole;
  if (isSum)
    for (const Formula &part : parts)
      whole = Algebra::add(std::move(whole), part);
  else
    whole = Algebra::scale(algebra.maximumOf(parts), sign);
  cases = {{given, std::move(whole)}};
  return nullptr;
}

/// Are they the same where `numbers` are what labels of the other side are?
bool ProgramChecker::isSameAt(const Formula &claimed, const Formula &computed,
                              const Substitution &numbers, Binding binding) {
  Substitution own = numbers;
  for (auto &[label, image] : binding.known) {
    image = algebra.substitute(image, numbers);
    if (image.digits.empty())
      own[label] = image;
  }
  return algebra.isSame(algebra.substitute(claimed, own),
                        algebra.substitute(computed, numbers),
                        std::move(binding));
}

ProgramChecker::Mistake
ProgramChecker::compareCase(const Case &claimed, const Conditions &given,
                            const std::vector<Case> &computed,
                            const Binding &binding) {
  for (const Case &entry : computed) {
    Conditions both = given;
    if (!algebra.conjoin(both, entry.where) ||
        algebra.isSame(claimed.element, entry.element, binding))
      continue;
    // A label of which one number is left is that number.
    Substitution numbers = algebra.fixed(both);
    if (numbers.empty() ||
        !isSameAt(claimed.element, entry.element, numbers, binding))
      return algebra.isValid() ? "its element does not follow"
                               : algebra.problem.c_str();
  }
  return nullptr;
}

std::set<Label> ProgramChecker::freeLabels(const Case &entry) {
  std::set<Label> free = share(entry.element)->free;
  for (const Below &condition : entry.where)
    for (auto [label, stride] : condition.at.digits)
      free.insert(label);
  return free;
}

ProgramChecker::Mistake
ProgramChecker::compare(const Claim &claim, const std::vector<Digits> &dims,
                        const std::vector<Case> &computed,
                        const Combination &combination,
                        llvm::ArrayRef<int64_t> extents) {
  if (!algebra.isValid())
    return algebra.problem.c_str();
  std::set<Label> own = indexLabels;
  for (const Digits &dim : claim.dims)
    own.insert(dim.begin(), dim.end());
  Binding binding;
  for (size_t i = 0; i < dims.size(); ++i)
    if (!bindDim(claim.dims[i], dims[i],
                 extents.empty() ? std::nullopt : std::optional(extents[i]),
                 binding))
      return "its dims are not written as they follow";
  for (const Case &entry : claim.cases) {
    for (Label label : freeLabels(entry))
      if (!own.count(label))
        return "its element depends on what no dim names";
    std::optional<Conditions> given =
        algebra.substitute(entry.where, binding.known);
    if (!given)
      continue; // it never holds here
    std::vector<Case> cases = computed;
    if (combination.kind != Reduction::None)
      if (Mistake mistake = combine(combination, *given, cases))
        return mistake;
    if (Mistake mistake = compareCase(entry, *given, cases, binding))
      return mistake;
  }
  return algebra.isValid() ? nullptr : algebra.problem.c_str();
}

bool ProgramChecker::isSameClaim(const Claim &claim, unsigned number) {
  const ProgramValue &value = program.values[number];
  const Claim &known = claims.values[number];
  if (checkLabels(value, claim) || checkCases(claim))
    return false;
  // Where one program reads parts, the sums of both are cut there.
  return llvm::all_of(claim.cases, [&](const Case &claimed) {
    Claim single{claim.dims, {claimed}};
    auto isSame = [&](const std::vector<Case> &cases) {
      return !compare(single, known.dims, cases, Combination(), value.shape);
    };
    std::vector<Case> cut = known.cases;
    for (Case &entry : cut)
      entry.element = algebra.cut(entry.element, claimed.element);
    return isSame(known.cases) || isSame(cut);
  });
}
