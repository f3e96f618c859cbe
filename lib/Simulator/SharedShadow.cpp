//===- SharedShadow.cpp - Finds races in shared memory --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedShadow.h"

using namespace mirage::sim;

bool SharedShadow::isOfWarp(const Stamp &stamp, const Accessor &who) const {
  if (stamp.thread < manyOfWarp)
    return stamp.thread / warpSize == who.warp;
  return stamp.thread - manyOfWarp == who.warp;
}

bool SharedShadow::conflicts(const Stamp &stamp, const Accessor &who) const {
  if (stamp.epoch != epoch || stamp.thread == who.thread)
    return false;
  bool ordered = isOfWarp(stamp, who) && stamp.warpEpoch < who.warpEpoch;
  return !ordered;
}

SharedShadow::Stamp SharedShadow::stamp(const Accessor &who) const {
  Stamp result;
  result.epoch = epoch;
  result.warpEpoch = who.warpEpoch;
  result.thread = who.thread;
  return result;
}

void SharedShadow::addReader(Stamp &reader, const Accessor &who) {
  bool replace = reader.epoch != epoch || reader.thread == who.thread;
  if (!replace && !isOfWarp(reader, who)) {
    reader.thread = manyOfBlock;
    return;
  }
  // An earlier reader of the same warp that a warp barrier orders before this
  // one adds nothing: whatever conflicts with it conflicts with this one.
  bool many = !replace && reader.warpEpoch == who.warpEpoch;
  reader = stamp(who);
  if (many)
    reader.thread = manyOfWarp + who.warp;
}

static int threadOrNone(uint32_t thread, uint32_t limit) {
  return thread < limit ? int(thread) : -1;
}

SharedShadow::Result SharedShadow::read(const Accessor &who, uint64_t offset,
                                        uint32_t bytes,
                                        bool reportUninitialized) {
  if (bytes < granule)
    return {};
  Stamp self = stamp(who);
  uint64_t last = (offset + bytes - 1) / granule;
  for (uint64_t i = offset / granule; i <= last; ++i) {
    Cell &cell = cells[i];
    if (cell.writer.thread == copying && cell.writer.epoch >= firstEpoch)
      return {Finding::UnfinishedCopy, i * granule, -1};
    if (conflicts(cell.writer, who))
      return {Finding::ReadAfterWrite, i * granule,
              threadOrNone(cell.writer.thread, manyOfWarp)};
    if (reportUninitialized && cell.writer.epoch < firstEpoch)
      return {Finding::Uninitialized, i * granule, -1};
    if (cell.reader.epoch != epoch)
      cell.reader = self;
    else
      addReader(cell.reader, who);
  }
  return {};
}

SharedShadow::Result SharedShadow::write(const Accessor &who, uint64_t offset,
                                         uint32_t bytes) {
  Result result;
  if (bytes < granule)
    return result;
  Stamp self = stamp(who);
  uint64_t first = offset / granule, last = (offset + bytes - 1) / granule;
  for (uint64_t i = first; i <= last; ++i) {
    Cell &cell = cells[i];
    if (cell.writer.thread == copying && cell.writer.epoch >= firstEpoch)
      return {Finding::UnfinishedCopy, i * granule, -1};
    if (conflicts(cell.reader, who))
      return {Finding::WriteAfterRead, i * granule,
              threadOrNone(cell.reader.thread, manyOfWarp)};
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
    cells[i].writer.thread = copying;
}

void SharedShadow::finishCopy(const Accessor &who, uint64_t offset,
                              uint32_t bytes) {
  for (uint64_t i = offset / granule; i <= (offset + bytes - 1) / granule; ++i)
    cells[i].writer = stamp(who);
}
