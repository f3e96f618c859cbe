//===- LowerPipeline.h - From block graphs to code --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LOWERING_LOWERPIPELINE_H
#define MIRAGE_LOWERING_LOWERPIPELINE_H

#include "mirage/Target/TargetDescription.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir {
class ModuleOp;
class OpPassManager;
namespace gpu {
class GPUDialect;
} // namespace gpu
} // namespace mlir

namespace mirage {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Lowering/Passes.h.inc"

/// How far `mirage-lower` goes.
enum class EmitKind { Layout, LLVM, Assembly, Binary };

/// Options of `mirage-lower`.
struct LowerOptions : mlir::PassPipelineOptions<LowerOptions> {
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("Chip to compile for"),
                             llvm::cl::init(defaultTargetName.str())};
  Option<EmitKind> emit{
      *this, "emit", llvm::cl::desc("What to stop at"),
      llvm::cl::init(EmitKind::LLVM),
      llvm::cl::values(
          clEnumValN(EmitKind::Layout, "layout", "tile programs with layouts"),
          clEnumValN(EmitKind::LLVM, "llvm", "LLVM with NVVM or ROCDL"),
          clEnumValN(EmitKind::Assembly, "asm", "PTX or AMDGCN text"),
          clEnumValN(EmitKind::Binary, "binary", "cubin or hsaco"))};
  Option<unsigned> stages{
      *this, "stages",
      llvm::cl::desc("Loop iterations whose loads are in flight"),
      llvm::cl::init(4)};
};

/// Everything after the search: block graphs to tile programs to kernels.
void buildLowerPipeline(mlir::OpPassManager &passes,
                        const LowerOptions &options);

} // namespace mirage

#endif // MIRAGE_LOWERING_LOWERPIPELINE_H
