//===- InitAllDialects.h - Register the project's dialects ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_INITALLDIALECTS_H
#define MIRAGE_INITALLDIALECTS_H

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Target/GpuObject.h"

#include "mlir/IR/DialectRegistry.h"

namespace mirage {

/// Adds every dialect of this project to `registry`, and what emitting GPU code
/// needs.
inline void registerAllDialects(mlir::DialectRegistry &registry) {
  registerGpuObjectInterfaces(registry);
  registry.insert<layout::LayoutDialect>();
  registry.insert<mugraph::MuGraphDialect>();
}

} // namespace mirage

#endif // MIRAGE_INITALLDIALECTS_H
