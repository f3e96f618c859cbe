//===- JsonPlace.h - A value in a JSON document -----------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads JSON that somebody else wrote: each value knows where in the document
// it stands, and says so when it is not what is expected there.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_TARGET_MIRAGEJSON_JSONPLACE_H
#define MIRAGE_LIB_TARGET_MIRAGEJSON_JSONPLACE_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/JSON.h"

#include <optional>
#include <string>
#include <vector>

namespace mirage {

class JsonPlace {
public:
  JsonPlace(const llvm::json::Value &value, std::string path,
            mlir::MLIRContext *context)
      : value(&value), path(std::move(path)), context(context) {}

  /// A member of an object; an error if it is not there.
  mlir::FailureOr<JsonPlace> field(llvm::StringRef name) const;
  bool has(llvm::StringRef name) const;
  mlir::FailureOr<std::vector<JsonPlace>> elements() const;
  mlir::FailureOr<int64_t> integer(int64_t least, int64_t most) const;
  mlir::FailureOr<double> number() const;
  mlir::FailureOr<std::string> text() const;
  bool isArray() const { return value->kind() == llvm::json::Value::Array; }

  /// The fields of an object in one go.
  mlir::FailureOr<int64_t> integerField(llvm::StringRef name, int64_t least,
                                        int64_t most) const;
  mlir::FailureOr<std::vector<JsonPlace>>
  elementsField(llvm::StringRef name) const;

  /// The path as a location, for diagnostics and for ops.
  mlir::Location location() const;
  mlir::InFlightDiagnostic error() const;

private:
  mlir::LogicalResult expected(const llvm::Twine &what) const;

  const llvm::json::Value *value;
  std::string path;
  mlir::MLIRContext *context;
};

} // namespace mirage

#endif // MIRAGE_LIB_TARGET_MIRAGEJSON_JSONPLACE_H
