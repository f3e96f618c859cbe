//===- ConversionCode.h - The instructions of one conversion ----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The code that the lowering makes of a conversion plan, by itself: to execute
// it, to prove it, or to put it into a kernel made by hand.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LAYOUTTOLLVM_CONVERSIONCODE_H
#define MIRAGE_CONVERSION_LAYOUTTOLLVM_CONVERSIONCODE_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Layout/ConversionPlan.h"
#include "mirage/Target/TargetDescription.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OwningOpRef.h"

namespace mirage {

/// Who runs a conversion. Numbers of threads and blocks are powers of two.
struct ConversionSite {
  const TargetDescription &target;
  unsigned warps = 1;         ///< of a block.
  unsigned clusterBlocks = 1; ///< of a cluster.
  int64_t scratchOffset = 0;  ///< of the scratch in shared memory, in bytes.
  bool isRepeated = true;     ///< in a loop, with the same scratch.
};

/// The function that the code of a conversion is put into: a `gpu.func` of the
/// site's threads in a `gpu.module` with shared memory, made at the end of
/// `module`, with an empty body.
mlir::gpu::GPUFuncOp makeConversionFunction(mlir::ModuleOp module,
                                            mlir::FunctionType type,
                                            const ConversionSite &site);

/// Emits a conversion at the builder, within such a function: the registers
/// after it from those before it.
llvm::SmallVector<mlir::Value>
emitConversion(mlir::ImplicitLocOpBuilder &b,
               const layout::ConversionPlan &plan, const ConversionSite &site,
               mlir::ValueRange registers);

/// A module with one such function, from `registers` values of type `element`
/// to as many values as the destination has registers. The code is simplified
/// like that of kernels and has branches in place of structured control flow.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
emitConversionCode(const layout::ConversionPlan &plan,
                   const ConversionSite &site, unsigned registers,
                   mlir::Type element, mlir::Location location);

/// The same for a tile that is stored to shared memory, and loaded again after
/// a barrier.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
emitSharedTileCode(const layout::SharedAccess &store,
                   const layout::SharedAccess &load, const ConversionSite &site,
                   unsigned registers, mlir::Type element,
                   mlir::Location location);

/// The same for a tile at `starts` of global memory that is copied to shared
/// memory, waited for, and read by `load` after a barrier. The function takes
/// the pointer to the memory. Fails with a diagnostic at `copy`.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
emitCopiedTileCode(layout::AsyncCopyOp copy, llvm::ArrayRef<int64_t> starts,
                   const layout::SharedAccess &load,
                   const ConversionSite &site);

/// The body of the function in such a module.
mlir::Region &conversionCode(mlir::ModuleOp module);

/// Executes such code on the numbers of the elements (Interpreter/Machine.h)
/// and compares what every register of every thread holds. An error names the
/// instruction that cannot be executed, or the first place with a wrong
/// element.
llvm::Error validateConversionCode(mlir::Region &code,
                                   const LinearLayout &source,
                                   const LinearLayout &destination,
                                   unsigned elementBits,
                                   const ConversionSite &site);

/// The same for code of `emitCopiedTileCode`: every register must hold its
/// element of the tile, zero where the memory has none and beyond `existing`,
/// and nothing outside the memory may be read.
llvm::Error validateCopiedTileCode(mlir::Region &code, mlir::MemRefType memory,
                                   llvm::ArrayRef<int64_t> starts,
                                   llvm::ArrayRef<int64_t> existing,
                                   const LinearLayout &destination,
                                   const ConversionSite &site);

} // namespace mirage

#endif // MIRAGE_CONVERSION_LAYOUTTOLLVM_CONVERSIONCODE_H
