//===- TileBuilder.h - Layouts from identity pieces -------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_LAYOUT_TILEBUILDER_H
#define MIRAGE_LIB_LAYOUT_TILEBUILDER_H

#include "mirage/Layout/NamedLayouts.h"

#include "llvm/ADT/Twine.h"

namespace mirage::layout::detail {

inline llvm::Error failure(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// In labels of a tile. Shared layouts use Register for offset.
enum Label : unsigned { Register, Lane, Warp, Block };

/// Builds a layout minor piece first: `identity` hands the next free bits of a
/// dim to a label, `zeros` makes replicas. Then `finish` fits it to a tensor.
class TileBuilder {
public:
  explicit TileBuilder(unsigned rank) : dimBits(rank, 0) {}

  /// id(size, label -> dim)
  void identity(uint64_t size, Label label, unsigned dim);
  /// zero(size, label)
  void zeros(uint64_t size, Label label);
  /// A basis that is given as it is; it must be in the tile already.
  void column(Label label, std::vector<uint64_t> numbers);
  /// Declares that a dim has at least this many bits (after `column`).
  void cover(unsigned dim, unsigned bits);
  unsigned bitsOf(unsigned dim) const { return dimBits[dim]; }

  /// Splits the tensor over the cluster, grows by registers in `growth` order,
  /// clips, and appends the block part.
  llvm::Expected<LinearLayout> finish(Shape shape, const ClusterSplit &cluster,
                                      llvm::ArrayRef<unsigned> growth);
  /// The same for shared memory: in labels offset and, with a cluster, block.
  llvm::Expected<LinearLayout> finishShared(Shape shape,
                                            const ClusterSplit &cluster,
                                            llvm::ArrayRef<unsigned> growth);

private:
  void fit(Shape shape, const ClusterSplit &cluster,
           llvm::ArrayRef<unsigned> growth);
  void clip(llvm::ArrayRef<unsigned> bits);

  std::vector<std::vector<uint64_t>> bases[4];
  llvm::SmallVector<unsigned, 4> dimBits;
};

/// Part of the tensor one block of the cluster has.
Sizes shapePerBlock(Shape shape, const ClusterSplit &cluster);

// Checks of untrusted fields.
llvm::Error checkPowerOfTwo(llvm::StringRef field, uint64_t value);
llvm::Error checkPowersOfTwo(llvm::StringRef field, Shape values);
/// 1, 2, 4, ..., 64.
llvm::Error checkElemBits(unsigned bits);
llvm::Error checkShape(Shape shape, unsigned minRank);
/// Powers of two, one per dim.
llvm::Error checkPerDim(llvm::StringRef field, Shape values, size_t rank);
llvm::Error checkOrder(llvm::StringRef field, Shape order, size_t rank);
llvm::Error checkCluster(const ClusterSplit &cluster, size_t rank);

} // namespace mirage::layout::detail

#endif // MIRAGE_LIB_LAYOUT_TILEBUILDER_H
