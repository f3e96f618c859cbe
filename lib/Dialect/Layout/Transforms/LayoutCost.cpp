//===- LayoutCost.cpp - What a layout costs -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutCost.h"

#include "mirage/Layout/ConversionPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

// Issue slots. A memory instruction occupies its pipe for a few slots, and each
// sector or wavefront for two; a barrier makes the warps of a block wait for
// the slowest.
static constexpr double memoryInstructionSlots = 4;
static constexpr double narrowAccessSlots = 8; ///< addresses and packing.
static constexpr double sectorSlots = 2;
static constexpr double shuffleSlots = 4;
static constexpr double barrierSlots = 30;
static constexpr double sharedInstructionSlots = 2;
static constexpr double wavefrontSlots = 2;

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

/// Number of 32-byte sectors that the lanes of a warp touch with one access.
static int64_t sectorsOfAccess(const MemoryShape &memory,
                               LinearLayoutAttr layout, int64_t vector) {
  constexpr int64_t sectorBits = 256;
  LinearLayoutAttr::Bases lanes = layout.getBases(PlaceDim::Lane);
  SmallVector<int64_t> addresses = {0};
  for (ArrayRef<int64_t> basis : lanes) {
    int64_t step = addressOf(memory, basis);
    for (int64_t number = 0, end = addresses.size(); number < end; ++number)
      addresses.push_back(addresses[number] + step);
  }
  llvm::SmallDenseSet<int64_t> sectors;
  for (int64_t address : addresses) {
    int64_t first = address * memory.elementBits / sectorBits;
    int64_t last = ((address + vector) * memory.elementBits - 1) / sectorBits;
    for (int64_t sector = first; sector <= last; ++sector)
      sectors.insert(sector);
  }
  return sectors.size();
}

double LayoutCost::memoryAccess(const MemoryShape &memory,
                                LinearLayoutAttr layout) {
  int64_t vector = vectorOf(memory, layout, target.maxVectorBits);
  int64_t accesses = layout.getSize(PlaceDim::Register) / vector;
  double slots = memoryInstructionSlots +
                 sectorSlots * sectorsOfAccess(memory, layout, vector);
  if (vector * memory.elementBits < 32)
    slots += narrowAccessSlots;
  return accesses * slots;
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

static double costOfPlan(const ConversionPlan &plan) {
  switch (plan.kind) {
  case ConversionKind::Noop:
    return 0;
  case ConversionKind::Register:
    return 0.5 + plan.selects();
  case ConversionKind::Shuffle:
    return shuffleSlots * plan.shuffles() + plan.selects();
  case ConversionKind::Shared:
  case ConversionKind::Cluster:
    break;
  }
  const SharedConversion &shared = plan.shared;
  double instructions =
      shared.store.instructions() + shared.load.instructions();
  double wavefronts = shared.store.wavefronts() + shared.load.wavefronts();
  return barrierSlots + sharedInstructionSlots * instructions +
         wavefrontSlots * wavefronts;
}

double LayoutCost::priceConversion(LinearLayoutAttr from, LinearLayoutAttr to,
                                   unsigned elementBits) {
  constexpr double impossible = 1e9;
  auto plan =
      planConversion(from.getLinear(), to.getLinear(), elementBits, target);
  if (plan)
    return costOfPlan(*plan);
  llvm::consumeError(plan.takeError());
  return impossible;
}

double LayoutCost::reduction(LinearLayoutAttr layout, unsigned axis) {
  double registers = layout.getSize(PlaceDim::Register);
  double results = layout.reduceDim(axis).getSize(PlaceDim::Register);
  double cost = registers;
  for (ArrayRef<int64_t> basis : layout.getBases(PlaceDim::Lane))
    if (basis[axis] != 0)
      cost += results * (shuffleSlots + 1);
  bool betweenWarps = false;
  for (ArrayRef<int64_t> basis : layout.getBases(PlaceDim::Warp))
    betweenWarps |= basis[axis] != 0;
  if (betweenWarps)
    cost += 2 * barrierSlots +
            results * 2 * (memoryInstructionSlots + wavefrontSlots);
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
