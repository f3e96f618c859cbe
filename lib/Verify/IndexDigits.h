//===- IndexDigits.h - Indices that are written in digits -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Expressions of `lib/Expr` whose accesses write each index as an offset and
// digits with strides:
//
//   X[32 + g * 64 + t]     offset 32, labels (g, t), strides (64, 1)
//
// A dim of a value is a list of labels in mixed radix: (g, l, t) of sizes
// (8, 4, 128) is the index (g * 4 + l) * 128 + t of a dim of extent 4096. What
// happens to an index is one of three things:
//
//   split   a label of size a * b may be replaced, wherever it is free, by the
//           two labels of its quotient and remainder;
//   window  the part [o, o + n) of a dim is k = o + j, with j of size n: this
//           is a slice, a shift in a tile map, and, with -o, an operand of a
//           concatenation;
//   merge   labels that occur next to each other, and nowhere else, are one
//           label. Bound: S_g S_t f(g * T + t) = S_k f(k).
//
// Merging is what makes a sum over blocks, iterations and positions of a tile
// the sum over the dim.
//
// **Conditions.** An access has a meaning only where the index is inside the
// dim. Digits may write more (the last tile hangs over, or reads on behind the
// seam of a concatenation), and whoever sums over such digits multiplies by the
// *indicator* I[o; g, l, t], 1 where 0 <= o + (g, l, t) < n and 0 elsewhere. A
// maximum is taken of mask(I, e), which is e where I is 1 and does not count
// elsewhere. Merging takes the indicator in: with k the number (g, l, t),
//
//   S_{g,l,t} I[-a, g, l, t] f((g, l, t)) = S_{j < n} f(a + j)
//
// **Seams.** S_k f(k) and S_{i<a} f(i) + S_{j<n-a} f(a + j) are equal and not
// the same. Where one program writes a sum in parts, `cutAtSeams` cuts the sums
// of both at the ends of all parts of arguments that either reads.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_INDEXDIGITS_H
#define MIRAGE_LIB_VERIFY_INDEXDIGITS_H

#include "mirage/Expr/Expression.h"

#include <map>
#include <vector>

namespace mirage::verify {

/// What takes the place of a label: the number that `digits` write, from
/// `offset` on.
struct IndexImage {
  LabelList digits;
  int64_t offset = 0;
};
using DigitMap = llvm::SmallDenseMap<LabelId, IndexImage, 4>;

/// How one index of an access is written: the strides of its labels.
struct IndexForm {
  int64_t extent = 0;
  int64_t offset = 0;
  llvm::SmallVector<int64_t, 2> strides;
};

/// How the indices of an access are written.
struct AccessForm {
  unsigned tensor = 0;
  llvm::SmallVector<IndexForm, 4> dims;
};

/// Indicators that all must be 1; sorted.
using Guard = llvm::SmallVector<ExprId, 1>;

/// The element of a tensor where `where` holds.
struct GuardedExpr {
  Guard where;
  ExprId element = 0;
};
using Cases = llvm::SmallVector<GuardedExpr, 1>;

/// Numbers, from `low` to below `high`, that the digits `labels` write.
struct DigitRange {
  LabelList labels;
  int64_t low = 0, high = 0;
  /// False for a condition that is none on the number that they write.
  bool isPlain = true;
};

class DigitContext {
public:
  ExprContext &exprs() { return context; }
  const ExprContext &exprs() const { return context; }

  /// How an access is written.
  const AccessForm &form(const Atom &access) const {
    return forms[access.symbol];
  }
  static bool isIndicator(const AccessForm &form);

  int64_t product(llvm::ArrayRef<LabelId> digits) const;

  /// Element of a tensor of `extents` at the indices `dims`.
  ExprId access(unsigned tensor, llvm::ArrayRef<int64_t> extents,
                llvm::ArrayRef<LabelList> dims);
  /// 1 where the number that `digits` write is in [low, high).
  ExprId indicator(llvm::ArrayRef<LabelId> digits, int64_t low, int64_t high);
  /// `e` where `indicator` is 1; to be used under a maximum.
  ExprId mask(ExprId indicator, ExprId e);
  /// Takes masks, by indicators, off the operand of a maximum.
  ExprId takeMasks(ExprId e, llvm::SmallVectorImpl<ExprId> &masks) const;
  /// A maximum of maxima is one maximum.
  ExprId maximum(ExprId e, llvm::ArrayRef<LabelId> over);
  /// The largest of `values`. A minimum is -max(-x).
  ExprId maximumOf(llvm::SmallVector<ExprId> values);
  /// A function other than exp: its number in `ScalarFunction`, plus 1.
  ExprId function(uint32_t symbol, llvm::SmallVector<ExprId> arguments);

  // Guards: Guards.cpp.

  /// Adds the condition that `indicator` is 1; false if it contradicts.
  bool addCondition(Guard &guard, ExprId indicator);
  bool addConditions(Guard &guard, llvm::ArrayRef<ExprId> indicators);
  /// The cases with their conditions and elements changed, without those that
  /// cannot be.
  Cases mapCases(const Cases &cases,
                 llvm::function_ref<ExprId(ExprId)> condition,
                 llvm::function_ref<ExprId(ExprId)> element);
  /// The guard that holds where `a` or `b` does, if they lie side by side.
  std::optional<Guard> joinGuards(const Guard &a, const Guard &b);
  /// The labels of which a guard leaves one number, as that number.
  DigitMap fixedBy(const Guard &guard) const;
  /// The labels of an indicator.
  llvm::ArrayRef<LabelId> labelsOf(ExprId indicator) const;
  /// Guards that are 0 or 1 as a whole wherever one of `guards` is: a partition
  /// of where any of them holds.
  std::vector<Guard> cells(llvm::ArrayRef<Guard> guards);

  /// `e` with free labels written in digits.
  ExprId substitute(ExprId e, const DigitMap &map);
  /// `list` with its labels written in digits.
  static LabelList substitute(llvm::ArrayRef<LabelId> list,
                              const DigitMap &map);
  /// Cases that can no longer hold are dropped.
  Cases substitute(const Cases &cases, const DigitMap &map);

  // Merging: MergeDigits.cpp.

  /// Merges bound labels of `e`.
  ExprId merge(ExprId e);
  /// Merges also the digits of each of `dims`, of extents `extents`, which are
  /// free labels of the cases.
  Cases merge(const Cases &cases, llvm::MutableArrayRef<LabelList> dims,
              llvm::ArrayRef<int64_t> extents);

  /// Cuts sums and maxima in all of `exprs` where one reads a part of an
  /// argument.
  void cutAtSeams(llvm::MutableArrayRef<ExprId> exprs);

private:
  class Seams;
  class Neighbours;
  /// Labels that were merged: the pieces that became one label each, what
  /// became of all, and what is left.
  struct Merge {
    DigitMap map;
    std::vector<LabelList> pieces;
    LabelList labels;
    bool takesIn(const DigitRange &condition) const;
  };
  uint32_t intern(AccessForm form);
  ExprId accessOf(AccessForm form, llvm::ArrayRef<LabelId> labels);
  bool hasDigits(ExprId e);
  bool findDigits(ExprId e);
  ExprId nothing();
  const Atom *asAtom(ExprId e) const;
  const Atom &indicatorAtom(ExprId indicator) const;
  /// The numbers for which an indicator is 1.
  DigitRange rangeOf(const Atom &indicator) const;

  void collect(ExprId e, Neighbours &neighbours) const;
  void collectAtom(AtomId id, Neighbours &neighbours) const;
  void collectCondition(const Atom &indicator, Neighbours &neighbours,
                        bool isBound = true) const;
  bool mergeLabels(llvm::ArrayRef<LabelId> labels, const Neighbours &neighbours,
                   unsigned depth, Merge &merge);
  ExprId rewriteCondition(ExprId condition, const Merge &merge);

  ExprId rewrite(ExprId e, const DigitMap &map, unsigned depth, bool merging);
  ExprId rewriteTerm(const Term &term, const DigitMap &map, unsigned depth,
                     bool merging);
  ExprId rewriteAtom(AtomId id, const DigitMap &map, unsigned depth,
                     bool merging);
  ExprId rewriteAccess(const Atom &atom, const DigitMap &map);
  ExprId rewriteMaximum(const Atom &atom, const DigitMap &map, unsigned depth,
                        bool merging);
  /// A label to work with, the same one whenever it is asked for.
  LabelId scratch(unsigned depth, int64_t size, unsigned number);

  ExprContext context;
  std::vector<AccessForm> forms;
  llvm::DenseMap<ExprId, bool> knownDigits;
  std::map<std::vector<int64_t>, uint32_t> formIds;
  std::map<std::tuple<unsigned, int64_t, unsigned>, LabelId> scratchLabels;
};

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_INDEXDIGITS_H
