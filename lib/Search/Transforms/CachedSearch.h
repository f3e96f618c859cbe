//===- CachedSearch.h - A search, or its result from a folder ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_CACHEDSEARCH_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_CACHEDSEARCH_H

#include "mirage/Search/Search.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/JSON.h"

namespace mirage::mugraph {

/// What a search of one function gives.
struct SearchOutcome {
  mlir::OwningOpRef<mlir::func::FuncOp> winner; ///< not inserted anywhere.
  llvm::json::Object report;
  std::string reportText; ///< the same, with fields in the documented order.
};

/// All that the course of a search depends on, as text: the program without its
/// name, target, options and compiler; but not time and threads. Empty if the
/// compiler cannot be told from others.
std::string describeSearch(mlir::func::FuncOp function,
                           const search::SearchOptions &options);

/// Searches `function`, from `state` on, unless `cacheFolder` has the result:
/// then the winner is only tested against the function again, as far as that is
/// fast (field `retest` of the report). Without a folder nothing is kept.
SearchOutcome searchFunction(mlir::func::FuncOp function,
                             const search::SearchOptions &options,
                             const search::SearchState &state, uint64_t seed,
                             llvm::StringRef cacheFolder);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_CACHEDSEARCH_H
