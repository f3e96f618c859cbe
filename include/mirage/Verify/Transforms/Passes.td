//===- Passes.td - Passes that check programs --------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_TRANSFORMS_PASSES_TD
#define MIRAGE_VERIFY_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def MuGraphVerifyPass : Pass<"mugraph-verify", "::mlir::ModuleOp"> {
  let summary = "Check that functions compute what they claim to implement";
  let description = [{
    Compares every function that carries `mugraph.implements = @spec` with
    `@spec`, over the real numbers, at full size, by random tests over a pair of
    63-bit prime fields (docs/Spec/Verification.md). A function that differs, or
    of which equality cannot be shown, is an error at that function; the message
    names the output element at which the two differ.

    ```mlir
    func.func private @f.spec(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>) -> tensor<4x4xf32> {
      %0 = mugraph.div %a, %b : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
      return %0 : tensor<4x4xf32>
    }
    func.func @f(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>) -> tensor<4x4xf32>
        attributes {mugraph.implements = @f.spec} {
      %0 = mugraph.reciprocal %b : tensor<4x4xf32>
      %1 = mugraph.mul %0, %a : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
      return %1 : tensor<4x4xf32>
    }
    ```

    The report has one JSON object a line for each function checked:
    `{"function":"f","implements":"f.spec","verification":{"status":"tested",..}}`.
    With `certificate=FILE`, so has that file for each function that was proved,
    for `mugraph-check-certificate`.
  }];
  let options = [
    Option<"certificate", "certificate", "std::string", /*default=*/"",
           "File for the certificates of proofs, as JSON lines">,
    Option<"errorLog2", "error-log2", "double", "-60",
           "Tests are repeated until the probability of accepting a wrong "
           "program is at most 2 to this power, where such a bound exists">,
    Option<"proof", "proof", "::mirage::verify::ProofMode",
           "::mirage::verify::ProofMode::Auto",
           "Whether to look for a proof beside the random tests",
           [{::llvm::cl::values(
               clEnumValN(::mirage::verify::ProofMode::Auto, "auto",
                          "take a proof where one can be found"),
               clEnumValN(::mirage::verify::ProofMode::Off, "off",
                          "random tests only"),
               clEnumValN(::mirage::verify::ProofMode::Require, "require",
                          "a function without a proof is an error"))}]>,
    Option<"report", "report", "std::string", /*default=*/"",
           "File for the results as JSON, `-` for standard output">,
    Option<"seed", "seed", "uint64_t", "1",
           "Seed of the random tests; every seed is an independent check">,
  ];
}

def MuGraphCheckCertificatePass
    : Pass<"mugraph-check-certificate", "::mlir::ModuleOp"> {
  let summary = "Check proofs that functions compute what they implement";
  let description = [{
    Checks that for every function that carries `mugraph.implements = @spec` the
    file has a certificate (`mugraph-verify`) that proves it. The checker is
    independent of the prover and trusts nothing in the file; what it trusts
    stands in `mirage/Verify/Certificate.h`. A function without a certificate, or
    with one that does not prove it, is an error at that function.

    ```mlir
    func.func private @f.spec(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
      %0 = mugraph.square %a : tensor<4x4xf32>
      return %0 : tensor<4x4xf32>
    }
    func.func @f(%a: tensor<4x4xf32>) -> tensor<4x4xf32>
        attributes {mugraph.implements = @f.spec} {
      %0 = mugraph.mul %a, %a : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
      return %0 : tensor<4x4xf32>
    }
    ```
  }];
  let options = [
    Option<"certificate", "certificate", "std::string", /*default=*/"",
           "File with the certificates, as JSON lines">,
  ];
}

#endif // MIRAGE_VERIFY_TRANSFORMS_PASSES_TD
