//===- BankConflicts.h - Wavefronts of shared memory as ranks ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared memory serves some lanes at a time (a phase, see TargetDescription),
// one word of 4 bytes a bank in a cycle (a wavefront). Let W be the linear map
// from the lanes of a phase and the words of one lane's vector to the word
// address, and b the projection to the low log2(banks) bits. Every bank that is
// touched receives exactly 2^(rank W - rank bW) different words:
//
//   wavefronts of the phase = 2^(rank W - rank bW) = 2^dim(im W & ker b)
//
// Equal words are already merged, since W is a map and not a list. This holds
// for any matrix and needs no enumeration.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_BANKCONFLICTS_H
#define MIRAGE_LAYOUT_BANKCONFLICTS_H

#include "mirage/Target/TargetDescription.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace mirage::layout {

/// Wavefronts of one access by all lanes of a warp, and the fewest possible.
struct Wavefronts {
  uint64_t count = 0;
  uint64_t ideal = 0; ///< one per phase.

  uint64_t extra() const { return ideal ? count / ideal - 1 : 0; }
};

/// 2^(rank W - rank bW), where `words` are the columns of W.
uint64_t phaseWavefronts(llvm::ArrayRef<uint64_t> words, unsigned banks);

/// One vector access. `laneColumns`: element offset of each lane bit (absent
/// bits are replicas); a lane accesses `vectorElems` elements of `elemBits`
/// from its offset on. Vector and element sizes are powers of two, elements of
/// at least 8 bits. Lanes with a bit of `idleLanes` set take no part; a phase
/// without others costs nothing.
Wavefronts vectorWavefronts(llvm::ArrayRef<uint64_t> laneColumns,
                            unsigned vectorElems, unsigned elemBits,
                            const TargetDescription &target,
                            uint64_t idleLanes = 0);

/// One ldmatrix or stmatrix of `matrices` 8x8 tiles. `rowColumns`: element
/// offset of the three bits of the row of 16 bytes. A tile is one phase.
Wavefronts matrixWavefronts(llvm::ArrayRef<uint64_t> rowColumns,
                            unsigned matrices, unsigned elemBits,
                            const TargetDescription &target);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_BANKCONFLICTS_H
