//===- Pipelines.h - The ways through the compiler --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_PIPELINES_PIPELINES_H
#define MIRAGE_PIPELINES_PIPELINES_H

#include "mirage/Lowering/LowerPipeline.h"

namespace mirage {

/// Options of `mirage-pipeline`: those of the search and of the lowering.
struct CompileOptions : LowerOptions {
  Option<double> timeBudget{*this, "time-budget",
                            llvm::cl::desc("Seconds the search may take"),
                            llvm::cl::init(10)};
  Option<unsigned> threads{*this, "threads",
                           llvm::cl::desc("Threads of the search"),
                           llvm::cl::init(0)};
  Option<uint64_t> seed{*this, "seed", llvm::cl::desc("Seed of the tests"),
                        llvm::cl::init(1)};
  Option<unsigned> maxBlockOps{
      *this, "max-block-ops",
      llvm::cl::desc("Most operations of a block graph, inputs included"),
      llvm::cl::init(64)};
  Option<unsigned> maxKernels{
      *this, "max-kernels",
      llvm::cl::desc("Most kernels of a program; 0: no limit"),
      llvm::cl::init(0)};
  Option<unsigned> topK{*this, "top-k",
                        llvm::cl::desc("Candidates that are kept"),
                        llvm::cl::init(4)};
  Option<std::string> report{*this, "report",
                             llvm::cl::desc("JSON report of the search")};
};

/// Search, verify, lower.
void buildCompilePipeline(mlir::OpPassManager &passes,
                          const CompileOptions &options);

/// Registers `mirage-lower` and `mirage-pipeline`.
void registerPipelines();

} // namespace mirage

#endif // MIRAGE_PIPELINES_PIPELINES_H
