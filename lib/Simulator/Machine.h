//===- Machine.h - Runs the threads of one cluster --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A machine runs the blocks of one cluster at a time (mostly a single block);
// each host thread owns one. Their threads are fibers that run until they have
// to wait: for the other lanes at a warp operation, for the block at a barrier,
// or for the other lanes to catch up when the notes of memory accesses are
// full. The next fiber comes from the same warp if one can run, else from the
// next warp (a Schedule may say otherwise). When none can run and some have not
// ended, the cluster is deadlocked and the machine says who waits where.
//
// Warp operations come in two kinds. NVIDIA's name the participants in a mask:
// the operation happens when all of them arrived, and it is an error if one of
// them arrives elsewhere. AMD's act on the lanes that execute them together:
// the operation happens when no lane of the wave can run on, first at the site
// that is first in the program (structured control flow makes the lanes that
// took another way wait further down).
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_MACHINE_H
#define MIRAGE_LIB_SIMULATOR_MACHINE_H

#include "Fiber.h"
#include "SharedShadow.h"
#include "Site.h"
#include "WarpTrace.h"

#include "mirage/Simulator/Simulator.h"

#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"

#include <cstring>
#include <optional>
#include <vector>

namespace mirage::sim {

class Machine;
struct ThreadBlock;
struct Warp;

/// What compiled code reads of its thread.
struct ThreadHeader {
  uint32_t registers[NumSpecialRegisters];
  char *sharedBase; ///< of the block; 4 GiB aligned.
};

/// Shared memory of the blocks of a cluster lies this far apart, by rank.
inline constexpr uint64_t sharedWindow = uint64_t{4} << 30;

/// The site of what has none.
inline constexpr uint32_t noSite = ~0u;

/// A cp.async that has not taken place.
struct PendingCopy {
  char *destination;
  const char *source;
  uint32_t bytes, sourceBytes; ///< the rest is filled with zeros.
};

/// A store to shared memory that another thread has just stored to, with no
/// order between the two. Once it is done, the bytes tell whether it matters.
struct SuspectStore {
  uint64_t offset = 0;
  uint64_t granules = 0; ///< which of SharedShadow's granules; 0: no suspect.
  uint32_t site = 0;
  int otherThread = -1;
  char *base = nullptr; ///< of the shared memory.
  char before[SharedShadow::mostBytes + SharedShadow::granule];
};

enum class Wait : uint8_t { None, Warp, Barrier, Cluster, Trace, Exited };

struct Thread : ThreadHeader {
  Machine *machine = nullptr;
  ThreadBlock *block = nullptr;
  Warp *warp = nullptr;
  uint32_t index = 0, lane = 0; ///< in the block and in the warp.
  Fiber fiber;

  // What the thread waits for.
  Wait wait = Wait::None;
  uint32_t site = noSite; ///< also the last one that it came to.
  uint64_t mask = 0;
  uint32_t barrier = 0;
  const char *operands = nullptr;
  char *results = nullptr;

  uint32_t arrivals = 0, waits = 0; ///< at barriers of the cluster.
  uint64_t rounds = 0;              ///< of loops.
  SuspectStore suspect;
  std::vector<PendingCopy> copies;
  std::vector<size_t> copyGroups; ///< end of each committed group in `copies`.

  uint64_t bit() const { return uint64_t{1} << lane; }
};

struct Warp {
  Thread *threads = nullptr; ///< its first lane.
  uint32_t index = 0;        ///< in the cluster.
  uint32_t epoch = 0;        ///< warp barriers since the last block barrier.
  uint64_t existing = 0, runnable = 0, exited = 0;
  uint64_t waiting = 0; ///< at a warp operation.
  uint64_t noting = 0;  ///< for room in the trace.
  WarpTrace trace;
};

struct NamedBarrier {
  uint32_t arrived = 0, expected = 0;
  uint32_t votes = 0;     ///< arrivals with a true predicate.
  uint32_t lastVotes = 0; ///< of the last completion.
};

struct ThreadBlock {
  uint64_t index = 0; ///< in the grid.
  uint32_t rank = 0;  ///< in the cluster.
  uint32_t epoch = 0; ///< block barriers, see SharedShadow.
  llvm::MutableArrayRef<Warp> warps;
  char *sharedBase = nullptr;
  SharedShadow shadow;
  NamedBarrier barriers[16];
};

/// Global memory of one kernel argument.
struct MemoryRange {
  uint64_t begin, end;
  unsigned argument;
  bool isWritable;
};

/// What all machines of a launch share.
struct LaunchPlan {
  llvm::ArrayRef<Site> sites;
  const TargetDescription *target;
  const SimulatorOptions *options;
  void (*entry)(void **arguments, ThreadHeader *thread);
  void **arguments;
  std::vector<MemoryRange> buffers; ///< by ascending address.
  Dim3 grid, block, cluster;
  uint64_t staticSharedBytes, dynamicSharedBytes;

  uint64_t clusters() const { return grid.count() / cluster.count(); }
};

/// Why a cluster stopped.
struct Failure {
  uint64_t cluster = 0;
  uint64_t block = 0;
  uint32_t thread = 0;
  uint32_t site = noSite;
  std::string message;
  std::vector<std::pair<uint32_t, std::string>> notes; ///< at other sites.
};

class Machine {
public:
  explicit Machine(const AccessModel &model, llvm::ArrayRef<Site> sites);
  ~Machine();

  /// Gets stacks and shared memory for blocks of this launch; false if the
  /// host does not grant them.
  bool prepare(const LaunchPlan &plan);
  std::optional<Failure> runCluster(uint64_t index);
  Counters takeCounters();

  // Called by compiled code, on the fiber of `thread`.
  void access(Thread &thread, uint32_t site, uint64_t address);
  void warpOperation(Thread &thread, uint32_t site, uint64_t mask,
                     const char *operands, char *results);
  /// `count` 0 is the whole block; gives how many came with a true predicate.
  uint32_t barrier(Thread &thread, uint32_t site, uint32_t id, uint32_t count,
                   bool arriveOnly, bool predicate);
  void arriveAtCluster(Thread &thread, uint32_t site);
  void waitForCluster(Thread &thread, uint32_t site);
  /// The address in the shared memory of the block `rank` that corresponds to
  /// `address` in that of the thread's own.
  char *mapShared(Thread &thread, uint32_t site, char *address, uint32_t rank);
  void asyncCopy(Thread &thread, uint32_t site, char *destination,
                 const char *source, uint32_t sourceBytes);
  void commitCopies(Thread &thread);
  void waitForCopies(Thread &thread, uint32_t groupsInFlight);
  /// The thread has gone round in loops for long: others have their turn.
  void endTurn(Thread &thread, uint32_t site);
  static constexpr uint64_t roundsOfTurn = uint64_t{1} << 20;
  [[noreturn]] void fail(const Thread &thread, uint32_t site,
                         const llvm::Twine &message);

  // For the rules of warp operations.
  /// Checks one lane's access without noting it.
  void checkShared(Thread &thread, uint32_t site, uint64_t address,
                   uint32_t bytes, bool isStore);
  void checkGlobal(Thread &thread, uint32_t site, uint64_t address,
                   uint32_t bytes, bool isStore);
  AccessCounter &counter() { return accessCounter; }
  const LaunchPlan &launch() const { return *plan; }

private:
  static void threadMain(void *thread);
  void resume(Fiber &from, Thread &next);
  Failure describeFaultOf(const Thread &thread, int signal) const;
  bool reserveWindows(uint64_t count);
  void startBlock(ThreadBlock &block, uint64_t cluster);
  void startThreads(ThreadBlock &block);
  void setRegisters(Thread &thread);
  uint32_t numberOf(const Thread &thread) const {
    return &thread - threads.data();
  }
  SharedShadow::Accessor accessor(const Thread &thread) const;
  ThreadBlock *blockAt(uint64_t address);
  void leave(Thread &thread);
  Thread *nextAfter(const Thread &thread);
  Thread *nextRunnable(Warp &warp);
  Thread &pickLane(Warp &warp);
  void interrupt(Thread &thread);
  uint64_t random();
  void settle(Warp &warp);
  void arriveMasked(Thread &thread, uint64_t mask);
  void complete(Warp &warp, uint32_t site, uint64_t lanes);
  void release(ThreadBlock &block, uint32_t id);
  void tryToReleaseCluster();
  void checkAligned(Thread &thread, uint32_t site, uint64_t address,
                    uint32_t alignment);
  bool hasShadow() const;
  void checkRemote(Thread &thread, uint32_t site, const ThreadBlock &owner);
  void checkRace(Thread &thread, uint32_t site, ThreadBlock &owner,
                 uint64_t offset, uint32_t bytes, bool isStore);
  void check(Thread &thread, uint32_t site, uint64_t address, uint32_t bytes);
  /// `noted`: the address, or the ends of a copy.
  void count(Thread &thread, uint32_t site, uint64_t noted, uint32_t bytes);
  void note(Thread &thread, uint32_t site, uint64_t address);
  void suspectStore(Thread &thread, uint32_t site, ThreadBlock &owner,
                    uint64_t offset, uint32_t bytes,
                    const SharedShadow::Result &result);
  /// Called at the start of whatever the thread does after a store.
  void settleStore(Thread &thread) {
    if (LLVM_UNLIKELY(thread.suspect.granules))
      checkSuspect(thread);
  }
  void checkSuspect(Thread &thread);
  void performCopies(Thread &thread, size_t count);
  Failure describeDeadlock() const;
  std::string describeThread(const Thread &thread) const;
  std::string describeGlobal(uint64_t address) const;

  const LaunchPlan *plan = nullptr;
  AccessCounter accessCounter;
  std::unique_ptr<StackPool> stacks;
  // Of all blocks of the cluster, one block after another.
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<ThreadBlock> blocks;
  uint32_t firstEpoch = 0;     ///< of the running cluster, see SharedShadow.
  uint32_t exited = 0;         ///< threads.
  uint32_t arrived = 0;        ///< threads at the barrier of the cluster.
  uint32_t meetings = 0;       ///< completions of that barrier.
  char *reservation = nullptr; ///< of address space for `windows` windows.
  uint64_t windows = 0;
  char *firstWindow = nullptr; ///< 4 GiB aligned.
  uint64_t sharedMapped = 0, windowsMapped = 0, sharedBytes = 0;
  size_t lastBuffer = 0;
  Fiber mainFiber, abandoned;
  Thread *running = nullptr;
  uint64_t randomState = 0;
  std::optional<Failure> failure;
};

/// One execution of a warp operation.
struct WarpCall {
  Machine &machine;
  Warp &warp;
  const Site &site;
  uint32_t siteId;
  uint64_t active; ///< lanes that take part.
  unsigned warpSize;

  bool isActive(unsigned lane) const {
    return lane < maxWarpSize && (active >> lane & 1);
  }
  Thread &thread(unsigned lane) const { return warp.threads[lane]; }
  /// `bytes` bytes of a lane's operands, which lie one after another, each in a
  /// multiple of four bytes. Here and in results(): a rule that leaves the
  /// record of an operation would read or write the stack of the kernel.
  const char *operands(unsigned lane, size_t offset, size_t bytes) const {
    if (LLVM_UNLIKELY(offset + bytes > site.operandBytes))
      failOutside(lane, "operands", offset + bytes, site.operandBytes);
    return thread(lane).operands + offset;
  }
  char *results(unsigned lane, size_t offset, size_t bytes) const {
    if (LLVM_UNLIKELY(offset + bytes > site.resultBytes))
      failOutside(lane, "results", offset + bytes, site.resultBytes);
    return thread(lane).results + offset;
  }

  template <typename T>
  T load(unsigned lane, unsigned offset) const {
    T value;
    std::memcpy(&value, operands(lane, offset, sizeof(T)), sizeof(T));
    return value;
  }
  template <typename T>
  void store(unsigned lane, unsigned offset, T value) const {
    std::memcpy(results(lane, offset, sizeof(T)), &value, sizeof(T));
  }
  template <typename F>
  void forEachLane(F function) const {
    for (uint64_t rest = active; rest; rest &= rest - 1)
      function(unsigned(llvm::countr_zero(rest)));
  }
  [[noreturn]] void fail(unsigned lane, const llvm::Twine &message) const {
    machine.fail(thread(lane), siteId, message);
  }
  [[noreturn]] void failOutside(unsigned lane, const char *what, size_t end,
                                size_t bytes) const;
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_MACHINE_H
