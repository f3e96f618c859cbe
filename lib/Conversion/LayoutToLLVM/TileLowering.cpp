//===- TileLowering.cpp - Tiles as the registers of a thread --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileLowering.h"

#include "mirage/Support/F2/LinearLayout.h"

#include "llvm/ADT/APSInt.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

FailureOr<BlockShape> mirage::blockShapeOf(Operation *op,
                                           const TargetDescription &target) {
  auto kernel = dyn_cast<gpu::GPUFuncOp>(op);
  if (!kernel)
    kernel = op->getParentOfType<gpu::GPUFuncOp>();
  std::optional<ArrayRef<int32_t>> size =
      kernel ? kernel.getKnownBlockSize() : std::nullopt;
  if (!size || (*size)[0] < static_cast<int32_t>(target.warpSize) ||
      !llvm::isPowerOf2_32((*size)[0]) || (*size)[1] != 1 || (*size)[2] != 1)
    return failure();
  BlockShape shape{llvm::Log2_32(target.warpSize), llvm::Log2_32((*size)[0])};
  if (auto blocks = kernel->getAttrOfType<IntegerAttr>(clusterBlocksName))
    shape.clusterBits = llvm::Log2_64(blocks.getInt());
  return shape;
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

uint64_t ThreadMap::ofRegister(uint64_t index) const {
  uint64_t result = constant;
  for (auto [bit, basis] : llvm::enumerate(registers))
    if ((index >> bit) & 1)
      result ^= basis;
  return result;
}

static uint64_t unite(ArrayRef<uint64_t> bases) {
  uint64_t result = 0;
  for (uint64_t basis : bases)
    result |= basis;
  return result;
}

uint64_t ThreadMap::registerBits() const { return unite(registers); }
uint64_t ThreadMap::threadBits() const { return unite(threads); }

/// Reads every basis through `number` and orders them as a thread's number is
/// made up: lanes, padded with replicas to a whole warp, then warps and
/// blocks.
static ThreadMap makeMap(LinearLayoutAttr layout, BlockShape block,
                         function_ref<uint64_t(ArrayRef<int64_t>)> number) {
  ThreadMap map;
  auto append = [&](PlaceDim dim, SmallVector<uint64_t> &to) {
    for (const SmallVector<int64_t> &basis : layout.getBases(dim))
      to.push_back(number(basis));
  };
  append(PlaceDim::Register, map.registers);
  append(PlaceDim::Lane, map.threads);
  map.threads.resize(block.laneBits, 0);
  append(PlaceDim::Warp, map.threads);
  map.threads.resize(block.threadBits, 0);
  append(PlaceDim::Block, map.threads);
  map.threads.resize(block.placeBits(), 0);
  return map;
}

ThreadMap mirage::dimMap(LinearLayoutAttr layout, unsigned dim,
                         BlockShape block) {
  return makeMap(layout, block,
                 [&](ArrayRef<int64_t> basis) { return basis[dim]; });
}

static uint64_t flatten(ArrayRef<int64_t> element, ArrayRef<int64_t> shape) {
  uint64_t flat = 0;
  for (auto [index, size] : llvm::zip_equal(element, shape))
    flat = flat * size + index;
  return flat;
}

ThreadMap mirage::flatMap(LinearLayoutAttr layout, BlockShape block) {
  return makeMap(layout, block, [&](ArrayRef<int64_t> basis) {
    return flatten(basis, layout.getShape());
  });
}

ThreadMap mirage::flatMapWithout(LinearLayoutAttr layout, BlockShape block,
                                 uint64_t dropped) {
  SmallVector<int64_t> shape(layout.getShape());
  for (unsigned d = 0; d < shape.size(); ++d)
    if ((dropped >> d) & 1)
      shape[d] = 1;
  return makeMap(layout, block, [&](ArrayRef<int64_t> basis) {
    SmallVector<int64_t> element(basis);
    for (unsigned d = 0; d < shape.size(); ++d)
      if ((dropped >> d) & 1)
        element[d] = 0;
    return flatten(element, shape);
  });
}

static unsigned outIndex(const LinearLayout &map, StringRef out) {
  const auto *dim = llvm::find_if(
      map.outDims(), [&](const LabelledDim &dim) { return dim.name == out; });
  return dim - map.outDims().begin();
}

ThreadMap mirage::componentMap(const LinearLayout &map, StringRef out,
                               BlockShape block) {
  ThreadMap result;
  auto append = [&](StringRef in, SmallVector<uint64_t> &to) {
    for (unsigned bit = 0; bit < map.inBits(in); ++bit)
      to.push_back(map.hasOut(out) ? map.basis(in, bit, out) : 0);
  };
  append("register", result.registers);
  append("lane", result.threads);
  result.threads.resize(block.laneBits, 0);
  append("warp", result.threads);
  result.threads.resize(block.threadBits, 0);
  append("block", result.threads);
  result.threads.resize(block.placeBits(), 0);
  if (map.hasOut(out))
    result.constant = map.offset()[outIndex(map, out)];
  return result;
}

SmallVector<unsigned> mirage::canonicalRegisters(const ThreadMap &flat) {
  SmallVector<unsigned> result;
  llvm::DenseMap<uint64_t, unsigned> first;
  for (unsigned r = 0; r < flat.numRegisters(); ++r)
    result.push_back(first.try_emplace(flat.ofRegister(r), r).first->second);
  return result;
}

SmallVector<unsigned> mirage::runRegisters(unsigned first,
                                           ArrayRef<unsigned> run) {
  SmallVector<unsigned> registers = {first};
  for (unsigned bit : run)
    for (unsigned i = 0, e = registers.size(); i < e; ++i)
      registers.push_back(registers[i] | (1u << bit));
  return registers;
}

SmallVector<unsigned> mirage::runStarts(ArrayRef<unsigned> canonical,
                                        ArrayRef<unsigned> run) {
  unsigned mask = 0;
  for (unsigned bit : run)
    mask |= 1u << bit;
  SmallVector<unsigned> starts;
  for (unsigned first = 0; first < canonical.size(); ++first)
    if (!(first & mask) &&
        llvm::any_of(runRegisters(first, run),
                     [&](unsigned r) { return canonical[r] == r; }))
      starts.push_back(first);
  return starts;
}

uint64_t mirage::replicaThreads(const ThreadMap &flat) {
  uint64_t mask = 0;
  for (auto [bit, basis] : llvm::enumerate(flat.threads))
    if (basis == 0)
      mask |= uint64_t{1} << bit;
  return mask;
}

FailureOr<SmallVector<unsigned>> mirage::matchRegisters(const ThreadMap &from,
                                                        const ThreadMap &to) {
  if (from.threads != to.threads)
    return failure();
  llvm::DenseMap<uint64_t, unsigned> first;
  for (unsigned r = 0; r < from.numRegisters(); ++r)
    first.try_emplace(from.ofRegister(r), r);
  SmallVector<unsigned> result;
  for (unsigned r = 0; r < to.numRegisters(); ++r) {
    auto it = first.find(to.ofRegister(r));
    if (it == first.end())
      return failure();
    result.push_back(it->second);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

Value ThreadEmitter::threadId() {
  if (thread)
    return thread;
  thread = instructions.threadId(b, gpu::Dimension::x);
  auto shape =
      blockShapeOf(b.getInsertionBlock()->getParentOp(), instructions.target);
  if (succeeded(shape) && shape->clusterBits) {
    Value block = LLVM::ShlOp::create(b, instructions.blockInCluster(b),
                                      constantI32(b, shape->threadBits));
    thread = LLVM::OrOp::create(b, thread, block, /*isDisjoint=*/true);
  }
  return thread;
}

/// Bits that move by the same distance move together: (x & mask) << distance.
Value ThreadEmitter::linear(ArrayRef<uint64_t> bases, Value x) {
  llvm::SmallMapVector<int, uint64_t, 8> masks;
  for (auto [bit, basis] : llvm::enumerate(bases))
    for (unsigned out = 0; out < 64; ++out)
      if ((basis >> out) & 1)
        masks[static_cast<int>(out) - static_cast<int>(bit)] |= uint64_t{1}
                                                                << bit;
  Value sum;
  uint64_t used = 0;
  for (auto [distance, mask] : masks) {
    Value part = LLVM::AndOp::create(b, x, constantI32(b, mask));
    uint64_t moved = distance > 0 ? mask << distance : mask >> -distance;
    if (distance > 0)
      part = LLVM::ShlOp::create(b, part, constantI32(b, distance));
    else if (distance < 0)
      part = LLVM::LShrOp::create(b, part, constantI32(b, -distance));
    if (!sum)
      sum = part;
    else if (used & moved)
      sum = LLVM::XOrOp::create(b, sum, part);
    else
      sum = LLVM::OrOp::create(b, sum, part, /*isDisjoint=*/true);
    used |= moved;
  }
  return sum;
}

Value ThreadEmitter::isZero(uint64_t mask) {
  if (!mask)
    return {};
  Value bits = LLVM::AndOp::create(b, threadId(), constantI32(b, mask));
  return LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, bits,
                              constantI32(b, 0));
}

Value ThreadEmitter::isOdd(uint64_t mask) {
  Value bits = LLVM::AndOp::create(b, threadId(), constantI32(b, mask));
  if (llvm::popcount(mask) > 1)
    bits = LLVM::AndOp::create(b, LLVM::CtPopOp::create(b, bits),
                               constantI32(b, 1));
  return LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, bits,
                              constantI32(b, 0));
}

MapEmitter::MapEmitter(ImplicitLocOpBuilder &b, ThreadEmitter &threads,
                       ThreadMap map)
    : b(b), map(std::move(map)) {
  if (this->map.threadBits())
    threadPart = threads.linear(this->map.threads, threads.threadId());
}

MapEmitter::Number MapEmitter::at(uint64_t index) {
  return plus(map.ofRegister(index) ^ map.constant);
}

MapEmitter::Number MapEmitter::plus(uint64_t constant) {
  constant ^= map.constant;
  uint64_t mixed = constant & map.threadBits();
  Value &dynamic = dynamicParts[mixed];
  if (!dynamic)
    dynamic = mixed ? LLVM::XOrOp::create(b, threadPart, constantI32(b, mixed))
                    : threadPart;
  return {dynamic, constant & ~mixed, mixed};
}

Value MapEmitter::valueOf(uint64_t constant) {
  Number number = plus(constant);
  if (number.dynamic && !number.constant)
    return number.dynamic;
  return addI32(b, number.dynamic, constantI32(b, number.constant));
}

Value mirage::addI32(ImplicitLocOpBuilder &b, Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return LLVM::AddOp::create(b, x, y);
}

Value mirage::both(ImplicitLocOpBuilder &b, Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return LLVM::AndOp::create(b, x, y);
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type mirage::registerType(Type element) {
  bool isByteFloat =
      isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8;
  return isByteFloat ? IntegerType::get(element.getContext(), 8) : element;
}

TypedAttr mirage::registerConstant(Type element, const APFloat &value) {
  bool isExact;
  auto type = dyn_cast<FloatType>(element);
  if (!type) {
    APSInt integer(element.getIntOrFloatBitWidth(), /*isUnsigned=*/false);
    value.convertToInteger(integer, APFloat::rmTowardZero, &isExact);
    return IntegerAttr::get(element, integer);
  }
  APFloat rounded = value;
  rounded.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &isExact);
  if (registerType(element) == element)
    return FloatAttr::get(element, rounded);
  return IntegerAttr::get(registerType(element), rounded.bitcastToAPInt());
}

TileTypeConverter::TileTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion(
      [](RankedTensorType tile,
         SmallVectorImpl<Type> &registers) -> std::optional<LogicalResult> {
        LinearLayoutAttr layout = getLayout(tile);
        if (!layout)
          return failure();
        registers.append(layout.getSize(PlaceDim::Register),
                         registerType(tile.getElementType()));
        return success();
      });
  addConversion([](MemRefType type) -> Type {
    return LLVM::LLVMPointerType::get(type.getContext(), 1);
  });
  addConversion([](SharedType type) -> Type {
    return LLVM::LLVMPointerType::get(type.getContext(), 3);
  });
}
