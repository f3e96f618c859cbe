//===- BankConflicts.cpp - Wavefronts of shared memory as ranks -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/BankConflicts.h"

#include "Subspace.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::SmallVector;

uint64_t layout::phaseWavefronts(ArrayRef<uint64_t> words, unsigned banks) {
  Subspace all, projected;
  for (uint64_t word : words) {
    all.insert(word);
    projected.insert(word & (banks - 1));
  }
  return uint64_t{1} << (all.rank() - projected.rank());
}

/// Word addresses of `columns` (element offsets) and of the words within
/// `vectorElems` consecutive elements.
static SmallVector<uint64_t> wordColumns(ArrayRef<uint64_t> columns,
                                         unsigned vectorElems,
                                         unsigned elemBits) {
  unsigned elemBytes = elemBits / 8;
  SmallVector<uint64_t> words;
  for (uint64_t column : columns)
    words.push_back(column * elemBytes / 4);
  for (uint64_t byte = 4; byte < uint64_t{vectorElems} * elemBytes; byte *= 2)
    words.push_back(byte / 4);
  return words;
}

/// A basis of the lanes of a phase that have no bit of `idle`.
static SmallVector<uint64_t> activeLanes(ArrayRef<uint32_t> phase,
                                         uint64_t idle) {
  SmallVector<uint64_t> lanes(phase.begin(), phase.end()), active;
  for (size_t i = 0; i < lanes.size(); ++i) {
    uint64_t pivot = lanes[i] & idle;
    if (!pivot) {
      active.push_back(lanes[i]);
      continue;
    }
    pivot &= -pivot;
    for (size_t j = i + 1; j < lanes.size(); ++j)
      if (lanes[j] & pivot)
        lanes[j] ^= lanes[i];
  }
  return active;
}

/// Phases with a lane that has no bit of `idle`: cosets of the phase that meet
/// the subspace of these lanes.
static uint64_t activePhases(ArrayRef<uint32_t> phase, uint64_t idle,
                             unsigned warpSize) {
  Subspace span;
  for (uint64_t mask : phase)
    span.insert(mask);
  unsigned lanesOfPhase = span.rank();
  for (uint64_t lane = 1; lane < warpSize; lane *= 2)
    if (!(lane & idle))
      span.insert(lane);
  return uint64_t{1} << (span.rank() - lanesOfPhase);
}

Wavefronts layout::vectorWavefronts(ArrayRef<uint64_t> laneColumns,
                                    unsigned vectorElems, unsigned elemBits,
                                    const TargetDescription &target,
                                    uint64_t idleLanes) {
  ArrayRef<uint32_t> phase = target.phaseLaneMasks(vectorElems * elemBits);
  SmallVector<uint64_t> together;
  for (uint64_t lanes : activeLanes(phase, idleLanes)) {
    uint64_t column = 0;
    for (unsigned bit = 0; bit < laneColumns.size(); ++bit)
      if ((lanes >> bit) & 1)
        column ^= laneColumns[bit];
    together.push_back(column);
  }
  uint64_t phases = activePhases(phase, idleLanes, target.warpSize);
  uint64_t each = phaseWavefronts(wordColumns(together, vectorElems, elemBits),
                                  target.sharedBanks);
  return {phases * each, phases};
}

Wavefronts layout::matrixWavefronts(ArrayRef<uint64_t> rowColumns,
                                    unsigned matrices, unsigned elemBits,
                                    const TargetDescription &target) {
  uint64_t each = phaseWavefronts(
      wordColumns(rowColumns, 128 / elemBits, elemBits), target.sharedBanks);
  return {matrices * each, matrices};
}
