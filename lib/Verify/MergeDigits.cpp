//===- MergeDigits.cpp - Digits that belong together become one -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexDigits.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::verify;

//===----------------------------------------------------------------------===//
// What stands next to what
//===----------------------------------------------------------------------===//

/// For each label the digits before and after it, if they are the same wherever
/// it occurs and continue it: the stride of the one before is its stride times
/// its size.
class DigitContext::Neighbours {
public:
  explicit Neighbours(const ExprContext &context) : context(context) {}

  /// True if `e` was not seen before.
  bool visit(ExprId e) {
    bool isNew = !llvm::is_contained(seen, e);
    if (isNew)
      seen.push_back(e);
    return isNew;
  }

  void add(llvm::ArrayRef<LabelId> digits, llvm::ArrayRef<int64_t> strides) {
    for (size_t i = 0; i < digits.size(); ++i)
      join(digits[i],
           {i == 0 ? noLabel : link(i - 1, digits, strides),
            i + 1 == digits.size() ? noLabel : next(i, digits, strides)});
  }
  /// The index of a dim.
  void addDim(llvm::ArrayRef<LabelId> digits, int64_t extent) {
    llvm::SmallVector<int64_t> strides(digits.size(), 1);
    for (size_t i = digits.size(); i-- > 1;)
      strides[i - 1] = strides[i] * context.size(digits[i]);
    add(digits, strides);
    ranges.push_back({LabelList(digits), 0, extent, true});
  }
  /// A condition, which may end before its number does.
  void addCondition(const DigitRange &range, llvm::ArrayRef<int64_t> strides) {
    llvm::ArrayRef<LabelId> digits = range.labels;
    for (size_t i = 0; i < digits.size(); ++i)
      join(digits[i],
           {i == 0 ? noLabel : link(i - 1, digits, strides),
            i + 1 == digits.size() ? anyLabel : next(i, digits, strides)});
    ranges.push_back(range);
  }

  /// The longest chains of `labels` that belong together.
  std::vector<LabelList> chains(llvm::ArrayRef<LabelId> labels) const;
  /// The first digits of a chain that can be merged, whatever the conditions.
  size_t pieceOf(llvm::ArrayRef<LabelId> chain) const;
  /// The numbers that `piece` has in all conditions on it.
  std::pair<int64_t, int64_t> rangeOf(llvm::ArrayRef<LabelId> piece) const;

private:
  static constexpr LabelId several = noLabel - 1, anyLabel = noLabel - 2;
  struct Place {
    LabelId before = noLabel, after = noLabel;
  };

  bool continues(size_t i, llvm::ArrayRef<LabelId> digits,
                 llvm::ArrayRef<int64_t> strides) const {
    return strides[i] == strides[i + 1] * context.size(digits[i + 1]);
  }
  LabelId link(size_t i, llvm::ArrayRef<LabelId> digits,
               llvm::ArrayRef<int64_t> strides) const {
    return continues(i, digits, strides) ? digits[i] : noLabel;
  }
  LabelId next(size_t i, llvm::ArrayRef<LabelId> digits,
               llvm::ArrayRef<int64_t> strides) const {
    return continues(i, digits, strides) ? digits[i + 1] : noLabel;
  }
  void join(LabelId label, const Place &place) {
    auto [it, isNew] = places.try_emplace(label, place);
    if (isNew)
      return;
    Place &known = it->second;
    if (known.before != place.before)
      known.before = several;
    if (known.after == anyLabel)
      known.after = place.after;
    else if (place.after != anyLabel && known.after != place.after)
      known.after = several;
  }
  LabelId follower(LabelId label, llvm::ArrayRef<LabelId> labels) const {
    auto it = places.find(label);
    if (it == places.end() || !llvm::is_contained(labels, it->second.after))
      return noLabel;
    LabelId after = it->second.after;
    return places.at(after).before == label ? after : noLabel;
  }

  const ExprContext &context;
  std::map<LabelId, Place> places;
  llvm::SmallVector<ExprId> seen;
  std::vector<DigitRange> ranges;
};

std::vector<LabelList>
DigitContext::Neighbours::chains(llvm::ArrayRef<LabelId> labels) const {
  LabelList followers;
  for (LabelId label : labels)
    if (LabelId after = follower(label, labels); after != noLabel)
      followers.push_back(after);
  std::vector<LabelList> result;
  for (LabelId label : labels) {
    if (llvm::is_contained(followers, label))
      continue;
    LabelList &chain = result.emplace_back();
    for (LabelId link = label; link != noLabel; link = follower(link, labels))
      chain.push_back(link);
  }
  return result;
}

/// True if `labels` are the first digits of `chain`.
static bool isPrefix(llvm::ArrayRef<LabelId> labels,
                     llvm::ArrayRef<LabelId> chain) {
  return labels.size() <= chain.size() &&
         chain.take_front(labels.size()) == labels;
}

/// A condition that ends inside a chain and is none on its first digits would
/// lose the digit that it ends with.
size_t DigitContext::Neighbours::pieceOf(llvm::ArrayRef<LabelId> chain) const {
  size_t end = chain.size();
  for (const DigitRange &range : ranges) {
    auto *last = llvm::find(chain, range.labels.back());
    bool isWhole = range.isPlain && isPrefix(range.labels, chain);
    if (last != chain.end() && !isWhole)
      end = std::min<size_t>(end, last - chain.begin() + 1);
  }
  return end;
}

std::pair<int64_t, int64_t>
DigitContext::Neighbours::rangeOf(llvm::ArrayRef<LabelId> piece) const {
  int64_t low = 0, high = 1;
  for (LabelId label : piece)
    high *= context.size(label);
  for (const DigitRange &range : ranges) {
    if (!range.isPlain || !isPrefix(range.labels, piece))
      continue;
    int64_t unit = 1;
    for (LabelId label : piece.drop_front(range.labels.size()))
      unit *= context.size(label);
    low = std::max(low, range.low * unit);
    high = std::min(high, range.high * unit);
  }
  return {low, high};
}

void DigitContext::collectAtom(AtomId id, Neighbours &neighbours) const {
  const Atom &atom = context.atom(id);
  for (ExprId argument : atom.arguments)
    collect(argument, neighbours);
  if (atom.kind != AtomKind::Access)
    return;
  llvm::ArrayRef<LabelId> labels = atom.labels;
  for (const IndexForm &index : forms[atom.symbol].dims) {
    neighbours.add(labels.take_front(index.strides.size()), index.strides);
    labels = labels.drop_front(index.strides.size());
  }
}

void DigitContext::collect(ExprId e, Neighbours &neighbours) const {
  if (!neighbours.visit(e))
    return;
  for (const Term &term : context.expr(e).terms)
    for (const Factor &factor : context.monomial(term.monomial).factors)
      collectAtom(factor.atom, neighbours);
}

void DigitContext::collectCondition(const Atom &indicator,
                                    Neighbours &neighbours,
                                    bool isBound) const {
  DigitRange range = rangeOf(indicator);
  if (!isBound) {
    range.low = 0;
    range.high = product(range.labels);
  }
  neighbours.addCondition(range, form(indicator).dims.front().strides);
}

/// True if `e` has an indicator, or an access that writes an index in several
/// digits.
bool DigitContext::hasDigits(ExprId e) {
  if (auto it = knownDigits.find(e); it != knownDigits.end())
    return it->second;
  bool found = findDigits(e);
  knownDigits[e] = found;
  return found;
}

bool DigitContext::findDigits(ExprId e) {
  for (const Term &term : context.expr(e).terms)
    for (const Factor &factor : context.monomial(term.monomial).factors) {
      const Atom &atom = context.atom(factor.atom);
      if (llvm::any_of(atom.arguments, [&](ExprId a) { return hasDigits(a); }))
        return true;
      if (atom.kind == AtomKind::Access &&
          (isIndicator(form(atom)) ||
           llvm::any_of(form(atom).dims, [](const IndexForm &index) {
             return index.strides.size() > 1;
           })))
        return true;
    }
  return false;
}

//===----------------------------------------------------------------------===//
// Merging
//===----------------------------------------------------------------------===//

/// Adds to `map` the merge of those of `labels` that belong together. False if
/// no number meets the conditions.
bool DigitContext::mergeLabels(llvm::ArrayRef<LabelId> labels,
                               const Neighbours &neighbours, unsigned depth,
                               Merge &merge) {
  std::map<int64_t, unsigned> numbers;
  for (llvm::ArrayRef<LabelId> chain : neighbours.chains(labels))
    while (!chain.empty()) {
      size_t count = neighbours.pieceOf(chain);
      llvm::ArrayRef<LabelId> piece = chain.take_front(count);
      chain = chain.drop_front(count);
      auto [low, high] = neighbours.rangeOf(piece);
      if (low >= high)
        return false;
      merge.pieces.emplace_back(piece);
      for (LabelId label : piece)
        merge.map[label] = IndexImage();
      IndexImage &image = merge.map[piece.back()];
      image.offset = low;
      if (high - low == 1)
        continue;
      LabelId merged = scratch(depth, high - low, numbers[high - low]++);
      image.digits.push_back(merged);
      merge.labels.push_back(merged);
    }
  return true;
}

/// True if the numbers of a merged piece are those that meet the condition.
bool DigitContext::Merge::takesIn(const DigitRange &condition) const {
  return condition.isPlain && llvm::any_of(pieces, [&](const LabelList &piece) {
           return isPrefix(condition.labels, piece);
         });
}

ExprId DigitContext::rewriteMaximum(const Atom &atom, const DigitMap &map,
                                    unsigned depth, bool merging) {
  llvm::SmallVector<ExprId> masks;
  ExprId operand = takeMasks(atom.arguments[0], masks);
  Neighbours neighbours(context);
  if (merging) {
    collect(operand, neighbours);
    for (ExprId mask : masks)
      collectCondition(indicatorAtom(mask), neighbours);
  }
  Merge merge{map, {}, {}};
  if (!mergeLabels(atom.labels, neighbours, depth, merge)) {
    merging = false; // a maximum of nothing stays as it is
    merge = Merge{map, {}, {}};
    mergeLabels(atom.labels, Neighbours(context), depth, merge);
  }
  ExprId result = rewrite(operand, merge.map, depth + 1, merging);
  for (ExprId mask : masks)
    if (!merging || !merge.takesIn(rangeOf(indicatorAtom(mask))))
      result = this->mask(rewrite(mask, merge.map, depth + 1, false), result);
  return maximum(result, merge.labels);
}

ExprId DigitContext::rewriteTerm(const Term &term, const DigitMap &map,
                                 unsigned depth, bool merging) {
  const Monomial monomial = context.monomial(term.monomial);
  auto isCondition = [&](const Factor &factor) {
    const Atom &atom = context.atom(factor.atom);
    return atom.kind == AtomKind::Access && isIndicator(form(atom));
  };
  Neighbours neighbours(context);
  if (merging)
    for (const Factor &factor : monomial.factors) {
      const Atom &atom = context.atom(factor.atom);
      if (isCondition(factor))
        collectCondition(atom, neighbours);
      else
        collectAtom(factor.atom, neighbours);
    }
  Merge merge{map, {}, {}};
  if (!mergeLabels(monomial.bound, neighbours, depth, merge))
    return context.zero();
  ExprId result = context.constant(term.coefficient);
  for (const Factor &factor : monomial.factors) {
    bool isTakenIn = merging && isCondition(factor) &&
                     merge.takesIn(rangeOf(context.atom(factor.atom)));
    if (isTakenIn)
      continue;
    ExprId base = rewriteAtom(factor.atom, merge.map, depth + 1, merging);
    // An indicator is its square.
    result = context.multiply(
        result,
        isCondition(factor) ? base : context.power(base, factor.exponent));
  }
  return context.sum(result, merge.labels);
}

/// Merging inside may make further labels meet.
ExprId DigitContext::merge(ExprId e) {
  for (unsigned round = 0; round < 5; ++round) {
    ExprId again = rewrite(e, DigitMap(), /*depth=*/1, /*merging=*/true);
    if (again == e)
      break;
    e = again;
  }
  return e;
}

Cases DigitContext::merge(const Cases &cases,
                          llvm::MutableArrayRef<LabelList> dims,
                          llvm::ArrayRef<int64_t> extents) {
  Neighbours neighbours(context);
  LabelList free;
  for (auto [digits, extent] : llvm::zip_equal(dims, extents))
    if (!digits.empty()) {
      neighbours.addDim(digits, extent);
      free.append(digits);
    }
  for (const GuardedExpr &entry : cases) {
    collect(entry.element, neighbours);
    // What holds in one case only does not shorten the dim.
    for (ExprId condition : entry.where)
      collectCondition(indicatorAtom(condition), neighbours,
                       /*isBound=*/false);
  }
  Merge merge;
  if (!mergeLabels(free, neighbours, /*depth=*/0, merge))
    return cases;
  // The labels of a value are its own.
  for (LabelId label : merge.labels) {
    DigitMap own;
    own[label].digits = {context.addLabel(context.size(label))};
    for (auto &entry : merge.map)
      entry.second.digits = substitute(entry.second.digits, own);
  }
  for (LabelList &digits : dims)
    digits = substitute(digits, merge.map);
  return mapCases(
      cases,
      [&](ExprId condition) { return rewriteCondition(condition, merge); },
      [&](ExprId element) {
        return this->merge(
            rewrite(element, merge.map, /*depth=*/1, /*merging=*/true));
      });
}

/// A condition on the first digits of a merged piece as one on the piece.
ExprId DigitContext::rewriteCondition(ExprId condition, const Merge &merge) {
  DigitRange range = rangeOf(indicatorAtom(condition));
  if (range.isPlain)
    for (const LabelList &piece : merge.pieces)
      if (isPrefix(range.labels, piece)) {
        int64_t unit = product(piece) / product(range.labels);
        const IndexImage &image = merge.map.find(piece.back())->second;
        return indicator(image.digits, range.low * unit - image.offset,
                         range.high * unit - image.offset);
      }
  return substitute(condition, merge.map);
}
