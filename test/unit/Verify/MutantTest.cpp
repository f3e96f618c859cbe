//===- MutantTest.cpp - Wrong programs are rejected, right ones accepted --===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A base program and its kernel, and textual changes of the kernel. A change
// either keeps the meaning, then the kernel must be accepted, or it plants an
// error, then it must be rejected: by the verifier of the IR or by the check.
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Proof.h"
#include "mirage/Verify/Verify.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mirage;

namespace {

/// A replacement of text: every occurrence of `from` becomes `to`.
struct Edit {
  std::string from;
  std::string to;
};

struct Change {
  std::string name;
  std::vector<Edit> edits;
};

std::string apply(std::string text, const Change &change) {
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

class Mutants : public testing::Test {
protected:
  Mutants() {
    context.loadDialect<func::FuncDialect, mugraph::MuGraphDialect>();
  }

  /// Tries to prove what random tests would reject.
  bool isProved(const std::string &spec, const std::string &kernel) {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(spec + kernel, &context);
    if (!module)
      return false;
    auto read = [&](StringRef name) {
      std::string reason;
      return verify::TensorProgram::read(
          module->lookupSymbol<func::FuncOp>(name), reason);
    };
    FailureOr<verify::TensorProgram> a = read("spec"), b = read("kernel");
    std::string reason;
    return succeeded(a) && succeeded(b) && a->findWriteMistake().empty() &&
           b->findWriteMistake().empty() && verify::prove(*a, *b, reason);
  }

  /// Compares the functions @spec and @kernel. A module that does not parse
  /// counts as undecided.
  verify::Report check(const std::string &spec, const std::string &kernel,
                       const verify::Options &options = {}) {
    ScopedDiagnosticHandler quiet(&context, [&](Diagnostic &diagnostic) {
      message = diagnostic.str();
      return success();
    });
    message.clear();
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(spec + kernel, &context);
    if (!module) {
      verify::Report report;
      report.reason = "invalid: " + message;
      return report;
    }
    return verify::checkEquivalent(module->lookupSymbol<func::FuncOp>("spec"),
                                   module->lookupSymbol<func::FuncOp>("kernel"),
                                   options);
  }

  void expectAccepted(const std::string &spec, const std::string &kernel,
                      const std::vector<Change> &changes = {
                          {"unchanged", {}}}) {
    for (const Change &change : changes) {
      verify::Report report = check(spec, apply(kernel, change));
      EXPECT_TRUE(report.isAccepted()) << change.name << ": " << report.reason;
    }
  }

  void expectRejected(const std::string &spec, const std::string &kernel,
                      const std::vector<Change> &changes) {
    for (const Change &change : changes) {
      verify::Report report = check(spec, apply(kernel, change));
      EXPECT_FALSE(report.isAccepted()) << change.name;
      EXPECT_FALSE(report.reason.empty()) << change.name;
      EXPECT_FALSE(isProved(spec, apply(kernel, change))) << change.name;
      if (testing::Test::HasFailure() || getenv("SHOW_REASONS"))
        llvm::errs() << change.name << ": " << report.reason << "\n";
    }
  }

  /// Accepted with this status; a bound of at most 2^-60 if probabilistic.
  void expectStatus(const std::string &spec, const std::string &kernel,
                    verify::Status status) {
    verify::Options options;
    options.proof = status == verify::Status::Proved;
    verify::Report report = check(spec, kernel, options);
    EXPECT_EQ(verify::stringify(report.status).str(),
              verify::stringify(status).str())
        << report.reason;
    EXPECT_EQ(report.errorLog2.has_value(), status != verify::Status::Tested);
    if (report.errorLog2)
      EXPECT_LE(*report.errorLog2, -60);
  }

  MLIRContext context;
  std::string message;
};

//===----------------------------------------------------------------------===//
// Norm and linear
//===----------------------------------------------------------------------===//

const char *normLinearSpec = R"(
func.func @spec(%x: tensor<16x2048xf16>, %w: tensor<2048x2048xf16>) -> tensor<16x2048xf16> {
  %0 = mugraph.rms_norm %x {eps = 1.0e-5 : f64} : tensor<16x2048xf16>
  %1 = mugraph.matmul %0, %w : (tensor<16x2048xf16>, tensor<2048x2048xf16>) -> tensor<16x2048xf16>
  return %1 : tensor<16x2048xf16>
})";

const char *normLinearKernel = R"(
func.func @kernel(%x: tensor<16x2048xf16>, %w: tensor<2048x2048xf16>) -> tensor<16x2048xf16> {
  %y = mugraph.block_graph grid = [32] loops = [32]
         ins(%x tile [_, l0] : tensor<16x2048xf16>, %w tile [l0, g0] : tensor<2048x2048xf16>)
         outs(tile [_, g0] : tensor<16x2048xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %xf = mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>
    %sq = mugraph.square %xf : tensor<16x64xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<16x1xf32>
    %mean = mugraph.mul_scalar %ar, 4.8828125e-4 : tensor<16x1xf32>
    %ms = mugraph.add_scalar %mean, 1.0e-5 : tensor<16x1xf32>
    %root = mugraph.sqrt %ms : tensor<16x1xf32>
    %o = mugraph.div %am, %root : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    %oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %oh : tensor<16x64xf16>
  }
  return %y : tensor<16x2048xf16>
})";

TEST_F(Mutants, NormLinearVariants) {
  expectStatus(normLinearSpec, normLinearKernel, verify::Status::Probabilistic);
  expectAccepted(
      normLinearSpec, normLinearKernel,
      {{"unchanged", {}},
       {"rsqrt in place of sqrt",
        {{"mugraph.sqrt", "mugraph.rsqrt"},
         {"mugraph.div %am, %root", "mugraph.mul %am, %root"}}},
       {"commuted operands",
        {{"mugraph.square %xf : tensor<16x64xf32>",
          "mugraph.mul %xf, %xf : (tensor<16x64xf32>, tensor<16x64xf32>) -> "
          "tensor<16x64xf32>"},
         {"mugraph.sqrt", "mugraph.rsqrt"},
         {"mugraph.div %am, %root : (tensor<16x64xf32>, tensor<16x1xf32>)",
          "mugraph.mul %root, %am : (tensor<16x1xf32>, tensor<16x64xf32>)"}}},
       // The root of a scaled argument: needs the law sqrt(4 x) = 2 sqrt(x).
       {"scale outside the root",
        {{"%ms = mugraph.add_scalar %mean, 1.0e-5",
          "%s4 = mugraph.mul_scalar %mean, 4.0 : tensor<16x1xf32>\n%ms = "
          "mugraph.add_scalar %s4, 4.0e-5"},
         {"%root = mugraph.sqrt %ms : tensor<16x1xf32>",
          "%r2 = mugraph.sqrt %ms : tensor<16x1xf32>\n%root = "
          "mugraph.mul_scalar %r2, 0.5 : tensor<16x1xf32>"}}},
       {"larger tiles",
        {{"loops = [32]", "loops = [16]"},
         {"16x64xf16>, %wt: tensor<64x64xf16>",
          "16x128xf16>, %wt: tensor<128x64xf16>"},
         {"(tensor<16x64xf16>, tensor<64x64xf16>)",
          "(tensor<16x128xf16>, tensor<128x64xf16>)"},
         {"%xt : tensor<16x64xf16> -> tensor<16x64xf32>",
          "%xt : tensor<16x128xf16> -> tensor<16x128xf32>"},
         {"%xf : tensor<16x64xf32>", "%xf : tensor<16x128xf32>"},
         {"dims = [1] : tensor<16x64xf32>",
          "dims = [1] : tensor<16x128xf32>"}}},
       {"rows cut by the grid",
        {{"grid = [32]", "grid = [32, 2]"},
         {"%x tile [_, l0]", "%x tile [g1, l0]"},
         {"outs(tile [_, g0]", "outs(tile [g1, g0]"},
         {"tensor<16x64x", "tensor<8x64x"},
         {"tensor<16x1x", "tensor<8x1x"}}}});
}

TEST_F(Mutants, NormLinearErrors) {
  expectRejected(
      normLinearSpec, normLinearKernel,
      {{"last iteration dropped", {{"loops = [32]", "loops = [31]"}}},
       {"last block dropped", {{"grid = [32]", "grid = [31]"}}},
       {"k and n exchanged", {{"%w tile [l0, g0]", "%w tile [g0, l0]"}}},
       {"grid in place of loop", {{"%x tile [_, l0]", "%x tile [_, g0]"}}},
       {"same columns in each iteration",
        {{"%w tile [l0, g0]", "%w tile [l0, l0]"}}},
       {"tiles shifted", {{"%w tile [l0, g0]", "%w tile [l0, g0 + 1]"}}},
       {"mean for sum", {{"reduce sum", "reduce mean"}}},
       {"max for sum", {{"reduce sum", "reduce max"}}},
       {"accumulator takes the maximum",
        {{"accumulate sum %r", "accumulate max %r"}}},
       {"no eps", {{"1.0e-5", "0.0"}}},
       {"another eps", {{"1.0e-5", "1.0e-6"}}},
       {"eps before the mean",
        {{"%mean = mugraph.mul_scalar %ar, 4.8828125e-4",
          "%mean = mugraph.add_scalar %ar, 1.0e-5"},
         {"%ms = mugraph.add_scalar %mean, 1.0e-5",
          "%ms = mugraph.mul_scalar %mean, 4.8828125e-4"}}},
       {"root of a negative number",
        {{"%mean = mugraph.mul_scalar %ar, 4.8828125e-4",
          "%mean = mugraph.mul_scalar %ar, -4.8828125e-4"},
         {"mugraph.add_scalar %mean, 1.0e-5",
          "mugraph.add_scalar %mean, -1.0e-5"}}},
       {"negative scale outside the root",
        {{"%ms = mugraph.add_scalar %mean, 1.0e-5",
          "%s4 = mugraph.mul_scalar %mean, 4.0 : tensor<16x1xf32>\n%ms = "
          "mugraph.add_scalar %s4, 4.0e-5"},
         {"%root = mugraph.sqrt %ms : tensor<16x1xf32>",
          "%r2 = mugraph.sqrt %ms : tensor<16x1xf32>\n%root = "
          "mugraph.mul_scalar %r2, -0.5 : tensor<16x1xf32>"}}},
       {"another extent in the mean", {{"4.8828125e-4", "2.44140625e-4"}}},
       {"swapped division",
        {{"mugraph.div %am, %root : (tensor<16x64xf32>, tensor<16x1xf32>)",
          "mugraph.div %root, %am : (tensor<16x1xf32>, tensor<16x64xf32>)"}}},
       {"times in place of over", {{"mugraph.div", "mugraph.mul"}}},
       {"reciprocal root forgotten", {{"mugraph.sqrt", "mugraph.rsqrt"}}},
       {"no square", {{"mugraph.square", "mugraph.abs"}}},
       {"root of one iteration only",
        {{"mugraph.accumulate sum %r over l0",
          "mugraph.accumulate max %r over l0"}}},
       {"negated",
        {{"%o = mugraph.div %am, %root",
          "%n = mugraph.neg %am : tensor<16x64xf32>\n%o = mugraph.div %n, "
          "%root"}}},
       {"sum before the matmul lost",
        {{"mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> "
          "tensor<16x64xf32>",
          "mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>"}}}});
}

TEST_F(Mutants, SignatureIsCompared) {
  std::string kernel = apply(
      normLinearKernel,
      {"",
       {{"-> tensor<16x2048xf16> {\n  %y", "-> tensor<16x2048xf32> {\n  %y"},
        {"outs(tile [_, g0] : tensor<16x2048xf16>)",
         "outs(tile [_, g0] : tensor<16x2048xf32>)"},
        {"%oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>", ""},
        {"yield %oh : tensor<16x64xf16>", "yield %o : tensor<16x64xf32>"},
        {"return %y : tensor<16x2048xf16>",
         "return %y : tensor<16x2048xf32>"}}});
  verify::Report report = check(normLinearSpec, kernel);
  EXPECT_FALSE(report.isAccepted());
  EXPECT_NE(report.reason.find("its type is"), std::string::npos)
      << report.reason;
}

/// 17 rows in tiles of 32, 2560 columns in tiles of 1024.
TEST_F(Mutants, ClippedTiles) {
  const char *spec = R"(
func.func @spec(%x: tensor<17x2560xbf16>, %w: tensor<2560x100xbf16>) -> tensor<17x100xbf16> {
  %0 = mugraph.rms_norm %x {eps = 1.0e-6 : f64} : tensor<17x2560xbf16>
  %1 = mugraph.matmul %0, %w : (tensor<17x2560xbf16>, tensor<2560x100xbf16>) -> tensor<17x100xbf16>
  return %1 : tensor<17x100xbf16>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<17x2560xbf16>, %w: tensor<2560x100xbf16>) -> tensor<17x100xbf16> {
  %y = mugraph.block_graph grid = [2] loops = [3]
         ins(%x tile [_, l0] : tensor<17x2560xbf16>, %w tile [l0, g0] : tensor<2560x100xbf16>)
         outs(tile [_, g0] : tensor<17x100xbf16>) {
  ^bb0(%xt: tensor<32x1024xbf16>, %wt: tensor<1024x64xbf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<32x1024xbf16>, tensor<1024x64xbf16>) -> tensor<32x64xf32>
    %xf = mugraph.cast %xt : tensor<32x1024xbf16> -> tensor<32x1024xf32>
    %sq = mugraph.square %xf : tensor<32x1024xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<32x1024xf32> -> tensor<32x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<32x64xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<32x1xf32>
    %mean = mugraph.mul_scalar %ar, 3.90625e-4 : tensor<32x1xf32>
    %ms = mugraph.add_scalar %mean, 1.0e-6 : tensor<32x1xf32>
    %root = mugraph.rsqrt %ms : tensor<32x1xf32>
    %o = mugraph.mul %am, %root : (tensor<32x64xf32>, tensor<32x1xf32>) -> tensor<32x64xf32>
    %oh = mugraph.cast %o : tensor<32x64xf32> -> tensor<32x64xbf16>
    mugraph.yield %oh : tensor<32x64xbf16>
  }
  return %y : tensor<17x100xbf16>
})";
  expectStatus(spec, kernel, verify::Status::Probabilistic);
  expectRejected(
      spec, kernel,
      {{"remainder of the loop dropped", {{"loops = [3]", "loops = [2]"}}},
       {"mean over the padded extent",
        {{"3.90625e-4", "3.255208333333333e-4"}}},
       {"remainder of the grid dropped", {{"grid = [2]", "grid = [1]"}}}});
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

const char *attentionSpec = R"(
func.func @spec(%q: tensor<2x64x64xf16>, %k: tensor<2x64x500xf16>, %v: tensor<2x500x64xf16>) -> tensor<2x64x64xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x64x64xf16>, tensor<2x64x500xf16>) -> tensor<2x64x500xf16>
  %1 = mugraph.mul_scalar %0, 0.125 : tensor<2x64x500xf16>
  %2 = mugraph.softmax %1 dim = 2 : tensor<2x64x500xf16>
  %3 = mugraph.matmul %2, %v : (tensor<2x64x500xf16>, tensor<2x500x64xf16>) -> tensor<2x64x64xf16>
  return %3 : tensor<2x64x64xf16>
})";

const char *attentionKernel = R"(
func.func @kernel(%q: tensor<2x64x64xf16>, %k: tensor<2x64x500xf16>, %v: tensor<2x500x64xf16>) -> tensor<2x64x64xf16> {
  %y = mugraph.block_graph grid = [2, 2] loops = [4]
         ins(%q tile [g0, g1, _] : tensor<2x64x64xf16>, %k tile [g0, _, l0] : tensor<2x64x500xf16>, %v tile [g0, l0, _] : tensor<2x500x64xf16>)
         outs(tile [g0, g1, _] : tensor<2x64x64xf16>) {
  ^bb0(%qt: tensor<1x32x64xf16>, %kt: tensor<1x64x128xf16>, %vt: tensor<1x128x64xf16>):
    %s0 = mugraph.matmul %qt, %kt : (tensor<1x32x64xf16>, tensor<1x64x128xf16>) -> tensor<1x32x128xf32>
    %s = mugraph.mul_scalar %s0, 0.125 : tensor<1x32x128xf32>
    %den, %num = mugraph.accumulate_softmax %s, %vt over l0
      : (tensor<1x32x128xf32>, tensor<1x128x64xf16>) -> (tensor<1x32x1xf32>, tensor<1x32x64xf32>)
    %o = mugraph.div %num, %den : (tensor<1x32x64xf32>, tensor<1x32x1xf32>) -> tensor<1x32x64xf32>
    %oh = mugraph.cast %o : tensor<1x32x64xf32> -> tensor<1x32x64xf16>
    mugraph.yield %oh : tensor<1x32x64xf16>
  }
  return %y : tensor<2x64x64xf16>
})";

/// The accumulator spelled out: one loop for the maximum, a second pass for
/// the sums.
const char *twoPasses = R"(
    %t = mugraph.reduce max %s dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %max = mugraph.accumulate max %t over l0 : tensor<1x32x1xf32>
    %r0 = mugraph.matmul %qt, %k2 : (tensor<1x32x64xf16>, tensor<1x64x128xf16>) -> tensor<1x32x128xf32>
    %r = mugraph.mul_scalar %r0, 0.125 : tensor<1x32x128xf32>
    %c = mugraph.sub %r, %max : (tensor<1x32x128xf32>, tensor<1x32x1xf32>) -> tensor<1x32x128xf32>
    %e = mugraph.exp %c : tensor<1x32x128xf32>
    %d = mugraph.reduce sum %e dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %den = mugraph.accumulate sum %d over l1 : tensor<1x32x1xf32>
    %eh = mugraph.cast %e : tensor<1x32x128xf32> -> tensor<1x32x128xf16>
    %n = mugraph.matmul %eh, %vt : (tensor<1x32x128xf16>, tensor<1x128x64xf16>) -> tensor<1x32x64xf32>
    %num = mugraph.accumulate sum %n over l1 : tensor<1x32x64xf32>)";

/// As above in a single loop, with the maximum of the iteration.
const char *noRescale = R"(
    %t = mugraph.reduce max %s dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %c = mugraph.sub %s, %t : (tensor<1x32x128xf32>, tensor<1x32x1xf32>) -> tensor<1x32x128xf32>
    %e = mugraph.exp %c : tensor<1x32x128xf32>
    %d = mugraph.reduce sum %e dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %den = mugraph.accumulate sum %d over l0 : tensor<1x32x1xf32>
    %eh = mugraph.cast %e : tensor<1x32x128xf32> -> tensor<1x32x128xf16>
    %n = mugraph.matmul %eh, %vt : (tensor<1x32x128xf16>, tensor<1x128x64xf16>) -> tensor<1x32x64xf32>
    %num = mugraph.accumulate sum %n over l0 : tensor<1x32x64xf32>)";

const char *softmaxOp = R"(
    %den, %num = mugraph.accumulate_softmax %s, %vt over l0
      : (tensor<1x32x128xf32>, tensor<1x128x64xf16>) -> (tensor<1x32x1xf32>, tensor<1x32x64xf32>))";

/// Edits that put `body` in place of the accumulator, with a second loop.
std::vector<Edit> inTwoLoops(std::string body) {
  return {{softmaxOp, body},
          {"loops = [4]", "loops = [4, 4]"},
          {"%v tile [g0, l0, _]",
           "%k tile [g0, _, l1] : tensor<2x64x500xf16>, %v tile [g0, l1, _]"},
          {"%vt: tensor", "%k2: tensor<1x64x128xf16>, %vt: tensor"}};
}

TEST_F(Mutants, AttentionVariants) {
  expectStatus(attentionSpec, attentionKernel, verify::Status::Probabilistic);
  expectAccepted(
      attentionSpec, attentionKernel,
      {{"unchanged", {}},
       {"two passes with the maximum between", inTwoLoops(twoPasses)},
       {"scale on the query",
        {{"%s0 = mugraph.matmul %qt,",
          "%qs = mugraph.mul_scalar %qt, 0.125 : tensor<1x32x64xf16>\n%s = "
          "mugraph.matmul %qs,"},
         {"%s = mugraph.mul_scalar %s0, 0.125 : tensor<1x32x128xf32>", ""}}}});
}

TEST_F(Mutants, AttentionErrors) {
  auto inTwo = [](std::vector<Edit> edits) {
    std::string body = twoPasses;
    for (const Edit &edit : edits)
      body = apply(body, {"two passes", {edit}});
    return inTwoLoops(body);
  };
  expectRejected(
      attentionSpec, attentionKernel,
      {{"no rescaling", {{softmaxOp, noRescale}}},
       {"no scale", {{"0.125", "1.0"}}},
       {"another batch", {{"%v tile [g0, l0, _]", "%v tile [g1, l0, _]"}}},
       {"key tiles dropped", {{"loops = [4]", "loops = [3]"}}},
       {"denominator over one pass less",
        inTwo({{"accumulate sum %d over l1", "accumulate max %d over l1"}})},
       {"maximum where it does not cancel",
        inTwo({{"reduce sum %e", "reduce sum %r"}})},
       {"numerator without the maximum",
        inTwo(
            {{"mugraph.cast %e :", "mugraph.cast %e0 :"},
             {"%d = ", "%e0 = mugraph.exp %r : tensor<1x32x128xf32>\n%d = "}})},
       {"plus for minus",
        inTwo({{"%c = mugraph.sub %r, %max", "%c = mugraph.mul %r, %max"}})},
       {"numerator over denominator squared",
        {{"mugraph.div %num, %den",
          "%d2 = mugraph.square %den : tensor<1x32x1xf32>\n%o = mugraph.div "
          "%num, %d2"},
         {"%o = %d2", "%d2"}}},
       {"no division", {{"mugraph.div %num", "mugraph.mul %num"}}}});
}

/// exp(x - m) = exp(x) exp(-m) is a law of the second rule only, and there sums
/// of exponentials have no bound.
TEST_F(Mutants, SoftmaxWithoutMaximum) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %0 = mugraph.softmax %x dim = 1 : tensor<4x100xf32>
  return %0 : tensor<4x100xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %0 = mugraph.exp %x : tensor<4x100xf32>
  %1 = mugraph.reduce sum %0 dims = [1] : tensor<4x100xf32> -> tensor<4x1xf32>
  %2 = mugraph.div %0, %1 : (tensor<4x100xf32>, tensor<4x1xf32>) -> tensor<4x100xf32>
  return %2 : tensor<4x100xf32>
})";
  expectStatus(spec, kernel, verify::Status::Tested);
  expectRejected(
      spec, kernel,
      {{"sum over columns",
        {{"dims = [1]", "dims = [0]"}, {"tensor<4x1x", "tensor<1x100x"}}},
       {"mean", {{"reduce sum", "reduce mean"}}}});
}

/// A maximum that is a result by itself.
TEST_F(Mutants, MaximumOverALoop) {
  const char *spec = R"(
func.func @spec(%x: tensor<16x1000xf32>) -> (tensor<16x1xf32>, tensor<16x1xf32>) {
  %0 = mugraph.reduce max %x dims = [1] : tensor<16x1000xf32> -> tensor<16x1xf32>
  %1 = mugraph.sub %x, %0 : (tensor<16x1000xf32>, tensor<16x1xf32>) -> tensor<16x1000xf32>
  %2 = mugraph.exp %1 : tensor<16x1000xf32>
  %3 = mugraph.reduce sum %2 dims = [1] : tensor<16x1000xf32> -> tensor<16x1xf32>
  return %0, %3 : tensor<16x1xf32>, tensor<16x1xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<16x1000xf32>) -> (tensor<16x1xf32>, tensor<16x1xf32>) {
  %m, %s = mugraph.block_graph grid = [2] loops = [8]
         ins(%x tile [g0, l0] : tensor<16x1000xf32>)
         outs(tile [g0, _] : tensor<16x1xf32>, tile [g0, _] : tensor<16x1xf32>) {
  ^bb0(%xt: tensor<8x128xf32>):
    %t = mugraph.reduce max %xt dims = [1] : tensor<8x128xf32> -> tensor<8x1xf32>
    %max = mugraph.accumulate max %t over l0 : tensor<8x1xf32>
    %den = mugraph.accumulate_softmax %xt over l0 : (tensor<8x128xf32>) -> tensor<8x1xf32>
    mugraph.yield %max, %den : tensor<8x1xf32>, tensor<8x1xf32>
  }
  return %m, %s : tensor<16x1xf32>, tensor<16x1xf32>
})";
  expectStatus(spec, kernel, verify::Status::Probabilistic);
  expectRejected(
      spec, kernel,
      {{"minimum over the loop", {{"accumulate max", "accumulate min"}}},
       {"minimum in the tile", {{"reduce max", "reduce min"}}},
       {"sum of tile maxima", {{"accumulate max", "accumulate sum"}}},
       {"tile dropped", {{"loops = [8]", "loops = [7]"}}},
       {"results exchanged", {{"yield %max, %den", "yield %den, %max"}}}});
}

//===----------------------------------------------------------------------===//
// Several products
//===----------------------------------------------------------------------===//

const char *gatedSpec = R"(
func.func @spec(%x: tensor<8x1024xf16>, %w1: tensor<1024x512xf16>, %w2: tensor<1024x512xf16>) -> tensor<8x512xf16> {
  %0 = mugraph.matmul %x, %w1 : (tensor<8x1024xf16>, tensor<1024x512xf16>) -> tensor<8x512xf16>
  %1 = mugraph.silu %0 : tensor<8x512xf16>
  %2 = mugraph.matmul %x, %w2 : (tensor<8x1024xf16>, tensor<1024x512xf16>) -> tensor<8x512xf16>
  %3 = mugraph.mul %1, %2 : (tensor<8x512xf16>, tensor<8x512xf16>) -> tensor<8x512xf16>
  return %3 : tensor<8x512xf16>
})";

const char *gatedKernel = R"(
func.func @kernel(%x: tensor<8x1024xf16>, %w1: tensor<1024x512xf16>, %w2: tensor<1024x512xf16>) -> tensor<8x512xf16> {
  %y = mugraph.block_graph grid = [8] loops = [16]
         ins(%x tile [_, l0] : tensor<8x1024xf16>, %w1 tile [l0, g0] : tensor<1024x512xf16>, %w2 tile [l0, g0] : tensor<1024x512xf16>)
         outs(tile [_, g0] : tensor<8x512xf16>) {
  ^bb0(%xt: tensor<8x64xf16>, %at: tensor<64x64xf16>, %bt: tensor<64x64xf16>):
    %a = mugraph.matmul %xt, %at : (tensor<8x64xf16>, tensor<64x64xf16>) -> tensor<8x64xf32>
    %b = mugraph.matmul %xt, %bt : (tensor<8x64xf16>, tensor<64x64xf16>) -> tensor<8x64xf32>
    %aa = mugraph.accumulate sum %a over l0 : tensor<8x64xf32>
    %bb = mugraph.accumulate sum %b over l0 : tensor<8x64xf32>
    %g = mugraph.thread_graph ins(%aa, %bb : tensor<8x64xf32>, tensor<8x64xf32>) outs(tensor<8x64xf32>) {
    ^bb0(%p: tensor<8x64xf32>, %r: tensor<8x64xf32>):
      %s = mugraph.silu %p : tensor<8x64xf32>
      %t = mugraph.mul %r, %s : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
      mugraph.yield %t : tensor<8x64xf32>
    }
    %o = mugraph.cast %g : tensor<8x64xf32> -> tensor<8x64xf16>
    mugraph.yield %o : tensor<8x64xf16>
  }
  return %y : tensor<8x512xf16>
})";

TEST_F(Mutants, GatedProducts) {
  expectStatus(gatedSpec, gatedKernel, verify::Status::Probabilistic);
  expectAccepted(
      gatedSpec, gatedKernel,
      {{"unchanged", {}},
       {"silu by sigmoid",
        {{"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%s0 = mugraph.sigmoid %p : tensor<8x64xf32>\n%s = mugraph.mul %s0, "
          "%p : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>"}}},
       {"silu by exp",
        {{"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%n = mugraph.exp %p : tensor<8x64xf32>\n"
          "%d = mugraph.add_scalar %n, 1.0 : tensor<8x64xf32>\n"
          "%f = mugraph.div %n, %d : (tensor<8x64xf32>, tensor<8x64xf32>) -> "
          "tensor<8x64xf32>\n"
          "%s = mugraph.mul %f, %p : (tensor<8x64xf32>, tensor<8x64xf32>) -> "
          "tensor<8x64xf32>"}}},
       {"silu by tanh",
        {{"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%h = mugraph.mul_scalar %p, 0.5 : tensor<8x64xf32>\n"
          "%th = mugraph.tanh %h : tensor<8x64xf32>\n"
          "%t1 = mugraph.add_scalar %th, 1.0 : tensor<8x64xf32>\n"
          "%s = mugraph.mul %t1, %h : (tensor<8x64xf32>, tensor<8x64xf32>) -> "
          "tensor<8x64xf32>"}}}});
  expectRejected(
      gatedSpec, gatedKernel,
      {{"gate and value exchanged", {{"ins(%aa, %bb", "ins(%bb, %aa"}}},
       {"weights exchanged",
        {{"%w1 tile", "%w0 tile"},
         {"%w2 tile", "%w1 tile"},
         {"%w0 tile", "%w2 tile"}}},
       {"one weight twice", {{"%xt, %bt", "%xt, %at"}}},
       {"silu before the sum",
        {{"%aa = mugraph.accumulate sum %a over l0",
          "%sa = mugraph.silu %a : tensor<8x64xf32>\n%aa = mugraph.accumulate "
          "sum %sa over l0"},
         {"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%s = mugraph.mul_scalar %p, 1.0 : tensor<8x64xf32>"}}},
       {"sigmoid for silu", {{"%s = mugraph.silu", "%s = mugraph.sigmoid"}}},
       {"gelu for silu", {{"%s = mugraph.silu", "%s = mugraph.gelu"}}},
       {"sum for product", {{"mugraph.mul %r, %s", "mugraph.add %r, %s"}}},
       {"input follows the wrong index",
        {{"%w2 tile [l0, g0]", "%w2 tile [g0, l0]"}}}});
}

TEST_F(Mutants, LowRankUpdate) {
  const char *spec = R"(
func.func @spec(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<16x256xf16>, tensor<256x1024xf16>) -> tensor<16x1024xf16>
  %1 = mugraph.matmul %x, %a : (tensor<16x256xf16>, tensor<256x16xf16>) -> tensor<16x16xf16>
  %2 = mugraph.matmul %1, %b : (tensor<16x16xf16>, tensor<16x1024xf16>) -> tensor<16x1024xf16>
  %3 = mugraph.add %0, %2 : (tensor<16x1024xf16>, tensor<16x1024xf16>) -> tensor<16x1024xf16>
  return %3 : tensor<16x1024xf16>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %y = mugraph.block_graph grid = [16] loops = [4]
         ins(%x tile [_, l0] : tensor<16x256xf16>, %w tile [l0, g0] : tensor<256x1024xf16>,
             %a tile [l0, _] : tensor<256x16xf16>, %b tile [_, g0] : tensor<16x1024xf16>)
         outs(tile [_, g0] : tensor<16x1024xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>, %at: tensor<64x16xf16>, %bt: tensor<16x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %p = mugraph.matmul %xt, %at : (tensor<16x64xf16>, tensor<64x16xf16>) -> tensor<16x16xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %ap = mugraph.accumulate sum %p over l0 : tensor<16x16xf32>
    %ah = mugraph.cast %ap : tensor<16x16xf32> -> tensor<16x16xf16>
    %u = mugraph.matmul %ah, %bt : (tensor<16x16xf16>, tensor<16x64xf16>) -> tensor<16x64xf32>
    %o = mugraph.add %am, %u : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
    %oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %oh : tensor<16x64xf16>
  }
  return %y : tensor<16x1024xf16>
})";
  // W + A B first, and both products in one by concatenation.
  const char *merged = R"(
func.func @kernel(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %0 = mugraph.matmul %a, %b : (tensor<256x16xf16>, tensor<16x1024xf16>) -> tensor<256x1024xf16>
  %1 = mugraph.add %w, %0 : (tensor<256x1024xf16>, tensor<256x1024xf16>) -> tensor<256x1024xf16>
  %2 = mugraph.matmul %x, %1 : (tensor<16x256xf16>, tensor<256x1024xf16>) -> tensor<16x1024xf16>
  return %2 : tensor<16x1024xf16>
})";
  const char *concatenated = R"(
func.func @kernel(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %0 = mugraph.matmul %x, %a : (tensor<16x256xf16>, tensor<256x16xf16>) -> tensor<16x16xf16>
  %1 = mugraph.concat %x, %0 dim = 1 : (tensor<16x256xf16>, tensor<16x16xf16>) -> tensor<16x272xf16>
  %2 = mugraph.concat %w, %b dim = 0 : (tensor<256x1024xf16>, tensor<16x1024xf16>) -> tensor<272x1024xf16>
  %3 = mugraph.matmul %1, %2 : (tensor<16x272xf16>, tensor<272x1024xf16>) -> tensor<16x1024xf16>
  return %3 : tensor<16x1024xf16>
})";
  for (const char *form : {kernel, merged, concatenated})
    expectStatus(spec, form, verify::Status::Probabilistic);
  expectRejected(
      spec, kernel,
      {{"update in each iteration",
        {{"%ah = mugraph.cast %ap", "%ah = mugraph.cast %p"},
         {"%o = mugraph.add %am, %u",
          "%au = mugraph.accumulate max %u over l0 : tensor<16x64xf32>\n%o = "
          "mugraph.add %am, %au"}}},
       {"difference", {{"mugraph.add %am", "mugraph.sub %am"}}},
       {"rank clipped",
        {{"%p = mugraph.matmul %xt, %at", "%p = mugraph.matmul %xt, %at2"}}}});
  expectRejected(spec, concatenated,
                 {{"parts exchanged",
                   {{"mugraph.concat %x, %0 dim = 1 : (tensor<16x256xf16>, "
                     "tensor<16x16xf16>)",
                     "mugraph.concat %0, %x dim = 1 : (tensor<16x16xf16>, "
                     "tensor<16x256xf16>)"}}}});
}

//===----------------------------------------------------------------------===//
// Kernel level
//===----------------------------------------------------------------------===//

std::string binary(const char *name, const char *body) {
  return std::string("func.func @") + name +
         "(%a: tensor<32x32xf32>, %b: tensor<32x32xf32>) -> tensor<32x32xf32> "
         "{\n" +
         body + "\n return %r : tensor<32x32xf32>\n}\n";
}

const char *binaryType =
    " : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>";

TEST_F(Mutants, OperandOrder) {
  for (const char *op : {"sub", "div", "pow", "matmul"}) {
    std::string forward =
        std::string("%r = mugraph.") + op + " %a, %b" + binaryType;
    std::string backward =
        std::string("%r = mugraph.") + op + " %b, %a" + binaryType;
    EXPECT_TRUE(check(binary("spec", forward.c_str()),
                      binary("kernel", forward.c_str()))
                    .isAccepted());
    EXPECT_FALSE(check(binary("spec", forward.c_str()),
                       binary("kernel", backward.c_str()))
                     .isAccepted())
        << op;
  }
  for (const char *op : {"add", "mul", "maximum", "minimum"}) {
    std::string forward =
        std::string("%r = mugraph.") + op + " %a, %b" + binaryType;
    std::string backward =
        std::string("%r = mugraph.") + op + " %b, %a" + binaryType;
    EXPECT_TRUE(check(binary("spec", forward.c_str()),
                      binary("kernel", backward.c_str()))
                    .isAccepted())
        << op;
  }
}

TEST_F(Mutants, TransposedResult) {
  std::string product = std::string("%r = mugraph.matmul %a, %b") + binaryType;
  std::string transposed = std::string("%p = mugraph.matmul %a, %b") +
                           binaryType +
                           "\n%r = mugraph.transpose %p perm = [1, 0] : "
                           "tensor<32x32xf32> -> tensor<32x32xf32>";
  std::string twice = "%at = mugraph.transpose %a perm = [1, 0] : "
                      "tensor<32x32xf32> -> tensor<32x32xf32>\n"
                      "%bt = mugraph.transpose %b perm = [1, 0] : "
                      "tensor<32x32xf32> -> tensor<32x32xf32>\n"
                      "%p = mugraph.matmul %bt, %at" +
                      std::string(binaryType) +
                      "\n%r = mugraph.transpose %p perm = [1, 0] : "
                      "tensor<32x32xf32> -> tensor<32x32xf32>";
  EXPECT_FALSE(check(binary("spec", product.c_str()),
                     binary("kernel", transposed.c_str()))
                   .isAccepted());
  verify::Report report =
      check(binary("spec", product.c_str()), binary("kernel", twice.c_str()));
  EXPECT_TRUE(report.isAccepted()) << report.reason;
}

TEST_F(Mutants, DivisionByZeroIsNoVerdict) {
  std::string zero = std::string("%z = mugraph.sub %a, %a") + binaryType +
                     "\n%r = mugraph.div %b, %z" + binaryType;
  verify::Report report =
      check(binary("spec", zero.c_str()), binary("kernel", zero.c_str()));
  EXPECT_EQ(report.status, verify::Status::Undecided);
  std::string product = std::string("%r = mugraph.mul %a, %b") + binaryType;
  report =
      check(binary("spec", product.c_str()), binary("kernel", zero.c_str()));
  EXPECT_EQ(report.status, verify::Status::Different);
}

TEST_F(Mutants, SpelledOutNorms) {
  const char *spec = R"(
func.func @spec(%x: tensor<5x96xf32>, %g: tensor<96xf32>, %b: tensor<96xf32>) -> tensor<5x96xf32> {
  %0 = mugraph.layer_norm %x, %g, %b {eps = 1.0e-5 : f64} : tensor<5x96xf32>, tensor<96xf32>, tensor<96xf32>
  return %0 : tensor<5x96xf32>
})";
  // The variance in one pass: mean of squares minus square of the mean.
  const char *kernel = R"(
func.func @kernel(%x: tensor<5x96xf32>, %g: tensor<96xf32>, %b: tensor<96xf32>) -> tensor<5x96xf32> {
  %m = mugraph.reduce mean %x dims = [1] : tensor<5x96xf32> -> tensor<5x1xf32>
  %sq = mugraph.square %x : tensor<5x96xf32>
  %s = mugraph.reduce mean %sq dims = [1] : tensor<5x96xf32> -> tensor<5x1xf32>
  %mm = mugraph.square %m : tensor<5x1xf32>
  %v = mugraph.sub %s, %mm : (tensor<5x1xf32>, tensor<5x1xf32>) -> tensor<5x1xf32>
  %ve = mugraph.add_scalar %v, 1.0e-5 : tensor<5x1xf32>
  %r = mugraph.rsqrt %ve : tensor<5x1xf32>
  %c = mugraph.sub %x, %m : (tensor<5x96xf32>, tensor<5x1xf32>) -> tensor<5x96xf32>
  %n = mugraph.mul %c, %r : (tensor<5x96xf32>, tensor<5x1xf32>) -> tensor<5x96xf32>
  %ng = mugraph.mul %n, %g : (tensor<5x96xf32>, tensor<96xf32>) -> tensor<5x96xf32>
  %o = mugraph.add %ng, %b : (tensor<5x96xf32>, tensor<96xf32>) -> tensor<5x96xf32>
  return %o : tensor<5x96xf32>
})";
  expectStatus(spec, kernel, verify::Status::Proved);
  expectRejected(
      spec, kernel,
      {{"no mean",
        {{"mugraph.sub %x, %m : (tensor<5x96xf32>, tensor<5x1xf32>) -> "
          "tensor<5x96xf32>",
          "mugraph.mul_scalar %x, 1.0 : tensor<5x96xf32>"}}},
       {"gamma and beta exchanged",
        {{"%n, %g", "%n, %t"}, {"%ng, %b", "%ng, %g"}, {"%n, %t", "%n, %b"}}},
       {"sum for mean", {{"reduce mean %sq", "reduce sum %sq"}}},
       {"unbiased variance",
        {{"%ve = mugraph.add_scalar %v,",
          "%u = mugraph.mul_scalar %v, 1.0105263157894737 : "
          "tensor<5x1xf32>\n%ve = mugraph.add_scalar %u,"}}}});
}

/// Only a few columns are wrong; no permutation maps them to others.
TEST_F(Mutants, WrongInAFewPlaces) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x2048xf32>) -> tensor<4x2048xf32> {
  %0 = mugraph.square %x : tensor<4x2048xf32>
  return %0 : tensor<4x2048xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x2048xf32>) -> tensor<4x2048xf32> {
  %0 = mugraph.slice %x offsets = [0, 0] sizes = [4, 1023] : tensor<4x2048xf32> -> tensor<4x1023xf32>
  %1 = mugraph.slice %x offsets = [0, 1023] sizes = [4, 3] : tensor<4x2048xf32> -> tensor<4x3xf32>
  %2 = mugraph.slice %x offsets = [0, 1026] sizes = [4, 1022] : tensor<4x2048xf32> -> tensor<4x1022xf32>
  %3 = mugraph.square %0 : tensor<4x1023xf32>
  %4 = mugraph.square %1 : tensor<4x3xf32>
  %5 = mugraph.square %2 : tensor<4x1022xf32>
  %6 = mugraph.concat %3, %4, %5 dim = 1
    : (tensor<4x1023xf32>, tensor<4x3xf32>, tensor<4x1022xf32>) -> tensor<4x2048xf32>
  return %6 : tensor<4x2048xf32>
})";
  // Right, but nothing may be claimed for the columns that were not tested.
  expectStatus(spec, kernel, verify::Status::Tested);
  expectRejected(
      spec, kernel,
      {{"three columns", {{"%4 = mugraph.square", "%4 = mugraph.abs"}}}});
}

/// Outputs on and off the diagonal are different functions of the input.
TEST_F(Mutants, DiagonalIsAnOrbitOfItsOwn) {
  std::string gram = "%t = mugraph.transpose %a perm = [1, 0] : "
                     "tensor<32x32xf32> -> tensor<32x32xf32>\n"
                     "%r = mugraph.matmul %a, %t" +
                     std::string(binaryType);
  expectStatus(binary("spec", gram.c_str()), binary("kernel", gram.c_str()),
               verify::Status::Tested);
}

TEST_F(Mutants, Proofs) {
  expectStatus(normLinearSpec, normLinearKernel, verify::Status::Proved);
  expectStatus(attentionSpec, attentionKernel, verify::Status::Proved);
  expectStatus(attentionSpec,
               apply(attentionKernel, {"two passes", inTwoLoops(twoPasses)}),
               verify::Status::Proved);
  expectStatus(gatedSpec, gatedKernel, verify::Status::Proved);
}

/// The index of a block is tied to positions in another dim: each block sees
/// one row only, yet every op has the right shapes.
TEST_F(Mutants, TiedIndicesAreNotProved) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x64xf32>, %y: tensor<256xf32>) -> tensor<256xf32> {
  %0 = mugraph.reduce sum %x dims = [0, 1] : tensor<4x64xf32> -> tensor<1x1xf32>
  %1 = mugraph.reshape %0 : tensor<1x1xf32> -> tensor<1xf32>
  %2 = mugraph.mul %y, %1 : (tensor<256xf32>, tensor<1xf32>) -> tensor<256xf32>
  return %2 : tensor<256xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x64xf32>, %y: tensor<256xf32>) -> tensor<256xf32> {
  %r = mugraph.block_graph grid = [4] loops = [1]
         ins(%x tile [g0, _] : tensor<4x64xf32>, %y tile [g0] : tensor<256xf32>)
         outs(tile [g0] : tensor<256xf32>) {
  ^bb0(%xt: tensor<1x64xf32>, %yt: tensor<64xf32>):
    %0 = mugraph.reduce sum %xt dims = [0, 1] : tensor<1x64xf32> -> tensor<1x1xf32>
    %1 = mugraph.reshape %0 : tensor<1x1xf32> -> tensor<1xf32>
    %2 = mugraph.mul %yt, %1 : (tensor<64xf32>, tensor<1xf32>) -> tensor<64xf32>
    mugraph.yield %2 : tensor<64xf32>
  }
  return %r : tensor<256xf32>
})";
  expectRejected(spec, kernel, {{"unchanged", {}}});
}

/// Loops over tiles of one element and reductions of what is cut by a loop.
TEST_F(Mutants, PartialReductions) {
  const char *spec = R"(
func.func @spec(%x: tensor<8x64xf32>) -> tensor<8x1xf32> {
  %0 = mugraph.reduce sum %x dims = [1] : tensor<8x64xf32> -> tensor<8x1xf32>
  return %0 : tensor<8x1xf32>
})";
  auto kernel = [](const char *loops, const char *tile, const char *body) {
    return std::string(
               "func.func @kernel(%x: tensor<8x64xf32>) -> tensor<8x1xf32> {\n"
               "%r = mugraph.block_graph grid = [1] loops = [") +
           loops +
           "] ins(%x tile [_, l0] : tensor<8x64xf32>) outs(tile [_, _] : "
           "tensor<8x1xf32>) {\n"
           "^bb0(%t: tensor<8x" +
           tile + "xf32>):\n" + body +
           "\nmugraph.yield %o : tensor<8x1xf32>\n}\nreturn %r : "
           "tensor<8x1xf32>\n}";
  };
  const char *perElement =
      "%o = mugraph.accumulate sum %t over l0 : tensor<8x1xf32>";
  expectStatus(spec, kernel("64", "1", perElement), verify::Status::Proved);
  const char *scaled =
      "%s = mugraph.reduce sum %t dims = [1] : tensor<8x16xf32> -> "
      "tensor<8x1xf32>\n"
      "%h = mugraph.mul_scalar %s, 0.5 : tensor<8x1xf32>\n"
      "%d = mugraph.add %h, %h : (tensor<8x1xf32>, tensor<8x1xf32>) -> "
      "tensor<8x1xf32>\n"
      "%o = mugraph.accumulate sum %d over l0 : tensor<8x1xf32>";
  expectStatus(spec, kernel("4", "16", scaled), verify::Status::Proved);
  expectRejected(
      spec, kernel("4", "16", scaled),
      {{"constant in each iteration",
        {{"%d = mugraph.add %h, %h : (tensor<8x1xf32>, tensor<8x1xf32>) -> "
          "tensor<8x1xf32>",
          "%d0 = mugraph.add %h, %h : (tensor<8x1xf32>, tensor<8x1xf32>) -> "
          "tensor<8x1xf32>\n%d = mugraph.add_scalar %d0, 1.0 : "
          "tensor<8x1xf32>"}}},
       {"square of a partial sum", {{"%d = mugraph.add", "%d = mugraph.mul"}}},
       {"maximum over the loop", {{"accumulate sum", "accumulate max"}}},
       {"maximum in the tile", {{"reduce sum", "reduce max"}}},
       {"too few iterations", {{"loops = [4]", "loops = [3]"}}}});
}

/// Reshapes that add and drop unit dims are as good as none.
TEST_F(Mutants, UnitDims) {
  const char *spec = R"(
func.func @spec(%x: tensor<8x64xf32>, %g: tensor<64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.mul %x, %g : (tensor<8x64xf32>, tensor<64xf32>) -> tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<8x64xf32>, %g: tensor<64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.reshape %x : tensor<8x64xf32> -> tensor<8x1x64x1xf32>
  %1 = mugraph.reshape %g : tensor<64xf32> -> tensor<1x64x1xf32>
  %2 = mugraph.mul %0, %1 : (tensor<8x1x64x1xf32>, tensor<1x64x1xf32>) -> tensor<8x1x64x1xf32>
  %3 = mugraph.reshape %2 : tensor<8x1x64x1xf32> -> tensor<8x64xf32>
  return %3 : tensor<8x64xf32>
})";
  expectStatus(spec, kernel, verify::Status::Proved);
  // Through another shape and back: right, but not proved.
  std::string detour = apply(
      kernel,
      {"detour",
       {{"%3 = mugraph.reshape %2 : tensor<8x1x64x1xf32>",
         "%4 = mugraph.reshape %2 : tensor<8x1x64x1xf32> -> tensor<16x32xf32>\n"
         "%3 = mugraph.reshape %4 : tensor<16x32xf32>"}}});
  expectAccepted(spec, detour);
  expectRejected(spec, detour,
                 {{"transposed on the way",
                   {{"%3 = mugraph.reshape %4 : tensor<16x32xf32>",
                     "%5 = mugraph.transpose %4 perm = [1, 0] : "
                     "tensor<16x32xf32> -> tensor<32x16xf32>\n"
                     "%3 = mugraph.reshape %5 : tensor<32x16xf32>"}}}});
}

} // namespace
