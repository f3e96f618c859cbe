//===- OpTraffic.h - What a tile op moves through memory --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The counts of one op, executed once by one block, from the plans that its
// lowering follows. Wavefronts are ranks (BankConflicts.h), so no address is
// computed.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_OPTRAFFIC_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_OPTRAFFIC_H

#include "TileLowering.h"

#include "mirage/Cost/KernelCost.h"

namespace mirage {

/// A tile in global memory: its elements inside the memory are moved.
struct GlobalTraffic {
  mlir::OperandRange offsets;
  llvm::ArrayRef<int64_t> existing; ///< extents of what exists of the tile.
  llvm::ArrayRef<int64_t> extents;  ///< of the memory.
  uint64_t bytesPerElement;         ///< times the threads that ask for one.
  bool isStore;

  /// Of the tile at these offsets.
  uint64_t bytes(llvm::ArrayRef<int64_t> offsets) const;
};

struct OpTraffic {
  KernelCounts fixed; ///< what does not depend on where the tile lies.
  std::optional<GlobalTraffic> global;
};

/// Nothing for an op whose counts depend on data (a gather through shared
/// memory), that reads the shared memory of other blocks, or for a scan of
/// which some values are not needed and dropped: across warps in places that
/// registers decide, and of elements that come last in an exclusive one.
std::optional<OpTraffic> trafficOf(mlir::Operation *op, BlockShape block,
                                   const TargetInstructions &instructions);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_OPTRAFFIC_H
