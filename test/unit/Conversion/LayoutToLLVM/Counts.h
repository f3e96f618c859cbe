//===- Counts.h - What is predicted is what is counted ----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_COUNTS_H
#define MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_COUNTS_H

#include "KernelRunner.h"

#include "mirage/Conversion/LayoutToLLVM/KernelTraffic.h"
#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

namespace mirage::test {

/// What is told of `kernel`, with all scratch at one place, before it runs.
inline std::optional<KernelCounts> predictCounts(const Kernel &kernel) {
  std::string arguments;
  for (auto [index, type] : llvm::enumerate(kernel.memrefs))
    arguments += (index ? ", %p" : "%p") + std::to_string(index) + ": " + type;
  auto size = [](unsigned x) {
    return "array<i32: " + std::to_string(x) + ", 1, 1>";
  };
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "gpu.module @m { gpu.func @k(" + arguments +
          ") kernel attributes {known_block_size = " + size(kernel.threads) +
          ", known_grid_size = " + size(kernel.blocks) + "} {\n" + kernel.body +
          "\ngpu.return } }",
      &context());
  if (!module)
    return std::nullopt;
  const TargetDescription &target = *lookupTarget(kernel.target);
  mlir::gpu::GPUFuncOp function;
  module->walk([&](mlir::Operation *op) {
    if (auto found = llvm::dyn_cast<mlir::gpu::GPUFuncOp>(op))
      function = found;
    else if (scratchBytes(op, target))
      op->setAttr(layout::offsetAttrName,
                  mlir::Builder(op->getContext()).getI64IntegerAttr(0));
  });
  return countKernel(function, target);
}

inline void expectEqual(const KernelCounts &predicted,
                        const sim::Counters &counted) {
  EXPECT_EQ(predicted.globalLoadBytes, counted.globalLoadBytes);
  EXPECT_EQ(predicted.globalStoreBytes, counted.globalStoreBytes);
  EXPECT_EQ(predicted.sharedLoadWavefronts, counted.sharedLoadWavefronts);
  EXPECT_EQ(predicted.sharedStoreWavefronts, counted.sharedStoreWavefronts);
  EXPECT_EQ(predicted.shuffles, counted.shuffles);
  EXPECT_EQ(predicted.barriers, counted.barriers);
  EXPECT_EQ(predicted.matrixInstructions, counted.mma);
}

} // namespace mirage::test

#endif // MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_COUNTS_H
