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

/// Terms brought into normal form, at most: a fraction of a second.
static constexpr uint64_t maxWork = 60000;
/// The same for a part, the number of partners that are tried for a tensor, and
/// of parts without normal forms after which no more are tried.
static constexpr uint64_t maxPartWork = 20000;
static constexpr unsigned maxPartners = 8;
static constexpr unsigned maxFailures = 8;

namespace {
enum class Outcome { Proved, Different, NoNormalForm };
} // namespace

/// Renames the dims of `got` to those of `expected`.
static bool renameDims(DigitContext &digits, const SymbolicTensor &expected,
                       SymbolicTensor &got) {
  const ExprContext &context = digits.exprs();
  DigitMap renaming;
  for (auto [from, to] : llvm::zip_equal(got.dims, expected.dims)) {
    if (from.size() != to.size())
      return false;
    for (auto [a, b] : llvm::zip_equal(from, to)) {
      if (context.size(a) != context.size(b))
        return false;
      renaming[a].digits = {b};
    }
  }
  got.dims = expected.dims;
  got.cases = digits.substitute(got.cases, renaming);
  return true;
}

/// Brings the results into normal form, with sums cut where either program
/// reads a part; true if they are equal in all cases.
static bool isEqual(DigitContext &digits, SymbolicTensor &expected,
                    SymbolicTensor got, llvm::ArrayRef<int64_t> shape) {
  expected.cases = digits.merge(expected.cases, expected.dims, shape);
  got.cases = digits.merge(got.cases, got.dims, shape);
  if (!renameDims(digits, expected, got))
    return false;
  Cases common;
  for (const GuardedExpr &a : expected.cases)
    for (const GuardedExpr &b : got.cases) {
      Guard where = a.where;
      if (!digits.addConditions(where, b.where))
        continue;
      DigitMap fixed = digits.fixedBy(where);
      ExprId pair[] = {digits.substitute(a.element, fixed),
                       digits.substitute(b.element, fixed)};
      if (pair[0] != pair[1])
        digits.cutAtSeams(pair);
      if (pair[0] != pair[1])
        return false;
      common.push_back({std::move(where), pair[0]});
    }
  expected.cases = std::move(common);
  return digits.exprs().isValid();
}

/// Proves programs as they are, within `workLimit`.
static Outcome proveWhole(const TensorProgram &spec,
                          const TensorProgram &candidate, uint64_t workLimit,
                          std::string &reason,
                          llvm::json::Object *certificate) {
  DigitContext digits;
  digits.exprs().setWorkLimit(workLimit);
  SymbolicRun specRun(digits, spec, nullptr);
  SymbolicRun candidateRun(digits, candidate, &specRun);
  for (SymbolicRun *run : {&specRun, &candidateRun})
    if (!run->run()) {
      reason =
          (run == &specRun ? "the specification has " : "the candidate has ") +
          run->reason;
      return Outcome::NoNormalForm;
    }
  std::vector<SymbolicTensor> results;
  for (size_t number = 0; number < spec.results.size(); ++number) {
    results.push_back(specRun.result(number));
    if (!isEqual(digits, results.back(), candidateRun.result(number),
                 spec.values[spec.results[number]].shape)) {
      reason =
          "the normal forms of result #" + std::to_string(number) + " differ";
      return Outcome::Different;
    }
  }
  if (certificate)
    *certificate = writeCertificate(digits, specRun, candidateRun, results);
  return Outcome::Proved;
}

namespace {

/// Pairs of tensors that were proved equal, one after the other.
class ProofInParts {
public:
  ProofInParts(const TensorProgram &spec, const TensorProgram &candidate,
               bool wantsCertificate)
      : spec(spec), candidate(candidate), wantsCertificate(wantsCertificate) {}

  bool run();
  llvm::json::Array takeSteps() { return std::move(steps); }

private:
  Outcome proveStep(unsigned specValue, unsigned candidateValue);
  void findPartner(unsigned candidateValue);

  const TensorProgram &spec;
  const TensorProgram &candidate;
  bool wantsCertificate;
  llvm::SmallVector<unsigned> specInputs, candidateInputs;
  llvm::json::Array steps;
  unsigned failures = 0;
};

} // namespace

Outcome ProofInParts::proveStep(unsigned specValue, unsigned candidateValue) {
  llvm::json::Object certificate;
  std::string reason;
  Outcome outcome =
      proveWhole(spec.part(specInputs, specValue),
                 candidate.part(candidateInputs, candidateValue), maxPartWork,
                 reason, wantsCertificate ? &certificate : nullptr);
  if (outcome != Outcome::Proved)
    return outcome;
  specInputs.push_back(specValue);
  candidateInputs.push_back(candidateValue);
  certificate["spec_value"] = specValue;
  certificate["candidate_value"] = candidateValue;
  steps.push_back(std::move(certificate));
  return outcome;
}

static bool isKernelTensor(const ProgramValue &value) {
  return value.graph < 0 && value.kind != ProgramValue::Kind::Argument;
}

/// Tries the next few tensors of the specification that have the shape.
void ProofInParts::findPartner(unsigned candidateValue) {
  const ProgramValue &value = candidate.values[candidateValue];
  unsigned tried = 0;
  unsigned first = specInputs.empty() ? 0 : specInputs.back() + 1;
  for (unsigned other = first;
       other < spec.values.size() && tried < maxPartners; ++other)
    if (isKernelTensor(spec.values[other]) &&
        spec.values[other].shape == value.shape) {
      Outcome outcome = proveStep(other, candidateValue);
      failures += outcome == Outcome::NoNormalForm;
      // Those that come later are larger still.
      if (outcome != Outcome::Different)
        return;
      ++tried;
    }
}

bool ProofInParts::run() {
  for (unsigned number = 0; number < candidate.values.size(); ++number)
    if (isKernelTensor(candidate.values[number]) &&
        !llvm::is_contained(candidate.results, number) &&
        failures <= maxFailures)
      findPartner(number);
  for (auto [specValue, value] :
       llvm::zip_equal(spec.results, candidate.results))
    if (proveStep(specValue, value) != Outcome::Proved)
      return false;
  return true;
}

bool mirage::verify::prove(const TensorProgram &spec,
                           const TensorProgram &candidate, std::string &reason,
                           llvm::json::Object *certificate) {
  if (proveWhole(spec, candidate, maxWork, reason, certificate) ==
      Outcome::Proved)
    return true;
  ProofInParts parts(spec, candidate, certificate != nullptr);
  if (!parts.run())
    return false;
  if (certificate)
    *certificate = llvm::json::Object{{"steps", parts.takeSteps()}};
  reason.clear();
  return true;
}
