//===- InlineAssembly.h - Target functions by name or text ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Instructions that come as the name of an intrinsic or as assembly text. One
// instruction of text, with operands "$n" or "%n", is read as its mnemonic.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_INLINEASSEMBLY_H
#define MIRAGE_LIB_SIMULATOR_INLINEASSEMBLY_H

#include "HostModule.h"

#include <optional>

namespace mirage::sim {

/// Values of the intrinsic or mnemonic `name` on `arguments` in place of `op`
/// (not yet replaced), or nothing if it is unknown.
std::optional<llvm::SmallVector<mlir::Value>>
rewriteDeviceFunction(HostRewriter &rewriter, mlir::Operation *op,
                      llvm::StringRef name,
                      llvm::ArrayRef<mlir::Value> arguments);

/// The bytes of {high, low} that PTX's prmt selects in a mode ("" or "default":
/// by four indices).
mlir::Value permuteBytes(HostRewriter &rewriter, mlir::Operation *op,
                         llvm::StringRef mode, mlir::Value low,
                         mlir::Value high, mlir::Value selector);

/// Replaces `op`, which is the assembly `text`; unknown text is an error.
llvm::LogicalResult rewriteAssembly(HostRewriter &rewriter, mlir::Operation *op,
                                    llvm::StringRef text,
                                    llvm::ArrayRef<mlir::Value> arguments);

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_INLINEASSEMBLY_H
