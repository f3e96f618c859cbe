//===- Mutants.cpp - Programs and changes of their kernels ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Verify/Certificate.h"
#include "mirage/Verify/Proof.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;

std::string mirage::verify::apply(std::string text, const Change &change) {
  for (const Edit &edit : change.edits) {
    size_t at = text.find(edit.from);
    EXPECT_NE(at, std::string::npos)
        << change.name << ": nothing to replace: " << edit.from;
    for (; at != std::string::npos;
         at = text.find(edit.from, at + edit.to.size()))
      text.replace(at, edit.from.size(), edit.to);
  }
  return text;
}

Mutants::Mutants() {
  context.loadDialect<func::FuncDialect, mugraph::MuGraphDialect>();
}

bool Mutants::isProved(const std::string &spec, const std::string &kernel) {
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(spec + kernel, &context);
  if (!module)
    return false;
  std::string reason;
  auto read = [&](StringRef name) {
    return TensorProgram::read(module->lookupSymbol<func::FuncOp>(name),
                               reason);
  };
  FailureOr<TensorProgram> a = read("spec"), b = read("kernel");
  return succeeded(a) && succeeded(b) && a->findWriteMistake().empty() &&
         b->findWriteMistake().empty() && prove(*a, *b, reason);
}

Report Mutants::check(const std::string &spec, const std::string &kernel,
                      const Options &options) {
  std::string message;
  ScopedDiagnosticHandler quiet(&context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(spec + kernel, &context);
  if (!module) {
    Report report;
    report.reason = "invalid: " + message;
    return report;
  }
  return checkEquivalent(module->lookupSymbol<func::FuncOp>("spec"),
                         module->lookupSymbol<func::FuncOp>("kernel"), options);
}

void Mutants::expectAccepted(const std::string &spec, const std::string &kernel,
                             const std::vector<Change> &changes) {
  for (const Change &change : changes) {
    Report report = check(spec, apply(kernel, change));
    EXPECT_TRUE(report.isAccepted()) << change.name << ": " << report.reason;
  }
}

void Mutants::expectProved(const std::string &spec, const std::string &kernel) {
  Report report = check(spec, kernel);
  EXPECT_EQ(stringify(report.status), "proved") << report.reason << kernel;
}

void Mutants::expectRejected(const std::string &spec, const std::string &kernel,
                             const std::vector<Change> &changes) {
  for (const Change &change : changes) {
    std::string changed = apply(kernel, change);
    Report report = check(spec, changed);
    EXPECT_FALSE(report.isAccepted()) << change.name << ": " << report.reason;
    EXPECT_FALSE(report.reason.empty()) << change.name;
    EXPECT_FALSE(isProved(spec, changed)) << change.name;
  }
}

void Mutants::expectCertified(const std::string &spec,
                              const std::string &kernel,
                              const std::vector<Change> &changes) {
  auto read = [&](const std::string &text, StringRef name) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    std::string reason = "it does not parse";
    FailureOr<TensorProgram> program = failure();
    if (module)
      program =
          TensorProgram::read(module->lookupSymbol<func::FuncOp>(name), reason);
    EXPECT_TRUE(succeeded(program)) << reason << "\n" << text;
    return succeeded(program) ? *program : TensorProgram();
  };
  auto isRefused = [&](const TensorProgram &a, const TensorProgram &b,
                       const llvm::json::Object &certificate) {
    return llvm::errorToBool(certificate::check(a, b, certificate));
  };
  TensorProgram right = read(spec, "spec"), good = read(kernel, "kernel");
  llvm::json::Object ofKernel, ofSpec;
  std::string reason;
  ASSERT_TRUE(prove(right, good, reason, &ofKernel)) << reason;
  ASSERT_TRUE(prove(right, right, reason, &ofSpec)) << reason;
  llvm::Error error = certificate::check(right, good, ofKernel);
  EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
  for (const Change &change : changes) {
    TensorProgram changed = read(apply(kernel, change), "kernel");
    EXPECT_FALSE(prove(right, changed, reason)) << change.name;
    EXPECT_TRUE(isRefused(right, changed, ofKernel)) << change.name;
    EXPECT_TRUE(isRefused(right, changed, ofSpec)) << change.name;
    llvm::json::Object ofItself;
    if (prove(changed, changed, reason, &ofItself))
      EXPECT_TRUE(isRefused(right, changed, ofItself)) << change.name;
    EXPECT_FALSE(check(spec, apply(kernel, change)).isAccepted())
        << change.name;
  }
}

void Mutants::expectStatus(const std::string &spec, const std::string &kernel,
                           Status status) {
  Options options;
  options.proof = status == Status::Proved;
  Report report = check(spec, kernel, options);
  EXPECT_EQ(stringify(report.status).str(), stringify(status).str())
      << report.reason;
  EXPECT_EQ(report.errorLog2.has_value(), status != Status::Tested);
  if (report.errorLog2)
    EXPECT_LE(*report.errorLog2, -60);
}
