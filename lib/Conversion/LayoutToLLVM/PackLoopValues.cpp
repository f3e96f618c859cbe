//===- PackLoopValues.cpp - 16-bit values of a loop travel in pairs -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile that a loop carries becomes one loop value per register. Registers of
// the machine have 32 bits: two neighbouring 16-bit values in one are half the
// registers, and no instruction takes them apart and joins them again in each
// iteration, as what makes and what uses them works on pairs too.
//
//===----------------------------------------------------------------------===//

#include "KernelPreparation.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mirage;

namespace {

/// Positions of two neighbouring loop values of the same 16-bit type.
static SmallVector<unsigned> findPairs(scf::ForOp loop) {
  SmallVector<unsigned> firsts;
  ValueRange inits = loop.getInitArgs();
  for (unsigned i = 0; i + 1 < inits.size();) {
    Type type = inits[i].getType();
    bool pair =
        (type.isF16() || type.isBF16()) && inits[i + 1].getType() == type;
    if (pair)
      firsts.push_back(i);
    i += pair ? 2 : 1;
  }
  return firsts;
}

/// `values` with those at `firsts` and behind joined.
static SmallVector<Value> join(ImplicitLocOpBuilder &b, ValueRange values,
                               ArrayRef<unsigned> firsts) {
  SmallVector<Value> result;
  for (unsigned i = 0; i < values.size(); ++i) {
    if (!llvm::is_contained(firsts, i)) {
      result.push_back(values[i]);
      continue;
    }
    result.push_back(packVector(b, {values[i], values[i + 1]}));
    ++i;
  }
  return result;
}

/// The inverse of `join`.
static SmallVector<Value> split(ImplicitLocOpBuilder &b, ValueRange values,
                                ArrayRef<unsigned> firsts) {
  SmallVector<Value> result;
  for (Value value : values) {
    if (llvm::is_contained(firsts, result.size()))
      llvm::append_range(result, unpackVector(b, value));
    else
      result.push_back(value);
  }
  return result;
}

static void packLoop(scf::ForOp loop) {
  SmallVector<unsigned> firsts = findPairs(loop);
  if (firsts.empty())
    return;
  ImplicitLocOpBuilder b(loop.getLoc(), loop);
  auto packed =
      scf::ForOp::create(b, loop.getLowerBound(), loop.getUpperBound(),
                         loop.getStep(), join(b, loop.getInitArgs(), firsts),
                         [](OpBuilder &, Location, Value, ValueRange) {});
  Block *from = loop.getBody(), *to = packed.getBody();
  b.setInsertionPointToStart(to);
  SmallVector<Value> arguments = {packed.getInductionVar()};
  llvm::append_range(arguments, split(b, packed.getRegionIterArgs(), firsts));
  to->getOperations().splice(to->end(), from->getOperations());
  for (auto [old, now] : llvm::zip_equal(from->getArguments(), arguments))
    old.replaceAllUsesWith(now);
  Operation *yield = to->getTerminator();
  b.setInsertionPoint(yield);
  yield->setOperands(join(b, yield->getOperands(), firsts));
  b.setInsertionPointAfter(packed);
  loop.replaceAllUsesWith(split(b, packed.getResults(), firsts));
  loop.erase();
}

} // namespace

void mirage::packLoopValues(Operation *root) {
  SmallVector<scf::ForOp> loops;
  root->walk([&](scf::ForOp loop) { loops.push_back(loop); });
  for (scf::ForOp loop : loops)
    packLoop(loop);
}
