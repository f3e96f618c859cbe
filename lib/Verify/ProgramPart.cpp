//===- ProgramPart.cpp - A part of a program ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/TensorProgram.h"

#include "llvm/ADT/STLExtras.h"

#include <set>

using namespace mirage::verify;

/// Calls `visit` for each value that `value` is computed from.
static void forEachOperand(ProgramValue &value,
                           llvm::function_ref<void(unsigned &)> visit) {
  for (Piece &piece : value.pieces)
    for (OperandAccess &access : piece.operands)
      visit(access.value);
  if (value.pieces.empty() && value.kind != ProgramValue::Kind::Argument)
    visit(value.source);
}

TensorProgram TensorProgram::part(llvm::ArrayRef<unsigned> inputs,
                                  llvm::ArrayRef<unsigned> wanted) const {
  std::vector<ProgramValue> all = values;
  for (auto [number, input] : llvm::enumerate(inputs)) {
    ProgramValue argument;
    argument.shape = values[input].shape;
    argument.strides = values[input].strides;
    argument.size = values[input].size;
    argument.argument = arguments.size() + number;
    all[input] = std::move(argument);
  }
  std::set<unsigned> used(wanted.begin(), wanted.end());
  used.insert(arguments.begin(), arguments.end());
  used.insert(inputs.begin(), inputs.end());
  for (unsigned number = all.size(); number-- > 0;)
    if (used.count(number))
      forEachOperand(all[number], [&](unsigned &value) { used.insert(value); });

  TensorProgram result;
  result.graphs = graphs;
  std::vector<unsigned> numbers(all.size(), 0);
  for (unsigned number : used) {
    numbers[number] = result.values.size();
    forEachOperand(all[number],
                   [&](unsigned &value) { value = numbers[value]; });
    result.values.push_back(std::move(all[number]));
  }
  for (unsigned number : arguments)
    result.arguments.push_back(numbers[number]);
  for (unsigned number : inputs)
    result.arguments.push_back(numbers[number]);
  for (unsigned number : wanted)
    result.results.push_back(numbers[number]);
  return result;
}
