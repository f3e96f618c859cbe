//===- Proof.cpp - Equal normal forms -------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Proof.h"

#include "WriteCertificate.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::verify;

/// Terms brought into normal form, at most: about a second.
static constexpr uint64_t maxWork = 400000;

/// True if both are the same element, written with labels of the same sizes.
/// `expected` is brought into normal form.
static bool isEqual(DigitContext &digits, SymbolicTensor &expected,
                    SymbolicTensor got, llvm::ArrayRef<int64_t> shape) {
  ExprContext &context = digits.exprs();
  expected.element = digits.merge(expected.element, expected.dims, shape);
  got.element = digits.merge(got.element, got.dims, shape);
  LabelMap renaming;
  for (auto [from, to] : llvm::zip_equal(got.dims, expected.dims)) {
    if (from.size() != to.size())
      return false;
    for (auto [a, b] : llvm::zip_equal(from, to)) {
      if (context.size(a) != context.size(b))
        return false;
      renaming[a] = b;
    }
  }
  return context.rename(got.element, renaming) == expected.element &&
         context.isValid();
}

bool mirage::verify::prove(const TensorProgram &spec,
                           const TensorProgram &candidate, std::string &reason,
                           llvm::json::Object *certificate) {
  DigitContext digits;
  digits.exprs().setWorkLimit(maxWork);
  SymbolicRun specRun(digits, spec, nullptr);
  SymbolicRun candidateRun(digits, candidate, &specRun);
  for (SymbolicRun *run : {&specRun, &candidateRun})
    if (!run->run()) {
      reason =
          (run == &specRun ? "the specification has " : "the candidate has ") +
          run->reason;
      return false;
    }
  std::vector<SymbolicTensor> results;
  for (size_t number = 0; number < spec.results.size(); ++number) {
    results.push_back(specRun.result(number));
    if (!isEqual(digits, results.back(), candidateRun.result(number),
                 spec.values[spec.results[number]].shape)) {
      reason =
          "the normal forms of result #" + std::to_string(number) + " differ";
      return false;
    }
  }
  if (certificate)
    *certificate = writeCertificate(digits, specRun, candidateRun, results);
  return true;
}
