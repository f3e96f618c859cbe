//===- SharedMemory.cpp - Bytes that know who used them -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedMemory.h"

#include "llvm/ADT/Twine.h"

using namespace mirage::interpreter;
using llvm::Twine;

static llvm::Error error(const Twine &message) {
  return llvm::createStringError(message.str());
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

bool Access::isOrderedBefore(const Access &later) const {
  if (later.waits > arrivals)
    return true;
  if (block == several || block != later.block)
    return false;
  if (later.blockBarriers > blockBarriers)
    return true;
  if (warp == several || warp != later.warp)
    return false;
  return later.warpBarriers > warpBarriers ||
         (lane != several && lane == later.lane);
}

void Access::mergeRead(const Access &other) {
  auto merge = [](uint32_t &mine, uint32_t theirs) {
    if (mine != theirs)
      mine = several;
  };
  if (warp != other.warp || block != other.block)
    lane = several;
  if (block != other.block)
    warp = several;
  merge(lane, other.lane);
  merge(warp, other.warp);
  merge(block, other.block);
  // A barrier must follow the later of the two.
  warpBarriers = std::max(warpBarriers, other.warpBarriers);
  blockBarriers = std::max(blockBarriers, other.blockBarriers);
  arrivals = std::max(arrivals, other.arrivals);
}

static std::string describeAccess(const Access &access) {
  auto number = [](uint32_t n) {
    return n == Access::several ? std::string("several") : std::to_string(n);
  };
  return "lane " + number(access.lane) + ", warp " + number(access.warp) +
         ", block " + number(access.block);
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

llvm::Error SharedMemory::check(unsigned block, uint64_t offset, unsigned size,
                                uint64_t alignment) const {
  if (offset + size > bytes || block >= blocks)
    return error("access of " + Twine(size) + " bytes at byte " +
                 Twine(offset) + " of block " + Twine(block) +
                 ", beyond the shared memory of " + Twine(bytes) + " bytes");
  if (offset % alignment)
    return error("access at byte " + Twine(offset) +
                 ", which is not a multiple of " + Twine(alignment));
  return llvm::Error::success();
}

SharedMemory::Cell &SharedMemory::cell(unsigned block, uint64_t offset) {
  uint64_t number = block * bytes + offset;
  std::vector<Cell> &page = pages[number / pageSize];
  if (page.empty())
    page.resize(pageSize);
  return page[number % pageSize];
}

llvm::Expected<Datum> SharedMemory::read(unsigned block, uint64_t offset,
                                         unsigned size, uint64_t alignment,
                                         const Access &access) {
  if (llvm::Error failed = check(block, offset, size, alignment))
    return std::move(failed);
  Datum result;
  for (uint64_t at = offset; at < offset + size; ++at) {
    Cell &cell = this->cell(block, at);
    if (cell.write && !cell.write->isOrderedBefore(access))
      return error("reads byte " + Twine(at) + " of block " + Twine(block) +
                   " as " + describeAccess(access) +
                   ", with no barrier since it was written by " +
                   describeAccess(*cell.write));
    if (cell.read && !cell.read->isOrderedBefore(access))
      cell.read->mergeRead(access);
    else
      cell.read = access;
    result.push_back(cell.value);
  }
  return result;
}

llvm::Error SharedMemory::write(unsigned block, uint64_t offset,
                                const Datum &data, uint64_t alignment,
                                const Access &access) {
  if (llvm::Error failed = check(block, offset, data.size(), alignment))
    return failed;
  for (auto [index, byte] : llvm::enumerate(data)) {
    uint64_t at = offset + index;
    Cell &cell = this->cell(block, at);
    bool changes = cell.value != byte;
    if (changes && cell.write && !cell.write->isOrderedBefore(access))
      return error("writes byte " + Twine(at) + " of block " + Twine(block) +
                   " as " + describeAccess(access) +
                   ", with no barrier since it was written by " +
                   describeAccess(*cell.write));
    if (cell.read && !cell.read->isOrderedBefore(access))
      return error("writes byte " + Twine(at) + " of block " + Twine(block) +
                   " as " + describeAccess(access) +
                   ", with no barrier since it was read by " +
                   describeAccess(*cell.read));
    cell.value = byte;
    cell.write = access;
  }
  return llvm::Error::success();
}
