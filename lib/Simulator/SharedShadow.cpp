//===- SharedShadow.cpp - Finds races in shared memory --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedShadow.h"

#include <algorithm>

using namespace mirage::sim;

SharedShadow::Stamp::Stamp(const Accessor &who)
    : epoch(who.epoch), warpEpoch(who.warpEpoch), kind(One), thread(who.thread),
      arrivals(std::min<uint32_t>(who.arrivals, UINT16_MAX)) {}

bool SharedShadow::isOfWarp(const Stamp &stamp, const Accessor &who) const {
  return isOfBlock(stamp, who) && stamp.thread % threadsPerBlock / warpSize ==
                                      who.thread % threadsPerBlock / warpSize;
}

/// Whether nothing orders what `stamp` says before what `who` does now.
bool SharedShadow::conflicts(const Stamp &stamp, const Accessor &who) const {
  if (stamp.epoch < firstEpoch || stamp.arrivals < who.waits)
    return false;
  if (stamp.kind == One && stamp.thread == who.thread)
    return false;
  if (stamp.kind == Cluster || !isOfBlock(stamp, who))
    return true;
  if (stamp.epoch < who.epoch)
    return false;
  if (stamp.kind == Block || !isOfWarp(stamp, who))
    return true;
  return stamp.warpEpoch >= who.warpEpoch;
}

void SharedShadow::addReader(Stamp &reader, const Accessor &who) const {
  // A reader that is ordered before this one adds nothing: what is not ordered
  // after it is not ordered after this one either.
  Stamp self(who);
  if (conflicts(reader, who)) {
    if (!isOfBlock(reader, who))
      self.kind = Cluster;
    else
      self.kind =
          std::max<uint32_t>(reader.kind, isOfWarp(reader, who) ? Warp : Block);
    self.arrivals = std::max(self.arrivals, reader.arrivals);
  }
  reader = self;
}

SharedShadow::Result SharedShadow::read(const Accessor &who, uint64_t offset,
                                        uint32_t bytes,
                                        bool reportUninitialized) {
  if (bytes < granule)
    return {};
  uint64_t last = (offset + bytes - 1) / granule;
  for (uint64_t i = offset / granule; i <= last; ++i) {
    Cell &cell = cells[i];
    if (isCopying(cell.writer))
      return {Finding::UnfinishedCopy, i * granule, -1};
    if (conflicts(cell.writer, who))
      return {Finding::ReadAfterWrite, i * granule, threadOf(cell.writer)};
    if (reportUninitialized && cell.writer.epoch < firstEpoch)
      return {Finding::Uninitialized, i * granule, -1};
    addReader(cell.reader, who);
  }
  return {};
}

SharedShadow::Result SharedShadow::write(const Accessor &who, uint64_t offset,
                                         uint32_t bytes) {
  Result result;
  if (bytes < granule)
    return result;
  Stamp self(who);
  uint64_t first = offset / granule, last = (offset + bytes - 1) / granule;
  for (uint64_t i = first; i <= last; ++i) {
    Cell &cell = cells[i];
    if (isCopying(cell.writer))
      return {Finding::UnfinishedCopy, i * granule, -1};
    if (conflicts(cell.reader, who))
      return {Finding::WriteAfterRead, i * granule, threadOf(cell.reader)};
    if (conflicts(cell.writer, who) && i - first < 64) {
      result.overwritten |= uint64_t{1} << (i - first);
      result.otherThread = cell.writer.thread;
    }
    cell.writer = self;
    cell.reader = Stamp();
  }
  return result;
}

void SharedShadow::startCopy(uint64_t offset, uint32_t bytes) {
  for (uint64_t i = offset / granule; i <= (offset + bytes - 1) / granule; ++i)
    cells[i].writer.kind = Copying;
}

void SharedShadow::finishCopy(const Accessor &who, uint64_t offset,
                              uint32_t bytes) {
  for (uint64_t i = offset / granule; i <= (offset + bytes - 1) / granule; ++i)
    cells[i].writer = Stamp(who);
}
