//===- CandidateLayouts.cpp - Layouts that a tile may get -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CandidateLayouts.h"

#include "mirage/Conversion/LayoutToLLVM/MatrixSupport.h"
#include "mirage/Layout/NamedLayouts.h"

#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

MemoryShape mirage::layout::memoryShape(ArrayRef<int64_t> tile,
                                        ArrayRef<int64_t> existing,
                                        ArrayRef<int64_t> extents,
                                        unsigned elementBits) {
  MemoryShape result;
  result.tile.assign(tile.begin(), tile.end());
  result.existing.assign(existing.begin(), existing.end());
  result.extents.assign(extents.begin(), extents.end());
  result.elementBits = elementBits;
  result.strides.resize(tile.size());
  int64_t stride = 1;
  for (size_t dim = tile.size(); dim-- > 0;) {
    result.strides[dim] = stride;
    stride *= extents[dim];
  }
  return result;
}

MemoryShape mirage::layout::memoryShapeOf(GlobalAccessOpInterface access) {
  MemRefType memory = access.getMemoryType();
  return memoryShape(tileShapeOf(access.getTile().getType()),
                     access.getExisting(), memory.getShape(),
                     memory.getElementTypeBitWidth());
}

MemoryShape mirage::layout::memoryShapeOf(RankedTensorType tile) {
  return memoryShape(tile.getShape(), tile.getShape(), tile.getShape(),
                     tile.getElementTypeBitWidth());
}

SmallVector<unsigned> MemoryShape::order() const {
  SmallVector<unsigned> dims(tile.size());
  std::iota(dims.begin(), dims.end(), 0);
  // Dims of size 1 say nothing and go last; of equal strides the later dim is
  // the faster one.
  llvm::sort(dims, [&](unsigned a, unsigned b) {
    return std::make_tuple(tile[a] == 1, strides[a], -int64_t(a)) <
           std::make_tuple(tile[b] == 1, strides[b], -int64_t(b));
  });
  return dims;
}

int64_t MemoryShape::widestVector(unsigned maxBits) const {
  SmallVector<unsigned> dims = order();
  if (dims.empty() || strides[dims[0]] != 1)
    return 1;
  int64_t vector = std::min<int64_t>(maxBits / elementBits, tile[dims[0]]);
  // Tiles that hang over are cut between vectors.
  int64_t extent = extents[dims[0]], part = existing[dims[0]];
  while (part % vector != 0 || (extent % part != 0 && extent % vector != 0))
    vector /= 2;
  // Every row must start at a multiple of the vector.
  for (unsigned dim : ArrayRef(dims).drop_front())
    while (tile[dim] != 1 && strides[dim] % vector != 0)
      vector /= 2;
  return std::max<int64_t>(vector, 1);
}

namespace {
/// Hands out the bits of a tile's elements, dim by dim, to places.
class BitDealer {
public:
  BitDealer(ArrayRef<int64_t> shape, ArrayRef<unsigned> order)
      : shape(shape), order(order), used(shape.size(), 0) {}

  /// The next `count` bits of the dim order[position]; fewer if it has fewer.
  void deal(LinearLayoutAttr::Bases &bases, unsigned position, unsigned count) {
    unsigned dim = order[position];
    for (; count && (int64_t{1} << used[dim]) < shape[dim]; --count) {
      SmallVector<int64_t> basis(shape.size(), 0);
      basis[dim] = int64_t{1} << used[dim]++;
      bases.push_back(basis);
    }
  }
  /// Deals from all dims from order[position] on until `bases` has `total`.
  void fill(LinearLayoutAttr::Bases &bases, unsigned total,
            unsigned position = 0) {
    for (; position < order.size() && bases.size() < total; ++position)
      deal(bases, position, total - bases.size());
  }
  void padWithReplicas(LinearLayoutAttr::Bases &bases, unsigned total) {
    while (bases.size() < total)
      bases.push_back(SmallVector<int64_t>(shape.size(), 0));
  }

private:
  ArrayRef<int64_t> shape;
  ArrayRef<unsigned> order;
  SmallVector<unsigned> used;
};
} // namespace

LinearLayoutAttr
mirage::layout::blockedLayout(MLIRContext *context, ArrayRef<int64_t> shape,
                              ArrayRef<unsigned> order, int64_t vector,
                              BlockThreads threads, bool rowsToWarps) {
  constexpr unsigned all = 64;
  LinearLayoutAttr::Bases registers, lanes, warps;
  if (!shape.empty()) {
    BitDealer dealer(shape, order);
    dealer.deal(registers, 0, llvm::Log2_64(vector));
    dealer.fill(lanes, threads.laneBits);
    if (rowsToWarps) {
      dealer.deal(registers, 0, all);
      dealer.fill(lanes, threads.laneBits);
    }
    dealer.fill(warps, threads.warpBits);
    dealer.fill(registers, all);
    dealer.padWithReplicas(lanes, threads.laneBits);
    dealer.padWithReplicas(warps, threads.warpBits);
  } else {
    lanes.resize(threads.laneBits);
    warps.resize(threads.warpBits);
  }
  return LinearLayoutAttr::getRegisters(context, shape, registers, lanes,
                                        warps);
}

/// Each thread holds a small square, so that its elements are neighbours along
/// either of the two fastest dims: it reads along one and writes to shared
/// memory along the other. For targets that cannot transpose on the way.
static LinearLayoutAttr squareLayout(MLIRContext *context,
                                     const MemoryShape &memory,
                                     ArrayRef<unsigned> order,
                                     BlockThreads threads, int64_t edge) {
  LinearLayoutAttr::Bases registers, lanes, warps;
  BitDealer dealer(memory.tile, order);
  dealer.deal(registers, 0, llvm::Log2_64(edge));
  dealer.deal(registers, 1, llvm::Log2_64(edge));
  dealer.fill(lanes, threads.laneBits);
  dealer.fill(warps, threads.warpBits);
  dealer.fill(registers, /*total=*/64);
  dealer.padWithReplicas(lanes, threads.laneBits);
  dealer.padWithReplicas(warps, threads.warpBits);
  return LinearLayoutAttr::getRegisters(context, memory.tile, registers, lanes,
                                        warps);
}

SmallVector<LinearLayoutAttr>
mirage::layout::memoryLayouts(MLIRContext *context, const MemoryShape &memory,
                              BlockThreads threads,
                              const TargetDescription &target) {
  SmallVector<LinearLayoutAttr> layouts;
  SmallVector<unsigned> order = memory.order();
  int64_t elements = 1;
  for (int64_t extent : memory.tile)
    elements *= extent;
  int64_t widest = memory.widestVector(target.maxVectorBits);
  // Small tiles: narrower accesses that keep all threads busy; but narrower
  // than a register gains nothing, and no asynchronous copy does it.
  constexpr int64_t registerBits = 32;
  int64_t share =
      std::max<int64_t>(std::max<int64_t>(1, registerBits / memory.elementBits),
                        elements >> (threads.laneBits + threads.warpBits));
  for (int64_t vector : {widest, std::min(widest, share)})
    for (bool rowsToWarps : {false, true}) {
      LinearLayoutAttr layout = blockedLayout(context, memory.tile, order,
                                              vector, threads, rowsToWarps);
      if (!llvm::is_contained(layouts, layout))
        layouts.push_back(layout);
    }
  // 64 bits along either dim is what matrix operands want there.
  constexpr int64_t edge = 4;
  if (!target.hasLdmatrix && memory.elementBits == 16 && order.size() >= 2 &&
      widest >= edge)
    layouts.push_back(squareLayout(context, memory, order, threads, edge));
  return layouts;
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

/// Builds the three layouts from the constructors' answers, or nothing where
/// one of them does not exist for this tile.
static std::optional<DotLayouts>
combine(MLIRContext *context, llvm::Expected<LinearLayout> accumulator,
        llvm::Expected<LinearLayout> a, llvm::Expected<LinearLayout> b) {
  bool exists = accumulator && a && b;
  auto get = [&](llvm::Expected<LinearLayout> &layout) -> LinearLayoutAttr {
    if (!layout) {
      llvm::consumeError(layout.takeError());
      return {};
    }
    return exists ? LinearLayoutAttr::fromLinear(context, *layout)
                  : LinearLayoutAttr();
  };
  DotLayouts layouts{get(a), get(b), get(accumulator)};
  if (!exists)
    return std::nullopt;
  return layouts;
}

/// The layouts of the target's matrix instruction. Applied to the transposed
/// matrices, c' = b' a', it computes the same; the results of a lane are then
/// neighbours along the other dim of c.
static std::optional<DotLayouts>
matrixLayouts(MLIRContext *context, Sizes shapeA, Sizes shapeB, Sizes shapeC,
              Sizes warps, unsigned operandBits, unsigned loadedBits,
              bool transposed, const TargetDescription &target) {
  MatrixShape shape = target.matrixShape;
  shape.k = shape.k * 16 / operandBits;
  // A lane's values of one operand fill a register, or two on AMD.
  constexpr uint64_t registerBits = 32;
  uint64_t natural = target.isNVIDIA() ? registerBits / operandBits
                                       : shape.m * shape.k / target.warpSize;
  uint64_t width = std::max<uint64_t>(natural, registerBits / loadedBits);
  if (target.isNVIDIA()) {
    MmaParams mma;
    mma.version = 2;
    mma.instrShape = {shape.m, shape.n};
    mma.warpsPerCTA = warps;
    return combine(
        context, makeMmaAccumulator(shapeC, mma),
        makeMmaOperand(shapeA, DotOperand::A, width, operandBits, mma),
        makeMmaOperand(shapeB, DotOperand::B, width, operandBits, mma));
  }
  AmdMatrixParams mfma;
  mfma.instrShape = {shape.m, shape.n, shape.k};
  mfma.warpsPerCTA = warps;
  mfma.transposed = transposed;
  return combine(context, makeMfmaAccumulator(shapeC, mfma),
                 makeMfmaOperand(shapeA, DotOperand::A, width, mfma),
                 makeMfmaOperand(shapeB, DotOperand::B, width, mfma));
}

/// A thread computes a box of `box` x `box` products; its rows and columns are
/// read in full depth.
static std::optional<DotLayouts>
scalarLayouts(MLIRContext *context, Sizes shapeA, Sizes shapeB, Sizes shapeC,
              Sizes warps, uint64_t box, unsigned laneBits) {
  BlockedParams blocked;
  blocked.sizePerThread = {std::min(box, shapeC[0]), std::min(box, shapeC[1])};
  uint64_t lanes = uint64_t{1} << laneBits;
  uint64_t columns =
      std::clamp<uint64_t>(shapeC[1] / blocked.sizePerThread[1], 1, lanes);
  // Square-ish: as many columns of lanes as rows, where the tile has them.
  columns = std::min<uint64_t>(columns, uint64_t{1} << ((laneBits + 1) / 2));
  blocked.threadsPerWarp = {lanes / columns, columns};
  blocked.warpsPerCTA = warps;
  blocked.order = {1, 0};
  return combine(context, makeBlocked(shapeC, blocked),
                 makeBlockedOperand(shapeA, DotOperand::A, blocked),
                 makeBlockedOperand(shapeB, DotOperand::B, blocked));
}

SmallVector<DotLayouts>
mirage::layout::dotLayouts(MLIRContext *context, int64_t rows, int64_t columns,
                           int64_t depth, Type operandType, unsigned loadedBits,
                           BlockThreads threads,
                           const TargetDescription &target) {
  SmallVector<DotLayouts> layouts;
  auto shape = [](int64_t x, int64_t y) {
    return Sizes{uint64_t(x), uint64_t(y)};
  };
  Sizes a = shape(rows, depth), b = shape(depth, columns);
  Sizes c = shape(rows, columns);
  auto add = [&](std::optional<DotLayouts> candidate) {
    if (candidate && llvm::none_of(layouts, [&](const DotLayouts &other) {
          return other.accumulator == candidate->accumulator &&
                 other.a == candidate->a && other.b == candidate->b;
        }))
      layouts.push_back(*candidate);
  };
  for (unsigned bits = 0; bits <= threads.warpBits; ++bits) {
    Sizes warps = {uint64_t{1} << bits,
                   uint64_t{1} << (threads.warpBits - bits)};
    if (hasMatrixInstruction(operandType, target)) {
      for (bool transposed : {false, true})
        add(matrixLayouts(context, a, b, c, warps,
                          operandType.getIntOrFloatBitWidth(), loadedBits,
                          transposed, target));
      continue;
    }
    for (uint64_t box : {1, 2, 4})
      add(scalarLayouts(context, a, b, c, warps, box, threads.laneBits));
  }
  return layouts;
}
