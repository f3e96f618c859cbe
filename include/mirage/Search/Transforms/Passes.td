//===- Passes.td - The search as a pass --------------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SEARCH_TRANSFORMS_PASSES_TD
#define MIRAGE_SEARCH_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def MuGraphBoundTime : Pass<"mugraph-bound-time", "::mlir::ModuleOp"> {
  let summary = "Predict what the kernels of a program take at least";
  let description = [{
    By the cost model of the search, for block graphs that were found elsewhere or
    written by hand: the report has an object a function, one a line, with `kernels`,
    how many of them could be lowered and `counted` (their shared memory),
    `least_us`, or null where a block fits no multiprocessor or a product not the
    registers, and for each kernel in `blocks` its counts and the terms of the model,
    as in the report of the search. What else lives and padding are left out, which the search adds to the
    plans that it makes.
    Ops outside of block graphs count as kernels that move their operands and results.
    The program is left as it is.
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_90a\"",
           "Chip to predict for">,
    Option<"report", "report", "std::string", /*default=*/"\"-\"",
           "File for the report; `-` for standard output">,
  ];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mirage::mugraph::MuGraphDialect"];
}

def MuGraphSuperoptimize : Pass<"mugraph-superoptimize", "::mlir::ModuleOp"> {
  let summary = "Search for a faster program that computes the same";
  let description = [{
    For each function with ops of this dialect: finds the useful values of the
    program and all ways to derive them, chooses derivations, kernels, grids, loops
    and tiles by predicted time on the target, checks each kernel over finite
    fields and writes it as a `mugraph.block_graph`. The input program stays as the
    private function `@<name>.spec`, which the winner names as
    `mugraph.implements`. docs/Rationale/RationaleSearch.md has the ideas.

    Nothing is ever made slower, as far as the prediction goes: ops that no kernel
    is found for stay as they are.

    ```mlir
    func.func @f(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
      %0 = mugraph.rms_norm %x : tensor<16x64xf16>
      %1 = mugraph.relu %0 : tensor<16x64xf16>
      return %1 : tensor<16x64xf16>
    }
    // becomes one block graph in @f, with @f.spec as above
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_90a\"",
           "Chip to search for: sm_80 sm_86 sm_89 sm_90a sm_100a gfx90a gfx942 "
           "gfx950">,
    Option<"timeBudget", "time-budget", "double", /*default=*/"10",
           "Seconds for the search of one function; the best found so far is "
           "the result">,
    Option<"threads", "threads", "unsigned", /*default=*/"0",
           "Threads to search with, 0 for all cores; the result does not depend "
           "on it">,
    Option<"seed", "seed", "uint64_t", /*default=*/"1",
           "Seed of the random tests">,
    Option<"maxBlockOps", "max-block-ops", "unsigned", /*default=*/"64",
           "Most ops in one block graph, inputs included">,
    Option<"maxKernels", "max-kernels", "unsigned", /*default=*/"0",
           "Most kernels of the result, 0 for any number; with a limit no loop "
           "is shared by several blocks; without effect where it cannot be met">,
    Option<"topK", "top-k", "unsigned", /*default=*/"4",
           "Candidates kept for each kernel, in case one fails its check">,
    Option<"report", "report", "std::string", /*default=*/"",
           "File for a JSON object a function, one a line; `-` for standard "
           "output">,
    Option<"cache", "cache", "std::string", /*default=*/"",
           "Folder in which results are kept and looked up; by default there is "
           "none, so that a run depends on nothing but its input">,
    Option<"checkpoint", "checkpoint", "std::string", /*default=*/"",
           "File that keeps where the search is, written while it runs. A later "
           "run of the same program, target and options goes on from it and ends "
           "with the same result as one that was never stopped">,
    Option<"progress", "progress", "std::string", /*default=*/"\"auto\"",
           "A line on standard error that says where the search is: on, off, or "
           "auto, on a terminal where it takes longer than a second">,
    Option<"bounds", "bounds", "bool", /*default=*/"true",
           "Leave out derivations that cost more by an estimate; false prices "
           "all, to measure what that saves and loses">,
    Option<"usefulness", "usefulness", "bool", /*default=*/"true",
           "Leave out values that are no part of a goal; false keeps all, to "
           "measure what that saves">,
  ];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mirage::mugraph::MuGraphDialect"];
}

#endif // MIRAGE_SEARCH_TRANSFORMS_PASSES_TD
