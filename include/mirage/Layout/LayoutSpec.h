//===- LayoutSpec.h - Layouts named in JSON ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A specification is a JSON object with "kind" and the parameters of that kind:
// linear, blocked, slice, mma, dot_operand, mfma, wmma, swizzled_shared,
// nvmma_shared. The layout it names is built by the constructors of
// NamedLayouts.h; nothing of the kind remains in the result.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_LAYOUTSPEC_H
#define MIRAGE_LAYOUT_LAYOUTSPEC_H

#include "mirage/Layout/OrderedJson.h"
#include "mirage/Support/F2/LinearLayout.h"

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace mirage::layout {

/// Builds the layout that `spec` names. Errors say which field is wrong.
llvm::Expected<LinearLayout> layoutFromSpec(const OrderedJson &spec);

/// Parses and builds.
llvm::Expected<LinearLayout> layoutFromSpec(llvm::StringRef json);

/// Writes the members of the answer to `make` into an open object:
/// "in", "out", "offset" if there is one, "surjective", "injective".
void writeLayoutMembers(llvm::json::OStream &json, const LinearLayout &layout);

/// Reads an unsigned number, a list of them, ... from a member; used for the
/// other fields of the tool's requests too.
llvm::Expected<uint64_t> readUnsigned(const OrderedJson &object,
                                      llvm::StringRef key);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_LAYOUTSPEC_H
