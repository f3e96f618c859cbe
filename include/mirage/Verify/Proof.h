//===- Proof.h - Equal normal forms -----------------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Executes two programs symbolically. Each value becomes one expression of
// `lib/Expr`, its element at an index whose digits are free labels; equal
// results have the same normal form, and programs with equal normal forms
// compute the same function over the real numbers, wherever both are defined.
//
// Indices are numbers in mixed radix (`lib/Verify/IndexDigits.h`):
//
//   tile      a dim that the nest (g, l) cuts into tiles of T is the index
//             (g, l, t): g and l are labels of the block graph, the same in all
//             its values, t is the position in the tile;
//   op        runs over the digits of its operands; where they differ, they are
//             split until they agree;
//   reduce,   sums over the digits of a tile's dim, and later over l. That the
//   accumulate two, and the sum over the blocks of another kernel, are the sum
//             over the dim, is the rule of merging;
//   reshape   regroups digits;
//   result    g and l become the digits of the dim along which it is put
//             together;
//   slice,    the part [o, o + n) of a dim is the index o + j, where o may be a
//   shift     multiple of the lower digits;
//   concat    the element has *cases*: x[k] where k < a, y[k - a] where a <= k.
//             An op does its work on each combination of cases of its operands
//             that is possible; a sum over k adds up the cases, each multiplied
//             by the indicator of its condition.
//
// So a block graph means what its IR says, partial sums and all: nothing is
// assumed of how the parts belong together. A dim whose last tile hangs over is
// *ragged*: its last digit exists only below the extent of the dim. A sum over
// it multiplies by an indicator, which is 1 as soon as the digits merge. So it
// makes no difference whether a concatenation is read part by part, or by tiles
// of which one has the seam inside. In the end the sums of both programs are
// cut where either reads a part of an argument.
//
// **In parts.** Expressions of long programs grow with every function that uses
// its argument twice. If the programs as they are have no proof, tensors of the
// candidate are compared with tensors of the specification, in order, and a
// pair that is equal becomes one more argument of both: what is equal for every
// value of that argument is equal for the one that both compute. Only
// simplifications across such a tensor are lost.
//
// Where digits do not line up, or expressions grow too large, there is no
// proof.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_PROOF_H
#define MIRAGE_VERIFY_PROOF_H

#include "mirage/Verify/TensorProgram.h"

#include "llvm/Support/JSON.h"

#include <string>

namespace mirage::verify {

/// True if both programs have equal normal forms; if not, `reason` says where
/// the proof ends. The results have equal types. The normal forms are written
/// to `certificate`, if given, so that `Certificate.h` can check them.
bool prove(const TensorProgram &spec, const TensorProgram &candidate,
           std::string &reason, llvm::json::Object *certificate = nullptr);

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_PROOF_H
