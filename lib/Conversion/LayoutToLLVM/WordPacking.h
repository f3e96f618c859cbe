//===- WordPacking.h - Narrow values in words -------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Registers of the machine have 32 bits; values of 8 and 16 bits come in words
// (of memory, of a shuffle, of a matrix instruction) and go in words. Between
// the two each is an SSA value of its own, an element of a vector:
//
//   %bytes = llvm.bitcast %word : i32 to vector<4xi8>
//   %b     = llvm.extractelement %bytes[%c2]
//
// A word that is put together again from such values takes one byte permute for
// each further word that they come from, and none if it is the word itself.
// LLVM finds this for values of one or two vectors of four bytes; of pairs of
// bytes, or of three words, it makes a register of each byte first. So packing
// follows the values back to their words here. Values that are computed one by
// one are left to LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_WORDPACKING_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_WORDPACKING_H

#include "TargetInstructions.h"

namespace mirage {

/// Up to 32 bits of values of 8 or 16 bits as an i32, the first lowest; what is
/// left of the word is undefined.
mlir::Value packWord(mlir::ImplicitLocOpBuilder &b,
                     const TargetInstructions &instructions,
                     mlir::ValueRange values);

/// All of a list of them, in as many words as it takes.
llvm::SmallVector<mlir::Value> packWords(mlir::ImplicitLocOpBuilder &b,
                                         const TargetInstructions &instructions,
                                         mlir::ValueRange values);

/// The type in which `size` values lie in memory side by side. Two bytes are an
/// integer: as a vector each would be loaded into a register of its own.
mlir::Type memoryType(mlir::Type element, unsigned size);
/// A value to store that has `values` side by side.
mlir::Value toMemory(mlir::ImplicitLocOpBuilder &b,
                     const TargetInstructions &instructions,
                     mlir::ValueRange values);
/// The `size` values of a value of `memoryType`, or of words, that was loaded.
llvm::SmallVector<mlir::Value> fromMemory(mlir::ImplicitLocOpBuilder &b,
                                          mlir::Type element, unsigned size,
                                          mlir::Value loaded);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_WORDPACKING_H
