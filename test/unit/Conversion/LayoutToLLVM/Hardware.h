//===- Hardware.h - The tests' kernels on a GPU -----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every kernel of these tests runs on the simulator. Where MIRAGE_TEST_DEVICE
// is "cuda" or "hip" it also runs on the GPU of this machine, if its chip is
// one that the GPU executes, and the results that a test looks at are the
// GPU's.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_HARDWARE_H
#define MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_HARDWARE_H

#include "mirage/Target/TargetDescription.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <vector>

namespace mirage::test {

/// Whether kernels for `target` are to run on the GPU. The program ends where
/// MIRAGE_TEST_DEVICE asks for a GPU that is not there.
bool hasHardwareFor(const TargetDescription &target);

/// Runs `kernel` of the lowered `kernels` on the GPU, on copies of `memory`,
/// one buffer an argument, that are written back. Failures are diagnosed.
mlir::LogicalResult runOnHardware(mlir::gpu::GPUModuleOp kernels,
                                  llvm::StringRef kernel, uint32_t blocks,
                                  uint32_t threads, uint32_t sharedBytes,
                                  std::vector<std::vector<uint8_t>> &memory);

} // namespace mirage::test

#endif // MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_HARDWARE_H
