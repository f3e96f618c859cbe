//===- WarpTrace.h - Joins the accesses of the lanes of a warp --*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fibers run one lane far ahead of the others, while on hardware the lanes of a
// warp execute an instruction together. Each lane therefore only notes its
// accesses (site and address), and the notes of all lanes are joined when the
// warp is known to be together: at a collective of all its lanes, at a block
// barrier, at the end, or when the notes are full and no lane can run on.
//
// Between two such points the k-th execution of a site by one lane belongs to
// the k-th execution of that site by the other lanes. Lanes that execute the
// same sequence of sites (nearly always) are joined row by row; others by
// sorting. Lanes that skip a site simply do not take part, as on hardware.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_WARPTRACE_H
#define MIRAGE_LIB_SIMULATOR_WARPTRACE_H

#include "AccessModel.h"
#include "Site.h"

#include "mirage/Simulator/Simulator.h"

#include <memory>
#include <vector>

namespace mirage::sim {

/// Counts of one site for given relative addresses; accesses in a loop repeat
/// the same pattern at a shifted base.
struct AccessPattern {
  bool valid = false;
  uint64_t active;
  uint64_t addresses[maxWarpSize];
  unsigned count;
};

/// Turns joined accesses into counters. One for each host thread.
class AccessCounter {
public:
  AccessCounter(const AccessModel &model, llvm::ArrayRef<Site> sites)
      : model(model), sites(sites), patterns(sites.size()) {}

  /// One warp-wide execution of a site by the lanes in `active`.
  void count(uint32_t site, const uint64_t *addresses, uint64_t active);

  Counters counters;
  const AccessModel &model;

private:
  unsigned measure(const Site &site, const uint64_t *addresses,
                   uint64_t active) const;

  llvm::ArrayRef<Site> sites;
  std::vector<std::unique_ptr<AccessPattern>> patterns;
};

/// The notes of one warp.
class WarpTrace {
public:
  static constexpr unsigned capacity = 256;

  void reset(unsigned lanes);
  bool isFull(unsigned lane) const { return sizes[lane] == capacity; }
  void note(unsigned lane, uint32_t site, uint64_t address) {
    unsigned index = sizes[lane]++ * maxWarpSize + lane;
    sites[index] = site;
    addresses[index] = address;
  }
  /// Joins all notes and forgets them.
  void flush(AccessCounter &counter);

private:
  bool isUniform() const;
  void flushDivergent(AccessCounter &counter);

  unsigned lanes = 0;
  uint32_t sizes[maxWarpSize] = {};
  std::vector<uint32_t> sites;
  std::vector<uint64_t> addresses;
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_WARPTRACE_H
