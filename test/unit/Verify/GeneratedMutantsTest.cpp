//===- GeneratedMutantsTest.cpp - Changes of what the search finds --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs of the examples are searched for kernels, the kernels are changed at
// random, and each changed kernel is judged twice: by running it
// (`NaiveExecution.h`) and by the verifier. What computes something else must
// not be accepted, and must not be proved either, tests or no tests; nor may
// the certificate of the kernel prove it. The certificates of proofs are
// checked.
//
// What computes the same must be accepted, but for one in twenty, which may be
// equal by a law that the verifier does not know. What differs by less than a
// millionth and more than rounding is not judged.
//
// MIRAGE_MUTANTS is the number of mutants (1000), MIRAGE_SEED their seed, and
// with MIRAGE_SHOW those are printed that compute the same and were rejected.
//
//===----------------------------------------------------------------------===//

#include "NaiveExecution.h"
#include "RandomChange.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Search/Transforms/Passes.h"
#include "mirage/Support/GeneratedInputs.h"
#include "mirage/Verify/Certificate.h"
#include "mirage/Verify/Proof.h"
#include "mirage/Verify/Verify.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>
#include <set>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static const char *const programs[] = {
    R"(func.func @rms_linear(%x: tensor<7x160xf32>, %w: tensor<160x136xf32>) -> tensor<7x136xf32> {
  %0 = mugraph.rms_norm %x : tensor<7x160xf32>
  %1 = mugraph.matmul %0, %w : (tensor<7x160xf32>, tensor<160x136xf32>) -> tensor<7x136xf32>
  return %1 : tensor<7x136xf32>
})",
    R"(func.func @gated(%x: tensor<8x128xf32>, %u: tensor<128x192xf32>, %w: tensor<128x192xf32>) -> tensor<8x192xf32> {
  %0 = mugraph.matmul %x, %u : (tensor<8x128xf32>, tensor<128x192xf32>) -> tensor<8x192xf32>
  %1 = mugraph.matmul %x, %w : (tensor<8x128xf32>, tensor<128x192xf32>) -> tensor<8x192xf32>
  %2 = mugraph.silu %0 : tensor<8x192xf32>
  %3 = mugraph.mul %2, %1 : (tensor<8x192xf32>, tensor<8x192xf32>) -> tensor<8x192xf32>
  return %3 : tensor<8x192xf32>
})",
    R"(func.func @lora(%x: tensor<16x128xf32>, %w: tensor<128x192xf32>, %a: tensor<128x16xf32>, %b: tensor<16x192xf32>) -> tensor<16x192xf32> {
  %0 = mugraph.matmul %x, %w : (tensor<16x128xf32>, tensor<128x192xf32>) -> tensor<16x192xf32>
  %1 = mugraph.matmul %x, %a : (tensor<16x128xf32>, tensor<128x16xf32>) -> tensor<16x16xf32>
  %2 = mugraph.matmul %1, %b : (tensor<16x16xf32>, tensor<16x192xf32>) -> tensor<16x192xf32>
  %3 = mugraph.add %0, %2 : (tensor<16x192xf32>, tensor<16x192xf32>) -> tensor<16x192xf32>
  return %3 : tensor<16x192xf32>
})",
    R"(func.func @residual(%x: tensor<9x512xf32>, %h: tensor<9x512xf32>, %alpha: tensor<9x512xf32>) -> tensor<9x512xf32> {
  %0 = mugraph.rms_norm %h : tensor<9x512xf32>
  %1 = mugraph.add %0, %x : (tensor<9x512xf32>, tensor<9x512xf32>) -> tensor<9x512xf32>
  %2 = mugraph.mul %alpha, %1 : (tensor<9x512xf32>, tensor<9x512xf32>) -> tensor<9x512xf32>
  %3 = mugraph.add %x, %2 : (tensor<9x512xf32>, tensor<9x512xf32>) -> tensor<9x512xf32>
  %4 = mugraph.rms_norm %3 : tensor<9x512xf32>
  return %4 : tensor<9x512xf32>
})",
    R"(func.func @attention(%q: tensor<2x24x32xf32>, %k: tensor<2x32x160xf32>, %v: tensor<2x160x32xf32>) -> tensor<2x24x32xf32> {
  %0 = mugraph.matmul %q, %k : (tensor<2x24x32xf32>, tensor<2x32x160xf32>) -> tensor<2x24x160xf32>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x24x160xf32>
  %2 = mugraph.matmul %1, %v : (tensor<2x24x160xf32>, tensor<2x160x32xf32>) -> tensor<2x24x32xf32>
  return %2 : tensor<2x24x32xf32>
})",
    R"(func.func @packed(%p: tensor<20x96xf32>) -> tensor<20x32xf32> {
  %q = mugraph.slice %p offsets = [0, 0] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %k = mugraph.slice %p offsets = [0, 32] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %v = mugraph.slice %p offsets = [0, 64] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %t = mugraph.transpose %k perm = [1, 0] : tensor<20x32xf32> -> tensor<32x20xf32>
  %0 = mugraph.matmul %q, %t : (tensor<20x32xf32>, tensor<32x20xf32>) -> tensor<20x20xf32>
  %1 = mugraph.softmax %0 dim = 1 : tensor<20x20xf32>
  %2 = mugraph.matmul %1, %v : (tensor<20x20xf32>, tensor<20x32xf32>) -> tensor<20x32xf32>
  return %2 : tensor<20x32xf32>
})",
    R"(func.func @lora_concat(%x: tensor<16x64xf32>, %w: tensor<64x128xf32>, %a: tensor<64x16xf32>, %b: tensor<16x128xf32>) -> tensor<16x128xf32> {
  %0 = mugraph.matmul %x, %a : (tensor<16x64xf32>, tensor<64x16xf32>) -> tensor<16x16xf32>
  %1 = mugraph.concat %x, %0 dim = 1 : (tensor<16x64xf32>, tensor<16x16xf32>) -> tensor<16x80xf32>
  %2 = mugraph.concat %w, %b dim = 0 : (tensor<64x128xf32>, tensor<16x128xf32>) -> tensor<80x128xf32>
  %3 = mugraph.matmul %1, %2 : (tensor<16x80xf32>, tensor<80x128xf32>) -> tensor<16x128xf32>
  return %3 : tensor<16x128xf32>
})",
    R"(func.func @rotary(%x: tensor<12x32xf32>, %c: tensor<12x16xf32>, %s: tensor<12x16xf32>) -> tensor<12x32xf32> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [12, 16] : tensor<12x32xf32> -> tensor<12x16xf32>
  %b = mugraph.slice %x offsets = [0, 16] sizes = [12, 16] : tensor<12x32xf32> -> tensor<12x16xf32>
  %0 = mugraph.mul %a, %c : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %1 = mugraph.mul %b, %s : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %2 = mugraph.sub %0, %1 : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %3 = mugraph.mul %b, %c : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %4 = mugraph.mul %a, %s : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %5 = mugraph.add %3, %4 : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x16xf32>
  %6 = mugraph.concat %2, %5 dim = 1 : (tensor<12x16xf32>, tensor<12x16xf32>) -> tensor<12x32xf32>
  return %6 : tensor<12x32xf32>
})",
    R"(func.func @cache(%q: tensor<4x16xf32>, %k: tensor<30x16xf32>, %n: tensor<1x16xf32>, %v: tensor<30x16xf32>, %m: tensor<1x16xf32>) -> tensor<4x16xf32> {
  %0 = mugraph.concat %k, %n dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %1 = mugraph.concat %v, %m dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %2 = mugraph.transpose %0 perm = [1, 0] : tensor<31x16xf32> -> tensor<16x31xf32>
  %3 = mugraph.matmul %q, %2 : (tensor<4x16xf32>, tensor<16x31xf32>) -> tensor<4x31xf32>
  %4 = mugraph.softmax %3 dim = 1 : tensor<4x31xf32>
  %5 = mugraph.matmul %4, %1 : (tensor<4x31xf32>, tensor<31x16xf32>) -> tensor<4x16xf32>
  return %5 : tensor<4x16xf32>
})",
    R"(func.func @odd_parts(%x: tensor<17x13xf32>, %y: tensor<17x7xf32>, %z: tensor<17x13xf32>, %w: tensor<33x24xf32>) -> tensor<17x24xf32> {
  %0 = mugraph.concat %x, %y, %z dim = 1 : (tensor<17x13xf32>, tensor<17x7xf32>, tensor<17x13xf32>) -> tensor<17x33xf32>
  %1 = mugraph.exp %0 : tensor<17x33xf32>
  %2 = mugraph.matmul %1, %w : (tensor<17x33xf32>, tensor<33x24xf32>) -> tensor<17x24xf32>
  return %2 : tensor<17x24xf32>
})"};

namespace {

/// A program, what the search makes of it, and what it computes.
struct Base {
  OwningOpRef<ModuleOp> module;
  func::FuncOp spec, winner;
  std::vector<std::vector<NaiveTensor>> inputs;
  std::vector<std::vector<NaiveTensor>> expected;
  llvm::json::Object certificate;
};

struct Tally {
  unsigned malformed = 0, wrong = 0, close = 0, equal = 0, equalProved = 0;
  unsigned equalRejected = 0;
};

class GeneratedMutants : public testing::Test {
protected:
  GeneratedMutants() {
    context.loadDialect<func::FuncDialect, MuGraphDialect>();
  }

  Base makeBase(const char *program);
  void judge(Base &base, std::mt19937_64 &random, Tally &tally);

  MLIRContext context;
  std::set<std::string> seen;
};

} // namespace

static std::vector<NaiveTensor> makeInputs(func::FuncOp function,
                                           uint64_t seed) {
  std::vector<NaiveTensor> inputs;
  for (auto [number, type] : llvm::enumerate(function.getArgumentTypes())) {
    NaiveTensor tensor(cast<RankedTensorType>(type).getShape());
    GeneratedInput elements(InputPattern::Random, seed, number);
    for (size_t i = 0; i < tensor.data.size(); ++i)
      tensor.data[i] = elements[i];
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

Base GeneratedMutants::makeBase(const char *program) {
  Base base;
  base.module = parseSourceString<ModuleOp>(program, &context);
  PassManager pm(&context);
  pm.addPass(createMuGraphSuperoptimize());
  EXPECT_TRUE(succeeded(pm.run(*base.module)));
  for (auto function : base.module->getOps<func::FuncOp>())
    (function.isPrivate() ? base.spec : base.winner) = function;
  for (uint64_t seed : {1, 2}) {
    base.inputs.push_back(makeInputs(base.spec, seed));
    std::string unknown;
    auto expected = runNaively(base.spec, base.inputs.back(), unknown);
    EXPECT_TRUE(expected.has_value()) << unknown;
    base.expected.push_back(std::move(*expected));
  }
  return base;
}

/// The largest difference relative to the largest element.
static double maxError(const NaiveTensor &got, const NaiveTensor &expected) {
  double largest = 0, error = 0;
  for (auto [a, b] : llvm::zip_equal(got.data, expected.data)) {
    largest = std::max(largest, std::fabs(b));
    double difference = std::fabs(a - b);
    error = std::isfinite(difference) ? std::max(error, difference) : INFINITY;
    if (!std::isfinite(error))
      break;
  }
  return error / largest;
}

static double maxError(const Base &base, func::FuncOp function,
                       std::string &unknown) {
  double error = 0;
  for (auto [inputs, expected] : llvm::zip_equal(base.inputs, base.expected)) {
    auto got = runNaively(function, inputs, unknown);
    if (!got)
      return NAN;
    for (auto [a, b] : llvm::zip_equal(*got, expected))
      error = std::max(error, maxError(a, b));
    if (error > 1e-6)
      break;
  }
  return error;
}

static bool isProvedAlone(func::FuncOp spec, func::FuncOp candidate,
                          llvm::json::Object *certificate = nullptr) {
  std::string reason;
  auto a = verify::TensorProgram::read(spec, reason);
  auto b = verify::TensorProgram::read(candidate, reason);
  return succeeded(a) && succeeded(b) && b->findWriteMistake().empty() &&
         verify::prove(*a, *b, reason, certificate);
}

/// What is wrong with the certificate, or nothing.
static std::string checkCertificate(func::FuncOp spec, func::FuncOp candidate,
                                    const llvm::json::Object &certificate) {
  std::string reason;
  auto a = verify::TensorProgram::read(spec, reason);
  auto b = verify::TensorProgram::read(candidate, reason);
  if (failed(a) || failed(b))
    return reason;
  llvm::Error error = certificate::check(*a, *b, certificate);
  return error ? llvm::toString(std::move(error)) : "";
}

/// Makes a mutant and compares the verdicts.
void GeneratedMutants::judge(Base &base, std::mt19937_64 &random,
                             Tally &tally) {
  OwningOpRef<ModuleOp> copy = base.module->clone();
  auto spec = copy->lookupSymbol<func::FuncOp>(base.spec.getSymName());
  auto mutant = copy->lookupSymbol<func::FuncOp>(base.winner.getSymName());
  std::string what;
  for (unsigned count = 1 + random() % 2; count > 0; --count) {
    std::string change = verify::changeAtRandom(mutant, random);
    if (change.empty())
      break;
    what += (what.empty() ? "" : ", ") + change;
  }
  if (failed(mlir::verify(*copy))) {
    ++tally.malformed;
    return;
  }
  std::string text;
  llvm::raw_string_ostream(text) << mutant;
  if (!seen.insert(text).second)
    return;

  std::string unknown;
  double error = maxError(base, mutant, unknown);
  ASSERT_TRUE(unknown.empty()) << unknown;
  verify::Options options;
  options.seed = random();
  options.certificate = true;
  verify::Report report = verify::checkEquivalent(spec, mutant, options);
  if (error > 1e-6) {
    ++tally.wrong;
    EXPECT_FALSE(report.isAccepted())
        << what << ", error " << error << ", accepted as "
        << verify::stringify(report.status).str() << "\n"
        << text;
    // Proofs speak of values where both programs are defined.
    EXPECT_FALSE(std::isfinite(error) && isProvedAlone(spec, mutant))
        << what << ", error " << error << ", proved\n"
        << text;
    EXPECT_TRUE(!std::isfinite(error) ||
                !checkCertificate(spec, mutant, base.certificate).empty())
        << what << ", error " << error << ", certified\n"
        << text;
    return;
  }
  // sum exp(-x) is next to nothing, but something.
  if (error > 1e-11) {
    ++tally.close;
    return;
  }
  ++tally.equal;
  if (report.status == verify::Status::Proved) {
    ++tally.equalProved;
    EXPECT_EQ(checkCertificate(spec, mutant, *report.certificate), "")
        << what << "\n"
        << text;
  }
  if (!report.isAccepted()) {
    ++tally.equalRejected;
    if (getenv("MIRAGE_SHOW"))
      llvm::errs() << what << ": " << report.reason << "\n" << text << "\n";
  }
}

static uint64_t numberFrom(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST_F(GeneratedMutants, NoneIsAcceptedWrongly) {
  uint64_t count = numberFrom("MIRAGE_MUTANTS", 1000);
  uint64_t seed = numberFrom("MIRAGE_SEED", 1);
  std::mt19937_64 random(seed);
  std::vector<Base> bases;
  for (const char *program : programs) {
    bases.push_back(makeBase(program));
    std::string unknown;
    Base &base = bases.back();
    EXPECT_LT(maxError(base, base.winner, unknown), 1e-9) << unknown;
    EXPECT_TRUE(isProvedAlone(base.spec, base.winner, &base.certificate));
    EXPECT_EQ(checkCertificate(base.spec, base.winner, base.certificate), "");
  }
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  Tally tally;
  while (tally.wrong + tally.equal < count && !HasFatalFailure())
    judge(bases[random() % bases.size()], random, tally);
  llvm::outs() << "seed " << seed << ": " << tally.wrong << " wrong, "
               << tally.equal << " equal (" << tally.equalProved << " proved, "
               << tally.equalRejected << " rejected), " << tally.close
               << " too close to tell, " << tally.malformed << " malformed\n";
  EXPECT_GT(tally.wrong, count / 2);
  EXPECT_GT(tally.equalProved, tally.equal / 3);
  EXPECT_LE(tally.equalRejected, tally.equal / 20);
}
