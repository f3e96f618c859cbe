//===- LinearLayoutReshape.cpp - Labels and shapes of layouts -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinearLayoutDetail.h"

#include "llvm/ADT/STLExtras.h"

#include <cassert>

using namespace mirage;
using namespace mirage::detail;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

/// Bit indices of the named labels, in the order of the names.
static SmallVector<unsigned> bitsOf(ArrayRef<LabelledDim> dims,
                                    ArrayRef<StringRef> names,
                                    LinearLayout::Dims &chosen) {
  SmallVector<unsigned> bits;
  for (StringRef name : names) {
    unsigned start = 0;
    for (const LabelledDim &dim : dims) {
      if (dim.name == name) {
        for (unsigned bit = 0; bit < dim.bits; ++bit)
          bits.push_back(start + bit);
        chosen.push_back(dim);
      }
      start += dim.bits;
    }
  }
  return bits;
}

static SmallVector<StringRef> namesOf(ArrayRef<LabelledDim> dims) {
  SmallVector<StringRef> names;
  for (const LabelledDim &dim : dims)
    names.push_back(dim.name);
  return names;
}

/// The chosen bits of a vector, in order.
static F2Vector selectBits(ArrayRef<uint64_t> vector, ArrayRef<unsigned> bits) {
  F2Vector result((bits.size() + 63) / 64, 0);
  for (auto [to, from] : llvm::enumerate(bits))
    depositBits(result, to, extractBits(vector, from, 1));
  return result;
}

LinearLayout LinearLayout::sublayout(ArrayRef<StringRef> inNames,
                                     ArrayRef<StringRef> outNames) const {
  Dims newIns, newOuts;
  SmallVector<unsigned> inBitList = bitsOf(ins, inNames, newIns);
  SmallVector<unsigned> outBitList = bitsOf(outs, outNames, newOuts);
  return fromMatrix(std::move(newIns), std::move(newOuts),
                    columns.selectColumns(inBitList).selectRows(outBitList),
                    selectBits(shift, outBitList));
}

LinearLayout LinearLayout::transposeIns(ArrayRef<StringRef> order) const {
  assert(order.size() == ins.size() && "name all in labels");
  return sublayout(order, namesOf(outs));
}

LinearLayout LinearLayout::transposeOuts(ArrayRef<StringRef> order) const {
  assert(order.size() == outs.size() && "name all out labels");
  return sublayout(namesOf(ins), order);
}

LinearLayout LinearLayout::reshapeIns(ArrayRef<LabelledDim> dims) const {
  assert(totalBits(dims) == totalInBits() && "sizes differ");
  LinearLayout result = *this;
  result.ins.assign(dims.begin(), dims.end());
  return result;
}

LinearLayout LinearLayout::reshapeOuts(ArrayRef<LabelledDim> dims) const {
  assert(totalBits(dims) == totalOutBits() && "sizes differ");
  LinearLayout result = *this;
  result.outs.assign(dims.begin(), dims.end());
  return result;
}

LinearLayout LinearLayout::flattenIns(StringRef name) const {
  return reshapeIns({{name.str(), totalInBits()}});
}

LinearLayout LinearLayout::flattenOuts(StringRef name) const {
  return reshapeOuts({{name.str(), totalOutBits()}});
}

static void renameDim(LinearLayout::Dims &dims, StringRef from, StringRef to) {
  assert((from == to || !findDim(dims, to)) && "label exists already");
  for (LabelledDim &dim : dims)
    if (dim.name == from) {
      dim.name = to.str();
      return;
    }
}

LinearLayout LinearLayout::renameIn(StringRef from, StringRef to) const {
  LinearLayout result = *this;
  renameDim(result.ins, from, to);
  return result;
}

LinearLayout LinearLayout::renameOut(StringRef from, StringRef to) const {
  LinearLayout result = *this;
  renameDim(result.outs, from, to);
  return result;
}

LinearLayout LinearLayout::withIns(ArrayRef<StringRef> names) const {
  LinearLayout result = sublayout(names, namesOf(outs));
  assert(result.totalInBits() == totalInBits() && "a label would be lost");
  result.ins.clear();
  for (StringRef name : names)
    result.ins.push_back({name.str(), inBits(name)});
  return result;
}

LinearLayout LinearLayout::padInWithZeros(StringRef in, unsigned bits) const {
  LinearLayout result;
  result.outs = outs;
  result.shift = shift;
  result.columns = F2Matrix(totalOutBits(), 0);
  Dims dims = ins;
  if (!findDim(dims, in))
    dims.push_back({in.str(), 0});
  F2Vector zero(columns.wordsPerColumn(), 0);
  for (LabelledDim &dim : dims) {
    for (unsigned bit = 0; bit < dim.bits; ++bit)
      result.columns.appendColumn(flatBasis(dim.name, bit));
    for (; dim.name == in && dim.bits < bits; ++dim.bits)
      result.columns.appendColumn(zero);
  }
  result.ins = std::move(dims);
  return result;
}

LinearLayout LinearLayout::removeInBits(StringRef in, uint64_t mask) const {
  SmallVector<unsigned> kept;
  Dims dims = ins;
  unsigned column = 0;
  for (LabelledDim &dim : dims) {
    unsigned removed = 0;
    for (unsigned bit = 0; bit < dim.bits; ++bit, ++column) {
      if (dim.name == in && ((mask >> bit) & 1))
        ++removed;
      else
        kept.push_back(column);
    }
    dim.bits -= removed;
  }
  return fromMatrix(std::move(dims), outs, columns.selectColumns(kept), shift);
}

LinearLayout LinearLayout::permuteInBits(StringRef in,
                                         ArrayRef<unsigned> order) const {
  assert(order.size() == inBits(in) && "name all bits");
  SmallVector<unsigned> list;
  unsigned start = inStart(in);
  for (unsigned column = 0; column < totalInBits(); ++column)
    list.push_back(column >= start && column < start + order.size()
                       ? start + order[column - start]
                       : column);
  return fromMatrix(ins, outs, columns.selectColumns(list), shift);
}

LinearLayout LinearLayout::resizeOut(StringRef out, unsigned bits) const {
  LinearLayout result;
  result.ins = ins;
  result.outs = outs;
  for (LabelledDim &dim : result.outs)
    if (dim.name == out)
      dim.bits = bits;
  result.columns = F2Matrix(totalBits(result.outs), 0);
  for (unsigned c = 0; c < columns.cols(); ++c)
    result.columns.appendColumn(result.joinOut(splitOut(columns.column(c))));
  result.shift = result.joinOut(splitOut(shift));
  return result;
}
