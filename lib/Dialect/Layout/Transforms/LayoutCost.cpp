//===- LayoutCost.cpp - What a layout costs -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutCost.h"

#include "mirage/Layout/AxisPlans.h"
#include "mirage/Layout/ConversionPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// Of two layouts that cost the same the one with wider accesses is taken.
static constexpr double narrowPreference = 1e-3;

/// Address in elements of a basis.
static int64_t addressOf(const MemoryShape &memory, ArrayRef<int64_t> basis) {
  int64_t address = 0;
  for (auto [part, stride] : llvm::zip(basis, memory.strides))
    address += part * stride;
  return address;
}

int64_t mirage::layout::vectorOf(const MemoryShape &memory,
                                 LinearLayoutAttr layout, unsigned maxBits) {
  int64_t widest = memory.widestVector(maxBits), vector = 1;
  llvm::SmallDenseSet<int64_t> addresses;
  for (ArrayRef<int64_t> basis : layout.getBases(PlaceDim::Register))
    addresses.insert(addressOf(memory, basis));
  while (vector < widest && addresses.contains(vector))
    vector *= 2;
  return vector;
}

uint64_t mirage::layout::lineLanesOf(const MemoryShape &memory,
                                     LinearLayoutAttr layout,
                                     const TargetDescription &target) {
  int64_t lineBits = target.sharedBanks * 32;
  uint64_t lanes = 0;
  for (auto [lane, basis] : llvm::enumerate(layout.getBases(PlaceDim::Lane))) {
    int64_t address = addressOf(memory, basis) * memory.elementBits;
    if (address > 0 && address < lineBits)
      lanes |= uint64_t{1} << lane;
  }
  return lanes;
}

namespace {
/// Counts the accesses of one tile one by one.
class TrafficCounter {
public:
  TrafficCounter(const MemoryShape &memory, LinearLayoutAttr layout,
                 int64_t vector, bool isStore)
      : memory(memory), vector(vector),
        lanes(indices(layout.getBases(PlaceDim::Lane), isStore)),
        warps(indices(layout.getBases(PlaceDim::Warp), isStore)) {
    LinearLayoutAttr::Bases groups;
    for (ArrayRef<int64_t> basis : layout.getBases(PlaceDim::Register))
      if (int64_t step = addressOf(memory, basis); step == 0 || step >= vector)
        groups.emplace_back(basis);
    registers = indices(groups, /*once=*/true);
    allWarps = layout.getSize(PlaceDim::Warp);
  }

  MemoryTraffic count() {
    for (const Index &warp : warps)
      for (const Index &group : registers)
        addAccess(sum(warp, group));
    for (double *number :
         {&traffic.instructions, &traffic.sectors, &traffic.partSectors})
      *number /= allWarps;
    return traffic;
  }

private:
  using Index = SmallVector<int64_t, 4>;

  static Index sum(const Index &a, const Index &b) {
    Index result;
    for (auto [x, y] : llvm::zip_equal(a, b))
      result.push_back(x ^ y);
    return result;
  }

  /// All sums of `bases`; with `once` without repetitions by zeros.
  std::vector<Index> indices(const LinearLayoutAttr::Bases &bases, bool once) {
    std::vector<Index> result = {Index(memory.tile.size(), 0)};
    for (const auto &basis : bases) {
      if (once && llvm::all_of(basis, [](int64_t part) { return part == 0; }))
        continue;
      for (size_t number = 0, end = result.size(); number < end; ++number)
        result.push_back(sum(result[number], Index(ArrayRef<int64_t>(basis))));
    }
    return result;
  }

  bool exists(const Index &index) const {
    for (auto [part, extent] : llvm::zip_equal(index, memory.extents))
      if (part >= extent)
        return false;
    return true;
  }

  void addAccess(const Index &first) {
    constexpr int64_t sectorBits = 256;
    llvm::SmallDenseMap<int64_t, int64_t> covered;
    llvm::SmallDenseSet<int64_t> seen;
    for (const Index &lane : lanes) {
      Index index = sum(first, lane);
      int64_t address = addressOf(memory, index);
      if (!exists(index) || !seen.insert(address).second)
        continue;
      int64_t from = address * memory.elementBits;
      int64_t to = from + vector * memory.elementBits;
      for (int64_t at = from; at < to; at = (at / sectorBits + 1) * sectorBits)
        covered[at / sectorBits] +=
            std::min(to, (at / sectorBits + 1) * sectorBits) - at;
    }
    traffic.instructions += !covered.empty();
    traffic.sectors += covered.size();
    for (auto [sector, bits] : covered)
      traffic.partSectors += bits < sectorBits;
  }

  const MemoryShape &memory;
  int64_t vector;
  std::vector<Index> lanes, warps, registers;
  double allWarps = 1;
  MemoryTraffic traffic;
};
} // namespace

MemoryTraffic mirage::layout::countTraffic(const MemoryShape &memory,
                                           LinearLayoutAttr layout,
                                           int64_t vector, bool isStore) {
  return TrafficCounter(memory, layout, vector, isStore).count();
}

double LayoutCost::memoryAccess(const MemoryShape &memory,
                                LinearLayoutAttr layout, bool isStore) {
  int64_t vector = vectorOf(memory, layout, target.maxVectorBits);
  MemoryTraffic traffic = countTraffic(memory, layout, vector, isStore);
  double halvings =
      std::log2(double(target.maxVectorBits) / (vector * memory.elementBits));
  const ExchangeCosts &prices = target.costs;
  double slots =
      prices.globalIssue +
      (prices.globalHalving + narrowPreference) * std::max(0.0, halvings);
  // The rest of a sector that a store leaves out must be there before the
  // sector goes back to memory: it is read, unless another store comes in time.
  double sectors = traffic.sectors + (isStore ? traffic.partSectors : 0);
  return traffic.instructions * slots + sectors * prices.sector;
}

double LayoutCost::conversion(LinearLayoutAttr from, LinearLayoutAttr to,
                              unsigned elementBits) {
  if (from == to)
    return 0;
  Key key{from, to, elementBits};
  auto found = conversions.find(key);
  if (found != conversions.end())
    return found->second;
  return conversions[key] = priceConversion(from, to, elementBits);
}

double LayoutCost::priceConversion(LinearLayoutAttr from, LinearLayoutAttr to,
                                   unsigned elementBits) {
  constexpr double impossible = 1e9;
  ConversionOptions options;
  options.verify = false;
  auto plan = planConversion(from.getLinear(), to.getLinear(), elementBits,
                             target, options);
  if (!plan) {
    llvm::consumeError(plan.takeError());
    return impossible;
  }
  bool fits = plan->kind != ConversionKind::Shared ||
              int64_t(plan->shared.scratchBytes) <= scratchBytes;
  return fits ? plan->cost : impossible;
}

double LayoutCost::reductionInThread(LinearLayoutAttr layout) {
  return layout.getSize(PlaceDim::Register);
}

double LayoutCost::reductionAcrossThreads(LinearLayoutAttr layout,
                                          unsigned axis) {
  const ExchangeCosts &prices = target.costs;
  ReductionPlan plan = planReduction(layout.getLinear(), axis);
  double results = layout.reduceDim(axis).getSize(PlaceDim::Register);
  double cost = 0;
  for (const PlaceMove &move : plan.laneSteps)
    cost += results * (target.laneExchangeCost(move.lanes) + 1);
  double exchange = 2 * results * (prices.sharedIssue + prices.wavefront);
  if (plan.warpBits)
    cost += 2 * (prices.blockBarrier + prices.sharedLatency) + exchange;
  if (!plan.blockSteps.empty())
    cost += 2 * (prices.clusterBarrier + prices.sharedLatency) + exchange;
  return cost;
}

double LayoutCost::elementwise(Operation *op, LinearLayoutAttr layout) {
  double slots =
      llvm::TypeSwitch<Operation *, double>(op)
          .Case<arith::ExtFOp, arith::TruncFOp>([](auto) { return 0.5; })
          .Case<arith::DivFOp>([](auto) { return 8; })
          .Case<math::ExpOp, math::LogOp, math::SqrtOp, math::RsqrtOp>(
              [](auto) { return 4; })
          .Case<math::ErfOp, math::PowFOp>([](auto) { return 16; })
          .Default([](Operation *) { return 1; });
  return slots * layout.getSize(PlaceDim::Register);
}

double LayoutCost::dot(const DotLayouts &layouts, Type operandType) {
  double accumulators = layouts.accumulator.getSize(PlaceDim::Register);
  double depth = layouts.a.getShape()[1];
  if (operandType.isF32())
    return accumulators * depth;
  // One instruction makes m n / warp size accumulators a lane and k steps deep.
  MatrixShape shape = target.matrixShape;
  double perInstruction = double(shape.m) * shape.n / target.warpSize;
  double slots = 8.0 * shape.m * shape.n * shape.k / (16 * 8 * 16);
  return std::max(1.0, accumulators / perInstruction) * (depth / shape.k) *
         slots;
}
