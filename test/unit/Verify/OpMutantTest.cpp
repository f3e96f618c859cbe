//===- OpMutantTest.cpp - Single ops and norms, changed -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

using namespace mirage;
using verify::Mutants;

static std::string binary(const char *name, const char *body) {
  return std::string("func.func @") + name +
         "(%a: tensor<32x32xf32>, %b: tensor<32x32xf32>) -> tensor<32x32xf32> "
         "{\n" +
         body + "\n return %r : tensor<32x32xf32>\n}\n";
}

static const char *const binaryType =
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

/// abs and relu of what is never negative change nothing; elsewhere they do.
TEST_F(Mutants, SignsOfSquares) {
  const char *spec = R"(
func.func @spec(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.rms_norm %x : tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %y = mugraph.block_graph grid = [2] loops = [4]
         ins(%x tile [g0, l0] : tensor<8x64xf32>, %x tile [g0, _] : tensor<8x64xf32>)
         outs(tile [g0, _] : tensor<8x64xf32>) {
  ^bb0(%t: tensor<4x16xf32>, %z: tensor<4x64xf32>):
    %sq = mugraph.mul %t, %t : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<4x16xf32> -> tensor<4x1xf32>
    %a = mugraph.accumulate sum %r over l0 : tensor<4x1xf32>
    %m = mugraph.mul_scalar %a, 0.015625 : tensor<4x1xf32>
    %p = mugraph.relu %m : tensor<4x1xf32>
    %q = mugraph.rsqrt %p : tensor<4x1xf32>
    %n = mugraph.neg %q : tensor<4x1xf32>
    %s = mugraph.abs %n : tensor<4x1xf32>
    %o = mugraph.mul %z, %s : (tensor<4x64xf32>, tensor<4x1xf32>) -> tensor<4x64xf32>
    mugraph.yield %o : tensor<4x64xf32>
  }
  return %y : tensor<8x64xf32>
})";
  expectStatus(spec, kernel, verify::Status::Proved);
  expectRejected(
      spec, kernel,
      {{"relu of the result",
        {{"mugraph.yield %o", "%u = mugraph.relu %o : tensor<4x64xf32>\n"
                              "mugraph.yield %u"}}},
       {"relu of a negated mean",
        {{"%m = mugraph.mul_scalar %a, 0.015625",
          "%m = mugraph.mul_scalar %a, -0.015625"}}},
       {"abs of the argument",
        {{"mugraph.mul %z, %s", "mugraph.mul %v, %s"},
         {"%sq = mugraph.mul", "%v = mugraph.abs %z : tensor<4x64xf32>\n"
                               "%sq = mugraph.mul"}}},
       {"product of two elements",
        {{"%sq = mugraph.mul %t, %t : (tensor<4x16xf32>, tensor<4x16xf32>)",
          "%c = mugraph.slice %t offsets = [0, 0] sizes = [4, 1] : "
          "tensor<4x16xf32> -> tensor<4x1xf32>\n"
          "%sq = mugraph.mul %t, %c : (tensor<4x16xf32>, tensor<4x1xf32>)"}}}});
}
