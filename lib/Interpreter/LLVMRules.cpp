//===- LLVMRules.cpp - LLVM instructions ----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MachineState.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage::interpreter;
using llvm::Error;
using llvm::Expected;
using llvm::MutableArrayRef;
using llvm::Twine;

static unsigned bitsOf(Value value) {
  return value.getType().getIntOrFloatBitWidth();
}

static uint64_t truncate(uint64_t number, unsigned bits) {
  return bits >= 64 ? number : number & ((uint64_t{1} << bits) - 1);
}

static void setNumber(Machine &machine, Thread &thread, Value value,
                      uint64_t number) {
  machine.set(
      thread, value,
      knownDatum(truncate(number, bitsOf(value)), *sizeOf(value.getType())));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static std::optional<Datum> constantDatum(Attribute attribute, Type type) {
  unsigned size = *sizeOf(type);
  if (type.isIntOrFloat() && size > 8)
    return std::nullopt;
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return knownDatum(integer.getValue().zextOrTrunc(64).getZExtValue(), size);
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return knownDatum(
        number.getValue().bitcastToAPInt().zextOrTrunc(64).getZExtValue(),
        size);
  auto elements = dyn_cast<DenseIntElementsAttr>(attribute);
  if (!elements)
    return std::nullopt;
  Datum datum;
  for (const llvm::APInt &value : elements.getValues<llvm::APInt>())
    datum.append(
        knownDatum(value.getZExtValue(), (value.getBitWidth() + 7) / 8));
  return datum;
}

static Error constant(Machine &machine, MutableArrayRef<Thread> threads,
                      Operation *op) {
  Value made = op->getResult(0);
  std::optional<Datum> datum =
      constantDatum(op->getAttr("value"), made.getType());
  if (!datum)
    return refuse("is of a kind that cannot be interpreted");
  machine.set(threads[0], made, std::move(*datum));
  return Error::success();
}

static Error undefined(Machine &machine, MutableArrayRef<Thread> threads,
                       Operation *op) {
  Value result = op->getResult(0);
  machine.set(threads[0], result, Datum(*sizeOf(result.getType())));
  return Error::success();
}

static Error zero(Machine &machine, MutableArrayRef<Thread> threads,
                  Operation *op) {
  Value result = op->getResult(0);
  machine.set(threads[0], result, knownDatum(0, *sizeOf(result.getType())));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// A rule that is not meant for vectors, pointers or floats, of at most 64
/// bits.
template <Error (*execute)(Machine &, MutableArrayRef<Thread>, Operation *)>
static Error onIntegers(Machine &machine, MutableArrayRef<Thread> threads,
                        Operation *op) {
  auto isInteger = [](Type type) {
    return type.isInteger() && type.getIntOrFloatBitWidth() <= 64;
  };
  if (!llvm::all_of(op->getOperandTypes(), isInteger) ||
      !llvm::all_of(op->getResultTypes(), isInteger))
    return refuse("computes with what is not an integer of at most 64 bits");
  return execute(machine, threads, op);
}

template <uint64_t (*compute)(uint64_t, uint64_t, unsigned bits)>
static Error arithmetic(Machine &machine, MutableArrayRef<Thread> threads,
                        Operation *op) {
  Thread &thread = threads[0];
  Expected<uint64_t> a = machine.number(thread, op->getOperand(0));
  if (!a)
    return a.takeError();
  Expected<uint64_t> b = machine.number(thread, op->getOperand(1));
  if (!b)
    return b.takeError();
  Value result = op->getResult(0);
  setNumber(machine, thread, result, compute(*a, *b, bitsOf(result)));
  return Error::success();
}

static uint64_t add(uint64_t a, uint64_t b, unsigned) { return a + b; }
static uint64_t sub(uint64_t a, uint64_t b, unsigned) { return a - b; }
static uint64_t mul(uint64_t a, uint64_t b, unsigned) { return a * b; }

enum class Bitwise { And, Or, Xor };

/// A byte of data survives next to a known byte that leaves it alone.
template <Bitwise kind>
static std::optional<Byte> combine(Byte a, Byte b) {
  if (a.isKnown() && b.isKnown()) {
    uint8_t x = a.number(), y = b.number();
    return Byte::known(kind == Bitwise::And  ? x & y
                       : kind == Bitwise::Or ? x | y
                                             : x ^ y);
  }
  if (!a.isKnown())
    std::swap(a, b);
  if (!a.isKnown())
    return std::nullopt;
  if (kind == Bitwise::And)
    return a.number() == 0      ? std::optional<Byte>(a)
           : a.number() == 0xff ? std::optional<Byte>(b)
                                : std::nullopt;
  return a.number() == 0 ? std::optional<Byte>(b) : std::nullopt;
}

template <Bitwise kind>
static Error bitwise(Machine &machine, MutableArrayRef<Thread> threads,
                     Operation *op) {
  const Datum &a = machine.get(threads[0], op->getOperand(0));
  const Datum &b = machine.get(threads[0], op->getOperand(1));
  Datum result;
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    std::optional<Byte> byte = combine<kind>(x, y);
    if (!byte)
      return refuse("computes with data: " + describe(a) + " and " +
                    describe(b));
    result.push_back(*byte);
  }
  machine.set(threads[0], op->getResult(0), std::move(result));
  return Error::success();
}

enum class Shift { Left, Right, RightSigned };

static uint64_t shifted(Shift kind, uint64_t number, uint64_t distance,
                        unsigned bits) {
  switch (kind) {
  case Shift::Left:
    return number << distance;
  case Shift::Right:
    return number >> distance;
  case Shift::RightSigned:
    return llvm::SignExtend64(number, bits) >> distance;
  }
  llvm_unreachable("three kinds");
}

/// Numbers shift by any distance, data by whole bytes.
template <Shift kind>
static Error shift(Machine &machine, MutableArrayRef<Thread> threads,
                   Operation *op) {
  Thread &thread = threads[0];
  Expected<uint64_t> distance = machine.number(thread, op->getOperand(1));
  if (!distance)
    return distance.takeError();
  Value value = op->getOperand(0);
  unsigned bits = bitsOf(value);
  const Datum &datum = machine.get(thread, value);
  if (*distance >= bits)
    return refuse("shifts by " + Twine(*distance) + " of " + Twine(bits) +
                  " bits");
  if (std::optional<uint64_t> number = numberOf(datum)) {
    setNumber(machine, thread, op->getResult(0),
              shifted(kind, *number, *distance, bits));
    return Error::success();
  }
  if (*distance % 8 || kind == Shift::RightSigned)
    return refuse("shifts " + describe(datum) + " by " + Twine(*distance) +
                  " bits");
  unsigned size = datum.size(), by = *distance / 8;
  Datum result = knownDatum(0, size);
  for (unsigned i = by; i < size; ++i)
    kind == Shift::Left ? result[i] = datum[i - by] : result[i - by] = datum[i];
  machine.set(thread, op->getResult(0), std::move(result));
  return Error::success();
}

static bool compare(LLVM::ICmpPredicate predicate, uint64_t a, uint64_t b,
                    unsigned bits) {
  int64_t x = llvm::SignExtend64(a, bits), y = llvm::SignExtend64(b, bits);
  switch (predicate) {
  case LLVM::ICmpPredicate::eq:
    return a == b;
  case LLVM::ICmpPredicate::ne:
    return a != b;
  case LLVM::ICmpPredicate::slt:
    return x < y;
  case LLVM::ICmpPredicate::sle:
    return x <= y;
  case LLVM::ICmpPredicate::sgt:
    return x > y;
  case LLVM::ICmpPredicate::sge:
    return x >= y;
  case LLVM::ICmpPredicate::ult:
    return a < b;
  case LLVM::ICmpPredicate::ule:
    return a <= b;
  case LLVM::ICmpPredicate::ugt:
    return a > b;
  case LLVM::ICmpPredicate::uge:
    return a >= b;
  }
  llvm_unreachable("all predicates are covered");
}

static Error icmp(Machine &machine, MutableArrayRef<Thread> threads,
                  Operation *op) {
  auto test = cast<LLVM::ICmpOp>(op);
  Expected<uint64_t> a = machine.number(threads[0], test.getLhs());
  if (!a)
    return a.takeError();
  Expected<uint64_t> b = machine.number(threads[0], test.getRhs());
  if (!b)
    return b.takeError();
  setNumber(machine, threads[0], test.getRes(),
            compare(test.getPredicate(), *a, *b, bitsOf(test.getLhs())));
  return Error::success();
}

static Error population(Machine &machine, MutableArrayRef<Thread> threads,
                        Operation *op) {
  Expected<uint64_t> number = machine.number(threads[0], op->getOperand(0));
  if (!number)
    return number.takeError();
  setNumber(machine, threads[0], op->getResult(0), llvm::popcount(*number));
  return Error::success();
}

static Error select(Machine &machine, MutableArrayRef<Thread> threads,
                    Operation *op) {
  Expected<uint64_t> condition = machine.number(threads[0], op->getOperand(0));
  if (!condition)
    return condition.takeError();
  machine.set(threads[0], op->getResult(0),
              machine.get(threads[0], op->getOperand(*condition & 1 ? 1 : 2)));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Bytes of a value
//===----------------------------------------------------------------------===//

static Error copyBytes(Machine &machine, MutableArrayRef<Thread> threads,
                       Operation *op) {
  Datum datum = machine.get(threads[0], op->getOperand(0));
  if (datum.size() != *sizeOf(op->getResult(0).getType()))
    return refuse("changes the size of a value");
  machine.set(threads[0], op->getResult(0), std::move(datum));
  return Error::success();
}

/// zext and trunc. Data of less than a byte is a whole byte here.
static Error resize(Machine &machine, MutableArrayRef<Thread> threads,
                    Operation *op) {
  Datum datum = machine.get(threads[0], op->getOperand(0));
  Value result = op->getResult(0);
  if (std::optional<uint64_t> number = numberOf(datum)) {
    setNumber(machine, threads[0], result, *number);
    return Error::success();
  }
  datum.resize(*sizeOf(result.getType()), Byte::known(0));
  machine.set(threads[0], result, std::move(datum));
  return Error::success();
}

static Error signExtend(Machine &machine, MutableArrayRef<Thread> threads,
                        Operation *op) {
  Expected<uint64_t> number = machine.number(threads[0], op->getOperand(0));
  if (!number)
    return number.takeError();
  setNumber(machine, threads[0], op->getResult(0),
            llvm::SignExtend64(*number, bitsOf(op->getOperand(0))));
  return Error::success();
}

static Error insertElement(Machine &machine, MutableArrayRef<Thread> threads,
                           Operation *op) {
  auto insert = cast<LLVM::InsertElementOp>(op);
  Expected<uint64_t> index = machine.number(threads[0], insert.getPosition());
  if (!index)
    return index.takeError();
  Datum vector = machine.get(threads[0], insert.getVector());
  const Datum &value = machine.get(threads[0], insert.getValue());
  if (*index >= vector.size() / value.size())
    return refuse("has position " + Twine(*index) + ", beyond the vector");
  llvm::copy(value, vector.begin() + *index * value.size());
  machine.set(threads[0], insert.getRes(), std::move(vector));
  return Error::success();
}

static Datum slice(const Datum &datum, size_t start, size_t size) {
  return Datum(datum.begin() + start, datum.begin() + start + size);
}

static Error extractElement(Machine &machine, MutableArrayRef<Thread> threads,
                            Operation *op) {
  auto extract = cast<LLVM::ExtractElementOp>(op);
  Expected<uint64_t> index = machine.number(threads[0], extract.getPosition());
  if (!index)
    return index.takeError();
  const Datum &vector = machine.get(threads[0], extract.getVector());
  unsigned size = *sizeOf(extract.getType());
  if (*index >= vector.size() / size)
    return refuse("has position " + Twine(*index) + ", beyond the vector");
  machine.set(threads[0], extract.getRes(), slice(vector, *index * size, size));
  return Error::success();
}

static Error shuffleVector(Machine &machine, MutableArrayRef<Thread> threads,
                           Operation *op) {
  auto shuffle = cast<LLVM::ShuffleVectorOp>(op);
  Datum both = machine.get(threads[0], shuffle.getV1());
  both.append(machine.get(threads[0], shuffle.getV2()));
  unsigned size = *sizeOf(shuffle.getV1().getType().getElementType());
  Datum result;
  for (int32_t index : shuffle.getMask())
    result.append(index < 0 ? Datum(size) : slice(both, index * size, size));
  machine.set(threads[0], shuffle.getRes(), std::move(result));
  return Error::success();
}

/// Byte at which a member of a structure starts.
static std::optional<unsigned> memberStart(Type container,
                                           ArrayRef<int64_t> position) {
  auto structure = dyn_cast<LLVM::LLVMStructType>(container);
  if (!structure || position.size() != 1)
    return std::nullopt;
  unsigned start = 0;
  for (Type member : structure.getBody().take_front(position[0]))
    start += *sizeOf(member);
  return start;
}

static Error extractValue(Machine &machine, MutableArrayRef<Thread> threads,
                          Operation *op) {
  auto extract = cast<LLVM::ExtractValueOp>(op);
  std::optional<unsigned> start =
      memberStart(extract.getContainer().getType(), extract.getPosition());
  if (!start)
    return refuse("has a nested position");
  machine.set(threads[0], extract.getRes(),
              slice(machine.get(threads[0], extract.getContainer()), *start,
                    *sizeOf(extract.getType())));
  return Error::success();
}

static Error insertValue(Machine &machine, MutableArrayRef<Thread> threads,
                         Operation *op) {
  auto insert = cast<LLVM::InsertValueOp>(op);
  std::optional<unsigned> start =
      memberStart(insert.getContainer().getType(), insert.getPosition());
  if (!start)
    return refuse("has a nested position");
  Datum structure = machine.get(threads[0], insert.getContainer());
  llvm::copy(machine.get(threads[0], insert.getValue()),
             structure.begin() + *start);
  machine.set(threads[0], insert.getRes(), std::move(structure));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static constexpr unsigned sharedSpace = 3, clusterSpace = 7;

/// The only global is the block's shared memory.
static Error addressOf(Machine &machine, MutableArrayRef<Thread> threads,
                       Operation *op) {
  auto address = cast<LLVM::AddressOfOp>(op);
  auto type = cast<LLVM::LLVMPointerType>(address.getType());
  if (type.getAddressSpace() != sharedSpace)
    return refuse("names memory that is not shared");
  machine.set(threads[0], address.getRes(), knownDatum(0, 4));
  return Error::success();
}

static Error elementPointer(Machine &machine, MutableArrayRef<Thread> threads,
                            Operation *op) {
  auto gep = cast<LLVM::GEPOp>(op);
  std::optional<unsigned> size = sizeOf(gep.getElemType());
  if (gep.getIndices().size() != 1 || !size)
    return refuse("has several indices or a type without a size");
  int64_t index;
  auto first = gep.getIndices()[0];
  if (auto constant = dyn_cast<IntegerAttr>(first)) {
    index = constant.getInt();
  } else {
    Value dynamic = cast<Value>(first);
    Expected<uint64_t> number = machine.number(threads[0], dynamic);
    if (!number)
      return number.takeError();
    index = llvm::SignExtend64(*number, bitsOf(dynamic));
  }
  Expected<uint64_t> base = machine.number(threads[0], gep.getBase());
  if (!base)
    return base.takeError();
  unsigned bytes = *sizeOf(gep.getRes().getType());
  machine.set(threads[0], gep.getRes(),
              knownDatum(truncate(*base + index * *size, 8 * bytes), bytes));
  return Error::success();
}

namespace {
struct Place {
  unsigned block;
  uint64_t offset;
};
} // namespace

static Expected<Place> locate(Machine &machine, const Thread &thread,
                              Value pointer) {
  Expected<uint64_t> address = machine.number(thread, pointer);
  if (!address)
    return address.takeError();
  unsigned space =
      cast<LLVM::LLVMPointerType>(pointer.getType()).getAddressSpace();
  if (space == sharedSpace)
    return Place{thread.number.block, *address};
  if (space == clusterSpace)
    return Place{static_cast<unsigned>(*address >> 24), *address & 0xffffff};
  return refuse("accesses memory of address space " + Twine(space));
}

/// Without an alignment the natural one of the type is meant.
static uint64_t alignmentOf(std::optional<uint64_t> given, Type type) {
  return given ? *given : llvm::PowerOf2Ceil(*sizeOf(type));
}

static Expected<Datum> readMemory(Machine &machine, const Thread &thread,
                                  LLVM::LoadOp access) {
  unsigned size = *sizeOf(access.getType());
  uint64_t alignment = alignmentOf(access.getAlignment(), access.getType());
  auto pointer = cast<LLVM::LLVMPointerType>(access.getAddr().getType());
  if (pointer.getAddressSpace() == globalSpace) {
    Expected<uint64_t> address = machine.number(thread, access.getAddr());
    if (!address)
      return address.takeError();
    return machine.readGlobal(*address, size, alignment);
  }
  Expected<Place> at = locate(machine, thread, access.getAddr());
  if (!at)
    return at.takeError();
  return machine.memory().read(at->block, at->offset, size, alignment,
                               thread.access());
}

static Error load(Machine &machine, MutableArrayRef<Thread> threads,
                  Operation *op) {
  auto access = cast<LLVM::LoadOp>(op);
  Expected<Datum> datum = readMemory(machine, threads[0], access);
  if (!datum)
    return datum.takeError();
  machine.set(threads[0], access.getRes(), std::move(*datum));
  return Error::success();
}

static Error store(Machine &machine, MutableArrayRef<Thread> threads,
                   Operation *op) {
  auto access = cast<LLVM::StoreOp>(op);
  Expected<Place> at = locate(machine, threads[0], access.getAddr());
  if (!at)
    return at.takeError();
  return machine.memory().write(
      at->block, at->offset, machine.get(threads[0], access.getValue()),
      alignmentOf(access.getAlignment(), access.getValue().getType()),
      threads[0].access());
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

template <typename Op>
static Error branch(Machine &machine, MutableArrayRef<Thread> threads,
                    Operation *op) {
  auto jump = cast<Op>(op);
  machine.jump(threads[0], jump.getDest(), jump.getDestOperands());
  return Error::success();
}

template <typename Op>
static Error conditionalBranch(Machine &machine,
                               MutableArrayRef<Thread> threads, Operation *op) {
  auto jump = cast<Op>(op);
  Expected<uint64_t> condition =
      machine.number(threads[0], jump.getCondition());
  if (!condition)
    return condition.takeError();
  if (*condition & 1)
    machine.jump(threads[0], jump.getTrueDest(), jump.getTrueDestOperands());
  else
    machine.jump(threads[0], jump.getFalseDest(), jump.getFalseDestOperands());
  return Error::success();
}

static Error finish(Machine &machine, MutableArrayRef<Thread> threads,
                    Operation *op) {
  for (Value value : op->getOperands())
    threads[0].results.push_back(machine.get(threads[0], value));
  threads[0].done = true;
  return Error::success();
}

static Error nothing(Machine &, MutableArrayRef<Thread>, Operation *) {
  return Error::success();
}

void mirage::interpreter::addLLVMRules(Rules &rules) {
  auto rule = [&](StringRef name, decltype(Rule::execute) execute) {
    rules[name] = {Scope::Thread, execute};
  };
  rule("llvm.mlir.constant", constant);
  rule("arith.constant", constant);
  rule("llvm.mlir.poison", undefined);
  rule("llvm.mlir.undef", undefined);
  rule("llvm.mlir.zero", zero);
  rule("llvm.add", onIntegers<arithmetic<add>>);
  rule("llvm.sub", onIntegers<arithmetic<sub>>);
  rule("llvm.mul", onIntegers<arithmetic<mul>>);
  rule("llvm.ashr", onIntegers<shift<Shift::RightSigned>>);
  rule("llvm.and", bitwise<Bitwise::And>);
  rule("llvm.or", bitwise<Bitwise::Or>);
  rule("llvm.xor", bitwise<Bitwise::Xor>);
  rule("llvm.shl", onIntegers<shift<Shift::Left>>);
  rule("llvm.lshr", onIntegers<shift<Shift::Right>>);
  rule("llvm.icmp", onIntegers<icmp>);
  rule("llvm.intr.ctpop", onIntegers<population>);
  rule("llvm.select", select);
  rule("llvm.bitcast", copyBytes);
  rule("llvm.zext", onIntegers<resize>);
  rule("llvm.trunc", onIntegers<resize>);
  rule("llvm.sext", onIntegers<signExtend>);
  rule("llvm.insertelement", insertElement);
  rule("llvm.extractelement", extractElement);
  rule("llvm.shufflevector", shuffleVector);
  rule("llvm.insertvalue", insertValue);
  rule("llvm.extractvalue", extractValue);
  rule("llvm.mlir.addressof", addressOf);
  rule("llvm.getelementptr", elementPointer);
  rule("llvm.load", load);
  rule("llvm.store", store);
  // Order among the accesses of one thread is kept anyway.
  rule("llvm.fence", nothing);
  rule("llvm.br", branch<LLVM::BrOp>);
  rule("llvm.cond_br", conditionalBranch<LLVM::CondBrOp>);
  rule("cf.br", branch<cf::BranchOp>);
  rule("cf.cond_br", conditionalBranch<cf::CondBranchOp>);
  for (StringRef name : {"llvm.return", "gpu.return", "func.return"})
    rule(name, finish);
}
