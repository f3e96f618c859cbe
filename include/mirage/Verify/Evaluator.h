//===- Evaluator.h - Single elements of a program's results -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Computes chosen elements of a program's results over an algebra, a pair of
// prime fields (`FieldAlgebra`) or floating point (`RealAlgebra`), and of
// everything below them only what they need. An output element of a block graph
// belongs to one block; of that block only the tile elements are computed that
// reach it. So a few dozen elements of a program at its full size cost about as
// much as a few rows and columns of its inputs.
//
// Elements that were computed are remembered, for all blocks and iterations, up
// to a fixed number; beyond it they are computed again.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_EVALUATOR_H
#define MIRAGE_VERIFY_EVALUATOR_H

#include "mirage/Verify/FieldAlgebra.h"
#include "mirage/Verify/RealAlgebra.h"
#include "mirage/Verify/TensorProgram.h"

#include <vector>

namespace mirage::verify {

template <typename Value>
class ElementTable;

/// The random inputs of one test, shared by the programs that are compared.
template <typename Algebra>
class InputTable {
public:
  using Value = typename Algebra::Value;

  InputTable(const Algebra &algebra, llvm::ArrayRef<int64_t> sizes);

  Value get(unsigned input, int64_t element);

private:
  const Algebra &algebra;
  /// Remembered elements of the inputs that are small enough.
  std::vector<std::vector<Value>> tables;
  llvm::SmallVector<int64_t> sizes;
};

template <typename Algebra>
class Evaluator {
public:
  using Value = typename Algebra::Value;

  /// Gives up (`isExhausted`) after `maxSteps` scalar operations.
  Evaluator(const TensorProgram &program, Algebra &algebra,
            InputTable<Algebra> &inputs, uint64_t maxSteps);
  ~Evaluator();

  /// Result `number` at `index`.
  Value result(unsigned number, llvm::ArrayRef<int64_t> index);

  /// Element `element` of value `number` in a block and iteration.
  Value elementOf(unsigned number, const BlockPlace &place, int64_t element) {
    return get(number, place, element);
  }

  uint64_t steps() const { return stepCount; }
  bool isExhausted() const { return stepCount > maxSteps; }

private:
  Value get(unsigned number, const BlockPlace &place, int64_t element);
  Value compute(const ProgramValue &value, unsigned number,
                const BlockPlace &place, int64_t element);
  Value computeTile(const ProgramValue &value, const BlockPlace &place,
                    int64_t element);
  Value computeAssemble(const ProgramValue &value, int64_t element);
  Value computeAccumulate(const ProgramValue &value, const BlockPlace &place,
                          int64_t element);
  Value computePiece(const Piece &piece, llvm::ArrayRef<Value> constants,
                     const BlockPlace &place,
                     llvm::ArrayRef<int64_t> iteration);
  class Reader;
  template <typename Step>
  void forEachReduced(const Piece &piece,
                      llvm::MutableArrayRef<int64_t> iteration,
                      llvm::MutableArrayRef<Reader> readers, Step step);
  Value body(const Piece &piece, llvm::ArrayRef<Value> constants,
             llvm::ArrayRef<int64_t> iteration,
             llvm::MutableArrayRef<Reader> readers);
  int64_t familyIndex(const ProgramValue &value, const BlockPlace &place,
                      int64_t element) const;

  const TensorProgram &program;
  Algebra &algebra;
  InputTable<Algebra> &inputs;
  uint64_t maxSteps;
  uint64_t stepCount = 0;
  uint64_t rememberedCount = 0;
  /// Values whose elements are looked up and not computed again.
  std::vector<bool> isRemembered;
  /// The elements of each that were computed.
  std::vector<ElementTable<Value>> known;
  /// For each value, piece and node of its body the constant there, if any.
  std::vector<llvm::SmallVector<std::vector<Value>, 1>> constants;
};

extern template class InputTable<FieldAlgebra>;
extern template class InputTable<RealAlgebra>;
extern template class Evaluator<FieldAlgebra>;
extern template class Evaluator<RealAlgebra>;

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_EVALUATOR_H
