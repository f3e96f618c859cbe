//===- CheckCertificate.cpp - Does each claim follow? --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Certificate.h"

#include "ProgramChecker.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::certificate;

ProgramChecker::Mistake ProgramChecker::checkArgument(const ProgramValue &value,
                                                      const Claim &claim) {
  for (auto [dim, extent] : llvm::zip_equal(claim.dims, value.shape))
    if (!isFull(dim, extent))
      return "the digits of a dim do not write its extent";
  Factor read;
  read.symbol = value.argument;
  for (const Digits &dim : claim.dims)
    read.at.push_back(algebra.number(dim));
  return compare(claim, claim.dims,
                 {{Conditions(), Algebra::ofFactor(std::move(read))}});
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

ProgramChecker::Mistake ProgramChecker::checkValue(const ProgramValue &value,
                                                   const Claim &claim) {
  switch (value.kind) {
  case ProgramValue::Kind::Argument:
    return checkArgument(value, claim);
  case ProgramValue::Kind::Tile:
    return checkTile(value, claim);
  case ProgramValue::Kind::Pieces:
    return checkPieces(value, claim);
  case ProgramValue::Kind::Accumulate:
    return checkAccumulate(value, claim);
  case ProgramValue::Kind::Assemble:
    return checkAssemble(value, claim);
  }
  return "a value of no kind";
}

ProgramChecker::Mistake ProgramChecker::checkClaim(const ProgramValue &value,
                                                   const Claim &claim) {
  if (Mistake mistake = checkLabels(value, claim))
    return mistake;
  if (Mistake mistake = checkValue(value, claim))
    return mistake;
  return checkCases(claim);
}

llvm::Error ProgramChecker::check(llvm::StringRef name) {
  Mistake mistake = claims.values.size() == program.values.size()
                        ? checkIndices()
                        : "it has another number of values";
  if (mistake)
    return llvm::createStringError("it is not about " + name + ": " + mistake);
  for (size_t number = 0; number < program.values.size(); ++number)
    if (Mistake mistake =
            checkClaim(program.values[number], claims.values[number]))
      return llvm::createStringError("value #" + llvm::Twine(number) + " of " +
                                     name + ": " + mistake);
  return llvm::Error::success();
}

/// Checks a certificate without steps.
static llvm::Error checkWhole(const TensorProgram &spec,
                              const TensorProgram &candidate,
                              const llvm::json::Object &certificate) {
  Algebra algebra;
  llvm::Expected<Claims> claims = readClaims(certificate, algebra);
  if (!claims)
    return claims.takeError();
  ProgramChecker specChecker(algebra, spec, claims->spec);
  ProgramChecker candidateChecker(algebra, candidate, claims->candidate);
  if (llvm::Error error = specChecker.check("the specification"))
    return error;
  if (llvm::Error error = candidateChecker.check("the candidate"))
    return error;
  if (spec.results.size() != candidate.results.size() ||
      spec.results.size() != claims->results.size())
    return llvm::createStringError("it has another number of results");
  for (auto [number, claim] : llvm::enumerate(claims->results))
    if (!specChecker.isSameClaim(claim, spec.results[number]) ||
        !candidateChecker.isSameClaim(claim, candidate.results[number]))
      return llvm::createStringError("result #" + llvm::Twine(number) +
                                     " is not what both programs compute");
  return llvm::Error::success();
}

/// The number of a tensor at kernel level.
static std::optional<unsigned> readTensor(const TensorProgram &program,
                                          const llvm::json::Object &step,
                                          llvm::StringRef name) {
  std::optional<int64_t> number = step.getInteger(name);
  if (!number || *number < 0 || *number >= int64_t(program.values.size()) ||
      program.values[*number].graph >= 0)
    return std::nullopt;
  return *number;
}

/// Each step proves a pair of tensors equal and makes it an argument of the
/// next ones. In the end all results must be such pairs.
static llvm::Error checkSteps(const TensorProgram &spec,
                              const TensorProgram &candidate,
                              const llvm::json::Array &steps) {
  llvm::SmallVector<unsigned> specInputs, candidateInputs;
  std::set<std::pair<unsigned, unsigned>> proved;
  for (auto [number, value] : llvm::enumerate(steps)) {
    std::string place = "step #" + std::to_string(number) + ": ";
    const llvm::json::Object *step = value.getAsObject();
    std::optional<unsigned> a, b;
    if (step) {
      a = readTensor(spec, *step, "spec_value");
      b = readTensor(candidate, *step, "candidate_value");
    }
    if (!a || !b || spec.values[*a].shape != candidate.values[*b].shape)
      return llvm::createStringError(place +
                                     "it names no two tensors of one shape");
    if (llvm::Error error =
            checkWhole(spec.part(specInputs, *a),
                       candidate.part(candidateInputs, *b), *step))
      return llvm::createStringError(place + llvm::toString(std::move(error)));
    specInputs.push_back(*a);
    candidateInputs.push_back(*b);
    proved.insert({*a, *b});
  }
  for (auto [a, b] : llvm::zip_equal(spec.results, candidate.results))
    if (!proved.count({a, b}))
      return llvm::createStringError("no step proves all results");
  return llvm::Error::success();
}

llvm::Error mirage::certificate::check(const TensorProgram &spec,
                                       const TensorProgram &candidate,
                                       const llvm::json::Object &certificate) {
  const llvm::json::Array *steps = certificate.getArray("steps");
  if (!steps)
    return checkWhole(spec, candidate, certificate);
  if (spec.results.size() != candidate.results.size())
    return llvm::createStringError("it has another number of results");
  return checkSteps(spec, candidate, *steps);
}
