//===- GlobalMemoryPatterns.cpp - Tiles in global memory ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An access is split into vectors: register bits whose bases are 1, 2, 4, ...
// elements of memory apart form a *run*, up to 16 bytes, as far as the address
// of every run is aligned. Masks are per run; a dim needs one only where
// the tile may hang over the memory's end.
//
// Loads under a mask do not branch: outside they read element 0 of the memory,
// which always exists, and drop the value. Stores branch.
//
//===----------------------------------------------------------------------===//

#include "GlobalTile.h"
#include "SharedEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

GlobalTile::GlobalTile(Operation *op, MemRefType memory,
                       LinearLayoutAttr layout, BlockShape block)
    : memory(memory), layout(layout), flat(flatMap(layout, block)) {
  unsigned rank = memory.getRank();
  strides.assign(rank, 1);
  for (unsigned d = rank; d-- > 1;)
    strides[d - 1] = strides[d] * memory.getDimSize(d);
  divisors.assign(rank, 1);
  inside.assign(rank, false);
  if (auto known = op->getAttrOfType<DenseI64ArrayAttr>(divisorsName))
    divisors.assign(known.asArrayRef().begin(), known.asArrayRef().end());
  if (auto known = op->getAttrOfType<DenseBoolArrayAttr>(insideName))
    inside.assign(known.asArrayRef().begin(), known.asArrayRef().end());
  for (unsigned d = 0; d < rank; ++d)
    dims.push_back(dimMap(layout, d, block));
}

/// The largest power of two that divides `value`; 0 is divisible by any.
static uint64_t powerOfTwo(uint64_t value) {
  return value ? value & -value : uint64_t{1} << 40;
}

uint64_t GlobalTile::step(unsigned registerBit) const {
  uint64_t sum = 0;
  for (auto [map, stride] : llvm::zip_equal(dims, strides))
    sum += map.registers[registerBit] * stride;
  return sum;
}

/// A run of `size` elements must lie inside or outside as a whole: it may leave
/// the last dim only where no mask is needed.
bool GlobalTile::maskAllows(unsigned bit, uint64_t size) const {
  for (unsigned d = 0, last = dims.size() - 1; d <= last; ++d) {
    if (inside[d] || dims[d].registers[bit] == 0)
      continue;
    if (d != last || memory.getDimSize(d) % size || divisors[d] % size)
      return false;
  }
  return true;
}

/// Elements to which every run of `size` elements is aligned, if the register
/// bits in `run` make up the run.
bool GlobalTile::aligned(uint64_t run, uint64_t size) const {
  for (unsigned d = 0; d < dims.size(); ++d) {
    uint64_t stride = powerOfTwo(strides[d]);
    if (stride * powerOfTwo(divisors[d]) < size)
      return false;
    for (uint64_t basis : dims[d].threads)
      if (stride * powerOfTwo(basis) < size)
        return false;
    for (auto [bit, basis] : llvm::enumerate(dims[d].registers))
      if (!((run >> bit) & 1) && stride * powerOfTwo(basis) < size)
        return false;
  }
  return true;
}

SmallVector<unsigned> GlobalTile::planRun(unsigned maxBits) const {
  unsigned elementBits = memory.getElementTypeBitWidth();
  SmallVector<unsigned> run, best;
  uint64_t runMask = 0;
  for (uint64_t size = 2; size * elementBits <= maxBits; size *= 2) {
    unsigned bits = flat.registers.size(), bit = 0;
    while (bit < bits && (((runMask >> bit) & 1) || step(bit) != size / 2))
      ++bit;
    if (bit == bits || !maskAllows(bit, size))
      break;
    run.push_back(bit);
    runMask |= uint64_t{1} << bit;
    if (aligned(runMask, size))
      best = run;
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

GlobalTileEmitter::GlobalTileEmitter(ImplicitLocOpBuilder &b,
                                     const GlobalTile &access,
                                     ThreadEmitter &threads, Value pointer,
                                     ValueRange offsets)
    : b(b), access(access), pointer(pointer) {
  for (const ThreadMap &map : access.dims)
    numbers.emplace_back(b, threads, map);
  // 32-bit numbers suffice unless the memory (with a tile that hangs over) is
  // very large.
  int64_t elements = 1;
  for (int64_t d = 0; d < access.memory.getRank(); ++d)
    elements *= access.memory.getDimSize(d) + access.layout.getShape()[d];
  numberType = elements < (int64_t{1} << 31) ? b.getI32Type() : b.getI64Type();
  for (Value offset : offsets)
    starts.push_back(arith::IndexCastOp::create(b, numberType, offset));
}

Value GlobalTileEmitter::constant(int64_t value) {
  return LLVM::ConstantOp::create(b, numberType,
                                  b.getIntegerAttr(numberType, value));
}

/// The index along `dim` without the register's constant.
Value GlobalTileEmitter::dynamicIndex(unsigned dim,
                                      const MapEmitter::Number &number) {
  if (!number.dynamic)
    return starts[dim];
  Value own = number.dynamic;
  if (numberType != own.getType())
    own = LLVM::ZExtOp::create(b, numberType, own);
  return LLVM::AddOp::create(b, starts[dim], own);
}

Value GlobalTileEmitter::dynamicOffset(ArrayRef<MapEmitter::Number> numbers) {
  SmallVector<uint64_t> key;
  for (const MapEmitter::Number &number : numbers)
    key.push_back(number.mixed);
  for (auto &[known, value] : dynamicOffsets)
    if (known == key)
      return value;
  Value sum;
  for (auto [dim, number] : llvm::enumerate(numbers)) {
    Value part = dynamicIndex(dim, number);
    if (access.strides[dim] != 1)
      part = LLVM::MulOp::create(b, part, constant(access.strides[dim]));
    sum = addI32(b, sum, part);
  }
  if (!sum)
    sum = constant(0);
  dynamicOffsets.emplace_back(key, sum);
  return sum;
}

GlobalTileEmitter::Run GlobalTileEmitter::at(unsigned first,
                                             ArrayRef<unsigned> run) {
  Run result;
  result.registers = runRegisters(first, run);
  SmallVector<MapEmitter::Number> place;
  int64_t fixed = 0;
  for (auto [dim, emitter] : llvm::enumerate(numbers)) {
    place.push_back(emitter.at(first));
    fixed += place.back().constant * access.strides[dim];
  }
  for (unsigned d = 0; d < place.size(); ++d) {
    if (access.inside[d])
      continue;
    Value index = LLVM::AddOp::create(b, dynamicIndex(d, place[d]),
                                      constant(place[d].constant));
    Value below = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ult, index,
                                       constant(access.memory.getDimSize(d)));
    result.inside = both(b, result.inside, below);
    result.maskKey.push_back(place[d].constant);
    result.maskKey.push_back(place[d].mixed);
  }
  result.dynamic = dynamicOffset(place);
  result.fixed = fixed;
  return result;
}

Value GlobalTileEmitter::address(const Run &run) {
  Type element = access.memory.getElementType();
  Value base =
      LLVM::GEPOp::create(b, pointer.getType(), element, pointer, run.dynamic);
  if (!run.fixed)
    return base;
  if (!llvm::isInt<32>(run.fixed))
    return LLVM::GEPOp::create(b, pointer.getType(), element, base,
                               constant(run.fixed));
  return LLVM::GEPOp::create(b, pointer.getType(), element, base,
                             LLVM::GEPArg(static_cast<int32_t>(run.fixed)));
}

Value GlobalTileEmitter::safeAddress(const Run &run) {
  if (!run.inside)
    return address(run);
  Value offset = LLVM::AddOp::create(b, run.dynamic, constant(run.fixed));
  offset = LLVM::SelectOp::create(b, run.inside, offset, constant(0));
  return LLVM::GEPOp::create(b, pointer.getType(),
                             access.memory.getElementType(), pointer, offset);
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// The constant `value` as `type`, a float or i32 words of packed floats.
static Value otherValue(ImplicitLocOpBuilder &b, FloatType element,
                        std::optional<APFloat> other, unsigned words) {
  APFloat value = other ? *other : APFloat(0.0);
  bool lost;
  value.convert(element.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                &lost);
  if (words == 0)
    return LLVM::ConstantOp::create(b, element, b.getFloatAttr(element, value));
  uint64_t bits = value.bitcastToAPInt().getZExtValue();
  if (element.getWidth() == 16)
    bits |= bits << 16;
  auto type = VectorType::get(words, b.getI32Type());
  return LLVM::ConstantOp::create(
      b, type, DenseElementsAttr::get(type, APInt(32, bits)));
}

struct LoadPattern final : TilePattern<LoadOp> {
  using TilePattern::TilePattern;

  /// Loads one run and returns its elements.
  static SmallVector<Value> loadRun(ImplicitLocOpBuilder &b, FloatType element,
                                    Value address, Value inside, unsigned size,
                                    std::optional<APFloat> other) {
    unsigned bytes = size * element.getWidth() / 8;
    unsigned words = bytes / 4;
    Type type = size == 1 ? Type(element) : VectorType::get(size, element);
    // Selecting whole words takes the fewest instructions.
    bool asWords = inside && size > 1 && words > 0;
    Type loadType = asWords ? VectorType::get(words, b.getI32Type()) : type;
    Value value = LLVM::LoadOp::create(b, loadType, address, bytes);
    if (inside) {
      Value outside = otherValue(b, element, other, asWords ? words : 0);
      value = LLVM::SelectOp::create(b, inside, value, outside);
    }
    if (asWords)
      value = LLVM::BitcastOp::create(b, type, value);
    return size == 1 ? SmallVector<Value>{value} : unpackVector(b, value);
  }

  LogicalResult
  matchAndRewrite(LoadOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto tile = cast<RankedTensorType>(op.getType());
    GlobalTile access(op, cast<MemRefType>(op.getSource().getType()),
                      getLayout(tile), blockShape(op));
    ThreadEmitter threads(b, instructions);
    SmallVector<Value> offsets;
    for (ValueRange offset : adaptor.getOffsets())
      offsets.push_back(offset.front());
    GlobalTileEmitter emitter(b, access, threads, adaptor.getSource().front(),
                              offsets);
    SmallVector<unsigned> run = access.planRun(target().maxVectorBits);
    SmallVector<unsigned> canonical = canonicalRegisters(access.flat);
    SmallVector<Value> registers(canonical.size());
    for (unsigned first : runStarts(canonical, run)) {
      GlobalTileEmitter::Run place = emitter.at(first, run);
      SmallVector<Value> values = loadRun(
          b, cast<FloatType>(tile.getElementType()), emitter.safeAddress(place),
          place.inside, place.registers.size(), op.getOther());
      for (auto [index, value] : llvm::zip_equal(place.registers, values))
        registers[index] = value;
    }
    for (unsigned r = 0; r < canonical.size(); ++r)
      registers[r] = registers[canonical[r]];
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }

  const TargetDescription &target() const { return instructions.target; }
};

struct StorePattern final : TilePattern<StoreOp> {
  using TilePattern::TilePattern;
  using Run = GlobalTileEmitter::Run;

  static void storeRun(ImplicitLocOpBuilder &b, GlobalTileEmitter &emitter,
                       const Run &run, ValueRange registers) {
    SmallVector<Value> values;
    for (unsigned index : run.registers)
      values.push_back(registers[index]);
    unsigned bytes =
        values.size() * values.front().getType().getIntOrFloatBitWidth() / 8;
    Value value = values.size() == 1 ? values.front() : packVector(b, values);
    LLVM::StoreOp::create(b, value, emitter.address(run), bytes);
  }

  LogicalResult
  matchAndRewrite(StoreOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    GlobalTile access(op, cast<MemRefType>(op.getDest().getType()),
                      getLayout(op.getValue().getType()), blockShape(op));
    ThreadEmitter threads(b, instructions);
    SmallVector<Value> offsets;
    for (ValueRange offset : adaptor.getOffsets())
      offsets.push_back(offset.front());
    GlobalTileEmitter emitter(b, access, threads, adaptor.getDest().front(),
                              offsets);
    SmallVector<unsigned> run =
        access.planRun(instructions.target.maxVectorBits);
    SmallVector<unsigned> canonical = canonicalRegisters(access.flat);
    // Only one of several threads with the same elements stores, and runs under
    // the same mask share a branch.
    Value elected = threads.isZero(replicaThreads(access.flat));
    llvm::MapVector<ArrayRef<int64_t>, SmallVector<Run>> groups;
    std::vector<Run> runs;
    runs.reserve(canonical.size());
    for (unsigned first : runStarts(canonical, run)) {
      runs.push_back(emitter.at(first, run));
      groups[runs.back().maskKey].push_back(runs.back());
    }
    for (auto &[key, members] : groups) {
      Value condition = both(b, elected, members.front().inside);
      OpBuilder::InsertionGuard guard(b);
      runOnly(b, condition);
      for (const Run &member : members)
        storeRun(b, emitter, member, adaptor.getValue());
    }
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void mirage::populateGlobalMemoryPatterns(
    RewritePatternSet &patterns, const TypeConverter &converter,
    const TargetInstructions &instructions) {
  patterns.add<LoadPattern, StorePattern>(converter, patterns.getContext(),
                                          instructions);
}
