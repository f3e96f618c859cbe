//===- Cut.cpp - Cut a program into kernels -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Prices of runs of consecutive ops, and the cheapest cut of a program into
// such runs by dynamic programming. The same cut with lower bounds as prices is
// what no program of the search's space can beat.

#include "mirage/Search/Search.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <limits>

using namespace mirage;
using namespace mirage::search;

static constexpr double infinite = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Prices
//===----------------------------------------------------------------------===//

// The price of an op that the search has no kernel for: its bytes.
double ProgramSearch::priceAsItIs(unsigned source) const {
  KernelWork work;
  double written = 0;
  std::set<TensorId> made;
  for (const Op &op : program.ops) {
    if (op.source != source)
      continue;
    made.insert(op.result);
    written = program.tensors[op.result].bytes();
    for (TensorId operand : op.operands)
      if (!made.count(operand))
        work.uniqueLoadBytes += program.tensors[operand].bytes();
  }
  work.blocks = std::max(1.0, std::ceil(written / 4096));
  work.loadBytes = work.uniqueLoadBytes / work.blocks;
  work.storeBytes = written / work.blocks;
  auto cost = priceKernel(work, *options.target, true);
  return cost ? cost->seconds : 1;
}

bool ProgramSearch::isView(unsigned source) const {
  return llvm::all_of(program.ops, [&](const Op &op) {
    return op.source != source || op.isView;
  });
}

// Of the plan in use.
double ProgramSearch::priceInUse(Range range) const {
  auto known = segment(range.first, range.second);
  if (!known || !known->hasPlan())
    return infinite;
  // A plan that was lowered has another price than its record.
  return known->plan() ? known->plan()->seconds()
                       : known->record.extraction.kept[known->current].seconds;
}

// A kernel behind another one has a cheaper launch, but waits for the last
// stores of its predecessor.
static double savedByFollowing(const TargetDescription &target) {
  return target.firstLaunchSeconds - target.nextLaunchSeconds -
         target.memoryLatencySeconds;
}

// The time of a kernel that is not the first one.
double ProgramSearch::following(const Kernel &kernel) const {
  return kernel.isView ? 0 : kernel.seconds - savedByFollowing(*options.target);
}

double ProgramSearch::seconds(llvm::ArrayRef<Kernel> kernels) const {
  double total = 0;
  for (const Kernel &kernel : kernels)
    total += following(kernel);
  bool isEmpty =
      llvm::all_of(kernels, [](const Kernel &k) { return k.isView; });
  return isEmpty ? 0 : total + savedByFollowing(*options.target);
}

//===----------------------------------------------------------------------===//
// Lower bounds
//===----------------------------------------------------------------------===//

// The bytes that ops have to read of tensors that are not in `made`: where a
// tensor is only read in parts, those of the largest one.
static double bytesRead(const Program &program, llvm::ArrayRef<const Op *> ops,
                        const std::set<TensorId> &made) {
  std::map<TensorId, double> read;
  for (const Op *op : ops)
    for (TensorId operand : op->operands) {
      TensorId part = op->isSlice() ? op->result : operand;
      double &bytes = read[operand];
      bytes = std::max(bytes, program.tensors[part].bytes());
    }
  double total = 0;
  for (auto [tensor, bytes] : read)
    total += made.count(tensor) ? 0 : bytes;
  return total;
}

// What the sources have to move if they are one kernel.
double ProgramSearch::boundOfBytes(Range range) const {
  std::set<TensorId> made,
      wanted(program.outputs.begin(), program.outputs.end());
  llvm::SmallVector<const Op *> inside;
  for (const Op &op : program.ops) {
    if (op.source < range.first || op.source >= range.second) {
      wanted.insert(op.operands.begin(), op.operands.end());
      continue;
    }
    made.insert(op.result);
    inside.push_back(&op);
  }
  double bytes = bytesRead(program, inside, made);
  for (TensorId tensor : made)
    bytes += wanted.count(tensor) ? program.tensors[tensor].bytes() : 0;
  return lowerBound(bytes, /*matrixFlops=*/0, *options.target);
}

// The fastest that was priced or left out.
double ProgramSearch::leastPrice(Range range) const {
  if (!isDone(range))
    return isHopeless(range) ? infinite : boundOfBytes(range);
  if (!segments.at(range)->record.isSaturated)
    return boundOfBytes(range);
  const ExtractStatistics &statistics =
      segments.at(range)->record.extraction.statistics;
  return std::min(statistics.leastSeconds, statistics.leastLeftOut);
}

double ProgramSearch::lowerBoundSeconds() const {
  std::set<TensorId> made;
  llvm::SmallVector<const Op *> ops;
  for (const Op &op : program.ops) {
    made.insert(op.result);
    ops.push_back(&op);
  }
  double bytes = bytesRead(program, ops, made);
  for (TensorId output : program.outputs)
    bytes += program.tensors[output].bytes();
  return lowerBound(bytes, /*matrixFlops=*/0, *options.target);
}

double ProgramSearch::optimalityGap(llvm::ArrayRef<Kernel> kernels) const {
  double bound = std::max(
      lowerBoundSeconds(),
      seconds(cheapestCut([&](Range range) { return leastPrice(range); })));
  return bound <= 0 ? 0 : std::max(0.0, seconds(kernels) / bound - 1);
}

//===----------------------------------------------------------------------===//
// Cuts
//===----------------------------------------------------------------------===//

Kernel ProgramSearch::asItIs(unsigned source, Price price) const {
  Kernel kernel{source, source + 1, nullptr, price({source, source + 1})};
  if (isView(source)) {
    kernel.isView = true;
    kernel.seconds = 0;
  } else if (kernel.seconds != infinite) {
    kernel.segment = segment(source, source + 1);
  } else {
    kernel.seconds = priceAsItIs(source);
  }
  return kernel;
}

std::vector<Kernel> ProgramSearch::singleOps() const {
  std::vector<Kernel> kernels;
  for (unsigned source = 0; source < program.numSources; ++source)
    kernels.push_back(asItIs(source, [&](Range r) { return priceInUse(r); }));
  return kernels;
}

// best[k][n]: the cheapest cut of the first n sources into k kernels. Without a
// limit on kernels one row serves all k.
std::vector<Kernel> ProgramSearch::cheapestCut(Price price) const {
  unsigned count = program.numSources;
  unsigned rows = options.maxKernels == 0 ? 1 : options.maxKernels;
  struct Entry {
    double seconds = infinite;
    std::optional<Kernel> last;
  };
  std::vector<std::vector<Entry>> table(rows + 1,
                                        std::vector<Entry>(count + 1));
  bool limited = options.maxKernels != 0;
  for (auto &row : table)
    row[0].seconds = 0;
  for (unsigned k = 1; k <= rows; ++k)
    for (unsigned end = 1; end <= count; ++end) {
      const auto &before = table[limited ? k - 1 : k];
      auto consider = [&](const Kernel &kernel) {
        // A view takes no kernel from a limited number.
        const auto &row = kernel.isView ? table[k] : before;
        double total = row[kernel.first].seconds + following(kernel);
        if (total < table[k][end].seconds)
          table[k][end] = {total, kernel};
      };
      // Longer segments first: at equal cost fewer kernels.
      for (unsigned first = 0; first + 1 < end; ++first)
        if (double cost = price({first, end}); cost != infinite)
          consider({first, end, segment(first, end), cost});
      consider(asItIs(end - 1, price));
    }
  if (table[rows][count].seconds == infinite)
    return singleOps();
  std::vector<Kernel> kernels;
  for (unsigned end = count, k = rows; end > 0;) {
    kernels.push_back(*table[k][end].last);
    end = kernels.back().first;
    k -= limited && !kernels.back().isView;
  }
  std::reverse(kernels.begin(), kernels.end());
  return kernels;
}
