//===- MuGraphCheckCertificate.cpp - Check proofs again -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Claims.h"

#include "mirage/Verify/Certificate.h"
#include "mirage/Verify/Transforms/Passes.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mirage {
#define GEN_PASS_DEF_MUGRAPHCHECKCERTIFICATEPASS
#include "mirage/Verify/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;

/// Brackets inside brackets in a certificate; the parser is recursive.
static constexpr unsigned maxNesting = 32;

namespace {

class MuGraphCheckCertificatePass final
    : public mirage::impl::MuGraphCheckCertificatePassBase<
          MuGraphCheckCertificatePass> {
public:
  using Base::Base;

  void runOnOperation() override;

private:
  LogicalResult readFile();
  LogicalResult readLine(StringRef line, int64_t number);
  LogicalResult check(func::FuncOp function);

  /// By name of the function.
  llvm::StringMap<llvm::json::Object> certificates;
};

} // namespace

/// Brackets in strings count too: certificates have none there.
static bool isNestedDeeply(StringRef text) {
  unsigned depth = 0;
  for (char c : text) {
    depth += c == '[' || c == '{';
    depth -= (c == ']' || c == '}') && depth > 0;
    if (depth > maxNesting)
      return true;
  }
  return false;
}

LogicalResult MuGraphCheckCertificatePass::readLine(StringRef line,
                                                    int64_t number) {
  auto fail = [&](const Twine &what) {
    return getOperation().emitError()
           << certificate << ":" << number << ": " << what;
  };
  if (isNestedDeeply(line))
    return fail("more than " + Twine(maxNesting) + " brackets are open");
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(line);
  if (!value)
    return fail(llvm::toString(value.takeError()));
  llvm::json::Object *object = value->getAsObject();
  std::optional<StringRef> name;
  if (object)
    name = object->getString("function");
  if (!name)
    return fail("expected a JSON object with the name of a 'function'");
  std::string key = name->str();
  certificates[key] = std::move(*object);
  return success();
}

LogicalResult MuGraphCheckCertificatePass::readFile() {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file =
      openInputFile(certificate, &message);
  if (!file)
    return getOperation().emitError()
           << "the certificate cannot be read: " << message;
  for (llvm::line_iterator line(*file); !line.is_at_end(); ++line)
    if (failed(readLine(*line, line.line_number())))
      return failure();
  return success();
}

LogicalResult MuGraphCheckCertificatePass::check(func::FuncOp function) {
  FailureOr<func::FuncOp> spec = verify::findSpec(function);
  if (failed(spec))
    return failure();
  auto entry = certificates.find(function.getSymName());
  if (entry == certificates.end()) {
    verify::setRefused(getOperation());
    return function.emitError() << "@" << function.getSymName()
                                << " has no certificate in " << certificate;
  }
  if (spec->getFunctionType() != function.getFunctionType())
    return function.emitError() << "its type is " << function.getFunctionType()
                                << ", expected " << spec->getFunctionType();
  std::string reason;
  auto specProgram = verify::TensorProgram::read(*spec, reason);
  auto program = verify::TensorProgram::read(function, reason);
  if (failed(specProgram) || failed(program))
    return function.emitError() << "the program cannot be read: " << reason;
  llvm::Error error = certificate::check(*specProgram, *program, entry->second);
  if (!error)
    return success();
  verify::setRefused(getOperation());
  InFlightDiagnostic diagnostic = function.emitError()
                                  << "the certificate does not prove that @"
                                  << function.getSymName() << " implements @"
                                  << spec->getSymName() << ": "
                                  << llvm::toString(std::move(error));
  diagnostic.attachNote(spec->getLoc()) << "the specification is here";
  return failure();
}

void MuGraphCheckCertificatePass::runOnOperation() {
  certificates.clear();
  if (certificate.empty()) {
    getOperation().emitError("no certificate is given, expected the option "
                             "'certificate=FILE'");
    return signalPassFailure();
  }
  if (failed(readFile()))
    return signalPassFailure();
  bool allProved = true;
  for (func::FuncOp function : verify::findClaims(getOperation()))
    allProved &= succeeded(check(function));
  if (!allProved)
    return signalPassFailure();
  markAllAnalysesPreserved();
}
