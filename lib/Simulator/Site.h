//===- Site.h - Static device operations as the runtime sees them -*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each operation of the kernel that the runtime has to know of becomes a site:
// its place in the program, what it does, and constants. Compiled code passes
// the number of the site. Sites are numbered in program order.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_SITE_H
#define MIRAGE_LIB_SIMULATOR_SITE_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <string>

namespace mirage::sim {

struct WarpCall;

/// The memory that an access goes to: Shared is the block's own, Cluster that
/// of any block of the cluster; Generic is found out by the address.
enum class Space : uint8_t { Global, Shared, Cluster, Generic };

/// Which lanes have to take part in a warp operation.
enum class Participation : uint8_t {
  Mask,   ///< those in a mask operand (NVIDIA's .sync).
  Active, ///< those that execute it together (AMD's exec mask).
  All,    ///< every lane of the warp, or it is an error.
};

enum class Event : uint8_t { None, Shuffle, Matrix };

/// The meaning of a warp operation: reads the operands of all participating
/// lanes and writes their results.
using WarpRule = void (*)(WarpCall &call);

struct Site {
  std::string name; ///< as in diagnostics: "nvvm.shfl.sync".
  mlir::Location location;

  // A memory access of one lane.
  Space space = Space::Generic;
  bool isStore = false;
  bool isAtomic = false;  ///< then it races with nothing.
  bool isCopy = false;    ///< an end of an asynchronous copy.
  uint32_t bytes = 0;     ///< of the whole access.
  uint32_t chunk = 0;     ///< of one instruction; an access may need several.
  uint32_t alignment = 1; ///< that the instruction demands.

  bool isShared() const {
    return space == Space::Shared || space == Space::Cluster;
  }

  // A warp operation.
  WarpRule rule = nullptr;
  Participation participation = Participation::Mask;
  Event event = Event::None;
  uint32_t operandBytes = 0, resultBytes = 0; ///< of one lane's record.
  llvm::SmallVector<int64_t, 4> parameters;   ///< constants of the rule.

  Site(llvm::StringRef name, mlir::Location location)
      : name(name), location(location) {}
};

/// Index registers of a thread, in the order in which compiled code finds them.
enum SpecialRegister : unsigned {
  ThreadIdX,
  ThreadIdY,
  ThreadIdZ,
  BlockIdX,
  BlockIdY,
  BlockIdZ,
  BlockDimX,
  BlockDimY,
  BlockDimZ,
  GridDimX,
  GridDimY,
  GridDimZ,
  LaneId,
  WarpId,
  WarpCount,
  WarpSize,
  DynamicSharedBytes,
  TotalSharedBytes,
  RankInCluster,
  BlocksOfCluster,
  BlockInClusterX, ///< place of the block in its cluster.
  BlockInClusterY,
  BlockInClusterZ,
  ClusterDimX, ///< blocks of a cluster.
  ClusterDimY,
  ClusterDimZ,
  ClusterIdX, ///< place of the cluster in the grid.
  ClusterIdY,
  ClusterIdZ,
  ClusterCountX, ///< clusters of the grid.
  ClusterCountY,
  ClusterCountZ,
  NumSpecialRegisters,
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_SITE_H
