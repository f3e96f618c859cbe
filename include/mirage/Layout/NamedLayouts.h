//===- NamedLayouts.h - Constructors of well-known layouts ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocked, slice, tensor-core fragments of both vendors, swizzled shared
// memory: all are functions that return a LinearLayout; no pass asks for the
// kind. The bases follow Triton's conventions to the bit, so that layouts carry
// over.
//
// Register layouts map register, lane, warp, block (block of a cluster) to
// dim0, dim1, ...; shared ones map offset (in elements; plus block where a
// cluster shares the tensor). Every distributed kind fits its tile to the
// tensor in the same way: blocks split the tensor first; a tile smaller than a
// block's part grows by register bits, dim by dim in the growth order of the
// kind; where it is larger, the bases outside become 0 (replicas).
//
// All constructors take untrusted parameters; errors name the field, what it is
// and what was expected.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_NAMEDLAYOUTS_H
#define MIRAGE_LAYOUT_NAMEDLAYOUTS_H

#include "mirage/Support/F2/LinearLayout.h"

namespace mirage::layout {

using Shape = llvm::ArrayRef<uint64_t>;
using Sizes = llvm::SmallVector<uint64_t, 4>;

/// How the blocks of a cluster share a tensor. Empty: one block has it all.
struct ClusterSplit {
  Sizes ctasPerCGA; ///< blocks along each dim.
  Sizes ctaSplit;   ///< parts along each dim; the other blocks are replicas.
  Sizes ctaOrder;   ///< dims, fastest first.

  bool empty() const { return ctasPerCGA.empty(); }
};

/// Each thread holds a small box, threads and warps tile it in `order` (fastest
/// dim first).
struct BlockedParams {
  Sizes sizePerThread, threadsPerWarp, warpsPerCTA, order;
  ClusterSplit cluster;
};

/// Tensor cores of NVIDIA: version 2 is mma.sync, 3 is wgmma. `instrShape` is
/// m, n (and k) of one warp, with leading 1s for batch dims: 16 x 8, or 8 x 8
/// for the half-size m8n8 instructions; 16 x 8 to 16 x 256 for wgmma.
struct MmaParams {
  unsigned version = 2;
  Sizes instrShape, warpsPerCTA;
  ClusterSplit cluster;
};

/// Matrix cores of AMD. `instrShape` is m, n, k.
struct AmdMatrixParams {
  unsigned version = 3;
  Sizes instrShape, warpsPerCTA;
  bool transposed = false;
  unsigned elemBits = 32; ///< of the accumulator; 64 has its own MFMA layout.
};

/// Column c of row r lies at ((c/vec) xor ((r/perPhase) mod maxPhase))*vec +
/// c mod vec; `order` names the dims, fastest first.
struct SwizzledSharedParams {
  uint64_t vec = 1, perPhase = 1, maxPhase = 1;
  Sizes order;
  ClusterSplit cluster;
};

/// Shared memory as TMA and wgmma swizzle it.
struct NvmmaSharedParams {
  unsigned swizzleBytes = 0; ///< 0, 32, 64 or 128.
  unsigned elemBits = 16;
  bool transposed = false;
  ClusterSplit cluster;
};

enum class DotOperand { A, B };

/// "dim0", "dim1", ...
std::string dimName(unsigned dim);
/// {"register", "lane", "warp", "block"}.
llvm::ArrayRef<llvm::StringRef> registerLabels();

llvm::Expected<LinearLayout> makeBlocked(Shape shape,
                                         const BlockedParams &params);
llvm::Expected<LinearLayout> makeMmaAccumulator(Shape shape,
                                                const MmaParams &params);
/// `kWidth`: neighbouring values along K a lane holds (32 / element bits for
/// the natural fragment). `elemBits` is checked, the bases do not depend on it.
llvm::Expected<LinearLayout> makeMmaOperand(Shape shape, DotOperand operand,
                                            uint64_t kWidth, unsigned elemBits,
                                            const MmaParams &parent);
/// As the parent, with all of K in registers (the FMA form of a dot).
llvm::Expected<LinearLayout> makeBlockedOperand(Shape shape, DotOperand operand,
                                                const BlockedParams &parent);
llvm::Expected<LinearLayout> makeMfmaAccumulator(Shape shape,
                                                 const AmdMatrixParams &params);
llvm::Expected<LinearLayout> makeMfmaOperand(Shape shape, DotOperand operand,
                                             uint64_t kWidth,
                                             const AmdMatrixParams &parent);
llvm::Expected<LinearLayout> makeWmmaAccumulator(Shape shape,
                                                 const AmdMatrixParams &params);
llvm::Expected<LinearLayout> makeWmmaOperand(Shape shape, DotOperand operand,
                                             uint64_t kWidth,
                                             const AmdMatrixParams &parent);
llvm::Expected<LinearLayout>
makeSwizzledShared(Shape shape, const SwizzledSharedParams &params);
llvm::Expected<LinearLayout> makeNvmmaShared(Shape shape,
                                             const NvmmaSharedParams &params);

/// The layout of a reduction of `parent` along `dim`: that output is removed
/// (and dims behind it renamed), registers that became replicas too; replicas
/// of lanes, warps and blocks stay.
llvm::Expected<LinearLayout> makeSlice(const LinearLayout &parent,
                                       unsigned dim);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_NAMEDLAYOUTS_H
