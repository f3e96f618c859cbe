//===- Claims.h - What a certificate claims ---------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_CERTIFICATE_CLAIMS_H
#define MIRAGE_LIB_VERIFY_CERTIFICATE_CLAIMS_H

#include "Formula.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace mirage::certificate {

/// The element of a value at the indices written by `dims`: one of the cases
/// holds for each.
struct Claim {
  std::vector<Digits> dims;
  std::vector<Case> cases;
};

/// The digits of the indices of a block graph.
struct IndexDigits {
  std::vector<Digits> grid, loops;
};

struct ProgramClaims {
  std::vector<IndexDigits> graphs;
  std::vector<Claim> values;
};

struct Claims {
  ProgramClaims spec, candidate;
  std::vector<Claim> results;
};

/// Reads a certificate. Bound labels get fresh names, so that no two formulas
/// bind the same label; others keep their numbers.
llvm::Expected<Claims> readClaims(const llvm::json::Object &certificate,
                                  Algebra &algebra);

} // namespace mirage::certificate

#endif // MIRAGE_LIB_VERIFY_CERTIFICATE_CLAIMS_H
