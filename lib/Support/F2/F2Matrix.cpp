//===- F2Matrix.cpp - Matrices over the field of two elements -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Support/F2/F2Matrix.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

#include <cassert>

using namespace mirage;
using llvm::ArrayRef;

static unsigned wordsFor(unsigned bits) { return (bits + 63) / 64; }

static bool getBit(ArrayRef<uint64_t> vector, unsigned bit) {
  return (vector[bit / 64] >> (bit % 64)) & 1;
}

static void xorInto(llvm::MutableArrayRef<uint64_t> into,
                    ArrayRef<uint64_t> from) {
  for (auto [a, b] : llvm::zip_equal(into, from))
    a ^= b;
}

/// Index of the lowest set bit, or nothing for the zero vector.
static std::optional<unsigned> lowestBit(ArrayRef<uint64_t> vector) {
  for (auto [index, word] : llvm::enumerate(vector))
    if (word)
      return index * 64 + llvm::countr_zero(word);
  return std::nullopt;
}

F2Matrix::F2Matrix(unsigned rows, unsigned cols)
    : numRows(rows), numCols(cols), numWords(wordsFor(rows)),
      words(size_t{numWords} * cols, 0) {}

F2Matrix F2Matrix::identity(unsigned size) {
  F2Matrix result(size, size);
  for (unsigned i = 0; i < size; ++i)
    result.set(i, i, true);
  return result;
}

F2Matrix F2Matrix::fromColumns(unsigned rows, ArrayRef<uint64_t> columns) {
  F2Matrix result(rows, columns.size());
  for (auto [index, bits] : llvm::enumerate(columns)) {
    assert((rows >= 64 || bits >> rows == 0) && "column has too many rows");
    if (rows > 0)
      result.column(index)[0] = bits;
  }
  return result;
}

void F2Matrix::set(unsigned row, unsigned col, bool value) {
  uint64_t &word = column(col)[row / 64];
  uint64_t mask = uint64_t{1} << (row % 64);
  word = value ? word | mask : word & ~mask;
}

void F2Matrix::appendColumn(ArrayRef<uint64_t> vector) {
  assert(vector.size() == numWords && "column of another height");
  words.append(vector.begin(), vector.end());
  ++numCols;
}

F2Vector F2Matrix::operator*(ArrayRef<uint64_t> vector) const {
  assert(vector.size() == wordsFor(numCols) && "vector of another size");
  F2Vector result(numWords, 0);
  for (auto [index, word] : llvm::enumerate(vector))
    for (uint64_t rest = word; rest; rest &= rest - 1)
      xorInto(result, column(index * 64 + llvm::countr_zero(rest)));
  return result;
}

F2Matrix F2Matrix::operator*(const F2Matrix &rhs) const {
  assert(numCols == rhs.numRows && "sizes of a matrix product do not meet");
  F2Matrix result(numRows, rhs.numCols);
  for (unsigned c = 0; c < rhs.numCols; ++c)
    for (auto [index, word] : llvm::enumerate(rhs.column(c)))
      for (uint64_t rest = word; rest; rest &= rest - 1)
        xorInto(result.column(c), column(index * 64 + llvm::countr_zero(rest)));
  return result;
}

F2Matrix F2Matrix::transposed() const {
  F2Matrix result(numCols, numRows);
  for (unsigned c = 0; c < numCols; ++c)
    for (unsigned r = 0; r < numRows; ++r)
      if (get(r, c))
        result.set(c, r, true);
  return result;
}

F2Matrix F2Matrix::selectColumns(ArrayRef<unsigned> columns) const {
  F2Matrix result(numRows, 0);
  for (unsigned c : columns)
    result.appendColumn(column(c));
  return result;
}

F2Matrix F2Matrix::selectRows(ArrayRef<unsigned> chosen) const {
  F2Matrix result(chosen.size(), numCols);
  for (unsigned c = 0; c < numCols; ++c)
    for (auto [to, from] : llvm::enumerate(chosen))
      if (get(from, c))
        result.set(to, c, true);
  return result;
}

F2Matrix F2Matrix::concatColumns(const F2Matrix &rhs) const {
  assert(numRows == rhs.numRows && "matrices of different heights");
  F2Matrix result = *this;
  for (unsigned c = 0; c < rhs.numCols; ++c)
    result.appendColumn(rhs.column(c));
  return result;
}

unsigned F2Matrix::rank() const { return pivotColumns().size(); }

llvm::SmallVector<unsigned, 64> F2Matrix::pivotColumns() const {
  F2Span span(numRows, numCols);
  llvm::SmallVector<unsigned, 64> result;
  for (unsigned c = 0; c < numCols; ++c)
    if (span.insert(column(c)))
      result.push_back(c);
  return result;
}

F2Matrix F2Matrix::kernel() const {
  F2Span span(numRows, numCols);
  F2Matrix result(numCols, 0);
  F2Vector relation;
  for (unsigned c = 0; c < numCols; ++c)
    if (!span.insert(column(c), &relation))
      result.appendColumn(relation);
  return result;
}

std::optional<F2Matrix> F2Matrix::solve(const F2Matrix &rhs) const {
  assert(numRows == rhs.numRows && "right-hand side of another height");
  F2Span span(numRows, numCols);
  for (unsigned c = 0; c < numCols; ++c)
    span.insert(column(c));
  F2Matrix result(numCols, 0);
  F2Vector combination;
  for (unsigned c = 0; c < rhs.numCols; ++c) {
    if (!span.contains(rhs.column(c), &combination))
      return std::nullopt;
    result.appendColumn(combination);
  }
  return result;
}

std::optional<F2Matrix> F2Matrix::inverse() const {
  if (numRows != numCols)
    return std::nullopt;
  return solve(identity(numRows));
}

bool F2Matrix::isZero() const {
  return llvm::all_of(words, [](uint64_t word) { return word == 0; });
}

/// Echelon vector i has none of the earlier pivots, so one pass in insertion
/// order clears every pivot for good.
void F2Span::reduce(F2Vector &vector, F2Vector &combination) const {
  for (auto [index, pivot] : llvm::enumerate(pivots))
    if (getBit(vector, pivot)) {
      xorInto(vector,
              ArrayRef(vectors).slice(index * vectorWords, vectorWords));
      xorInto(combination, ArrayRef(sums).slice(index * sumWords, sumWords));
    }
}

void F2Span::reduceWord(uint64_t &vector, uint64_t &combination) const {
  for (unsigned index = 0; index < pivots.size(); ++index) {
    uint64_t taken = -((vector >> pivots[index]) & 1);
    vector ^= vectors[index] & taken;
    combination ^= sums[index] & taken;
  }
}

bool F2Span::insertWord(uint64_t vector, uint64_t *relation) {
  assert(isNarrow() && numGenerators < 64 && "too wide for a word");
  uint64_t combination = uint64_t{1} << numGenerators++;
  reduceWord(vector, combination);
  if (vector) {
    vectors.push_back(vector);
    sums.push_back(combination);
    pivots.push_back(llvm::countr_zero(vector));
    return true;
  }
  if (relation)
    *relation = combination;
  return false;
}

bool F2Span::containsWord(uint64_t vector, uint64_t *combination) const {
  uint64_t sum = 0;
  reduceWord(vector, sum);
  if (combination)
    *combination = sum;
  return vector == 0;
}

static uint64_t firstWord(ArrayRef<uint64_t> vector) {
  return vector.empty() ? 0 : vector[0];
}

bool F2Span::insert(ArrayRef<uint64_t> vector, F2Vector *relation) {
  if (isNarrow()) {
    uint64_t sum;
    bool isNew = insertWord(firstWord(vector), &sum);
    if (!isNew && relation)
      relation->assign(sumWords, sum);
    return isNew;
  }
  assert(numGenerators < 64 * sumWords && "too many generators");
  F2Vector rest(vector);
  F2Vector combination(sumWords, 0);
  reduce(rest, combination);
  combination[numGenerators / 64] ^= uint64_t{1} << (numGenerators % 64);
  ++numGenerators;
  if (std::optional<unsigned> pivot = lowestBit(rest)) {
    vectors.append(rest);
    sums.append(combination);
    pivots.push_back(*pivot);
    return true;
  }
  if (relation)
    *relation = std::move(combination);
  return false;
}

bool F2Span::contains(ArrayRef<uint64_t> vector, F2Vector *combination) const {
  if (isNarrow()) {
    uint64_t sum;
    if (!containsWord(firstWord(vector), &sum))
      return false;
    if (combination)
      combination->assign(sumWords, sum);
    return true;
  }
  F2Vector rest(vector);
  F2Vector sum(sumWords, 0);
  reduce(rest, sum);
  if (lowestBit(rest))
    return false;
  if (combination)
    *combination = std::move(sum);
  return true;
}
