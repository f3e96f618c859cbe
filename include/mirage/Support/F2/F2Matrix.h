//===- F2Matrix.h - Matrices over the field of two elements -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// F2 = {0, 1} with xor as the sum and `and` as the product. A column is a list
// of 64-bit words, row r is bit r % 64 of word r / 64. Any size is allowed; up
// to 64 x 64, which covers every layout in practice, nothing is on the heap.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SUPPORT_F2_F2MATRIX_H
#define MIRAGE_SUPPORT_F2_F2MATRIX_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace mirage {

/// A vector over F2, 64 coordinates a word.
using F2Vector = llvm::SmallVector<uint64_t, 2>;

/// A matrix over F2, stored by columns.
class F2Matrix {
public:
  F2Matrix() = default;
  /// The zero matrix of this size.
  F2Matrix(unsigned rows, unsigned cols);

  static F2Matrix identity(unsigned size);
  /// One word a column; rows above 64 are 0. Bits at or above `rows` must be 0.
  static F2Matrix fromColumns(unsigned rows, llvm::ArrayRef<uint64_t> columns);

  unsigned rows() const { return numRows; }
  unsigned cols() const { return numCols; }
  unsigned wordsPerColumn() const { return numWords; }

  bool get(unsigned row, unsigned col) const {
    return (column(col)[row / 64] >> (row % 64)) & 1;
  }
  void set(unsigned row, unsigned col, bool value);

  llvm::ArrayRef<uint64_t> column(unsigned col) const {
    return llvm::ArrayRef<uint64_t>(words).slice(col * numWords, numWords);
  }
  llvm::MutableArrayRef<uint64_t> column(unsigned col) {
    return llvm::MutableArrayRef<uint64_t>(words).slice(col * numWords,
                                                        numWords);
  }
  void appendColumn(llvm::ArrayRef<uint64_t> vector);

  F2Matrix operator*(const F2Matrix &rhs) const;
  F2Vector operator*(llvm::ArrayRef<uint64_t> vector) const;
  bool operator==(const F2Matrix &rhs) const {
    return numRows == rhs.numRows && numCols == rhs.numCols &&
           words == rhs.words;
  }
  bool operator!=(const F2Matrix &rhs) const { return !(*this == rhs); }

  F2Matrix transposed() const;
  /// The chosen columns, in the given order.
  F2Matrix selectColumns(llvm::ArrayRef<unsigned> columns) const;
  /// The chosen rows, in the given order.
  F2Matrix selectRows(llvm::ArrayRef<unsigned> rows) const;
  /// [this | rhs].
  F2Matrix concatColumns(const F2Matrix &rhs) const;

  unsigned rank() const;
  /// Columns that do not depend on the columns before them.
  llvm::SmallVector<unsigned, 64> pivotColumns() const;
  /// A basis of { x : this * x = 0 }, one vector a column.
  F2Matrix kernel() const;
  /// X with this * X = rhs, or nothing. Only pivot columns are used (free
  /// variables are 0), so that the solution is the smallest place.
  std::optional<F2Matrix> solve(const F2Matrix &rhs) const;
  std::optional<F2Matrix> inverse() const;
  bool isZero() const;

private:
  unsigned numRows = 0;
  unsigned numCols = 0;
  unsigned numWords = 0;
  llvm::SmallVector<uint64_t, 64> words;
};

/// The span of vectors inserted one after the other. It remembers how each of
/// its echelon vectors is a sum of inserted ones ("generators"), so that it
/// tells not only whether a vector is in the span but as which sum.
class F2Span {
public:
  /// Of vectors with `rows` coordinates; at most `maxGenerators` insertions.
  F2Span(unsigned rows, unsigned maxGenerators)
      : vectorWords((rows + 63) / 64), sumWords((maxGenerators + 63) / 64) {}

  /// Inserts the next generator. True iff it enlarges the span; otherwise
  /// `relation`, if given, becomes the set of generators that sum to zero.
  bool insert(llvm::ArrayRef<uint64_t> vector, F2Vector *relation = nullptr);

  /// Whether `vector` is in the span; if so and `combination` is given, it
  /// becomes the set of generators that sum to it.
  bool contains(llvm::ArrayRef<uint64_t> vector,
                F2Vector *combination = nullptr) const;

  /// The same where vectors and sums have one word (`isNarrow`).
  bool insertWord(uint64_t vector, uint64_t *relation = nullptr);
  bool containsWord(uint64_t vector, uint64_t *combination = nullptr) const;
  bool isNarrow() const { return vectorWords <= 1 && sumWords <= 1; }

  unsigned rank() const { return pivots.size(); }
  unsigned generators() const { return numGenerators; }

private:
  void reduce(F2Vector &vector, F2Vector &combination) const;
  void reduceWord(uint64_t &vector, uint64_t &combination) const;

  // Echelon form: vector i has no pivot of an earlier one. Vector i takes
  // `vectorWords` words, the generators that sum to it `sumWords`.
  llvm::SmallVector<uint64_t, 64> vectors, sums;
  llvm::SmallVector<unsigned, 64> pivots;
  unsigned vectorWords, sumWords;
  unsigned numGenerators = 0;
};

} // namespace mirage

#endif // MIRAGE_SUPPORT_F2_F2MATRIX_H
