//===- RandomTests.h - Programs on random inputs ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_RANDOMTESTS_H
#define MIRAGE_LIB_VERIFY_RANDOMTESTS_H

#include "mirage/Verify/ErrorBound.h"
#include "mirage/Verify/Evaluator.h"
#include "mirage/Verify/Samples.h"
#include "mirage/Verify/Verify.h"

#include "llvm/ADT/BitVector.h"

namespace mirage::verify {

/// Compares two programs; each test adds to the report.
class RandomTests {
public:
  RandomTests(const TensorProgram &spec, const TensorProgram &candidate,
              const Options &options)
      : spec(spec), candidate(candidate), options(options) {
    report.seed = options.seed;
    selectSamples();
  }

  Report run();
  /// A test took too many steps.
  bool isTooLarge() const { return tooLarge; }

private:
  enum class Outcome { Passed, Failed, Stopped };
  void selectSamples();
  void selectBound(Rule rule);
  /// Runs tests under one rule until enough of them passed.
  Outcome runTests(Rule rule, uint64_t prime);
  Outcome runTest(Rule rule, uint64_t prime, uint64_t test, size_t limit);
  Outcome probeRoots(Rule rule, uint64_t prime);
  void forget();
  Outcome compareAt(size_t number, const Sample &sample, FieldAlgebra &algebra,
                    Evaluator<FieldAlgebra> &specRun,
                    Evaluator<FieldAlgebra> &candidateRun);
  Outcome compareTraced(size_t number, FieldAlgebra &algebra,
                        InputTable<FieldAlgebra> &inputs);
  std::optional<double> boundOfTest(uint64_t prime, double evaluations) const;
  Outcome different(unsigned result, llvm::ArrayRef<int64_t> index,
                    const FieldValue &expected, const FieldValue &got);
  Outcome firstDifference(const Sample &sample, FieldAlgebra &algebra,
                          Evaluator<FieldAlgebra> &specRun,
                          Evaluator<FieldAlgebra> &candidateRun);
  Sample cheaper(const Sample &sample, size_t number) const;

  const TensorProgram &spec;
  const TensorProgram &candidate;
  const Options &options;
  Report report;
  std::vector<Sample> samples;
  /// Numbers of the samples that some test under the present rule took without
  /// a verdict, and of those for which some test had one.
  llvm::BitVector open, decided;
  llvm::SmallVector<unsigned> verdicts; ///< Tests with a verdict, by sample.
  /// The first samples are one of each orbit of outputs, if this is not 0.
  size_t numRepresentatives = 0;
  llvm::SmallVector<Degree> specDegrees, candidateDegrees;
  /// A bound can be had if the exponents of each representative are multiples
  /// of one.
  bool needsTrace = false;
  bool hasBound = false;
  bool tooLarge = false;
  bool hasNested = false; ///< Some exponent contained exponentials.
  uint64_t lastRoots = 0; ///< Roots taken in the last test.
};

/// Scalar operations that one element of a result takes, about; 0 if that is
/// not known.
uint64_t estimateSteps(const TensorProgram &program);

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_RANDOMTESTS_H
