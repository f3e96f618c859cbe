//===- Indices.cpp - Indices and conditions on them -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Formula.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mirage::certificate;
using llvm::ArrayRef;

/// Nothing in an index is larger, so that sums of a few do not overflow.
static constexpr int64_t maxNumber = int64_t{1} << 58;

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Label Algebra::addLabel(int64_t size) {
  sizes.push_back(size);
  return sizes.size() - 1;
}

std::optional<int64_t> Algebra::count(ArrayRef<Label> digits) const {
  int64_t product = 1;
  for (Label label : digits)
    if (llvm::MulOverflow(product, sizes[label], product) ||
        product > maxNumber)
      return std::nullopt;
  return product;
}

Index Algebra::number(ArrayRef<Label> digits) {
  Index result;
  std::optional<int64_t> stride = count(digits);
  if (!stride)
    setProblem("an index that is too large");
  for (Label label : digits)
    if (stride) {
      *stride /= sizes[label];
      result.digits.push_back({label, *stride});
    }
  return result;
}

std::optional<Digits> Algebra::digitsOf(const Index &index) const {
  Digits result;
  int64_t stride = 1;
  for (auto [label, own] : llvm::reverse(index.digits)) {
    if (own != stride || llvm::MulOverflow(stride, sizes[label], stride))
      return std::nullopt;
    result.insert(result.begin(), label);
  }
  return result;
}

void Algebra::addTo(Index &index, const Index &other, int64_t factor) {
  auto product = [&](int64_t value) {
    int64_t result = 0;
    if (llvm::MulOverflow(value, factor, result) || result > maxNumber ||
        result < -maxNumber)
      setProblem("an index that is too large");
    return result;
  };
  index.offset += product(other.offset);
  if (std::abs(index.offset) > maxNumber)
    setProblem("an index that is too large");
  for (auto [label, stride] : other.digits) {
    auto *own = llvm::find_if(index.digits, [label = label](const auto &digit) {
      return digit.first == label;
    });
    if (own == index.digits.end())
      index.digits.push_back({label, product(stride)});
    else
      own->second += product(stride);
  }
  llvm::erase_if(index.digits, [](auto &digit) { return digit.second == 0; });
  llvm::sort(index.digits, [](const auto &a, const auto &b) {
    return std::make_pair(-a.second, a.first) <
           std::make_pair(-b.second, b.first);
  });
}

Index Algebra::substitute(const Index &index, const Substitution &by) {
  Index result;
  result.offset = index.offset;
  for (auto [label, stride] : index.digits) {
    auto it = by.find(label);
    addTo(result, it == by.end() ? Index{0, {{label, 1}}} : it->second, stride);
  }
  return result;
}

int64_t Algebra::most(const Index &index) const {
  int64_t result = index.offset, term = 0;
  for (auto [label, stride] : index.digits)
    if (llvm::MulOverflow(stride, sizes[label] - 1, term) ||
        llvm::AddOverflow(result, term, result))
      return std::numeric_limits<int64_t>::max();
  return result;
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

/// Bounds that nothing exceeds, no last digit that decides nothing, no common
/// factor of the strides.
void Algebra::simplify(Below &condition) const {
  auto &digits = condition.at.digits;
  int64_t low = -condition.at.offset, high = condition.extent + low;
  condition.at.offset = 0;
  for (bool changed = true; changed && !digits.empty();) {
    int64_t end = most(condition.at) + 1, factor = 0;
    low = std::max<int64_t>(low, 0);
    high = std::max(low, std::min(high, end));
    for (auto [label, stride] : ArrayRef(digits).drop_back())
      factor = std::gcd(factor, stride);
    auto [last, stride] = digits.back();
    changed = stride * (sizes[last] - 1) < factor && low % factor == 0 &&
              (high % factor == 0 || high == end);
    if (changed)
      digits.pop_back();
    else
      factor = std::gcd(factor, stride);
    low = llvm::divideCeil(low, factor);
    high = llvm::divideCeil(high, factor);
    for (auto &digit : digits)
      digit.second /= factor;
  }
  condition.at.offset = -low;
  condition.extent = high - low;
}

bool Algebra::conjoin(Conditions &conditions, Below condition) {
  simplify(condition);
  if (condition.extent <= 0 || most(condition.at) < 0 ||
      condition.at.offset >= condition.extent)
    return false;
  if (condition.at.offset >= 0 && most(condition.at) < condition.extent)
    return true;
  auto *known = llvm::find_if(conditions, [&](const Below &other) {
    return other.at.digits == condition.at.digits;
  });
  if (known == conditions.end()) {
    conditions.push_back(std::move(condition));
    return true;
  }
  int64_t high = std::min(known->extent - known->at.offset,
                          condition.extent - condition.at.offset);
  known->at.offset = std::min(known->at.offset, condition.at.offset);
  known->extent = high + known->at.offset;
  return known->extent > 0;
}

bool Algebra::conjoin(Conditions &conditions, const Conditions &more) {
  return llvm::all_of(more, [&](const Below &condition) {
    return conjoin(conditions, condition);
  });
}

std::optional<Conditions> Algebra::substitute(const Conditions &conditions,
                                              const Substitution &by) {
  Conditions result;
  for (const Below &condition : conditions)
    if (!conjoin(result, {condition.extent, substitute(condition.at, by)}))
      return std::nullopt;
  return result;
}

std::vector<Case> Algebra::substitute(const std::vector<Case> &cases,
                                      const Substitution &by) {
  std::vector<Case> result;
  for (const Case &entry : cases)
    if (std::optional<Conditions> where = substitute(entry.where, by))
      result.push_back({std::move(*where), substitute(entry.element, by)});
  return result;
}

Substitution Algebra::fixed(const Conditions &where) const {
  Substitution result;
  for (const Below &condition : where) {
    std::optional<Digits> digits = digitsOf(condition.at);
    if (condition.extent != 1 || !digits)
      continue;
    int64_t rest = -condition.at.offset;
    for (Label label : llvm::reverse(*digits)) {
      result[label] = Index{rest % sizes[label], {}};
      rest /= sizes[label];
    }
  }
  return result;
}

static const Below *findNumber(const Conditions &conditions,
                               const Index &number) {
  auto *it = llvm::find_if(conditions, [&](const Below &condition) {
    return condition.at.digits == number.digits;
  });
  return it == conditions.end() ? nullptr : it;
}

/// The intervals of the conditions on `number` must lie end to end, and the
/// cases of each be a partition again.
bool Algebra::isPartitionBy(Index number, const std::vector<Conditions> &cases,
                            const Conditions &domain) {
  std::map<std::pair<int64_t, int64_t>, std::vector<Conditions>> intervals;
  for (Conditions conditions : cases) {
    const Below *found = findNumber(conditions, number);
    if (!found)
      return false;
    const Below condition = *found;
    llvm::erase(conditions, condition);
    int64_t low = -condition.at.offset;
    intervals[{low, low + condition.extent}].push_back(std::move(conditions));
  }
  number.offset = 0;
  const Below *limit = findNumber(domain, number);
  int64_t end = limit ? -limit->at.offset : 0;
  int64_t last = limit ? end + limit->extent : most(number) + 1;
  for (auto &[interval, inside] : intervals) {
    if (interval.first != end || !isPartition(inside, domain))
      return false;
    end = interval.second;
  }
  return end >= last;
}

bool Algebra::isPartition(const std::vector<Conditions> &cases,
                          const Conditions &domain) {
  if (cases.size() == 1 && cases.front().empty())
    return true;
  return !cases.empty() &&
         llvm::any_of(cases.front(), [&](const Below &condition) {
           return isPartitionBy(condition.at, cases, domain);
         });
}
