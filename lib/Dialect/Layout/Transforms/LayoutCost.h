//===- LayoutCost.h - What a layout costs -----------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Costs are issue slots of one warp, as all warps of a block run the same
// instructions on their registers: replicas therefore show up as more registers
// for each thread. They are estimates that rank layouts against each other, not
// times.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LAYOUTCOST_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LAYOUTCOST_H

#include "CandidateLayouts.h"

#include "llvm/ADT/DenseMap.h"

namespace mirage::layout {

class LayoutCost {
public:
  /// Conversions may use `scratchBytes` bytes of shared memory.
  LayoutCost(const TargetDescription &target, int64_t scratchBytes)
      : target(target), scratchBytes(scratchBytes) {}

  /// A load or a store of all registers: instructions and 32-byte sectors.
  double memoryAccess(const MemoryShape &memory, LinearLayoutAttr layout,
                      bool isStore);
  /// The exchange of data from one layout to the other.
  double conversion(LinearLayoutAttr from, LinearLayoutAttr to,
                    unsigned elementBits);
  /// A reduction along `axis` of a tile in this layout: what each thread does
  /// by itself, and what threads do together.
  double reductionInThread(LinearLayoutAttr layout);
  double reductionAcrossThreads(LinearLayoutAttr layout, unsigned axis);
  /// An elementwise op.
  double elementwise(mlir::Operation *op, LinearLayoutAttr layout);
  /// A matrix product.
  double dot(const DotLayouts &layouts, mlir::Type operandType);

private:
  double priceConversion(LinearLayoutAttr from, LinearLayoutAttr to,
                         unsigned elementBits);

  const TargetDescription &target;
  int64_t scratchBytes;
  using Key = std::tuple<mlir::Attribute, mlir::Attribute, unsigned>;
  llvm::DenseMap<Key, double> conversions;
};

/// What the accesses of a block come to, for each of its warps on average.
struct MemoryTraffic {
  double instructions = 0;
  double sectors = 0;     ///< of 32 bytes, counted once for each instruction.
  double partSectors = 0; ///< those of which an instruction leaves out bytes.
};

/// The traffic of a tile whose first element is the memory's, in vectors of
/// `vector` elements. Elements beyond the memory are left out, and of a store
/// what replicas hold.
MemoryTraffic countTraffic(const MemoryShape &memory, LinearLayoutAttr layout,
                           int64_t vector, bool isStore);

/// Elements that a thread reads or writes with one instruction: a power of two.
int64_t vectorOf(const MemoryShape &memory, LinearLayoutAttr layout,
                 unsigned maxBits);

/// Lanes, as bits of their number, that move within a line of global memory:
/// as many bytes as all banks hold.
uint64_t lineLanesOf(const MemoryShape &memory, LinearLayoutAttr layout,
                     const TargetDescription &target);

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_LAYOUTCOST_H
