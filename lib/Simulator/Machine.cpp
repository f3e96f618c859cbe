//===- Machine.cpp - Schedules the threads of one cluster -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "FaultGuard.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <sys/mman.h>

using namespace mirage::sim;

static constexpr uint64_t pageBytes = 4096;

Machine::Machine(const AccessModel &model, llvm::ArrayRef<Site> sites)
    : accessCounter(model, sites) {}

Machine::~Machine() {
  if (reservation)
    munmap(reservation, (windows + 1) * sharedWindow);
}

/// A 4 GiB aligned window for each block makes the low half of a shared pointer
/// its offset, as on hardware: 32-bit shared addresses and descriptors come out
/// right.
bool Machine::reserveWindows(uint64_t count) {
  if (count <= windows)
    return true;
  if (reservation)
    munmap(reservation, (windows + 1) * sharedWindow);
  windows = sharedMapped = windowsMapped = 0;
  reservation = nullptr;
  void *memory = mmap(nullptr, (count + 1) * sharedWindow, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return false;
  reservation = static_cast<char *>(memory);
  windows = count;
  firstWindow = reinterpret_cast<char *>(
      llvm::alignTo(reinterpret_cast<uint64_t>(memory), sharedWindow));
  return true;
}

bool Machine::prepare(const LaunchPlan &newPlan) {
  plan = &newPlan;
  uint64_t count = plan->cluster.count(), perBlock = plan->block.count();
  if (!stacks || stacks->size() < count * perBlock)
    stacks = std::make_unique<StackPool>(count * perBlock);
  if (!stacks->isValid() || !reserveWindows(count))
    return false;
  sharedBytes = plan->staticSharedBytes + plan->dynamicSharedBytes;
  uint64_t needed = llvm::alignTo(sharedBytes, pageBytes);
  if (needed > sharedMapped || count > windowsMapped) {
    sharedMapped = std::max(sharedMapped, needed);
    windowsMapped = std::max(windowsMapped, count);
    for (uint64_t i = 0; i < windowsMapped && sharedMapped; ++i)
      if (mprotect(firstWindow + i * sharedWindow, sharedMapped,
                   PROT_READ | PROT_WRITE) != 0)
        return false;
  }
  threads = std::vector<Thread>(count * perBlock);
  warps = std::vector<Warp>(count *
                            llvm::divideCeil(perBlock, plan->target->warpSize));
  if (blocks.size() != count)
    blocks = std::vector<ThreadBlock>(count);
  lastBuffer = 0;
  return true;
}

Counters Machine::takeCounters() {
  Counters result = accessCounter.counters;
  accessCounter.counters = Counters();
  return result;
}

/// Writes the coordinates of the place `index` in a box of size `dim`.
static void setPlace(uint32_t *registers, uint64_t index, const Dim3 &dim) {
  registers[0] = index % dim.x;
  registers[1] = index / dim.x % dim.y;
  registers[2] = index / dim.x / dim.y;
}

static void setSize(uint32_t *registers, const Dim3 &dim) {
  registers[0] = dim.x;
  registers[1] = dim.y;
  registers[2] = dim.z;
}

void Machine::setRegisters(Thread &thread) {
  const ThreadBlock &block = *thread.block;
  uint32_t *r = thread.registers;
  setPlace(r + ThreadIdX, thread.index, plan->block);
  setPlace(r + BlockIdX, block.index, plan->grid);
  setSize(r + BlockDimX, plan->block);
  setSize(r + GridDimX, plan->grid);
  r[LaneId] = thread.lane;
  r[WarpId] = thread.index / plan->target->warpSize;
  r[WarpCount] = block.warps.size();
  r[WarpSize] = plan->target->warpSize;
  r[DynamicSharedBytes] = plan->dynamicSharedBytes;
  r[TotalSharedBytes] = sharedBytes;
  const Dim3 &cluster = plan->cluster, &grid = plan->grid;
  r[RankInCluster] = block.rank;
  r[BlocksOfCluster] = cluster.count();
  setPlace(r + BlockInClusterX, block.rank, cluster);
  setSize(r + ClusterDimX, cluster);
  r[ClusterIdX] = r[BlockIdX] / cluster.x;
  r[ClusterIdY] = r[BlockIdY] / cluster.y;
  r[ClusterIdZ] = r[BlockIdZ] / cluster.z;
  setSize(r + ClusterCountX,
          {grid.x / cluster.x, grid.y / cluster.y, grid.z / cluster.z});
  thread.sharedBase = block.sharedBase;
}

/// Index in the grid of the block `rank` of a cluster.
static uint64_t blockIndex(const LaunchPlan &plan, uint64_t cluster,
                           uint32_t rank) {
  const Dim3 &grid = plan.grid, &size = plan.cluster;
  uint64_t columns = grid.x / size.x, rows = grid.y / size.y;
  uint64_t x = cluster % columns * size.x + rank % size.x;
  uint64_t y = cluster / columns % rows * size.y + rank / size.x % size.y;
  uint64_t z = cluster / columns / rows * size.z + rank / size.x / size.y;
  return x + grid.x * (y + grid.y * z);
}

void Machine::startBlock(ThreadBlock &block, uint64_t cluster) {
  block.rank = &block - blocks.data();
  block.index = blockIndex(*plan, cluster, block.rank);
  block.epoch = firstEpoch;
  block.sharedBase = firstWindow + block.rank * sharedWindow;
  size_t warpsPerBlock = warps.size() / blocks.size();
  block.warps = llvm::MutableArrayRef<Warp>(warps).slice(
      block.rank * warpsPerBlock, warpsPerBlock);
  for (NamedBarrier &b : block.barriers)
    b = NamedBarrier();
  // Poison: what nobody writes reads as NaN.
  std::memset(block.sharedBase, 0xff, sharedBytes);
  if (hasShadow())
    block.shadow.startBlock(sharedBytes, plan->target->warpSize,
                            plan->block.count(), firstEpoch);
  startThreads(block);
}

void Machine::startThreads(ThreadBlock &block) {
  unsigned warpSize = plan->target->warpSize, count = plan->block.count();
  Thread *first = &threads[block.rank * count];
  for (auto [w, warp] : llvm::enumerate(block.warps)) {
    unsigned lanes = std::min<size_t>(warpSize, count - w * warpSize);
    warp.threads = first + w * warpSize;
    warp.index = &warp - warps.data();
    warp.epoch = 0;
    warp.existing = warp.runnable = ~uint64_t{0} >> (64 - lanes);
    warp.exited = warp.waiting = warp.noting = 0;
    warp.trace.reset(lanes);
  }
  for (unsigned i = 0; i < count; ++i) {
    Thread &thread = first[i];
    thread.machine = this;
    thread.block = &block;
    thread.warp = &block.warps[i / warpSize];
    thread.index = i;
    thread.lane = i % warpSize;
    thread.wait = Wait::None;
    thread.site = noSite;
    thread.arrivals = thread.waits = 0;
    thread.rounds = 0;
    thread.suspect.granules = 0;
    thread.copies.clear();
    thread.copyGroups.clear();
    setRegisters(thread);
    thread.fiber.prepare(stacks->top(numberOf(thread)), StackPool::usableBytes,
                         &threadMain, &thread);
  }
}

std::optional<Failure> Machine::runCluster(uint64_t cluster) {
  failure.reset();
  exited = arrived = meetings = 0;
  for (const ThreadBlock &block : blocks) // of the cluster before
    firstEpoch = std::max(firstEpoch, block.epoch);
  ++firstEpoch;
  for (ThreadBlock &block : blocks)
    startBlock(block, cluster);
  randomState = plan->options->schedule.seed * 0x9e3779b97f4a7c15 + cluster;
  bool isReverse = plan->options->schedule.order == Schedule::Order::Reverse;
  Thread *first = nextRunnable(isReverse ? warps.back() : warps.front());
  int signal = runGuarded([&] { resume(mainFiber, *first); });
  if (signal)
    failure = describeFaultOf(*running, signal);
  if (!failure && exited != threads.size())
    failure = describeDeadlock();
  if (failure) {
    failure->cluster = cluster;
    return failure;
  }
  for (Warp &warp : warps)
    warp.trace.flush(accessCounter);
  return std::nullopt;
}

void Machine::threadMain(void *argument) {
  Thread &thread = *static_cast<Thread *>(argument);
  Machine &machine = *thread.machine;
  machine.plan->entry(machine.plan->arguments, &thread);
  machine.settleStore(thread);
  thread.wait = Wait::Exited;
  thread.warp->runnable &= ~thread.bit();
  thread.warp->exited |= thread.bit();
  ++machine.exited;
  if (thread.arrivals > machine.meetings) // it arrived, but never waited
    --machine.arrived;
  machine.tryToReleaseCluster();
  machine.leave(thread);
}

void Machine::fail(const Thread &thread, uint32_t site,
                   const llvm::Twine &message) {
  failure.emplace();
  failure->block = thread.block->index;
  failure->thread = thread.index;
  failure->site = site;
  failure->message = message.str();
  // All fibers of the block stay where they are; none of them is resumed.
  Fiber::switchTo(abandoned, mainFiber);
  __builtin_unreachable();
}

//===----------------------------------------------------------------------===//
// Scheduling
//===----------------------------------------------------------------------===//

void Machine::leave(Thread &thread) {
  Thread *next = nextRunnable(*thread.warp);
  if (!next)
    Fiber::switchTo(thread.fiber, mainFiber);
  else if (next != &thread)
    resume(thread.fiber, *next);
}

void Machine::resume(Fiber &from, Thread &next) {
  running = &next;
  Fiber::switchTo(from, next.fiber);
}

/// The next number of the sequence "splitmix64".
uint64_t Machine::random() {
  uint64_t x = randomState += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// One of the lanes that can run, of which there are some.
Thread &Machine::pickLane(Warp &warp) {
  uint64_t lanes = warp.runnable;
  switch (plan->options->schedule.order) {
  case Schedule::Order::Forward:
    break;
  case Schedule::Order::Reverse:
    return warp.threads[63 - llvm::countl_zero(lanes)];
  case Schedule::Order::Random:
    for (uint64_t skip = random() % llvm::popcount(lanes); skip; --skip)
      lanes &= lanes - 1;
    break;
  }
  return warp.threads[llvm::countr_zero(lanes)];
}

Thread *Machine::nextRunnable(Warp &warp) {
  if (!warp.runnable)
    settle(warp);
  // Warps that had to settle did so when they got stuck.
  size_t count = warps.size(), at = warp.index, step = 1;
  if (plan->options->schedule.order == Schedule::Order::Reverse)
    step = count - 1;
  else if (plan->options->schedule.order == Schedule::Order::Random)
    at = random() % count;
  for (size_t i = 0; i < count; ++i, at = (at + step) % count)
    if (warps[at].runnable)
      return &pickLane(warps[at]);
  return nullptr;
}

/// A random order does not wait until threads have to wait.
void Machine::interrupt(Thread &thread) {
  if (random() % 4 != 0)
    return;
  Thread *next = nextRunnable(*thread.warp);
  if (next != &thread)
    resume(thread.fiber, *next);
}

/// The thread that can run and comes next; maybe the same one.
Thread *Machine::nextAfter(const Thread &thread) {
  for (size_t i = 1; i <= threads.size(); ++i) {
    Thread &candidate = threads[(numberOf(thread) + i) % threads.size()];
    if (candidate.warp->runnable & candidate.bit())
      return &candidate;
  }
  return nullptr;
}

void Machine::endTurn(Thread &thread, uint32_t site) {
  if (thread.rounds >= plan->options->maxRounds)
    fail(thread, site,
         llvm::formatv("the thread has gone round in loops {0} times; taken "
                       "for a loop without end",
                       thread.rounds));
  Thread *next = nextAfter(thread);
  if (next != &thread)
    resume(thread.fiber, *next);
}

/// No lane of the warp can run: do what was waiting for that.
void Machine::settle(Warp &warp) {
  if (warp.noting) {
    warp.trace.flush(accessCounter);
    for (uint64_t rest = warp.noting; rest; rest &= rest - 1)
      warp.threads[llvm::countr_zero(rest)].wait = Wait::None;
    warp.runnable |= warp.noting;
    warp.noting = 0;
    return;
  }
  uint32_t first = ~0u;
  uint64_t lanes = 0;
  for (uint64_t rest = warp.waiting; rest; rest &= rest - 1) {
    const Thread &thread = warp.threads[llvm::countr_zero(rest)];
    if (thread.site < first) {
      first = thread.site;
      lanes = 0;
    }
    if (thread.site == first)
      lanes |= thread.bit();
  }
  if (!lanes || plan->sites[first].participation == Participation::Mask)
    return;
  if (plan->sites[first].participation == Participation::All &&
      lanes != warp.existing)
    fail(warp.threads[llvm::countr_zero(lanes)], first,
         llvm::formatv("divergent collective: '{0}' needs all {1} lanes of the "
                       "wave, but only {2} reach it together",
                       plan->sites[first].name, llvm::popcount(warp.existing),
                       llvm::popcount(lanes)));
  complete(warp, first, lanes);
}

//===----------------------------------------------------------------------===//
// Warp operations
//===----------------------------------------------------------------------===//

void Machine::warpOperation(Thread &thread, uint32_t site, uint64_t mask,
                            const char *operands, char *results) {
  settleStore(thread);
  thread.wait = Wait::Warp;
  thread.site = site;
  thread.operands = operands;
  thread.results = results;
  thread.warp->runnable &= ~thread.bit();
  if (plan->sites[site].participation == Participation::Mask)
    arriveMasked(thread, mask);
  else
    thread.warp->waiting |= thread.bit();
  if (thread.wait != Wait::None)
    leave(thread);
}

void Machine::arriveMasked(Thread &thread, uint64_t mask) {
  Warp &warp = *thread.warp;
  mask &= warp.existing;
  thread.mask = mask;
  const std::string &name = plan->sites[thread.site].name;
  if (!(mask & thread.bit()))
    fail(thread, thread.site,
         llvm::formatv("the mask {0:x} of '{1}' does not name the executing "
                       "lane {2}",
                       mask, name, thread.lane));
  if (mask & warp.exited)
    fail(thread, thread.site,
         llvm::formatv("divergent collective: lane {0} is in the mask {1:x} of "
                       "'{2}' but has exited",
                       llvm::countr_zero(mask & warp.exited), mask, name));
  // The lanes of one mask that wait agree with each other, so one is enough.
  if (uint64_t others = mask & warp.waiting) {
    Thread &other = warp.threads[llvm::countr_zero(others)];
    if (other.site != thread.site || other.mask != mask) {
      std::string message = llvm::formatv(
          "divergent collective: this lane is at '{0}' with mask {1:x} while "
          "thread {2} of the same warp is at '{3}' with mask {4:x}",
          name, mask, describeThread(other), plan->sites[other.site].name,
          other.mask);
      fail(thread, thread.site, message);
    }
  }
  warp.waiting |= thread.bit();
  if ((warp.waiting & mask) == mask)
    complete(warp, thread.site, mask);
}

void Machine::complete(Warp &warp, uint32_t id, uint64_t lanes) {
  const Site &site = plan->sites[id];
  if (lanes == warp.existing)
    warp.trace.flush(accessCounter);
  Counters &counters = accessCounter.counters;
  if (plan->options->count) {
    counters.shuffles += site.event == Event::Shuffle;
    counters.mma += site.event == Event::Matrix;
  }
  if (site.rule) {
    WarpCall call{*this, warp, site, id, lanes, plan->target->warpSize};
    site.rule(call);
  }
  for (uint64_t rest = lanes; rest; rest &= rest - 1)
    warp.threads[llvm::countr_zero(rest)].wait = Wait::None;
  warp.waiting &= ~lanes;
  warp.runnable |= lanes;
}

void WarpCall::failOutside(unsigned lane, const char *what, size_t end,
                           size_t bytes) const {
  fail(lane, llvm::formatv("the simulator's rule for '{0}' uses {1} bytes of "
                           "{2}, the operation has {3}",
                           site.name, end, what, bytes));
}

//===----------------------------------------------------------------------===//
// Block barriers
//===----------------------------------------------------------------------===//

uint32_t Machine::barrier(Thread &thread, uint32_t site, uint32_t id,
                          uint32_t count, bool arriveOnly, bool predicate) {
  llvm::MutableArrayRef<NamedBarrier> barriers = thread.block->barriers;
  if (id >= barriers.size())
    fail(thread, site,
         llvm::formatv("barrier {0} does not exist; there are {1}", id,
                       barriers.size()));
  settleStore(thread);
  NamedBarrier &b = barriers[id];
  uint32_t expected = count ? count : plan->block.count();
  if (b.arrived && b.expected != expected)
    fail(thread, site,
         llvm::formatv("barrier {0} is for {1} threads here and for {2} where "
                       "others wait",
                       id, expected, b.expected));
  b.expected = expected;
  ++b.arrived;
  b.votes += predicate;
  if (!arriveOnly) {
    thread.wait = Wait::Barrier;
    thread.site = site;
    thread.barrier = id;
    thread.warp->runnable &= ~thread.bit();
  }
  if (b.arrived == b.expected)
    release(*thread.block, id);
  if (thread.wait != Wait::None)
    leave(thread);
  // Nobody completes the barrier again before this thread comes back to it.
  return b.lastVotes;
}

void Machine::release(ThreadBlock &block, uint32_t id) {
  for (Warp &warp : block.warps) {
    const Thread *first = nullptr;
    for (uint64_t rest = warp.existing; rest; rest &= rest - 1) {
      Thread &thread = warp.threads[llvm::countr_zero(rest)];
      if (thread.wait != Wait::Barrier || thread.barrier != id)
        continue;
      if (first && first->site != thread.site)
        fail(thread, thread.site,
             "divergent barrier: thread " + describeThread(*first) +
                 " of the same warp waits at another barrier operation");
      first = first ? first : &thread;
      thread.wait = Wait::None;
      warp.runnable |= thread.bit();
    }
    warp.trace.flush(accessCounter);
    warp.epoch = 0;
  }
  ++block.epoch;
  NamedBarrier &b = block.barriers[id];
  b.lastVotes = b.votes;
  b.arrived = b.votes = 0;
  if (plan->options->count)
    ++accessCounter.counters.barriers;
}

//===----------------------------------------------------------------------===//
// Barriers of the cluster
//===----------------------------------------------------------------------===//

void Machine::arriveAtCluster(Thread &thread, uint32_t site) {
  settleStore(thread);
  if (thread.arrivals != thread.waits)
    fail(thread, site,
         "the thread arrives at the barrier of the cluster again without "
         "having waited");
  ++thread.arrivals;
  ++arrived;
  tryToReleaseCluster();
}

void Machine::waitForCluster(Thread &thread, uint32_t site) {
  settleStore(thread);
  if (thread.arrivals == thread.waits)
    fail(thread, site,
         "the thread waits at the barrier of the cluster without having "
         "arrived");
  if (thread.arrivals > meetings) {
    thread.wait = Wait::Cluster;
    thread.site = site;
    thread.warp->runnable &= ~thread.bit();
    leave(thread);
  }
  ++thread.waits;
}

/// PTX ISA, "barrier.cluster": all threads that have not exited have to arrive.
void Machine::tryToReleaseCluster() {
  if (!arrived || arrived + exited != threads.size())
    return;
  arrived = 0;
  ++meetings;
  if (plan->options->count)
    ++accessCounter.counters.clusterBarriers;
  for (Thread &thread : threads) {
    if (thread.wait != Wait::Cluster)
      continue;
    thread.wait = Wait::None;
    thread.warp->runnable |= thread.bit();
  }
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

std::string Machine::describeThread(const Thread &thread) const {
  const uint32_t *r = thread.registers;
  std::string text = llvm::formatv("({0}, {1}, {2})", r[ThreadIdX],
                                   r[ThreadIdY], r[ThreadIdZ]);
  if (blocks.size() > 1)
    text += llvm::formatv(" of block ({0}, {1}, {2})", r[BlockIdX], r[BlockIdY],
                          r[BlockIdZ]);
  return text;
}

Failure Machine::describeFaultOf(const Thread &thread, int signal) const {
  Failure result;
  result.block = thread.block->index;
  result.thread = thread.index;
  result.site = thread.site;
  result.message = describeFault(signal);
  if (thread.site != noSite)
    result.message += ", at or after this operation";
  return result;
}

Failure Machine::describeDeadlock() const {
  // Threads by where they wait, in the order of the first of each group.
  struct Group {
    uint32_t site;
    const Thread *first;
    uint32_t count;
  };
  std::vector<Group> groups;
  for (const Thread &thread : threads) {
    if (thread.wait == Wait::Exited)
      continue;
    auto it = llvm::find_if(
        groups, [&](const Group &g) { return g.site == thread.site; });
    if (it == groups.end())
      groups.push_back({thread.site, &thread, 1});
    else
      ++it->count;
  }
  Failure result;
  result.site = groups.front().site;
  result.block = groups.front().first->block->index;
  result.thread = groups.front().first->index;
  result.message =
      llvm::formatv("deadlock: {0} of {1} threads wait at '{2}' for others "
                    "that do not come; {3} threads have exited",
                    groups.front().count, threads.size(),
                    plan->sites[result.site].name, exited);
  for (const Group &g : llvm::drop_begin(groups))
    result.notes.emplace_back(
        g.site, llvm::formatv(
                    "{0} threads wait here at '{1}', the first is {2}", g.count,
                    plan->sites[g.site].name, describeThread(*g.first)));
  return result;
}
