//===- Symmetry.h - Which outputs stand for all -----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sampled outputs say something about all outputs if the programs treat all
// positions of a dim alike. Most do: exchanging two columns of W exchanges two
// columns of X W, in the specification and in any kernel that cuts the columns
// into tiles. If both programs commute with a group of permutations of the
// positions, and it carries output element o to o', then they agree at o, as
// functions of the inputs, if and only if they agree at o'. So one element of
// each orbit is enough.
//
// The group is found by following the dims. All dims that must be permuted
// together form a *class* (union-find over both programs):
//
//   argument i, dim d       one class for both programs
//   op with a meaning       a dim of an operand and a dim of the result that
//                           are read through the same iteration dim are one
//                           class; a reduced dim has no result: any reduction
//                           is symmetric
//   tile of extent T        dim n of the tensor is (block b, position j) with
//                           n = b T + j. The group of the class shrinks to
//                           permutations of the b times permutations of the j;
//                           the dim of the tile is "class at T"
//   an index over tiles     acts on the b of every class that it cuts: it may
//                           cut only one
//
// Several tile extents in one class must divide each other, the group is then
// the product of the permutations of the digits. A last tile that is clipped to
// r < T elements stays in place, and j < r and j >= r are permuted apart: three
// orbits, met at (0, 0), (0, r) and (last, 0). Whatever does not fit these
// rules (slices, concatenation and reshapes of a dim, a tile that is combined
// with a tile of another class) makes a class *rigid*: its positions stay, and
// each is an orbit of its own.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_SYMMETRY_H
#define MIRAGE_VERIFY_SYMMETRY_H

#include "mirage/Verify/Samples.h"
#include "mirage/Verify/TensorProgram.h"

#include <optional>
#include <vector>

namespace mirage::verify {

/// One element of each orbit of output elements; none if there are more than
/// `limit`, or if two dims of a result are permuted together.
std::optional<std::vector<Sample>>
orbitRepresentatives(const TensorProgram &spec, const TensorProgram &candidate,
                     unsigned limit);

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_SYMMETRY_H
