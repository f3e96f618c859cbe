//===- KernelTest.h - Runs kernels written as text --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_SIMULATOR_KERNELTEST_H
#define MIRAGE_TEST_UNIT_SIMULATOR_KERNELTEST_H

#include "mirage/Simulator/Simulator.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"

#include <string>
#include <vector>

namespace mirage::sim {

/// A fixture that compiles the body of a gpu.module for a chip, runs its kernel
/// `k` and collects what was diagnosed.
class KernelTest : public testing::Test {
protected:
  KernelTest()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          errors += diagnostic.str() + "\n";
          for (mlir::Diagnostic &note : diagnostic.getNotes())
            errors += "note: " + note.str() + "\n";
          return mlir::success();
        }) {
    context.loadDialect<mlir::gpu::GPUDialect, mlir::LLVM::LLVMDialect,
                        mlir::NVVM::NVVMDialect, mlir::ROCDL::ROCDLDialect>();
  }

  /// False if the text does not parse or cannot be compiled.
  bool compile(const std::string &chip, const std::string &body) {
    bool isNvidia = chip.compare(0, 3, "sm_") == 0;
    std::string text = "module attributes {gpu.container_module} {\n"
                       "gpu.module @m [" +
                       std::string(isNvidia ? "#nvvm" : "#rocdl") +
                       ".target<chip = \"" + chip + "\">] {\n" + body +
                       "\n}\n}\n";
    simulator.reset();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module)
      return false;
    auto gpuModule = *module->getOps<mlir::gpu::GPUModuleOp>().begin();
    auto result = Simulator::create(gpuModule, options);
    if (mlir::failed(result))
      return false;
    simulator = std::move(*result);
    return true;
  }

  /// Runs the kernel; counters are in `counters`.
  bool launch(Dim3 grid, Dim3 block, uint64_t shared,
              llvm::ArrayRef<Argument> arguments) {
    auto result = simulator->launch("k", grid, block, shared, arguments);
    if (mlir::failed(result))
      return false;
    counters = *result;
    return true;
  }

  template <typename T>
  static Argument output(std::vector<T> &data) {
    return Argument::buffer(data.data(), data.size() * sizeof(T));
  }
  template <typename T>
  static Argument input(const std::vector<T> &data) {
    return Argument::input(data.data(), data.size() * sizeof(T));
  }

  /// True if the diagnostics contain all of `parts`.
  bool diagnosed(std::initializer_list<const char *> parts) const {
    for (const char *part : parts)
      if (errors.find(part) == std::string::npos)
        return false;
    return true;
  }

  SimulatorOptions options;
  mlir::MLIRContext context;
  std::string errors;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<Simulator> simulator;
  Counters counters;
};

/// Bits of a small integer as f16 or bf16, exactly.
inline uint16_t halfBits(int value) {
  uint16_t sign = value < 0 ? 0x8000 : 0;
  unsigned magnitude = value < 0 ? -value : value;
  if (magnitude == 0)
    return sign;
  unsigned exponent = 31 - llvm::countl_zero(magnitude);
  return sign | (exponent + 15) << 10 | (magnitude << (10 - exponent) & 0x3ff);
}
inline uint16_t bfloatBits(int value) {
  return llvm::bit_cast<uint32_t>(float(value)) >> 16;
}

} // namespace mirage::sim

#endif // MIRAGE_TEST_UNIT_SIMULATOR_KERNELTEST_H
