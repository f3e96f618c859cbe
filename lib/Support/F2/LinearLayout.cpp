//===- LinearLayout.cpp - Layouts as labelled matrices over F2 ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Making, looking, equality and printing. The algebra is in
// LinearLayoutAlgebra.cpp, changes of labels in LinearLayoutReshape.cpp.
//
//===----------------------------------------------------------------------===//

#include "mirage/Support/F2/LinearLayout.h"

#include "LinearLayoutDetail.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/raw_ostream.h"

#include <cassert>

using namespace mirage;
using namespace mirage::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

/// Sizes above this are refused: places and elements must be `uint64_t`.
static constexpr unsigned maxDimBits = 62;
/// Guards against absurd input; real layouts have a few dozen bits.
static constexpr unsigned maxTotalBits = 4096;

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

static std::string numbersToString(ArrayRef<uint64_t> numbers) {
  std::string text = "(";
  llvm::raw_string_ostream os(text);
  llvm::interleave(numbers, os, ",");
  return text + ")";
}

static Expected<LinearLayout::Dims>
checkOuts(ArrayRef<LinearLayout::OutSize> outs) {
  LinearLayout::Dims dims;
  for (const LinearLayout::OutSize &out : outs) {
    if (llvm::any_of(dims, [&](auto &dim) { return dim.name == out.name; }))
      return failure("out label '" + out.name + "' is repeated");
    if (!llvm::has_single_bit(out.size) || out.size >> maxDimBits > 1)
      return failure("out label '" + out.name + "' has size " +
                     Twine(out.size) + ", expected a power of two");
    dims.push_back({out.name, unsigned(llvm::countr_zero(out.size))});
  }
  return dims;
}

static llvm::Error checkNumbers(ArrayRef<uint64_t> numbers,
                                ArrayRef<LabelledDim> outs, const Twine &what) {
  if (numbers.size() != outs.size())
    return failure(what + " " + numbersToString(numbers) + " has " +
                   Twine(numbers.size()) + " numbers, expected " +
                   Twine(outs.size()) + ", one per out label");
  for (auto [number, out] : llvm::zip_equal(numbers, outs))
    if (number >= out.size())
      return failure(what + " " + numbersToString(numbers) +
                     " is out of range: " + Twine(number) + " in '" + out.name +
                     "' of size " + Twine(out.size()));
  return llvm::Error::success();
}

static llvm::Error checkIns(ArrayRef<LinearLayout::InBases> inputs,
                            ArrayRef<LabelledDim> outs) {
  llvm::SmallVector<StringRef> seen;
  size_t total = 0;
  for (const LinearLayout::InBases &in : inputs) {
    if (llvm::is_contained(seen, in.name))
      return failure("in label '" + in.name + "' is repeated");
    seen.push_back(in.name);
    total += in.bases.size();
    if (in.bases.size() > maxDimBits)
      return failure("in label '" + in.name + "' has " +
                     Twine(in.bases.size()) + " bases, expected at most " +
                     Twine(maxDimBits));
    for (auto [index, basis] : llvm::enumerate(in.bases))
      if (llvm::Error error = checkNumbers(
              basis, outs, "basis " + Twine(index) + " of '" + in.name + "'"))
        return error;
  }
  if (total > maxTotalBits)
    return failure("the layout has " + Twine(total) +
                   " bases, expected at most " + Twine(maxTotalBits));
  return llvm::Error::success();
}

Expected<LinearLayout> LinearLayout::create(ArrayRef<InBases> inputs,
                                            ArrayRef<OutSize> outSizes,
                                            ArrayRef<uint64_t> offset) {
  Expected<Dims> outDims = checkOuts(outSizes);
  if (!outDims)
    return outDims.takeError();
  if (totalBits(*outDims) > maxTotalBits)
    return failure("the out labels have more than " + Twine(maxTotalBits) +
                   " bits");
  if (llvm::Error error = checkIns(inputs, *outDims))
    return std::move(error);
  if (!offset.empty())
    if (llvm::Error error = checkNumbers(offset, *outDims, "offset"))
      return std::move(error);
  LinearLayout result;
  result.outs = std::move(*outDims);
  result.columns = F2Matrix(totalBits(result.outs), 0);
  for (const InBases &in : inputs) {
    result.ins.push_back({in.name, unsigned(in.bases.size())});
    for (const std::vector<uint64_t> &basis : in.bases)
      result.columns.appendColumn(result.joinOut(basis));
  }
  result.shift = offset.empty() ? F2Vector(result.columns.wordsPerColumn(), 0)
                                : result.joinOut(offset);
  return result;
}

LinearLayout LinearLayout::fromMatrix(Dims ins, Dims outs, F2Matrix matrix,
                                      ArrayRef<uint64_t> offset) {
  assert(totalBits(ins) == matrix.cols() && totalBits(outs) == matrix.rows() &&
         "labels do not cover the matrix");
  LinearLayout result;
  result.ins = std::move(ins);
  result.outs = std::move(outs);
  result.columns = std::move(matrix);
  if (offset.empty())
    result.shift.assign(result.columns.wordsPerColumn(), 0);
  else
    result.shift.assign(offset.begin(), offset.end());
  return result;
}

LinearLayout LinearLayout::identity(uint64_t size, StringRef in,
                                    StringRef out) {
  assert(llvm::has_single_bit(size) && "size is not a power of two");
  unsigned bits = llvm::countr_zero(size);
  return fromMatrix({{in.str(), bits}}, {{out.str(), bits}},
                    F2Matrix::identity(bits));
}

LinearLayout LinearLayout::zeros(uint64_t size, StringRef in, StringRef out,
                                 uint64_t outSize) {
  assert(llvm::has_single_bit(size) && llvm::has_single_bit(outSize) &&
         "size is not a power of two");
  unsigned bits = llvm::countr_zero(size);
  unsigned outBits = llvm::countr_zero(outSize);
  return fromMatrix({{in.str(), bits}}, {{out.str(), outBits}},
                    F2Matrix(outBits, bits));
}

//===----------------------------------------------------------------------===//
// Looking
//===----------------------------------------------------------------------===//

bool LinearLayout::hasIn(StringRef name) const { return findDim(ins, name); }
bool LinearLayout::hasOut(StringRef name) const { return findDim(outs, name); }

unsigned LinearLayout::inBits(StringRef name) const {
  const LabelledDim *dim = findDim(ins, name);
  return dim ? dim->bits : 0;
}

unsigned LinearLayout::outBits(StringRef name) const {
  const LabelledDim *dim = findDim(outs, name);
  return dim ? dim->bits : 0;
}

static unsigned startOf(ArrayRef<LabelledDim> dims, StringRef name) {
  unsigned start = 0;
  for (const LabelledDim &dim : dims) {
    if (dim.name == name)
      break;
    start += dim.bits;
  }
  return start;
}

unsigned LinearLayout::inStart(StringRef name) const {
  return startOf(ins, name);
}
unsigned LinearLayout::outStart(StringRef name) const {
  return startOf(outs, name);
}

SmallVector<uint64_t, 4> LinearLayout::splitOut(ArrayRef<uint64_t> flat) const {
  SmallVector<uint64_t, 4> numbers;
  unsigned start = 0;
  for (const LabelledDim &dim : outs) {
    numbers.push_back(extractBits(flat, start, dim.bits));
    start += dim.bits;
  }
  return numbers;
}

F2Vector LinearLayout::joinOut(ArrayRef<uint64_t> numbers) const {
  F2Vector flat(columns.wordsPerColumn(), 0);
  unsigned start = 0;
  for (auto [dim, number] : llvm::zip_equal(outs, numbers)) {
    depositBits(flat, start, number);
    start += dim.bits;
  }
  return flat;
}

SmallVector<uint64_t, 4> LinearLayout::basis(StringRef in, unsigned bit) const {
  assert(bit < inBits(in) && "no such basis");
  return splitOut(flatBasis(in, bit));
}

uint64_t LinearLayout::basis(StringRef in, unsigned bit, StringRef out) const {
  assert(bit < inBits(in) && "no such basis");
  return extractBits(flatBasis(in, bit), outStart(out), outBits(out));
}

SmallVector<uint64_t, 4> LinearLayout::offset() const {
  return splitOut(shift);
}

bool LinearLayout::isLinear() const {
  return llvm::all_of(shift, [](uint64_t word) { return word == 0; });
}

LinearLayout LinearLayout::linearPart() const {
  LinearLayout result = *this;
  result.shift.assign(columns.wordsPerColumn(), 0);
  return result;
}

LinearLayout LinearLayout::withOffset(ArrayRef<uint64_t> offset) const {
  LinearLayout result = *this;
  result.shift = joinOut(offset);
  return result;
}

SmallVector<uint64_t, 4> LinearLayout::apply(ArrayRef<uint64_t> place) const {
  assert(place.size() == ins.size() && "one number per in label");
  F2Vector flat(shift);
  unsigned start = 0;
  for (auto [dim, number] : llvm::zip_equal(ins, place)) {
    for (unsigned bit = 0; bit < dim.bits; ++bit)
      if ((number >> bit) & 1)
        xorWords(flat, columns.column(start + bit));
    start += dim.bits;
  }
  return splitOut(flat);
}

SmallVector<uint64_t, 4>
LinearLayout::apply(ArrayRef<std::pair<StringRef, uint64_t>> place) const {
  SmallVector<uint64_t, 4> numbers(ins.size(), 0);
  for (auto [name, number] : place)
    for (auto [index, dim] : llvm::enumerate(ins))
      if (dim.name == name)
        numbers[index] = number;
  return apply(numbers);
}

uint64_t LinearLayout::applyFlat(uint64_t place) const {
  assert(totalInBits() <= 64 && totalOutBits() <= 64 && "too wide for a word");
  if (totalOutBits() == 0)
    return 0;
  uint64_t result = shift[0];
  for (; place; place &= place - 1)
    result ^= columns.column(llvm::countr_zero(place))[0];
  return result;
}

bool LinearLayout::isSurjective() const {
  return columns.rank() == columns.rows();
}
bool LinearLayout::isInjective() const {
  return columns.rank() == columns.cols();
}

uint64_t LinearLayout::freeVariableMask(StringRef in) const {
  unsigned start = inStart(in), bits = inBits(in);
  uint64_t mask = (uint64_t{1} << bits) - 1;
  for (unsigned pivot : columns.pivotColumns())
    if (pivot >= start && pivot < start + bits)
      mask &= ~(uint64_t{1} << (pivot - start));
  return mask;
}

uint64_t LinearLayout::zeroBasisMask(StringRef in) const {
  uint64_t mask = 0;
  for (unsigned bit = 0; bit < inBits(in); ++bit)
    if (isZeroVector(flatBasis(in, bit)))
      mask |= uint64_t{1} << bit;
  return mask;
}

llvm::Error LinearLayout::verifyDistributed() const {
  llvm::SmallVector<std::string> owner(totalOutBits());
  for (const LabelledDim &in : ins)
    for (unsigned bit = 0; bit < in.bits; ++bit) {
      ArrayRef<uint64_t> vector = flatBasis(in.name, bit);
      unsigned ones = 0;
      for (uint64_t word : vector)
        ones += llvm::popcount(word);
      std::string name = ("basis " + Twine(bit) + " of '" + in.name + "' " +
                          numbersToString(basis(in.name, bit)))
                             .str();
      if (ones > 1)
        return failure(name + " has " + Twine(ones) +
                       " bits set, expected at most one");
      if (ones == 0)
        continue;
      std::string &first = owner[lowestBitOf(vector)];
      if (!first.empty())
        return failure(name + " repeats " + first);
      first = name;
    }
  if (!isSurjective())
    return failure("the layout is not surjective: the bases reach " +
                   Twine(columns.rank()) + " of " + Twine(columns.rows()) +
                   " bits of the tensor");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Equality, hashing, printing
//===----------------------------------------------------------------------===//

static SmallVector<StringRef> sortedLabels(ArrayRef<LabelledDim> dims) {
  SmallVector<StringRef> names;
  for (const LabelledDim &dim : dims)
    if (dim.bits > 0)
      names.push_back(dim.name);
  llvm::sort(names);
  return names;
}

bool LinearLayout::isSameMap(const LinearLayout &rhs) const {
  return sublayout(sortedLabels(ins), sortedLabels(outs)) ==
         rhs.sublayout(sortedLabels(rhs.ins), sortedLabels(rhs.outs));
}

llvm::hash_code mirage::hash_value(const LinearLayout &layout) {
  llvm::hash_code hash = llvm::hash_combine(layout.ins.size());
  for (ArrayRef<LabelledDim> side : {layout.inDims(), layout.outDims()})
    for (const LabelledDim &dim : side)
      hash = llvm::hash_combine(hash, StringRef(dim.name), dim.bits);
  for (unsigned c = 0; c < layout.columns.cols(); ++c) {
    ArrayRef<uint64_t> column = layout.columns.column(c);
    hash = llvm::hash_combine(
        hash, llvm::hash_combine_range(column.begin(), column.end()));
  }
  return llvm::hash_combine(
      hash, llvm::hash_combine_range(layout.shift.begin(), layout.shift.end()));
}

void LinearLayout::print(llvm::raw_ostream &os) const {
  llvm::interleave(
      ins, os,
      [&](const LabelledDim &in) {
        os << in.name << ":";
        for (unsigned bit = 0; bit < in.bits; ++bit)
          os << " " << numbersToString(basis(in.name, bit));
      },
      "; ");
  os << " -> ";
  llvm::interleave(
      outs, os,
      [&](const LabelledDim &out) { os << out.name << ": " << out.size(); },
      ", ");
  if (!isLinear())
    os << " offset " << numbersToString(offset());
}

std::string LinearLayout::toString() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}
