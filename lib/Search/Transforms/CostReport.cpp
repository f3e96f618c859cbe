//===- CostReport.cpp - Predictions and counts in reports -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The JSON of the contract, and what explains the winner: the terms of the cost
// model for each of its kernels, beside those of the next best plan and of the
// input program, and what each rule removed from the search.

#include "CostReport.h"

using namespace mirage;

void mirage::mugraph::printTerms(llvm::json::OStream &json,
                                 const KernelCost &cost) {
  json.attributeObject("predicted_us", [&] {
    json.attribute("total", cost.seconds * 1e6);
    json.attribute("global", cost.global * 1e6);
    json.attribute("cache", cost.cache * 1e6);
    json.attribute("latency", cost.latency * 1e6);
    json.attribute("matrix", cost.matrix * 1e6);
    json.attribute("shared", cost.shared * 1e6);
    json.attribute("vector", cost.vector * 1e6);
    json.attribute("special", cost.special * 1e6);
    json.attribute("barriers", cost.barriers * 1e6);
    json.attribute("fixed", cost.fixed * 1e6);
  });
}

void mirage::mugraph::printCounts(llvm::json::OStream &json,
                                  const KernelCounts &counts) {
  json.attributeObject("counts", [&] {
    json.attribute("global_load_bytes", counts.globalLoadBytes);
    json.attribute("global_store_bytes", counts.globalStoreBytes);
    json.attribute("shared_load_wavefronts", counts.sharedLoadWavefronts);
    json.attribute("shared_store_wavefronts", counts.sharedStoreWavefronts);
    json.attribute("shuffles", counts.shuffles);
    json.attribute("barriers", counts.barriers);
    json.attribute("mma", counts.matrixInstructions);
  });
}
