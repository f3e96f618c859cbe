//===- LayoutRequests.h - The layout algebra as JSON requests ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `mirage-layout` answers, one request at a time: make, compose, product,
// divide_left, invert, convert, conflicts. Requests and answers are JSON.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LAYOUT_LAYOUTREQUESTS_H
#define MIRAGE_LAYOUT_LAYOUTREQUESTS_H

#include "mirage/Layout/OrderedJson.h"

namespace mirage::layout {

/// A request that is well formed and has no answer (a layout that has no
/// inverse, say). All other errors are errors of the request.
class NoAnswer : public llvm::ErrorInfo<NoAnswer> {
public:
  static char ID;
  explicit NoAnswer(std::string reason) : reason(std::move(reason)) {}
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  std::string reason;
};

/// Names of the verbs that answer in JSON.
llvm::ArrayRef<llvm::StringRef> requestVerbs();

/// The answer to one request as one line of JSON (without the line's end).
llvm::Expected<std::string> answerRequest(llvm::StringRef verb,
                                          const OrderedJson &request);

/// A conversion as sentences for a reader: how far the data must travel, which
/// bits move, the plan, and what the other kinds of plans would cost.
llvm::Expected<std::string> explainConversion(const OrderedJson &request);

} // namespace mirage::layout

#endif // MIRAGE_LAYOUT_LAYOUTREQUESTS_H
