//===- Speed.cpp - Microseconds of the layout algebra ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cases.h"

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

int main(int argc, char **argv) {
  registerPlans(recordedCases());
  registerPlans(largeCases());
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
