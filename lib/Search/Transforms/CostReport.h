//===- CostReport.h - Predictions and counts in reports ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The JSON of the contract, and what explains the winner: the terms of the cost
// model for each of its kernels, beside those of the next best plan and of the
// input program, and what each rule removed from the search.

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_COSTREPORT_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_COSTREPORT_H

#include "mirage/Cost/KernelCost.h"

#include "llvm/Support/JSON.h"

namespace mirage::mugraph {

/// The attribute `predicted_us` of a kernel: the terms of the cost model.
void printTerms(llvm::json::OStream &json, const KernelCost &cost);

/// The attribute `counts` of a lowered kernel, with the simulator's names.
void printCounts(llvm::json::OStream &json, const KernelCounts &counts);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_COSTREPORT_H
