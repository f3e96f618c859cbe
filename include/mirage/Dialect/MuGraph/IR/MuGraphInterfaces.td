//===- MuGraphInterfaces.td - What an op means -------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHINTERFACES_TD
#define MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHINTERFACES_TD

include "mlir/IR/OpBase.td"

def MuGraph_MeaningOpInterface : OpInterface<"MeaningOpInterface"> {
  let cppNamespace = "::mirage::mugraph";
  let description = [{
    States what a tensor op computes over the real numbers, once, for everybody
    who needs to know: the lowering to linalg, the search's expressions and the
    evaluation over finite fields. `Meaning.h` explains the form.

    An op is either *primitive* and has a meaning, or *composite* and has a
    decomposition into primitive ops (softmax, the norms). Exactly one of the
    two methods succeeds on a verified op.
  }];
  let methods = [
    InterfaceMethod<
      "The meaning of a primitive op; failure for a composite one.",
      "::llvm::FailureOr<::mirage::mugraph::Meaning>", "getMeaning", (ins),
      /*methodBody=*/"", /*defaultImplementation=*/"return ::llvm::failure();">,
    InterfaceMethod<
      "Builds an equivalent of a composite op from simpler ops at the builder's "
      "insertion point and returns its value; failure for a primitive op. The "
      "op itself is left in place. Intermediate values have the op's element "
      "type, or f32 where that is wider.",
      "::llvm::FailureOr<::mlir::Value>", "decompose",
      (ins "::mlir::OpBuilder &":$builder),
      /*methodBody=*/"", /*defaultImplementation=*/"return ::llvm::failure();">,
  ];
}

#endif // MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHINTERFACES_TD
