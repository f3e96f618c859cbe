//===- ExchangeEmitter.h - Code of a register exchange ----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A register exchange (RegisterExchange.h) is a straight-line program on words
// of 32 bits. Values of 8 or 16 bits travel packed, several in a word; a value
// of 64 or 128 bits is several words, and the program is emitted on each of
// them, with the same predicates and lanes.
//
// Where the chip can swap half-warps, the sequence
//
//   s = h ? a : b;   t = s of lane ^ 2^k;   h ? t : a;   h ? b : t
//
// with h the lane bit k becomes one swap of a and b.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_EXCHANGEEMITTER_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_EXCHANGEEMITTER_H

#include "TileLowering.h"

#include "mirage/Layout/RegisterExchange.h"

#include <array>

namespace mirage {

class ExchangeEmitter {
public:
  ExchangeEmitter(mlir::ImplicitLocOpBuilder &b, ThreadEmitter &threads,
                  const TargetInstructions &instructions, BlockShape block,
                  const layout::RegisterExchange &exchange)
      : b(b), threads(threads), instructions(instructions), block(block),
        exchange(exchange) {}

  /// The registers after the exchange, from those before.
  llvm::SmallVector<mlir::Value> run(mlir::ValueRange registers);

private:
  /// The words of a value of the program.
  using Words = llvm::SmallVector<mlir::Value, 4>;

  llvm::SmallVector<mlir::Value> rename(mlir::ValueRange registers) const;
  Words packWord(mlir::ValueRange registers, llvm::ArrayRef<unsigned> word);
  /// The elements of a value of the program.
  llvm::SmallVector<mlir::Value> unpackWord(const Words &words);
  llvm::SmallVector<mlir::Value> unpackResults();
  mlir::Value emitPredicate(const layout::ThreadPredicate &predicate);

  Words emit(const layout::ExchangeOp &op);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value shuffle(const layout::ExchangeOp &op, mlir::Value word);
  mlir::Value permute(const layout::ExchangeOp &op, mlir::Value first,
                      mlir::Value second);
  mlir::Value selector(llvm::ArrayRef<unsigned> elements);
  mlir::Value sourceLane(uint64_t laneXor);

  /// The op that makes `value`, if it is of this kind.
  const layout::ExchangeOp *definition(unsigned value,
                                       layout::ExchangeOp::Kind kind) const;
  bool isLaneBit(unsigned predicate, uint64_t mask) const;
  /// The value that `value` is where a predicate is known.
  unsigned resolve(unsigned value, unsigned predicate, bool isTrue) const;
  /// The values a and b if a swap can take the place of the shuffle that makes
  /// `shuffled` and the select before it.
  struct SwapSource {
    unsigned predicate, a, b;
  };
  std::optional<SwapSource> swapSource(unsigned shuffled) const;
  /// Which of the swapped values the select `op` stands for, given that it uses
  /// `shuffled`: 0, 1, or nothing.
  std::optional<unsigned> swapResult(const layout::ExchangeOp &op,
                                     unsigned shuffled) const;
  /// Shuffles of which all users stand for swapped values.
  void findSwaps();
  void emitSwap(unsigned shuffled);

  mlir::ImplicitLocOpBuilder &b;
  ThreadEmitter &threads;
  const TargetInstructions &instructions;
  BlockShape block;
  const layout::RegisterExchange &exchange;
  mlir::Type element;
  unsigned bits = 0; ///< of an element.
  llvm::SmallVector<Words> values;
  llvm::SmallVector<mlir::Value> predicates;
  /// Of the shuffles (by value) that become swaps: the two results.
  llvm::DenseMap<unsigned, std::array<Words, 2>> swaps;
  mlir::Value lane;
};

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_EXCHANGEEMITTER_H
