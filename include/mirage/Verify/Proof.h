//===- Proof.h - Equal normal forms -----------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Executes two programs symbolically. Each value becomes one expression of
// `lib/Expr` in which the dims of the value are free labels; equal results have
// the same normal form, and programs with equal normal forms compute the same
// function over the real numbers, wherever both are defined.
//
// A block graph is executed without its tiles. Dim n of a tensor that is cut by
// a nest of indices into tiles of T elements gets one label, named by (nest, T,
// extent), although a tile holds only T of its positions. This is exact as long
// as
//
//   covered   the nest times T reaches the extent and nothing is shifted: each
//             position is in one tile, and what hangs over does not exist;
//   untangled the labels of one value use different indices. (The same index
//             under two labels would tie their positions together.) Values that
//             meet have equal labels where they are cut by equal nests;
//   complete  a sum over the positions of a tile is *pending* until its loop is
//             accumulated over; until then only what is linear may happen to
//             it. Both together are the sum over the label. Likewise for
//             maxima, to which nothing may happen in between;
//   assembled a result is put together by the nest by which its label was cut,
//             and depends on no other index.
//
// A tile of one element has no dim left for its label, which is then free in
// the expression: the index itself. Accumulating over a loop is a sum over such
// a label too.
//
// Where a program does not fit, or expressions grow too large, there is no
// proof.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_PROOF_H
#define MIRAGE_VERIFY_PROOF_H

#include "mirage/Verify/TensorProgram.h"

#include <string>

namespace mirage::verify {

/// True if both programs have equal normal forms; if not, `reason` says where
/// the proof ends. The results have equal types.
bool prove(const TensorProgram &spec, const TensorProgram &candidate,
           std::string &reason);

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_PROOF_H
