//===- Speed.cpp - Microseconds of the layout algebra ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "Report.h"

#include "llvm/Support/CommandLine.h"

#include "benchmark/benchmark.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::benchmarks;

static LinearLayout inverseOf(const LinearLayout &layout) {
  return llvm::cantFail(layout.invert());
}

static void compose(benchmark::State &state) {
  ConvertCase pair = largeCases().front();
  LinearLayout inverse = inverseOf(pair.source);
  for (auto _ : state)
    benchmark::DoNotOptimize(pair.destination.compose(inverse));
}
BENCHMARK(compose);

static void invert(benchmark::State &state) {
  ConvertCase pair = largeCases().front();
  for (auto _ : state)
    benchmark::DoNotOptimize(pair.source.invert());
}
BENCHMARK(invert);

static void plan(benchmark::State &state, const ConvertCase &pair,
                 bool verify) {
  ConversionOptions options;
  options.verify = verify;
  for (auto _ : state)
    benchmark::DoNotOptimize(planConversion(
        pair.source, pair.destination, pair.elemBits, *pair.target, options));
}

static void registerPlans(const std::vector<ConvertCase> &cases) {
  for (const ConvertCase &pair : cases)
    for (bool verify : {false, true})
      benchmark::RegisterBenchmark(
          ((verify ? "verified-plan/" : "plan/") + pair.name).c_str(), plan,
          pair, verify);
}

static llvm::cl::opt<std::string>
    reportFile("report", llvm::cl::desc("Write all figures to this file"),
               llvm::cl::value_desc("file"));
static llvm::cl::opt<uint64_t>
    rounds("rounds", llvm::cl::desc("Random pairs of the report"),
           llvm::cl::init(100000));
static llvm::cl::opt<uint64_t> seed("seed", llvm::cl::desc("Of random pairs"),
                                    llvm::cl::init(1));
static llvm::cl::opt<std::string>
    machine("machine", llvm::cl::desc("The machine in words"),
            llvm::cl::init("not described"));

static int report() {
  std::error_code error;
  llvm::raw_fd_ostream os(reportFile, error);
  if (error) {
    llvm::errs() << "layout-benchmark: cannot write " << reportFile << ": "
                 << error.message() << "\n";
    return 2;
  }
  return writeReport(os, rounds, seed, machine) ? 0 : 1;
}

/// Flags that start with --benchmark_ belong to the benchmark library.
int main(int argc, char **argv) {
  registerPlans(recordedCases());
  registerPlans(largeCases());
  benchmark::Initialize(&argc, argv);
  llvm::cl::ParseCommandLineOptions(argc, argv, "Speed of the layout engine\n");
  if (!reportFile.empty())
    return report();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
