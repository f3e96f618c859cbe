//===- Verify.h - Do two programs compute the same? -------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random tests over a pair of 63-bit prime fields, on the ops' own meanings and
// independent of the search. `FieldAlgebra.h` says how real arithmetic maps to
// fields, `Samples.h` where the programs are compared, `ErrorBound.h` what may
// be claimed when no difference was found. docs/Spec/Verification.md has the
// whole picture.
//
// What is compared is the function over the real numbers: rounding, overflow
// and element types of intermediate values are not part of it.
//
// **In which order to read.** Each header needs only those above it, and each
// file only headers.
//
//   What a program is
//     TensorProgram.h     values, pieces and block graphs, read from ops; who
//                         writes which element
//   Random tests
//     PrimeField.h        integers modulo a prime
//     KeyedHash.h         random numbers that anyone can compute again
//     FieldAlgebra.h      what real numbers are modulo two primes, and why that
//                         is sound
//     Evaluator.h         single elements of a program, over any algebra
//     Samples.h           at which outputs programs are compared
//     Symmetry.h          and why a few may stand for all
//     ErrorBound.h        how likely it is that a wrong program passes
//     lib/.../RandomTests.h  the tests, rule by rule
//   Proof
//     lib/.../IndexDigits.h  indices in mixed radix: split, window, merge
//     Proof.h             a program executed on expressions
//     lib/.../SymbolicRun.h  the execution, op by op
//     AnySize.h           when a proof holds for other sizes too
//   Certificate, which shares nothing with the proof but TensorProgram
//     Certificate.h       what is claimed, and what an accepted claim means
//     lib/.../Certificate/Formula.h         the laws
//     lib/.../Certificate/ProgramChecker.h  from the operands to the result
//   What equality leaves out
//     RealAlgebra.h       the same evaluation in f64: inputs that show a
//                         difference, and inputs for which nothing is defined
//     Numerics.h          overflow
//   Verify.h, this one    all of it in order: tests, proof, definedness,
//   numerics
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_VERIFY_H
#define MIRAGE_VERIFY_VERIFY_H

#include "mirage/Support/GeneratedInputs.h"
#include "mirage/Verify/AnySize.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/JSON.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mirage::verify {

struct Options {
  /// Determines inputs, bases of exp and samples; every seed is a new check.
  uint64_t seed = 1;
  /// Tests run until the bound, where there is one, is at most 2^errorLog2.
  double errorLog2 = -60;
  /// Look for a proof of what passed the tests.
  bool proof = true;
  /// Keep the certificate of a proof.
  bool certificate = false;
  /// Look for inputs that show a difference in floating point.
  bool showInputs = false;
  unsigned minTests = 2;
  unsigned maxTests = 16;
  /// Output elements besides the corners, for each result; fewer where a few
  /// stand for all (`Symmetry.h`).
  unsigned samples = 128;
  /// Scalar operations after which a test takes no more expensive samples;
  /// after which the check gives up.
  uint64_t softSteps = 4'000'000;
  /// Scalar operations after which `minTests` no longer counts. Where a proof
  /// is looked for, tests before it end after half as many more, half a
  /// second, and are left out if the first element takes more.
  uint64_t heavySteps = 8'000'000;
  /// False: tests may end before the bound is small enough.
  bool isBoundNeeded = true;
  uint64_t hardSteps = 200'000'000;
};

enum class Status {
  Proved,        ///< Equal over the real numbers.
  Probabilistic, ///< Equal but for a probability of at most 2^errorLog2.
  Tested,        ///< No difference found; no bound is claimed.
  Different,     ///< Not equal, or not by rules that the verifier knows.
  Undecided,     ///< The check could not be made; `reason` says why.
};

llvm::StringRef stringify(Status status);

/// Generated inputs (`mirage-run --inputs=.. --seed=..`) and what the programs
/// compute from them in f64.
struct ShownDifference {
  InputPattern pattern = InputPattern::Integers;
  uint64_t seed = 0;
  double expected = 0;
  double got = 0;
};

/// An output element at which the programs differ.
struct CounterExample {
  unsigned result = 0;
  llvm::SmallVector<int64_t> index;
  std::string expected; ///< Residues modulo p (and q) in decimal.
  std::string got;
  std::optional<ShownDifference> shown;
};

struct Report {
  Status status = Status::Undecided;
  /// Log2 of a bound on the probability that different programs pass.
  std::optional<double> errorLog2;
  unsigned tests = 0;   ///< Random tests that both programs passed.
  unsigned samples = 0; ///< Output elements compared in each.
  uint64_t prime = 0;
  uint64_t seed = 0;
  uint64_t steps = 0;  ///< Scalar operations in all tests.
  std::string reason;  ///< Why the candidate was not accepted.
  std::string noProof; ///< Why an accepted candidate was not proved.
  /// Of a proof: dims of the arguments for whose every size it holds.
  std::vector<llvm::SmallVector<ArgumentDim>> anySize;
  /// Of a proof, if wanted (`Certificate.h`).
  std::optional<llvm::json::Object> certificate;
  std::optional<CounterExample> counterExample;
  /// Of an accepted candidate: where it may overflow and its specification does
  /// not (`Numerics.h`).
  std::vector<std::string> numerics;

  bool isAccepted() const {
    return status == Status::Proved || status == Status::Probabilistic ||
           status == Status::Tested;
  }
  /// Writes the object `verification` of the project's reports.
  void print(llvm::json::OStream &json) const;
};

/// Does `candidate` compute what `spec` computes? Both must be verified IR.
Report checkEquivalent(mlir::func::FuncOp spec, mlir::func::FuncOp candidate,
                       const Options &options = Options());

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_VERIFY_H
