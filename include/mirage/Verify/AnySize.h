//===- AnySize.h - Proofs that hold for every size --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which dims of the arguments may have another size, the programs still being
// equal? Those along which both programs are *maps*: position n of each result
// is computed from position n of the arguments, in a way that mentions neither
// n nor the size. A batch is one, and so are the columns of a weight.
//
// **Why that is enough.** Let dims of arguments, of results and of all values
// between form a class (union-find: an op reads them through one iteration
// dim), and let no op reduce, shift, split or join a dim of it. Then by
// induction over the values there is a function F, the same for every size N of
// the class, with P_N(x)[n] = F(x[n]) for all n < N. So two such programs are
// equal at size N if and only if their F are, which does not depend on N: equal
// at one size, equal at all.
//
// **What a kernel is at another size.** The nest (i0, i1, ..) cuts the class
// into tiles of T; it is the same in all tiles of a block graph, and its
// indices cut nothing else and are not accumulated over. At size N the first
// index has ceil(N / (T * the others)) values instead, and the last tile is
// clipped. A dim that is not cut is a tile as a whole and has N elements, too.
//
// Dims of extent 1 are not followed. A dim that is reduced is never claimed,
// even where it could be (the keys of an attention without a mean): constants
// such as 1/4096 would have to be told from those that belong to another size.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_ANYSIZE_H
#define MIRAGE_VERIFY_ANYSIZE_H

#include "mirage/Verify/TensorProgram.h"

namespace mirage::verify {

struct ArgumentDim {
  unsigned argument = 0;
  unsigned dim = 0;
};

/// Classes of dims of the arguments: if both programs are equal, they are so
/// for every size of each class, its dims having the same size.
std::vector<llvm::SmallVector<ArgumentDim>>
findDimsOfAnySize(const TensorProgram &spec, const TensorProgram &candidate);

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_ANYSIZE_H
