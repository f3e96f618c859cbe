//===- Certificate.h - Proofs that can be checked again ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A certificate states, for every value of two programs, what its element is: a
// formula over the elements of the arguments, at an index that is written in
// digits. The last claim is one formula for each result of both.
//
//   %0 = mugraph.exp %x          dims [[a],[b]]    is  exp(x[a,b])
//   %1 = mugraph.reduce sum %0   dims [[a],[]]     is  S_b exp(x[a,b])
//   %2 = mugraph.div %0, %1      dims [[a],[b]]    is  exp(x[a,b]) (S_c ..)^-1
//   %3 = mugraph.concat %x, %y   dims [[a],[k]]    is  x[a,k] where k < 6
//                                                      y[a,k-6] where 6 <= k
//
// The checker proves each claim from those on the operands and the meaning of
// the op, then that both results are the last claims. Proof.cpp found the
// formulas: it chose how to write indices, which sums to multiply out, what to
// merge. The checker chooses nothing. It does to the claims of the operands
// what the op does (substitute digits, add, multiply, take powers, sum; one
// short function for each law, `lib/Verify/Certificate/Formula.h`), and then
// compares the outcome with the claim side by side.
//
// **Proved** if the checker accepts: for all real arguments, wherever both are
// defined, both programs compute the same results, and in each block graph each
// element of a result is written by one block.
//
// **Trusted**: `TensorProgram`, which reads the meaning of a function from its
// ops and takes parts of it; the folder `lib/Verify/Certificate`; exact
// rationals and JSON of LLVM. Not trusted: whoever wrote the certificate. There
// is no code in common with `lib/Expr`, `Proof.cpp` and the symbolic execution.
//
// The JSON object, beside the names `function` and `implements`:
//
//   labels      sizes of all labels, at least 2
//   nodes       formulas and their parts; each may use earlier ones
//     {"terms":[{"scale":[n,d],"roots":[[base,n,d]],"over":[label..],
//                "factors":[[node,n,d]..]}..]}
//     {"read":argument,"at":[index..]}       {"below":extent,"at":index}
//     {"apply":function,"to":[node..]}       {"group":node}
//     {"max":node,"over":[label..],"where":[node..]}; a minimum is -max(-x)
//               an index is a list: an offset, then label and stride of each
//               digit; below is 1 where 0 <= index < extent
//   spec, candidate
//     graphs    digits of the grid and loop indices of each block graph
//     values {"dims":[[label..]..],"cases":[{"where":[node..],"is":node}..]},
//               in the order of TensorProgram
//   results     the same for each result
//
// or, for long programs, `steps`: a list of such objects, each with the numbers
// `spec_value` and `candidate_value` of two tensors that it proves equal. From
// then on that tensor is one more argument of both programs.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_CERTIFICATE_H
#define MIRAGE_VERIFY_CERTIFICATE_H

#include "mirage/Verify/TensorProgram.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace mirage::certificate {

/// Success if the certificate proves that the programs are equal; otherwise the
/// error says which claim does not follow, or what cannot be read.
llvm::Error check(const verify::TensorProgram &spec,
                  const verify::TensorProgram &candidate,
                  const llvm::json::Object &certificate);

} // namespace mirage::certificate

#endif // MIRAGE_VERIFY_CERTIFICATE_H
