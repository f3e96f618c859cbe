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

void Access::merge(const Access &other) {
  auto join = [](uint32_t &mine, uint32_t theirs) {
    if (mine != theirs)
      mine = several;
  };
  if (warp != other.warp || block != other.block)
    lane = several;
  if (block != other.block)
    warp = several;
  join(lane, other.lane);
  join(warp, other.warp);
  join(block, other.block);
  // A barrier must follow the later of the two.
  warpBarriers = std::max(warpBarriers, other.warpBarriers);
  blockBarriers = std::max(blockBarriers, other.blockBarriers);
  arrivals = std::max(arrivals, other.arrivals);
}

/// Joins an access to those that it need not follow, or forgets these if it
/// does follow them.
static void add(std::optional<Access> &accesses, const Access &access) {
  if (accesses && !accesses->isOrderedBefore(access))
    accesses->merge(access);
  else
    accesses = access;
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
    if (cell.copies)
      return error("reads byte " + Twine(at) + " of block " + Twine(block) +
                   " as " + describeAccess(access) +
                   ", to which a copy is under way");
    if (cell.write && !cell.write->isOrderedBefore(access))
      return error("reads byte " + Twine(at) + " of block " + Twine(block) +
                   " as " + describeAccess(access) +
                   ", with no barrier since it was written by " +
                   describeAccess(*cell.write));
    add(cell.reads, access);
    result.push_back(cell.value);
  }
  return result;
}

void SharedMemory::Cell::set(Byte byte, const Access &access) {
  value = byte;
  write = access;
  add(writes, access);
}

llvm::Error SharedMemory::checkWrite(const Cell &cell, Byte value,
                                     unsigned block, uint64_t offset,
                                     const Access &access) {
  auto wrong = [&](const Twine &why) {
    return error("writes byte " + Twine(offset) + " of block " + Twine(block) +
                 " as " + describeAccess(access) + ", " + why);
  };
  if (cell.copies)
    return wrong("to which a copy is under way");
  bool changes = cell.value != value;
  if (changes && cell.writes && !cell.writes->isOrderedBefore(access))
    return wrong("with no barrier since it was written by " +
                 describeAccess(*cell.writes));
  if (cell.reads && !cell.reads->isOrderedBefore(access))
    return wrong("with no barrier since it was read by " +
                 describeAccess(*cell.reads));
  return llvm::Error::success();
}

llvm::Error SharedMemory::write(unsigned block, uint64_t offset,
                                const Datum &data, uint64_t alignment,
                                const Access &access) {
  if (llvm::Error failed = check(block, offset, data.size(), alignment))
    return failed;
  for (auto [index, byte] : llvm::enumerate(data)) {
    uint64_t at = offset + index;
    Cell &cell = this->cell(block, at);
    if (llvm::Error failed = checkWrite(cell, byte, block, at, access))
      return failed;
    cell.set(byte, access);
  }
  return llvm::Error::success();
}

// Asynchronous copies

llvm::Error SharedMemory::startCopy(unsigned block, uint64_t offset,
                                    const Datum &data, const Access &access) {
  if (llvm::Error failed =
          check(block, offset, data.size(), /*alignment=*/data.size()))
    return failed;
  for (auto [index, byte] : llvm::enumerate(data)) {
    uint64_t at = offset + index;
    Cell &cell = this->cell(block, at);
    if (llvm::Error failed = checkWrite(cell, byte, block, at, access))
      return failed;
    ++cell.copies;
  }
  return llvm::Error::success();
}

void SharedMemory::finishCopy(unsigned block, uint64_t offset,
                              const Datum &data, const Access &access) {
  for (auto [index, byte] : llvm::enumerate(data)) {
    Cell &cell = this->cell(block, offset + index);
    --cell.copies;
    cell.set(byte, access);
  }
}
