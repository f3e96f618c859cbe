//===- ExchangeProgram.cpp - Clean-up of exchange programs ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExchangeProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

#include <numeric>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::SmallVector;

using Result = RegisterExchange::Result;

//===----------------------------------------------------------------------===//
// Dead code
//===----------------------------------------------------------------------===//

static SmallVector<bool> liveValues(const RegisterExchange &program) {
  unsigned first = program.words.size();
  SmallVector<bool> live(first + program.ops.size(), false);
  for (const Result &result : program.results)
    live[result.value] = true;
  for (size_t i = program.ops.size(); i-- > 0;)
    if (live[first + i]) {
      live[program.ops[i].a] = true;
      if (program.ops[i].kind != ExchangeOp::Shuffle)
        live[program.ops[i].b] = true;
    }
  return live;
}

void detail::removeDeadOps(RegisterExchange &program) {
  unsigned first = program.words.size();
  SmallVector<bool> live = liveValues(program);
  SmallVector<unsigned> renamed(live.size());
  std::iota(renamed.begin(), renamed.end(), 0);
  SmallVector<ExchangeOp, 32> kept;
  for (auto [index, op] : llvm::enumerate(program.ops)) {
    if (!live[first + index])
      continue;
    renamed[first + index] = first + kept.size();
    op.a = renamed[op.a];
    op.b = renamed[op.b];
    kept.push_back(std::move(op));
  }
  program.ops = std::move(kept);
  for (Result &result : program.results)
    result.value = renamed[result.value];
}

//===----------------------------------------------------------------------===//
// Counts
//===----------------------------------------------------------------------===//

static unsigned countOps(const RegisterExchange &program,
                         ExchangeOp::Kind kind) {
  return llvm::count_if(program.ops,
                        [&](const ExchangeOp &op) { return op.kind == kind; });
}

unsigned RegisterExchange::shuffles() const {
  return countOps(*this, ExchangeOp::Shuffle);
}

unsigned RegisterExchange::selects() const {
  return countOps(*this, ExchangeOp::Select);
}

static unsigned elementsPerWord(const RegisterExchange &program) {
  return program.elemBits < 32 ? 32 / program.elemBits : 1;
}

/// Permutes that put these registers into one word, if a register file word has
/// `full` neighbours.
static unsigned permutesOfRegisters(ArrayRef<unsigned> registers,
                                    unsigned full) {
  llvm::SmallSetVector<unsigned, 4> sources;
  bool inPlace = true;
  for (auto [index, reg] : llvm::enumerate(registers)) {
    sources.insert(reg / full);
    inPlace &= reg % full == index;
  }
  if (inPlace && sources.size() == 1)
    return 0;
  return std::max<size_t>(1, sources.size() - 1);
}

/// The same for a word of results.
static unsigned permutesOfResults(const RegisterExchange &program,
                                  ArrayRef<Result> results) {
  unsigned full = elementsPerWord(program);
  if (program.isRenaming()) {
    SmallVector<unsigned> registers;
    for (const Result &result : results)
      registers.push_back(program.words[result.value][result.element]);
    return permutesOfRegisters(registers, full);
  }
  llvm::SmallSetVector<unsigned, 4> values;
  bool inPlace = true;
  for (auto [index, result] : llvm::enumerate(results)) {
    values.insert(result.value);
    inPlace &= result.element == index;
  }
  if (inPlace && values.size() == 1)
    return 0;
  return std::max<size_t>(1, values.size() - 1);
}

unsigned RegisterExchange::permutes() const {
  unsigned count = countOps(*this, ExchangeOp::Permute);
  unsigned full = elementsPerWord(*this);
  if (full == 1)
    return count;
  if (!isRenaming()) {
    SmallVector<bool> live = liveValues(*this);
    for (auto [index, word] : llvm::enumerate(words))
      if (live[index])
        count += permutesOfRegisters(word, full);
  }
  ArrayRef<Result> rest = results;
  for (; !rest.empty();
       rest = rest.drop_front(std::min<size_t>(full, rest.size())))
    count += permutesOfResults(*this, rest.take_front(full));
  return count;
}

//===----------------------------------------------------------------------===//
// Permutes
//===----------------------------------------------------------------------===//

namespace {
/// Replaces the packing of one word of results by a permute.
class PermuteFusion {
public:
  PermuteFusion(RegisterExchange &program)
      : program(program), first(program.words.size()),
        full(elementsPerWord(program)) {}

  void run() {
    if (full == 1 || program.results.size() % full != 0)
      return;
    for (size_t start = 0; start < program.results.size(); start += full) {
      llvm::MutableArrayRef<Result> word =
          llvm::MutableArrayRef(program.results).slice(start, full);
      if (permutesOfResults(program, word) > 0)
        fuse(word);
    }
    removeDeadOps(program);
  }

private:
  /// Predicate of the first result that is a select; none: 0, with equal sides.
  unsigned predicateOf(ArrayRef<Result> word) const {
    for (const Result &result : word)
      if (result.value >= first &&
          program.ops[result.value - first].kind == ExchangeOp::Select)
        return program.ops[result.value - first].predicate;
    return 0;
  }
  /// The value where the predicate is known.
  unsigned resolve(unsigned value, unsigned predicate, bool side) const {
    if (value < first)
      return value;
    const ExchangeOp &op = program.ops[value - first];
    if (op.kind != ExchangeOp::Select || op.predicate != predicate)
      return value;
    return side ? op.a : op.b;
  }
  bool tryPermute(llvm::MutableArrayRef<Result> word, bool resolveSelects);
  void fuse(llvm::MutableArrayRef<Result> word) {
    if (!tryPermute(word, true))
      tryPermute(word, false);
  }

  RegisterExchange &program;
  unsigned first, full;
};
} // namespace

bool PermuteFusion::tryPermute(llvm::MutableArrayRef<Result> word,
                               bool resolveSelects) {
  unsigned predicate = predicateOf(word);
  llvm::SmallSetVector<unsigned, 4> sources;
  ExchangeOp op{ExchangeOp::Permute};
  for (bool side : {true, false})
    for (const Result &result : word) {
      unsigned value = resolveSelects ? resolve(result.value, predicate, side)
                                      : result.value;
      sources.insert(value);
      unsigned position = llvm::find(sources, value) - sources.begin();
      (side ? op.whenTrue : op.whenFalse)
          .push_back(position * full + result.element);
    }
  if (sources.size() > 2)
    return false;
  op.a = sources.front();
  op.b = sources.back();
  op.predicate = predicate;
  unsigned value = first + program.ops.size();
  program.ops.push_back(std::move(op));
  for (auto [index, result] : llvm::enumerate(word))
    result = {value, unsigned(index)};
  return true;
}

void detail::fusePermutes(RegisterExchange &program) {
  PermuteFusion(program).run();
}
