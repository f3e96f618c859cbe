//===- GlobalAccess.cpp - Accesses to global memory -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegisterGroups.h"
#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

GlobalTensor GlobalTensor::rowMajor(ArrayRef<int64_t> shape,
                                    ArrayRef<uint64_t> tileShape) {
  GlobalTensor tensor;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.strides.assign(shape.size(), 1);
  for (size_t dim = shape.size(); dim > 1; --dim)
    tensor.strides[dim - 2] = tensor.strides[dim - 1] * shape[dim - 1];
  for (auto [size, tile] : llvm::zip_equal(shape, tileShape))
    tensor.offsetDivisors.push_back(tile < static_cast<uint64_t>(size) ? tile
                                                                       : 0);
  return tensor;
}

namespace {
/// A bit of an index that is a bit of the contiguous run of memory.
struct RunBit {
  unsigned dim, bit;
};

/// Widens vectors over the flattened dims as far as registers, alignment and
/// masks allow.
class GlobalAccessPlanner {
public:
  GlobalAccessPlanner(const LinearLayout &registers, const GlobalTensor &tensor,
                      unsigned elemBits)
      : layout(registers), tensor(tensor), elemBits(elemBits) {
    for (const LabelledDim &out : layout.outDims())
      tileBits.push_back(out.bits);
    findRun();
  }

  GlobalAccess run(unsigned maxVectorBits);

private:
  void findRun();
  bool isLegal(unsigned bits) const;
  /// A vector moved so that the run's bits are its low ones, in memory order.
  uint64_t toAddress(ArrayRef<uint64_t> numbers) const;
  SmallVector<uint64_t> addressColumns(StringRef label) const;
  uint64_t tileSize(unsigned dim) const { return uint64_t{1} << tileBits[dim]; }

  const LinearLayout &layout;
  const GlobalTensor &tensor;
  unsigned elemBits;
  SmallVector<unsigned, 4> tileBits;
  SmallVector<RunBit> runBits; ///< memory order, contiguous from stride 1.
};
} // namespace

/// The dim with stride 1, then, where the tile has all of it, the dim whose
/// stride is what was covered, and so on.
void GlobalAccessPlanner::findRun() {
  int64_t covered = 1;
  SmallVector<bool, 4> used(tileBits.size(), false);
  for (bool grown = true; grown;) {
    grown = false;
    for (unsigned dim = tileBits.size(); dim > 0 && !grown; --dim) {
      unsigned d = dim - 1;
      if (used[d] || tileBits[d] == 0 || tensor.strides[d] != covered)
        continue;
      used[d] = grown = true;
      for (unsigned bit = 0; bit < tileBits[d]; ++bit)
        runBits.push_back({d, bit});
      covered *= tileSize(d);
      if (static_cast<uint64_t>(tensor.shape[d]) != tileSize(d))
        return;
    }
  }
}

uint64_t GlobalAccessPlanner::toAddress(ArrayRef<uint64_t> numbers) const {
  uint64_t address = 0;
  unsigned at = 0;
  SmallVector<uint64_t, 4> rest(numbers);
  for (RunBit run : runBits) {
    address |= ((rest[run.dim] >> run.bit) & 1) << at++;
    rest[run.dim] &= ~(uint64_t{1} << run.bit);
  }
  for (auto [number, bits] : llvm::zip_equal(rest, tileBits)) {
    address |= number << at;
    at += bits;
  }
  return address;
}

SmallVector<uint64_t>
GlobalAccessPlanner::addressColumns(StringRef label) const {
  SmallVector<uint64_t> columns;
  for (unsigned bit = 0; bit < layout.inBits(label); ++bit)
    columns.push_back(toAddress(layout.basis(label, bit)));
  return columns;
}

/// Whether 2^bits elements may be accessed at once, registers aside: aligned
/// for every thread and tile, and inside or outside the tensor as a whole.
bool GlobalAccessPlanner::isLegal(unsigned bits) const {
  uint64_t elems = uint64_t{1} << bits;
  if (bits > runBits.size() ||
      tensor.baseAlignBytes % (elems * elemBits / 8) != 0)
    return false;
  SmallVector<uint64_t, 4> inVector(tileBits.size(), 1);
  for (RunBit run : ArrayRef(runBits).take_front(bits))
    inVector[run.dim] *= 2;
  for (unsigned dim = 0; dim < tileBits.size(); ++dim) {
    uint64_t stride = std::abs(tensor.strides[dim]);
    if (tensor.offsetDivisors[dim] * stride % elems != 0)
      return false;
    if (inVector[dim] == 1 && tileBits[dim] > 0 && stride % elems != 0)
      return false;
    if (tensor.shape[dim] % inVector[dim] != 0)
      return false;
  }
  uint64_t low = elems - 1;
  if (toAddress(layout.offset()) & low)
    return false;
  for (StringRef label : {"lane", "warp", "block"})
    for (uint64_t column : addressColumns(label))
      if (column & low)
        return false;
  return true;
}

GlobalAccess GlobalAccessPlanner::run(unsigned maxVectorBits) {
  GlobalAccess access;
  SmallVector<uint64_t> columns = addressColumns("register");
  unsigned bits =
      maxVectorBits > elemBits ? llvm::Log2_32(maxVectorBits / elemBits) : 0;
  SmallVector<RegisterGroup, 8> groups;
  for (;; --bits) {
    if (bits > 0 && !isLegal(bits))
      continue;
    groups = groupRegisters(columns, bits);
    if (bits == 0 || !groups.empty())
      break;
  }
  access.vectorElems = 1u << bits;
  access.copyOf = findCopies(columns);
  SmallVector<StringRef> outs;
  for (const LabelledDim &out : layout.outDims())
    outs.push_back(out.name);
  access.thread = layout.sublayout({"lane", "warp", "block"}, outs);
  LinearLayout registersOnly =
      layout.linearPart().sublayout({"register"}, outs);
  for (RegisterGroup &group : groups) {
    GlobalGroup result;
    result.indices =
        registersOnly.apply({{"register", uint64_t{group.registers.front()}}});
    result.registers = std::move(group.registers);
    access.groups.push_back(std::move(result));
  }
  for (unsigned dim = 0; dim < tileBits.size(); ++dim) {
    uint64_t divisor = tensor.offsetDivisors[dim];
    uint64_t size = tensor.shape[dim];
    // The tile is inside if it starts at 0 and fits, or if tiles divide the
    // dim.
    bool inside = divisor == 0 ? tileSize(dim) <= size
                               : divisor % tileSize(dim) == 0 &&
                                     size % tileSize(dim) == 0;
    if (!inside)
      access.maskedDims.push_back(dim);
  }
  access.laneReplicas = layout.zeroBasisMask("lane");
  access.warpReplicas = layout.zeroBasisMask("warp");
  access.blockReplicas = layout.zeroBasisMask("block");
  return access;
}

Expected<GlobalAccess> layout::planGlobalAccess(const LinearLayout &registers,
                                                const GlobalTensor &tensor,
                                                unsigned elemBits,
                                                const TargetDescription &target,
                                                unsigned maxVectorBits) {
  size_t rank = registers.numOuts();
  if (tensor.shape.size() != rank || tensor.strides.size() != rank ||
      tensor.offsetDivisors.size() != rank)
    return failure("the tensor has rank " + Twine(tensor.shape.size()) +
                   ", the layout has rank " + Twine(rank));
  if (!llvm::has_single_bit(elemBits) || elemBits < 8 || elemBits > 128)
    return failure("elements of " + Twine(elemBits) +
                   " bits, expected 8, 16, 32, 64 or 128");
  if (registers.totalOutBits() > 62)
    return failure("a tile of 2^" + Twine(registers.totalOutBits()) +
                   " elements");
  if (registers.inBits("register") > maxRegisterBits)
    return failure("2^" + Twine(registers.inBits("register")) +
                   " registers a thread, expected at most 2^" +
                   Twine(maxRegisterBits));
  return GlobalAccessPlanner(registers, tensor, elemBits)
      .run(maxVectorBits ? maxVectorBits : target.maxVectorBits);
}

Expected<LinearLayout> layout::makeCoalesced(ArrayRef<uint64_t> shape,
                                             unsigned elemBits, unsigned warps,
                                             unsigned warpSize,
                                             ArrayRef<unsigned> order,
                                             unsigned maxVectorBits) {
  BlockedParams params;
  size_t rank = shape.size();
  params.sizePerThread.assign(rank, 1);
  params.threadsPerWarp.assign(rank, 1);
  params.warpsPerCTA.assign(rank, 1);
  params.order.assign(order.begin(), order.end());
  if (llvm::Error error = checkShape(shape, 1))
    return std::move(error);
  if (llvm::Error error = checkOrder("order", params.order, rank))
    return std::move(error);
  for (auto [name, value] : {std::pair<StringRef, unsigned>{"warps", warps},
                             {"warp_size", warpSize},
                             {"elem_bits", elemBits}})
    if (llvm::Error error = checkPowerOfTwo(name, value))
      return std::move(error);

  // Vectors as wide as allowed, but not so wide that threads have no work.
  uint64_t elements = 1, threads = uint64_t{warps} * warpSize;
  for (uint64_t size : shape)
    elements *= size;
  uint64_t vector = std::max(1u, maxVectorBits / std::max(elemBits, 1u));
  vector = std::min(
      {vector, shape[order[0]], std::max<uint64_t>(1, elements / threads)});
  params.sizePerThread[order[0]] = vector;
  // Lanes, then warps, along the fastest dims; what is left over are replicas.
  auto distribute = [&](Sizes &sizes, uint64_t count) {
    for (unsigned dim : order) {
      uint64_t used = params.sizePerThread[dim] * params.threadsPerWarp[dim] *
                      params.warpsPerCTA[dim];
      uint64_t take = std::min(count, std::max<uint64_t>(1, shape[dim] / used));
      sizes[dim] *= take;
      count /= take;
    }
    sizes[order.back()] *= count;
  };
  distribute(params.threadsPerWarp, warpSize);
  distribute(params.warpsPerCTA, warps);
  return makeBlocked(shape, params);
}
