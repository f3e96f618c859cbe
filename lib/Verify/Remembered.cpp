//===- Remembered.cpp - Which elements are not computed again -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remembered.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

int64_t mirage::verify::familySize(const TensorProgram &program,
                                   const ProgramValue &value) {
  int64_t size = value.size;
  if (value.graph < 0)
    return size;
  const BlockGraph &graph = program.graphs[value.graph];
  for (unsigned dim = 0; dim < 3; ++dim)
    if (value.gridMask >> dim & 1)
      size *= graph.grid[dim];
  return value.loop < 0 ? size : size * graph.loops[value.loop];
}

static bool isCheap(const Piece &piece) {
  return piece.reduction == Reduction::None &&
         llvm::none_of(piece.body.nodes(), [](const ScalarExpr::Node &node) {
           return node.kind == ScalarExpr::Kind::Apply &&
                  node.function != ScalarFunction::Add &&
                  node.function != ScalarFunction::Sub &&
                  node.function != ScalarFunction::Mul &&
                  node.function != ScalarFunction::Neg;
         });
}

/// How often an element of each value is read when all of the program is
/// evaluated, at most.
static std::vector<double> countReads(const TensorProgram &program) {
  std::vector<double> reads(program.values.size(), 0);
  for (unsigned result : program.results)
    reads[result] = 1;
  auto add = [&](unsigned operand, double count) {
    reads[operand] += count / familySize(program, program.values[operand]);
  };
  for (unsigned number = program.values.size(); number-- > 0;) {
    const ProgramValue &value = program.values[number];
    double elements = familySize(program, value);
    for (const Piece &piece : value.pieces)
      for (const OperandAccess &access : piece.operands) {
        double reduced = 1;
        for (unsigned dim : piece.reducedDims)
          reduced *= piece.extents[dim];
        if (access.used)
          add(access.value, elements * reduced);
      }
    if (value.pieces.empty() && value.kind != ProgramValue::Kind::Argument)
      add(value.source, value.kind == ProgramValue::Kind::Accumulate
                            ? elements * value.iterations
                            : elements);
  }
  return reads;
}

std::vector<bool>
mirage::verify::chooseRemembered(const TensorProgram &program) {
  std::vector<double> reads = countReads(program);
  std::vector<bool> isRemembered;
  for (auto [number, value] : llvm::enumerate(program.values))
    isRemembered.push_back(reads[number] > 1.5 || value.pieces.size() != 1 ||
                           !isCheap(value.pieces.front()));
  return isRemembered;
}
