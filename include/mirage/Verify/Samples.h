//===- Samples.h - Which output elements are compared -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two programs are compared at chosen output elements, at their full size:
//
//   corners      combinations of first and last index of the dims
//   boundaries   the last element of the first tile, the first of the second
//                and of the last tile of each dim that a block graph cuts
//   parts        an output that depends on the first, one on the last and one
//   on
//                another element of each part of a concatenation, wherever in
//                the program it is
//   random       the rest
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_SAMPLES_H
#define MIRAGE_VERIFY_SAMPLES_H

#include "mirage/Verify/KeyedHash.h"
#include "mirage/Verify/TensorProgram.h"

#include <vector>

namespace mirage::verify {

/// One element of one result.
struct Sample {
  unsigned result = 0;
  llvm::SmallVector<int64_t, 4> index;
  /// Taken even if it is expensive.
  bool isEssential = false;
};

/// The corners and at most `count` more samples of each result of `spec`, each
/// once. The first and last element of each result are essential and come
/// first.
std::vector<Sample> chooseSamples(const TensorProgram &spec,
                                  const TensorProgram &candidate,
                                  unsigned count, const KeyedHash &random);

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_SAMPLES_H
