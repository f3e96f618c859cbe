//===- IndexDigits.h - Indices that are written in digits -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Expressions of `lib/Expr` whose accesses write an index as a number in mixed
// radix: the label list (g, l, t) of sizes (8, 4, 128) is the index
// (g * 4 + l) * 128 + t of a dim of extent 4096. Two rules are all there is:
//
//   split   a label of size a * b may be replaced, wherever it is free, by the
//           two labels of its quotient and remainder;
//   merge   labels that occur next to each other, and nowhere else, are one
//           label. Bound: S_g S_t f(g * T + t) = S_k f(k).
//
// Merging is what makes a sum over blocks, iterations and positions of a tile
// the sum over the dim.
//
// **Ragged** dims: the sizes of the digits may multiply to more than the extent
// of the dim, if only the last tile hangs over. Such an access has a meaning
// only where the index is below the extent, and whoever sums over such digits
// multiplies by the *indicator* I[g, l, t], 1 where the index is below the
// extent and 0 elsewhere. A maximum is taken of mask(I, e), which is e where I
// is 1 and does not count elsewhere. When all digits of a ragged dim merge, the
// indicator is 1.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_INDEXDIGITS_H
#define MIRAGE_LIB_VERIFY_INDEXDIGITS_H

#include "mirage/Expr/Expression.h"

#include <map>
#include <vector>

namespace mirage::verify {

/// Digits that take the place of a label; none: the digit is part of the one
/// before it.
using DigitMap = llvm::SmallDenseMap<LabelId, LabelList, 4>;

/// How the indices of an access are written.
struct AccessForm {
  unsigned tensor = 0;
  llvm::SmallVector<int64_t, 4> extents;
  llvm::SmallVector<unsigned, 4> digits; ///< Labels of each dim.
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
  /// True if `atom` is mask(indicator, e).
  static bool isMask(const Atom &atom);

  int64_t product(llvm::ArrayRef<LabelId> digits) const;

  /// Element of a tensor of `extents` at the indices `dims`.
  ExprId access(unsigned tensor, llvm::ArrayRef<int64_t> extents,
                llvm::ArrayRef<LabelList> dims);
  /// 1 where the index is below `extent`.
  ExprId indicator(int64_t extent, const LabelList &digits);
  /// `e` where `indicator` is 1; to be used under a maximum or minimum.
  ExprId mask(ExprId indicator, ExprId e);
  /// A maximum of maxima is one maximum.
  ExprId extremum(ExtremumKind kind, ExprId e, llvm::ArrayRef<LabelId> over);

  /// `e` with free labels written in digits.
  ExprId substitute(ExprId e, const DigitMap &map);
  /// `list` with its labels written in digits.
  static LabelList substitute(llvm::ArrayRef<LabelId> list,
                              const DigitMap &map);
  /// True if `label` is all of the index wherever it occurs in `e`.
  bool isAlone(ExprId e, LabelId label) const;

  /// Merges bound labels of `e`, and the digits of each of `dims`, of extents
  /// `extents`, which are free labels of `e`.
  ExprId merge(ExprId e, llvm::MutableArrayRef<LabelList> dims = {},
               llvm::ArrayRef<int64_t> extents = {});

private:
  struct Neighbours;
  uint32_t intern(AccessForm form);
  ExprId accessOf(AccessForm form, llvm::ArrayRef<LabelId> labels);
  bool hasDigits(ExprId e);
  bool findDigits(ExprId e);

  void collect(ExprId e, Neighbours &neighbours) const;
  void collectAtom(AtomId id, Neighbours &neighbours) const;
  /// Adds to `map` the merge of those of `labels` that belong together, and
  /// returns what is left of them.
  LabelList mergeLabels(llvm::ArrayRef<LabelId> labels,
                        const Neighbours &neighbours, unsigned depth,
                        DigitMap &map);

  ExprId rewrite(ExprId e, const DigitMap &map, unsigned depth, bool merging);
  ExprId rewriteTerm(const Term &term, const DigitMap &map, unsigned depth,
                     bool merging);
  ExprId rewriteAtom(AtomId id, const DigitMap &map, unsigned depth,
                     bool merging);
  ExprId rewriteAccess(const Atom &atom, const DigitMap &map);
  ExprId rewriteExtremum(const Atom &atom, const DigitMap &map, unsigned depth,
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
