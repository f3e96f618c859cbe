//===- IndexDigits.cpp - Indices that are written in digits ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexDigits.h"

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mirage;
using namespace mirage::verify;

/// The tensor number of indicators.
static constexpr unsigned indicatorTensor = ~0u;
/// Far from the numbers of the scalar functions.
static constexpr uint32_t maskFunction = 1000, nothingFunction = 1001;

/// Maxima of several, in any order; 0 is exp.
using mugraph::ScalarFunction;
static constexpr auto maxFunction = 1 + uint32_t(ScalarFunction::Max);

int64_t DigitContext::product(llvm::ArrayRef<LabelId> digits) const {
  int64_t result = 1;
  for (LabelId digit : digits)
    result *= context.size(digit);
  return result;
}

LabelId DigitContext::scratch(unsigned depth, int64_t size, unsigned number) {
  auto [it, isNew] =
      scratchLabels.try_emplace(std::make_tuple(depth, size, number), 0);
  if (isNew)
    it->second = context.addLabel(size);
  return it->second;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

uint32_t DigitContext::intern(AccessForm form) {
  std::vector<int64_t> key = {form.tensor};
  for (const IndexForm &index : form.dims) {
    key.insert(key.end(), {index.extent, index.offset,
                           static_cast<int64_t>(index.strides.size())});
    key.insert(key.end(), index.strides.begin(), index.strides.end());
  }
  auto [it, isNew] = formIds.try_emplace(std::move(key), forms.size());
  if (isNew)
    forms.push_back(std::move(form));
  return it->second;
}

bool DigitContext::isIndicator(const AccessForm &form) {
  return form.tensor == indicatorTensor;
}

/// Appends `digits`, in mixed radix, times `stride` to an index.
static void appendDigits(const ExprContext &context,
                         llvm::ArrayRef<LabelId> digits, int64_t stride,
                         IndexForm &index, LabelList &labels) {
  for (LabelId label : digits)
    stride *= context.size(label);
  for (LabelId label : digits) {
    stride /= context.size(label);
    index.strides.push_back(stride);
    labels.push_back(label);
  }
}

/// The one form of a condition: bounds that are met, no common factor of the
/// strides, and no last digits on which it does not depend.
static void simplifyCondition(const ExprContext &context, IndexForm &index,
                              LabelList &labels) {
  auto &strides = index.strides;
  while (!labels.empty()) {
    int64_t last = strides.back() * (context.size(labels.back()) - 1);
    int64_t most = last, factor = 0;
    for (size_t i = 0; i + 1 < labels.size(); ++i) {
      most += strides[i] * (context.size(labels[i]) - 1);
      factor = std::gcd(factor, strides[i]);
    }
    int64_t low = std::clamp<int64_t>(-index.offset, 0, most + 1);
    int64_t high =
        std::clamp<int64_t>(index.extent - index.offset, low, most + 1);
    bool isUnbounded = high == most + 1;
    bool isFree = last < factor && low % factor == 0 &&
                  (isUnbounded || high % factor == 0);
    if (isFree) {
      labels.pop_back();
      strides.pop_back();
    } else {
      factor = std::gcd(factor, strides.back());
    }
    low = llvm::divideCeil(low, factor);
    high = llvm::divideCeil(high, factor);
    for (int64_t &stride : strides)
      stride /= factor;
    index.offset = -low;
    index.extent = high - low;
    if (!isFree)
      return;
  }
}

ExprId DigitContext::accessOf(AccessForm form, llvm::ArrayRef<LabelId> labels) {
  if (!isIndicator(form))
    return context.access(intern(std::move(form)), labels);
  LabelList list(labels);
  IndexForm &index = form.dims.front();
  simplifyCondition(context, index, list);
  int64_t most = index.offset;
  for (auto [label, stride] : llvm::zip_equal(list, index.strides))
    most += stride * (context.size(label) - 1);
  if (index.extent <= 0 || most < 0 || index.offset >= index.extent)
    return context.zero();
  if (index.offset >= 0 && most < index.extent)
    return context.one();
  return context.access(intern(std::move(form)), list);
}

ExprId DigitContext::access(unsigned tensor, llvm::ArrayRef<int64_t> extents,
                            llvm::ArrayRef<LabelList> dims) {
  AccessForm form;
  form.tensor = tensor;
  LabelList labels;
  for (auto [extent, digits] : llvm::zip_equal(extents, dims)) {
    IndexForm &index = form.dims.emplace_back();
    index.extent = extent;
    appendDigits(context, digits, /*stride=*/1, index, labels);
  }
  return accessOf(std::move(form), labels);
}

ExprId DigitContext::indicator(llvm::ArrayRef<LabelId> digits, int64_t low,
                               int64_t high) {
  AccessForm form;
  form.tensor = indicatorTensor;
  IndexForm &index = form.dims.emplace_back();
  LabelList labels;
  appendDigits(context, digits, /*stride=*/1, index, labels);
  index.offset = -low;
  index.extent = high - low;
  return accessOf(std::move(form), labels);
}

/// The atom that `e` is, if it is one.
const Atom *DigitContext::asAtom(ExprId e) const {
  const Expr &expr = context.expr(e);
  if (expr.terms.size() != 1 || !expr.terms[0].coefficient.isOne())
    return nullptr;
  const Monomial &monomial = context.monomial(expr.terms[0].monomial);
  if (!monomial.bound.empty() || monomial.factors.size() != 1 ||
      !monomial.factors[0].exponent.isOne())
    return nullptr;
  return &context.atom(monomial.factors[0].atom);
}

/// What does not count under a maximum.
ExprId DigitContext::nothing() { return context.function(nothingFunction, {}); }

ExprId DigitContext::mask(ExprId indicator, ExprId e) {
  if (indicator == context.one())
    return e;
  return indicator == context.zero()
             ? nothing()
             : context.function(maskFunction, {indicator, e});
}

ExprId DigitContext::takeMasks(ExprId e,
                               llvm::SmallVectorImpl<ExprId> &masks) const {
  while (true) {
    const Atom *atom = asAtom(e);
    bool isMask = atom && atom->kind == AtomKind::Function &&
                  atom->symbol == maskFunction;
    if (!isMask)
      return e;
    masks.push_back(atom->arguments[0]);
    e = atom->arguments[1];
  }
}

ExprId DigitContext::maximum(ExprId e, llvm::ArrayRef<LabelId> over) {
  LabelList labels(over);
  const Atom *inner = asAtom(e);
  if (inner && inner->kind == AtomKind::Extremum) {
    const Atom atom = *inner;
    LabelMap fresh;
    for (LabelId label : atom.labels)
      labels.push_back(fresh[label] = context.addLabel(context.size(label)));
    e = context.rename(atom.arguments[0], fresh);
  }
  return context.extremum(ExtremumKind::Max, e, labels);
}

ExprId DigitContext::maximumOf(llvm::SmallVector<ExprId> values) {
  llvm::SmallVector<ExprId> flat;
  for (ExprId value : values) {
    const Atom *inner = asAtom(value);
    if (inner && inner->kind == AtomKind::Function &&
        inner->symbol == maxFunction)
      flat.append(inner->arguments.begin(), inner->arguments.end());
    else if (value != nothing())
      flat.push_back(value);
  }
  llvm::sort(flat);
  flat.erase(llvm::unique(flat), flat.end());
  if (flat.size() < 2)
    return flat.empty() ? nothing() : flat.front();
  return context.function(maxFunction, flat);
}

ExprId DigitContext::function(uint32_t symbol,
                              llvm::SmallVector<ExprId> arguments) {
  if (symbol == maskFunction)
    return mask(arguments[0], arguments[1]);
  if (symbol == maxFunction)
    return maximumOf(std::move(arguments));
  return context.function(symbol, arguments);
}

//===----------------------------------------------------------------------===//
// Substitution
//===----------------------------------------------------------------------===//

LabelList DigitContext::substitute(llvm::ArrayRef<LabelId> list,
                                   const DigitMap &map) {
  LabelList result;
  for (LabelId label : list) {
    auto it = map.find(label);
    if (it == map.end())
      result.push_back(label);
    else
      result.append(it->second.digits);
  }
  return result;
}

ExprId DigitContext::rewriteAccess(const Atom &atom, const DigitMap &map) {
  AccessForm form = forms[atom.symbol];
  llvm::ArrayRef<LabelId> labels = atom.labels;
  LabelList result;
  for (IndexForm &index : form.dims) {
    auto strides = std::exchange(index.strides, {});
    for (int64_t stride : strides) {
      auto it = map.find(labels.front());
      if (it == map.end()) {
        appendDigits(context, labels.front(), stride, index, result);
      } else {
        index.offset += stride * it->second.offset;
        appendDigits(context, it->second.digits, stride, index, result);
      }
      labels = labels.drop_front();
    }
  }
  return accessOf(std::move(form), result);
}

ExprId DigitContext::rewriteAtom(AtomId id, const DigitMap &map, unsigned depth,
                                 bool merging) {
  const Atom atom = context.atom(id);
  if (atom.kind == AtomKind::Access)
    return rewriteAccess(atom, map);
  if (atom.kind == AtomKind::Extremum)
    return rewriteMaximum(atom, map, depth, merging);
  llvm::SmallVector<ExprId> arguments;
  for (ExprId argument : atom.arguments)
    arguments.push_back(rewrite(argument, map, depth, merging));
  return atom.kind == AtomKind::Sum
             ? arguments[0]
             : function(atom.symbol, std::move(arguments));
}

ExprId DigitContext::rewrite(ExprId e, const DigitMap &map, unsigned depth,
                             bool merging) {
  const Expr expr = context.expr(e);
  bool touched = llvm::any_of(
      expr.free, [&](LabelId label) { return map.count(label) != 0; });
  if (!context.isValid() || (!touched && !(merging && hasDigits(e))))
    return e;
  ExprId result = context.zero();
  for (const Term &term : expr.terms)
    result = context.add(result, rewriteTerm(term, map, depth, merging));
  return result;
}

ExprId DigitContext::substitute(ExprId e, const DigitMap &map) {
  bool isRenaming = llvm::all_of(map, [&](const auto &entry) {
    const auto &[digits, offset] = entry.second;
    return digits.size() == 1 && offset == 0 &&
           context.size(digits.front()) == context.size(entry.first);
  });
  if (!isRenaming)
    return rewrite(e, map, /*depth=*/0, /*merging=*/false);
  LabelMap renaming;
  for (const auto &entry : map)
    renaming[entry.first] = entry.second.digits.front();
  return context.rename(e, renaming);
}

Cases DigitContext::substitute(const Cases &cases, const DigitMap &map) {
  auto change = [&](ExprId e) { return substitute(e, map); };
  return mapCases(cases, change, change);
}
