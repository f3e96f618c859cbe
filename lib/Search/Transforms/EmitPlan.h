//===- EmitPlan.h - From the search to a block graph ------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_EMITPLAN_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_EMITPLAN_H

#include "ImportProgram.h"
#include "mirage/Search/Search.h"

namespace mirage::mugraph {

/// Builds the block graph of `plan` at the builder's insertion point. `values`
/// holds the operands by tensor and receives the results. Fails, with the
/// reason and without a trace in the IR, where the plan has no form in the
/// dialect.
llvm::LogicalResult
emitPlan(mlir::OpBuilder &builder, mlir::Location loc,
         const ImportedProgram &program, const search::SegmentResult &segment,
         const search::KernelPlan &plan,
         llvm::DenseMap<search::TensorId, mlir::Value> &values,
         std::string &reason);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_EMITPLAN_H
