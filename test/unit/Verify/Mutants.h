//===- Mutants.h - Programs and changes of their kernels --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A base program and its kernel, and textual changes of the kernel. A change
// either keeps the meaning, then the kernel must be accepted, or it plants an
// error, then it must be rejected: by the verifier of the IR or by the check.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_VERIFY_MUTANTS_H
#define MIRAGE_TEST_UNIT_VERIFY_MUTANTS_H

#include "mirage/Verify/Verify.h"

#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

namespace mirage::verify {

/// A replacement of text: every occurrence of `from` becomes `to`.
struct Edit {
  std::string from;
  std::string to;
};

struct Change {
  std::string name;
  std::vector<Edit> edits;
};

std::string apply(std::string text, const Change &change);

class Mutants : public testing::Test {
protected:
  Mutants();

  /// Tries to prove what random tests would reject.
  bool isProved(const std::string &spec, const std::string &kernel);

  /// Compares the functions @spec and @kernel. A module that does not parse
  /// counts as undecided.
  Report check(const std::string &spec, const std::string &kernel,
               const Options &options = {});

  void expectAccepted(const std::string &spec, const std::string &kernel,
                      const std::vector<Change> &changes = {{"unchanged", {}}});
  /// Accepted and proved, whatever the tests' bound.
  void expectProved(const std::string &spec, const std::string &kernel);
  /// Each change must be rejected, with a reason, and must not be proved.
  void expectRejected(const std::string &spec, const std::string &kernel,
                      const std::vector<Change> &changes);
  /// The kernel has a proof, and the checker accepts its certificate. Each
  /// change has none, and the checker refuses the certificates of the kernel,
  /// of the specification and itself, and of the change and itself.
  void expectCertified(const std::string &spec, const std::string &kernel,
                       const std::vector<Change> &changes);
  /// Accepted with this status; a bound of at most 2^-60 if probabilistic.
  void expectStatus(const std::string &spec, const std::string &kernel,
                    Status status);

  mlir::MLIRContext context;
};

} // namespace mirage::verify

#endif // MIRAGE_TEST_UNIT_VERIFY_MUTANTS_H
