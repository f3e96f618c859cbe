//===- CutDigits.cpp - Sums that are cut where a part is read -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexDigits.h"

#include "llvm/ADT/STLExtras.h"

#include <set>

using namespace mirage;
using namespace mirage::verify;

/// Rounds after which seams that make seams are given up.
static constexpr unsigned maxRounds = 8;

/// Where parts of arguments begin and end, and the cutting of sums there.
class DigitContext::Seams {
public:
  explicit Seams(DigitContext &digits)
      : digits(digits), context(digits.context) {}

  void collect(ExprId e);
  ExprId cut(ExprId e);

private:
  using Places = std::set<int64_t>;
  using Cuts = std::map<LabelId, Places>;

  void collectAtom(const Atom &atom);
  void findCuts(ExprId e, llvm::ArrayRef<LabelId> labels, Cuts &cuts) const;
  void findCuts(const Atom &atom, llvm::ArrayRef<LabelId> labels,
                Cuts &cuts) const;
  /// Images of labels, for each combination of parts.
  std::vector<DigitMap> parts(llvm::ArrayRef<LabelId> labels, const Cuts &cuts);
  ExprId cutTerm(const Term &term);
  ExprId cutInside(ExprId e);
  ExprId cutMaximum(const Atom &atom);

  DigitContext &digits;
  ExprContext &context;
  /// Of each dim of an argument.
  std::map<std::pair<unsigned, unsigned>, Places> places;
  llvm::DenseMap<ExprId, ExprId> known;
  std::set<ExprId> seen;
  unsigned depth = 0;
};

//===----------------------------------------------------------------------===//
// Finding seams
//===----------------------------------------------------------------------===//

/// The numbers that an index writes, if they are an interval.
static std::optional<std::pair<int64_t, int64_t>>
intervalOf(const ExprContext &context, const IndexForm &index,
           llvm::ArrayRef<LabelId> labels) {
  int64_t count = 1;
  for (auto [label, stride] :
       llvm::zip_equal(llvm::reverse(labels), llvm::reverse(index.strides))) {
    if (stride != count)
      return std::nullopt;
    count *= context.size(label);
  }
  return std::make_pair(index.offset, index.offset + count);
}

/// Calls `visit` with the number, the form and the labels of each index.
static void forEachIndex(const AccessForm &form, llvm::ArrayRef<LabelId> labels,
                         llvm::function_ref<void(unsigned, const IndexForm &,
                                                 llvm::ArrayRef<LabelId>)>
                             visit) {
  for (auto [dim, index] : llvm::enumerate(form.dims)) {
    size_t count = index.strides.size();
    visit(dim, index, labels.take_front(count));
    labels = labels.drop_front(count);
  }
}

void DigitContext::Seams::collectAtom(const Atom &atom) {
  for (ExprId argument : atom.arguments)
    collect(argument);
  if (atom.kind != AtomKind::Access || isIndicator(digits.form(atom)))
    return;
  const AccessForm &form = digits.form(atom);
  forEachIndex(form, atom.labels,
               [&](unsigned dim, const IndexForm &index,
                   llvm::ArrayRef<LabelId> labels) {
                 auto interval = intervalOf(context, index, labels);
                 if (!interval)
                   return;
                 for (int64_t end : {interval->first, interval->second})
                   if (end > 0 && end < index.extent)
                     places[{form.tensor, dim}].insert(end);
               });
}

void DigitContext::Seams::collect(ExprId e) {
  if (!seen.insert(e).second)
    return;
  for (const Term &term : context.expr(e).terms)
    for (const Factor &factor : context.monomial(term.monomial).factors)
      collectAtom(context.atom(factor.atom));
}

/// Where the first digit of an index meets a seam.
void DigitContext::Seams::findCuts(const Atom &atom,
                                   llvm::ArrayRef<LabelId> wanted,
                                   Cuts &cuts) const {
  for (ExprId argument : atom.arguments)
    findCuts(argument, wanted, cuts);
  if (atom.kind != AtomKind::Access)
    return;
  const AccessForm &form = digits.form(atom);
  forEachIndex(form, atom.labels,
               [&](unsigned dim, const IndexForm &index,
                   llvm::ArrayRef<LabelId> labels) {
                 auto seams = places.find({form.tensor, dim});
                 if (seams == places.end() || labels.empty() ||
                     !llvm::is_contained(wanted, labels.front()))
                   return;
                 int64_t stride = index.strides.front(), rest = 0;
                 for (auto [label, own] :
                      llvm::drop_begin(llvm::zip_equal(labels, index.strides)))
                   rest += own * (context.size(label) - 1);
                 for (int64_t seam : seams->second) {
                   int64_t position = (seam - index.offset) / stride;
                   bool isInside = position > 0 &&
                                   position < context.size(labels.front()) &&
                                   (seam - index.offset) % stride == 0;
                   if (isInside && rest < stride)
                     cuts[labels.front()].insert(position);
                 }
               });
}

void DigitContext::Seams::findCuts(ExprId e, llvm::ArrayRef<LabelId> labels,
                                   Cuts &cuts) const {
  const Expr &expr = context.expr(e);
  if (llvm::none_of(labels, [&](LabelId label) {
        return llvm::is_contained(expr.free, label);
      }))
    return;
  for (const Term &term : expr.terms)
    for (const Factor &factor : context.monomial(term.monomial).factors)
      findCuts(context.atom(factor.atom), labels, cuts);
}

//===----------------------------------------------------------------------===//
// Cutting
//===----------------------------------------------------------------------===//

std::vector<DigitMap> DigitContext::Seams::parts(llvm::ArrayRef<LabelId> labels,
                                                 const Cuts &cuts) {
  std::vector<DigitMap> result(1);
  std::map<int64_t, unsigned> numbers;
  for (LabelId label : labels) {
    Places ends;
    if (auto it = cuts.find(label); it != cuts.end())
      ends = it->second;
    ends.insert(context.size(label));
    std::vector<DigitMap> finer;
    int64_t low = 0;
    for (int64_t high : ends) {
      IndexImage image;
      image.offset = low;
      int64_t size = high - low;
      // Far from the labels that merging works with.
      if (size > 1)
        image.digits = {digits.scratch(1000 + depth, size, numbers[size]++)};
      for (DigitMap map : result) {
        map[label] = image;
        finer.push_back(std::move(map));
      }
      low = high;
    }
    result = std::move(finer);
  }
  return result;
}

/// What is left of labels.
static LabelList imagesOf(llvm::ArrayRef<LabelId> labels, const DigitMap &map) {
  return DigitContext::substitute(labels, map);
}

ExprId DigitContext::Seams::cutTerm(const Term &term) {
  const Monomial monomial = context.monomial(term.monomial);
  Cuts cuts;
  for (const Factor &factor : monomial.factors)
    findCuts(context.atom(factor.atom), monomial.bound, cuts);
  ExprId result = context.zero();
  ++depth;
  for (const DigitMap &map : parts(monomial.bound, cuts)) {
    ExprId part = context.constant(term.coefficient);
    for (const Factor &factor : monomial.factors) {
      ExprId base = digits.rewriteAtom(factor.atom, map, 0, false);
      // A sum that is raised to a power is cut as such.
      ExprId inside = context.atom(factor.atom).kind == AtomKind::Sum
                          ? cut(base)
                          : cutInside(base);
      part = context.multiply(part, context.power(inside, factor.exponent));
    }
    result =
        context.add(result, context.sum(part, imagesOf(monomial.bound, map)));
  }
  --depth;
  return result;
}

/// Cuts inside the one atom that `e` is.
ExprId DigitContext::Seams::cutInside(ExprId e) {
  const Atom *found = digits.asAtom(e);
  if (!found)
    return cut(e);
  const Atom atom = *found;
  if (atom.kind == AtomKind::Extremum)
    return cutMaximum(atom);
  if (atom.kind != AtomKind::Function)
    return e;
  llvm::SmallVector<ExprId> arguments;
  for (ExprId argument : atom.arguments)
    arguments.push_back(cut(argument));
  return digits.function(atom.symbol, std::move(arguments));
}

ExprId DigitContext::Seams::cutMaximum(const Atom &atom) {
  Cuts cuts;
  findCuts(atom.arguments[0], atom.labels, cuts);
  llvm::SmallVector<ExprId> maxima;
  ++depth;
  for (const DigitMap &map : parts(atom.labels, cuts)) {
    ExprId operand = cut(digits.substitute(atom.arguments[0], map));
    maxima.push_back(digits.maximum(operand, imagesOf(atom.labels, map)));
  }
  --depth;
  return digits.maximumOf(maxima);
}

ExprId DigitContext::Seams::cut(ExprId e) {
  if (auto it = known.find(e); it != known.end() || !context.isValid())
    return it == known.end() ? e : it->second;
  const Expr expr = context.expr(e);
  ExprId result = context.zero();
  for (const Term &term : expr.terms)
    result = context.add(result, cutTerm(term));
  known[e] = result;
  return result;
}

void DigitContext::cutAtSeams(llvm::MutableArrayRef<ExprId> exprs) {
  for (unsigned round = 0; round < maxRounds; ++round) {
    Seams seams(*this);
    for (ExprId e : exprs)
      seams.collect(e);
    bool changed = false;
    for (ExprId &e : exprs) {
      ExprId before = std::exchange(e, seams.cut(e));
      changed |= e != before;
    }
    if (!changed)
      return;
  }
}
