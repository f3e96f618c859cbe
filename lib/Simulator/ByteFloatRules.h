//===- ByteFloatRules.h - Conversions of 8-bit floats -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the conversions of both vendors, which come as operations, intrinsics
// and assembly, are made of.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_BYTEFLOATRULES_H
#define MIRAGE_LIB_SIMULATOR_BYTEFLOATRULES_H

#include "ByteFloats.h"
#include "HostModule.h"

#include <optional>

namespace mirage::sim {

/// The format that NVIDIA's mnemonics call `name`: "e4m3" or "e5m2", with or
/// without "x2".
std::optional<ByteFloat> byteFloatOfMnemonic(llvm::StringRef name);
/// The format that AMD's mnemonics call "fp8" or "bf8" on `target`.
std::optional<ByteFloat> byteFloatOfAmd(llvm::StringRef name,
                                        const TargetDescription &target);

/// Two f32 as bytes of the low half of an i32, the rest of which is zero.
mlir::Value packByteFloats(HostRewriter &rewriter, mlir::Operation *op,
                           mlir::Value low, mlir::Value high, ByteFloat format,
                           bool saturate);
/// Byte `index` of the i32 `word` as f32.
mlir::Value extractByteFloat(HostRewriter &rewriter, mlir::Operation *op,
                             mlir::Value word, unsigned index,
                             ByteFloat format);

/// NVIDIA's cvt between pairs, given what stands before the last two parts of
/// its mnemonic: `to`.`from`. Nothing if it is another cvt.
std::optional<llvm::SmallVector<mlir::Value>>
convertPair(HostRewriter &rewriter, mlir::Operation *op, llvm::StringRef to,
            llvm::StringRef from, bool relu,
            llvm::ArrayRef<mlir::Value> arguments);

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_BYTEFLOATRULES_H
