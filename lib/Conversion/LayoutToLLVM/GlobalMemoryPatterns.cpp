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
// of every run is aligned. A run may continue from one dim into the next.
//
// A dim needs a mask only where the tile may hang over the memory's end, or
// over the part of it that exists. A run never needs more than one: it is cut
// such that it lies inside or outside as a whole. Runs of which all threads are
// inside have no mask, those of which all are outside are left out, and the
// others stand in branches, one for all runs with the same mask: nothing beyond
// the tensor is read or written.
//
//===----------------------------------------------------------------------===//

#include "GlobalTile.h"
#include "SharedEmitter.h"
#include "WordPacking.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

#include <map>

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

GlobalTile::GlobalTile(GlobalAccessOpInterface op, LinearLayoutAttr layout,
                       BlockShape block)
    : memory(op.getMemoryType()), layout(layout), flat(flatMap(layout, block)),
      existing(op.getExisting()) {
  unsigned rank = memory.getRank();
  strides.assign(rank, 1);
  for (unsigned d = rank; d-- > 1;)
    strides[d - 1] = strides[d] * memory.getDimSize(d);
  auto known = [&](StringRef name, int64_t otherwise) {
    SmallVector<int64_t> numbers(rank, otherwise);
    if (auto attribute = op->getAttrOfType<DenseI64ArrayAttr>(name))
      llvm::copy(attribute.asArrayRef(), numbers.begin());
    return numbers;
  };
  divisors = known(divisorsName, 1);
  lowest = known(lowestName, -unknownOffset);
  highest = known(highestName, unknownOffset);
  inside.assign(rank, false);
  if (auto attribute = op->getAttrOfType<DenseBoolArrayAttr>(insideName))
    llvm::copy(attribute.asArrayRef(), inside.begin());
  for (unsigned d = 0; d < rank; ++d)
    dims.push_back(dimMap(layout, d, block));
}

/// The span of `vectors`, by decreasing leading bit.
static SmallVector<uint64_t> echelon(ArrayRef<uint64_t> vectors) {
  SmallVector<uint64_t> basis;
  for (uint64_t vector : vectors) {
    for (uint64_t known : basis)
      vector = std::min(vector, vector ^ known);
    if (vector)
      basis.insert(llvm::upper_bound(basis, vector, std::greater<>()), vector);
  }
  return basis;
}

Cover GlobalTile::cover(unsigned dim, unsigned registerIndex) const {
  uint64_t least = dims[dim].ofRegister(registerIndex), greatest = least;
  for (uint64_t basis : echelon(dims[dim].threads)) {
    least = std::min(least, least ^ basis);
    greatest = std::max(greatest, greatest ^ basis);
  }
  int64_t extent = memory.getDimSize(dim);
  auto first = static_cast<int64_t>(least),
       last = static_cast<int64_t>(greatest);
  Cover cover;
  cover.outside =
      first >= existing[dim] || (!inside[dim] && lowest[dim] + first >= extent);
  cover.checkTile = last >= existing[dim];
  last = std::min(last, existing[dim] - 1);
  cover.checkMemory =
      !inside[dim] && (lowest[dim] < 0 || highest[dim] + last >= extent);
  return cover;
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

/// Whether every run lies inside or outside as a whole: along each dim its
/// indices differ only below `span`, and the memory and what exists of the tile
/// end at multiples of that.
bool GlobalTile::maskIsUniform(uint64_t run) const {
  for (unsigned d = 0; d < dims.size(); ++d) {
    uint64_t span = 1;
    for (auto [bit, basis] : llvm::enumerate(dims[d].registers))
      if ((run >> bit) & 1)
        span = std::max(span, llvm::NextPowerOf2(basis));
    if (existing[d] % span)
      return false;
    if (!inside[d] && (memory.getDimSize(d) % span || divisors[d] % span))
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
    while (bit < bits && (((runMask >> bit) & 1) || step(bit) != size / 2 ||
                          !maskIsUniform(runMask | uint64_t{1} << bit)))
      ++bit;
    if (bit == bits)
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

/// Adds the condition that the index along `dim` exists.
void GlobalTileEmitter::addMask(Run &run, unsigned dim,
                                const MapEmitter::Number &place, Cover cover) {
  if (!cover.checkMemory && !cover.checkTile)
    return;
  auto checkBelow = [&](Value index, uint64_t plus, int64_t end) {
    Value last = LLVM::ConstantOp::create(
        b, index.getType(), b.getIntegerAttr(index.getType(), end));
    Value own = LLVM::ConstantOp::create(
        b, index.getType(), b.getIntegerAttr(index.getType(), plus));
    Value below = LLVM::ICmpOp::create(
        b, LLVM::ICmpPredicate::ult, LLVM::AddOp::create(b, index, own), last);
    run.inside = both(b, run.inside, below);
  };
  if (cover.checkTile)
    checkBelow(place.dynamic, place.constant, access.existing[dim]);
  if (cover.checkMemory)
    checkBelow(dynamicIndex(dim, place), place.constant,
               access.memory.getDimSize(dim));
  for (uint64_t part : {uint64_t{dim}, place.constant, place.mixed})
    run.maskKey.push_back(part);
}

GlobalTileEmitter::Run GlobalTileEmitter::at(unsigned first,
                                             ArrayRef<unsigned> run) {
  Run result;
  result.registers = runRegisters(first, run);
  for (unsigned d = 0; d < numbers.size(); ++d)
    result.outside |= access.cover(d, first).outside;
  if (result.outside)
    return result;
  SmallVector<MapEmitter::Number> place;
  result.fixed = 0;
  for (auto [dim, emitter] : llvm::enumerate(numbers)) {
    place.push_back(emitter.at(first));
    result.fixed += place.back().constant * access.strides[dim];
    addMask(result, dim, place.back(), access.cover(dim, first));
  }
  result.dynamic = dynamicOffset(place);
  return result;
}

std::vector<SmallVector<GlobalTileEmitter::Run>>
GlobalTileEmitter::maskGroups(ArrayRef<unsigned> canonical,
                              ArrayRef<unsigned> run) {
  std::vector<SmallVector<Run>> groups;
  std::map<SmallVector<int64_t>, size_t> numbers;
  for (unsigned first : runStarts(canonical, run)) {
    Run next = at(first, run);
    if (next.outside)
      continue;
    auto [entry, isNew] = numbers.try_emplace(next.maskKey, groups.size());
    if (isNew)
      groups.emplace_back();
    groups[entry->second].push_back(std::move(next));
  }
  return groups;
}

Value GlobalTileEmitter::address(const Run &run) {
  Type element = registerType(access.memory.getElementType());
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

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// What a run has where it is outside: `other` in the type in which it is
/// loaded, a register, a vector of them or one of words.
static Value otherValue(ImplicitLocOpBuilder &b, Type element, Type type,
                        std::optional<APFloat> other) {
  TypedAttr scalar = registerConstant(element, other ? *other : APFloat(0.0));
  auto vector = dyn_cast<VectorType>(type);
  if (type == scalar.getType())
    return LLVM::ConstantOp::create(b, type, scalar);
  if (!vector) // two bytes
    return LLVM::ConstantOp::create(
        b,
        b.getIntegerAttr(
            type, APInt::getSplat(16, cast<IntegerAttr>(scalar).getValue())));
  if (vector.getElementType() == scalar.getType())
    return LLVM::ConstantOp::create(
        b, type, DenseElementsAttr::get(vector, ArrayRef<Attribute>(scalar)));
  auto number = dyn_cast<FloatAttr>(scalar);
  APInt bits = number ? number.getValue().bitcastToAPInt()
                      : cast<IntegerAttr>(scalar).getValue();
  return LLVM::ConstantOp::create(
      b, type, DenseElementsAttr::get(vector, APInt::getSplat(32, bits)));
}

struct LoadPattern final : TilePattern<LoadOp> {
  using TilePattern::TilePattern;
  using Run = GlobalTileEmitter::Run;

  /// Loads runs under one mask; elsewhere they have the value `other`.
  static SmallVector<Value> loadGroup(ImplicitLocOpBuilder &b,
                                      GlobalTileEmitter &emitter,
                                      ArrayRef<Run> members, Type type,
                                      unsigned bytes, Value other) {
    auto load = [&](ImplicitLocOpBuilder &inner) {
      SmallVector<Value> values;
      for (const Run &run : members)
        values.push_back(
            LLVM::LoadOp::create(inner, type, emitter.address(run), bytes));
      return values;
    };
    Value inside = members.front().inside;
    if (!inside)
      return load(b);
    SmallVector<Type> types(members.size(), type);
    auto branch = scf::IfOp::create(b, types, inside, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, load(b));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, SmallVector<Value>(members.size(), other));
    return branch.getResults();
  }

  /// Masked runs travel as words: a phi for each register.
  static Type typeOfRun(ImplicitLocOpBuilder &b, Type scalar, unsigned size,
                        bool masked) {
    unsigned words = size * scalar.getIntOrFloatBitWidth() / 32;
    if (size > 1 && masked && words > 0)
      return VectorType::get(words, b.getI32Type());
    return memoryType(scalar, size);
  }

  LogicalResult
  matchAndRewrite(LoadOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type element = op.getType().getElementType();
    Type scalar = registerType(element);
    GlobalTile access(op, getLayout(op.getType()), blockShape(op));
    ThreadEmitter threads(b, instructions);
    SmallVector<Value> offsets;
    for (ValueRange offset : adaptor.getOffsets())
      offsets.push_back(offset.front());
    GlobalTileEmitter emitter(b, access, threads, adaptor.getSource().front(),
                              offsets);
    SmallVector<unsigned> run =
        access.planRun(instructions.target.maxVectorBits);
    unsigned size = 1u << run.size(),
             bytes = size * scalar.getIntOrFloatBitWidth() / 8;
    SmallVector<unsigned> canonical = canonicalRegisters(access.flat);
    SmallVector<Value> registers(canonical.size());
    for (ArrayRef<Run> members : emitter.maskGroups(canonical, run)) {
      Value inside = members.front().inside;
      Type type = typeOfRun(b, scalar, size, bool(inside));
      Value other;
      if (inside)
        other = otherValue(b, element, type, op.getOther());
      SmallVector<Value> values =
          loadGroup(b, emitter, members, type, bytes, other);
      for (auto [member, value] : llvm::zip_equal(members, values))
        for (auto [index, part] : llvm::zip_equal(
                 member.registers, fromMemory(b, scalar, size, value)))
          registers[index] = part;
    }
    fillOutside(b, element, op.getOther(), canonical, registers);
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }

  /// Copies replicas; what no run has lies outside in all threads.
  static void fillOutside(ImplicitLocOpBuilder &b, Type element,
                          std::optional<APFloat> other,
                          ArrayRef<unsigned> canonical,
                          MutableArrayRef<Value> registers) {
    Value outside;
    for (unsigned r = 0; r < canonical.size(); ++r) {
      registers[r] = registers[canonical[r]];
      if (registers[r])
        continue;
      if (!outside)
        outside = otherValue(b, element, registerType(element), other);
      registers[r] = outside;
    }
  }
};

struct StorePattern final : TilePattern<StoreOp> {
  using TilePattern::TilePattern;
  using Run = GlobalTileEmitter::Run;

  void storeRun(ImplicitLocOpBuilder &b, GlobalTileEmitter &emitter,
                const Run &run, ValueRange registers) const {
    SmallVector<Value> values;
    for (unsigned index : run.registers)
      values.push_back(registers[index]);
    unsigned bytes =
        values.size() * values.front().getType().getIntOrFloatBitWidth() / 8;
    LLVM::StoreOp::create(b, toMemory(b, instructions, values),
                          emitter.address(run), bytes);
  }

  LogicalResult
  matchAndRewrite(StoreOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    GlobalTile access(op, getLayout(op.getValue().getType()), blockShape(op));
    ThreadEmitter threads(b, instructions);
    SmallVector<Value> offsets;
    for (ValueRange offset : adaptor.getOffsets())
      offsets.push_back(offset.front());
    GlobalTileEmitter emitter(b, access, threads, adaptor.getDest().front(),
                              offsets);
    SmallVector<unsigned> run =
        access.planRun(instructions.target.maxVectorBits);
    SmallVector<unsigned> canonical = canonicalRegisters(access.flat);
    // Only one of several threads with the same elements stores.
    Value elected = threads.isZero(replicaThreads(access.flat));
    for (ArrayRef<Run> members : emitter.maskGroups(canonical, run)) {
      OpBuilder::InsertionGuard guard(b);
      runOnly(b, both(b, elected, members.front().inside));
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
