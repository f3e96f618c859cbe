//===- NVVMRules.cpp - NVIDIA instructions --------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After the PTX ISA, sections shfl.sync, prmt, ldmatrix, stmatrix, bar,
// bar.warp, barrier.cluster, mapa and cp.async.
//
//===----------------------------------------------------------------------===//

#include "WarpOperations.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace mirage::interpreter;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

static Error checkFullMask(Machine &machine, Threads threads, Value mask) {
  for (const Thread &thread : threads) {
    Expected<uint64_t> number = machine.number(thread, mask);
    if (!number)
      return number.takeError();
    if (*number != 0xffffffff)
      return refuse("names the lanes " + Twine(*number) +
                    ", expected all of them");
  }
  return Error::success();
}

static Error syncWarp(Machine &machine, Threads threads, Operation *op) {
  if (Error failed =
          checkFullMask(machine, threads, cast<NVVM::SyncWarpOp>(op).getMask()))
    return failed;
  return warpBarrier(machine, threads, op);
}

//===----------------------------------------------------------------------===//
// shfl.sync
//===----------------------------------------------------------------------===//

/// The lane that is read; c holds the clamp in bits 0-4 and the mask of a
/// segment in bits 8-12.
static unsigned sourceLane(NVVM::ShflKind kind, unsigned lane, uint64_t operand,
                           uint64_t c) {
  int b = operand & 31, segment = (c >> 8) & 31, clamp = c & 31;
  int least = lane & segment, most = least | (clamp & ~segment);
  int own = lane, source = own;
  bool inside = true;
  switch (kind) {
  case NVVM::ShflKind::up:
    source = own - b;
    inside = source >= most;
    break;
  case NVVM::ShflKind::down:
    source = own + b;
    inside = source <= most;
    break;
  case NVVM::ShflKind::bfly:
    source = own ^ b;
    inside = source <= most;
    break;
  case NVVM::ShflKind::idx:
    source = least | (b & ~segment);
    inside = source <= most;
    break;
  }
  return inside ? source : own;
}

static Error shuffle(Machine &machine, Threads threads, Operation *op) {
  auto shfl = cast<NVVM::ShflOp>(op);
  if (shfl.getReturnValueAndIsValid())
    return refuse("returns whether the lane is valid, which is not known here");
  if (Error failed = checkFullMask(machine, threads, shfl.getThreadMask()))
    return failed;
  SmallVector<Datum> results;
  for (const Thread &thread : threads) {
    Expected<uint64_t> operand = machine.number(thread, shfl.getOffset());
    if (!operand)
      return operand.takeError();
    Expected<uint64_t> clamp = machine.number(thread, shfl.getMaskAndClamp());
    if (!clamp)
      return clamp.takeError();
    unsigned from =
        sourceLane(shfl.getKind(), thread.number.lane, *operand, *clamp);
    results.push_back(machine.get(threads[from], shfl.getVal()));
  }
  for (auto [thread, result] : llvm::zip_equal(threads, results))
    machine.set(thread, shfl.getRes(), result);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// prmt
//===----------------------------------------------------------------------===//

/// Nibble i of the selector names byte i of the result; its top bit would
/// replicate a sign.
static Error permute(Machine &machine, Threads threads, Operation *op) {
  auto prmt = cast<NVVM::PermuteOp>(op);
  if (prmt.getMode() != NVVM::PermuteMode::DEFAULT || !prmt.getHi())
    return refuse("has a mode that is not known here");
  Expected<uint64_t> selector = machine.number(threads[0], prmt.getSelector());
  if (!selector)
    return selector.takeError();
  Datum bytes = machine.get(threads[0], prmt.getLo());
  bytes.append(machine.get(threads[0], prmt.getHi()));
  Datum result;
  for (unsigned i = 0; i < 4; ++i) {
    unsigned nibble = (*selector >> (4 * i)) & 15;
    if (nibble >= 8)
      return refuse("replicates a sign, which is not known here");
    result.push_back(bytes[nibble]);
  }
  machine.set(threads[0], prmt.getRes(), std::move(result));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// ldmatrix, stmatrix
//===----------------------------------------------------------------------===//

namespace {
constexpr unsigned rowBytes = 16, rows = 8;

/// Where byte `byte` of a lane's register of a matrix is: row, and byte in it.
struct MatrixPlace {
  unsigned row, byte;
};
} // namespace

/// Plain: lane l has the four bytes 4(l % 4) of row l / 4. Transposed: the two
/// bytes of column l / 4 in the rows 2(l % 4) and 2(l % 4) + 1.
static MatrixPlace placeOf(unsigned lane, unsigned byte, bool transposed) {
  if (!transposed)
    return {lane / 4, 4 * (lane % 4) + byte};
  return {2 * (lane % 4) + byte / 2, 2 * (lane / 4) + byte % 2};
}

template <typename Op>
static Error checkMatrix(Op op) {
  if (op.getShape().getM() != 8 || op.getShape().getN() != 8 ||
      op.getEltType() != NVVM::LdStMatrixEltType::B16)
    return refuse("has a shape that is not known here, expected 8x8 of b16");
  return Error::success();
}

static Error loadMatrix(Machine &machine, Threads threads, Operation *op) {
  auto load = cast<NVVM::LdMatrixOp>(op);
  if (Error failed = checkMatrix(load))
    return failed;
  bool transposed = load.getLayout() == NVVM::MMALayout::col;
  std::vector<Datum> results(threads.size());
  for (unsigned matrix = 0; matrix < load.getNum(); ++matrix) {
    SmallVector<Datum, rows> lines;
    for (unsigned row = 0; row < rows; ++row) {
      const Thread &owner = threads[rows * matrix + row];
      Expected<uint64_t> at = machine.number(owner, load.getPtr());
      if (!at)
        return at.takeError();
      Expected<Datum> line = machine.memory().read(
          owner.number.block, *at, rowBytes, rowBytes, owner.access());
      if (!line)
        return line.takeError();
      lines.push_back(std::move(*line));
    }
    for (auto [lane, result] : llvm::enumerate(results))
      for (unsigned byte = 0; byte < 4; ++byte) {
        MatrixPlace place = placeOf(lane, byte, transposed);
        result.push_back(lines[place.row][place.byte]);
      }
  }
  for (auto [thread, result] : llvm::zip_equal(threads, results))
    machine.set(thread, load.getRes(), result);
  return Error::success();
}

static Error storeMatrix(Machine &machine, Threads threads, Operation *op) {
  auto store = cast<NVVM::StMatrixOp>(op);
  if (Error failed = checkMatrix(store))
    return failed;
  bool transposed = store.getLayout() == NVVM::MMALayout::col;
  for (auto [matrix, source] : llvm::enumerate(store.getSources())) {
    SmallVector<Datum, rows> lines(rows, Datum(rowBytes));
    for (auto [lane, thread] : llvm::enumerate(threads))
      for (unsigned byte = 0; byte < 4; ++byte) {
        MatrixPlace place = placeOf(lane, byte, transposed);
        lines[place.row][place.byte] = machine.get(thread, source)[byte];
      }
    for (unsigned row = 0; row < rows; ++row) {
      const Thread &owner = threads[rows * matrix + row];
      Expected<uint64_t> at = machine.number(owner, store.getPtr());
      if (!at)
        return at.takeError();
      if (Error failed = machine.memory().write(
              owner.number.block, *at, lines[row], rowBytes, owner.access()))
        return failed;
    }
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

static Error clusterArrive(Machine &, Threads threads, Operation *) {
  Thread &thread = threads[0];
  if (thread.arrivals != thread.waits)
    return refuse("comes twice without a wait in between");
  ++thread.arrivals;
  return Error::success();
}

static Error clusterWait(Machine &, Threads threads, Operation *) {
  for (Thread &thread : threads) {
    if (thread.arrivals != thread.waits + 1)
      return refuse("comes without an arrive before it");
    ++thread.waits;
  }
  return Error::success();
}

static Error mapToBlock(Machine &machine, Threads threads, Operation *op) {
  auto mapa = cast<NVVM::MapaOp>(op);
  Expected<uint64_t> address = machine.number(threads[0], mapa.getA());
  if (!address)
    return address.takeError();
  Expected<uint64_t> rank = machine.number(threads[0], mapa.getB());
  if (!rank)
    return rank.takeError();
  if (*address >> 24)
    return refuse("is given address " + Twine(*address) +
                  ", beyond shared memory");
  if (*rank >= machine.shape().blocks)
    return refuse("names block " + Twine(*rank) + " of a cluster of " +
                  Twine(machine.shape().blocks));
  machine.set(threads[0], mapa.getRes(), knownDatum(*rank << 24 | *address, 4));
  return Error::success();
}

static Error barrier(Machine &machine, Threads threads, Operation *op) {
  if (op->getNumOperands())
    return refuse(
        "has a number or is of some threads, which is not known here");
  return blockBarrier(machine, threads, op);
}

//===----------------------------------------------------------------------===//
// cp.async
//===----------------------------------------------------------------------===//

/// The bytes to be written: those of global memory, of which `cpSize` are read,
/// and zeros behind them.
static Expected<Datum> copiedBytes(Machine &machine, const Thread &thread,
                                   NVVM::CpAsyncOp copy) {
  uint64_t size = copy.getSize(), read = size;
  if (Value dynamic = copy.getCpSize()) {
    Expected<uint64_t> number = machine.number(thread, dynamic);
    if (!number)
      return number.takeError();
    read = *number;
  }
  if (read > size)
    return refuse("reads " + Twine(read) + " bytes, more than the " +
                  Twine(size) + " that it writes");
  Expected<uint64_t> source = machine.number(thread, copy.getSrc());
  if (!source)
    return source.takeError();
  Datum bytes;
  if (read) {
    Expected<Datum> found = machine.readGlobal(*source, read, size);
    if (!found)
      return found.takeError();
    bytes = std::move(*found);
  }
  bytes.resize(size, Byte::known(0));
  return bytes;
}

static Error startCopy(Machine &machine, Threads threads, Operation *op) {
  auto copy = cast<NVVM::CpAsyncOp>(op);
  Thread &thread = threads[0];
  Expected<uint64_t> offset = machine.number(thread, copy.getDst());
  if (!offset)
    return offset.takeError();
  Expected<Datum> bytes = copiedBytes(machine, thread, copy);
  if (!bytes)
    return bytes.takeError();
  if (Error failed = machine.memory().startCopy(thread.number.block, *offset,
                                                *bytes, thread.access()))
    return failed;
  thread.ungrouped.push_back({*offset, std::move(*bytes)});
  return Error::success();
}

static Error commitGroup(Machine &, Threads threads, Operation *) {
  threads[0].groups.push_back(std::move(threads[0].ungrouped));
  threads[0].ungrouped.clear();
  return Error::success();
}

/// At most n groups stay under way, the last ones.
static Error waitGroup(Machine &machine, Threads threads, Operation *op) {
  Thread &thread = threads[0];
  while (thread.groups.size() > cast<NVVM::CpAsyncWaitGroupOp>(op).getN()) {
    for (const PendingCopy &copy : thread.groups.front())
      machine.memory().finishCopy(thread.number.block, copy.offset, copy.data,
                                  thread.access());
    thread.groups.pop_front();
  }
  return Error::success();
}

void mirage::interpreter::addNVVMRules(Rules &rules) {
  rules["nvvm.read.ptx.sreg.tid.x"] = {Scope::Thread,
                                       threadNumber<threadInBlock>};
  for (StringRef name : {"tid.y", "tid.z"})
    rules[("nvvm.read.ptx.sreg." + name).str()] = {Scope::Thread,
                                                   threadNumber<zeroNumber>};
  rules["nvvm.read.ptx.sreg.cluster.ctarank"] = {Scope::Thread,
                                                 threadNumber<blockInCluster>};
  rules["nvvm.bar.warp.sync"] = {Scope::Warp, syncWarp};
  rules["nvvm.barrier0"] = {Scope::Block, barrier};
  rules["nvvm.barrier"] = {Scope::Block, barrier};
  rules["nvvm.cluster.arrive"] = {Scope::Thread, clusterArrive};
  rules["nvvm.cluster.wait"] = {Scope::Cluster, clusterWait};
  rules["nvvm.mapa"] = {Scope::Thread, mapToBlock};
  rules["nvvm.cp.async.shared.global"] = {Scope::Thread, startCopy};
  rules["nvvm.cp.async.commit.group"] = {Scope::Thread, commitGroup};
  rules["nvvm.cp.async.wait.group"] = {Scope::Thread, waitGroup};
  rules["nvvm.shfl.sync"] = {Scope::Warp, shuffle};
  rules["nvvm.prmt"] = {Scope::Thread, permute};
  rules["nvvm.ldmatrix"] = {Scope::Warp, loadMatrix};
  rules["nvvm.stmatrix"] = {Scope::Warp, storeMatrix};
}
