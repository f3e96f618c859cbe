//===- WriteCertificate.h - Normal forms as claims --------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_WRITECERTIFICATE_H
#define MIRAGE_LIB_VERIFY_WRITECERTIFICATE_H

#include "SymbolicRun.h"

#include "llvm/Support/JSON.h"

namespace mirage::verify {

/// The certificate (`mirage/Verify/Certificate.h`) of two finished runs with
/// the normal forms `results` in common.
llvm::json::Object writeCertificate(const DigitContext &digits,
                                    SymbolicRun &spec, SymbolicRun &candidate,
                                    llvm::ArrayRef<SymbolicTensor> results);

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_WRITECERTIFICATE_H
