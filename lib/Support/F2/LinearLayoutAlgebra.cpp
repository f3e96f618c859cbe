//===- LinearLayoutAlgebra.cpp - compose, product, division, inverse ------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinearLayoutDetail.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cassert>

using namespace mirage;
using namespace mirage::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Composition
//===----------------------------------------------------------------------===//

static llvm::Error checkComposable(ArrayRef<LabelledDim> outs,
                                   ArrayRef<LabelledDim> ins) {
  for (const LabelledDim &out : outs) {
    const LabelledDim *in = findDim(ins, out.name);
    unsigned bits = in ? in->bits : 0;
    if (out.bits > bits)
      return failure("out label '" + out.name + "' of the first layout has " +
                     Twine(out.size()) + " values, the second layout takes " +
                     Twine(uint64_t{1} << bits));
  }
  for (const LabelledDim &in : ins)
    if (in.bits > 0 && !findDim(outs, in.name))
      return failure("in label '" + in.name +
                     "' of the second layout is no out label of the first");
  return llvm::Error::success();
}

/// The matrix that carries bits of `from` to the same bits of `to`, by label.
static F2Matrix matchLabels(ArrayRef<LabelledDim> from,
                            ArrayRef<LabelledDim> to) {
  F2Matrix result(totalBits(to), totalBits(from));
  unsigned column = 0;
  for (const LabelledDim &dim : from) {
    unsigned row = 0;
    for (const LabelledDim &other : to) {
      if (other.name == dim.name)
        for (unsigned bit = 0; bit < dim.bits; ++bit)
          result.set(row + bit, column + bit, true);
      row += other.bits;
    }
    column += dim.bits;
  }
  return result;
}

Expected<LinearLayout> LinearLayout::compose(const LinearLayout &outer) const {
  if (llvm::Error error = checkComposable(outs, outer.ins))
    return std::move(error);
  F2Matrix match = matchLabels(outs, outer.ins);
  F2Vector offset = outer.columns * (match * shift);
  xorWords(offset, outer.shift);
  return fromMatrix(ins, outer.outs, outer.columns * (match * columns), offset);
}

//===----------------------------------------------------------------------===//
// Product
//===----------------------------------------------------------------------===//

/// The shortest list that has both lists as subsequences, each label once.
static Expected<llvm::SmallVector<StringRef>>
mergeOrders(ArrayRef<LabelledDim> a, ArrayRef<LabelledDim> b) {
  llvm::SmallVector<StringRef> merged;
  while (!a.empty() || !b.empty()) {
    bool takeA = !a.empty() && !findDim(b, a.front().name);
    bool takeB = !b.empty() && !findDim(a, b.front().name);
    if (!takeA && !takeB) {
      if (a.front().name != b.front().name)
        return failure("the label orders disagree: '" + a.front().name +
                       "' comes before '" + b.front().name +
                       "' in the minor layout and after it in the major one");
      merged.push_back(a.front().name);
      a = a.drop_front();
      b = b.drop_front();
    } else if (takeA) {
      merged.push_back(a.front().name);
      a = a.drop_front();
    } else {
      merged.push_back(b.front().name);
      b = b.drop_front();
    }
  }
  return merged;
}

static LinearLayout::Dims addBits(ArrayRef<StringRef> names,
                                  ArrayRef<LabelledDim> a,
                                  ArrayRef<LabelledDim> b) {
  LinearLayout::Dims dims;
  for (StringRef name : names) {
    const LabelledDim *first = findDim(a, name), *second = findDim(b, name);
    dims.push_back(
        {name.str(), (first ? first->bits : 0) + (second ? second->bits : 0)});
  }
  return dims;
}

Expected<LinearLayout> LinearLayout::product(const LinearLayout &minor,
                                             const LinearLayout &major) {
  auto inNames = mergeOrders(minor.ins, major.ins);
  if (!inNames)
    return inNames.takeError();
  auto outNames = mergeOrders(minor.outs, major.outs);
  if (!outNames)
    return outNames.takeError();
  LinearLayout result;
  result.ins = addBits(*inNames, minor.ins, major.ins);
  result.outs = addBits(*outNames, minor.outs, major.outs);
  for (const Dims &dims : {result.ins, result.outs})
    for (const LabelledDim &dim : dims)
      if (dim.bits > 62)
        return failure("label '" + dim.name + "' of the product has 2^" +
                       Twine(dim.bits) + " values, expected at most 2^62");
  unsigned rows = totalBits(result.outs);
  result.columns = F2Matrix(rows, 0);
  result.shift.assign(result.columns.wordsPerColumn(), 0);

  auto embed = [&](const LinearLayout &part, ArrayRef<uint64_t> flat,
                   bool shifted) {
    F2Vector vector(result.columns.wordsPerColumn(), 0);
    for (auto [dim, number] : llvm::zip_equal(part.outs, part.splitOut(flat)))
      depositBits(vector,
                  result.outStart(dim.name) +
                      (shifted ? minor.outBits(dim.name) : 0),
                  number);
    return vector;
  };
  for (const LabelledDim &in : result.ins)
    for (unsigned bit = 0; bit < in.bits; ++bit) {
      unsigned minorBits = minor.inBits(in.name);
      result.columns.appendColumn(
          bit < minorBits
              ? embed(minor, minor.flatBasis(in.name, bit), false)
              : embed(major, major.flatBasis(in.name, bit - minorBits), true));
    }
  xorWords(result.shift, embed(minor, minor.shift, false));
  xorWords(result.shift, embed(major, major.shift, true));
  return result;
}

LinearLayout LinearLayout::operator*(const LinearLayout &major) const {
  Expected<LinearLayout> result = product(*this, major);
  assert(result && "label orders of a product disagree");
  return llvm::cantFail(std::move(result));
}

//===----------------------------------------------------------------------===//
// Division
//===----------------------------------------------------------------------===//

namespace {
/// Takes a layout apart into divisor and quotient. `left`: the divisor owns the
/// low bits of every label; otherwise it owns the high ones.
class Divider {
public:
  Divider(const LinearLayout &whole, const LinearLayout &divisor, bool left)
      : whole(whole), divisor(divisor), left(left) {}

  std::optional<LinearLayout> run();
  std::string reason;

private:
  bool fits();
  /// Splits a vector of the whole into the divisor's part and the rest.
  void split(ArrayRef<uint64_t> flat, F2Vector &mine, F2Vector &rest) const;
  bool fail(const Twine &message) {
    reason = message.str();
    return false;
  }

  const LinearLayout &whole;
  const LinearLayout &divisor;
  const bool left;
  LinearLayout::Dims ins, outs;
};
} // namespace

bool Divider::fits() {
  for (bool inputs : {true, false}) {
    ArrayRef<LabelledDim> all = inputs ? whole.inDims() : whole.outDims();
    ArrayRef<LabelledDim> part = inputs ? divisor.inDims() : divisor.outDims();
    for (const LabelledDim &dim : part) {
      const LabelledDim *other = findDim(all, dim.name);
      if (dim.bits > (other ? other->bits : 0))
        return fail(Twine(inputs ? "in" : "out") + " label '" + dim.name +
                    "' of the divisor has " + Twine(dim.size()) +
                    " values, the dividend has " +
                    Twine(other ? other->size() : 1));
    }
    for (const LabelledDim &dim : all) {
      const LabelledDim *other = findDim(part, dim.name);
      (inputs ? ins : outs)
          .push_back({dim.name, dim.bits - (other ? other->bits : 0)});
    }
  }
  return true;
}

void Divider::split(ArrayRef<uint64_t> flat, F2Vector &mine,
                    F2Vector &rest) const {
  mine.assign(divisor.matrix().wordsPerColumn(), 0);
  rest.assign((totalBits(outs) + 63) / 64, 0);
  unsigned start = 0, restStart = 0;
  for (auto [dim, restDim] : llvm::zip_equal(whole.outDims(), outs)) {
    unsigned mineBits = dim.bits - restDim.bits;
    unsigned mineAt = left ? start : start + restDim.bits;
    unsigned restAt = left ? start + mineBits : start;
    depositBits(mine, divisor.outStart(dim.name),
                extractBits(flat, mineAt, mineBits));
    depositBits(rest, restStart, extractBits(flat, restAt, restDim.bits));
    start += dim.bits;
    restStart += restDim.bits;
  }
}

std::optional<LinearLayout> Divider::run() {
  if (!fits())
    return std::nullopt;
  F2Matrix columns(totalBits(outs), 0);
  F2Vector mine, rest;
  for (const LabelledDim &in : whole.inDims()) {
    unsigned mineBits = divisor.inBits(in.name);
    unsigned mineAt = left ? 0 : in.bits - mineBits;
    for (unsigned bit = 0; bit < in.bits; ++bit) {
      split(whole.flatBasis(in.name, bit), mine, rest);
      bool isMine = bit >= mineAt && bit < mineAt + mineBits;
      if (isMine && (!isZeroVector(rest) ||
                     ArrayRef<uint64_t>(mine) !=
                         divisor.flatBasis(in.name, bit - mineAt))) {
        fail("basis " + Twine(bit) + " of '" + in.name +
             "' differs from the divisor's");
        return std::nullopt;
      }
      if (!isMine && !isZeroVector(mine)) {
        fail("basis " + Twine(bit) + " of '" + in.name +
             "' touches the outputs of the divisor");
        return std::nullopt;
      }
      if (!isMine)
        columns.appendColumn(rest);
    }
  }
  split(whole.flatOffset(), mine, rest);
  if (ArrayRef<uint64_t>(mine) != divisor.flatOffset()) {
    fail("the offset differs from the divisor's");
    return std::nullopt;
  }
  return LinearLayout::fromMatrix(ins, outs, std::move(columns), rest);
}

static std::optional<LinearLayout> divide(const LinearLayout &whole,
                                          const LinearLayout &divisor,
                                          bool left, std::string *why) {
  Divider divider(whole, divisor, left);
  std::optional<LinearLayout> result = divider.run();
  if (!result && why)
    *why = divider.reason;
  return result;
}

std::optional<LinearLayout>
LinearLayout::divideLeft(const LinearLayout &divisor, std::string *why) const {
  return divide(*this, divisor, /*left=*/true, why);
}

std::optional<LinearLayout>
LinearLayout::divideRight(const LinearLayout &divisor, std::string *why) const {
  return divide(*this, divisor, /*left=*/false, why);
}

//===----------------------------------------------------------------------===//
// Quotient and inverses
//===----------------------------------------------------------------------===//

bool LinearLayout::isTrivialOver(ArrayRef<StringRef> labels) const {
  for (StringRef label : labels) {
    if (inBits(label) != outBits(label))
      return false;
    unsigned start = outStart(label), bits = outBits(label);
    if (extractBits(shift, start, bits) != 0)
      return false;
    for (const LabelledDim &in : ins)
      for (unsigned bit = 0; bit < in.bits; ++bit) {
        ArrayRef<uint64_t> vector = flatBasis(in.name, bit);
        F2Vector expected(vector);
        bool own = in.name == label;
        if (own) {
          expected.assign(vector.size(), 0);
          depositBits(expected, start, uint64_t{1} << bit);
        }
        if (own ? ArrayRef<uint64_t>(expected) != vector
                : extractBits(vector, start, bits) != 0)
          return false;
      }
  }
  return true;
}

std::optional<LinearLayout>
LinearLayout::quotient(ArrayRef<StringRef> labels) const {
  if (!isTrivialOver(labels))
    return std::nullopt;
  auto others = [&](const Dims &dims) {
    llvm::SmallVector<StringRef> names;
    for (const LabelledDim &dim : dims)
      if (!llvm::is_contained(labels, dim.name))
        names.push_back(dim.name);
    return names;
  };
  return sublayout(others(ins), others(outs));
}

Expected<LinearLayout> LinearLayout::rightInverse() const {
  std::optional<F2Matrix> solution =
      columns.solve(F2Matrix::identity(columns.rows()));
  if (!solution)
    return failure("the layout is not surjective: the bases reach " +
                   Twine(columns.rank()) + " of " + Twine(columns.rows()) +
                   " output bits");
  F2Vector offset = *solution * shift;
  return fromMatrix(outs, ins, std::move(*solution), offset);
}

Expected<LinearLayout> LinearLayout::invert() const {
  llvm::SmallVector<unsigned, 64> pivots = columns.pivotColumns();
  if (pivots.size() == columns.cols())
    return rightInverse();
  unsigned column = 0;
  for (const LabelledDim &in : ins)
    for (unsigned bit = 0; bit < in.bits; ++bit, ++column)
      if (!llvm::is_contained(pivots, column))
        return failure("the layout is not injective: basis " + Twine(bit) +
                       " of '" + in.name + "' is a sum of the bases before it");
  llvm_unreachable("a column that is no pivot has a label");
}
