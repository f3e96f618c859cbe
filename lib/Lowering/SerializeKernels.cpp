//===- SerializeKernels.cpp - Kernels to assembly or machine code ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Lowering/LowerPipeline.h"

#include "mirage/Target/GpuObject.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mirage {
#define GEN_PASS_DEF_SERIALIZEKERNELSPASS
#include "mirage/Lowering/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;

namespace {
class SerializeKernels final
    : public mirage::impl::SerializeKernelsPassBase<SerializeKernels> {
public:
  using SerializeKernelsPassBase::SerializeKernelsPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    SerializeKernelsPassBase::getDependentDialects(registry);
    registerGpuObjectInterfaces(registry);
  }

  void runOnOperation() override {
    if (format != "asm" && format != "binary") {
      getOperation().emitError("unknown format '")
          << format << "', expected asm or binary";
      return signalPassFailure();
    }
    SmallVector<gpu::GPUModuleOp> modules(
        getOperation().getOps<gpu::GPUModuleOp>());
    for (gpu::GPUModuleOp module : modules)
      if (failed(serialize(module)))
        return signalPassFailure();
  }

private:
  LogicalResult serialize(gpu::GPUModuleOp module) {
    bool asText = format == "asm";
    FailureOr<std::string> code =
        asText ? emitAssembly(module) : emitObject(module);
    if (failed(code))
      return failure();
    OpBuilder builder(module);
    auto object = gpu::ObjectAttr::get(
        &getContext(), module.getTargetsAttr()[0],
        asText ? gpu::CompilationTarget::Assembly
               : gpu::CompilationTarget::Binary,
        builder.getStringAttr(*code), /*properties=*/{}, /*kernels=*/{});
    gpu::BinaryOp::create(builder, module.getLoc(), module.getName(),
                          /*offloadingHandler=*/nullptr,
                          ArrayRef<Attribute>{object});
    module.erase();
    return success();
  }
};
} // namespace
