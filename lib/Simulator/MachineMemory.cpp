//===- MachineMemory.cpp - Memory accesses of simulated threads -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mirage::sim;

static const char *verb(bool isStore) { return isStore ? "store" : "load"; }

std::string Machine::describeGlobal(uint64_t address) const {
  // The buffer that begins last before the address, else the first one.
  const MemoryRange *nearest = nullptr;
  for (const MemoryRange &range : plan->buffers)
    if (!nearest || range.begin <= address)
      nearest = &range;
  if (!nearest)
    return "the kernel has no buffer";
  return llvm::formatv("byte offset {0} of argument {1}, which has {2} bytes",
                       int64_t(address - nearest->begin), nearest->argument,
                       nearest->end - nearest->begin);
}

void Machine::checkAligned(Thread &thread, uint32_t site, uint64_t address,
                           uint32_t alignment) {
  if (address % alignment != 0)
    fail(thread, site,
         llvm::formatv("misaligned {0}: the address is {1} modulo {2}, "
                       "expected 0",
                       verb(plan->sites[site].isStore), address % alignment,
                       alignment));
}

void Machine::checkGlobal(Thread &thread, uint32_t site, uint64_t address,
                          uint32_t bytes, bool isStore) {
  const MemoryRange *range = nullptr;
  if (lastBuffer < plan->buffers.size())
    range = &plan->buffers[lastBuffer];
  if (!range || address < range->begin || address + bytes > range->end) {
    range = nullptr;
    for (const MemoryRange &candidate : plan->buffers)
      if (address >= candidate.begin && address + bytes <= candidate.end)
        range = &candidate;
    if (!range)
      fail(thread, site,
           llvm::formatv("out-of-bounds global {0} of {1} bytes at {2}",
                         verb(isStore), bytes, describeGlobal(address)));
    lastBuffer = range - plan->buffers.data();
  }
  if (isStore && !range->isWritable)
    fail(thread, site,
         llvm::formatv("store to argument {0}, which is an input",
                       range->argument));
}

SharedShadow::Accessor Machine::accessor(const Thread &thread) const {
  return {numberOf(thread),    thread.warp->index, thread.block->rank,
          thread.block->epoch, thread.warp->epoch, thread.arrivals,
          thread.waits};
}

/// The block in whose window of shared memory the address lies.
ThreadBlock *Machine::blockAt(uint64_t address) {
  uint64_t rank =
      (address - reinterpret_cast<uint64_t>(firstWindow)) / sharedWindow;
  return rank < blocks.size() ? &blocks[rank] : nullptr;
}

bool Machine::hasShadow() const {
  return plan->options->checkAccesses &&
         (plan->options->checkRaces || plan->options->checkUninitialized);
}

void Machine::checkRace(Thread &thread, uint32_t site, ThreadBlock &owner,
                        uint64_t offset, uint32_t bytes, bool isStore) {
  SharedShadow::Accessor who = accessor(thread);
  SharedShadow::Result result =
      isStore ? owner.shadow.write(who, offset, bytes)
              : owner.shadow.read(who, offset, bytes,
                                  plan->options->checkUninitialized);
  using Finding = SharedShadow::Finding;
  if (LLVM_UNLIKELY(result.overwritten) && plan->options->checkRaces)
    suspectStore(thread, site, owner, offset, bytes, result);
  if (LLVM_LIKELY(result.finding == Finding::None))
    return;
  if (result.finding == Finding::Uninitialized)
    fail(thread, site,
         llvm::formatv("load of shared memory that nothing wrote, byte {0}",
                       result.offset));
  if (!plan->options->checkRaces)
    return;
  if (result.finding == Finding::UnfinishedCopy)
    fail(thread, site,
         llvm::formatv("{0} at byte {1} of shared memory, where an "
                       "asynchronous copy has not been waited for",
                       verb(isStore), result.offset));
  std::string other =
      result.otherThread < 0
          ? std::string("several threads")
          : "thread " + describeThread(threads[result.otherThread]);
  fail(thread, site,
       llvm::formatv("race on byte {0} of shared memory: this {1} and the {2} "
                     "by {3} are not ordered by a barrier",
                     result.offset, verb(isStore),
                     verb(result.finding != Finding::WriteAfterRead), other));
}

void Machine::suspectStore(Thread &thread, uint32_t site, ThreadBlock &owner,
                           uint64_t offset, uint32_t bytes,
                           const SharedShadow::Result &result) {
  settleStore(thread);
  SuspectStore &suspect = thread.suspect;
  suspect.offset = offset / SharedShadow::granule * SharedShadow::granule;
  suspect.granules = result.overwritten;
  suspect.site = site;
  suspect.otherThread = result.otherThread;
  suspect.base = owner.sharedBase;
  uint64_t end =
      std::min({offset + bytes + 1, suspect.offset + sizeof(suspect.before),
                sharedBytes});
  std::memcpy(suspect.before, suspect.base + suspect.offset,
              end - suspect.offset);
}

void Machine::checkSuspect(Thread &thread) {
  SuspectStore &suspect = thread.suspect;
  uint64_t granules = suspect.granules;
  suspect.granules = 0;
  for (uint64_t rest = granules; rest; rest &= rest - 1) {
    uint64_t at = llvm::countr_zero(rest) * SharedShadow::granule;
    if (std::memcmp(suspect.before + at, suspect.base + suspect.offset + at,
                    SharedShadow::granule) == 0)
      continue;
    fail(thread, suspect.site,
         llvm::formatv("race on byte {0} of shared memory: this store and the "
                       "store of another value by thread {1} are not ordered "
                       "by a barrier",
                       suspect.offset + at,
                       describeThread(threads[suspect.otherThread])));
  }
}

/// What has to be known before an access to another block's shared memory.
void Machine::checkRemote(Thread &thread, uint32_t site,
                          const ThreadBlock &owner) {
  const char *trouble = nullptr;
  if (thread.waits == 0)
    trouble = "may not have started: the cluster has not met at a barrier";
  else if (llvm::all_of(owner.warps, [](const Warp &warp) {
             return warp.exited == warp.existing;
           }))
    trouble = "has exited";
  if (trouble)
    fail(thread, site,
         llvm::formatv("{0} in the shared memory of the block of rank {1}, "
                       "which {2}",
                       verb(plan->sites[site].isStore), owner.rank, trouble));
}

void Machine::checkShared(Thread &thread, uint32_t id, uint64_t address,
                          uint32_t bytes, bool isStore) {
  const Site &site = plan->sites[id];
  ThreadBlock *owner = thread.block;
  if (site.space == Space::Cluster)
    if (ThreadBlock *block = blockAt(address))
      owner = block;
  uint64_t offset = address - reinterpret_cast<uint64_t>(owner->sharedBase);
  if (offset >= sharedBytes || offset + bytes > sharedBytes)
    fail(thread, id,
         llvm::formatv("out-of-bounds shared {0} of {1} bytes at byte {2}; the "
                       "block has {3} bytes",
                       verb(isStore), bytes, int64_t(offset), sharedBytes));
  if (owner != thread.block) {
    checkRemote(thread, id, *owner);
    if (plan->options->count)
      accessCounter.counters.remoteSharedBytes += bytes;
  }
  if (hasShadow() && !site.isAtomic)
    checkRace(thread, id, *owner, offset, bytes, isStore);
}

char *Machine::mapShared(Thread &thread, uint32_t site, char *address,
                         uint32_t rank) {
  if (rank >= blocks.size())
    fail(thread, site,
         llvm::formatv("there is no block of rank {0} in a cluster of {1}",
                       rank, blocks.size()));
  const ThreadBlock *from = blockAt(reinterpret_cast<uint64_t>(address));
  if (!from)
    fail(thread, site, "the address is not one of shared memory");
  return blocks[rank].sharedBase + (address - from->sharedBase);
}

void Machine::note(Thread &thread, uint32_t site, uint64_t address) {
  Warp &warp = *thread.warp;
  if (LLVM_UNLIKELY(warp.trace.isFull(thread.lane))) {
    thread.wait = Wait::Trace;
    thread.site = site;
    warp.runnable &= ~thread.bit();
    warp.noting |= thread.bit();
    leave(thread);
  }
  warp.trace.note(thread.lane, site, address);
}

void Machine::access(Thread &thread, uint32_t id, uint64_t address) {
  settleStore(thread);
  if (LLVM_UNLIKELY(plan->options->schedule.order == Schedule::Order::Random))
    interrupt(thread);
  thread.site = id;
  const Site *site = &plan->sites[id];
  if (site->space == Space::Generic) {
    // A generic pointer goes to shared memory, to a buffer, or to the thread's
    // own stack. The two sites after this one stand for the first two.
    bool isShared = blockAt(address) != nullptr;
    bool isGlobal = !plan->buffers.empty() &&
                    address >= plan->buffers.front().begin &&
                    address < plan->buffers.back().end;
    if (!isShared && !isGlobal)
      return;
    id += isShared ? 1 : 2;
    site = &plan->sites[id];
  }
  check(thread, id, address, site->bytes);
  count(thread, id, address, site->bytes);
}

void Machine::check(Thread &thread, uint32_t id, uint64_t address,
                    uint32_t bytes) {
  if (!plan->options->checkAccesses)
    return;
  const Site &site = plan->sites[id];
  checkAligned(thread, id, address, site.alignment);
  if (site.isShared())
    checkShared(thread, id, address, bytes, site.isStore);
  else
    checkGlobal(thread, id, address, bytes, site.isStore);
}

void Machine::count(Thread &thread, uint32_t id, uint64_t noted,
                    uint32_t bytes) {
  if (!plan->options->count)
    return;
  const Site &site = plan->sites[id];
  if (!site.isShared()) {
    Counters &counters = accessCounter.counters;
    (site.isStore ? counters.globalStoreBytes : counters.globalLoadBytes) +=
        bytes;
  }
  note(thread, id, noted);
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

void Machine::asyncCopy(Thread &thread, uint32_t site, char *destination,
                        const char *source, uint32_t sourceBytes) {
  settleStore(thread);
  // The site itself is the load; the next one is the store.
  uint32_t bytes = plan->sites[site + 1].bytes;
  sourceBytes = std::min(sourceBytes, bytes);
  auto from = reinterpret_cast<uint64_t>(source);
  uint64_t ends = CopyEnds::pack(from, destination - thread.sharedBase);
  if (sourceBytes) {
    check(thread, site, from, sourceBytes);
    count(thread, site, ends, sourceBytes);
  }
  check(thread, site + 1, reinterpret_cast<uint64_t>(destination), bytes);
  count(thread, site + 1, ends, bytes);
  thread.copies.push_back({destination, source, bytes, sourceBytes});
  if (plan->options->asyncCopy == AsyncCopyMode::Eager)
    return performCopies(thread, thread.copies.size());
  std::memset(destination, 0xff, bytes);
  if (hasShadow())
    thread.block->shadow.startCopy(destination - thread.sharedBase, bytes);
}

void Machine::performCopies(Thread &thread, size_t count) {
  for (const PendingCopy &copy :
       llvm::ArrayRef(thread.copies).take_front(count)) {
    std::memcpy(copy.destination, copy.source, copy.sourceBytes);
    std::memset(copy.destination + copy.sourceBytes, 0,
                copy.bytes - copy.sourceBytes);
    if (hasShadow())
      thread.block->shadow.finishCopy(
          accessor(thread), copy.destination - thread.sharedBase, copy.bytes);
  }
  thread.copies.erase(thread.copies.begin(), thread.copies.begin() + count);
}

void Machine::commitCopies(Thread &thread) {
  if (plan->options->asyncCopy != AsyncCopyMode::Eager)
    thread.copyGroups.push_back(thread.copies.size());
}

void Machine::waitForCopies(Thread &thread, uint32_t groupsInFlight) {
  if (thread.copyGroups.size() <= groupsInFlight)
    return;
  size_t finished = thread.copyGroups.size() - groupsInFlight;
  size_t count = thread.copyGroups[finished - 1];
  performCopies(thread, count);
  thread.copyGroups.erase(thread.copyGroups.begin(),
                          thread.copyGroups.begin() + finished);
  for (size_t &end : thread.copyGroups)
    end -= count;
}
