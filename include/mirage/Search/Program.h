//===- Program.h - What the search is given ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor program as plain data. Each op is a loop nest, as in the meaning of
// the mugraph ops: result element = reduction over some iteration dims of a
// scalar body over elements of the operands.
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_PROGRAM_H
#define MIRAGE_SEARCH_PROGRAM_H

#include "mirage/Expr/Rational.h"

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace mirage::search {

using TensorId = uint32_t;
using Extents = llvm::SmallVector<int64_t, 4>;

struct Tensor {
  Extents shape;
  unsigned elementBits = 32;

  int64_t elements() const {
    int64_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    return count;
  }
  double bytes() const { return double(elements()) * elementBits / 8; }
};

/// The largest of the arguments, of which the search knows a little more than
/// of other functions.
constexpr uint32_t maximumFunction = 1;

/// A node of a scalar body; arguments come before their users, the last node is
/// the value. `Function` is any other function, named by a number: the search
/// knows of it only that equal arguments give equal results.
struct ScalarNode {
  enum class Kind { Operand, Constant, Add, Multiply, Power, Exp, Function };
  Kind kind;
  unsigned operand = 0;  ///< of Operand.
  Rational constant = 0; ///< of Constant; the exponent of Power.
  uint32_t function = 0; ///< of Function; not 0, which is exp.
  llvm::SmallVector<unsigned, 2> arguments;
};

enum class Reduction { None, Sum, Max, Min };

struct Op {
  /// The op of the input program that this one is a part of. Numbers ascend.
  unsigned source = 0;
  llvm::SmallVector<TensorId, 2> operands;
  TensorId result = 0;
  Extents extents; ///< of the iteration dims.
  /// For each dim of each operand the iteration dim that indexes it, or -1
  /// where it is read at index 0.
  llvm::SmallVector<llvm::SmallVector<int, 4>, 2> operandDims;
  /// The same for the result; unused iteration dims are reduced.
  llvm::SmallVector<int, 4> resultDims;
  Reduction reduction = Reduction::None;
  std::vector<ScalarNode> body;
  /// Of a slice: where the result starts in the operand, one number a dim. Such
  /// an op and a concat have no iteration dims and no body.
  Extents offsets;
  /// Of a concat: the dim along which the operands follow each other.
  int concatDim = -1;
  /// A reshape that splits dims, which has no iteration dims and no body
  /// either.
  bool isSplit = false;
  /// There is no such description: the op is a kernel of its own.
  bool isOpaque = false;
  /// The result is the operand's memory, seen otherwise: no kernel by itself.
  bool isView = false;

  bool isSlice() const { return !offsets.empty(); }
  bool isConcat() const { return concatDim >= 0; }
};

struct Program {
  std::vector<Tensor> tensors; ///< arguments and results of ops.
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
  std::vector<Op> ops; ///< in an order in which they can run.
  unsigned numSources = 0;
};

/// The sizes of the dims that a reshape splits each dim into, without those of
/// size 1 unless there are no others; nothing if it joins dims.
std::optional<std::vector<Extents>> splitDims(llvm::ArrayRef<int64_t> coarse,
                                              llvm::ArrayRef<int64_t> fine);

} // namespace mirage::search

#endif // MIRAGE_SEARCH_PROGRAM_H
