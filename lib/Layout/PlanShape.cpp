//===- PlanShape.cpp - Plans whose indices are in range -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConversionDetail.h"
#include "RegisterGroups.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::SmallVector;

namespace {
/// Checks one program value by value.
class ProgramShape {
public:
  ProgramShape(const RegisterExchange &program, const LinearLayout &source,
               const LinearLayout &destination)
      : program(program), source(source), destination(destination) {}

  bool check();

private:
  bool addWords();
  bool isShuffle(const ExchangeOp &op) const;
  bool addOp(const ExchangeOp &op);
  bool selects(const ExchangeOp &op, ArrayRef<unsigned> selector) const;

  unsigned bits(llvm::StringRef label) const {
    return std::max(source.inBits(label), destination.inBits(label));
  }

  const RegisterExchange &program;
  const LinearLayout &source, &destination;
  SmallVector<unsigned> elements; ///< number in each value so far.
};
} // namespace

bool ProgramShape::addWords() {
  for (const auto &word : program.words) {
    if (llvm::any_of(word, [&](unsigned reg) {
          return reg >= source.inSize("register");
        }))
      return false;
    elements.push_back(word.size());
  }
  return true;
}

bool ProgramShape::selects(const ExchangeOp &op,
                           ArrayRef<unsigned> selector) const {
  unsigned full = selector.size();
  return llvm::all_of(selector, [&](unsigned s) {
    return s < full ? s < elements[op.a]
                    : s < 2 * full && s - full < elements[op.b];
  });
}

/// The lane that is read exists, for every thread.
bool ProgramShape::isShuffle(const ExchangeOp &op) const {
  if (op.laneXor >> bits("lane"))
    return false;
  const LinearLayout &sender = program.sourceLane;
  return program.isButterfly || (sender.inBits("lane") == bits("lane") &&
                                 sender.inBits("warp") == bits("warp") &&
                                 sender.inBits("block") == bits("block") &&
                                 sender.totalOutBits() == bits("lane"));
}

bool ProgramShape::addOp(const ExchangeOp &op) {
  bool two = op.kind != ExchangeOp::Shuffle;
  if (op.a >= elements.size() || (two && op.b >= elements.size()) ||
      (!two && !isShuffle(op)))
    return false;
  // A permute whose sides agree needs no predicate.
  bool isFixed = op.kind == ExchangeOp::Permute && op.whenTrue == op.whenFalse;
  if (two && !isFixed && op.predicate >= program.predicates.size())
    return false;
  if (op.kind == ExchangeOp::Permute) {
    if (op.whenTrue.size() != op.whenFalse.size() ||
        !selects(op, op.whenTrue) || !selects(op, op.whenFalse))
      return false;
    elements.push_back(op.whenTrue.size());
    return true;
  }
  if (two && elements[op.a] != elements[op.b])
    return false;
  elements.push_back(elements[op.a]);
  return true;
}

bool ProgramShape::check() {
  return addWords() &&
         llvm::all_of(program.ops,
                      [&](const ExchangeOp &op) { return addOp(op); }) &&
         program.results.size() == destination.inSize("register") &&
         llvm::all_of(program.results, [&](const auto &result) {
           return result.value < elements.size() &&
                  result.element < elements[result.value];
         });
}

/// What a kind promises beyond a program that is right.
static bool keepsPromise(ConversionKind kind, const RegisterExchange &program) {
  if (kind == ConversionKind::Register)
    return program.shuffles() == 0;
  if (kind != ConversionKind::Noop)
    return true;
  if (!program.ops.empty())
    return false;
  for (auto [reg, result] : llvm::enumerate(program.results))
    if (program.words[result.value][result.element] != reg)
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

static unsigned rowElements(const SharedAccess &access) {
  return access.op == SharedOp::Vector
             ? access.vectorElems
             : 4 * (access.vectorElems / access.matrices);
}

static bool isAligned(const SharedAccess &access) {
  uint64_t low = rowElements(access) - 1;
  uint64_t bits =
      access.thread.flatOffset().empty() ? 0 : access.thread.flatOffset()[0];
  for (unsigned c = 0; c < access.thread.totalInBits(); ++c)
    if (access.thread.totalOutBits() > 0)
      bits |= access.thread.matrix().column(c)[0];
  for (const RegisterGroup &group : access.groups)
    bits |= group.offset;
  return (bits & low) == 0;
}

static bool isMatrixShape(const SharedAccess &access, unsigned elemBits) {
  unsigned count = access.matrices;
  if ((count != 1 && count != 2 && count != 4) || access.vectorElems % count ||
      access.thread.inBits("lane") != 5)
    return false;
  return access.vectorElems / count * elemBits == 32 &&
         (access.op == SharedOp::Matrix || elemBits <= 16);
}

static bool isAccessShape(const SharedAccess &access, unsigned elemBits,
                          uint64_t registers, unsigned repetitions) {
  if (!llvm::has_single_bit(access.vectorElems) || access.groups.empty() ||
      access.groups.size() % repetitions != 0 ||
      access.thread.totalOutBits() > 48)
    return false;
  if (access.op != SharedOp::Vector && !isMatrixShape(access, elemBits))
    return false;
  for (const RegisterGroup &group : access.groups)
    if (group.registers.size() != access.vectorElems ||
        llvm::any_of(group.registers,
                     [&](unsigned reg) { return reg >= registers; }))
      return false;
  return isAligned(access);
}

/// Every address is within the scratch (of some block, for a cluster's load).
static bool fits(const SharedAccess &access, uint64_t elements,
                 unsigned blockBits) {
  if (!llvm::has_single_bit(elements))
    return false;
  uint64_t limit = elements << blockBits;
  uint64_t bits = rowElements(access) - 1;
  for (const RegisterGroup &group : access.groups)
    bits |= group.offset;
  return bits < limit && (uint64_t{1} << access.thread.totalOutBits()) <= limit;
}

static bool isSharedShape(const ConversionPlan &plan,
                          const LinearLayout &source,
                          const LinearLayout &destination) {
  const SharedConversion &shared = plan.shared;
  uint64_t elements = shared.scratchBytes * 8 / std::max(plan.elemBits, 8u);
  if (shared.repetitions == 0 || shared.layout.totalInBits() > 40 ||
      elements != uint64_t{1} << shared.layout.totalInBits())
    return false;
  // The next part may only be stored when all warps have loaded this one.
  if (shared.repetitions > 1 && shared.barrier < BarrierScope::Block)
    return false;
  uint64_t registers = uint64_t{1} << destination.inBits("register");
  if (shared.load.copyOf.size() != registers ||
      llvm::any_of(shared.load.copyOf,
                   [&](unsigned reg) { return reg >= registers; }))
    return false;
  unsigned blockBits =
      plan.kind == ConversionKind::Cluster
          ? std::max(source.inBits("block"), destination.inBits("block"))
          : 0;
  return isAccessShape(shared.store, plan.elemBits,
                       uint64_t{1} << source.inBits("register"),
                       shared.repetitions) &&
         isAccessShape(shared.load, plan.elemBits, registers,
                       shared.repetitions) &&
         fits(shared.store, elements, 0) &&
         fits(shared.load, elements, blockBits);
}

bool detail::isWellFormed(const ConversionPlan &plan,
                          const LinearLayout &source,
                          const LinearLayout &destination) {
  if (plan.kind == ConversionKind::Shared ||
      plan.kind == ConversionKind::Cluster)
    return isSharedShape(plan, source, destination);
  return ProgramShape(plan.exchange, source, destination).check() &&
         keepsPromise(plan.kind, plan.exchange);
}
