//===- LinalgToMuGraph.h - Recognise tensor programs in linalg --*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LINALGTOMUGRAPH_LINALGTOMUGRAPH_H
#define MIRAGE_CONVERSION_LINALGTOMUGRAPH_LINALGTOMUGRAPH_H

#include "mlir/Pass/Pass.h"

namespace mirage {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mirage/Conversion/LinalgToMuGraph/Passes.h.inc"

} // namespace mirage

#endif // MIRAGE_CONVERSION_LINALGTOMUGRAPH_LINALGTOMUGRAPH_H
