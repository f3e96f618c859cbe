//===- WarpTrace.cpp - Joins the accesses of the lanes of a warp ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WarpTrace.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/bit.h"

#include <algorithm>
#include <tuple>

using namespace mirage::sim;

Counters &Counters::operator+=(const Counters &other) {
  globalLoadBytes += other.globalLoadBytes;
  globalStoreBytes += other.globalStoreBytes;
  globalSectors += other.globalSectors;
  sharedLoadWavefronts += other.sharedLoadWavefronts;
  sharedStoreWavefronts += other.sharedStoreWavefronts;
  shuffles += other.shuffles;
  barriers += other.barriers;
  clusterBarriers += other.clusterBarriers;
  remoteSharedBytes += other.remoteSharedBytes;
  mma += other.mma;
  return *this;
}

/// True if `addresses` is the pattern moved by a multiple of `period`.
static bool isShifted(const AccessPattern &pattern, const uint64_t *addresses,
                      uint64_t active,
                      llvm::function_ref<bool(uint64_t)> isHarmless) {
  if (!pattern.valid || pattern.active != active)
    return false;
  unsigned first = llvm::countr_zero(active);
  uint64_t shift = addresses[first] - pattern.addresses[first];
  if (!isHarmless(shift))
    return false;
  for (uint64_t rest = active; rest; rest &= rest - 1) {
    unsigned lane = llvm::countr_zero(rest);
    if (addresses[lane] - pattern.addresses[lane] != shift)
      return false;
  }
  return true;
}

unsigned AccessCounter::measure(const Site &site, const uint64_t *addresses,
                                uint64_t active) const {
  if (site.isCopy)
    return site.isShared() ? model.copyWavefronts(addresses, active)
                           : model.copySectors(addresses, active);
  unsigned total = 0;
  uint64_t moved[maxWarpSize];
  for (unsigned offset = 0; offset < site.bytes; offset += site.chunk) {
    for (uint64_t rest = active; rest; rest &= rest - 1) {
      unsigned lane = llvm::countr_zero(rest);
      moved[lane] = addresses[lane] + offset;
    }
    unsigned bytes = std::min(site.chunk, site.bytes - offset);
    total += site.isShared() ? model.wavefronts(moved, active, bytes)
                             : model.sectors(moved, active, bytes);
  }
  return total;
}

void AccessCounter::count(uint32_t id, const uint64_t *addresses,
                          uint64_t active) {
  const Site &site = sites[id];
  bool isShared = site.isShared();
  std::unique_ptr<AccessPattern> &pattern = patterns[id];
  if (!pattern)
    pattern = std::make_unique<AccessPattern>();
  uint64_t period = isShared ? model.bankPeriod() : sectorBytes;
  if (!isShifted(*pattern, addresses, active, [&](uint64_t shift) {
        return site.isCopy ? CopyEnds::isShift(shift) : shift % period == 0;
      })) {
    pattern->valid = true;
    pattern->active = active;
    std::copy_n(addresses, maxWarpSize, pattern->addresses);
    pattern->count = measure(site, addresses, active);
  }
  uint64_t &counter = !isShared      ? counters.globalSectors
                      : site.isStore ? counters.sharedStoreWavefronts
                                     : counters.sharedLoadWavefronts;
  counter += pattern->count;
}

void WarpTrace::reset(unsigned numLanes) {
  lanes = numLanes;
  std::fill_n(sizes, maxWarpSize, 0);
  sites.resize(size_t{capacity} * maxWarpSize);
  addresses.resize(size_t{capacity} * maxWarpSize);
}

bool WarpTrace::isUniform() const {
  for (unsigned lane = 1; lane < lanes; ++lane)
    if (sizes[lane] != sizes[0])
      return false;
  for (unsigned row = 0; row < sizes[0]; ++row) {
    const uint32_t *ids = &sites[row * maxWarpSize];
    uint32_t different = 0;
    for (unsigned lane = 1; lane < lanes; ++lane)
      different |= ids[lane] ^ ids[0];
    if (different)
      return false;
  }
  return true;
}

void WarpTrace::flush(AccessCounter &counter) {
  if (std::all_of(sizes, sizes + lanes, [](uint32_t n) { return n == 0; }))
    return;
  if (isUniform()) {
    uint64_t all = ~uint64_t{0} >> (64 - lanes);
    for (unsigned row = 0; row < sizes[0]; ++row)
      counter.count(sites[row * maxWarpSize], &addresses[row * maxWarpSize],
                    all);
  } else {
    flushDivergent(counter);
  }
  std::fill_n(sizes, lanes, 0);
}

void WarpTrace::flushDivergent(AccessCounter &counter) {
  // (site, which execution of it by this lane, lane, address)
  using Note = std::tuple<uint32_t, uint32_t, uint32_t, uint64_t>;
  std::vector<Note> notes;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    size_t begin = notes.size();
    for (unsigned row = 0; row < sizes[lane]; ++row) {
      unsigned index = row * maxWarpSize + lane;
      notes.emplace_back(sites[index], row, lane, addresses[index]);
    }
    // Rows ascend within a lane: after sorting, number the executions.
    std::sort(notes.begin() + begin, notes.end());
    for (size_t i = begin, execution = 0; i < notes.size(); ++i) {
      bool same =
          i > begin && std::get<0>(notes[i]) == std::get<0>(notes[i - 1]);
      execution = same ? execution + 1 : 0;
      std::get<1>(notes[i]) = execution;
    }
  }
  llvm::sort(notes);
  uint64_t row[maxWarpSize] = {};
  for (size_t i = 0; i < notes.size();) {
    uint64_t active = 0;
    auto [site, execution, firstLane, firstAddress] = notes[i];
    for (; i < notes.size() && std::get<0>(notes[i]) == site &&
           std::get<1>(notes[i]) == execution;
         ++i) {
      active |= uint64_t{1} << std::get<2>(notes[i]);
      row[std::get<2>(notes[i])] = std::get<3>(notes[i]);
    }
    counter.count(site, row, active);
  }
}
