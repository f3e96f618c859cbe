//===- ReachedOutput.h - Outputs that depend on an element ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_REACHEDOUTPUT_H
#define MIRAGE_LIB_VERIFY_REACHEDOUTPUT_H

#include "mirage/Verify/Samples.h"

namespace mirage::verify {

/// An element of a value, of one in a block graph somewhere in the graph.
struct ElementPlace {
  unsigned value = 0;
  llvm::SmallVector<int64_t, 4> index;
  BlockPlace place;
};

/// Follows elements of a program to its results.
class ReachedOutput {
public:
  explicit ReachedOutput(const TensorProgram &program);

  /// An element of a result that is computed from the element, if one is found
  /// by following each value once.
  std::optional<Sample> find(const ElementPlace &element);

private:
  std::optional<Sample> follow(const ElementPlace &element);
  /// What user `number` makes of the element, in each way that it reads it.
  std::vector<ElementPlace> step(const ElementPlace &element,
                                 unsigned number) const;
  std::optional<ElementPlace> throughPiece(const ElementPlace &element,
                                           unsigned number, const Piece &piece,
                                           const OperandAccess &access) const;
  std::optional<ElementPlace> intoTile(ElementPlace element,
                                       unsigned number) const;
  std::optional<ElementPlace> outOfTile(ElementPlace element,
                                        unsigned number) const;

  const TensorProgram &program;
  std::vector<llvm::SmallVector<unsigned, 4>> users;
  std::vector<bool> seen;
};

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_REACHEDOUTPUT_H
