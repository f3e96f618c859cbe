//===- LaneRules.cpp - Operations that move values across lanes -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WarpRules.h"

#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cmath>

using namespace mirage::sim;

/// Reads the record of `source` for `lane`; PTX leaves the value of a lane
/// outside the mask undefined.
static uint32_t valueOfLane(WarpCall &call, unsigned lane, unsigned source) {
  if (!call.isActive(source))
    call.fail(lane,
              llvm::formatv("lane {0} reads from lane {1}, which takes no "
                            "part in '{2}'",
                            lane, source, call.site.name));
  return call.load<uint32_t>(source, 0);
}

void mirage::sim::shuffleSync(WarpCall &call) {
  auto kind = static_cast<ShuffleKind>(call.site.parameters[0]);
  uint32_t values[maxWarpSize], valid[maxWarpSize];
  call.forEachLane([&](unsigned lane) {
    auto operand = call.load<uint32_t>(lane, 4) & 31;
    auto control = call.load<uint32_t>(lane, 8);
    uint32_t clamp = control & 31, segment = (control >> 8) & 31;
    uint32_t maxLane = (lane & segment) | (clamp & ~segment);
    uint32_t minLane = lane & segment;
    int source = 0;
    bool inRange = false;
    switch (kind) {
    case ShuffleKind::Up:
      source = int(lane) - int(operand);
      inRange = source >= int(maxLane);
      break;
    case ShuffleKind::Down:
      source = lane + operand;
      inRange = source <= int(maxLane);
      break;
    case ShuffleKind::Butterfly:
      source = lane ^ operand;
      inRange = source <= int(maxLane);
      break;
    case ShuffleKind::Index:
      source = minLane | (operand & ~segment);
      inRange = source <= int(maxLane);
      break;
    }
    values[lane] = valueOfLane(call, lane, inRange ? source : lane);
    valid[lane] = inRange;
  });
  call.forEachLane([&](unsigned lane) {
    call.store(lane, 0, values[lane]);
    if (call.site.resultBytes > 4)
      call.store(lane, 4, valid[lane]);
  });
}

static uint64_t collectPredicates(WarpCall &call) {
  uint64_t votes = 0;
  call.forEachLane([&](unsigned lane) {
    votes |= uint64_t{call.load<uint32_t>(lane, 0) & 1} << lane;
  });
  return votes;
}

void mirage::sim::voteSync(WarpCall &call) {
  uint64_t votes = collectPredicates(call);
  uint32_t result = 0;
  switch (static_cast<VoteKind>(call.site.parameters[0])) {
  case VoteKind::Any:
    result = votes != 0;
    break;
  case VoteKind::All:
    result = votes == call.active;
    break;
  case VoteKind::Uniform:
    result = votes == 0 || votes == call.active;
    break;
  case VoteKind::Ballot:
    result = votes;
    break;
  }
  call.forEachLane([&](unsigned lane) { call.store(lane, 0, result); });
}

static uint32_t reduceIntegers(ReduxKind kind, uint32_t a, uint32_t b) {
  auto sa = static_cast<int32_t>(a), sb = static_cast<int32_t>(b);
  switch (kind) {
  case ReduxKind::Add:
    return a + b;
  case ReduxKind::And:
    return a & b;
  case ReduxKind::Or:
    return a | b;
  case ReduxKind::Xor:
    return a ^ b;
  case ReduxKind::Min:
    return std::min(sa, sb);
  case ReduxKind::Max:
    return std::max(sa, sb);
  case ReduxKind::UMin:
    return std::min(a, b);
  case ReduxKind::UMax:
    return std::max(a, b);
  case ReduxKind::FMin:
    return llvm::bit_cast<uint32_t>(
        std::fmin(llvm::bit_cast<float>(a), llvm::bit_cast<float>(b)));
  case ReduxKind::FMax:
    return llvm::bit_cast<uint32_t>(
        std::fmax(llvm::bit_cast<float>(a), llvm::bit_cast<float>(b)));
  }
  return 0;
}

void mirage::sim::reduxSync(WarpCall &call) {
  auto kind = static_cast<ReduxKind>(call.site.parameters[0]);
  uint32_t result = 0;
  bool isFirst = true;
  call.forEachLane([&](unsigned lane) {
    auto value = call.load<uint32_t>(lane, 0);
    result = isFirst ? value : reduceIntegers(kind, result, value);
    isFirst = false;
  });
  call.forEachLane([&](unsigned lane) { call.store(lane, 0, result); });
}

void mirage::sim::electSync(WarpCall &call) {
  unsigned leader = llvm::countr_zero(call.active);
  call.forEachLane(
      [&](unsigned lane) { call.store<uint32_t>(lane, 0, lane == leader); });
}

void mirage::sim::warpBarrier(WarpCall &call) { ++call.warp.epoch; }

//===----------------------------------------------------------------------===//
// AMD
//===----------------------------------------------------------------------===//

/// Gives each active lane the 32-bit value at `offset` of the lane that
/// `source` names; lanes that take no part are read as zero.
template <typename Source>
static void gather(WarpCall &call, unsigned offset, Source source) {
  uint32_t values[maxWarpSize];
  call.forEachLane([&](unsigned lane) {
    unsigned from = source(lane);
    values[lane] = call.isActive(from) ? call.load<uint32_t>(from, offset) : 0;
  });
  call.forEachLane([&](unsigned lane) { call.store(lane, 0, values[lane]); });
}

void mirage::sim::dsBpermute(WarpCall &call) {
  gather(call, 4, [&](unsigned lane) {
    return (call.load<uint32_t>(lane, 0) >> 2) % call.warpSize;
  });
}

void mirage::sim::dsSwizzle(WarpCall &call) {
  auto pattern = static_cast<uint32_t>(call.site.parameters[0]);
  gather(call, 0, [&](unsigned lane) -> unsigned {
    if (pattern & 0x8000) // each four lanes by their own
      return (lane & ~3u) | ((pattern >> (2 * (lane & 3))) & 3);
    uint32_t keep = pattern & 31, set = (pattern >> 5) & 31,
             flip = (pattern >> 10) & 31;
    return (lane & ~31u) | ((((lane & 31) & keep) | set) ^ flip);
  });
}

/// The lane that `lane` reads under a DPP control, or -1: none. Rows have 16
/// lanes. `known` is cleared for controls that CDNA does not have.
static int dppSource(uint32_t control, int lane, bool &known) {
  int row = lane & ~15, inRow = lane & 15, amount = control & 15;
  if (control <= 0xff) // quad_perm
    return (lane & ~3) | ((control >> (2 * (lane & 3))) & 3);
  if (control >= 0x101 && control <= 0x10f) // row_shl
    return inRow + amount < 16 ? lane + amount : -1;
  if (control >= 0x111 && control <= 0x11f) // row_shr
    return inRow >= amount ? lane - amount : -1;
  if (control >= 0x121 && control <= 0x12f) // row_ror
    return row | ((inRow - amount) & 15);
  if (control >= 0x150 && control <= 0x15f) // row_newbcast
    return row | amount;
  switch (control) {
  case 0x130: // wave_shl:1
    return lane < 63 ? lane + 1 : -1;
  case 0x134: // wave_rol:1
    return (lane + 1) & 63;
  case 0x138: // wave_shr:1
    return lane - 1;
  case 0x13c: // wave_ror:1
    return (lane - 1) & 63;
  case 0x140: // row_mirror
    return row | (15 - inRow);
  case 0x141: // row_half_mirror
    return (lane & ~7) | (7 - (lane & 7));
  case 0x142: // row_bcast:15, lane 15 of each row to the next row
    return row - 1;
  case 0x143: // row_bcast:31, lane 31 to rows 2 and 3
    return lane >= 32 ? 31 : -1;
  }
  known = false;
  return -1;
}

void mirage::sim::updateDpp(WarpCall &call) {
  auto control = static_cast<uint32_t>(call.site.parameters[0]);
  auto rowMask = static_cast<uint32_t>(call.site.parameters[1]);
  auto bankMask = static_cast<uint32_t>(call.site.parameters[2]);
  bool zeroInvalid = call.site.parameters[3];
  uint32_t values[maxWarpSize];
  call.forEachLane([&](unsigned lane) {
    bool known = true;
    int source = dppSource(control, lane, known);
    if (!known)
      call.fail(lane, llvm::formatv("unknown DPP control {0:x}", control));
    bool enabled =
        (rowMask >> (lane / 16) & 1) && (bankMask >> (lane / 4 % 4) & 1);
    auto old = call.load<uint32_t>(lane, 0);
    if (!enabled)
      values[lane] = old;
    else if (source >= 0 && call.isActive(source))
      values[lane] = call.load<uint32_t>(source, 4);
    else
      values[lane] = zeroInvalid ? 0 : old;
  });
  call.forEachLane([&](unsigned lane) { call.store(lane, 0, values[lane]); });
}

/// Copies `bytes` bytes of the first operand of `source` to all active lanes.
static void spread(WarpCall &call, unsigned source, size_t bytes) {
  const char *from = call.operands(source, 0, bytes);
  llvm::SmallVector<char, 16> value(from, from + bytes);
  call.forEachLane([&](unsigned lane) {
    std::memcpy(call.results(lane, 0, bytes), value.data(), bytes);
  });
}

void mirage::sim::readLane(WarpCall &call) {
  size_t bytes = call.site.parameters[0];
  unsigned offset = (bytes + 3) / 4 * 4;
  unsigned first = llvm::countr_zero(call.active);
  unsigned source = call.load<uint32_t>(first, offset) % call.warpSize;
  if (!call.isActive(source))
    call.fail(first, llvm::formatv("'{0}' reads lane {1}, which takes no part",
                                   call.site.name, source));
  spread(call, source, bytes);
}

void mirage::sim::readFirstLane(WarpCall &call) {
  spread(call, llvm::countr_zero(call.active), call.site.parameters[0]);
}

void mirage::sim::ballot(WarpCall &call) {
  uint64_t votes = collectPredicates(call);
  call.forEachLane([&](unsigned lane) { call.store(lane, 0, votes); });
}

void mirage::sim::permlaneSwap(WarpCall &call) {
  // Odd rows of the first operand change places with even rows of the second.
  unsigned rowLanes = call.site.parameters[0];
  uint32_t a[maxWarpSize] = {}, b[maxWarpSize] = {};
  call.forEachLane([&](unsigned lane) {
    a[lane] = call.load<uint32_t>(lane, 0);
    b[lane] = call.load<uint32_t>(lane, 4);
  });
  for (unsigned lane = 0; lane + rowLanes < maxWarpSize; ++lane)
    if (!(lane & rowLanes))
      std::swap(a[lane + rowLanes], b[lane]);
  call.forEachLane([&](unsigned lane) {
    call.store(lane, 0, a[lane]);
    call.store(lane, 4, b[lane]);
  });
}
