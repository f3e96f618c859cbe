//===- Compile.h - Machine code for the host --------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_COMPILE_H
#define MIRAGE_LIB_SIMULATOR_COMPILE_H

#include "mlir/IR/BuiltinOps.h"

#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace mirage::sim {

/// Compiled code of one module; it lives as long as this.
class CompiledModule {
public:
  CompiledModule();
  CompiledModule(CompiledModule &&);
  CompiledModule &operator=(CompiledModule &&);
  ~CompiledModule();

  /// Compiles an LLVM-dialect module that calls runtimeFunctions() only.
  static mlir::FailureOr<CompiledModule> compile(mlir::ModuleOp module);

  /// Address of a function of the module, null if there is none.
  void *lookup(llvm::StringRef name) const;

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_COMPILE_H
